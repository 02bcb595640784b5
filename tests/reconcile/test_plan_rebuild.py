"""Rebuilds: what is built from others is built again when they have moved and it has not."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconcile.observed import ObservedRepository, Relation, Signal
from reconcile.plan import explain, plan
from reconcile.planned import Hold, NoOp, Plan, Rebuild, Wait
from state.ids import RepositoryName
from state.ledger import Ledger, Proof
from state.policy import Policy
from tests.builders import LIVE, NOW, OGR, TARGET, accepted, observed, observed_repository, observed_target

PACKIT, SERVICE = "packit/packit", "packit/packit-service"
EARLIER, MOVED, LATER = (NOW - timedelta(minutes=minutes) for minutes in (40, 30, 20))
CHAIN: dict[RepositoryName, dict[str, Any]] = {
    OGR: {},
    PACKIT: {"after": OGR},
    SERVICE: {"after": PACKIT, "rebuild": "rebuild.yml"},
}
AT_TARGET = observed_target(relation=Relation.IDENTICAL, ahead=0)
READY = {"statuses": {"contexts": "image"}}


def there(name: str) -> ObservedRepository:
    return observed_repository(name, live=TARGET, target=AT_TARGET)


def behind(name: str) -> ObservedRepository:
    return observed_repository(name)


def proofs(**moved_at: datetime | None) -> dict[RepositoryName, Proof]:
    """Prove repositories at their targets; none for what was found there."""
    names = {"ogr": OGR, "packit": PACKIT, "service": SERVICE}
    return {names[short]: Proof(sha=TARGET, at=at or EARLIER, moved_at=at) for short, at in moved_at.items()}


def planned(
    ledger: Ledger | None,
    *repositories: ObservedRepository,
    under: Mapping[RepositoryName, Mapping[str, Any]] = CHAIN,
    signals: Sequence[Signal] = (),
    now: datetime = NOW,
    **rest: Any,
) -> Plan:
    repositories = repositories or tuple(map(there, (OGR, PACKIT, SERVICE)))
    given = accepted(
        {each.name: TARGET for each in repositories},
        under=Policy.model_validate({"version": 1, "repositories": under}),
        ledger=ledger,
        **rest,
    )
    found = observed(*repositories).model_copy(update={"signals": {OGR: tuple(signals)}})
    return plan(given, found, now=now)


def rebuilt(*args: Any, **kwargs: Any) -> tuple[RepositoryName, ...]:
    """Say because of what the service is built again, if it is."""
    return tuple(name for rebuild in planned(*args, **kwargs).rebuilds for name in rebuild.because)


def test_something_has_moved() -> None:
    """Near or far; the rebuild says what, where, and since when a dispatched run would be enough."""
    made = planned(Ledger(proved=proofs(ogr=MOVED, packit=LATER, service=EARLIER)))
    assert (
        Rebuild(repository=SERVICE, name=SERVICE, workflow="rebuild.yml", since=LATER, because=(OGR, PACKIT)),
    ) == made.rebuilds
    assert not made.is_converged


@pytest.mark.parametrize(
    ("because", "proved"),
    [
        ((), {}),
        ((), proofs(ogr=None, packit=None, service=None)),
        ((), proofs(ogr=EARLIER, packit=EARLIER, service=MOVED)),
        ((), proofs(ogr=MOVED, service=MOVED)),
        ((OGR,), proofs(ogr=MOVED + timedelta(microseconds=1), service=MOVED)),
        ((OGR,), proofs(ogr=MOVED)),
        ((OGR,), proofs(ogr=MOVED, service=None)),
        ((PACKIT,), proofs(ogr=EARLIER, packit=LATER, service=MOVED)),
        ((), proofs(service=MOVED)),
    ],
    ids=[
        "nothing is known",
        "all was found there",
        "it has moved since",
        "it has moved in the same run",
        "it moved before",
        "it was never seen to move",
        "it was found there",
        "only what moved later",
        "it alone has moved",
    ],
)
def test_moved_since_it_was_built(
    because: tuple[RepositoryName, ...], proved: dict[RepositoryName, Proof]
) -> None:
    """A repository is built by moving, too."""
    assert because == rebuilt(Ledger(proved=proved))


@pytest.mark.parametrize(
    ("because", "at"), [((), LATER), ((), MOVED), ((OGR,), EARLIER), ((OGR,), MOVED - timedelta(seconds=1))]
)
def test_rebuilt_since(because: tuple[RepositoryName, ...], at: datetime) -> None:
    """What was dispatched after the move is not dispatched again; whichever is later counts, it or the own move."""
    for service in (EARLIER, None):
        ledger = Ledger(proved=proofs(ogr=MOVED, service=service), rebuilt={SERVICE: at})
        assert because == rebuilt(ledger)
    assert () == rebuilt(Ledger(proved=proofs(ogr=MOVED, service=LATER), rebuilt={SERVICE: EARLIER}))


def test_only_what_is_there_is_rebuilt() -> None:
    """What moves is built by that; what is held or waits will be."""
    ledger = Ledger(proved=proofs(ogr=MOVED))
    assert () == rebuilt(ledger, there(OGR), there(PACKIT), behind(SERVICE))
    held = {SERVICE: {"reason": "leave it alone"}}
    assert () == rebuilt(ledger, there(OGR), there(PACKIT), behind(SERVICE), holds=held)


def test_not_before_all_that_it_comes_after_is_there() -> None:
    """One rebuild for all of them, when the last has moved."""
    ledger = Ledger(proved=proofs(ogr=MOVED))
    assert () == rebuilt(ledger, there(OGR), behind(PACKIT), there(SERVICE))
    held = {PACKIT: {"reason": "leave it alone"}}
    assert () == rebuilt(ledger, there(OGR), behind(PACKIT), there(SERVICE), holds=held)


@pytest.mark.parametrize(("because", "state"), [((OGR,), "success"), ((), "pending"), ((), "failure")])
def test_not_before_all_that_it_comes_after_is_ready(because: tuple[RepositoryName, ...], state: str) -> None:
    """Also when it is too late."""
    said = Signal(kind="status", name="image", state=state, started_at=LATER)  # type: ignore[arg-type]  # one of its literals
    under = CHAIN | {OGR: {"ready": READY}}
    ledger = Ledger(proved=proofs(ogr=MOVED))
    for now in (NOW, NOW + timedelta(days=1)):
        assert because == rebuilt(ledger, under=under, signals=[said], now=now)


@pytest.mark.parametrize(
    ("kind", "code", "said", "now"),
    [
        (Wait, "after", "is not ready", NOW),
        (Hold, "not-ready-in-time", "is not ready", NOW + timedelta(days=1)),
    ],
    ids=["in time", "too late"],
)
def test_a_rebuild_that_is_not_due_yet_is_shown(
    kind: type[Hold | Wait], code: str, said: str, now: datetime
) -> None:
    """It is a wait, and in the end a hold: a build that fails for good must not look like a fleet at rest."""
    under = CHAIN | {OGR: {"ready": READY}}
    ledger = Ledger(proved=proofs(ogr=MOVED))
    repositories = tuple(map(there, (OGR, PACKIT, SERVICE)))
    made = planned(ledger, *repositories, under=under, now=now)
    obstructed = made.items[-1]
    assert isinstance(obstructed, kind)
    assert (SERVICE, code, TARGET) == (obstructed.repository, obstructed.code, obstructed.live)
    assert obstructed.sentence.startswith(f"rebuild.yml has to run again. {OGR} comes first and {said}")
    assert [NoOp, NoOp] == [type(item) for item in made.items[:2]], "and it stops nothing else"
    assert not made.is_converged
    given = accepted(
        {each.name: TARGET for each in repositories},
        under=Policy.model_validate({"version": 1, "repositories": under}),
        ledger=ledger,
    )
    assert (obstructed,) == explain(given, observed(*repositories), SERVICE, now=now)
    assert () == explain(given, observed(*repositories), PACKIT, now=now)


def test_a_rebuild_waits_for_what_is_held() -> None:
    """One rebuild for all that it comes after, and until then it shows what for."""
    ledger = Ledger(proved=proofs(ogr=MOVED))
    held = {PACKIT: {"reason": "leave it alone"}}
    made = planned(ledger, there(OGR), behind(PACKIT), there(SERVICE), holds=held)
    waits = made.items[-1]
    assert isinstance(waits, Wait)
    assert ("after", f"rebuild.yml has to run again. {PACKIT} comes first and has not moved (held).") == (
        waits.code,
        waits.sentence,
    )


def test_a_rebuild_behind_a_move_is_for_the_next_plan() -> None:
    """Nothing is in its way: the run that moves what comes first plans again, and then builds."""
    ledger = Ledger(proved=proofs(ogr=MOVED))
    made = planned(ledger, there(OGR), behind(PACKIT), there(SERVICE))
    assert ((), NoOp) == (made.rebuilds, type(made.items[-1]))


def test_what_is_held_is_not_rebuilt() -> None:
    """To leave a repository alone is to leave its images alone."""
    held = {SERVICE: {"reason": "leave it alone"}}
    made = planned(Ledger(proved=proofs(ogr=MOVED)), there(OGR), there(PACKIT), there(SERVICE), holds=held)
    assert made.is_converged


def test_what_nobody_decided_dispatches_nothing() -> None:
    """A policy that was pushed past everybody names workflows too."""
    given = accepted(
        dict.fromkeys((OGR, PACKIT, SERVICE), TARGET),
        under=Policy.model_validate({"version": 1, "repositories": CHAIN}),
        ledger=Ledger(proved=proofs(ogr=MOVED)),
    )
    fleet = observed(*map(there, (OGR, PACKIT, SERVICE)))
    for update, code in (({"objection": "pushed"}, "not-approved"), ({"stale": "old"}, "stale-document")):
        made = plan(given.model_copy(update=update), fleet, now=NOW)
        assert ((), [code]) == (made.rebuilds, [hold.code for hold in made.holds])


def test_what_the_policy_does_not_list_is_not_rebuilt() -> None:
    assert planned(Ledger(proved=proofs(ogr=MOVED)), there(OGR), there("x/y")).is_converged


def test_without_a_workflow_nothing_is_rebuilt() -> None:
    ledger = Ledger(proved=proofs(ogr=MOVED))
    assert () == rebuilt(ledger, under=CHAIN | {SERVICE: {"after": PACKIT}})
    assert () == rebuilt(ledger, under={OGR: {}, PACKIT: {"after": OGR}})


def test_without_a_ledger_nothing_is_rebuilt() -> None:
    assert () == rebuilt(None)


def test_what_the_document_does_not_name_rebuilds_nothing() -> None:
    ledger = Ledger(proved=proofs(ogr=MOVED))
    assert () == rebuilt(ledger, there(PACKIT), there(SERVICE))


def test_what_stands_beside_rebuilds_nothing() -> None:
    ledger = Ledger(proved=proofs(ogr=MOVED))
    assert () == rebuilt(ledger, under=CHAIN | {PACKIT: {}})


def test_several_are_rebuilt() -> None:
    """One that is not to be rebuilt, or has no need of it, does not end the list."""
    under = CHAIN | {PACKIT: {"after": OGR, "rebuild": "image.yml"}}
    ledger = Ledger(proved=proofs(ogr=MOVED))
    made = planned(ledger, under=under)
    assert [(PACKIT, "image.yml"), (SERVICE, "rebuild.yml")] == [
        (rebuild.repository, rebuild.workflow) for rebuild in made.rebuilds
    ]
    under = CHAIN | {
        OGR: {"rebuild": "never.yml"},
        "a/a": {"after": PACKIT, "rebuild": "a.yml"},
        PACKIT: {"after": OGR},
    }
    ledger = Ledger(proved=proofs(ogr=MOVED), rebuilt={"a/a": NOW})
    made = planned(ledger, *map(there, (OGR, PACKIT, "a/a", SERVICE)), under=under)
    assert [SERVICE] == [rebuild.repository for rebuild in made.rebuilds]


def test_one_whose_turn_has_not_come_stops_no_other() -> None:
    under = {
        "a/a": {},
        "b/b": {"after": "a/a", "rebuild": "b.yml"},
        "c/c": {},
        "d/d": {"after": "c/c", "rebuild": "d.yml"},
    }
    proof = Proof(sha=TARGET, at=MOVED, moved_at=MOVED)
    repositories = (behind("a/a"), there("b/b"), there("c/c"), there("d/d"))
    made = planned(Ledger(proved={"c/c": proof}), *repositories, under=under)
    assert ["d/d"] == [rebuild.repository for rebuild in made.rebuilds]


def test_a_name_is_told_as_it_is_spelt() -> None:
    made = planned(
        Ledger(proved=proofs(ogr=MOVED)),
        there(OGR),
        there(PACKIT),
        there(SERVICE).model_copy(update={"name": "Packit/Packit-Service"}),
    )
    assert ["Packit/Packit-Service"] == [rebuild.name for rebuild in made.rebuilds]


def test_a_ref_that_was_moved_away_counts_as_not_there() -> None:
    ledger = Ledger(proved=proofs(ogr=MOVED))
    away = observed_repository(OGR, live=LIVE)
    assert () == rebuilt(ledger, away, there(PACKIT), there(SERVICE))
