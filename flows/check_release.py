"""The flow ``check-release``: `flows.ways.check`, its steps as tasks that a person can watch."""

from dataclasses import replace
from typing import Any

from prefect import State, flow
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed

from flows import artifacts, runs
from flows.connect import connected
from flows.settings import load_settings
from flows.ways.check import CheckReport, CheckSteps, check, plain_steps
from flows.ways.reconcile import system_clock
from reconcile.errors import ReconcileError
from state.errors import StateError

_ENDS = {"success": "Passed", "failure": "Not passed", "pending": "Parsed only"}


def _first_name() -> str:
    return f"check #{flow_run.parameters.get('pull_request')}"


@flow(name="check-release", flow_run_name=_first_name)
async def check_release(pull_request: int) -> State[Any]:
    """Show on a pull request what merging it would do.

    Args:
        pull_request: Its number in the release-state repository.
    """
    try:
        settings = load_settings()
        async with connected(settings) as github:
            report = await check(_as_tasks(plain_steps(github)), pull_request, clock=system_clock())
    except (ReconcileError, StateError) as error:
        return runs.failed(error)
    for problem in report.problems:
        get_run_logger().warning("%s", problem)
    get_run_logger().info("%s", report.description)
    await artifacts.publish_problems(settings.repository, pull_request, report.problems)
    if report.plan:
        await artifacts.publish_plan(
            settings.repository,
            "check",
            report.plan,
            description=f"Merging #{pull_request}: {report.description}.",
        )
    await runs.rename(f"check #{pull_request} · {report.description}")
    return _end(report)


def _end(report: CheckReport) -> State[Any]:
    """End the run as the pull request shows it. A check that does not pass has done its work all the same."""
    end = Cancelled if report.state == "failure" else Completed
    return end(name=_ENDS[report.state], message=report.description, data=report)


def _as_tasks(steps: CheckSteps) -> CheckSteps:
    return replace(
        steps,
        load=runs.reading(steps.load, "load the documents"),
        load_change=runs.reading(steps.load_change, "load the pull request"),
        observe=runs.reading(steps.observe, "observe"),
        report=runs.writing(steps.report, "report on the pull request"),
    )
