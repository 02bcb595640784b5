"""A small fleet in the sandbox as its operator knows it: documents, a ledger's branch, and people who move refs."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile
from reconcile.apply import Clock
from reconcile.github.client import GitHub, connect
from reconcile.github.contents import LEDGER_BRANCH
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.report import News, RunReport
from state.document import DesiredState
from state.ids import Sha
from state.ledger import LEDGER_PATH, Ledger, parse_ledger
from state.yaml_io import POLICY_PATH, STATE_PATH, dump_desired, edit_desired, parse_desired
from tests.sandbox import Repository, Sandbox, gitops

BOT = "stablehand-bot"
RELEASE_STATE = "packit/release-state"
OGR, PACKIT, TOKMAN = NAMES = ("packit/ogr", "packit/packit", "packit/tokman")
POLICY = """\
version: 1
repositories:
  packit/ogr: {}
  packit/packit: {after: packit/ogr}
  packit/tokman: {}
"""

Notify = Callable[[Accepted, News], Awaitable[bool]]


class Time:
    """A clock that passes a second whenever somebody looks, and that sleeps without waiting."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """Three repositories, each with the commits 0 to 4 on main and stable at 0; the file says so."""

    sandbox: Sandbox
    clock: Clock
    told: list[News] = field(default_factory=list)

    def __post_init__(self) -> None:
        store = self.sandbox.store
        self.fleet = {name: store.create_repository(name) for name in NAMES}
        self.commits = {name: _history(repository) for name, repository in self.fleet.items()}
        targets = {name: commits[0] for name, commits in self.commits.items()}
        desired = DesiredState(version=1, ref="stable", targets=targets)
        self.state: Repository = store.create_repository(RELEASE_STATE)
        files = {STATE_PATH: dump_desired(desired), POLICY_PATH: POLICY}
        self.state.commit("main", files, "Start from what is live")

    # What people do

    def commit(self, *, desired: str | None = None, policy: str | None = None) -> Sha:
        """Push documents straight to the default branch."""
        given = {STATE_PATH: desired, POLICY_PATH: policy}
        return self.state.commit("main", {k: v for k, v in given.items() if v is not None}, "Edit")

    def merge(self, targets: Mapping[str, Sha], **sections: Any) -> int:
        """Decide, in a pull request of alice's that bob merges; return its number."""
        now = parse_desired(self.text)
        wished = DesiredState.model_validate(
            {**now.model_dump(by_alias=True), "targets": {**now.targets, **targets}, **sections}
        )
        branch = f"decide-{self.state._last_number + 1}"
        files = {STATE_PATH: edit_desired(self.text, wished)}
        self.state.commit(branch, files, "Decide", author="alice")
        number = self.state.open_pull_request("Decide", "", branch, "main", "alice").number
        self.state.merge(number, "bob")
        return number

    def push(self, name: str, commit: Sha, *, by: str = "mallory") -> None:
        """Move stable by hand, forced where it must be."""
        self.fleet[name].push("stable", commit, by=by, force=True)

    def diverge(self, name: str) -> Sha:
        """Make a hotfix on top of stable that main does not have, and push it there."""
        return self.fleet[name].commit("stable", {"hotfix": "1\n"}, "Hotfix", author="alice")

    # What a test may look at

    def at(self, number: int, *names: str) -> dict[str, Sha]:
        return {name: self.commits[name][number] for name in names or NAMES}

    def live(self, name: str) -> Sha | None:
        return self.fleet[name].branch("stable")

    @property
    def text(self) -> str:
        return self.file("main", STATE_PATH)

    @property
    def ledger(self) -> Ledger:
        return parse_ledger(self.file(LEDGER_BRANCH, LEDGER_PATH))

    def file(self, branch: str, path: str) -> str:
        head = self.state.branch(branch)
        assert head
        blob = gitops.read_file(self.state.commit_at(head), path)
        assert blob is not None
        return bytes(getattr(blob, "data")).decode()  # noqa: B009 (pygit2 has no type for it)

    # What the operator runs

    def connect(self, login: str = BOT) -> AbstractAsyncContextManager[GitHub]:
        settings = GitHubSettings(
            url=self.sandbox.url,
            credentials=TokenCredentials(token=SecretStr(self.sandbox.tokens[login])),
            seconds_between_writes=0,
        )
        return connect(settings, repository=RELEASE_STATE)

    async def reconcile(self, name: str = "test", notify: Notify | None = None) -> RunReport:
        async with self.connect() as github:
            return await reconcile(
                plain_steps(github, self.clock, notify or self._notify), clock=self.clock, run=name
            )

    async def _notify(self, accepted: Accepted, news: News) -> bool:
        self.told.append(news)
        return True


def _history(repository: Repository) -> list[Sha]:
    commits = [repository.commit("main", {"file": f"{n}\n"}, f"Change {n}") for n in range(5)]
    repository.push("stable", commits[0], by="alice")
    return commits
