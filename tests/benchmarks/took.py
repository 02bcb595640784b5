"""What a measured process says of itself: one line of JSON, its last."""

import time
from datetime import datetime
from pathlib import Path

from state.ids import Frozen


class Took(Frozen):
    """What one piece of work took, from its first request to its end."""

    seconds: float
    cpu_seconds: float
    memory_mib: float
    """The most that the process has held, interpreter and libraries included."""
    moved_seconds: float | None = None
    """Until the last ref had moved."""


class Runs(Frozen):
    """Medians of one flow run, in seconds."""

    empty: float
    flow: float
    plain: float
    """The same work without Prefect."""


class Stopwatch:
    """Measures this process from now on."""

    def __init__(self) -> None:
        self._began, self._cpu, self._at = time.perf_counter(), time.process_time(), time.time()

    def took(self, *, moved_at: datetime | None = None) -> Took:
        return Took(
            seconds=time.perf_counter() - self._began,
            cpu_seconds=time.process_time() - self._cpu,
            memory_mib=_memory_mib(),
            moved_seconds=moved_at.timestamp() - self._at if moved_at else None,
        )


def _memory_mib() -> float:
    """Read from Linux; ``getrusage`` would also count what the parent held when it forked."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) / 1024
