"""A release-state repository that people work on with git, and what would be moved of what they did."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile, survey
from reconcile.apply import Clock
from reconcile.github.client import GitHub, connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.planned import Plan
from reconcile.report import News, RunReport
from state.ids import Sha
from state.ledger import AcceptedCommit, Ledger, dump_ledger
from state.yaml_io import POLICY_PATH, STATE_PATH
from tests.fakes import FakeClock
from tests.sandbox import Repository, Sandbox
from tests.sandbox.model import Account, PullRequest

BOT = "stablehand-bot"
OGR, PACKIT = "packit/ogr", "packit/packit"
UNREADABLE = "version: 1\ntargets: [\n"


def policy(approval: str = "{}", *, soak: str = "0h") -> str:
    return (
        "version: 1\nrepositories: {packit/ogr: {}, packit/packit: {}}\n"
        f"approval: {approval}\nsoak: {soak}\n"
    )


class Release:
    """Two repositories with stable behind main, the release state, and its ledger.

    Targets are given by number: 0 is where stable is, 2 the head of main. Whatever happens on the default branch
    happens after the documents were accepted whole.
    """

    def __init__(self, sandbox: Sandbox, github: GitHub) -> None:
        self.sandbox, self.github = sandbox, github
        self.state = sandbox.store.create_repository("packit/release-state")
        self.commits: Mapping[str, list[Sha]] = {name: self._make(name) for name in (OGR, PACKIT)}

    def _make(self, name: str) -> list[Sha]:
        made = self.sandbox.store.create_repository(name)
        commits = [made.commit("main", {"README.md": f"{n}\n"}, f"Commit {n}") for n in range(3)]
        made.push("stable", commits[0], by="alice")
        return commits

    async def accept(self, approval: str = "{}") -> Sha:
        """Begin: documents under which everything is where it should be, accepted whole."""
        head = self.push(self.desired(), policy(approval))
        await self.accept_head()
        return head

    async def accept_head(self) -> None:
        """Write down in the ledger that the documents at the head count, as a run does that finds them decided."""
        found = await self.github.load_release_state()
        ledger = Ledger(
            accepted=AcceptedCommit(
                commit=found.version.commit,
                desired_blob=found.version.desired_blob,
                policy_blob=found.version.policy_blob,
                at=self.sandbox.store.clock(),
            )
        )
        await self.github.store_ledger(dump_ledger(ledger), expected_head=found.ledger_head, message="Accept")

    # What people write

    def desired(self, ogr: int = 0, packit: int = 0, more: str = "") -> str:
        # A line in between, so that git merges what two branches do to one repository each.
        return (
            "version: 1\nref: stable\ntargets:\n"
            f"  packit/ogr: {self.commits[OGR][ogr]}\n  # and on top of it\n"
            f"  packit/packit: {self.commits[PACKIT][packit]}\n{more}"
        )

    def push(
        self,
        desired: str | None = None,
        policy_text: str | None = None,
        *,
        branch: str = "main",
        by: str = "alice",
        repository: Repository | None = None,
    ) -> Sha:
        """Commit documents to a branch directly; one that is not given stays as it is."""
        files = _files(desired, policy_text)
        return (repository or self.state).commit(branch, files, "Decide", author=by)

    def propose(
        self,
        *texts: str,
        branch: str = "proposal",
        base: str = "main",
        by: str = BOT,
        policy_text: str | None = None,
    ) -> PullRequest:
        """Open a pull request with one commit a text, and the policy with the last."""
        if self.state.branch(branch) is None:
            self.state.push(branch, self.head, by=by)
        for text in texts[:-1]:
            self.push(text, branch=branch, by=by)
        self.push(texts[-1] if texts else None, policy_text, branch=branch, by=by)
        return self.state.open_pull_request("Move", "", branch, base, by)

    def merge(self, pull: PullRequest, method: str = "merge") -> Sha:
        return self.state.merge(pull.number, "bob", method)  # type: ignore[arg-type]  # one of the three

    def merge_by_hand(self, pull: PullRequest, desired: str) -> None:
        """Merge on one's own machine, with this document whatever the pull request has, and push that."""
        self.state.push("main", self.write([self.head, pull.head_oid], desired), by="alice")

    def write(
        self,
        parents: Sequence[Sha],
        desired: str | None = None,
        policy_text: str | None = None,
        *,
        author: str | Account = "alice",
        message: str = "Decide",
    ) -> Sha:
        """Write a commit that is on no branch yet; git takes whatever author and message one writes."""
        store = self.sandbox.store
        return self.state.write_commit(
            parents,
            _files(desired, policy_text),
            message,
            author=store.account(author),
            at=store.clock(),
        )

    def force_push(self, commit: Sha, branch: str = "main") -> None:
        self.state.push(branch, commit, by="alice", force=True)

    async def reconcile(self) -> RunReport:
        clock = FakeClock(self.sandbox.store.clock())
        steps = plain_steps(self.github, Clock(clock.now, clock.sleep), _tell_nobody)
        return await reconcile(steps, clock=Clock(clock.now, clock.sleep), run="here")

    @property
    def head(self) -> Sha:
        return self.state.rev_parse("main")

    # What comes of it

    async def survey(self) -> tuple[Accepted, Plan]:
        clock = FakeClock(self.sandbox.store.clock())
        return await survey(self.github, clock=Clock(clock.now, clock.sleep))

    async def verdicts(self) -> dict[str, str]:
        """Say by repository what would be done, or the reason code of why not; of those that are to move."""
        _, plan = await self.survey()
        return {
            item.repository.removeprefix("packit/"): getattr(item, "code", item.kind)
            for item in plan.items
            if item.kind != "no-op"
        }


async def _tell_nobody(_accepted: Accepted, _news: News) -> bool:
    return True


def _files(desired: str | None, policy_text: str | None) -> dict[str, str]:
    given = {STATE_PATH: desired, POLICY_PATH: policy_text}
    return {path: text for path, text in given.items() if text is not None}


@pytest.fixture
async def release(tmp_path: Path) -> AsyncIterator[Release]:
    with Sandbox.running(tmp_path) as sandbox, stamina.set_testing(True, attempts=10, cap=True):
        settings = GitHubSettings(
            url=sandbox.url,
            credentials=TokenCredentials(token=SecretStr(sandbox.tokens[BOT])),
            seconds_between_writes=0,
        )
        async with connect(settings, repository="packit/release-state") as github:
            yield Release(sandbox, github)
