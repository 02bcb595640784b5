"""The flow ``check-release``: `flows.ways.check`, its steps as tasks that a person can watch."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

from prefect import State, flow
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from flows import artifacts, runs
from flows.connect import connected
from flows.settings import load_settings
from flows.ways.check import CheckReport, CheckSteps, GitHubPorts, check, check_all, list_due, plain_steps
from flows.ways.reconcile import system_clock
from reconcile.errors import ReconcileError
from state.errors import StateError
from state.ids import RepositoryName

_ENDS = {"success": "Passed", "failure": "Not passed", "pending": "Parsed only"}


def _first_name() -> str:
    number = flow_run.parameters.get("pull_request")
    return f"check #{number}" if number else "check what is open"


@flow(name="check-release", flow_run_name=_first_name)
async def check_release(pull_request: int | None = None) -> State[Any]:
    """Show on a pull request what merging it would do.

    Args:
        pull_request: Its number in the release-state repository. Without one, every open pull request that changes a
            document is checked, and every one that was not checked yet.
    """
    try:
        settings = load_settings()
        async with connected(settings) as github:
            if pull_request is None:
                return await _check_open(github, settings.repository)
            return await _check_one(github, settings.repository, pull_request)
    except (ReconcileError, StateError) as error:
        return runs.failed(error)


async def _check_one(github: GitHubPorts, repository: RepositoryName, number: int) -> State[Any]:
    """Check it, and end the run as it shows it. A check that does not pass has done its work all the same."""
    report = await _check(github, number)
    for problem in report.problems:
        get_run_logger().warning("%s", problem)
    await artifacts.publish_problems(repository, number, report.problems)
    if report.plan:
        description = f"Merging #{number}: {report.description}."
        await artifacts.publish_plan(repository, "check", report.plan, description=description)
    await runs.rename(f"check #{number} · {report.description}")
    end = Cancelled if report.state == "failure" else Completed
    return end(name=_ENDS[report.state], message=report.description, data=report)


async def _check_open(github: GitHubPorts, repository: RepositoryName) -> State[Any]:
    """Check all that is open. What does not pass is no reason to be red; what could not be checked is."""
    numbers = await runs.reading(partial(list_due, github), "list what is open")()
    came_to = await check_all(numbers, partial(_check, github))
    said = {
        number: (_ENDS[each.state], each.description)
        if isinstance(each, CheckReport)
        else ("Not checked", str(each))
        for number, each in came_to.items()
    }
    await artifacts.publish_checks(repository, said)
    counts = Counter(word for word, _ in said.values())
    summary = " · ".join(f"{count} {word.lower()}" for word, count in counts.items()) or "nothing to check"
    await runs.rename(f"check what is open · {summary}")
    unchecked = [
        f"#{number}: {sentence}" for number, (word, sentence) in said.items() if word == "Not checked"
    ]
    return Failed(message="\n".join(unchecked)) if unchecked else Completed(name="Checked", message=summary)


async def _check(github: GitHubPorts, number: int) -> CheckReport:
    report = await check(_as_tasks(plain_steps(github), number), number, clock=system_clock())
    get_run_logger().info("#%d: %s", number, report.description)
    return report


def _as_tasks(steps: CheckSteps, number: int) -> CheckSteps:
    """Show each step in Prefect, with the number: a run may check several."""
    return replace(
        steps,
        load=runs.reading(steps.load, f"#{number}: load the documents"),
        load_change=runs.reading(steps.load_change, f"#{number}: load the pull request"),
        find_unapproved=runs.reading(steps.find_unapproved, f"#{number}: find what nobody approved"),
        find_commits=runs.reading(steps.find_commits, f"#{number}: find an abbreviated commit"),
        observe=runs.reading(steps.observe, f"#{number}: observe"),
        read_histories=runs.reading(steps.read_histories, f"#{number}: read what goes out"),
        observe_signals=runs.reading(steps.observe_signals, f"#{number}: look for green commits"),
        report=runs.writing(steps.report, f"#{number}: report on the pull request"),
    )
