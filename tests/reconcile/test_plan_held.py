"""Rule 2: what a person must look at first. The most fundamental reason is told."""

import re
from typing import Any

import pytest

from reconcile.observed import Accepted, ObservedRepository, Relation
from reconcile.planned import FastForward, Hold, HoldCode
from tests.builders import OGR, TARGET, accepted, decide, observed_repository, observed_target, policy

HELD: dict[str, Any] = {"holds": {OGR: {"reason": "waits for the login page"}}}
BLOCKED: dict[str, Any] = {"blocks": {OGR: {TARGET: {"reason": "broke srpm builds"}}}}


@pytest.mark.parametrize(
    ("code", "given", "repository"),
    [
        ("stale-document", accepted(stale="old"), observed_repository()),
        ("not-approved", accepted(unapproved={OGR: "pushed"}), observed_repository()),
        ("held", accepted(**HELD), observed_repository()),
        ("not-in-policy", accepted(under=policy("packit/other")), observed_repository()),
        ("repository-missing", accepted(), None),
        ("renamed", accepted(), observed_repository("packit/ogr2")),
        ("archived", accepted(), observed_repository(is_archived=True)),
        ("no-permission", accepted(), observed_repository(permission="READ")),
        ("no-permission", accepted(), observed_repository(permission="TRIAGE")),
        ("unknown-commit", accepted(), observed_repository(target=None)),
        ("not-on-source", accepted(), observed_repository(target=observed_target(on_branch=None))),
        ("blocked", accepted(**BLOCKED), observed_repository()),
    ],
)
def test_each_reason(code: HoldCode, given: Accepted, repository: ObservedRepository | None) -> None:
    """Each reason holds by itself, and says something."""
    item = decide(given, repository)
    assert isinstance(item, Hold)
    assert code == item.code
    assert re.search(r"[.!]$", item.sentence) or item.sentence in {"old", "pushed"}


@pytest.mark.parametrize("permission", ["WRITE", "MAINTAIN", "ADMIN", None])
def test_rights_that_suffice(permission: str | None) -> None:
    """A right that GitHub does not tell is no objection: only a refusal is."""
    assert isinstance(decide(accepted(), observed_repository(permission=permission)), FastForward)


def test_case_is_no_renaming() -> None:
    """GitHub's spelling of a name does not matter, and is what people are shown."""
    item = decide(accepted(), observed_repository("Packit/OGR"))
    assert isinstance(item, FastForward)
    assert (OGR, "Packit/OGR") == (item.repository, item.name)


def test_a_hold_does_not_run_out() -> None:
    """The date of a hold is for the proposal; the plan does not read it."""
    over: dict[str, Any] = {"holds": {OGR: {"reason": "until Monday", "until": "2020-01-01T00:00 UTC"}}}
    item = decide(accepted(**over))
    assert isinstance(item, Hold)
    assert item.code == "held"


def test_missing_repository_has_its_documents_name() -> None:
    """Where GitHub knows nothing, the document's name and no address are shown."""
    item = decide(accepted(), None)
    assert (OGR, None, None) == (item.name, item.url, item.live)


ORDER: tuple[HoldCode, ...] = (
    "stale-document",
    "not-approved",
    "held",
    "not-in-policy",
    "renamed",
    "archived",
    "no-permission",
    "not-on-source",
    "blocked",
    "diverged",
)


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_most_fundamental_reason_is_told(first: int) -> None:
    """With everything from one reason on wrong, that reason is the one shown."""
    wrong = set(ORDER[first:])
    target = observed_target(
        on_branch=None if "not-on-source" in wrong else "main", relation=Relation.DIVERGED, behind=1
    )
    repository = observed_repository(
        "packit/elsewhere" if "renamed" in wrong else OGR,
        target=target,
        is_archived="archived" in wrong,
        permission="READ" if "no-permission" in wrong else "WRITE",
    )
    sections = (HELD if "held" in wrong else {}) | (BLOCKED if "blocked" in wrong else {})
    given = accepted(
        stale="old" if "stale-document" in wrong else None,
        unapproved={OGR: "pushed"} if "not-approved" in wrong else {},
        under=policy("packit/other") if "not-in-policy" in wrong else None,
        **sections,
    )
    item = decide(given, repository)
    assert isinstance(item, Hold)
    assert ORDER[first] == item.code
