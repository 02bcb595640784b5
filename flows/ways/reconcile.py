"""Reconcile: load → observe → plan → apply in waves → observe and plan again as proof → report → record.

Level-triggered: it looks at what is, whatever woke it. Running it twice is the same as once; killed at any instant,
the next run finishes the work.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal, Protocol

from flows.ways.deployed import Shown, show_deployments
from reconcile.accept import load_accepted
from reconcile.apply import Clock, Failed, Moved, Outcome, Refused, Skipped, Tools, apply_actions, split_wave
from reconcile.errors import ReconcileError, StaleHeadError
from reconcile.observe import observe
from reconcile.observed import Accepted, Observed
from reconcile.plan import plan
from reconcile.planned import Action, Plan, Rebuild
from reconcile.ports import (
    BudgetReader,
    DeploymentReader,
    DeploymentWriter,
    FleetReader,
    LedgerWriter,
    RefWriter,
    ReleaseStateReader,
    ReportWriter,
    WorkflowDispatcher,
)
from reconcile.record import record_ledger
from reconcile.render.ledger import describe_intents, describe_outcome
from reconcile.render.report import MARKER, render_report, status_description
from reconcile.report import News, Result, RunReport, news_since
from state.document import DesiredState
from state.ids import BranchName, RepositoryName, Sha
from state.ledger import (
    AcceptedCommit,
    Intent,
    Ledger,
    SpentPermit,
    forget_withdrawn,
    record_confirmed,
    record_intents,
    record_observation,
    record_rebuilt,
    record_undone,
)

_log = logging.getLogger(__name__)

CONTEXT = "stablehand/reconcile"
"""The commit status that says what became of a decision."""
_STATUS: Mapping[Result, Literal["success", "failure", "pending"]] = {
    Result.CONVERGED: "success",
    Result.WAITING: "pending",
    Result.HELD: "failure",
    Result.FAILED: "failure",
}
_ROUNDS = 3
"""How often a run plans again because the world moved, before it leaves the rest to the next run."""
_GIVE_WAY_SECONDS = (2.0, 5.0, 10.0)
"""Pauses after another run has recorded first; then this one leaves the rest to it."""
_OUTRUN = (
    "Another run is at work on this fleet and recorded first each time, so this one left the rest to it. "
    "What has moved stands; run again when the other has ended."
)
_STALE_READ_SECONDS = (1.0, 3.0, 8.0)
"""Pauses before observing again what was moved and does not show it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSteps:
    """What reconcile does to the world, by name. Every step may be repeated."""

    load: Callable[[], Awaitable[Accepted]]
    observe: Callable[[Accepted], Awaitable[Observed]]
    apply_wave: Callable[[Plan, tuple[Action, ...]], Awaitable[tuple[Outcome, ...]]]
    rebuild: Callable[[BranchName, Rebuild], Awaitable[None]]
    """See to it that a workflow runs which was not dispatched since the move that asks for it."""
    record: Callable[[Accepted, Ledger, str], Awaitable[None]]
    """Store the ledger, with a commit message, on top of the one that was loaded."""
    show_deployments: Callable[[Accepted], Awaitable[Shown]]
    """Show what has moved as deployments; only asked where the policy wants it. It raises nothing of ours."""
    report: Callable[[Accepted, RunReport], Awaitable[bool]]
    """Write the outcome where people look, and say whether it is there. It raises nothing of ours: what cannot be
    written never fails a move."""
    notify: Callable[[Accepted, News], Awaitable[bool]]
    """Tell people what they do not know yet, and say whether it reached anybody: what did not, the next run tells
    again. Raises nothing of ours either."""


class GitHubPorts(
    BudgetReader,
    DeploymentReader,
    DeploymentWriter,
    FleetReader,
    LedgerWriter,
    RefWriter,
    ReleaseStateReader,
    ReportWriter,
    WorkflowDispatcher,
    Protocol,
):
    """All that the plain steps need of GitHub."""


class Readers(FleetReader, ReleaseStateReader, Protocol):
    """All that planning needs of GitHub."""


async def survey(github: Readers, *, clock: Clock) -> tuple[Accepted, Plan]:
    """Say what `reconcile` would do now. A dry run is not applying, so there is nothing to switch off here.

    Raises:
        DocumentError: A document is wrong.
        ReconcileError: GitHub could not be read.
    """
    accepted = await load_accepted(github)
    observed = await observe(github, accepted)
    return accepted, plan(accepted, observed, now=clock.now())


