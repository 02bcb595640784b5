"""Risks: what a reviewer should look at twice before a move goes out. Pure.

Marks, not gates: whatever is found here stops nothing.
"""

from collections.abc import Mapping

from reconcile.observed import CommitRange, Observed, RangeTraits
from reconcile.planned import Create, Hold, Item, NoOp, Plan
from reconcile.selection import going_out
from state.ids import RepositoryName
from state.ledger import Ledger
from state.policy import ProposalPolicy
from state.proposal import SourceHistory

_MOST_AUTHORS = 10
"""Authors of one move who are asked about: each costs GitHub a walk through a history."""


def ranges_to_look_at(
    plan: Plan, histories: Mapping[RepositoryName, SourceHistory]
) -> dict[RepositoryName, CommitRange]:
    """List what goes out, with those of its authors who may be new. What is held does not go out."""
    return {
        item.repository: CommitRange(
            before=item.live, after=item.target, authors=_outsiders(histories.get(item.repository), item)
        )
        for item in plan.items
        if not isinstance(item, NoOp | Hold) and item.live
    }


def mark_risks(
    plan: Plan,
    observed: Observed,
    traits: Mapping[RepositoryName, RangeTraits],
    ledger: Ledger,
    rules: ProposalPolicy,
) -> dict[RepositoryName, tuple[str, ...]]:
    """Say of every move what is unusual about it, in a few words each; moves that are as ever are left out."""
    is_new = not any(proof.moved_at for proof in ledger.proved.values())
    marks = {
        item.repository: (
            *(("new branch",) if isinstance(item, Create) else ()),
            *_size(item, observed, rules),
            *(() if is_new else _first(item, ledger)),
            *_brought(traits.get(item.repository, RangeTraits())),
        )
        for item in plan.items
        if not isinstance(item, NoOp | Hold)
    }
    return {name: found for name, found in marks.items() if found}


def _size(item: Item, observed: Observed, rules: ProposalPolicy) -> tuple[str, ...]:
    known = observed.repositories.get(item.repository)
    count = max(known.target.ahead, known.target.behind) if known and known.target else 0
    return ("large",) if count >= rules.large else ()


def _first(item: Item, ledger: Ledger) -> tuple[str, ...]:
    """Mark a move from where somebody else has put the ref. In a new fleet that is every one, and says nothing."""
    proof = ledger.proved.get(item.repository)
    is_known = isinstance(item, Create) or (proof and proof.moved_at)
    return () if is_known else ("first move",)


def _brought(traits: RangeTraits) -> tuple[str, ...]:
    return (
        *(f"touches {path}" for path in traits.touched),
        *(f"new here: {login}" for login in traits.newcomers),
    )


def _outsiders(history: SourceHistory | None, item: Item) -> dict[str, str]:
    merged = [commit.pull_request for commit in going_out(history, item) if commit.pull_request]
    found = {each.author: each.outsider_id for each in merged if each.outsider_id}
    return dict(sorted(found.items())[:_MOST_AUTHORS])
