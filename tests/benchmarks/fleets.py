"""Fleets to measure against: as many repositories as asked for, made fast, served with GitHub's latency and limits.

All repositories of a fleet share one object store, as forks on GitHub do: what is measured is the client, which sees
no difference.
"""

import tempfile
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from state.document import DesiredState
from state.ids import Sha
from state.yaml_io import POLICY_PATH, STATE_PATH, dump_desired
from tests.sandbox import Fault, Repository, Sandbox, gitops
from tests.sandbox.faults import Reply, Request
from tests.sandbox.fleet import policy_text
from tests.sandbox.metering import READ_POINTS, WRITE_POINTS, is_read

OWNER = "fleet"
LATENCY_SECONDS = 0.04
"""Added to every request."""
_COMMITS = 5
_BEHIND = 3
"""So many of them ``stable`` lacks."""


class Limit(NamedTuple):
    """So many points in so many seconds."""

    points: int
    seconds: float


_LIMITS = {
    "rest": Limit(900, 60),
    "graphql": Limit(2_000, 60),
    "writes a minute": Limit(80, 60),
    "writes an hour": Limit(500, 3_600),
}


@dataclass
class SecondaryLimits:
    """GitHub's published limits beside the hourly one, in a sliding window.

    GitHub limits how much content is created, and does not say whether moving a ref counts; here every write does.
    """

    is_enforced: bool = True
    hits: int = 0
    """Requests that were one too many, whether or not they were refused."""
    _spent: dict[str, deque[tuple[float, int]]] = field(
        default_factory=lambda: {name: deque() for name in _LIMITS}
    )
    _sums: Counter[str] = field(default_factory=Counter)

    def refuses(self, request: Request) -> bool:
        """Count a request, and say whether it is refused."""
        api, _, _ = request.kind.partition(":")
        if api not in _LIMITS:
            return False
        costs = {api: READ_POINTS}
        if not is_read(request.kind):
            costs = {api: WRITE_POINTS, "writes a minute": 1, "writes an hour": 1}
        now = monotonic()
        is_too_much = any(
            self._standing(name, now) + cost > _LIMITS[name].points for name, cost in costs.items()
        )
        self.hits += is_too_much
        if is_too_much and self.is_enforced:
            return True
        for name, cost in costs.items():
            self._spent[name].append((now, cost))
            self._sums[name] += cost
        return False

    def _standing(self, name: str, now: float) -> int:
        spent = self._spent[name]
        while spent and spent[0][0] <= now - _LIMITS[name].seconds:
            self._sums[name] -= spent.popleft()[1]
        return self._sums[name]


@dataclass(frozen=True)
class Fleet:
    """A fleet that is served. Its documents ask for what is live until `ask_for_heads`."""

    sandbox: Sandbox
    names: tuple[str, ...]
    head: Sha
    release_state: Repository
    limits: SecondaryLimits

    @property
    def environment(self) -> dict[str, str]:
        """What the product is told from outside."""
        return {
            "STABLEHAND_REPOSITORY": self.release_state.full_name,
            "STABLEHAND_GITHUB_URL": self.sandbox.url,
            "STABLEHAND_TOKEN": self.sandbox.tokens["stablehand-bot"],
        }

    def ask_for_heads(self) -> None:
        """Propose and merge that every ``stable`` be where ``main`` is."""
        release, title = self.release_state, "Release everything"
        release.commit("heads", {STATE_PATH: _document(self.names, self.head)}, title)
        release.merge(release.open_pull_request(title, "", "heads", "main", "alice").number, "bob")

    def count_moved(self) -> int:
        """Count the repositories whose ``stable`` is at the head, as git says."""
        return sum(self.sandbox.store.repository(name).branch("stable") == self.head for name in self.names)


@contextmanager
def serving(count: int, *, latency: float = LATENCY_SECONDS) -> Iterator[Fleet]:
    """Serve a fleet until the block ends."""
    names = tuple(f"{OWNER}/repository-{number:05d}" for number in range(1, count + 1))
    with tempfile.TemporaryDirectory(prefix="stablehand-benchmark-") as directory:
        root = Path(directory)
        stable, head = _make(root, names)
        with Sandbox.running(root) as sandbox:
            release_state = sandbox.store.create_repository(f"{OWNER}/release-state")
            documents = {
                STATE_PATH: _document(names, stable),
                POLICY_PATH: policy_text(dict.fromkeys(names, ()), candidate="head"),
            }
            release_state.commit("main", documents, "Start from what is live")
            limits = SecondaryLimits()
            reply = Reply(
                403, '{"message": "You have exceeded a secondary rate limit."}', {"retry-after": "60"}
            )
            sandbox.faults.add(Fault(where=limits.refuses, times=None, reply=reply))
            sandbox.faults.latency = latency
            yield Fleet(sandbox, names, head, release_state, limits)


def _make(root: Path, names: tuple[str, ...]) -> tuple[Sha, Sha]:
    """Make one repository with commits, and all others on its objects; return where stable and main are."""
    first = root / f"{names[0]}.git"
    git = gitops.init_bare(first, "main")
    now = datetime.now(UTC)
    shas: list[Sha] = []
    for number in range(_COMMITS):
        who = gitops.signature("Somebody", "somebody@example.com", now - timedelta(days=_COMMITS - number))
        tree = gitops.edit_tree(git, None, {"file": f"{number}\n".encode()})
        shas.append(str(git.create_commit(None, who, who, f"Change {number}", tree, list(shas[-1:]))))
    refs = {"refs/heads/main": shas[-1], "refs/heads/stable": shas[-1 - _BEHIND]}
    for name, sha in refs.items():
        git.references.create(name, sha)
    for each in names[1:]:
        path = root / f"{each}.git"
        (path / "refs" / "heads").mkdir(parents=True)
        (path / "objects").symlink_to(first / "objects", target_is_directory=True)
        for file in ("HEAD", "config", *refs):
            # One file for all, which git replaces and never changes: of ten thousand the disk would be measured.
            (path / file).hardlink_to(first / file)
    return refs["refs/heads/stable"], refs["refs/heads/main"]


def _document(names: tuple[str, ...], target: Sha) -> str:
    return dump_desired(DesiredState(version=1, ref="stable", targets=dict.fromkeys(names, target)))
