"""Rule 1: a ref that is at its target is left alone, whatever else is wrong."""

import pytest

from reconcile.observed import Accepted, Observed, ObservedRepository, Relation
from reconcile.plan import explain, plan
from reconcile.planned import Hold, NoOp
from tests.builders import (
    NOW,
    OGR,
    TARGET,
    accepted,
    decide,
    desired,
    observed,
    observed_repository,
    observed_target,
    policy,
    version,
)

AT_TARGET = observed_repository(live=TARGET, target=observed_target(relation=Relation.IDENTICAL, ahead=0))


def test_identical() -> None:
    """A ref at its target is a no-op that says where it stands."""
    assert (
        NoOp(
            repository=OGR,
            name="Packit/OGR",
            url="https://github.example/Packit/OGR",
            live=TARGET,
            target=TARGET,
        )
        == plan(
            accepted(),
            observed(observed_repository("Packit/OGR", live=TARGET, target=AT_TARGET.target)),
            now=NOW,
        ).items[0]
    )


@pytest.mark.parametrize(
    "given",
    [
        accepted(ledger=None),
        accepted(stale="older than what was accepted"),
        accepted().model_copy(update={"objection": "the policy was pushed without a pull request"}),
        accepted(holds={OGR: {"reason": "waits for the login page"}}),
        accepted(blocks={OGR: {TARGET: {"reason": "broke srpm builds"}}}),
        accepted(under=policy("packit/other")),
    ],
)
def test_nothing_stops_what_does_not_move(given: Accepted) -> None:
    """Holds, blocks and a missing ledger speak about moves, and there is none."""
    assert isinstance(decide(given, AT_TARGET), NoOp)


def test_a_line_that_nobody_approved_is_not_in_place() -> None:
    """It may have been taken back to where the ref stands, and what comes after it must not pass it by."""
    given = accepted(unapproved={OGR: "pushed without a pull request"})
    item = decide(given, AT_TARGET)
    assert isinstance(item, Hold)
    assert ("not-approved", "pushed without a pull request") == (item.code, item.sentence)
    assert (item,) == explain(given, observed(AT_TARGET), OGR, now=NOW)


@pytest.mark.parametrize(
    "repository",
    [
        AT_TARGET.model_copy(update={"is_archived": True}),
        AT_TARGET.model_copy(update={"permission": "READ"}),
        AT_TARGET.model_copy(update={"name": "packit/renamed"}),
        AT_TARGET.model_copy(update={"target": observed_target(on_branch=None)}),
    ],
)
def test_rights_are_asked_for_moves_only(repository: ObservedRepository) -> None:
    """An archived or read-only repository that is where it should be is in order."""
    assert isinstance(decide(accepted(), repository), NoOp)


def test_relation_read_after_the_ref() -> None:
    """A ref that came to its target while it was being observed is a no-op, not a crash."""
    torn = observed_repository(target=observed_target(relation=Relation.IDENTICAL, ahead=0))
    assert isinstance(decide(accepted(), torn), NoOp)


def test_no_target_is_no_item() -> None:
    """What the document does not name is not planned, and is reported where the policy lists it."""
    given = Accepted(version=version(), desired=desired({}), policy=policy("b/b", "a/a"), ledger=None)
    made = plan(given, Observed(at=NOW, repositories={}), now=NOW)
    assert ((), ("a/a", "b/b"), True) == (made.items, made.unnamed, made.is_converged)
