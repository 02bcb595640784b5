"""The demo's child processes: started with nothing of the user's settings, ended whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 15.0
"""How long a process has to end by itself."""


class Child:
    """A process and what it has said so far."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.text.splitlines()[-lines:])


@contextmanager
def running(
    name: str, arguments: Sequence[str], *, home: Path, environment: Mapping[str, str]
) -> Iterator[Child]:
    """Run a command of this environment until the block ends, and end everything that it has started with it."""
    log = home / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name(arguments[0]), *arguments[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=dict(environment),
            # A group of its own: Ctrl-C reaches the demo alone, which ends the children in the right order.
            start_new_session=True,
        )
        try:
            yield Child(name, process, log)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process, then whatever is left of its group."""
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def clean_environment(home: Path, **values: str) -> dict[str, str]:
    """Make an environment without the user's own settings of Prefect and stablehand."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "STABLEHAND_"))
    }
    return {
        **kept,
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(home),  # Prefect's runs leave files there
        **values,
    }


def free_port() -> int:
    """Find a port that is free now. Another process may take it first: then its user says so and ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert isinstance(port, int)
        return port
