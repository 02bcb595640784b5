"""The demo's fleet as git knows it: read with ``git`` itself, past everything that the demo is about."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from state.yaml_io import STATE_PATH, parse_desired

_PULL_REQUEST = re.compile(r"#(\d+)")


@dataclass(frozen=True)
class Shift:
    """A branch that is elsewhere than it was."""

    repository: str
    before: str | None
    after: str | None
    pull_requests: tuple[int, ...]


class Repositories:
    """Bare repositories, DIRECTORY/OWNER/NAME.git."""

    def __init__(self, directory: Path, names: tuple[str, ...], *, release_state: str) -> None:
        self.names = names
        self._directory = directory
        self._release_state = release_state

    def stable(self) -> dict[str, str | None]:
        """Say where ``stable`` stands, none where there is none."""
        return {
            name: self._git(name, "rev-parse", "--verify", "--quiet", "refs/heads/stable")
            for name in self.names
        }

    def shifts(self, before: Mapping[str, str | None]) -> tuple[Shift, ...]:
        """Compare where ``stable`` stood with where it stands."""
        return tuple(
            Shift(name, before[name], after, self._pull_requests(name, before[name], after))
            for name, after in self.stable().items()
            if before[name] != after
        )

    def elsewhere(self) -> tuple[str, ...]:
        """Name what is not where the merged release state wants it."""
        merged = self._git(self._release_state, "show", f"main:{STATE_PATH}") or ""
        stable = self.stable()
        return tuple(name for name, target in parse_desired(merged).targets.items() if stable[name] != target)

    def _pull_requests(self, name: str, before: str | None, after: str | None) -> tuple[int, ...]:
        commits = f"{before}..{after}" if before else str(after)
        subjects = self._git(name, "log", "--first-parent", "--reverse", "--format=%s", commits) or ""
        return tuple(int(found[1]) for line in subjects.splitlines() if (found := _PULL_REQUEST.search(line)))

    def _git(self, name: str, *arguments: str) -> str | None:
        path = self._directory / f"{name}.git"
        result = subprocess.run(
            ["git", "-C", path, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
        return result.stdout.strip() or None if result.returncode == 0 else None
