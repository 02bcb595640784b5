"""The jobs: each serves a fleet, does the work in a process of its own, and does it in today's way beside it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel

from state.yaml_io import POLICY_PATH, STATE_PATH
from tests.benchmarks.fleets import Fleet, serving
from tests.benchmarks.results import COMMAND_SECONDS, EMPTY_FLOW, FLOW, GIT, PRODUCT, SCRIPT, Job, Measurement
from tests.benchmarks.took import Runs, Took
from tests.demo.processes import clean_environment, free_port, running

T = TypeVar("T", bound=BaseModel)

_ROOT = Path(__file__).resolve().parents[2]
_WHOLE = 1_000
"""Up to so many repositories the baseline is measured on all of them where nothing moves."""
_PART = {Job.NOTHING: 200, Job.EVERYTHING: 100}
"""On so many where all would take too long."""
_PATIENCE_SECONDS = 3_600.0
_TIMES = 7


def nothing_to_do(count: int) -> Iterator[Measurement]:
    with serving(count) as fleet:
        _reconcile(fleet)  # the first run begins the ledger
        yield _measured(Job.NOTHING, PRODUCT, fleet, count, lambda: _reconcile(fleet))
        yield _script(Job.NOTHING, fleet, count if count <= _WHOLE else _PART[Job.NOTHING])


def everything_moves(count: int) -> Iterator[Measurement]:
    with serving(count) as fleet:
        _reconcile(fleet)
        fleet.ask_for_heads()
        yield _measured(Job.EVERYTHING, PRODUCT, fleet, count, lambda: _reconcile(fleet))
        assert fleet.count_moved() == count
    part = min(count, _PART[Job.EVERYTHING])
    with serving(count) as fleet:
        yield _script(Job.EVERYTHING, fleet, part, "--move")
        assert fleet.count_moved() == part


def eight_move() -> Iterator[Measurement]:
    with serving(8) as fleet:
        _reconcile(fleet)
        fleet.ask_for_heads()
        yield _measured(Job.EIGHT, PRODUCT, fleet, 8, lambda: _reconcile(fleet))
    with serving(8) as fleet, tempfile.TemporaryDirectory() as clones:
        _git(
            clones,
            *(("clone", "--quiet", _address(fleet, name), str(i)) for i, name in enumerate(fleet.names)),
        )

        def release() -> Took:
            began = time.perf_counter()
            for i in range(8):
                _git(
                    clones,
                    ("-C", str(i), "fetch", "--quiet"),
                    ("-C", str(i), "push", "--quiet", "origin", "origin/main:stable"),
                )
            seconds = time.perf_counter() - began
            return Took(seconds=seconds, cpu_seconds=0, memory_mib=0, moved_seconds=seconds)

        yield _measured(Job.EIGHT, GIT, fleet, 8, release).model_copy(
            update={"cpu_seconds": None, "memory_mib": None}
        )
        assert fleet.count_moved() == 8


def prefect_flow(counts: Sequence[int]) -> Iterator[Measurement]:
    with _prefect_server() as environment:
        for count in counts:
            with serving(count) as fleet:
                _reconcile(fleet)
                runs = _run("prefect_runs", Runs, {**environment, **fleet.environment})
            for way, seconds in ((EMPTY_FLOW, runs.empty), (FLOW, runs.flow), (PRODUCT, runs.plain)):
                yield Measurement(job=Job.FLOW, way=way, repositories=count, measured=count, seconds=seconds)


def commands() -> Iterator[Measurement]:
    with serving(8, latency=0) as fleet, tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        release = fleet.release_state
        for path in (STATE_PATH, POLICY_PATH):
            (home / path).write_bytes(release.commit_at(release.rev_parse("main")).tree[path].read_raw())
        environment = clean_environment(home, **fleet.environment)
        python = Path(sys.executable)

        def cold(*arguments: str) -> float:
            began = time.perf_counter()
            subprocess.run(arguments, check=True, cwd=home, env=environment, capture_output=True, timeout=60)
            return time.perf_counter() - began

        lines: tuple[str, ...] = ("python -c pass", *COMMAND_SECONDS)
        for line in lines:
            program, *arguments = line.split()
            command = [str(python.with_name(program)), *arguments]
            cold(*command)  # the first time compiles modules
            # What a busy machine adds is not the command's: the least is nearest to the truth.
            seconds = min(cold(*command) for _ in range(_TIMES))
            yield Measurement(job=Job.COMMAND, way=line, repositories=8, measured=8, seconds=seconds)


def _reconcile(fleet: Fleet) -> Took:
    return _run("product", Took, fleet.environment)


def _script(job: Job, fleet: Fleet, part: int, *options: str) -> Measurement:
    """Measure the script. It is let through where it goes beyond GitHub's secondary limits, which is counted."""
    fleet.limits.is_enforced = False
    address = (fleet.sandbox.url, fleet.sandbox.tokens["alice"])
    text = "\n".join(fleet.names[:part])
    return _measured(
        job, SCRIPT, fleet, part, lambda: _run("script", Took, {}, *address, *options, text=text)
    )


def _measured(job: Job, way: str, fleet: Fleet, measured: int, work: Callable[[], Took]) -> Measurement:
    fleet.sandbox.requests.reset()
    fleet.limits.hits = 0
    took = work()
    return Measurement(
        job=job,
        way=way,
        repositories=len(fleet.names),
        measured=measured,
        requests=fleet.sandbox.requests.total,
        over_limits=fleet.limits.hits,
        **took.model_dump(),
    )


def _run(module: str, shape: type[T], environment: Mapping[str, str], *arguments: str, text: str = "") -> T:
    """Run one of this package's modules, and read what it says of itself."""
    with tempfile.TemporaryDirectory() as home:
        finished = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments],
            cwd=_ROOT,
            env=clean_environment(Path(home), **environment),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    if finished.returncode:
        raise RuntimeError(f"{module} failed:\n{finished.stderr[-3_000:]}")
    return shape.model_validate_json(finished.stdout.splitlines()[-1])


def _address(fleet: Fleet, name: str) -> str:
    scheme, _, rest = fleet.sandbox.url.partition("://")
    return f"{scheme}://x:{fleet.sandbox.tokens['alice']}@{rest}/{name}.git"


def _git(directory: str, *commands: tuple[str, ...]) -> None:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    for command in commands:
        subprocess.run(
            ["git", *command], check=True, cwd=directory, env=environment, capture_output=True, timeout=60
        )


@contextmanager
def _prefect_server() -> Iterator[dict[str, str]]:
    """Run a server with an empty home, and say how to reach it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        arguments = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with running("prefect", arguments, home=home, environment=clean_environment(home)) as server:
            deadline = time.monotonic() + 120
            while not _is_up(url):
                if not server.is_running or time.monotonic() > deadline:
                    raise RuntimeError(f"The Prefect server did not start:\n{server.tail()}")
                time.sleep(0.5)
            yield {"PREFECT_API_URL": url, "PREFECT_LOGGING_LEVEL": "ERROR"}


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False