async def reconcile(steps: ReconcileSteps, *, clock: Clock, run: str) -> RunReport:
    """Make every governed ref what the newest accepted document says, as far as rules, gates and rights allow.

    Args:
        steps: What it does to the world.
        clock: Time.
        run: What the ledger shall call this run, for people who look for it.

    Raises:
        DocumentError: A document is wrong; nothing was moved under it.
        ReconcileError: GitHub could not be read or the ledger not be written.
    """
    outcomes: dict[RepositoryName, Outcome] = {}
    rounds, pauses = 1, iter(_GIVE_WAY_SECONDS)
    while True:
        loaded = await steps.load()
        observed = await _observe(steps, loaded, outcomes, clock)
        ledger = _settled(loaded, observed, outcomes, clock.now())
        accepted = loaded.model_copy(update={"ledger": ledger}) if loaded.ledger else loaded
        current = plan(accepted, observed, now=clock.now())
        report = RunReport(plan=current, outcomes=tuple(outcomes.values()), rounds=rounds)
        todo = _untried(current, outcomes) if rounds < _ROUNDS else ()
        begins = loaded.ledger is None and not current.is_converged
        try:
            if not todo and not begins:
                report = await _rebuild(steps, report)
                await _finish(steps, loaded, record_rebuilt(ledger, report.rebuilt, clock.now()), report)
                return report
            intending = record_intents(ledger, _intents(todo, run, clock.now()))
            await _record(steps, loaded, intending, describe_intents(todo, loaded.version.commit))
        except StaleHeadError as error:  # what another run did has to be seen before anything moves
            if (pause := next(pauses, None)) is None:
                raise StaleHeadError(_OUTRUN) from error
            await clock.sleep(pause)
            continue
        rounds += 1
        named = {action.repository for action in todo}
        for wave in sorted({action.wave for action in todo}):
            ready, skipped = split_wave(current, wave, outcomes)
            if actions := tuple(action for action in ready if action.repository in named):
                outcomes |= {each.repository: each for each in await steps.apply_wave(current, actions)}
            outcomes |= {each.repository: each for each in skipped}


def _untried(current: Plan, outcomes: Mapping[RepositoryName, Outcome]) -> tuple[Action, ...]:
    """Leave out what this run has tried in vain, and what comes after that: it is the next run's, or a person's."""
    in_vain = {
        outcome.repository
        for outcome in outcomes.values()
        if isinstance(outcome, Failed | Refused)
        or (isinstance(outcome, Skipped) and outcome.code == "rate-limit")
    }
    untried = []
    for action in current.actions:  # in the order in which they may move
        if action.repository in in_vain or in_vain.intersection(action.after):
            in_vain.add(action.repository)
        else:
            untried.append(action)
    return tuple(untried)


async def _observe(
    steps: ReconcileSteps, accepted: Accepted, outcomes: Mapping[RepositoryName, Outcome], clock: Clock
) -> Observed:
    """Observe the fleet, and again after a pause while a read still shows a moved ref where it was."""
    observed = await steps.observe(accepted)
    for pause in _STALE_READ_SECONDS:
        if not any(
            isinstance(outcome, Moved)
            and name in observed.repositories
            and observed.repositories[name].live == outcome.before
            for name, outcome in outcomes.items()
        ):
            break
        await clock.sleep(pause)
        observed = await steps.observe(accepted)
    return observed


def _settled(
    loaded: Accepted, observed: Observed, outcomes: Mapping[RepositoryName, Outcome], now: datetime
) -> Ledger:
    """Bring the ledger up to what was observed, and to what GitHub has confirmed in this run."""
    confirmed = {name: each.after for name, each in outcomes.items() if isinstance(each, Moved)}
    live = {name: repository.live for name, repository in observed.repositories.items()}
    carried = _carried_permits(loaded.desired)
    # Without memory, whether a permit was used cannot be known; to write it again takes a review again.
    ledger = loaded.ledger or Ledger(
        spent=tuple(SpentPermit(repository=name, from_=from_, to=to) for name, from_, to in sorted(carried))
    )
    accepted = _accepted(ledger, loaded, now)
    is_new = accepted != ledger.accepted
    if is_new:  # before anything is noted: what this run moved under the last decision is in no record yet
        ledger = ledger.model_copy(update={"accepted": accepted, "moves": ()})
    ledger = record_confirmed(ledger, confirmed, now)
    if is_new:
        ledger = forget_withdrawn(ledger, carried)
    ledger = record_observation(ledger, accepted, live, loaded.desired.targets, now)
    # A move that the observation is too old to show has not been undone: another run is just making it.
    undone = {
        name: each.at for name, each in observed.activity.items() if each.after in {None, live.get(name)}
    }
    return record_undone(ledger, undone)


def _carried_permits(desired: DesiredState) -> frozenset[tuple[RepositoryName, Sha, Sha]]:
    return frozenset(
        (name, permit.from_, permit.to)
        for name, permits in desired.permits.items()
        for _, permit in permits.named()
    )


