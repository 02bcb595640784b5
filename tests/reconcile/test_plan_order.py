"""Order in a plan: waves, and what a repository that does not move means for those after it."""

from datetime import timedelta

import pytest

from reconcile.observed import ObservedRepository, Relation
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.waves import OrderCycleError
from state.policy import Policy
from tests.builders import (
    NOW,
    TARGET,
    accepted,
    observed,
    observed_repository,
    observed_target,
    policy,
)

CHAIN = policy("a/a", after={"b/b": ["a/a"], "c/c": ["b/b"]})
DONE = observed_target(relation=Relation.IDENTICAL, ahead=0)


def done(name: str) -> ObservedRepository:
    return observed_repository(name, live=TARGET, target=DONE)


def planned(under: Policy, *repositories: ObservedRepository, held: tuple[str, ...] = ()) -> Plan:
    given = accepted(
        {each.name: TARGET for each in repositories},
        under=under,
        holds={name: {"reason": "leave it alone"} for name in held},
    )
    return plan(given, observed(*repositories), now=NOW)


def waves(made: Plan) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {action.repository: (action.wave, action.after) for action in made.actions}


def test_waves_follow_after() -> None:
    """Each stands one wave behind the last of what it comes after, near and far."""
    made = planned(CHAIN, *map(observed_repository, ("a/a", "b/b", "c/c")))
    assert {"a/a": (1, ()), "b/b": (2, ("a/a",)), "c/c": (3, ("a/a", "b/b"))} == waves(made)


def test_what_is_done_takes_no_wave() -> None:
    """A repository at its target is behind nobody's move, and order reaches through it."""
    made = planned(CHAIN, observed_repository("a/a"), done("b/b"), observed_repository("c/c"))
    assert {"a/a": (1, ()), "c/c": (2, ("a/a",))} == waves(made)


def test_what_the_document_does_not_name_holds_nobody() -> None:
    """Order reaches through a repository that has no target."""
    made = planned(CHAIN, observed_repository("a/a"), observed_repository("c/c"))
    assert {"a/a": (1, ()), "c/c": (2, ("a/a",))} == waves(made)
    assert ("b/b",) == made.unnamed


def test_held_one_stops_those_after_it_and_no_other() -> None:
    """What comes after a held repository waits and names it; the rest moves."""
    under = policy("d/d", after={"b/b": ["a/a"], "c/c": ["b/b"]})
    under = under.model_copy(update={"repositories": under.repositories | policy("a/a").repositories})
    made = planned(under, *map(observed_repository, ("a/a", "b/b", "c/c", "d/d")), held=("a/a",))
    assert {"d/d": (1, ())} == waves(made)
    assert {"b/b", "c/c"} == {wait.repository for wait in made.waits if "a/a comes first" in wait.sentence}


def test_waiting_one_is_waited_for() -> None:
    """What comes after a repository that waits for a clock waits for that repository."""
    soaking = observed_target(committed_at=NOW)
    under = CHAIN.model_copy(update={"soak": timedelta(hours=1)})
    made = planned(under, observed_repository("a/a", target=soaking), observed_repository("b/b"))
    assert [("a/a", "soaking"), ("b/b", "after")] == [(wait.repository, wait.code) for wait in made.waits]
    assert not made.actions


def test_far_one_is_waited_for_through_a_done_one() -> None:
    """A repository in between that has nothing to do does not break the chain."""
    made = planned(CHAIN, observed_repository("a/a"), done("b/b"), observed_repository("c/c"), held=("a/a",))
    assert ["c/c"] == [wait.repository for wait in made.waits]


def test_missing_first_one_is_waited_for() -> None:
    """A repository that cannot be seen has not moved."""
    given = accepted({"a/a": TARGET, "b/b": TARGET}, under=policy("a/a", after={"b/b": ["a/a"]}))
    made = plan(given, observed(observed_repository("b/b")), now=NOW)
    assert [["repository-missing"], ["after"]] == [
        [hold.code for hold in made.holds],
        [wait.code for wait in made.waits],
    ]


def test_items_in_the_order_of_moving() -> None:
    """Items stand as they may move, names sorted where the order leaves them free."""
    made = planned(CHAIN, *map(observed_repository, ("c/c", "b/b", "a/a")))
    assert ["a/a", "b/b", "c/c"] == [item.repository for item in made.items]


def test_circle_is_an_error() -> None:
    """A policy whose order runs in a circle gives no plan at all."""
    with pytest.raises(OrderCycleError, match="a/a"):
        planned(policy(after={"a/a": ["b/b"], "b/b": ["a/a"]}), observed_repository("a/a"))
