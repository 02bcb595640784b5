"""The recorded moves of a real fleet, and what its commit graphs alone say about each.

Reads the recording and walks its graphs; knows neither git nor anything of the product, so that what it expects is
a second opinion.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from state.ids import Frozen, Sha

VARIABLE = "STABLEHAND_REPLAY_DATA"
ORDER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"packit": ("ogr", "specfile"), "packit-service": ("packit", "sandcastle")}
)
"""What each repository is built from, and therefore moves after."""
_ROOT = Path(__file__).resolve().parents[2]


class Kind(Enum):
    """What a recorded target is to the branch as it stands."""

    SAME = "in place"
    FORWARD = "forward"
    AFTER = "forward, after one that cannot move"
    BACKWARD = "backward"
    OFF_BRANCH = "on no branch"
    UNKNOWN = "not in the recording"


class Commit(NamedTuple):
    sha: Sha
    parents: tuple[Sha, ...]
    at: datetime
    pull_request: int | None = None


class Graph(Frozen):
    """One repository's commits, oldest first. A parent that is not among them lies before the recording."""

    commits: tuple[Commit, ...]
    not_found: tuple[Sha, ...]
    """Recorded targets that are on none of its branches."""

    @property
    def head(self) -> Commit:
        return self.commits[-1]


class Record(Frozen):
    """What was put out at one time: a target for every repository."""

    at: datetime
    targets: dict[str, Sha]


class Recording(Frozen):
    records: tuple[Record, ...]
    graphs: dict[str, Graph]


class Expected(NamedTuple):
    """One recorded target, and what it is to the branch if only what goes forward has moved so far."""

    record: int
    repository: str
    target: Sha
    kind: Kind
    live: Sha
    """Where the branch stands afterwards."""


def find_recording() -> Path:
    """Say where the recording should be; it is no part of the project."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else _ROOT.parent / "shared" / "data" / "packit-moves.json"


def load_recording(path: Path) -> Recording:
    return Recording.model_validate_json(path.read_bytes())


def expect(recording: Recording) -> Iterator[Expected]:
    """Follow the records from the first one, which is where the branches stand; only what goes forward moves."""
    graphs = {
        name: {commit.sha: commit.parents for commit in graph.commits}
        for name, graph in recording.graphs.items()
    }
    live = dict(recording.records[0].targets)
    for number, record in enumerate(recording.records[1:], 1):
        kinds: dict[str, Kind] = {}
        for name, target in record.targets.items():
            kinds[name] = _kind(graphs[name], live[name], target)
            if kinds[name] is Kind.UNKNOWN and record.at <= recording.graphs[name].head.at:
                kinds[name] = Kind.OFF_BRANCH  # the graph reaches as far as that day, and does not have it
        stuck = {name for name, kind in kinds.items() if kind not in {Kind.SAME, Kind.FORWARD}}
        for name, target in record.targets.items():
            if kinds[name] is Kind.FORWARD and stuck & set(_before(name)):
                kinds[name] = Kind.AFTER
            if kinds[name] is Kind.FORWARD:
                live[name] = target
            yield Expected(number, name, target, kinds[name], live[name])


def _before(name: str) -> Iterator[str]:
    """Name all that comes before a repository, near and far."""
    for before in ORDER.get(name, ()):
        yield before
        yield from _before(before)


def _kind(graph: Mapping[Sha, tuple[Sha, ...]], live: Sha, target: Sha) -> Kind:
    if target == live:
        return Kind.SAME
    if target not in graph:
        return Kind.UNKNOWN
    if live in _history(graph, target):
        return Kind.FORWARD
    assert target in _history(graph, live), "no record of this fleet has diverged"
    return Kind.BACKWARD


def _history(graph: Mapping[Sha, tuple[Sha, ...]], commit: Sha) -> frozenset[Sha]:
    """List a commit with all that it is built on, as far as the recording goes."""
    found: set[Sha] = set()
    waiting = [commit]
    while waiting:
        current = waiting.pop()
        if current in graph and current not in found:
            found.add(current)
            waiting += graph[current]
    return frozenset(found)
