"""The fake GitHub with what proposals need: histories, validation, branches, pull requests, comments, statuses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from reconcile.errors import MissingError, StaleHeadError
from reconcile.observed import (
    BranchCommit,
    CheckRun,
    CommitChecks,
    CommitRange,
    CommitStatus,
    Documents,
    LineNote,
    OpenPullRequest,
    PullRequest,
    RangeTraits,
    RequiredCheck,
    ValidationPullRequest,
)
from state.ids import BranchName, RepositoryName, Sha
from state.proposal import SourceCommit, SourceHistory
from state.yaml_io import POLICY_PATH, STATE_PATH
from tests.builders import NOW, sha
from tests.fakes import FakeGitHub, FakeRepository, _digest

BOT = "stablehand"


@dataclass(frozen=True)
class _Commit:
    """A commit beside the default branch."""

    documents: Documents
    author: str | None
    parent: Sha


def check_run(
    name: str = "rpm-build",
    conclusion: str | None = "success",
    *,
    status: str = "completed",
    app: str = "packit-stg",
    app_id: int = 29180,
    **rest: object,
) -> CheckRun:
    fields: dict[str, object] = {
        "name": name,
        "app_id": app_id,
        "app_slug": app,
        "app_name": app.title(),
        "status": status,
        "conclusion": conclusion,
        "started_at": None,
        "url": None,
    }
    return CheckRun.model_validate(fields | rest)


class FakeRelease(FakeGitHub):
    """Adds HistoryReader, ValidationReader, PullRequestReader, ProposalWriter and ReportWriter."""

    def __init__(self, *repositories: FakeRepository) -> None:
        super().__init__(*repositories)
        self.validation: tuple[ValidationPullRequest, ...] = ()
        self.checks: dict[tuple[RepositoryName, Sha], CommitChecks] = {}
        self.posts: dict[tuple[RepositoryName, Sha], tuple[CommitStatus, ...]] = {}
        self.required: dict[tuple[RepositoryName, BranchName], tuple[RequiredCheck, ...]] = {}
        self.branches: dict[BranchName, Sha] = {}
        self.commits: dict[Sha, _Commit] = {}
        self.pulls: dict[int, PullRequest] = {}
        self.comments: dict[tuple[int, str], str] = {}
        self.notes: dict[int, tuple[LineNote, ...]] = {}
        self.asked: dict[int, tuple[str, ...]] = {}
        """By pull request, who was asked for a review or assigned."""
        self.refuses: tuple[str, ...] = ()
        """Who cannot be asked."""
        self.traits: dict[RepositoryName, RangeTraits] = {}
        self.ranges: dict[RepositoryName, CommitRange] = {}
        """What was last asked about."""
        self.statuses: dict[tuple[Sha, str], tuple[str, str]] = {}
        self.writes: list[str] = []
        """What was really written, in order."""

    # What people do.

    def edit(
        self, branch: BranchName, *, by: str | None, desired_text: str | None, policy_text: str = ""
    ) -> Sha:
        """Commit to a branch, which begins at the default branch where it is new; "" leaves a policy as it is."""
        parent = self.branches.get(branch, self.history[-1].commit)
        before = self.documents_at(parent)
        return self._commit(
            branch,
            Documents(
                commit=sha("0"), desired_text=desired_text, policy_text=policy_text or before.policy_text
            ),
            by,
            parent,
        )

    def open(
        self, branch: BranchName, *, by: str = "alice", base: BranchName = "main", is_from_fork: bool = False
    ) -> int:
        number = len(self.pulls) + 1
        self.pulls[number] = PullRequest(
            number=number,
            url=f"https://github.example/packit/release-state/pull/{number}",
            title="",
            body="",
            author=by,
            state="open",
            is_draft=False,
            is_from_fork=is_from_fork,
            base=base,
            head_branch=branch,
            head=self.branches[branch],
            merge_commit=None,
            labels=(),
        )
        return number

    def close(self, number: int) -> None:
        self._set_pull(number, state="closed")

    def label(self, number: int, *labels: str) -> None:
        self._set_pull(number, labels=labels)

    def merge(self, number: int) -> None:
        head = self.documents_at(self.pulls[number].head)
        self.commit_documents(desired_text=head.desired_text, policy_text=head.policy_text)
        self._set_pull(number, state="merged")

    # What a test may look at.

    def documents_at(self, commit: Sha) -> Documents:
        if commit in self.commits:
            return self.commits[commit].documents
        return next(each for each in self.history if each.commit == commit)

    def file_on(self, branch: BranchName) -> str | None:
        return self.documents_at(self.branches[branch]).desired_text

    # The ports.

    async def observe_histories(
        self, repositories: Collection[RepositoryName], *, source: BranchName, ref: BranchName
    ) -> Mapping[RepositoryName, SourceHistory]:
        self._request("observe_histories")
        return {name: self._history(name, source, ref) for name in repositories if name in self.repositories}

    async def observe_ranges(
        self, ranges: Mapping[RepositoryName, CommitRange], paths: Sequence[str]
    ) -> Mapping[RepositoryName, RangeTraits]:
        self._request("observe_ranges")
        self.ranges = dict(ranges)
        return {name: self.traits[name] for name in ranges if name in self.traits}

    async def find_commits(self, repository: RepositoryName, abbreviated: str) -> tuple[SourceCommit, ...]:
        self._request("find_commits")
        found = self.repositories[repository]
        return tuple(
            self._source_commit(found, each) for each in found.parents if each.startswith(abbreviated)
        )

    async def observe_validation(self, repository: RepositoryName) -> tuple[ValidationPullRequest, ...]:
        self._request("observe_validation")
        return self.validation

    async def observe_checks(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, CommitChecks]:
        self._request("observe_checks")
        return {
            name: self.checks.get((name, commit), CommitChecks(check_runs=(), statuses=()))
            for name, commit in commits.items()
        }

    async def list_statuses(self, repository: RepositoryName, commit: Sha) -> tuple[CommitStatus, ...]:
        self._request("list_statuses")
        return self.posts.get((repository, commit), ())

    async def observe_required_checks(
        self, repositories: Collection[RepositoryName], branch: BranchName
    ) -> Mapping[RepositoryName, tuple[RequiredCheck, ...]]:
        self._request("observe_required_checks")
        return {name: self.required.get((name, branch), ()) for name in repositories}

    async def load_pull_request(self, number: int) -> PullRequest:
        self._request("load_pull_request")
        if number not in self.pulls:
            raise MissingError(f"There is no pull request #{number}.")
        return self._with_head(self.pulls[number])

    async def find_pull_request(self, head_branch: BranchName) -> PullRequest | None:
        self._request("find_pull_request")
        found = (
            each
            for each in self.pulls.values()
            if (each.head_branch, each.state, each.is_from_fork) == (head_branch, "open", False)
        )
        return next((self._with_head(each) for each in found), None)

    async def observe_open(self, context: str) -> tuple[OpenPullRequest, ...]:
        self._request("observe_open")
        there = (self._with_head(each) for each in self.pulls.values())
        return tuple(
            OpenPullRequest(
                number=each.number,
                paths=self._changed_paths(each.head),
                has_status=(each.head, context) in self.statuses,
            )
            for each in there
            if (each.state, each.base) == ("open", "main")
        )

    async def load_documents(self, commit: Sha) -> Documents:
        self._request("load_documents")
        return self.documents_at(commit)

    async def find_fork_point(self, base: Sha, commit: Sha) -> Sha:
        self._request("find_fork_point")
        return self._fork_point(commit)

    async def load_branch(self, branch: BranchName) -> Sha | None:
        self._request("load_branch")
        return self.branches.get(branch)

    async def list_branch_commits(self, branch: BranchName) -> tuple[BranchCommit, ...]:
        self._request("list_branch_commits")
        commit, found = self.branches[branch], list[BranchCommit]()
        while commit in self.commits:
            found.append(BranchCommit(sha=commit, author=self.commits[commit].author))
            commit = self.commits[commit].parent
        return tuple(found)

    async def load_login(self) -> str:
        self._request("load_login")
        return BOT

    async def store_branch(
        self, branch: BranchName, *, base: Sha, expected_head: Sha | None, text: str, headline: str, body: str
    ) -> Sha:
        self._request("store_branch")
        if self.branches.get(branch) != expected_head:
            raise StaleHeadError(f"{branch} is elsewhere.")
        self.writes.append("store_branch")
        documents = Documents(commit=base, desired_text=text, policy_text=self.documents_at(base).policy_text)
        return self._commit(branch, documents, BOT, base)

    async def ensure_pull_request(
        self, *, number: int | None, head_branch: BranchName, title: str, body: str, is_draft: bool
    ) -> PullRequest:
        self._request("ensure_pull_request")
        if number is None:
            number = self.open(head_branch, by=BOT)
            self._set_pull(number, is_draft=is_draft)
        there = self.pulls[number]
        if (there.title, there.body) != (title, body):
            self.writes.append("ensure_pull_request")
            self._set_pull(number, title=title, body=body)
        return self._with_head(self.pulls[number])

    async def ensure_draft(self, number: int, *, is_draft: bool) -> None:
        self._request("ensure_draft")
        if self.pulls[number].is_draft != is_draft:
            self.writes.append("ensure_draft")
            self._set_pull(number, is_draft=is_draft)

    async def ensure_attention(
        self, number: int, *, labels: Sequence[str], reviewers: Sequence[str], assignees: Sequence[str]
    ) -> tuple[str, ...]:
        self._request("ensure_attention")
        wanted = tuple(each for each in (*reviewers, *assignees) if each not in self.refuses)
        if not set(labels) <= set(self.pulls[number].labels) or self.asked.get(number, ()) != wanted:
            self.writes.append("ensure_attention")
            self._set_pull(number, labels=tuple(dict.fromkeys((*self.pulls[number].labels, *labels))))
            self.asked[number] = wanted
        return tuple(f"{each} cannot be asked for a review." for each in reviewers if each in self.refuses)

    async def remove_label(self, number: int, label: str) -> None:
        self._request("remove_label")
        self._set_pull(number, labels=tuple(each for each in self.pulls[number].labels if each != label))

    async def close_pull_request(self, number: int) -> None:
        self._request("close_pull_request")
        self.writes.append("close_pull_request")
        self.close(number)

    async def ensure_notes(self, number: int, commit: Sha, notes: Sequence[LineNote], *, marker: str) -> None:
        self._request("ensure_notes")
        if self.notes.get(number, ()) != tuple(notes):
            self.writes.append("ensure_notes")
            self.notes[number] = tuple(notes)

    async def ensure_comment(self, number: int, *, marker: str, body: str) -> str:
        self._request("ensure_comment")
        if self.comments.get((number, marker)) != body:
            self.writes.append("ensure_comment")
            self.comments[number, marker] = body
        return f"{self.pulls[number].url}#comment"

    async def ensure_status(
        self,
        commit: Sha,
        *,
        context: str,
        state: Literal["success", "failure", "pending", "error"],
        description: str,
        url: str | None,
    ) -> None:
        self._request("ensure_status")
        assert len(description) <= 140
        if self.statuses.get((commit, context)) != (state, description):
            self.writes.append("ensure_status")
            self.statuses[commit, context] = (state, description)

    def _commit(self, branch: BranchName, documents: Documents, author: str | None, parent: Sha) -> Sha:
        commit = _digest(f"{len(self.commits)} on {branch} after {parent}")
        self.commits[commit] = _Commit(documents.model_copy(update={"commit": commit}), author, parent)
        self.branches[branch] = commit
        return commit

    def _changed_paths(self, head: Sha) -> frozenset[str]:
        before, after = self.documents_at(self._fork_point(head)), self.documents_at(head)
        changed = {
            STATE_PATH: before.desired_text != after.desired_text,
            POLICY_PATH: before.policy_text != after.policy_text,
        }
        return frozenset(path for path, is_changed in changed.items() if is_changed)

    def _fork_point(self, commit: Sha) -> Sha:
        while commit in self.commits:
            commit = self.commits[commit].parent
        return commit

    def _set_pull(self, number: int, **changes: object) -> None:
        self.pulls[number] = self.pulls[number].model_copy(update=changes)

    def _with_head(self, pull_request: PullRequest) -> PullRequest:
        return pull_request.model_copy(update={"head": self.branches[pull_request.head_branch]})

    def _history(self, name: RepositoryName, source: BranchName, ref: BranchName) -> SourceHistory:
        found = self.repositories[name]
        head, out = found.refs.get(source), found.refs.get(ref)
        current, known, waiting = head, found.commits_of(out), list[SourceCommit]()
        while current and current not in known:
            waiting.append(self._source_commit(found, current))
            current = next(iter(found.parents[current]), None)
        return SourceHistory(
            repository=name,
            url=f"https://github.example/{name}",
            source=source,
            out=out,
            head=head,
            waiting=tuple(waiting),
            is_complete=True,
        )

    def _source_commit(self, found: FakeRepository, commit: Sha) -> SourceCommit:
        return SourceCommit(
            sha=commit,
            committed_at=found.committed_at.get(commit, NOW - timedelta(days=1)),
            headline=f"Commit {commit[:7]}",
            author="alice",
        )


def pull_request(
    number: int,
    *runs: CheckRun,
    title: str = "Basic test case (stg): one",
    author: str = "packit-bot",
    head_branch: str = "test",
    labels: Sequence[str] = (),
) -> ValidationPullRequest:
    return ValidationPullRequest(
        number=number,
        title=title,
        url=f"https://github.example/packit/hello-world/pull/{number}",
        author=author,
        head=sha("e"),
        head_branch=head_branch,
        labels=tuple(labels),
        check_runs=tuple(runs),
    )


__all__: Sequence[str] = ("BOT", "FakeRelease", "check_run", "pull_request")
