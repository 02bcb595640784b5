"""A process that reconciles once, as the command does, and is killed by whoever started it."""

import asyncio

from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile, system_clock
from reconcile.github.client import connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.report import News


def reconcile_once(url: str, token: str, repository: str) -> None:
    """Do what `stablehand reconcile` does, without the advised second between writes."""
    asyncio.run(_reconcile(url, token, repository))


async def _reconcile(url: str, token: str, repository: str) -> None:
    settings = GitHubSettings(
        url=url, credentials=TokenCredentials(token=SecretStr(token)), seconds_between_writes=0
    )
    clock = system_clock()
    async with connect(settings, repository=repository) as github:
        await reconcile(plain_steps(github, clock, _tell_nobody), clock=clock, run="victim")


async def _tell_nobody(accepted: Accepted, news: News) -> bool:
    return True
