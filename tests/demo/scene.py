"""The demo's scene: everything that runs, how it is started and ended, and how to ask it."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.demo.fleet import Repositories
from tests.demo.prefect import FlowRun, Prefect, Watch
from tests.demo.processes import Child, clean_environment, free_port, running
from tests.demo.telling import say, show_run
from tests.sandbox import Sandbox
from tests.sandbox.fleet import Fleet, make_packit_fleet

T = TypeVar("T")

PATIENCE_SECONDS = 90.0
"""More than anything here takes on a slow machine."""
_WEBHOOK = re.compile(r"http://\S+/webhook")
_LOOK_SECONDS = 0.5


class DemoError(Exception):
    """Something did not happen; says what to look at."""


class Demo:
    """Everything that runs, and how to ask it."""

    def __init__(
        self, sandbox: Sandbox, fleet: Fleet, prefect: Prefect, serve: Child, client: httpx.AsyncClient
    ) -> None:
        self.prefect = prefect
        self.repositories = Repositories(
            sandbox.store.directory,
            tuple(each.full_name for each in fleet.repositories),
            release_state=fleet.release_state.full_name,
        )
        self._serve = serve
        self._client = client
        self._watch = Watch(prefect, show_run)
        self._api = f"{sandbox.url}/repos/{fleet.release_state.full_name}"
        self._token = sandbox.tokens["alice"]

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request about the release-state repository to the sandbox's REST API, as alice."""
        response = await self._client.request(
            method, f"{self._api}{path}", json=body, headers={"Authorization": f"Bearer {self._token}"}
        )
        if not response.is_success:
            raise DemoError(f"The sandbox refused {method} {path}: {response.text[:500]}")
        return response.json()

    async def until(
        self, look: Callable[[list[FlowRun]], Awaitable[T | None]], *, what: str, patience: float | None
    ) -> T:
        """Look until there is something to see, showing what runs meanwhile.

        Raises:
            DemoError: There is nothing after ``patience`` seconds.
        """
        deadline = None if patience is None else time.monotonic() + patience
        while (found := await look(await self._watch.look())) is None:
            if not self._serve.is_running:
                raise DemoError(f"`stablehand serve` has ended, {what}. It said:\n{self._serve.tail()}")
            if deadline and time.monotonic() > deadline:
                raise DemoError(
                    f"Nothing came of {what} within {patience:.0f} s. `stablehand serve` says:\n{self._serve.tail()}"
                )
            await asyncio.sleep(_LOOK_SECONDS)
        return found

    async def run(self, deployment: str, *, what: str) -> None:
        """Run a deployment to its end.

        Raises:
            DemoError: It did not complete.
        """
        run_id = await self.prefect.run_deployment(deployment)

        async def look(runs: list[FlowRun]) -> FlowRun | None:
            return next((run for run in runs if run.id == run_id and run.is_over), None)

        self.expect_completed(await self.until(look, what=what, patience=PATIENCE_SECONDS))

    def expect_completed(self, run: FlowRun) -> FlowRun:
        """Return the run.

        Raises:
            DemoError: It ended otherwise.
        """
        if run.state and run.state.type != "COMPLETED":
            raise self.failure_of(run)
        return run

    def failure_of(self, run: FlowRun) -> DemoError:
        """Say how a run ended that should have ended otherwise."""
        assert run.state
        return DemoError(
            f"The run {run.name!r} ended as {run.state.name}: {run.state.message}\n"
            f"`stablehand serve` says:\n{self._serve.tail()}"
        )


@asynccontextmanager
async def scene(home: Path) -> AsyncIterator[Demo]:
    """Start a sandbox with its fleet, Prefect, and stablehand between them; end all of it with the block."""
    prefect_port = free_port()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        prefect = Prefect(f"http://127.0.0.1:{prefect_port}", client)
        say("Starting a Prefect server of its own (its first start takes 10 to 20 s) …")
        server = stack.enter_context(
            running(
                "prefect",
                ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(prefect_port)],
                home=home,
                # Its pages would look for the API on Prefect's own port.
                environment=clean_environment(home, PREFECT_SERVER_UI_API_URL=f"{prefect.url}/api"),
            )
        )
        (home / "github").mkdir()
        sandbox = stack.enter_context(Sandbox.running(home / "github"))
        fleet = make_packit_fleet(sandbox.store, datetime.now(UTC).replace(microsecond=0))
        say(f"A GitHub of its own, with {len(fleet.repositories)} repositories, is at {sandbox.url}")
        await _until_up(prefect, server)
        secret = secrets.token_hex(16)
        say("Starting `stablehand serve` …")
        serve = stack.enter_context(
            running(
                "stablehand",
                ["stablehand", "serve"],
                home=home,
                environment=clean_environment(
                    home,
                    PREFECT_API_URL=f"{prefect.url}/api",
                    STABLEHAND_GITHUB_URL=sandbox.url,
                    STABLEHAND_REPOSITORY=fleet.release_state.full_name,
                    STABLEHAND_TOKEN=sandbox.tokens["stablehand-bot"],
                    STABLEHAND_WEBHOOK_PORT="0",
                    STABLEHAND_WEBHOOK_SECRET=secret,
                ),
            )
        )
        demo = Demo(sandbox, fleet, prefect, serve, client)
        url = await demo.until(_webhook_of(serve), what="starting", patience=PATIENCE_SECONDS)
        await _register_webhook(demo, url, secret)
        yield demo


async def _until_up(prefect: Prefect, server: Child) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await prefect.is_up():
        if not server.is_running or time.monotonic() > deadline:
            raise DemoError(f"The Prefect server did not start. It said:\n{server.tail()}")
        await asyncio.sleep(_LOOK_SECONDS)


def _webhook_of(serve: Child) -> Callable[[list[FlowRun]], Awaitable[str | None]]:
    async def look(_runs: list[FlowRun]) -> str | None:
        found = _WEBHOOK.search(serve.text)
        return found[0] if found else None

    return look


async def _register_webhook(demo: Demo, url: str, secret: str) -> None:
    config = {"url": url, "content_type": "json", "secret": secret}
    await demo.ask("POST", "/hooks", {"name": "web", "events": ["push", "pull_request"], "config": config})
