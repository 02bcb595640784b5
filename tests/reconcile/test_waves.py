"""Waves: what may move together."""

from itertools import pairwise

import pytest

from reconcile.waves import OrderCycleError, order, predecessors
from tests.builders import policy

DIAMOND = policy("a/a", after={"b/b": ["a/a"], "c/c": ["a/a"], "d/d": ["c/c", "b/b"]})


def test_groups_stand_behind_what_they_come_after() -> None:
    """A diamond makes three groups, with names sorted in each."""
    assert (("a/a",), ("b/b", "c/c"), ("d/d",)) == order(DIAMOND, ["d/d", "c/c", "b/b", "a/a"])


@pytest.mark.parametrize(
    ("expected", "repositories"),
    [
        ((), ()),
        ((("d/d",),), ("d/d",)),
        ((("a/a",), ("d/d",)), ("d/d", "a/a")),
        ((("a/a", "z/z"), ("d/d",)), ("z/z", "d/d", "a/a")),
    ],
)
def test_only_what_is_asked_for(expected: tuple[tuple[str, ...], ...], repositories: tuple[str, ...]) -> None:
    """What is not asked for still orders what is, and what the policy does not know comes after nothing."""
    assert expected == order(DIAMOND, repositories)


def test_after_one_that_the_policy_does_not_list() -> None:
    """A name under ``after`` alone orders like any other."""
    assert (("x/x",), ("b/b",)) == order(policy(after={"b/b": ["x/x"]}), ["b/b", "x/x"])


@pytest.mark.parametrize(
    ("expected", "name"),
    [((), "a/a"), (("a/a",), "b/b"), (("a/a", "b/b", "c/c"), "d/d"), ((), "z/z")],
)
def test_predecessors_near_and_far(expected: tuple[str, ...], name: str) -> None:
    """Predecessors are transitive, and do not include the repository itself."""
    assert frozenset(expected) == predecessors(DIAMOND, name)


def test_every_branch_of_the_order_is_followed() -> None:
    """Of several that come first, each has its own that come before it."""
    edges = {"d/d": ["b/b", "c/c"], "b/b": ["a/a"], "c/c": ["e/e"]}
    assert {"a/a", "b/b", "c/c", "e/e"} == predecessors(policy(after=edges), "d/d")


@pytest.mark.parametrize(
    ("expected", "edges"),
    [
        ({"a/a → a/a"}, {"a/a": ["a/a"]}),
        ({"a/a → b/b → a/a", "b/b → a/a → b/b"}, {"a/a": ["b/b"], "b/b": ["a/a"]}),
    ],
)
def test_circle_is_printed(expected: set[str], edges: dict[str, list[str]]) -> None:
    """The error shows the circle, each repository before what it comes after."""
    with pytest.raises(OrderCycleError) as caught:
        order(policy(after=edges), [])
    assert " → ".join(caught.value.cycle) in expected
    assert " → ".join(caught.value.cycle) in str(caught.value)


def test_circle_runs_in_the_policys_direction() -> None:
    """Each repository of the printed circle comes after the next one."""
    edges = {"a/a": ["b/b"], "b/b": ["c/c"], "c/c": ["a/a"]}
    with pytest.raises(OrderCycleError) as caught:
        order(policy(after=edges), [])
    cycle = caught.value.cycle
    assert all(edges[name] == [after] for name, after in pairwise(cycle))


def test_predecessors_end_on_a_circle() -> None:
    """Asking for predecessors terminates where `order` would raise."""
    assert {"a/a", "b/b"} == predecessors(policy(after={"a/a": ["b/b"], "b/b": ["a/a"]}), "a/a")
