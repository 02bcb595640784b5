"""The operator's world: a sandbox with a small fleet, in which nobody waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from reconcile.apply import Clock
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
