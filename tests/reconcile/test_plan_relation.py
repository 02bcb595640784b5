"""Relations, permits, moves by hand and the missing ledger: what the way from the ref to the target needs."""

from typing import Any

import pytest

from reconcile.observed import ObservedRepository, Relation
from reconcile.planned import Create, FastForward, Force, Hold, HoldCode, Item, Rewind
from state.ids import ZERO_SHA, Sha
from state.ledger import Ledger, SpentPermit
from tests.builders import (
    LIVE,
    OGR,
    TARGET,
    accepted,
    decide,
    observed_repository,
    observed_target,
    policy,
    proved,
    sha,
)

CREATE, FORWARD, REWIND, DIVERGED = (
    Relation.CREATE,
    Relation.FAST_FORWARD,
    Relation.REWIND,
    Relation.DIVERGED,
)
KIND = {REWIND: "rewind", DIVERGED: "force", FORWARD: "move", CREATE: "move"}
MOVE: dict[Relation, type[Create | FastForward | Rewind | Force]] = {
    CREATE: Create,
    FORWARD: FastForward,
    REWIND: Rewind,
    DIVERGED: Force,
}
EMPTY = Ledger()


def repository(relation: Relation, *, ahead: int = 2, behind: int = 3) -> ObservedRepository:
    ahead = ahead if relation in {FORWARD, DIVERGED} else 0
    behind = behind if relation in {REWIND, DIVERGED} else 0
    return observed_repository(
        live=None if relation is CREATE else LIVE,
        target=observed_target(relation=relation, ahead=ahead, behind=behind),
    )


def permit(kind: str, from_: Sha = LIVE, to: Sha = TARGET, **rest: Any) -> dict[str, Any]:
    return {"permits": {OGR: {kind: {"from": from_, "to": to, "reason": "rollback of #1", **rest}}}}


def live_of(relation: Relation) -> Sha:
    return ZERO_SHA if relation is CREATE else LIVE


def code_of(item: Item) -> str | None:
    return item.code if isinstance(item, Hold) else None


@pytest.mark.parametrize(
    ("code", "relation", "ledger"),
    [
        (None, CREATE, EMPTY),
        (None, FORWARD, EMPTY),
        ("rewind-needs-permit", REWIND, EMPTY),
        ("diverged", DIVERGED, EMPTY),
        ("ledger-missing", CREATE, None),
        (None, FORWARD, None),
        ("rewind-needs-permit", REWIND, None),
        ("diverged", DIVERGED, None),
        ("moved-by-hand", CREATE, proved()),
        ("moved-by-hand", FORWARD, proved()),
        ("moved-by-hand", REWIND, proved()),
        ("moved-by-hand", DIVERGED, proved()),
        (None, CREATE, proved(LIVE)),
        (None, FORWARD, proved(LIVE)),
        ("rewind-needs-permit", REWIND, proved(LIVE)),
        (None, FORWARD, proved(TARGET, "packit/other")),
    ],
)
def test_without_permit(code: HoldCode | None, relation: Relation, ledger: Ledger | None) -> None:
    """Only fast-forwards and new refs need nothing; what was proved here and left is a person's doing."""
    item = decide(accepted(ledger=ledger), repository(relation))
    assert code == code_of(item)
    assert code or type(item) is MOVE[relation]


@pytest.mark.parametrize("relation", MOVE)
@pytest.mark.parametrize("ledger", [EMPTY, proved(), proved(LIVE)])
def test_permit_allows_its_move(relation: Relation, ledger: Ledger) -> None:
    """The permit of the right kind allows exactly its move, also for what was moved by hand."""
    given = accepted(ledger=ledger, **permit(KIND[relation], live_of(relation)))
    item = decide(given, repository(relation))
    assert isinstance(item, MOVE[relation])
    assert item.is_permitted


@pytest.mark.parametrize("relation", [REWIND, DIVERGED])
@pytest.mark.parametrize(
    ("from_", "to"), [(sha("e"), TARGET), (LIVE, sha("e")), (TARGET, LIVE), (ZERO_SHA, TARGET)]
)
def test_permit_is_for_exactly_its_shas(relation: Relation, from_: Sha, to: Sha) -> None:
    """A permit with another end is none."""
    item = decide(accepted(**permit(KIND[relation], from_, to)), repository(relation))
    assert isinstance(item, Hold)


@pytest.mark.parametrize("relation", [REWIND, DIVERGED])
@pytest.mark.parametrize("kind", ["rewind", "force", "move"])
def test_permit_is_for_exactly_its_kind(relation: Relation, kind: str) -> None:
    """A rewind permit forces nothing, and the reverse; move takes nothing back."""
    item = decide(accepted(**permit(kind)), repository(relation))
    assert (kind == KIND[relation]) == (not isinstance(item, Hold))


@pytest.mark.parametrize("relation", MOVE)
def test_permit_is_spent_once(relation: Relation) -> None:
    """The ledger remembers a permit that was used, and it allows nothing again."""
    from_ = live_of(relation)
    ledger = Ledger(spent=(SpentPermit(repository=OGR, from_=from_, to=TARGET),))
    item = decide(accepted(ledger=ledger, **permit(KIND[relation], from_)), repository(relation))
    assert code_of(item) == "permit-spent"


@pytest.mark.parametrize(
    "spent",
    [
        SpentPermit(repository="packit/other", from_=LIVE, to=TARGET),
        SpentPermit(repository=OGR, from_=TARGET, to=LIVE),
        SpentPermit(repository=OGR, from_=LIVE, to=sha("e")),
    ],
)
def test_another_spent_permit(spent: SpentPermit) -> None:
    """What was spent elsewhere, or the other way, spends nothing here."""
    item = decide(accepted(ledger=Ledger(spent=(spent,)), **permit("rewind")), repository(REWIND))
    assert isinstance(item, Rewind)


@pytest.mark.parametrize("relation", [CREATE, REWIND, DIVERGED])
def test_permit_needs_a_ledger(relation: Relation) -> None:
    """Whether a permit has been used is not known without a ledger."""
    given = accepted(ledger=None, **permit(KIND[relation], live_of(relation)))
    assert code_of(decide(given, repository(relation))) == "ledger-missing"


@pytest.mark.parametrize(("code", "ledger"), [("create-refused", EMPTY), ("create-refused", None)])
def test_creation_may_be_refused(code: HoldCode, ledger: Ledger | None) -> None:
    """A policy that creates nothing holds, unless a permit names the creation."""
    under = policy(OGR, moves={"create": "refuse"})
    assert code == code_of(decide(accepted(under=under, ledger=ledger), repository(CREATE)))
    allowed = accepted(under=under, **permit("move", ZERO_SHA))
    assert isinstance(decide(allowed, repository(CREATE)), Create)


@pytest.mark.parametrize(("commits", "relation"), [(0, CREATE), (2, FORWARD), (3, REWIND), (2, DIVERGED)])
def test_commits_of_a_move(commits: int, relation: Relation) -> None:
    """A move counts what goes out with it; a rewind counts what it takes back."""
    item = decide(accepted(**permit(KIND[relation], live_of(relation))), repository(relation))
    assert isinstance(item, MOVE[relation])
    assert commits == item.commits


def test_moved_by_hand_says_when_and_where() -> None:
    """The sentence names the proof's time and where the ref stands now."""
    item = decide(accepted(ledger=proved()), repository(FORWARD))
    assert isinstance(item, Hold)
    assert "2026-02-23 10:00 UTC" in item.sentence
    assert LIVE[:7] in item.sentence
