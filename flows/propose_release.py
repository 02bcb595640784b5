"""The flow ``propose-release``: `flows.ways.propose`, its steps as tasks that a person can watch."""

from dataclasses import replace
from functools import partial
from typing import Any

from prefect import State, flow, tags
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed

from flows import artifacts, endings, runs
from flows.connect import connected
from flows.notify import FlowRun, notify_alarm
from flows.sentry import propose_monitor
from flows.settings import Settings, SettingsError, load_settings
from flows.ways import alarm
from flows.ways.propose import ProposeReport, ProposeRequest, ProposeSteps, plain_steps, propose
from flows.ways.reconcile import system_clock
from flows.ways.rolling import hands_back
from reconcile.errors import ReconcileError
from reconcile.render.plan import summarize
from state.errors import StateError
from state.ids import RepositoryName


@flow(name="propose-release", flow_run_name="propose", on_crashed=[endings.tell_of_crash])
async def propose_release(
    pins: list[str] = [],  # noqa: B006 (Prefect makes a form of it, and nothing changes it)
    hold: list[str] = [],  # noqa: B006
    only: list[str] = [],  # noqa: B006
    even_if_failing: bool = False,  # noqa: FBT001, FBT002 (a box to tick)
    label: str | None = None,
) -> State[Any]:
    """Validate stage, choose candidates, and open or refresh the pull request.

    Args:
        pins: Propose these commits, whatever the rule: packit-service=1787687aba71
        hold: Leave these repositories where the file has them: dashboard
        only: Leave all repositories but these where the file has them.
        even_if_failing: Open a draft also where validation fails, or says nothing. Its first line says so.
        label: What somebody has put on the proposal, to wake this run. Any but the policy's hand_back ends it at once.
    """
    request = ProposeRequest(
        pins=tuple(pins), hold=tuple(hold), only=tuple(only), even_if_failing=even_if_failing
    )
    try:
        settings = load_settings()
    except SettingsError as error:
        return runs.failed(error)
    return await endings.watched(settings, propose_monitor, partial(_propose, settings, request, label))


async def _propose(settings: Settings, request: ProposeRequest, label: str | None) -> State[Any]:
    log, (_, run) = get_run_logger(), runs.this()
    async with connected(settings) as github:
        clock = system_clock()
        steps = _as_tasks(plain_steps(github, clock))
        if label is not None and not hands_back(await steps.load(), label):
            await runs.rename("propose · not handed back")
            raise runs.NotAskedError(f"The label {label} asks for nothing.")
        report = await propose(steps, request, clock=clock)
        if runs.is_unattended(run):
            await _alarm(settings, github, report, FlowRun(str(run.id), runs.address(run)))
    for evidence in report.validation.evidence:
        log.info("%s: %s. %s", evidence.source, evidence.verdict, evidence.sentence)
    log.info("%s", report.sentence)
    await _publish(settings.repository, report)
    await runs.rename(f"propose · {_summary_of(report)}")
    return _end(report)


async def _alarm(settings: Settings, github: alarm.GitHubPorts, report: ProposeReport, run: FlowRun) -> None:
    """Tell people about validation. What cannot be read or recorded is logged, and fails no proposal."""
    steps = alarm.plain_steps(github, partial(notify_alarm, settings, run=run))
    try:
        await alarm.raise_alarm(_alarm_as_tasks(steps), report)
    except (ReconcileError, StateError) as error:
        get_run_logger().warning("What people know about validation: %s", error)


async def run_in_prefect(request: ProposeRequest) -> ProposeReport:
    """Propose as a flow run, and return its report.

    Raises:
        UsageError: The request names what does not exist, or contradicts itself.
        ReconcileError: GitHub could not be read or written, or the settings are wrong.
        StateError: A document is wrong.
    """
    with tags(load_settings().repository):
        state = await propose_release(
            pins=list(request.pins),
            hold=list(request.hold),
            only=list(request.only),
            even_if_failing=request.even_if_failing,
            return_state=True,
        )
    report = await runs.result_of(state)
    assert isinstance(report, ProposeReport)
    return report


async def _publish(repository: RepositoryName, report: ProposeReport) -> None:
    await artifacts.publish_evidence(repository, report.validation.evidence)
    if report.plan:
        await artifacts.publish_plan(
            repository, "proposal", report.plan, description=report.sentence, left_out=report.left_out
        )
    if report.pull_request:
        await artifacts.publish_pull_request(repository, report.pull_request)


def _summary_of(report: ProposeReport) -> str:
    action = report.action.replace("-", " ")
    if report.action == "not-proposed":
        return f"{action}, validation: {report.validation.verdict}"
    number = f"#{report.pull_request.number} " if report.pull_request else ""
    moves = f" · {summarize(report.plan.items)}" if report.pull_request and report.plan else ""
    return f"{number}{action}{moves}"


def _end(report: ProposeReport) -> State[Any]:
    end = Cancelled if report.action == "not-proposed" else Completed
    return end(name=report.action.replace("-", " ").capitalize(), message=report.sentence, data=report)


def _as_tasks(steps: ProposeSteps) -> ProposeSteps:
    return replace(
        steps,
        load=runs.reading(steps.load, "load the documents"),
        collect_evidence=runs.reading(steps.collect_evidence, "collect evidence"),
        read_histories=runs.reading(steps.read_histories, "read what waits"),
        settle=runs.reading(steps.settle, "look at the candidates' own checks"),
        find_commits=runs.reading(steps.find_commits, "find pinned commits"),
        observe=runs.reading(steps.observe, "observe"),
        look_at_branch=runs.reading(steps.look_at_branch, "look at the branch"),
        observe_ranges=runs.reading(steps.observe_ranges, "look at what the moves touch"),
        take_label=runs.writing(steps.take_label, "take the branch back"),
        store_branch=runs.writing(steps.store_branch, "commit to the branch"),
        ensure_pull_request=runs.writing(steps.ensure_pull_request, "open or refresh the pull request"),
        ensure_attention=runs.writing(steps.ensure_attention, "ask people to look at it"),
        close=runs.writing(steps.close, "close the pull request"),
    )


def _alarm_as_tasks(steps: alarm.AlarmSteps) -> alarm.AlarmSteps:
    return replace(
        steps,
        load=runs.reading(steps.load, "load what people know"),
        tell=runs.writing(steps.tell, "tell people"),
        record=runs.writing(steps.record, "record what people know"),
    )
