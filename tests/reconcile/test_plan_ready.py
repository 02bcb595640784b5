"""Order beyond moving: what comes after a repository waits until that has become ready, or too late for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconcile.observed import Accepted, ObservedRepository, Relation, Signal
from reconcile.plan import plan
from reconcile.planned import FastForward, Hold, Item, NoOp, Wait
from state.ids import ZERO_SHA, RepositoryName, Sha
from state.ledger import Ledger, Proof
from state.policy import Policy
from tests.builders import (
    LIVE,
    NOW,
    OGR,
    TARGET,
    accepted,
    observed,
    observed_repository,
    observed_target,
)

PACKIT, SERVICE = "packit/packit", "packit/packit-service"
MOVED = NOW - timedelta(minutes=20)
READY = {"check_runs": {"app": "packit-as-a-service"}, "within": "60m"}
CHAIN = Policy.model_validate(
    {
        "version": 1,
        "repositories": {OGR: {"ready": READY}, PACKIT: {"after": OGR}, SERVICE: {"after": PACKIT}},
    }
)
AT_TARGET = observed_target(relation=Relation.IDENTICAL, ahead=0)


def there(name: str) -> ObservedRepository:
    return observed_repository(name, live=TARGET, target=AT_TARGET)


def behind(name: str) -> ObservedRepository:
    return observed_repository(name)


def moved(*names: RepositoryName, commit: Sha = TARGET, at: datetime | None = MOVED) -> Ledger:
    return Ledger(proved={name: Proof(sha=commit, at=MOVED, moved_at=at) for name in names})


def signal(state: str = "success", *, at: datetime = MOVED + timedelta(minutes=1)) -> Signal:
    return Signal(kind="check_run", name="build", apps=("packit-as-a-service",), state=state, started_at=at)  # type: ignore[arg-type]  # one of its literals


def given(ledger: Ledger, *names: RepositoryName, under: Policy = CHAIN, **rest: Any) -> Accepted:
    return accepted(dict.fromkeys(names or (OGR, PACKIT), TARGET), under=under, ledger=ledger, **rest)


def decided(
    accepted: Accepted,
    *repositories: ObservedRepository,
    signals: Mapping[RepositoryName, Sequence[Signal]] | None = None,
    now: datetime = NOW,
) -> dict[RepositoryName, Item]:
    found = observed(*repositories).model_copy(
        update={"signals": {name: tuple(each) for name, each in (signals or {}).items()}}
    )
    return {item.repository: item for item in plan(accepted, found, now=now).items}


def permit(
    *despite: str, from_: Sha = LIVE, to: Sha = TARGET, kind: str = "move", **rest: Any
) -> dict[str, Any]:
    return {
        "permits": {
            PACKIT: {kind: {"from": from_, "to": to, "reason": "cannot wait", "despite": despite, **rest}}
        }
    }


def sentence(item: Item) -> str:
    assert isinstance(item, Hold | Wait)
    return item.sentence


# In one run


def test_it_waits_though_the_first_moves_in_the_same_run() -> None:
    """What is to be ready first is no wave of the same run."""
    items = decided(given(Ledger()), behind(OGR), behind(PACKIT))
    item = items[PACKIT]
    assert isinstance(items[OGR], FastForward)
    assert isinstance(item, Wait)
    assert ("after", None) == (item.code, item.until)
    assert "packit/ogr moves first, and must be ready before this one moves." == item.sentence


def test_it_reaches_through_a_repository_that_does_not_move() -> None:
    items = decided(given(Ledger(), OGR, PACKIT, SERVICE), behind(OGR), there(PACKIT), behind(SERVICE))
    assert isinstance(items[SERVICE], Wait)


def test_without_a_rule_moved_is_enough() -> None:
    items = decided(given(Ledger(), PACKIT, SERVICE), behind(PACKIT), behind(SERVICE))
    assert [FastForward, FastForward] == [type(items[PACKIT]), type(items[SERVICE])]


# A later run


@pytest.mark.parametrize("state", ["pending", "failure"])
def test_it_waits_until_the_first_is_ready(state: str) -> None:
    """Says what is missing since when, and when that should be over."""
    items = decided(given(moved(OGR)), there(OGR), behind(PACKIT), signals={OGR: [signal(state)]})
    item = items[PACKIT]
    assert isinstance(item, Wait)
    assert ("after", MOVED + timedelta(minutes=60)) == (item.code, item.until)
    found = {"pending": "build runs", "failure": "build failed"}[state]
    assert (
        f"packit/ogr comes first and is not ready: {found} since it moved on 2026-03-02 09:40 UTC."
        == item.sentence
    )


def test_it_moves_when_the_first_is_ready() -> None:
    items = decided(given(moved(OGR)), there(OGR), behind(PACKIT), signals={OGR: [signal()]})
    assert isinstance(items[PACKIT], FastForward)


def test_without_a_signal_it_waits() -> None:
    """Silence is not a pass, and neither is what started before the move."""
    for signals in ({}, {OGR: [signal(at=MOVED - timedelta(seconds=1))]}, {PACKIT: [signal()]}):
        items = decided(given(moved(OGR)), there(OGR), behind(PACKIT), signals=signals)
        assert isinstance(items[PACKIT], Wait)


@pytest.mark.parametrize(
    "ledger",
    [Ledger(), moved(OGR, at=None), moved(OGR, commit=LIVE), moved(PACKIT)],
    ids=["unknown", "adopted", "moved elsewhere", "another"],
)
def test_what_this_tool_has_not_moved_there_counts_as_ready(ledger: Ledger) -> None:
    ledger = ledger.model_copy(update={"proved": {OGR: ledger.proved[OGR]} if OGR in ledger.proved else {}})
    items = decided(given(ledger), there(OGR), behind(PACKIT))
    assert isinstance(items[PACKIT], FastForward)


def test_without_a_ledger_everything_counts_as_ready() -> None:
    accepted = given(Ledger()).model_copy(update={"ledger": None})
    assert isinstance(decided(accepted, there(OGR), behind(PACKIT))[PACKIT], FastForward)


def test_a_first_one_that_the_policy_does_not_list_counts_as_ready() -> None:
    """It cannot move, so nobody can say when it would be ready."""
    under = Policy.model_validate({"version": 1, "repositories": {PACKIT: {"after": OGR}}})
    items = decided(given(moved(OGR), under=under), there(OGR), behind(PACKIT))
    assert isinstance(items[PACKIT], FastForward)


def test_far_ones_are_waited_for_too() -> None:
    items = decided(given(moved(OGR), OGR, SERVICE), there(OGR), behind(SERVICE))
    assert isinstance(items[SERVICE], Wait)


def test_a_held_first_one_is_told_before_an_unready_one() -> None:
    under = CHAIN.model_copy(
        update={
            "repositories": CHAIN.repositories
            | {SERVICE: CHAIN.repositories[SERVICE].model_copy(update={"after": (PACKIT, OGR)})}
        }
    )
    accepted = given(
        moved(OGR), OGR, PACKIT, SERVICE, under=under, holds={PACKIT: {"reason": "leave it alone"}}
    )
    items = decided(accepted, there(OGR), behind(PACKIT), behind(SERVICE))
    assert "packit/packit comes first and has not moved (held)." == sentence(items[SERVICE])


# Too late

DEADLINE = MOVED + timedelta(minutes=60)


@pytest.mark.parametrize(
    ("expected", "after"), [("after", timedelta(0)), ("not-ready-in-time", timedelta(microseconds=1))]
)
def test_later_than_within_is_a_persons(expected: str, after: timedelta) -> None:
    """At the deadline itself there is still hope."""
    item = decided(given(moved(OGR)), there(OGR), behind(PACKIT), now=DEADLINE + after)[PACKIT]
    assert isinstance(item, Hold | Wait)
    assert expected == item.code


def test_it_says_what_is_missing_and_what_to_do() -> None:
    items = decided(given(moved(OGR)), there(OGR), behind(PACKIT), now=NOW + timedelta(hours=1))
    assert (
        "packit/ogr comes first and is not ready: nothing that counts has started since it moved on 2026-03-02 09:40 "
        "UTC. This clears itself when it is; look at its builds, or add a permit despite: not-ready-in-time."
    ) == sentence(items[PACKIT])


def test_it_clears_itself() -> None:
    late = NOW + timedelta(days=1)
    items = decided(given(moved(OGR)), there(OGR), behind(PACKIT), signals={OGR: [signal()]}, now=late)
    assert isinstance(items[PACKIT], FastForward)


def test_late_is_told_before_a_closed_gate_and_before_who_is_merely_unready() -> None:
    """A person is needed now, and not when the window opens."""
    under = Policy.model_validate(
        {
            "version": 1,
            "soak": "7d",
            "repositories": {
                OGR: {"ready": READY},
                "packit/specfile": {"ready": READY | {"within": "7d"}},
                PACKIT: {"after": ["packit/specfile", OGR]},
            },
        }
    )
    names = (OGR, PACKIT, "packit/specfile")
    accepted = given(moved(*names[::2]), *names, under=under)
    repositories = (there(OGR), there("packit/specfile"), behind(PACKIT))
    item = decided(accepted, *repositories, now=NOW + timedelta(hours=1))[PACKIT]
    assert isinstance(item, Hold)
    assert item.sentence.startswith("packit/ogr ")


def test_all_that_come_after_it_are_held() -> None:
    """Near and far: each is waiting for the same thing."""
    late = NOW + timedelta(hours=1)
    items = decided(
        given(moved(OGR), OGR, PACKIT, SERVICE), there(OGR), behind(PACKIT), behind(SERVICE), now=late
    )
    assert {"not-ready-in-time"} == {item.code for item in items.values() if isinstance(item, Hold)}
    assert {OGR: NoOp, PACKIT: Hold, SERVICE: Hold} == {name: type(item) for name, item in items.items()}


# Despite it


def test_a_permit_overrides_lateness() -> None:
    """With a plain move's permit, which it then spends."""
    late = NOW + timedelta(hours=1)
    items = decided(given(moved(OGR), **permit("not-ready-in-time")), there(OGR), behind(PACKIT), now=late)
    item = items[PACKIT]
    assert isinstance(item, FastForward)
    assert (True, ("not-ready-in-time",)) == (item.is_permitted, item.despite)


