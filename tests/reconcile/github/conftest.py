"""The adapter against a sandbox of its own: a release-state repository and one repository of a fleet."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr

from reconcile.github.client import GitHub, connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from tests.sandbox import Repository, Sandbox

RELEASE_STATE = "packit/release-state"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Repeat as often as ever, and wait for nothing."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path / "repositories") as running:
        yield running


@pytest.fixture
def state(sandbox: Sandbox) -> Repository:
    """The release-state repository with both documents."""
    made = sandbox.store.create_repository(RELEASE_STATE)
    made.commit("main", {"release-state.yaml": "desired: 1\n", "release-policy.yaml": "policy: 1\n"}, "Start")
    return made


@pytest.fixture
def ogr(sandbox: Sandbox) -> Repository:
    """`Packit/OGR`, three commits on main, stable at the first."""
    made = sandbox.store.create_repository("Packit/OGR")
    first, *_ = [made.commit("main", {"README.md": f"{n}\n"}, f"Commit {n}") for n in range(3)]
    made.push("stable", first, by="alice")
    return made


Connect = Callable[..., AbstractAsyncContextManager[GitHub]]


@pytest.fixture
def connect_as(sandbox: Sandbox) -> Connect:
    """Connect as an account of the sandbox."""

    def make(login: str, *, repository: str = RELEASE_STATE) -> AbstractAsyncContextManager[GitHub]:
        settings = GitHubSettings(
            url=sandbox.url,
            credentials=TokenCredentials(token=SecretStr(sandbox.tokens[login])),
            seconds_between_writes=0,
        )
        return connect(settings, repository=repository)

    return make


@pytest.fixture
async def github(connect_as: Connect) -> AsyncIterator[GitHub]:
    async with connect_as("stablehand-bot") as connected:
        yield connected


def commits(repository: Repository) -> list[str]:
    """List the default branch's first parents, oldest first."""
    chain = [repository.rev_parse(repository.default_branch)]
    while parents := repository.commit_at(chain[-1]).parent_ids:
        chain.append(str(parents[0]))
    return chain[::-1]
