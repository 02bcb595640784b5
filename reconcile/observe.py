"""Observe: one snapshot of all that the plan asks about. Reads only.

The fleet in batches first; then, of few repositories, what only they are asked: whether a moved one has become
ready for those that wait for it, and who moved a ref by hand.
"""

import asyncio
from collections.abc import Mapping

from reconcile.observed import Accepted, Observed, Wanted
from reconcile.ports import FleetReader
from reconcile.waves import predecessors
from state.document import DesiredState
from state.ids import RepositoryName, Sha


async def observe(reader: FleetReader, accepted: Accepted) -> Observed:
    """Observe the fleet as its accepted document asks.

    Raises:
        ReconcileError: GitHub could not be read.
    """
    observed = await reader.observe_fleet(
        wanted_of(accepted.desired),
        ref=accepted.desired.ref,
        branches=accepted.policy.moves.allowed_branches,
    )
    awaited = awaited_commits(accepted, observed)
    moved = moved_by_hand(accepted, observed) | in_doubt(accepted, observed)
    signals, activity = await asyncio.gather(
        _nothing() if not awaited else reader.observe_signals(awaited),
        _nothing() if not moved else reader.observe_activity(moved, ref=accepted.desired.ref),
    )
    return observed.model_copy(update={"signals": dict(signals), "activity": dict(activity)})


async def _nothing() -> Mapping[RepositoryName, object]:
    return {}


def wanted_of(desired: DesiredState) -> dict[RepositoryName, Wanted]:
    """Say what must be observed of every repository to plan a document."""
    wanted = {}
    for name, target in desired.targets.items():
        blocks = desired.blocks.get(name, {})
        fixes = (block.fixed_by for block in blocks.values() if block.fixed_by)
        wanted[name] = Wanted(target=target, ancestors=tuple(dict.fromkeys((*blocks, *fixes))))
    return wanted


def awaited_commits(accepted: Accepted, observed: Observed) -> dict[RepositoryName, Sha]:
    """Find the moved commits that others wait for: those of repositories that something unfinished comes after.

    A repository that is to be rebuilt waits as well, though its own ref is where it should be.
    """
    policy, proved = accepted.policy, accepted.ledger.proved if accepted.ledger else {}
    waiting = {
        name
        for name, target in accepted.desired.targets.items()
        if name not in observed.repositories
        or observed.repositories[name].live != target
        or (name in policy.repositories and policy.repositories[name].rebuild)
    }
    first = {before for name in waiting for before in predecessors(policy, name)}
    return {
        name: target
        for name, target in accepted.desired.targets.items()
        if name in first
        and name in policy.repositories
        and policy.repositories[name].ready
        and name in proved
        and proved[name].moved_at
        and proved[name].sha == target
        and name in observed.repositories
        and observed.repositories[name].live == target
    }


def moved_by_hand(accepted: Accepted, observed: Observed) -> frozenset[RepositoryName]:
    """Find the refs that were proved at the very target that the file still has, and are elsewhere now."""
    proved = accepted.ledger.proved if accepted.ledger else {}
    return frozenset(
        name
        for name, target in accepted.desired.targets.items()
        if name in proved
        and proved[name].sha == target
        and name in observed.repositories
        and observed.repositories[name].live != target
    )


def in_doubt(accepted: Accepted, observed: Observed) -> frozenset[RepositoryName]:
    """Find the refs that stand where an open intent found them, where it matters whether it was carried out and undone.

    That is so under a permit alone, which is good for one move.
    """
    return frozenset(
        each.repository
        for each in (accepted.ledger.intents if accepted.ledger else ())
        if each.is_permitted
        and each.repository in observed.repositories
        and observed.repositories[each.repository].live == each.before
    )