def _accepted(ledger: Ledger, loaded: Accepted, now: datetime) -> AcceptedCommit | None:
    """Advance to the newest commit only when all of it is decided, so that nothing is laundered by time."""
    version, last = loaded.version, ledger.accepted
    if not loaded.is_decided or (last and (last.desired_blob, last.policy_blob) == version.blobs):
        return last
    return AcceptedCommit(
        commit=version.commit,
        desired_blob=version.desired_blob,
        policy_blob=version.policy_blob,
        at=now,
        pull_request=loaded.pull_request,
        approvers=loaded.approvers,
    )


def _intents(actions: tuple[Action, ...], run: str, now: datetime) -> tuple[Intent, ...]:
    return tuple(
        Intent(
            repository=action.repository,
            before=action.live,
            after=action.target,
            is_permitted=action.is_permitted,
            run=run,
            at=now,
        )
        for action in actions
    )


async def _rebuild(steps: ReconcileSteps, report: RunReport) -> RunReport:
    """Have built what must be built again; whatever fails is left to the next run, which looks first."""
    done, failed = [], {}
    for rebuild in report.plan.rebuilds:
        try:
            await steps.rebuild(report.plan.ref, rebuild)
            done.append(rebuild.repository)
        except ReconcileError as error:
            failed[rebuild.repository] = str(error)
    return report.model_copy(update={"rebuilt": tuple(done), "not_rebuilt": failed})


async def ensure_rebuilt(github: WorkflowDispatcher, ref: BranchName, rebuild: Rebuild) -> None:
    """Dispatch a workflow, unless it was dispatched since the move that asks for it: by a run that was killed, say.

    Raises:
        ReconcileError: GitHub could not be asked, or refused.
    """
    since = rebuild.since
    if not await github.find_dispatch(rebuild.repository, rebuild.workflow, ref=ref, since=since):
        await github.dispatch(rebuild.repository, rebuild.workflow, ref=ref)


async def _finish(steps: ReconcileSteps, loaded: Accepted, ledger: Ledger, report: RunReport) -> None:
    """Tell people what is new, once, and record; silent and without a request when nothing is new."""
    causes = report.causes
    news = news_since(ledger.notified, causes)
    if news.is_news and await steps.notify(loaded, news):
        ledger = ledger.model_copy(update={"notified": tuple(causes)})
    if report.outcomes or news.is_news or ledger != loaded.ledger or not ledger.is_reported:
        accepted = loaded.model_copy(update={"ledger": ledger})
        shown = Shown()
        if accepted.policy.deployments and ledger.moves:
            shown = await steps.show_deployments(accepted)
            report = report.model_copy(update={"not_deployed": shown.refused})
        is_reported = await steps.report(accepted, report) and shown.is_complete
        ledger = ledger.model_copy(update={"is_reported": is_reported})
    await _record(steps, loaded, ledger, describe_outcome(report))


async def _record(steps: ReconcileSteps, loaded: Accepted, ledger: Ledger, message: str) -> None:
    if ledger != loaded.ledger:
        await steps.record(loaded, ledger, message)


async def write_report(github: ReportWriter, accepted: Accepted, report: RunReport) -> bool:
    """Put the outcome on the accepted commit as a status, and on its pull request as the one comment.

    Both are written only where they differ. A report that cannot be written is logged, and fails nothing.

    Returns:
        Whether there is nothing left to write.
    """
    ledger = accepted.ledger
    if ledger is None or (last := ledger.accepted) is None:
        return True
    state = _STATUS[report.result]
    try:
        url = None
        if last.pull_request:
            url = await github.ensure_comment(
                last.pull_request, marker=MARKER, body=render_report(report, ledger.moves)
            )
        await github.ensure_status(
            last.commit, context=CONTEXT, state=state, description=status_description(report), url=url
        )
    except ReconcileError as error:
        _log.warning("The report could not be written: %s", error)
        return False
    return True


def plain_steps(
    github: GitHubPorts, clock: Clock, notify: Callable[[Accepted, News], Awaitable[bool]]
) -> ReconcileSteps:
    """Wire the steps to GitHub, to be run in this process."""
    tools = Tools(state=github, fleet=github, writer=github, budget=github, clock=clock)

    async def apply_wave(plan: Plan, actions: tuple[Action, ...]) -> tuple[Outcome, ...]:
        return await apply_actions(plan, actions, tools)

    async def record(loaded: Accepted, ledger: Ledger, message: str) -> None:
        await record_ledger(github, ledger, expected_head=loaded.ledger_head, message=message, clock=clock)

    return ReconcileSteps(
        load=partial(load_accepted, github),
        observe=partial(observe, github),
        apply_wave=apply_wave,
        rebuild=partial(ensure_rebuilt, github),
        record=record,
        show_deployments=partial(show_deployments, github),
        report=partial(write_report, github),
        notify=notify,
    )


def system_clock() -> Clock:
    """Return the machine's own time."""
    return Clock(now=lambda: datetime.now(UTC), sleep=asyncio.sleep)