def test_a_permit_does_not_override_waiting_in_time() -> None:
    """Nothing is late yet, so there is nothing to override."""
    items = decided(given(moved(OGR), **permit("not-ready-in-time")), there(OGR), behind(PACKIT))
    assert isinstance(items[PACKIT], Wait)


@pytest.mark.parametrize(
    "rest",
    [
        permit("frozen"),
        permit("not-ready-in-time", from_=ZERO_SHA),
        permit("not-ready-in-time", to=LIVE),
        permit("not-ready-in-time", kind="force"),
        permit("not-ready-in-time", kind="rewind"),
        permit("not-ready-in-time", until=NOW + timedelta(hours=1)),
    ],
    ids=["another code", "from elsewhere", "to elsewhere", "force", "rewind", "expired"],
)
def test_another_permit_does_not(rest: dict[str, Any]) -> None:
    items = decided(given(moved(OGR), **rest), there(OGR), behind(PACKIT), now=NOW + timedelta(hours=1))
    assert isinstance(items[PACKIT], Hold)


def test_nothing_is_said_about_what_is_where_it_should_be() -> None:
    items = decided(given(moved(OGR)), there(OGR), there(PACKIT), now=NOW + timedelta(days=1))
    assert {NoOp} == {type(item) for item in items.values()}
