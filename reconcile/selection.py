"""Selection: which lines of the file a proposal changes, and why it leaves the others. Pure.

A proposal offers two more things that only a person can decide: to lift a hold whose time has passed, and, along with
something else, to drop permits that have been used.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from reconcile.planned import Hold, Item, NoOp, Plan
from state.document import DesiredState, PermitKind, Permits
from state.document import Hold as DesiredHold
from state.ids import Frozen, RepositoryName, Sha, abbreviate
from state.ledger import Ledger
from state.proposal import Candidate, SourceCommit, SourceHistory


class Wishes(NamedTuple):
    """What a person asked for, with every name and sha resolved."""

    pins: Mapping[RepositoryName, Sha]
    hold: frozenset[RepositoryName]
    only: frozenset[RepositoryName]
    """Empty where all may change."""

    @property
    def is_everything(self) -> bool:
        """Whether nobody asked for anything in particular."""
        return not (self.pins or self.hold or self.only)

    def leaves(self, name: RepositoryName) -> bool:
        return name in self.hold or bool(self.only and name not in self.only)


class LeftOut(Frozen):
    """A repository with something new that is not proposed."""

    repository: RepositoryName
    reason: str


class Selection(NamedTuple):
    """The lines to change, and what could have been and is not."""

    targets: dict[RepositoryName, Sha]
    left_out: tuple[LeftOut, ...]
    lifted: Mapping[RepositoryName, DesiredHold] = {}
    """Holds whose time has passed: merging the proposal lifts them."""


def select(
    desired: DesiredState,
    fleet: Collection[RepositoryName],
    histories: Mapping[RepositoryName, SourceHistory],
    candidates: Sequence[Candidate],
    wishes: Wishes,
    *,
    now: datetime,
) -> Selection:
    """Take every pin, and every candidate that is newer than the file and that nobody wants left alone."""
    targets = dict(wishes.pins)
    lifted = {
        name: hold
        for name, hold in sorted(desired.holds.items())
        if hold.until and hold.until <= now and name in desired.targets and not wishes.leaves(name)
    }
    left_out = {
        name: reason
        for name in sorted(fleet)
        if name not in wishes.pins and (reason := _reason_for_silence(histories.get(name)))
    }
    for candidate in candidates:
        name, current = candidate.repository, desired.targets.get(candidate.repository)
        if name in wishes.pins or name in left_out:
            continue
        if candidate.sha is None:
            if current is None:
                left_out[name] = f"nothing is out and nothing may go out yet: {candidate.rule}"
        elif _is_newer(candidate.sha, current, histories[name]):
            if reason := _reason_to_leave(name, desired, wishes, lifted):
                left_out[name] = reason
            else:
                targets[name] = candidate.sha
    return Selection(
        targets, tuple(LeftOut(repository=name, reason=why) for name, why in left_out.items()), lifted
    )


def narrow(selection: Selection, plan: Plan, wishes: Wishes) -> Selection:
    """Take out again what its own plan would hold: merging it would move nothing.

    A pin stays, so that the person who asked for it sees the hold. A plan that only has too many moves stays too: which
    of them to take back is a choice.
    """
    held = {
        hold.repository: hold
        for hold in plan.holds
        if hold.repository in selection.targets.keys() - wishes.pins and hold.code != "limit-exceeded"
    }
    return selection._replace(
        targets={name: sha for name, sha in selection.targets.items() if name not in held},
        left_out=(*selection.left_out, *(_leave_held(hold) for hold in held.values())),
    )


def amend(
    desired: DesiredState, selection: Selection, spent: Collection[tuple[RepositoryName, PermitKind]]
) -> DesiredState:
    """Make the document that a proposal asks for."""
    permits = {
        name: left
        for name, given in desired.permits.items()
        if (left := _without(given, {kind for owner, kind in spent if owner == name}))
    }
    return desired.model_copy(
        update={
            "targets": {**desired.targets, **selection.targets},
            "holds": {name: hold for name, hold in desired.holds.items() if name not in selection.lifted},
            "permits": permits,
        }
    )


def is_worth_proposing(desired: DesiredState, selection: Selection, plan: Plan) -> bool:
    """Say whether merging would change more than what is in the file for nothing: a used permit, an empty hold."""
    waiting = {item.repository for item in plan.items if not isinstance(item, NoOp)}
    return bool(selection.targets.items() - desired.targets.items()) or bool(
        selection.lifted.keys() & waiting
    )


def spent_permits(desired: DesiredState, ledger: Ledger) -> tuple[tuple[RepositoryName, PermitKind], ...]:
    """List the permits that have been used, and are good for nothing any more."""
    return tuple(
        (name, kind)
        for name, permits in sorted(desired.permits.items())
        for kind, permit in permits.named()
        if ledger.has_spent(name, permit.from_, permit.to)
    )


def going_out(history: SourceHistory | None, item: Item) -> tuple[SourceCommit, ...]:
    """List the waiting commits that a move takes out, newest first; none where its target is not among them.

    What a new ref begins with is a whole history, and no news.
    """
    if history is None or isinstance(item, NoOp) or item.live is None or history.out != item.live:
        return ()
    newer = sum(1 for _ in takewhile(lambda commit: commit.sha != item.target, history.waiting))
    return history.waiting[newer:]


def _is_newer(sha: Sha, current: Sha | None, history: SourceHistory) -> bool:
    """Say whether a candidate is newer than what the file asks for, which itself may not be out yet.

    A repository that the file does not name is to be named, even where its ref would stay.
    """
    if current is None:
        return True
    if sha in (current, history.out):
        return False
    waiting = [commit.sha for commit in history.waiting]
    return current not in waiting or waiting.index(sha) < waiting.index(current)


def _reason_for_silence(history: SourceHistory | None) -> str | None:
    """Say why nothing can be known to wait in a repository."""
    if history is None:
        return "there is no such repository, or the account may not see it"
    return None if history.head else f"it has no branch {history.source}, which proposals come from"


def _reason_to_leave(
    name: RepositoryName, desired: DesiredState, wishes: Wishes, lifted: Collection[RepositoryName]
) -> str | None:
    if wishes.leaves(name):
        return "left where the file has it, as asked for"
    hold = desired.holds.get(name)
    return f"held in the file: {hold.reason}" if hold and name not in lifted else None


def _leave_held(hold: Hold) -> LeftOut:
    reason = f"{abbreviate(hold.target)} would be held ({hold.code}). {hold.sentence}"
    return LeftOut(repository=hold.repository, reason=reason)


def _without(permits: Permits, kinds: Collection[PermitKind]) -> Permits | None:
    """Take permits away; none where nothing is left, since an empty entry is refused."""
    kept = {kind: permit for kind, permit in permits.named() if kind not in kinds}
    return Permits(**kept) if kept else None
