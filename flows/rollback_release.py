"""The flow ``rollback-release``: `flows.ways.rollback`, for people who start it in Prefect's pages."""

from typing import Any, Literal

from prefect import State, flow
from prefect.logging import get_run_logger
from prefect.states import Completed

from flows import artifacts, runs
from flows.connect import connected
from flows.settings import load_settings
from flows.ways.errors import UsageError
from flows.ways.propose import Proposed
from flows.ways.reconcile import system_clock
from flows.ways.rollback import RollbackRequest, rollback
from reconcile.errors import ReconcileError
from reconcile.render.plan import summarize
from state.errors import StateError
from state.ids import abbreviate


@flow(name="rollback-release", flow_run_name="roll back")
async def rollback_release(
    to: str | None = None,
    repositories: list[str] = [],  # noqa: B006 (Prefect makes a form of it, and nothing changes it)
    reason: str = "rollback",
    despite: list[Literal["frozen", "outside-window", "soaking", "not-ready-in-time", "limit-exceeded"]] = [],  # noqa: B006
) -> State[Any]:
    """Open a pull request that goes back to an earlier decision. Nothing moves before it is merged.

    Args:
        to: A sha of the release-state repository, a date, or #NUMBER of a pull request; the one before the last
            where it is empty.
        repositories: Only these; all where the list is empty.
        reason: Why, for the permits and blocks of the pull request.
        despite: What the permits shall override, so that a rollback need not wait.
    """
    try:
        settings = load_settings()
        request = RollbackRequest(
            to=to or None, repositories=tuple(repositories), reason=reason, despite=tuple(despite)
        )
        async with connected(settings) as github:
            report = await rollback(github, request, clock=system_clock())
    except (ReconcileError, StateError, UsageError) as error:
        return runs.failed(error)
    pull_request = report.pull_request
    sentence = f"#{pull_request.number} goes back to {abbreviate(report.decision.commit)}"
    get_run_logger().info("%s: %s", sentence, pull_request.url)
    await artifacts.publish_plan(settings.repository, "rollback", report.plan, description=f"{sentence}.")
    await artifacts.publish_pull_request(
        settings.repository, Proposed(number=pull_request.number, url=pull_request.url)
    )
    await runs.rename(f"roll back · {sentence} · {summarize(report.plan.items)}")
    return Completed(name="Opened", message=f"{sentence}.", data=report)
