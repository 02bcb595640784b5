"""A stage that says how it is, and which commits it runs; or fails, or says nothing."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class Stage:
    """Answers at ``/api/system``."""

    system: dict[str, Any] = field(default_factory=lambda: {"status": "ok"})
    status: int = 200
    is_silent: bool = False
    """Whether it takes requests and never answers."""
    answers: deque[Response] = field(default_factory=deque)
    """What it says to the next requests instead."""
    requests: list[Request] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/system", self._answer)])

    def runs(self, **commits: str) -> None:
        """Report a commit for each component, abbreviated as Packit's stage does."""
        self.system |= {name: {"commit": sha[:7], "version": "1.0"} for name, sha in commits.items()}

    async def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        if self.is_silent:
            await asyncio.Event().wait()
        return self.answers.popleft() if self.answers else JSONResponse(self.system, self.status)
