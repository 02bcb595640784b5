"""Watch a proposal become moved branches: ``python -m tests.demo [--yes]``.

Exit statuses: 0 converged, or ended by Ctrl-C when everything was ready to be looked at; 1 something did not happen;
130 interrupted before that.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.demo.prefect import FlowRun
from tests.demo.scene import PATIENCE_SECONDS, Demo, DemoError, scene
from tests.demo.telling import say, show_shifts

_PROPOSE = "propose-release/propose"
_STATUS = "stablehand/plan"


class Proposal(NamedTuple):
    number: int
    url: str
    title: str


@dataclass
class Progress:
    """How far the demo came, for the exit status of an interruption."""

    is_ready: bool = False


async def show(progress: Progress, *, does_merge: bool) -> None:
    """Show everything, until it has converged, or for as long as a person looks at it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stablehand-demo-") as home:
        async with scene(Path(home)) as demo:
            say("Adopting the fleet: the first resync begins the ledger …")
            await demo.until(_first_run(demo), what="adopting the fleet", patience=PATIENCE_SECONDS)
            say("Proposing what stage has validated …")
            await demo.run(_PROPOSE, what="proposing")
            proposal = await _checked_proposal(demo)
            before = demo.repositories.stable()
            if does_merge:
                say(f"{proposal.url} is open and checked. Merging it as alice …")
                merged = await demo.ask("PUT", f"/pulls/{proposal.number}/merge", {"merge_method": "merge"})
                await _converge(demo, before, commit=merged["sha"])
                _conclude(demo, before)
                say("Ending everything …")
            else:
                _invite(demo, proposal)
                progress.is_ready = True
                await _converge(demo, before, commit=None)
                _conclude(demo, before)
                say("converged. Everything still runs: look around, and end it with Ctrl-C.", style="green")
                await demo.until(_never, what="being looked at", patience=None)
    say(f"converged, in {time.monotonic() - started:.0f} s", style="green")


def _first_run(demo: Demo) -> Callable[[list[FlowRun]], Awaitable[FlowRun | None]]:
    async def look(runs: list[FlowRun]) -> FlowRun | None:
        return next((demo.expect_completed(run) for run in runs if run.is_over), None)

    return look


async def _checked_proposal(demo: Demo) -> Proposal:
    """Wait until the proposal has its check's status and comment."""

    async def look(_runs: list[FlowRun]) -> Proposal | None:
        for pull in await demo.ask("GET", "/pulls"):
            status = await demo.ask("GET", f"/commits/{pull['head']['sha']}/status")
            comments = await demo.ask("GET", f"/issues/{pull['number']}/comments")
            if comments and any(each["context"] == _STATUS for each in status["statuses"]):
                return Proposal(pull["number"], pull["html_url"], pull["title"])
        return None

    return await demo.until(look, what="checking the proposal", patience=PATIENCE_SECONDS)


async def _converge(demo: Demo, before: Mapping[str, str | None], *, commit: str | None) -> None:
    """Wait until a run that a push has woken has moved everything, and git agrees.

    Args:
        demo: What runs.
        before: Where the branches stood.
        commit: The push's commit. Without it a person is at work: any push does, at any time, until one converges.

    Raises:
        DemoError: The push of ``commit`` did not converge, or git says otherwise.
    """
    seen: set[str] = set()

    async def look(runs: list[FlowRun]) -> FlowRun | None:
        for run in runs:
            is_woken_by_it = commit in (None, run.parameters.get("commit"))
            if (
                run.parameters.get("reason") == "push"
                and is_woken_by_it
                and run.is_over
                and run.id not in seen
            ):
                seen.add(run.id)
                return run
        return None

    while True:
        run = await demo.until(look, what="merging", patience=PATIENCE_SECONDS if commit else None)
        assert run.state
        if run.state.name == "Converged" and demo.repositories.shifts(before):
            break
        if commit:
            raise demo.failure_of(run)
        say("Not everything has moved. Merge a correction, or look at the run's log.", style="yellow")
    if elsewhere := demo.repositories.elsewhere():
        raise DemoError(f"The run says that it converged, and git says otherwise of {', '.join(elsewhere)}")


async def _never(_runs: list[FlowRun]) -> None:
    return None


def _invite(demo: Demo, proposal: Proposal) -> None:
    """Say where to go and what to do there."""
    say()
    say(f"  Pull request   {proposal.url}", style="bold")
    say(f"  Prefect        {demo.prefect.url}/runs", style="bold")
    say()
    say("  1. Read the proposal: what moves, on what evidence, and the check's plan below it.")
    say("  2. Edit a sha in its file if you like; the check plans it again within seconds.")
    say("  3. Merge it, and watch the branches move here and in Prefect.")
    say()


def _conclude(demo: Demo, before: Mapping[str, str | None]) -> None:
    """Show what moved, as git tells it."""
    say()
    say("What moved, read back with `git rev-parse` and `git log`:")
    show_shifts(demo.repositories.shifts(before))


async def _until_signalled(work: Coroutine[object, object, None]) -> bool:
    """Do the work; a signal cancels it, and everything is ended in order. Return whether it came to its end."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo", description="Watch a proposal become moved branches."
    )
    parser.add_argument("--yes", action="store_true", help="merge as alice, and end when all has moved")
    arguments = parser.parse_args()
    progress = Progress()
    try:
        is_done = asyncio.run(_until_signalled(show(progress, does_merge=arguments.yes)))
    except (DemoError, httpx.HTTPError) as error:
        say(f"{type(error).__name__}: {error}", style="red")
        return 1
    if is_done or progress.is_ready:
        return 0
    say("Interrupted; everything has been ended.")
    return 130


if __name__ == "__main__":
    sys.exit(main())
