"""``python -m tests.benchmarks``: measure everything, show it, and write it to docs/benchmarks."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import jobs, plots, tables
from tests.benchmarks.fleets import LATENCY_SECONDS
from tests.benchmarks.results import Measurement, Results, judge

_DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"


def measure(*, is_quick: bool) -> Iterator[Measurement]:
    yield from jobs.commands()
    for count in (8, 100) if is_quick else (8, 100, 1_000, 10_000):
        yield from jobs.nothing_to_do(count)
    yield from jobs.eight_move()
    for count in (8,) if is_quick else (8, 100, 1_000):
        yield from jobs.everything_moves(count)
    yield from jobs.prefect_flow((8,) if is_quick else (8, 100, 1_000))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure the product.")
    parser.add_argument(
        "--quick", action="store_true", help="small fleets only, in a few minutes; shows, and writes nothing"
    )
    is_quick = parser.parse_args().quick
    measurements = []
    for each in measure(is_quick=is_quick):
        sys.stderr.write(f"{each.job}, {each.way}, {each.repositories:,}: {each.seconds:,.2f} s\n")
        measurements.append(each)
    results = Results(
        at=datetime.now(UTC).replace(microsecond=0),
        machine=f"Python {platform.python_version()}, {os.cpu_count()} cores of {platform.machine()}",
        latency_seconds=LATENCY_SECONDS,
        measurements=tuple(measurements),
        goals=tuple(judge(measurements)),
    )
    tables.show(results)
    if not is_quick:
        _DIRECTORY.mkdir(exist_ok=True)
        (_DIRECTORY / "results.json").write_text(results.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (_DIRECTORY / "results.md").write_text(tables.render_markdown(results), encoding="utf-8")
        plots.draw(measurements, _DIRECTORY)
    return 0 if all(goal.is_met for goal in results.goals) else 1


if __name__ == "__main__":
    sys.exit(main())
