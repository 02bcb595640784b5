"""A hundred real production moves: what goes forward lands, and all else is held for the right reason."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.replay.moves import VARIABLE, Kind, Recording, expect, find_recording, load_recording
from tests.replay.production import Verdict, replay

CODES = {
    Kind.SAME: "no-op",
    Kind.FORWARD: "moved",
    Kind.AFTER: "after",
    Kind.BACKWARD: "rewind-needs-permit",
    Kind.OFF_BRANCH: "not-on-source",
    Kind.UNKNOWN: "unknown-commit",
}
STRETCH = {
    Kind.SAME: 129,
    Kind.FORWARD: 67,
    Kind.AFTER: 1,
    Kind.BACKWARD: 4,
    Kind.OFF_BRANCH: 3,
    Kind.UNKNOWN: 4,
}
"""From the 73rd record on: all kinds, in a quarter of the time."""
WHOLE = STRETCH | {Kind.SAME: 458, Kind.FORWARD: 310, Kind.BACKWARD: 16}
"""A stale clone went back all 16 times; the 3 hotfixes were put on stable by hand."""


@pytest.fixture(scope="module")
def recording() -> Recording:
    path = find_recording()
    if not path.is_file():
        pytest.skip(f"There is no recording of real moves at {path}; {VARIABLE} can name one")
    return load_recording(path)


@pytest.mark.parametrize(
    ("first", "counts"),
    [
        pytest.param(73, STRETCH, id="from the 73rd"),
        pytest.param(0, WHOLE, id="all", marks=(pytest.mark.slow, pytest.mark.timeout(600))),
    ],
)
async def test_real_moves(
    recording: Recording, first: int, counts: Mapping[Kind, int], tmp_path: Path
) -> None:
    """Each recorded target is judged as the graphs say, and each branch stands where git says that leaves it."""
    part = recording.model_copy(update={"records": recording.records[first:]})
    expected = tuple(expect(part))
    assert counts == Counter(each.kind for each in expected)
    off_branch = {
        name: frozenset(
            each.target for each in expected if each.kind is Kind.OFF_BRANCH and each.repository == name
        )
        for name in part.graphs
    }
    replayed = await replay(part, tmp_path, off_branch=off_branch)
    assert (
        tuple(
            Verdict(each.record, each.repository, each.target, CODES[each.kind], each.live)
            for each in expected
        )
        == replayed.verdicts
    )
    assert {each.repository: each.live for each in expected} == replayed.proved
