"""Cost: how many requests a plan takes, and how long it is until everything is out. Pure.

An estimate, for people and for the question whether GitHub's hourly budget lasts to the end of a wave. What cannot
be foreseen is not in it: repeated reads, reading what was approved, the first commit of a ledger.
"""

from collections import Counter
from datetime import datetime, timedelta
from math import ceil

from reconcile.planned import Action, Item, NoOp, Plan, Wait
from reconcile.waves import predecessors
from state.ids import Frozen, RepositoryName
from state.policy import Policy, RepositoryPolicy

BATCH_SIZE = 10
"""Updates in one request: few enough for GitHub's ten seconds, and halved when they were too many."""
_OBSERVED_AT_ONCE = 50
_REPORT = 2
"""The comment on the pull request and the status on the commit: each is looked up, and written."""
_DEPLOYMENT = 2
"""The deployment, and its status."""
_SECONDS_BETWEEN_WRITES = 1.0
_SECONDS_AN_ANSWER = 0.4
"""A rule of thumb; not measured on GitHub itself."""


class Cost(Frozen):
    """What it takes to carry out a plan, once it has been made."""

    reads: int
    writes: int
    seconds: int

    @property
    def requests(self) -> int:
        return self.reads + self.writes


def estimate(plan: Plan, *, shows_moves: bool = False) -> Cost:
    """Estimate what is still to be sent when the plan has been made: moves, proof, rebuilds, ledger and report.

    Nothing where nothing is to be done: what is held or waits costs nothing more than the plan itself.

    Args:
        plan: What is to be carried out.
        shows_moves: Whether the policy asks for deployments, which then are most of what is written.
    """
    shown = len(plan.actions) if shows_moves else 0
    if not plan.actions and not plan.rebuilds:
        return Cost(reads=0, writes=0, seconds=0)
    batches = sum(_batches(moves) for moves in Counter(action.wave for action in plan.actions).values())
    proof = 1 + ceil(len(plan.items) / _OBSERVED_AT_ONCE) if plan.actions else 0
    intents = 1 if plan.actions else 0
    reads = batches + proof + len(plan.rebuilds) + ceil(shown / _OBSERVED_AT_ONCE) + _REPORT
    writes = intents + batches + len(plan.rebuilds) + _DEPLOYMENT * shown + _REPORT + 1
    seconds = (reads + writes) * _SECONDS_AN_ANSWER + (writes - 1) * _SECONDS_BETWEEN_WRITES
    return Cost(reads=reads, writes=writes, seconds=ceil(seconds))


def foresee_starts(plan: Plan, policy: Policy, *, now: datetime) -> dict[RepositoryName, timedelta]:
    """Estimate how long after the merge each repository moves, or what is built from others is built again.

    A build that something waits for takes as long as the policy gives it (``ready.within``). What a person or a
    closed gate holds up is left out, and so is what comes after that.
    """
    unfinished = {item.repository for item in plan.items if not isinstance(item, NoOp)}
    built_after: dict[RepositoryName, timedelta] = {}
    starts: dict[RepositoryName, timedelta] = {}
    for item in plan.items:
        name, rules = item.repository, policy.repositories.get(item.repository, RepositoryPolicy())
        before = predecessors(policy, name) & unfinished
        start = max((built_after[each] for each in before & built_after.keys()), default=timedelta(0))
        if _goes_on(item) and before <= built_after.keys():
            if isinstance(item, Wait) and item.until:
                start = max(start, item.until - now)
            built_after[name] = start + (rules.ready.within if rules.ready else timedelta(0))
            starts[name] = start
        elif isinstance(item, NoOp) and rules.rebuild and before & built_after.keys():
            starts[name] = start
    return starts


def estimate_duration(plan: Plan, policy: Policy, *, now: datetime) -> timedelta:
    """Estimate how long after the merge everything is out that nobody holds up."""
    last = max(foresee_starts(plan, policy, now=now).values(), default=timedelta(0))
    return last + timedelta(seconds=estimate(plan).seconds)


def _goes_on(item: Item) -> bool:
    """Say whether something moves now, or as soon as what comes first is ready."""
    return isinstance(item, Action) or (isinstance(item, Wait) and item.code == "after")


def wave_points(moves: int, *, fleet: int) -> int:
    """Say how many points must be left for a wave to be moved, proved, reported and recorded.

    None of these requests asks for so much that GitHub counts it as more than one point. Deployments are not among
    them: what cannot be shown now is shown by a later run.
    """
    return 2 * _batches(moves) + 1 + ceil(fleet / _OBSERVED_AT_ONCE) + 2 * _REPORT + 1


def _batches(moves: int) -> int:
    """Count the updates of a wave; the documents are looked at again before each."""
    return ceil(moves / BATCH_SIZE)
