"""The command as an operator runs it: in this process, or as one of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from flows.cli import app
from tests.flows.world import BOT, RELEASE_STATE, World

COMMAND = (sys.executable, "-c", "from flows.cli import main; main()")
_OURS = ("STABLEHAND_", "PREFECT_")


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Installation:
    """A working directory and an environment around the world's sandbox."""

    world: World
    directory: Path
    settings: dict[str, str]

    @classmethod
    def of(cls, world: World, directory: Path) -> "Installation":
        settings = {
            "STABLEHAND_REPOSITORY": RELEASE_STATE,
            "STABLEHAND_TOKEN": world.sandbox.tokens[BOT],
            "STABLEHAND_GITHUB_URL": world.sandbox.url,
        }
        return cls(world, directory, settings)

    def run(self, *arguments: str) -> Ran:
        """Run the command in this process."""
        result = CliRunner().invoke(app, arguments, env=self.settings, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, result.stderr)

    @contextmanager
    def start(self, *arguments: str, **rest: Any) -> Iterator[subprocess.Popen[str]]:
        """Start the command as a process, which is ended with the block."""
        with subprocess.Popen(
            [*COMMAND, *arguments], cwd=self.directory, env=self.environment, text=True, **rest
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @property
    def environment(self) -> Mapping[str, str]:
        rest = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        path = os.pathsep.join(each for each in sys.path if each)
        return {**rest, "PYTHONPATH": path, **self.settings}
