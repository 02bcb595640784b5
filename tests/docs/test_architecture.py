"""The architecture's page names every module and every import contract, and its request counts are counted."""

import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from flows.ways.check import check
from flows.ways.check import plain_steps as check_steps
from flows.ways.propose import ProposeRequest, propose
from flows.ways.propose import plain_steps as propose_steps
from flows.ways.reconcile import plain_steps as reconcile_steps
from flows.ways.reconcile import reconcile, survey, system_clock
from flows.ways.status import status
from reconcile.github.client import GitHub, GitHubSettings, TokenCredentials, connect
from reconcile.observed import Accepted
from reconcile.report import News
from tests.docs.pages import ARCHITECTURE, ROOT
from tests.sandbox import Sandbox
from tests.sandbox.fleet import Fleet, make_packit_fleet


def test_every_module_is_named() -> None:
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("flows", "reconcile", "state")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert modules == {code for code in ARCHITECTURE.codes if code.endswith(".py")}


def test_every_contract_is_named() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}
    assert names == set(ARCHITECTURE.table("contract", "why"))


async def test_the_requests_are_as_many_as_it_says(tmp_path: Path) -> None:
    with _sandbox(tmp_path) as (sandbox, fleet):
        counted = await _count(sandbox, fleet)
    documented = {
        what.replace("`", ""): int(count) for what, (count,) in ARCHITECTURE.table("what", "requests").items()
    }
    assert documented == counted


@contextmanager
def _sandbox(directory: Path) -> Iterator[tuple[Sandbox, Fleet]]:
    with Sandbox.running(directory) as sandbox:
        yield sandbox, make_packit_fleet(sandbox.store, sandbox.store.clock())


async def _count(sandbox: Sandbox, fleet: Fleet) -> dict[str, int]:
    """Count a release from the first run on."""
    clock, counted = system_clock(), dict[str, int]()
    repository = fleet.release_state.full_name
    settings = GitHubSettings(
        url=sandbox.url,
        credentials=TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"])),
        seconds_between_writes=0,
    )

    async def count(what: str, way: Callable[[GitHub], Awaitable[object]]) -> None:
        before = sandbox.requests.total
        async with connect(settings, repository=repository) as github:
            await way(github)
        counted[what] = sandbox.requests.total - before

    async def notify(accepted: Accepted, news: News) -> bool:
        pytest.fail(f"Nothing is in the way: {news}")

    async def run_reconcile(github: GitHub) -> None:
        await reconcile(reconcile_steps(github, clock, notify), clock=clock, run="the count")

    async def run_propose(github: GitHub) -> None:
        await propose(propose_steps(github, clock), ProposeRequest(), clock=clock)

    await count("reconcile, the first run: adopts what is there, begins the ledger", run_reconcile)
    await count("reconcile, nothing to do", run_reconcile)
    await count("propose, opens the pull request", run_propose)
    await count("propose, nothing new", run_propose)
    await count(
        "check, a first time on the proposal", lambda github: check(check_steps(github), 1, clock=clock)
    )
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {sandbox.tokens['alice']}"}) as alice:
        merged = await alice.put(f"{sandbox.url}/repos/{repository}/pulls/1/merge", json={})
    assert merged.is_success, merged.text
    await count("reconcile, after the merge: six moves", run_reconcile)
    await count("plan", lambda github: survey(github, clock=clock))
    await count("status", lambda github: status(github, clock=clock))
    return counted
