"""What people read of a plan: the whole sentence of every reason code that the plan knows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from reconcile.observed import Accepted, Activity, Observed, ObservedRepository, Relation
from reconcile.plan import explain, plan
from reconcile.planned import Hold, Wait
from state.ids import ZERO_SHA
from state.ledger import Ledger, Proof, SpentPermit
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
    proved,
    sha,
)

FREEZE = {"name": "end of year", "from": "2026-03-01T00:00", "until": "2026-03-03T08:00", "zone": "UTC"}
TUESDAYS = {"days": "Tue", "from": "08:00", "until": "16:00", "zone": "UTC"}
BAD = sha("1")
CREATE = observed_repository(live=None, target=observed_target(relation=Relation.CREATE, ahead=0))
REWIND = observed_repository(target=observed_target(relation=Relation.REWIND, ahead=0, behind=3))
DIVERGED = observed_repository(target=observed_target(relation=Relation.DIVERGED, ahead=2, behind=3))


pytestmark = pytest.mark.usefixtures("_elsewhere")


def permit(kind: str = "rewind", **rest: Any) -> dict[str, Any]:
    return {"permits": {OGR: {kind: {"from": LIVE, "to": TARGET, "reason": "rollback of #1", **rest}}}}


@pytest.mark.parametrize(
    ("sentence", "given", "repository"),
    [
        ("It was rewound.", accepted(stale="It was rewound."), observed_repository()),
        ("It was pushed.", accepted(unapproved={OGR: "It was pushed."}), observed_repository()),
        (
            "Held in the document: waits for the login page. Remove the hold to let it move.",
            accepted(holds={OGR: {"reason": "waits for the login page"}}),
            observed_repository(),
        ),
        (
            "The policy does not list packit/ogr. Add it there, or remove the target.",
            accepted(under=policy("packit/other")),
            observed_repository(),
        ),
        (
            "packit/ogr does not exist, or the account may not see it. Correct the name, or grant access.",
            accepted(),
            None,
        ),
        (
            "packit/ogr is now Packit/OGR2. Write the new name in both documents.",
            accepted(),
            observed_repository("Packit/OGR2"),
        ),
        (
            "packit/ogr is archived and takes no pushes. Unarchive it, or remove the target.",
            accepted(),
            observed_repository(is_archived=True),
        ),
        (
            "The account may only triage packit/ogr. Grant it write access to contents.",
            accepted(),
            observed_repository(permission="TRIAGE"),
        ),
        (
            f"packit/ogr has no commit {TARGET}. Write the sha of a commit that was pushed there.",
            accepted(),
            observed_repository(target=None),
        ),
        (
            (
                "bbbbbbb is not on main or release of packit/ogr (a fork's commit, or a deleted branch's). "
                "Merge it first."
            ),
            accepted(under=policy(OGR, moves={"allowed_branches": ["main", "release"]})),
            observed_repository(target=observed_target(on_branch=None)),
        ),
        (
            (
                "bbbbbbb contains 1111111, which is blocked: broke builds. Choose a commit with the fix, or name the "
                "fix under fixed_by, or remove the block."
            ),
            accepted(blocks={OGR: {BAD: {"reason": "broke builds"}}}),
            observed_repository(target=observed_target(contains=[BAD])),
        ),
        (
            (
                "bbbbbbb is blocked: broke builds. Choose a commit with the fix, or name the fix under fixed_by, or "
                "remove the block."
            ),
            accepted(blocks={OGR: {TARGET: {"reason": "broke builds"}}}),
            observed_repository(),
        ),
        (
            (
                "The permit from aaaaaaa to bbbbbbb has been used, and is good for one move. Remove it; a new move "
                "needs another."
            ),
            accepted(ledger=Ledger(spent=(SpentPermit(repository=OGR, from_=LIVE, to=TARGET),)), **permit()),
            REWIND,
        ),
        (
            (
                "The permit from nothing to bbbbbbb has been used, and is good for one move. Remove it; a new move "
                "needs another."
            ),
            accepted(
                ledger=Ledger(spent=(SpentPermit(repository=OGR, from_=ZERO_SHA, to=TARGET),)),
                **permit("move", **{"from": ZERO_SHA}),
            ),
            CREATE,
        ),
        (
            (
                "The ref was at its target on 2026-02-23 10:00 UTC and has been moved to aaaaaaa since. Take that into "
                "the file (stablehand adopt), or put it back with a permit (stablehand restore); nothing is moved "
                "back by itself."
            ),
            accepted(ledger=proved()),
            observed_repository(),
        ),
        (
            "Going back from aaaaaaa to bbbbbbb takes back 3 commits. Add a rewind permit that names both shas.",
            accepted(),
            REWIND,
        ),
        (
            "The ref has 3 commits that bbbbbbb lacks. Add a force permit that names both shas, or merge them first.",
            accepted(),
            DIVERGED,
        ),
        (
            "The ref does not exist, and the policy refuses to create it.",
            accepted(under=policy(OGR, moves={"create": "refuse"})),
            CREATE,
        ),
        (
            (
                "There is no ledger yet, and without it only fast-forwards are safe. The first run writes it, and the "
                "next one goes on."
            ),
            accepted(ledger=None),
            CREATE,
        ),
        (
            (
                "The move from aaaaaaa to bbbbbbb has 3 commits, and the policy allows 2 at once. Choose a commit "
                "in between, or add a permit despite: limit-exceeded."
            ),
            accepted(under=policy(OGR, limits={"commits_per_repository": 2})),
            observed_repository(target=observed_target(ahead=3)),
        ),
        (
            "The freeze “end of year” lasts until 2026-03-03 08:00 UTC.",
            accepted(under=policy(OGR, freezes=[FREEZE])),
            observed_repository(),
        ),
        (
            "No window is open; the next one opens Tue 2026-03-03 08:00 UTC.",
            accepted(under=policy(OGR, windows=[TUESDAYS])),
            observed_repository(),
        ),
        (
            "The commit soaks until 2026-03-02 10:30 UTC.",
            accepted(under=policy(OGR, soak="1h")),
            observed_repository(target=observed_target(committed_at=NOW - timedelta(minutes=30))),
        ),
    ],
    ids=lambda value: "-".join(value.split(" ")[:2]) if isinstance(value, str) else "",
)
def test_the_sentence(sentence: str, given: Accepted, repository: ObservedRepository | None) -> None:
    item = decide(given, repository)
    assert isinstance(item, Hold | Wait)
    assert sentence == item.sentence


@pytest.mark.parametrize(
    ("who", "actor"), [("by alice on 2026-03-01 10:00 UTC", "alice"), ("by somebody on", None)]
)
def test_who_moved_it_by_hand(who: str, actor: str | None) -> None:
    """In UTC, whatever zone GitHub answered in."""
    at = datetime.fromisoformat("2026-03-01T11:00:00+01:00")
    found = observed(observed_repository()).model_copy(
        update={"activity": {OGR: Activity(actor=actor, at=at)}}
    )
    (hold,) = plan(accepted(ledger=proved()), found, now=NOW).holds
    assert f"has been moved to aaaaaaa since {who}" in hold.sentence


def test_a_ref_that_was_deleted_by_hand() -> None:
    (hold,) = plan(accepted(ledger=proved()), observed(CREATE), now=NOW).holds
    assert "has been deleted since. Take that" in hold.sentence


def test_one_commit_is_one_commit() -> None:
    back = observed_repository(target=observed_target(relation=Relation.REWIND, ahead=0, behind=1))
    (hold,) = plan(accepted(), observed(back), now=NOW).holds
    assert "takes back 1 commit. " in hold.sentence


def test_the_limit_of_the_whole_plan() -> None:
    names = ("a/a", "b/b")
    given = accepted(dict.fromkeys(names, TARGET), under=policy(*names, limits={"repositories": 1}))
    made = plan(given, observed(*map(observed_repository, names)), now=NOW)
    assert {
        (
            "2 repositories would move, and the policy allows 1 at once. Take some targets back, or add permits "
            "despite: limit-exceeded."
        )
    } == {hold.sentence for hold in made.holds}


def test_what_has_not_moved_is_named_with_its_reason() -> None:
    given = accepted(
        {"a/a": TARGET, "b/b": TARGET},
        under=policy("a/a", after={"b/b": ["a/a"]}),
        holds={"a/a": {"reason": "leave it alone"}},
    )
    made = plan(given, observed(observed_repository("A/A"), observed_repository("b/b")), now=NOW)
    assert ["A/A comes first and has not moved (held)."] == [wait.sentence for wait in made.waits]


# All that stands in the way


def explained(given: Accepted, repository: ObservedRepository | None) -> list[str]:
    found = Observed(at=NOW, repositories={OGR: repository} if repository else {})
    return [each.code for each in explain(given, found, OGR, now=NOW)]


def test_everything_is_told_in_the_order_of_the_rules() -> None:
    """Holds, then waits; the plan shows the first of them."""
    given = accepted(
        under=policy(OGR, freezes=[FREEZE], windows=[TUESDAYS]), holds={OGR: {"reason": "leave it"}}
    )
    assert ["held", "rewind-needs-permit", "frozen", "outside-window"] == explained(given, REWIND)
    item = decide(given, REWIND)
    assert isinstance(item, Hold)
    assert "held" == item.code


def test_nothing_rests_on_what_does_not_exist() -> None:
    given = accepted(under=policy(OGR, freezes=[FREEZE]), holds={OGR: {"reason": "leave it"}})
    assert ["held", "repository-missing"] == explained(given, None)
    assert ["held", "unknown-commit"] == explained(given, observed_repository(target=None))


def test_nothing_stands_in_the_way_of_what_may_move_or_is_there() -> None:
    assert [] == explained(accepted(), observed_repository())
    there = observed_target(relation=Relation.IDENTICAL, ahead=0)
    held = accepted(holds={OGR: {"reason": "leave it"}})
    assert [] == explained(held, observed_repository(live=TARGET, target=there))


def test_what_comes_first_is_told_too() -> None:
    names = ("a/a", "b/b", OGR)
    given = accepted(
        dict.fromkeys(names, TARGET),
        under=policy(*names[:2], after={OGR: names[:2]}),
        holds={"a/a": {"reason": "leave it"}, "b/b": {"reason": "leave it"}},
    )
    found = observed(*map(observed_repository, names))
    assert [
        "a/a comes first and has not moved (held).",
        "b/b comes first and has not moved (held).",
    ] == [each.sentence for each in explain(given, found, OGR, now=NOW)]


def test_what_the_document_does_not_name_is_not_explained() -> None:
    with pytest.raises(KeyError):
        explain(accepted(), observed(observed_repository()), "packit/other", now=NOW)


def test_what_comes_first_and_is_not_ready_is_told_too() -> None:
    ready = {"statuses": {"contexts": "image"}}
    under = Policy.model_validate(
        {"version": 1, "freezes": [FREEZE], "repositories": {"a/a": {"ready": ready}, OGR: {"after": "a/a"}}}
    )
    moved = Proof(sha=TARGET, at=NOW, moved_at=NOW)
    given = accepted({"a/a": TARGET, OGR: TARGET}, under=under, ledger=Ledger(proved={"a/a": moved}))
    there = observed_repository("a/a", live=TARGET, target=observed_target(relation=Relation.IDENTICAL))
    frozen, after = explain(given, observed(there, observed_repository()), OGR, now=NOW)
    assert ["frozen", "after"] == [frozen.code, after.code]
    assert (
        "a/a comes first and is not ready: nothing that counts has started since it moved on 2026-03-02 10:00 UTC."
        == after.sentence
    )
