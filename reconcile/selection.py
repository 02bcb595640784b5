"""Selection: which lines of the file a proposal changes, and why it leaves the others. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from reconcile.plan import Hold, Plan
from state.document import DesiredState
from state.ids import Frozen, RepositoryName, Sha, abbreviate
from state.proposal import Candidate, SourceHistory

_MISSING = "there is no such repository, or the account may not see it"


class Wishes(NamedTuple):
    """What a person asked for, with every name and sha resolved."""

    pins: Mapping[RepositoryName, Sha]
    hold: frozenset[RepositoryName]
    only: frozenset[RepositoryName]
    """Empty where all may change."""


class LeftOut(Frozen):
    """A repository with something new that is not proposed."""

    repository: RepositoryName
    reason: str


class Selection(NamedTuple):
    """The lines to change, and what could have been and is not."""

    targets: dict[RepositoryName, Sha]
    left_out: tuple[LeftOut, ...]


def select(
    desired: DesiredState,
    fleet: Collection[RepositoryName],
    histories: Mapping[RepositoryName, SourceHistory],
    candidates: Sequence[Candidate],
    wishes: Wishes,
) -> Selection:
    """Take every pin, and every candidate that is newer than the file and that nobody wants left alone."""
    targets = dict(wishes.pins)
    left_out = {name: _MISSING for name in sorted(fleet) if name not in histories and name not in wishes.pins}
    for candidate in candidates:
        name, current = candidate.repository, desired.targets.get(candidate.repository)
        if name in wishes.pins:
            continue
        if candidate.sha is None:
            if current is None:
                left_out[name] = f"nothing is out and nothing may go out yet: {candidate.rule}"
        elif _is_newer(candidate.sha, current, histories[name]):
            if reason := _reason_to_leave(name, desired, wishes):
                left_out[name] = reason
            else:
                targets[name] = candidate.sha
    return Selection(targets, tuple(LeftOut(repository=name, reason=why) for name, why in left_out.items()))


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
    return Selection(
        {name: sha for name, sha in selection.targets.items() if name not in held},
        (*selection.left_out, *(_leave_held(hold) for hold in held.values())),
    )


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


def _reason_to_leave(name: RepositoryName, desired: DesiredState, wishes: Wishes) -> str | None:
    if name in wishes.hold or (wishes.only and name not in wishes.only):
        return "left where the file has it, as asked for"
    hold = desired.holds.get(name)
    return f"held in the file: {hold.reason}" if hold else None


def _leave_held(hold: Hold) -> LeftOut:
    reason = f"{abbreviate(hold.target)} would be held ({hold.code}). {hold.sentence}"
    return LeftOut(repository=hold.repository, reason=reason)
