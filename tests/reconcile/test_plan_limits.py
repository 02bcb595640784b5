"""Limits: more than the policy allows at once is held."""

import pytest

from reconcile.observed import ObservedRepository, Relation
from reconcile.plan import explain, plan
from reconcile.planned import Action, Hold, NoOp, Wait
from state.policy import Limits, Policy
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
AT_TARGET = observed_target(relation=Relation.IDENTICAL, ahead=0)


def decide_all(under: Policy, *repositories: ObservedRepository, held: tuple[str, ...] = ()) -> list[str]:
    given = accepted(
        {each.name: TARGET for each in repositories},
        under=under,
        holds={name: {"reason": "leave it alone"} for name in held},
    )
    items = plan(given, observed(*repositories), now=NOW).items
    return [getattr(item, "code", item.kind) for item in items]


@pytest.mark.parametrize(
    ("limit", "expected"), [(3, "fast-forward"), (2, "limit-exceeded"), (None, "fast-forward")]
)
def test_repositories(limit: int | None, expected: str) -> None:
    """The limit itself is allowed; one more holds every move, not only the last."""
    under = policy(*NAMES, limits=Limits(repositories=limit))
    assert [expected] * 3 == decide_all(under, *map(observed_repository, NAMES))


def test_only_moves_count() -> None:
    """What is at its target, held or waiting does not move, and keeps its own reason."""
    under = policy("a/a", "b/b", "d/d", after={"c/c": ["b/b"]}, limits=Limits(repositories=1))
    found = decide_all(
        under,
        observed_repository("a/a", live=TARGET, target=AT_TARGET),
        observed_repository("b/b"),
        observed_repository("c/c"),
        observed_repository("d/d"),
        held=("b/b",),
    )
    assert sorted(["no-op", "held", "after", "fast-forward"]) == sorted(found)


def test_the_rest_of_a_limited_plan_stays() -> None:
    """Holding the moves leaves no-ops, holds and waits as they were, and where refs stand."""
    under = policy("b/b", "c/c", after={"d/d": ["a/a"]}, limits=Limits(repositories=1))
    given = accepted(
        dict.fromkeys(("a/a", "b/b", "c/c", "d/d", "e/e"), TARGET),
        under=under.model_copy(
            update={"repositories": under.repositories | policy("a/a", "e/e").repositories}
        ),
        holds={"a/a": {"reason": "leave it alone"}},
    )
    made = plan(
        given,
        observed(
            *map(observed_repository, ("a/a", "b/b", "c/c", "d/d")),
            observed_repository("e/e", live=TARGET, target=AT_TARGET),
        ),
        now=NOW,
    )
    found = {item.repository: item for item in made.items}
    assert not made.actions
    assert {"a/a": "held", "b/b": "limit-exceeded", "c/c": "limit-exceeded"} == {
        hold.repository: hold.code for hold in sorted(made.holds, key=lambda each: each.repository)
    }
    assert isinstance(found["d/d"], Wait)
    assert isinstance(found["e/e"], NoOp)
    assert (LIVE, "https://github.example/b/b") == (found["b/b"].live, found["b/b"].url)


@pytest.mark.parametrize(("ahead", "is_held"), [(5, False), (6, True)])
def test_commits(ahead: int, is_held: bool) -> None:  # noqa: FBT001 (a truth table)
    """The commits of one move are limited; the limit itself is allowed."""
    under = policy(OGR, limits=Limits(commits_per_repository=5))
    item = decide(accepted(under=under), observed_repository(target=observed_target(ahead=ahead)))
    assert is_held == (isinstance(item, Hold) and item.code == "limit-exceeded")
    assert is_held != isinstance(item, Action)


@pytest.mark.parametrize(
    ("relation", "kind", "ahead", "behind"),
    [
        (Relation.REWIND, "rewind", 0, 6),
        (Relation.DIVERGED, "force", 6, 1),
        (Relation.DIVERGED, "force", 1, 6),
    ],
)
def test_commits_in_both_directions(relation: Relation, kind: str, ahead: int, behind: int) -> None:
    """What a move takes back counts like what it brings, also under a permit."""
    permits = {OGR: {kind: {"from": LIVE, "to": TARGET, "reason": "rollback of #1"}}}
    under = policy(OGR, limits=Limits(commits_per_repository=5))
    target = observed_target(relation=relation, ahead=ahead, behind=behind)
    item = decide(accepted(under=under, permits=permits), observed_repository(target=target))
    assert isinstance(item, Hold)
    assert item.code == "limit-exceeded"


def test_a_gate_may_bring_a_plan_under_its_limit() -> None:
    """The limit counts what would move now: what waits for a window is counted when the window opens."""
    names = ("a/a", "b/b")
    limits = Limits(repositories=1)
    soaking = observed_target(committed_at=NOW)
    repositories = (observed_repository("a/a"), observed_repository("b/b", target=soaking))
    assert ["limit-exceeded"] * 2 == decide_all(policy(*names, limits=limits), *repositories)
    assert ["fast-forward", "soaking"] == decide_all(policy(*names, limits=limits, soak="1h"), *repositories)


def test_an_exception_waits_for_what_is_held_before_it() -> None:
    """A permit overrides the limit, not the order: a move behind a held one would never be made."""
    under = policy("b/b", after={"c/c": ["a/a"], "d/d": ["c/c"]}, limits=Limits(repositories=1))
    under = under.model_copy(update={"repositories": under.repositories | policy("a/a").repositories})
    permit = {"from": LIVE, "to": TARGET, "reason": "cannot wait", "despite": ["limit-exceeded"]}
    names = ("a/a", "b/b", "c/c", "d/d")
    given = accepted(
        dict.fromkeys(names, TARGET), under=under, permits={name: {"move": permit} for name in ("c/c", "d/d")}
    )
    made = plan(given, observed(*map(observed_repository, names)), now=NOW)
    assert ["limit-exceeded"] * 2 == [hold.code for hold in made.holds]
    assert [("c/c", "after"), ("d/d", "after")] == [(wait.repository, wait.code) for wait in made.waits]
    assert {"a/a comes first and has not moved (limit-exceeded)."} == {wait.sentence for wait in made.waits}


def test_the_limit_is_what_stands_in_the_way() -> None:
    """Of a repository that only the limit holds, nobody is told that the next run moves it."""
    repositories = observed(*map(observed_repository, ("a/a", "b/b")))
    for limit, is_held in ((1, True), (2, False)):
        under = policy("a/a", "b/b", limits=Limits(repositories=limit))
        given = accepted({"a/a": TARGET, "b/b": TARGET}, under=under)
        made = plan(given, repositories, now=NOW)
        assert is_held == bool(made.holds)
        assert made.holds == tuple(
            reason for name in ("a/a", "b/b") for reason in explain(given, repositories, name, now=NOW)
        )
