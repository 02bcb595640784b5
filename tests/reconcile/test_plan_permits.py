"""Permits beyond their shas: how long they count, and which limits they override."""

from datetime import timedelta
from typing import Any

import pytest

from reconcile.observed import Relation
from reconcile.plan import plan
from reconcile.planned import Action, FastForward, Hold
from state.policy import Limits
from tests.builders import (
    LIVE,
    NOW,
    OGR,
    TARGET,
    accepted,
    decide,
    observed,
    observed_repository,
    observed_target,
    policy,
)

NAMES = ("a/a", "b/b", "c/c")
LIMITED = policy(OGR, limits=Limits(commits_per_repository=5))
MANY = observed_repository(target=observed_target(ahead=6))


def permit(name: str = OGR, kind: str = "move", **rest: Any) -> dict[str, Any]:
    return {name: {kind: {"from": LIVE, "to": TARGET, "reason": "cannot wait", **rest}}}


@pytest.mark.parametrize(
    ("counts", "until"),
    [
        (True, None),
        (True, NOW + timedelta(microseconds=1)),
        (False, NOW),
        (False, NOW - timedelta(days=1)),
    ],
)
def test_until(counts: bool, until: Any) -> None:  # noqa: FBT001 (a truth table)
    """Up to that moment, and not at it."""
    rewind = observed_repository(target=observed_target(relation=Relation.REWIND, ahead=0, behind=1))
    item = decide(accepted(permits=permit(kind="rewind", until=until)), rewind)
    assert counts == isinstance(item, Action)


@pytest.mark.parametrize(
    ("expected", "rest"),
    [
        (FastForward, {"despite": "limit-exceeded"}),
        (FastForward, {"despite": ["frozen", "limit-exceeded"]}),
        (Hold, {"despite": "not-ready-in-time"}),
        (Hold, {}),
        (Hold, {"despite": "limit-exceeded", "until": NOW}),
        (Hold, {"despite": "limit-exceeded", "from": TARGET}),
    ],
)
def test_despite_the_limit_of_one_repository(expected: type, rest: dict[str, Any]) -> None:
    assert isinstance(decide(accepted(under=LIMITED, permits=permit(**rest)), MANY), expected)


@pytest.mark.parametrize(("held", "exempt"), [(3, ()), (2, NAMES[:1]), (0, NAMES[:2]), (0, NAMES)])
def test_despite_the_limit_of_the_plan(held: int, exempt: tuple[str, ...]) -> None:
    """What has an exception is not counted, and moves whatever the others do."""
    permits: dict[str, Any] = {}
    for name in exempt:
        permits |= permit(name, despite="limit-exceeded")
    under = policy(*NAMES, limits=Limits(repositories=1))
    given = accepted(dict.fromkeys(NAMES, TARGET), under=under, permits=permits)
    made = plan(given, observed(*map(observed_repository, NAMES)), now=NOW)
    assert ["limit-exceeded"] * held == [hold.code for hold in made.holds]
    assert {*exempt} <= {action.repository for action in made.actions}


def test_what_a_move_says_of_its_permit() -> None:
    item = decide(accepted(under=LIMITED, permits=permit(despite="limit-exceeded")), MANY)
    assert isinstance(item, FastForward)
    assert (True, ("limit-exceeded",)) == (item.is_permitted, item.despite)
    plain = decide(accepted())
    assert isinstance(plain, FastForward)
    assert (False, ()) == (plain.is_permitted, plain.despite)
