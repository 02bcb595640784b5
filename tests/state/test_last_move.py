"""When the ledger says that a ref was last moved: what is new since then is what evidence asks about."""

from datetime import datetime, timedelta

import pytest

from state.ledger import Ledger, Move, Proof
from tests.builders import LIVE, NOW, OGR, TARGET

EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def found(at: datetime) -> Proof:
    return Proof(sha=TARGET, at=at)


def moved(at: datetime) -> Proof:
    return Proof(sha=TARGET, at=at + timedelta(minutes=1), moved_at=at)


def move(at: datetime) -> Move:
    return Move(repository=OGR, before=LIVE, after=TARGET, at=at, run="run 1")


@pytest.mark.parametrize(
    ("expected", "ledger"),
    [
        (None, Ledger()),
        (EARLIER, Ledger(proved={OGR: found(EARLIER), "packit/packit": found(NOW)})),
        (NOW, Ledger(proved={OGR: found(LATER), "packit/packit": moved(NOW)})),
        (NOW, Ledger(proved={OGR: moved(EARLIER), "packit/packit": moved(NOW)})),
        (LATER, Ledger(proved={OGR: moved(EARLIER)}, moves=(move(NOW), move(LATER)))),
    ],
)
def test_the_last_move(expected: datetime | None, ledger: Ledger) -> None:
    """The newest move, also of an earlier decision; before the first, when the ledger began."""
    assert expected == ledger.last_moved_at
