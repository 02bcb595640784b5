"""What a reviewer is told to look at twice."""

from datetime import timedelta

import pytest

from reconcile.observed import CommitRange, Observed, ObservedRepository, RangeTraits, Relation
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.risks import mark_risks, ranges_to_look_at
from state.document import Hold
from state.ledger import Ledger, Proof
from state.policy import ProposalPolicy
from state.proposal import MergedPullRequest, SourceCommit, SourceHistory
from tests.builders import LIVE, NOW, OGR, TARGET, accepted, observed_repository, observed_target

RULES = ProposalPolicy(large=30)
MOVED = Ledger(proved={OGR: Proof(sha=LIVE, at=NOW, moved_at=NOW)})


def planned(*, is_held: bool = False, **target: object) -> tuple[Plan, Observed]:
    given = accepted(holds={OGR: Hold(reason="a reason")} if is_held else {})
    live = None if target.get("relation") is Relation.CREATE else LIVE
    known: ObservedRepository = observed_repository(live=live, target=observed_target(**target))  # type: ignore[arg-type]  # as the builder has it
    observed = Observed(at=NOW, repositories={OGR: known})
    return plan(given, observed, now=NOW), observed


def marks(ledger: Ledger = MOVED, traits: RangeTraits | None = None, **target: object) -> tuple[str, ...]:
    made, observed = planned(**target)  # type: ignore[arg-type]  # as the builder has it
    return mark_risks(made, observed, {OGR: traits} if traits else {}, ledger, RULES).get(OGR, ())


def commit(author: str, outsider_id: str | None, sha: str = TARGET) -> SourceCommit:
    merged = MergedPullRequest(
        number=1, title="", url="", author=author, merged_at=NOW, outsider_id=outsider_id
    )
    return SourceCommit(sha=sha, committed_at=NOW, headline="", author="x", pull_request=merged)


def history(*waiting: SourceCommit) -> SourceHistory:
    return SourceHistory(
        repository=OGR, url="", source="main", out=LIVE, head=TARGET, waiting=waiting, is_complete=True
    )


@pytest.mark.parametrize(("expected", "ahead"), [((), 29), (("large",), 30), (("large",), 300)])
def test_a_large_move(expected: tuple[str, ...], ahead: int) -> None:
    """From as many commits on as the policy says."""
    assert expected == marks(ahead=ahead)


def test_a_first_move() -> None:
    """A branch that begins, and one that this tool has not put where it is, others have been moved by it."""
    assert ("new branch",) == marks(relation=Relation.CREATE)
    others = {"o/other": Proof(sha=LIVE, at=NOW, moved_at=NOW)}
    found = Proof(sha=LIVE, at=NOW - timedelta(days=1))
    for proved in (others, {**others, OGR: found}):
        assert ("first move",) == marks(Ledger(proved=proved))
    for proved in ({}, {OGR: found}):
        assert () == marks(Ledger(proved=proved)), "in a new fleet every move is the first"


def test_what_it_brings() -> None:
    """Paths and people, each in a word."""
    traits = RangeTraits(touched=(".github/workflows", "alembic"), newcomers=("mallory",))
    expected = ("touches .github/workflows", "touches alembic", "new here: mallory")
    assert expected == marks(traits=traits)


def test_what_is_held_is_not_marked() -> None:
    """It does not go out, and the hold says more."""
    made, observed = planned(is_held=True, ahead=100)
    assert {} == mark_risks(made, observed, {}, Ledger(), RULES)
    assert {} == ranges_to_look_at(made, {})


def test_what_to_look_at() -> None:
    """Both ends, and those authors who may be new; of a history that is not known, the ends alone."""
    made, _ = planned()
    assert {OGR: CommitRange(before=LIVE, after=TARGET)} == ranges_to_look_at(made, {})
    waiting = commit("mallory", "U_1"), commit("alice", None, "e" * 40)
    assert {"mallory": "U_1"} == ranges_to_look_at(made, {OGR: history(*waiting)})[OGR].authors


def test_not_everybody_is_asked_about() -> None:
    """Each costs GitHub a walk through a history."""
    made, _ = planned()
    crowd = [commit(f"p{number:02}", f"U_{number}", f"{number:040x}") for number in range(1, 20)]
    asked = ranges_to_look_at(made, {OGR: history(commit("p00", "U_0"), *crowd)})[OGR].authors
    assert [f"p{number:02}" for number in range(10)] == list(asked)
