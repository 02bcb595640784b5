"""Sentry's list of issues, as its API answers: pages by cursor, environments, levels, pauses and refusals.

Answers have the shape of recorded ones. The clock of the issues is the test's.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_FIRST_SEEN = re.compile(r"firstSeen:>(\S+)")
_LEVELS = re.compile(r"level:\[([^\]]*)\]")
_PROJECT = re.compile(r"project:(\S+)")


@dataclass(frozen=True)
class Issue:
    number: int
    title: str
    first_seen: datetime
    level: str = "error"
    status: str = "unresolved"
    environment: str = "stg"
    project: str = "packit-service"
    events: int = 1

    @property
    def short_id(self) -> str:
        return f"{self.project.upper()}-{self.number}"

    @property
    def json(self) -> dict[str, Any]:
        return {
            "id": str(4_500_000_000 + self.number),
            "shortId": self.short_id,
            "title": self.title,
            "culprit": "packit_service.worker.tasks",
            "permalink": f"https://sentry.example/organizations/example/issues/{self.number}/",
            "level": self.level,
            "status": self.status,
            "substatus": "new",
            "isUnhandled": True,
            # A number as text: so does Sentry.
            "count": str(self.events),
            "userCount": 0,
            "firstSeen": f"{self.first_seen.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "lastSeen": f"{self.first_seen.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "project": {"id": "17", "name": self.project, "slug": self.project, "platform": "python"},
            "metadata": {"type": "ValueError", "value": self.title},
            "annotations": [],
        }


@dataclass
class SentryServer:
    """One organization, ``example``."""

    issues: list[Issue] = field(default_factory=list)
    token: str = "sentry-token"
    page_size: int = 100
    ignores_queries: bool = False
    """Whether it gives everything, whatever is asked for, as one that knows less of Sentry's language does."""
    answers: deque[Response] = field(default_factory=deque)
    """What it says to the next requests instead of its own."""
    requests: list[Request] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/api/0/organizations/{organization}/issues/", self._list, methods=["GET"])]
        )

    async def _list(self, request: Request) -> Response:
        self.requests.append(request)
        if self.answers:
            return self.answers.popleft()
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"detail": "Invalid token"}, 401)
        if request.path_params["organization"] != "example":
            return JSONResponse({"detail": "The requested resource does not exist"}, 404)
        found = sorted(filter(lambda issue: self._fits(request, issue), self.issues), key=_age)
        start = int(request.query_params.get("cursor", "0:0:0").split(":")[1])
        size = min(self.page_size, int(request.query_params.get("limit", "100")))
        page = found[start : start + size]
        return JSONResponse(
            [issue.json for issue in page],
            headers={
                "Link": ", ".join(
                    (
                        _link("previous", max(start - size, 0), has_results=start > 0),
                        _link("next", start + size, has_results=start + size < len(found)),
                    )
                )
            },
        )

    def _fits(self, request: Request, issue: Issue) -> bool:
        if self.ignores_queries:
            return True
        query = request.query_params["query"]
        since, levels, project = (pattern.search(query) for pattern in (_FIRST_SEEN, _LEVELS, _PROJECT))
        asked = request.query_params["project"]
        return (
            issue.environment == request.query_params["environment"]
            and issue.status == "unresolved"
            and (since is None or issue.first_seen > datetime.fromisoformat(f"{since[1]}+00:00"))
            and (levels is None or issue.level in levels[1].split(", "))
            and (project is None or issue.project == project[1])
            and asked in {"-1", "17"}
        )


def _age(issue: Issue) -> float:
    return -issue.first_seen.timestamp()


def _link(rel: str, start: int, *, has_results: bool) -> str:
    # Where it points to is for clients to doubt.
    url = f"https://elsewhere.example/api/0/organizations/example/issues/?cursor=0:{start}:0"
    return f'<{url}>; rel="{rel}"; results="{str(has_results).lower()}"; cursor="0:{start}:0"'
