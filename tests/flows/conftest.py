"""The operator's world: a sandbox with a small fleet, in which nobody waits, and the command beside it."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import stamina
from stamina.instrumentation import set_on_retry_hooks

from reconcile.apply import Clock
from reconcile.github.settings import GitHubSettings
from tests.flows.installation import Installation
from tests.flows.world import Time, World
from tests.sandbox import Sandbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    time = Time()
    with (
        Sandbox.running(tmp_path / "repositories", clock=time) as sandbox,
        stamina.set_testing(True, attempts=4, cap=True),
    ):
        yield World(sandbox, Clock(now=time, sleep=time.sleep))


@pytest.fixture
def installation(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Configure the command for the world, in a directory without a ``.env``."""
    for name in os.environ:
        if name.startswith(("STABLEHAND_", "PREFECT_")):
            monkeypatch.delenv(name)
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.setattr("flows.connect.GitHubSettings", partial(GitHubSettings, seconds_between_writes=0))
    monkeypatch.setattr("flows.ways.reconcile.system_clock", lambda: world.clock)
    yield Installation.of(world, directory)
    set_on_retry_hooks(None)
