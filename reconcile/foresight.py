"""Foresight: what a document would do once it is merged. Pure."""

from collections.abc import Mapping
from typing import Any, TypeVar

from reconcile.approval import Line
from reconcile.observed import Accepted, ReleaseState
from state.diff import flatten
from state.document import DesiredState
from state.ids import RepositoryName
from state.ledger import Ledger, parse_ledger
from state.policy import Policy

_V = TypeVar("_V")


def assume_merged(
    found: ReleaseState,
    desired: DesiredState,
    policy: Policy,
    *,
    unapproved: Mapping[RepositoryName, str] | None = None,
    objection: str | None = None,
) -> Accepted:
    """Take a document as if it were merged and approved, under the policy that would judge it.

    Where there is no ledger yet, the first run after the merge begins one, and goes on with it. What came to the base
    without approval and is not set by the document stays ``unapproved``; so does everything under an ``objection``.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    return Accepted(
        version=found.version,
        desired=desired,
        policy=policy,
        ledger=Ledger() if found.ledger_text is None else parse_ledger(found.ledger_text),
        ledger_head=found.ledger_head,
        unapproved=dict(unapproved or {}),
        objection=objection,
    )


def changed_lines(before: DesiredState, after: DesiredState) -> frozenset[Line]:
    """Say which lines differ: those that a branch from one to the other decides."""
    mine, theirs = flatten(before), flatten(after)
    return frozenset(line for line in mine.keys() | theirs.keys() if mine.get(line) != theirs.get(line))


def merge_desired(fork_point: DesiredState, base: DesiredState, head: DesiredState) -> DesiredState:
    """Bring to the base what a branch has changed since it began, section by section of each repository.

    Where both sides changed one, GitHub shows a conflict and merges nothing; then the branch's is taken here, to show
    what it asks for.
    """
    sections: dict[str, Any] = {
        name: _merge(getattr(fork_point, name), getattr(base, name), getattr(head, name))
        for name in ("targets", "holds", "blocks", "permits")
    }
    ref = base.ref if head.ref == fork_point.ref else head.ref
    return base.model_copy(update={"ref": ref, **sections})


def _merge(
    fork_point: Mapping[RepositoryName, _V],
    base: Mapping[RepositoryName, _V],
    head: Mapping[RepositoryName, _V],
) -> dict[RepositoryName, _V]:
    merged = dict(base)
    for name in fork_point.keys() | head.keys():
        if head.get(name) == fork_point.get(name):
            continue
        if name in head:
            merged[name] = head[name]
        else:
            merged.pop(name, None)
    return merged
