"""The flow ``reconcile-release``: `flows.ways.reconcile`, its steps as tasks that a person can watch."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any, Literal, assert_never

from prefect import State, flow, tags, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from flows import artifacts, endings, runs
from flows.connect import connected
from flows.notify import notify_news
from flows.sentry import resync_monitor
from flows.settings import Settings, SettingsError, load_settings
from flows.ways.reconcile import ReconcileSteps, plain_steps, reconcile, system_clock
from reconcile import apply
from reconcile.observed import Accepted
from reconcile.planned import Action, Plan
from reconcile.report import Result, RunReport
from state.ids import RepositoryName, abbreviate

Reason = Literal["by hand", "push", "resync"]

_WOKEN = {"by hand": "by hand", "push": "by a push", "resync": "by the clock"}
_FEW = 20
"""So many moves get a task run each, to be seen; more would take longer to show than to make."""


def _first_name() -> str:
    commit = flow_run.parameters.get("commit")
    return f"reconcile {abbreviate(commit)}" if commit else "reconcile"


@flow(name="reconcile-release", flow_run_name=_first_name, on_crashed=[endings.tell_of_crash])
async def reconcile_release(reason: Reason = "by hand", commit: str | None = None) -> State[Any]:
    """Move every governed branch to what the newest merged release state says, and prove it.

    Args:
        reason: What woke this run. A resync gives way to a run that is at work.
        commit: The commit that woke it, for the name alone; what counts is the newest one in any case.
    """
    get_run_logger().info("Woken %s%s.", _WOKEN[reason], f" ({abbreviate(commit)})" if commit else "")
    try:
        settings = load_settings()
    except SettingsError as error:
        return runs.failed(error)
    return await endings.watched(settings, resync_monitor, partial(_reconcile, settings, reason))


async def _reconcile(settings: Settings, reason: Reason) -> State[Any]:
    log, (_, run) = get_run_logger(), runs.this()
    try:
        async with (
            runs.turn(settings.repository, gives_way=reason == "resync"),
            connected(settings) as github,
        ):
            clock = system_clock()
            plain = plain_steps(github, clock, partial(notify_news, settings))
            report = await reconcile(
                _as_tasks(plain, settings.repository), clock=clock, run=runs.address(run)
            )
    except runs.OccupiedError:
        await runs.rename("reconcile · gave way")
        raise
    summary = summary_of(report)
    await artifacts.publish_outcome(settings.repository, report, summary)
    await runs.rename(f"reconcile {abbreviate(report.plan.version.commit)} · {summary}")
    for cause in report.causes.values():
        log.warning("%s", cause)
    log.info("%s: %s.", report.result.capitalize(), summary)
    return _end(report, summary)


async def run_in_prefect() -> RunReport:
    """Reconcile as a flow run, and return its report.

    Raises:
        ReconcileError: GitHub could not be read, or the settings are wrong.
        StateError: A document is wrong.
    """
    with tags(load_settings().repository):
        report = await runs.result_of(await reconcile_release(return_state=True))
    assert isinstance(report, RunReport), "only a resync gives way"
    return report


def summary_of(report: RunReport) -> str:
    """Say in a few words what a run did and what is left: ``3 moved · 1 held``."""
    failed = sum(isinstance(outcome, apply.Failed) for outcome in report.outcomes)
    kinds = Counter(item.kind for item in report.items)
    counts = {
        "moved": len(report.moved),
        "failed": failed,
        "held": kinds["hold"],
        "waiting": kinds["wait"],
    }
    return " · ".join(f"{count} {word}" for word, count in counts.items() if count) or "all in place"


def _end(report: RunReport, summary: str) -> State[Any]:
    match report.result:
        case Result.CONVERGED | Result.WAITING:
            end = Completed
        case Result.HELD:
            end = Cancelled
        case Result.FAILED:
            end = Failed
        case _:
            assert_never(report.result)
    return end(name=report.result.capitalize(), message=summary, data=report)


def _as_tasks(steps: ReconcileSteps, repository: RepositoryName) -> ReconcileSteps:
    """Show each step in Prefect, and each move while there are few; nothing for what stays where it is."""
    log = get_run_logger()
    load, observe = runs.reading(steps.load, "load the documents"), runs.reading(steps.observe, "observe")
    move_wave = task(name="move a wave", cache_policy=NO_CACHE)(steps.apply_wave)

    async def load_and_say() -> Accepted:
        accepted = await load()
        commit = abbreviate(accepted.version.commit)
        await runs.rename(f"reconcile {commit}")
        log.info("The documents are those of %s.", commit)
        return accepted

    async def apply_and_show(plan: Plan, actions: tuple[Action, ...]) -> tuple[apply.Outcome, ...]:
        if actions[0].wave == 1:
            await artifacts.publish_plan(repository, "plan", plan, description=artifacts.describe_plan(plan))
        named = move_wave.with_options(task_run_name=f"wave {actions[0].wave}, {len(actions)} to move")
        outcomes = await named(plan, actions)
        if len(outcomes) <= _FEW:
            for outcome in outcomes:
                shown = _show.with_options(task_run_name=_name_of(outcome))
                await shown(outcome, return_state=True)  # type: ignore[misc]  # Prefect's type misses the awaiting
        return outcomes

    return replace(
        steps,
        load=load_and_say,
        observe=observe,
        apply_wave=apply_and_show,
        rebuild=runs.writing(steps.rebuild, "ask for a rebuild"),
        record=runs.writing(steps.record, "record in the ledger"),
        show_deployments=runs.writing(steps.show_deployments, "show moves as deployments"),
        report=runs.writing(steps.report, "report on the commit"),
        notify=runs.writing(steps.notify, "tell people"),
    )


def _name_of(outcome: apply.Outcome) -> str:
    before = abbreviate(outcome.before) if outcome.before else "new"
    return f"{outcome.name} {before} → {abbreviate(outcome.after)}"


@task(name="move", cache_policy=NO_CACHE)
async def _show(outcome: apply.Outcome) -> State[Any]:
    """Show what became of one repository, as a task run of its own."""
    match outcome:
        case apply.Moved():
            return Completed(name="Moved", message=f"At {outcome.at:%H:%M:%S} UTC.")
        case apply.MovedMeanwhile():
            found = abbreviate(outcome.found) if outcome.found else "nothing"
            return Cancelled(name="Moved meanwhile", message=f"Somebody else moved it to {found}.")
        case apply.Refused() | apply.Skipped():
            return Cancelled(name=outcome.kind.capitalize(), message=outcome.sentence)
        case apply.Failed():
            return Failed(message=outcome.sentence)
        case _:
            assert_never(outcome)
