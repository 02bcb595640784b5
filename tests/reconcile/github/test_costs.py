"""What a run costs on GitHub. The counts are promises: the documentation gives them."""

from math import ceil

import pytest
from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile, system_clock
from reconcile.github.client import connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.report import News, Result, RunReport
from tests.benchmarks.fleets import Fleet, serving


async def run(fleet: Fleet) -> RunReport:
    async def notify(accepted: Accepted, news: News) -> bool:
        raise AssertionError(news)

    settings = GitHubSettings(
        url=fleet.sandbox.url,
        credentials=TokenCredentials(token=SecretStr(fleet.sandbox.tokens["stablehand-bot"])),
        seconds_between_writes=0,
    )
    clock = system_clock()
    async with connect(settings, repository=fleet.release_state.full_name) as github:
        fleet.sandbox.requests.reset()
        return await reconcile(plain_steps(github, clock, notify), clock=clock, run="test")


@pytest.mark.parametrize("count", [1, 50, 51, 120])
async def test_nothing_to_do(count: int) -> None:
    """One request for documents and ledger, one for every fifty repositories, and no write."""
    with serving(count, latency=0) as fleet:
        await run(fleet)  # begins the ledger
        report = await run(fleet)
        assert Result.CONVERGED is report.result
        assert {"graphql:query": 1 + ceil(count / 50)} == fleet.sandbox.requests.counts


async def total_of_moving(count: int) -> int:
    """Count the requests of a run that moves every repository."""
    with serving(count, latency=0) as fleet:
        await run(fleet)
        fleet.ask_for_heads()
        report = await run(fleet)
        assert Result.CONVERGED is report.result
        assert count == len(report.moved) == fleet.count_moved()
        return fleet.sandbox.requests.total


async def test_every_repository_moves() -> None:
    """Each ten moves are one request behind one look at the documents; nothing else grows but the observations."""
    observed_before_and_after, looks, updates = 2, 5, 5
    assert observed_before_and_after + looks + updates == await total_of_moving(60) - await total_of_moving(
        10
    )
