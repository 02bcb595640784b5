"""Prefect flow runs in a process of their own: an empty flow, reconcile as a flow, and reconcile without Prefect."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter

from prefect import flow

from flows.reconcile_release import reconcile_release
from tests.benchmarks import product
from tests.benchmarks.took import Runs

TIMES = 5


@flow(name="empty")
async def empty() -> None:
    """Do nothing."""


async def reconcile_in_prefect() -> None:
    state = await reconcile_release(return_state=True)
    assert state.is_completed(), state


async def _seconds(run: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await run()
    return perf_counter() - began


async def main() -> Runs:
    """Run each a few times by turns, so that a busy moment hits all of them; the first also imports and connects."""
    taken = [
        (await _seconds(empty), await _seconds(reconcile_in_prefect), await _seconds(product.run))
        for _ in range(1 + TIMES)
    ]
    empties, flows, plains = zip(*taken[1:], strict=True)
    return Runs(empty=median(empties), flow=median(flows), plain=median(plains))


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(main()).model_dump_json())
