"""Reconcile: load → observe → plan → apply in waves → observe and plan again as proof → record → report.

Level-triggered: it looks at what is, whatever woke it. Running it twice is the same as once; killed at any instant,
the next run finishes the work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from reconcile.accept import load_accepted
from reconcile.apply import Clock, Failed, Moved, Outcome, Refused, Skipped, Tools, apply_actions, split_wave
from reconcile.errors import StaleHeadError
from reconcile.observed import Accepted, Observed, wanted_of
from reconcile.plan import Action, Plan, plan
from reconcile.ports import FleetReader, LedgerWriter, RefWriter, ReleaseStateReader
from reconcile.report import RunReport
from state.ids import RepositoryName, abbreviate
from state.ledger import (
    AcceptedCommit,
    Intent,
    Ledger,
    dump_ledger,
    record_confirmed,
    record_intents,
    record_observation,
)

_ROUNDS = 3
"""How often a run plans again because the world moved, before it leaves the rest to the next run."""
_STALE_READ_SECONDS = (1.0, 3.0, 8.0)
"""Pauses before observing again what was moved and does not show it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSteps:
    """What reconcile does to the world, by name. Every step may be repeated."""

    load: Callable[[], Awaitable[Accepted]]
    observe: Callable[[Accepted], Awaitable[Observed]]
    apply_wave: Callable[[Plan, tuple[Action, ...]], Awaitable[tuple[Outcome, ...]]]
    record: Callable[[Accepted, Ledger, str], Awaitable[None]]
    """Store the ledger, with a commit message, on top of the one that was loaded."""
    report: Callable[[Accepted, RunReport], Awaitable[None]]
    """Tell people. What it cannot tell never fails a move, so it raises nothing of ours."""


class GitHubPorts(FleetReader, LedgerWriter, RefWriter, ReleaseStateReader, Protocol):
    """All that the plain steps need of GitHub."""


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
    for count in range(1, _ROUNDS + 1):
        loaded = await steps.load()
        observed = await _observe(steps, loaded, outcomes, clock)
        ledger = _settled(loaded, observed, outcomes, clock.now())
        accepted = loaded.model_copy(update={"ledger": ledger}) if loaded.ledger else loaded
        current = plan(accepted, observed, now=clock.now())
        todo = () if count == _ROUNDS else _untried(current, outcomes)
        try:
            await _record(steps, loaded, ledger, todo, run)
        except StaleHeadError:  # another run recorded first: what it did has to be seen before anything moves
            if count == _ROUNDS:
                raise
            continue
        if not todo and not (loaded.ledger is None and current.holds):
            break
        for wave in sorted({action.wave for action in todo}):
            ready, skipped = split_wave(current, wave, outcomes)
            actions = tuple(action for action in ready if action in todo)
            outcomes |= {
                each.repository: each for each in (*await steps.apply_wave(current, actions), *skipped)
            }
    report = RunReport(plan=current, outcomes=tuple(outcomes.values()), rounds=count)
    await steps.report(accepted, report)
    return report


def _untried(current: Plan, outcomes: Mapping[RepositoryName, Outcome]) -> tuple[Action, ...]:
    """Leave out what this run has tried in vain: it is the next run's, and a person's if it stays so."""
    in_vain = {
        outcome.repository
        for outcome in outcomes.values()
        if isinstance(outcome, Failed | Refused) or (isinstance(outcome, Skipped) and outcome.code == "after")
    }
    return tuple(action for action in current.actions if action.repository not in in_vain)


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
    ledger = loaded.ledger or Ledger()
    return record_observation(
        record_confirmed(ledger, confirmed, now),
        _accepted(ledger, loaded, now),
        live,
        loaded.desired.targets,
        now,
    )


def _accepted(ledger: Ledger, loaded: Accepted, now: datetime) -> AcceptedCommit | None:
    """Advance to the newest commit only when all of it is decided, so that nothing is laundered by time."""
    version, last = loaded.version, ledger.accepted
    is_decided = not loaded.unapproved and not loaded.stale
    if not is_decided or (last and (last.desired_blob, last.policy_blob) == version.blobs):
        return last
    return AcceptedCommit(
        commit=version.commit,
        desired_blob=version.desired_blob,
        policy_blob=version.policy_blob,
        at=now,
        pull_request=loaded.pull_request,
        approvers=loaded.approvers,
    )


async def _record(
    steps: ReconcileSteps, loaded: Accepted, ledger: Ledger, todo: tuple[Action, ...], run: str
) -> None:
    """Store the ledger if it says anything new; what is about to be done is said before it is done."""
    commit = abbreviate(loaded.version.commit)
    message = f"Record what {commit} has become"
    if todo:
        ledger = record_intents(ledger, tuple(_intent(action, run) for action in todo))
        message = f"Intend {len(todo)} moves for {commit}"
    if ledger != loaded.ledger:
        await steps.record(loaded, ledger, message)


def _intent(action: Action, run: str) -> Intent:
    return Intent(
        repository=action.repository,
        before=action.live,
        after=action.target,
        is_permitted=action.is_permitted,
        run=run,
    )


def plain_steps(
    github: GitHubPorts, clock: Clock, report: Callable[[Accepted, RunReport], Awaitable[None]]
) -> ReconcileSteps:
    """Wire the steps to GitHub, to be run in this process."""
    tools = Tools(state=github, fleet=github, writer=github, clock=clock)

    async def observe(accepted: Accepted) -> Observed:
        return await github.observe_fleet(
            wanted_of(accepted.desired),
            ref=accepted.desired.ref,
            branches=accepted.policy.moves.allowed_branches,
        )

    async def record(loaded: Accepted, ledger: Ledger, message: str) -> None:
        await github.store_ledger(dump_ledger(ledger), expected_head=loaded.ledger_head, message=message)

    return ReconcileSteps(
        load=partial(load_accepted, github),
        observe=observe,
        apply_wave=partial(apply_actions, tools=tools),
        record=record,
        report=report,
    )


def system_clock() -> Clock:
    """Return the machine's own time."""
    return Clock(now=lambda: datetime.now(UTC), sleep=asyncio.sleep)
