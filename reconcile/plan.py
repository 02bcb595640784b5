"""The plan: what to do about every repository, and why. A pure value, made by a pure function.

Rules, per repository; the first that applies decides:

1. the ref is at its target, by a line that counts → `NoOp`; a `Rebuild` beside it, where what it is built from has
   moved
2. a person is needed → `Hold` (`_hold_reasons` and `_late_reasons`, in order)
3. time or order → `Wait` (`_wait_reasons`, in order)
4. otherwise → `Create`, `FastForward`, or under a permit `Rewind` or `Force`

Last, the whole plan: more repositories at once than the policy allows are held. What a relation needs is asked
under 2, before the gates, so that a review on a Friday sees the missing permit and not only that it is Friday.

A branch rule is known only once it has refused, and what GitHub still grants only when it comes to moving:
`protected`, `workflows-permission` and `rate-limit` are found by `reconcile.apply`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple, Self, assert_never

from reconcile.gates import closed_gates
from reconcile.observed import Accepted, Activity, Observed, ObservedRepository, ObservedTarget, Relation
from reconcile.planned import (
    Action,
    Create,
    FastForward,
    Force,
    GovernedRef,
    Hold,
    HoldCode,
    Item,
    NoOp,
    Plan,
    Rebuild,
    Rewind,
    Wait,
    WaitCode,
)
from reconcile.readiness import NotReady, judge_readiness
from reconcile.waves import order, predecessors
from state.document import Overridable, Permit, Permits
from state.ids import ZERO_SHA, RepositoryName, abbreviate
from state.ledger import Ledger
from state.policy import Policy


def plan(accepted: Accepted, observed: Observed, *, now: datetime) -> Plan:
    """Decide about every repository of the document.

    Deterministic, and blind to the order of its inputs. Plans nothing for refs that the document does not name.

    Raises:
        OrderCycleError: The policy's ``after`` runs in a circle.
    """
    desired, policy = accepted.desired, accepted.policy
    decided = _decide_all(accepted, observed, now)
    rebuilds = tuple(_rebuilds(accepted, observed, decided, now))
    obstructed = {each.repository: each for each in rebuilds if not isinstance(each, Rebuild)}
    return Plan(
        version=accepted.version,
        ref=desired.ref,
        observed_at=observed.at,
        items=_limited(tuple((decided | obstructed).values()), policy.limits.repositories),
        rebuilds=tuple(each for each in rebuilds if isinstance(each, Rebuild)),
        unnamed=tuple(sorted(policy.repositories.keys() - desired.targets.keys())),
    )


def _decide_all(accepted: Accepted, observed: Observed, now: datetime) -> dict[RepositoryName, Item]:
    decided: dict[RepositoryName, Item] = {}
    for group in order(accepted.policy, accepted.desired.targets.keys()):
        for name in group:
            decided[name] = _decide(_Case(name, accepted, observed), decided, now)
    return decided


_MOVES: Mapping[Relation, type[Create | FastForward | Rewind | Force]] = {
    Relation.CREATE: Create,
    Relation.FAST_FORWARD: FastForward,
    Relation.REWIND: Rewind,
    Relation.DIVERGED: Force,
}


class _Case(NamedTuple):
    """One repository, with all that the rules ask about it."""

    name: RepositoryName
    accepted: Accepted
    observed_fleet: Observed

    @property
    def observed(self) -> ObservedRepository | None:
        return self.observed_fleet.repositories.get(self.name)

    @property
    def activity(self) -> Activity | None:
        return self.observed_fleet.activity.get(self.name)

    @property
    def is_in_place(self) -> bool:
        if self.observed is None:
            return False
        # The ref may come to its target between the reading of the one and of the other.
        target = self.observed.target
        return self.observed.live == self.accepted.desired.targets[self.name] or (
            target is not None and target.relation is Relation.IDENTICAL
        )

    @property
    def governed(self) -> GovernedRef:
        known = self.observed
        return GovernedRef(
            repository=self.name,
            name=known.name if known else self.name,
            url=known.url if known else None,
            live=known.live if known else None,
            target=self.accepted.desired.targets[self.name],
        )


def explain(
    accepted: Accepted, observed: Observed, repository: RepositoryName, *, now: datetime
) -> tuple[Hold | Wait, ...]:
    """Give everything that stands in a repository's way, in the order of the rules; `plan` shows the first alone.

    What a later rule rests on is not asked: of a commit that does not exist nothing more is said. In the way of a ref
    that is at its target stands at most what its rebuild waits for.

    Raises:
        KeyError: The document does not name the repository.
    """
    decided = _decide_all(accepted, observed, now)
    case, item = _Case(repository, accepted, observed), decided[repository]
    if case.is_in_place:
        if isinstance(item, Hold):
            return (item,)
        rebuilds = _rebuilds(accepted, observed, decided, now)
        return tuple(
            each for each in rebuilds if each.repository == repository and not isinstance(each, Rebuild)
        )
    if not isinstance(item, Action):
        return tuple(
            _obstruct(case, reason) for reason in _reasons(case, _Before.of(case, decided, now), now)
        )
    limited = _limited(tuple(decided.values()), accepted.policy.limits.repositories)
    return tuple(each for each in limited if each.repository == repository and isinstance(each, Hold | Wait))


def _decide(case: _Case, decided: Mapping[RepositoryName, Item], now: datetime) -> Item:
    governed, observed = case.governed, case.observed
    if case.is_in_place:
        # To take a target back to where the ref stands is a decision too: what comes after it must not pass it by.
        why = case.accepted.unapproved.get(case.name)
        return governed.hold("not-approved", why) if why else NoOp(**dict(governed))
    before = _Before.of(case, decided, now)
    if reason := next(_reasons(case, before, now), None):
        return _obstruct(case, reason)
    assert observed, "a missing repository is held"
    assert observed.target, "a missing commit is held"
    target, permit = observed.target, _permit(case, observed.target, now)
    moving = [each for each in before.items if isinstance(each, Action)]
    return _MOVES[target.relation](
        **dict(governed),
        repository_id=observed.id,
        commits=target.behind if target.relation is Relation.REWIND else target.ahead,
        wave=1 + max((each.wave for each in moving), default=0),
        is_permitted=permit is not None,
        despite=permit.despite if permit else (),
        after=tuple(each.repository for each in moving),
    )


def _obstruct(case: _Case, reason: "_HoldReason | _WaitReason") -> Hold | Wait:
    governed = case.governed
    return governed.hold(*reason) if isinstance(reason, _HoldReason) else governed.wait(*reason)


class _Before(NamedTuple):
    """What comes first, as it was decided, and what of it has moved but is not ready."""

    items: tuple[Item, ...]
    unready: tuple["_Unready", ...]

    @classmethod
    def of(cls, case: _Case, decided: Mapping[RepositoryName, Item], now: datetime) -> Self:
        names = sorted(predecessors(case.accepted.policy, case.name) & decided.keys())
        items = tuple(decided[name] for name in names)
        return cls(items, tuple(each for item in items if (each := _unready(case, item, now))))


def _reasons(case: _Case, before: _Before, now: datetime) -> "Iterator[_HoldReason | _WaitReason]":
    """Yield whatever stands in the way, in the order of the rules."""
    yield from _hold_reasons(case, now)
    if case.observed is None or (target := case.observed.target) is None:
        return
    permit = _permit(case, target, now)
    yield from _late_reasons(before.unready, permit)
    yield from _wait_reasons(case.accepted.policy, target, permit, before, now)


class _HoldReason(NamedTuple):
    code: HoldCode
    sentence: str


def _hold_reasons(case: _Case, now: datetime) -> Iterator[_HoldReason]:
    """Yield what a person must look at, most fundamental first; a later reason may rest on an earlier one."""
    name, (desired, policy) = case.name, (case.accepted.desired, case.accepted.policy)
    yield from _decision_reasons(case)
    if held := desired.holds.get(name):
        yield _HoldReason("held", f"Held in the document: {held.reason}. Remove the hold to let it move.")
    if name not in policy.repositories:
        yield _HoldReason(
            "not-in-policy", f"The policy does not list {name}. Add it there, or remove the target."
        )
    observed, sha = case.observed, desired.targets[name]
    if observed is None:
        yield _HoldReason(
            "repository-missing",
            f"{name} does not exist, or the account may not see it. Correct the name, or grant access.",
        )
        return
    if observed.name.lower() != name:
        yield _HoldReason("renamed", f"{name} is now {observed.name}. Write the new name in both documents.")
    if observed.is_archived:
        yield _HoldReason(
            "archived", f"{name} is archived and takes no pushes. Unarchive it, or remove the target."
        )
    if observed.permission in {"READ", "TRIAGE"}:
        yield _HoldReason(
            "no-permission",
            f"The account may only {observed.permission.lower()} {name}. Grant it write access to contents.",
        )
    if observed.target is None:
        yield _HoldReason(
            "unknown-commit",
            f"{name} has no commit {sha}. Write the sha of a commit that was pushed there.",
        )
        return
    yield from _commit_hold_reasons(case, observed.target)
    yield from _relation_hold_reasons(case, observed, observed.target, now)


def _decision_reasons(case: _Case) -> Iterator[_HoldReason]:
    """Yield why what the documents say does not count as decided."""
    if case.accepted.stale:
        yield _HoldReason("stale-document", case.accepted.stale)
    if why := case.accepted.objection or case.accepted.unapproved.get(case.name):
        yield _HoldReason("not-approved", why)


def _commit_hold_reasons(case: _Case, target: ObservedTarget) -> Iterator[_HoldReason]:
    policy, sha = case.accepted.policy, abbreviate(target.sha)
    if target.on_branch is None:
        branches = " or ".join(policy.moves.allowed_branches)
        yield _HoldReason(
            "not-on-source",
            f"{sha} is not on {branches} of {case.name} (a fork's commit, or a deleted branch's). Merge it first.",
        )
    for blocked, block in sorted(case.accepted.desired.blocks.get(case.name, {}).items()):
        is_fixed = block.fixed_by is not None and block.fixed_by in (*target.contains, target.sha)
        if blocked in (*target.contains, target.sha) and not is_fixed:
            remedy = "Choose a commit with the fix, or name the fix under fixed_by, or remove the block."
            what = sha if blocked == target.sha else f"{sha} contains {abbreviate(blocked)}, which"
            yield _HoldReason("blocked", f"{what} is blocked: {block.reason}. {remedy}")


def _relation_hold_reasons(
    case: _Case, observed: ObservedRepository, target: ObservedTarget, now: datetime
) -> Iterator[_HoldReason]:
    """Yield what the way from the live ref to the target needs and lacks. Only a fast-forward needs nothing."""
    ledger, policy = case.accepted.ledger, case.accepted.policy
    live = abbreviate(observed.live) if observed.live else "nothing"
    way = f"from {live} to {abbreviate(target.sha)}"
    if permit := _permit(case, target, now):
        if ledger and ledger.has_spent(case.name, permit.from_, permit.to):
            yield _HoldReason(
                "permit-spent",
                f"The permit {way} has been used, and is good for one move. Remove it; a new move needs another.",
            )
    elif ledger and (proof := ledger.proved.get(case.name)) and proof.sha == target.sha:
        yield _HoldReason(
            "moved-by-hand",
            f"The ref was at its target on {proof.at:%Y-%m-%d %H:%M} UTC and has been "
            f"{f'moved to {live}' if observed.live else 'deleted'} since{_by_whom(case.activity)}. Take that into the "
            "file (stablehand adopt), or put it back with a permit (stablehand restore); nothing is moved back by "
            "itself.",
        )
    elif target.relation is Relation.REWIND:
        yield _HoldReason(
            "rewind-needs-permit",
            f"Going back {way} takes back {_commits(target.behind)}. Add a rewind permit that names both shas.",
        )
    elif target.relation is Relation.DIVERGED:
        yield _HoldReason(
            "diverged",
            f"The ref has {_commits(target.behind)} that {abbreviate(target.sha)} lacks. Add a force permit that names "
            "both shas, or merge them first.",
        )
    elif target.relation is Relation.CREATE and policy.moves.create == "refuse":
        yield _HoldReason("create-refused", "The ref does not exist, and the policy refuses to create it.")
    if ledger is None and target.relation is not Relation.FAST_FORWARD:
        yield _HoldReason(
            "ledger-missing",
            "There is no ledger yet, and without it only fast-forwards are safe. "
            "The first run writes it, and the next one goes on.",
        )
    limit = policy.limits.commits_per_repository
    if (
        limit is not None
        and max(target.ahead, target.behind) > limit
        and not _overrides(permit, "limit-exceeded")
    ):
        yield _HoldReason(
            "limit-exceeded",
            f"The move {way} has {max(target.ahead, target.behind)} commits, and the policy allows {limit} at once. "
            "Choose a commit in between, or add a permit despite: limit-exceeded.",
        )


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"


def _by_whom(activity: Activity | None) -> str:
    if activity is None:
        return ""
    return f" by {activity.actor or 'somebody'} on {activity.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _permit(case: _Case, target: ObservedTarget, now: datetime) -> Permit | None:
    """Find the permit that allows exactly this way from the live ref to the target, and has not expired."""
    permits = case.accepted.desired.permits.get(case.name, Permits.model_construct())
    match target.relation:
        case Relation.REWIND:
            permit = permits.rewind
        case Relation.DIVERGED:
            permit = permits.force
        case Relation.CREATE | Relation.FAST_FORWARD:
            permit = permits.move
        case Relation.IDENTICAL:
            permit = None
        case _:
            assert_never(target.relation)
    live = case.observed.live if case.observed else None
    if permit is None or (permit.from_, permit.to) != (live or ZERO_SHA, target.sha):
        return None
    return permit if permit.until is None or now < permit.until else None


def _overrides(permit: Permit | None, code: Overridable) -> bool:
    return permit is not None and code in permit.despite


class _WaitReason(NamedTuple):
    code: WaitCode
    sentence: str
    until: datetime | None = None


class _Unready(NamedTuple):
    """A repository that comes first and has moved, but is not yet what those after it build on."""

    name: str
    why: NotReady


def _unready(case: _Case, before: Item, now: datetime) -> _Unready | None:
    """Judge the readiness of what comes first. What this tool has not moved there counts as ready."""
    policy, ledger = case.accepted.policy.repositories.get(before.repository), case.accepted.ledger
    proof = ledger.proved.get(before.repository) if ledger else None
    if not (isinstance(before, NoOp) and policy and policy.ready and proof and proof.moved_at):
        return None
    if proof.sha != before.target:
        return None
    signals = case.observed_fleet.signals.get(before.repository, ())
    why = judge_readiness(policy.ready, signals, moved_at=proof.moved_at, now=now)
    return _Unready(before.name, why) if why else None


def _late_reasons(unready: Sequence[_Unready], permit: Permit | None) -> Iterator[_HoldReason]:
    for name, why in unready:
        if why.is_late and not _overrides(permit, "not-ready-in-time"):
            yield _HoldReason(
                "not-ready-in-time",
                f"{name} comes first and is not ready: {why.sentence}. This clears itself when it is; "
                "look at its builds, or add a permit despite: not-ready-in-time.",
            )


def _wait_reasons(
    policy: Policy, target: ObservedTarget, permit: Permit | None, before: _Before, now: datetime
) -> Iterator[_WaitReason]:
    """Yield what must pass before the move: closed gates that no permit overrides, then what comes first."""
    for gate in closed_gates(policy, landed_at=target.committed_at, now=now):
        if not _overrides(permit, gate.code):
            yield _WaitReason(gate.code, gate.sentence, gate.until)
    yield from _order_reasons(policy, before)


_NOT_MOVED = "{} comes first and has not moved ({})."


def _order_reasons(policy: Policy, before: _Before) -> Iterator[_WaitReason]:
    for item in before.items:
        if isinstance(item, Hold | Wait):
            yield _WaitReason("after", _NOT_MOVED.format(item.name, item.code))
        elif isinstance(item, Action) and policy.repositories[item.repository].ready:
            yield _WaitReason("after", f"{item.name} moves first, and must be ready before this one moves.")
    for name, why in before.unready:
        if not why.is_late:
            yield _WaitReason("after", f"{name} comes first and is not ready: {why.sentence}.", why.deadline)


def _limited(items: tuple[Item, ...], limit: int | None) -> tuple[Item, ...]:
    """Hold every move when there are more of them than the policy allows at once, but for those with an exception.

    An exception does not lift the order: what comes after a held move waits for it.
    """
    counted = {
        item.repository: item.name
        for item in items
        if isinstance(item, Action) and "limit-exceeded" not in item.despite
    }
    if limit is None or len(counted) <= limit:
        return items
    sentence = (
        f"{len(counted)} repositories would move, and the policy allows {limit} at once. "
        "Take some targets back, or add permits despite: limit-exceeded."
    )

    def limited(item: Item) -> Item:
        if item.repository in counted:
            return item.hold("limit-exceeded", sentence)
        first = [counted[name] for name in item.after if name in counted] if isinstance(item, Action) else []
        return item.wait("after", _NOT_MOVED.format(first[0], "limit-exceeded")) if first else item

    return tuple(map(limited, items))


def _rebuilds(
    accepted: Accepted, observed: Observed, decided: Mapping[RepositoryName, Item], now: datetime
) -> Iterator[Rebuild | Hold | Wait]:
    """Find what is in place and must be built again, because something that it comes after has moved.

    A rebuild that cannot be asked for yet is a hold or a wait, so that it is neither forgotten nor silent. Nothing is
    said of one before something that is just about to move: the plan after that move decides.
    """
    for name, item in decided.items():
        rules = accepted.policy.repositories.get(name)
        if (
            rules is None
            or rules.rebuild is None
            or name in accepted.desired.holds
            or not isinstance(item, NoOp)
        ):
            continue
        case = _Case(name, accepted, observed)
        before = _Before.of(case, decided, now)
        moved = _moved_since_built(accepted.ledger or Ledger(), name, before.items)
        if not moved or any(isinstance(each, Action) for each in before.items):
            continue
        obstacles = chain[_HoldReason | _WaitReason](
            _decision_reasons(case),
            _late_reasons(before.unready, None),
            _order_reasons(accepted.policy, before),
        )
        if reason := next(obstacles, None):
            yield _obstruct(
                case, reason._replace(sentence=f"{rules.rebuild} has to run again. {reason.sentence}")
            )
        else:
            yield Rebuild(
                repository=name,
                name=item.name,
                workflow=rules.rebuild,
                since=max(moved.values()),
                because=tuple(sorted(moved)),
            )


def _moved_since_built(
    ledger: Ledger, name: RepositoryName, before: Sequence[Item]
) -> Mapping[RepositoryName, datetime]:
    """Find what has moved to where it should be since a repository moved or was rebuilt, and when."""
    own = ledger.proved.get(name)
    built = [at for at in (own.moved_at if own else None, ledger.rebuilt.get(name)) if at]
    return {
        each.repository: proof.moved_at
        for each in before
        if isinstance(each, NoOp)
        if (proof := ledger.proved.get(each.repository)) and proof.moved_at
        if not built or proof.moved_at > max(built)
    }
