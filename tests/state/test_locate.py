"""Where a path stands in a text."""

import pytest

from state.nodes import Path
from state.yaml_io import locate
from tests.state.examples import POLICY, STATE


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ((1, 1), ()),
        ((2, 6), ("ref",)),
        ((3, 1), ("targets",)),
        ((4, 15), ("targets", "packit/ogr")),
        ((4, 15), ("targets", "Packit/OGR")),
        ((7, 3), ("holds", "packit/dashboard")),
        ((8, 13), ("holds", "packit/dashboard", "reason")),
        ((14, 7), ("blocks", "packit/packit", "7c5e02df3b2b208186c6cebb2412d3fc5f26dee7", "fixed_by")),
        ((21, 17), ("permits", "packit/packit-service", "rewind", "despite", 0)),
        (None, ("permits", "packit/packit-service", "rewind", "despite", 1)),
        (None, ("targets", "packit/specfile")),
        (None, ("ref", "stable")),
    ],
)
def test_state(expected: tuple[int, int] | None, path: Path) -> None:
    """A value is found where it is, a section or an empty value at its key."""
    assert expected == locate(STATE, path)
    assert expected == locate("\ufeff" + STATE.replace("\n", "\r\n"), path)


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ((6, 3), ("repositories", "packit/ogr")),
        ((8, 39), ("repositories", "packit/packit", "after", 1)),
        ((16, 16), ("validation", 0, "check_runs", "authors")),
        ((16, 16), ("validation", 0, "check_runs", "authors", 0)),
        (None, ("validation", 0, "check_runs", "authors", 1)),
    ],
)
def test_policy(expected: tuple[int, int] | None, path: Path) -> None:
    """A single value stands for a list of one."""
    assert expected == locate(POLICY, path)


@pytest.mark.parametrize("text", ["", "a: [", "\t", "x" * 2_000_000])
def test_unreadable(text: str) -> None:
    """Nothing is found in what cannot be read."""
    assert locate(text, ("targets",)) is None
