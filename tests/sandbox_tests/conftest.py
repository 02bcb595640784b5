"""A sandbox of its own for each test, at a time that stands still until the test moves it."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox import Repository, Sandbox


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path / "repositories", clock=clock) as running:
        yield running


@pytest.fixture
def repository(sandbox: Sandbox) -> Repository:
    """`packit/ogr` with two commits on main."""
    made = sandbox.store.create_repository("packit/ogr")
    made.commit("main", {"README.md": "one\n"}, "First")
    made.commit("main", {"README.md": "two\n"}, "Second")
    return made


Client = Callable[..., httpx.Client]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Make a client for an account; None: without a token."""
    clients: list[httpx.Client] = []

    def make(login: str | None = "stablehand-bot") -> httpx.Client:
        headers = {"authorization": f"Bearer {sandbox.tokens[login]}"} if login else {}
        # A bare TLS context: the usual one takes longer to make than a test needs.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        clients.append(httpx.Client(base_url=sandbox.url, headers=headers, verify=tls, trust_env=False))
        return clients[-1]

    yield make
    for each in clients:
        each.close()


Query = Callable[..., dict[str, Any]]


@pytest.fixture
def query(client: Client) -> Query:
    """Run a GraphQL document, with its variables as keywords, and give the whole answer."""
    made: dict[str, httpx.Client] = {}

    def run(
        document: str, *, by: str = "stablehand-bot", operation: str | None = None, **variables: Any
    ) -> dict[str, Any]:
        http = made[by] if by in made else made.setdefault(by, client(by))
        body = {"query": document, "variables": variables, "operationName": operation}
        answer = http.post("/graphql", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return run


@pytest.fixture
def graph(query: Query) -> Query:
    """As `query`, for documents that succeed: gives the data."""

    def run(document: str, **variables: Any) -> dict[str, Any]:
        answer: Mapping[str, Any] = query(document, **variables)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    return run
