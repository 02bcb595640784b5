"""The product in a process of its own: reconcile once, and say what that took. Configured as the command is."""

import asyncio
import sys

from flows.connect import connected
from flows.settings import load_settings
from flows.ways.reconcile import plain_steps, reconcile, system_clock
from reconcile.observed import Accepted
from reconcile.report import News, Result
from tests.benchmarks.took import Stopwatch, Took


async def notify(accepted: Accepted, news: News) -> bool:
    """Take it for told."""
    return True


async def run() -> Took:
    clock, stopwatch = system_clock(), Stopwatch()
    async with connected(load_settings()) as github:
        report = await reconcile(plain_steps(github, clock, notify), clock=clock, run="benchmark")
    assert report.result is Result.CONVERGED, report.causes
    return stopwatch.took(moved_at=max((each.at for each in report.moved), default=None))


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(run()).model_dump_json())
