"""One sandbox for all tests of a module, a world of its own for each test, and nobody waits."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
import stamina

from tests.faults.world import Time, World
from tests.sandbox import Sandbox

ORDER = {"ogr": (), "specfile": (), "packit": ("ogr", "specfile")}
"""Two that move in one request, and one that comes after both."""
_owners = count(1)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture(scope="module")
def time() -> Time:
    return Time()


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory, time: Time) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path_factory.mktemp("repositories"), clock=time) as running:
        yield running


@pytest.fixture
def sandbox(_server: Sandbox) -> Iterator[Sandbox]:
    yield _server
    _server.faults.clear()


MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(sandbox: Sandbox, time: Time) -> MakeWorld:
    """Make a world under an owner of its own."""

    def make(**rest: object) -> World:
        return World(sandbox, f"fleet-{next(_owners)}", time, **{"after": ORDER, **rest})  # type: ignore[arg-type]  # as the tests give them

    return make
