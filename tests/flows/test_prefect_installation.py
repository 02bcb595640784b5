"""An installation as it runs: Prefect's server, `stablehand serve`, and webhooks between GitHub and them.

Also what the caps on dependencies protect: with a version beyond them, one of these would fail.
"""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.demo.prefect import FlowRun
from tests.demo.scene import PATIENCE_SECONDS, Demo, scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    "module", ["githubkit", "githubkit_schemas.latest.models", "prefect.server.api.server"]
)
def test_what_the_caps_are_for_can_be_imported(module: str) -> None:
    """The client of GitHub fails with hishel 2, Prefect's server with newer releases of fastapi."""
    program = f"import {module}"
    assert 0 == subprocess.run([sys.executable, "-c", program], check=False, timeout=100).returncode


async def test_an_installation(tmp_path: Path) -> None:
    """Schedules fire, a push reaches a run, the same delivery does not reach another, and stopping pauses."""
    async with scene(tmp_path) as demo:
        await demo.until(_both_schedules(demo), what="scheduling", patience=PATIENCE_SECONDS)

        (hook,) = await demo.ask("GET", "/hooks")
        content = {"message": "Say hello", "content": "aGVsbG8K", "branch": "main"}
        pushed = await demo.ask("PUT", "/contents/NEWS.md", content)
        commit = pushed["commit"]["sha"]
        run = await demo.until(_woken_by(commit), what="the push", patience=PATIENCE_SECONDS)
        assert run.state
        assert ("push", "Converged") == (run.parameters["reason"], run.state.name)

        for delivery in await demo.ask("GET", f"/hooks/{hook['id']}/deliveries"):
            await demo.ask("POST", f"/hooks/{hook['id']}/deliveries/{delivery['id']}/attempts")
        # Another push, whose run comes after any that a repeated delivery could have started.
        second = await demo.ask(
            "PUT", "/contents/NEWS.md", content | {"content": "aGkK", "sha": pushed["content"]["sha"]}
        )
        await demo.until(
            _woken_by(second["commit"]["sha"]), what="the second push", patience=PATIENCE_SECONDS
        )
        runs = await demo.prefect.flow_runs()
        assert 1 == sum(each.parameters.get("commit") == commit for each in runs)


def _woken_by(commit: str) -> Callable[[list[FlowRun]], Awaitable[FlowRun | None]]:
    async def look(runs: list[FlowRun]) -> FlowRun | None:
        return next((run for run in runs if run.parameters.get("commit") == commit and run.is_over), None)

    return look


def _both_schedules(demo: Demo) -> Callable[[list[FlowRun]], Awaitable[bool | None]]:
    async def look(_runs: list[FlowRun]) -> bool | None:
        """See a run that a schedule has made, of each flow that has one."""
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{demo.prefect.url}/api/flow_runs/filter",
                json={"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 200},
            )
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return None
        scheduled = [run for run in answer.json() if run["auto_scheduled"]]
        reasons = {run["parameters"].get("reason") for run in scheduled}
        return True if {"resync", None} == reasons else None

    return look
