"""The demo from outside: its last line and exit status, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def demo(home: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the demo with its temporary files under ``home``, and its output in ``home``'s sibling ``said``."""
    with (home.parent / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.demo", *arguments],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TMPDIR": str(home)},
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def wait_for(path: Path, text: str, process: "subprocess.Popen[str]") -> None:
    while text not in path.read_text():
        assert process.poll() is None, path.read_text()
        time.sleep(0.2)


def processes_of(home: Path) -> list[str]:
    """List what runs with its temporary files under ``home``; only Linux tells."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={home}" in environ.read_text(errors="replace"):
                found.append(environ.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def test_the_demo_converges(home: Path) -> None:
    """`python -m tests.demo --yes` merges, ends 0 with a last line that says so, and leaves nothing behind."""
    with demo(home, "--yes") as process:
        status = process.wait(200)
    said = (home.parent / "said").read_text()
    assert 0 == status, said
    assert said.splitlines()[-1].startswith("converged"), said
    assert ([], []) == (list(home.iterdir()), processes_of(home))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(home: Path, number: signal.Signals) -> None:
    """Ctrl-C in the middle ends every process and removes every file."""
    with demo(home, "--yes") as process:
        wait_for(home.parent / "said", "Starting `stablehand serve`", process)
        process.send_signal(number)
        status = process.wait(100)
    assert 130 == status, (home.parent / "said").read_text()
    assert ([], []) == (list(home.iterdir()), processes_of(home))
