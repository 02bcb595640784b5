"""Observe: what is asked of a fleet besides its refs, and of whom; nothing where nobody needs it."""

from datetime import timedelta
from typing import Any

import pytest

from reconcile.observe import awaited_commits, in_doubt, moved_by_hand, observe, wanted_of
from reconcile.observed import Accepted, Activity, ObservedRepository, Relation, Signal, Wanted
from state.ids import RepositoryName, Sha
from state.ledger import Intent, Ledger, Proof
from state.policy import Policy
from tests.builders import (
    LIVE,
    NOW,
    OGR,
    TARGET,
    accepted,
    desired,
    observed,
    observed_repository,
    observed_target,
    sha,
)
from tests.fakes import FakeGitHub, FakeRepository

PACKIT, SERVICE, TOKMAN = "packit/packit", "packit/packit-service", "packit/tokman"
AT_TARGET = observed_target(relation=Relation.IDENTICAL, ahead=0)
READY = {"check_runs": {"app": "packit-as-a-service"}}


def rules(**repositories: Any) -> Policy:
    """Make a policy of a chain ogr → packit → packit-service with tokman beside it; keywords add to its rules."""
    chain: dict[str, dict[str, Any]] = {
        OGR: {"ready": READY},
        PACKIT: {"after": OGR},
        SERVICE: {"after": PACKIT},
        TOKMAN: {},
    }
    added = {name: chain[name] | repositories.get(name.split("/")[1].replace("-", "_"), {}) for name in chain}
    return Policy.model_validate({"version": 1, "repositories": added})


def given(
    under: Policy | None = None, *names: RepositoryName, ledger: Ledger | None = None, **rest: Any
) -> Accepted:
    ledger = moved(OGR) if ledger is None else ledger
    targets = dict.fromkeys(names or (OGR, PACKIT, SERVICE), TARGET)
    return accepted(targets, under=under or rules(), ledger=ledger, **rest)


def moved(*names: RepositoryName, commit: Sha = TARGET) -> Ledger:
    at = NOW - timedelta(minutes=10)
    return Ledger(proved={name: Proof(sha=commit, at=at, moved_at=at) for name in names})


def there(name: str) -> ObservedRepository:
    return observed_repository(name, live=TARGET, target=AT_TARGET)


def behind(name: str) -> ObservedRepository:
    return observed_repository(name)


# What to observe of a repository


def test_blocks_and_fixes_are_asked_about() -> None:
    """Each once, of the repository that they are blocked in."""
    bad, worse, fix = sha("1"), sha("2"), sha("3")
    blocks = {
        OGR: {
            bad: {"reason": "broke builds", "fixed_by": fix},
            worse: {"reason": "broke more", "fixed_by": fix},
        }
    }
    assert {
        OGR: Wanted(target=TARGET, ancestors=(bad, worse, fix)),
        PACKIT: Wanted(target=TARGET),
    } == wanted_of(desired({OGR: TARGET, PACKIT: TARGET}, blocks=blocks))


# Whose readiness is asked about


@pytest.mark.parametrize("ahead_of", [PACKIT, SERVICE])
def test_what_something_unfinished_comes_after(ahead_of: str) -> None:
    """Near and far."""
    fleet = observed(*(behind(name) if name == ahead_of else there(name) for name in (OGR, PACKIT, SERVICE)))
    assert {OGR: TARGET} == awaited_commits(given(), fleet)


def test_nobody_waits_when_all_is_done() -> None:
    assert {} == awaited_commits(given(), observed(*map(there, (OGR, PACKIT, SERVICE))))


def test_a_rebuild_waits_though_its_ref_is_there() -> None:
    under = rules(packit_service={"rebuild": "rebuild.yml"})
    assert {OGR: TARGET} == awaited_commits(given(under), observed(*map(there, (OGR, PACKIT, SERVICE))))


def test_what_cannot_be_seen_waits() -> None:
    """It may appear, and then it is behind."""
    assert {OGR: TARGET} == awaited_commits(given(), observed(there(OGR), there(SERVICE)))


def test_nobody_waits_for_what_comes_last_or_stands_beside() -> None:
    fleet = observed(there(OGR), behind(TOKMAN))
    assert {} == awaited_commits(given(None, OGR, TOKMAN), fleet)
    assert {} == awaited_commits(given(None, OGR), observed(behind(OGR)))


