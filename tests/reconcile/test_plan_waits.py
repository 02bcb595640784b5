"""Rule 3: gates and order, and what a permit overrides of them. The gates themselves are tested beside this."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconcile.observed import Relation
from reconcile.plan import plan
from reconcile.planned import FastForward, Hold, Rewind, Wait
from state.policy import Policy
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

FREEZE = {"name": "end of year", "from": "2026-03-01T00:00", "until": "2026-03-03T08:00", "zone": "UTC"}
TUESDAYS = {"days": "Tue", "from": "08:00", "until": "16:00", "zone": "UTC"}
FRESH = observed_target(committed_at=NOW - timedelta(minutes=30))


def closed(*codes: str) -> Policy:
    """Make a policy whose gates of these codes are closed at ``NOW`` for a fresh commit."""
    gates: dict[str, dict[str, Any]] = {
        "frozen": {"freezes": [FREEZE]},
        "outside-window": {"windows": [TUESDAYS]},
        "soaking": {"soak": "1h"},
    }
    return policy(OGR, **{key: value for code in codes for key, value in gates[code].items()})


@pytest.mark.parametrize(
    ("code", "until", "codes"),
    [
        ("frozen", datetime(2026, 3, 3, 8, tzinfo=UTC), ("frozen", "outside-window", "soaking")),
        ("outside-window", datetime(2026, 3, 3, 8, tzinfo=UTC), ("outside-window", "soaking")),
        ("soaking", datetime(2026, 3, 2, 10, 30, tzinfo=UTC), ("soaking",)),
    ],
)
def test_gates_in_order(code: str, until: datetime, codes: tuple[str, ...]) -> None:
    """The first closed gate is told, with the moment at which it opens."""
    item = decide(accepted(under=closed(*codes)), observed_repository(target=FRESH))
    assert isinstance(item, Wait)
    assert (code, until) == (item.code, item.until)


@pytest.mark.parametrize(
    ("expected", "despite"),
    [
        ("frozen", ()),
        ("outside-window", ("frozen",)),
        ("frozen", ("outside-window", "soaking")),
        ("soaking", ("frozen", "outside-window")),
        ("rewind", ("frozen", "outside-window", "soaking")),
    ],
)
def test_permit_overrides_what_it_names(expected: str, despite: tuple[str, ...]) -> None:
    """A permit opens the gates that it names, and no other."""
    permits = {OGR: {"rewind": {"from": LIVE, "to": TARGET, "reason": "rollback of #1", "despite": despite}}}
    target = FRESH.model_copy(update={"relation": Relation.REWIND, "ahead": 0, "behind": 1})
    given = accepted(under=closed("frozen", "outside-window", "soaking"), permits=permits)
    item = decide(given, observed_repository(target=target))
    assert expected == (item.code if isinstance(item, Wait) else item.kind)


def test_permit_for_another_way_overrides_nothing() -> None:
    """Gates stay closed under a permit whose shas are not this move's."""
    permits = {OGR: {"move": {"from": TARGET, "to": TARGET, "reason": "hotfix", "despite": "frozen"}}}
    assert isinstance(decide(accepted(under=closed("frozen"), permits=permits)), Wait)


def test_plain_move_overrides_with_move_permit() -> None:
    """A move permit carries a fast-forward through a closed gate."""
    permits = {OGR: {"move": {"from": LIVE, "to": TARGET, "reason": "hotfix", "despite": "frozen"}}}
    item = decide(accepted(under=closed("frozen"), permits=permits))
    assert isinstance(item, FastForward)
    assert item.is_permitted


def test_missing_permit_is_told_before_the_gate() -> None:
    """A review on a frozen day sees the missing permit, not only the freeze."""
    target = observed_target(relation=Relation.REWIND, ahead=0, behind=1)
    item = decide(accepted(under=closed("frozen")), observed_repository(target=target))
    assert isinstance(item, Hold)
    assert item.code == "rewind-needs-permit"


def test_gate_is_told_before_order() -> None:
    """Everything waits for the freeze; order matters when it is over."""
    under = policy("a/a", after={"b/b": ["a/a"]}, freezes=[FREEZE])
    given = accepted({"a/a": TARGET, "b/b": TARGET}, under=under)
    waits = plan(given, observed(observed_repository("a/a"), observed_repository("b/b")), now=NOW).waits
    assert ["frozen", "frozen"] == [wait.code for wait in waits]


def test_no_permit_overrides_order() -> None:
    """A permit moves nothing before what it comes after."""
    everything = ["frozen", "outside-window", "soaking"]
    permits = {"b/b": {"rewind": {"from": LIVE, "to": TARGET, "reason": "rollback", "despite": everything}}}
    given = accepted(
        {"a/a": TARGET, "b/b": TARGET},
        under=policy("a/a", after={"b/b": ["a/a"]}),
        permits=permits,
        holds={"a/a": {"reason": "leave it alone"}},
    )
    rewind = observed_target(relation=Relation.REWIND, ahead=0, behind=1)
    made = plan(
        given, observed(observed_repository("a/a"), observed_repository("b/b", target=rewind)), now=NOW
    )
    assert ["after"] == [wait.code for wait in made.waits]
    freed = given.model_copy(update={"desired": given.desired.model_copy(update={"holds": {}})})
    again = plan(
        freed, observed(observed_repository("a/a"), observed_repository("b/b", target=rewind)), now=NOW
    )
    assert [(FastForward, 1), (Rewind, 2)] == [(type(action), action.wave) for action in again.actions]
