"""The installation in one process: receives GitHub's webhooks, and runs the flows on schedule and trigger.

Runs are processes of their own, started by Prefect's runner. The Prefect server is another process, which whoever
starts this one starts first. Stopping pauses the schedules, so that nothing piles up meanwhile; starting again
resumes them, and begins with a resync.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Thread
from typing import Any
from uuid import UUID

import typer
import uvicorn
from prefect import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
from pydantic import SecretStr

from flows import triggers
from flows.deployments import RESYNC, make_deployments
from flows.settings import Settings, SettingsError, load_settings
from reconcile.errors import UnreachableError

_POLL_SECONDS = 1
"""How often to ask Prefect for runs that are due: its own ten seconds are long after a merge."""
_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # What our own modules log belongs to the run that they work for.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,reconcile",
}
"""For this process and the runs that it starts, unless the installation says otherwise."""


async def serve() -> None:
    """Receive webhooks and run flows until SIGINT or SIGTERM.

    Raises:
        SettingsError: Something is not configured, or the webhook's port is in use.
        UnreachableError: The Prefect server does not answer.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    settings = load_settings()
    await _check_prefect()
    runner = _Runner(query_seconds=_POLL_SECONDS, pause_on_shutdown=True)
    with _receiving(settings, settings.webhook_secret) if settings.webhook_secret else nullcontext() as url:
        deployments = await make_deployments(settings)
        for deployment in deployments:
            deployment_id = await runner.aadd_deployment(deployment)
            if deployment.name == RESYNC:
                await _run_now(deployment_id)
        _announce(settings, deployments, url)
        await _run_until_signalled(runner)
    typer.echo("Stopped. The schedules are paused until the next start.")


class _Runner(Runner):
    """Prefect's runner, which would leave the process at a SIGTERM of its own accord."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (as Prefect has it)
        """Leave it to `_run_until_signalled`, which hears the same signal."""


async def _run_until_signalled(runner: Runner) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running, stopped = asyncio.create_task(runner.start()), asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if runner.started:
        await runner.astop()
    stopped.cancel()
    await running


async def _run_now(deployment_id: UUID) -> None:
    """Ask for a run at once: what happened while nothing was served has told nobody."""
    async with get_client() as client:
        await client.create_flow_run_from_deployment(deployment_id)


async def _check_prefect() -> None:
    url = PREFECT_API_URL.value()
    if not url:
        raise SettingsError(
            "PREFECT_API_URL is not set. Run `prefect server start`, and set it to the address that is shown there, "
            "as in http://127.0.0.1:4200/api"
        )
    async with get_client() as client:
        if error := await client.api_healthcheck():
            raise UnreachableError(
                f"Prefect does not answer at {url} ({type(error).__name__}). Is `prefect server start` running, and "
                "PREFECT_API_URL its address?"
            ) from error


@contextmanager
def _receiving(settings: Settings, secret: SecretStr) -> Iterator[str]:
    """Receive webhooks in a thread of their own, so that no run delays an answer; give the address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.webhook_host, settings.webhook_port))
        except OSError as error:
            raise SettingsError(
                f"Webhooks cannot be received on {settings.webhook_host} port {settings.webhook_port} "
                f"({error.strerror}). Set STABLEHAND_WEBHOOK_HOST and STABLEHAND_WEBHOOK_PORT to a free one."
            ) from error
        app = triggers.receiver(settings.repository, secret, triggers.emit_to_prefect)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="webhooks", daemon=True)
        thread.start()
        host, port = listener.getsockname()[:2]
        try:
            yield f"http://{host}:{port}{triggers.PATH}"
        finally:
            server.should_exit = True
            thread.join()


def _announce(settings: Settings, deployments: tuple[RunnerDeployment, ...], webhook_url: str | None) -> None:
    names = [f"{deployment.flow_name}/{deployment.name}" for deployment in deployments]
    typer.echo(f"Serving {settings.repository}.")
    typer.echo(f"  Webhooks   {webhook_url or 'not received: STABLEHAND_WEBHOOK_SECRET is not set'}")
    typer.echo(f"  Prefect    {PREFECT_UI_URL.value() or PREFECT_API_URL.value()}")
    typer.echo(f"  Runs       {', '.join(names)}")
    typer.echo("Stop with Ctrl-C.")