@pytest.mark.parametrize(
    ("ledger", "first"),
    [
        (Ledger(), there(OGR)),
        (Ledger(proved={OGR: Proof(sha=TARGET, at=NOW)}), there(OGR)),
        (moved(OGR, commit=LIVE), there(OGR)),
        (moved(OGR), behind(OGR)),
    ],
    ids=["unknown", "adopted", "moved elsewhere", "not there"],
)
def test_what_was_not_moved_to_its_target_has_nothing_to_become(
    ledger: Ledger, first: ObservedRepository
) -> None:
    assert {} == awaited_commits(given(ledger=ledger), observed(first, behind(PACKIT)))


def test_without_a_rule_or_a_ledger_nothing_is_asked() -> None:
    assert {} == awaited_commits(given(rules(ogr={"ready": None})), observed(there(OGR), behind(PACKIT)))
    no_ledger = given().model_copy(update={"ledger": None})
    assert {} == awaited_commits(no_ledger, observed(there(OGR), behind(PACKIT)))


def test_what_is_not_observed_is_not_asked_about() -> None:
    assert {} == awaited_commits(given(), observed(behind(PACKIT)))


def test_repositories_that_the_policy_does_not_list() -> None:
    """Neither one that waits nor one that is waited for stops the run; the plan says what is wrong with them."""
    under = Policy.model_validate({"version": 1, "repositories": {PACKIT: {"after": OGR}}})
    fleet = observed(there(OGR), behind(PACKIT), behind(TOKMAN))
    assert {} == awaited_commits(given(under, OGR, PACKIT, TOKMAN), fleet)


# Whose activity is asked about


@pytest.mark.parametrize(
    ("expected", "ledger", "found"),
    [
        ({OGR}, moved(OGR), behind(OGR)),
        ({OGR}, Ledger(proved={OGR: Proof(sha=TARGET, at=NOW)}), behind(OGR)),
        ({OGR}, moved(OGR), observed_repository(OGR, live=None)),
        (set(), moved(OGR), there(OGR)),
        (set(), moved(OGR, commit=LIVE), behind(OGR)),
        (set(), Ledger(), behind(OGR)),
        (set(), moved(PACKIT), behind(OGR)),
    ],
)
def test_moved_by_hand(expected: set[str], ledger: Ledger, found: ObservedRepository) -> None:
    """Proved at the very target that the file still has, and elsewhere now."""
    assert expected == moved_by_hand(given(None, OGR, ledger=ledger), observed(found))


def test_what_cannot_be_seen_was_not_moved() -> None:
    assert set() == moved_by_hand(given(None, OGR), observed())
    assert set() == moved_by_hand(given(None, OGR).model_copy(update={"ledger": None}), observed(behind(OGR)))


@pytest.mark.parametrize(
    ("expected", "is_permitted", "found"),
    [
        ({OGR}, True, behind(OGR)),
        (set(), False, behind(OGR)),
        (set(), True, there(OGR)),
        (set(), True, behind(PACKIT)),
    ],
)
def test_in_doubt(expected: set[str], is_permitted: object, found: ObservedRepository) -> None:
    """Intended under a permit, and still, or again, where the intent found it."""
    intent = Intent(
        repository=OGR, before=LIVE, after=TARGET, is_permitted=bool(is_permitted), run="killed", at=NOW
    )
    assert expected == in_doubt(given(None, OGR, ledger=Ledger(intents=(intent,))), observed(found))


# All of it in one snapshot


def github() -> FakeGitHub:
    graph: dict[Sha, tuple[Sha, ...]] = {LIVE: (), TARGET: (LIVE,)}
    return FakeGitHub(
        *(
            FakeRepository(name, dict(graph), {"main": TARGET, "stable": TARGET if name == OGR else LIVE})
            for name in (OGR, PACKIT, SERVICE)
        )
    )


async def test_signals_of_what_others_wait_for() -> None:
    fake, signal = github(), Signal(kind="status", name="image", state="success", started_at=NOW)
    fake.signals[OGR, TARGET].append(signal)

    found = await observe(fake, given())

    assert {OGR: (signal,)} == found.signals
    assert ["observe_fleet", "observe_signals"] == fake.requests


async def test_activity_of_what_was_moved_by_hand() -> None:
    fake, activity = github(), Activity(actor="alice", at=NOW)
    fake.activity = {OGR: activity, PACKIT: Activity(actor="bob", at=NOW)}
    fake.push(OGR, LIVE)

    found = await observe(fake, given())

    assert {OGR: activity} == found.activity
    assert ["observe_fleet", "observe_activity"] == fake.requests


async def test_the_fleet_alone_where_nothing_else_matters() -> None:
    fake = github()

    found = await observe(fake, given(ledger=Ledger()))

    assert ({}, {}) == (found.signals, found.activity)
    assert ["observe_fleet"] == fake.requests
