"""What this package needs from GitHub, as protocols. `reconcile.github` implements them; tests have fakes.

Readers may be called at any time and any number of times. Writers are handed to what applies, and to nothing
else: planning cannot move a ref because it has nothing to move one with.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from reconcile.observed import (
    Activity,
    BranchCommit,
    CommitChecks,
    CommitRange,
    CommitStatus,
    Deployment,
    DocumentChange,
    Documents,
    DocumentVersion,
    LedgerVersion,
    LineNote,
    Observed,
    OpenPullRequest,
    PullRequest,
    RangeTraits,
    ReleaseState,
    RequiredCheck,
    Signal,
    ValidationPullRequest,
    Wanted,
)
from state.history import Between, HandMove, RefMove
from state.ids import BranchName, Frozen, RepositoryName, Sha
from state.proposal import SourceCommit, SourceHistory


class RefUpdate(Frozen):
    """One ref of one repository, from exactly here to exactly there."""

    repository: RepositoryName
    repository_id: str
    ref: BranchName
    before: Sha | None
    """The precondition; none when the ref must not exist."""
    after: Sha
    force: bool
    """Whether commits may be taken off the ref."""


Refusal = Literal["protected", "workflows-permission", "no-permission"]
"""A rule or a missing right, where the server's words say so beyond doubt."""


class UpdateAnswer(Frozen):
    """What the server said to an update. Only reading the ref again tells what it did."""

    status: Literal["accepted", "rejected", "lost"]
    """``lost``: no usable answer came, so it may have been carried out, or still be."""
    refusal: Refusal | None = None
    message: str = ""


class Budget(Frozen):
    """What GitHub still grants the account within the hour, in points of GraphQL."""

    remaining: int
    resets_at: datetime


class BudgetReader(Protocol):
    def budget(self) -> Budget | None:
        """Say what the newest answer said is left; none where none said so. Sends nothing."""


class ReleaseStateReader(Protocol):
    async def load_release_state(self) -> ReleaseState:
        """Read both documents and the ledger at the head of the default branch, in one request."""

    async def load_changes(self, since: Sha, until: Sha) -> tuple[DocumentChange, ...] | None:
        """Read what changed a document after ``since`` up to ``until``, oldest first.

        Walks first parents of the default branch; none when ``since`` is not among them.
        """

    async def observe_version(self) -> DocumentVersion:
        """Read which documents the default branch holds now."""


class FleetReader(Protocol):
    async def observe_fleet(
        self, wanted: Mapping[RepositoryName, Wanted], *, ref: BranchName, branches: Sequence[BranchName]
    ) -> Observed:
        """Observe every repository: its ref, and its target's relation to the ref and to ``branches``."""

    async def observe_refs(
        self, repositories: Collection[RepositoryName], ref: BranchName
    ) -> Mapping[RepositoryName, Sha | None]:
        """Read where the refs stand now; a repository that does not exist is left out."""

    async def observe_signals(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, tuple[Signal, ...]]:
        """Read all check runs and statuses of one commit in each repository."""

    async def observe_activity(
        self, repositories: Collection[RepositoryName], *, ref: BranchName
    ) -> Mapping[RepositoryName, Activity]:
        """Read who moved a ref last; a repository for which GitHub does not tell is left out."""


class RefWriter(Protocol):
    async def update_refs(self, updates: Sequence[RefUpdate]) -> Sequence[UpdateAnswer]:
        """Send the updates in one request, each a compare-and-swap of its own; one answer each, in order.

        Never repeats a request. Keeps the advised second between mutating requests.

        Raises:
            StallError: GitHub refused the whole request, so nothing was carried out.
        """


class WorkflowDispatcher(Protocol):
    async def find_dispatch(
        self, repository: RepositoryName, workflow: str, *, ref: BranchName, since: datetime
    ) -> bool:
        """Say whether the workflow was dispatched on the ref since then, by whomever."""

    async def dispatch(self, repository: RepositoryName, workflow: str, *, ref: BranchName) -> None:
        """Dispatch the workflow on the ref, once.

        Raises:
            ReconcileError: It was refused, or whether it was dispatched is unknown.
        """


class LedgerReader(Protocol):
    async def list_ledgers(self, limit: int, *, since: datetime | None = None) -> tuple[LedgerVersion, ...]:
        """Read the newest versions of the ledger's file, newest first; none where there is no ledger.

        With ``since``, only those that were committed then or later.
        """


class LedgerWriter(Protocol):
    async def store_ledger(self, text: str, *, expected_head: Sha | None, message: str) -> Sha:
        """Commit the ledger, creating its branch when ``expected_head`` is none; return the new head.

        Raises:
            StaleHeadError: Somebody else wrote it first.
        """


NEWEST_DEPLOYMENTS = 10
"""Deployments read of one repository: the last success stands behind failures, and seldom behind more than these."""


class DeploymentReader(Protocol):
    async def observe_deployments(
        self, repositories: Collection[RepositoryName], environment: str
    ) -> Mapping[RepositoryName, tuple[Deployment, ...]]:
        """Read the `NEWEST_DEPLOYMENTS` to an environment in each repository, newest first.

        A repository whose deployments this account may not see is left out.
        """


class MoveDeployment(Frozen):
    """A move of a ref, to be shown as a deployment that has succeeded."""

    repository: RepositoryName
    sha: Sha
    moved_at: datetime
    """Tells this move from every other to the same commit."""
    environment: str
    description: str
    url: str
    """Where to read on."""


class DeploymentWriter(Protocol):
    async def store_deployment(self, move: MoveDeployment, *, begun: int | None) -> None:
        """Make the deployment and post its success, or the success alone on the one that was ``begun``, by its id.

        Sends each write once. What was made before an error is found by `DeploymentReader.observe_deployments`.

        Raises:
            StallError: GitHub refused it.
            TransientError: Whether it was carried out is unknown, or it was not for now.
        """


class ValidationReader(DeploymentReader, Protocol):
    async def observe_validation(self, repository: RepositoryName) -> tuple[ValidationPullRequest, ...]:
        """Read the open pull requests of a validation repository with the check runs on their heads."""

    async def observe_checks(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, CommitChecks]:
        """Read what was posted on one commit in each repository; one without this commit is left out."""

    async def list_statuses(self, repository: RepositoryName, commit: Sha) -> tuple[CommitStatus, ...]:
        """List every post of every status of a commit, newest first: the newest alone says not when it began."""

    async def observe_required_checks(
        self, repositories: Collection[RepositoryName], branch: BranchName
    ) -> Mapping[RepositoryName, tuple[RequiredCheck, ...]]:
        """Read which checks a branch requires in each repository, as far as this account may know."""


class HistoryReader(Protocol):
    async def observe_histories(
        self, repositories: Collection[RepositoryName], *, source: BranchName, ref: BranchName
    ) -> Mapping[RepositoryName, SourceHistory]:
        """Read what waits in each repository; one that does not exist is left out."""

    async def observe_ranges(
        self, ranges: Mapping[RepositoryName, CommitRange], paths: Sequence[str]
    ) -> Mapping[RepositoryName, RangeTraits]:
        """Read what the ranges bring with them; a repository that does not exist is left out."""

    async def find_commits(self, repository: RepositoryName, abbreviated: str) -> tuple[SourceCommit, ...]:
        """Find the commits that an abbreviated or full sha names: none, one, or as many as are known."""


class ReleasedPullRequest(Frozen):
    """The pull request that brought a commit to the source branch. All of it comes from outside."""

    number: int
    title: str
    url: str
    author: str
    body: str


class MergedDecision(Frozen):
    """A merged pull request of the release-state repository."""

    title: str
    url: str
    author: str
    merged_by: str
    merged_at: datetime


class ReleasedReader(Protocol):
    async def observe_between(self, moves: Collection[RefMove]) -> Mapping[RefMove, Between]:
        """Read what lies between the ends of each move; one whose repository or commits are gone is left out."""

    async def observe_released(
        self, commits: Collection[tuple[RepositoryName, Sha]], *, source: BranchName
    ) -> Mapping[tuple[RepositoryName, Sha], ReleasedPullRequest]:
        """Find the merged pull request that brought each commit to ``source``, where there is one."""

    async def observe_decisions(self, numbers: Collection[int]) -> Mapping[int, MergedDecision]:
        """Read merged pull requests of the release-state repository, by number."""

    async def list_ref_moves(
        self, repositories: Collection[RepositoryName], *, ref: BranchName
    ) -> Mapping[RepositoryName, tuple[HandMove, ...]]:
        """List the newest hundred moves of a ref, newest first, whoever made them.

        A repository for which GitHub does not tell is left out.
        """


class PullRequestReader(Protocol):
    async def load_pull_request(self, number: int) -> PullRequest:
        """Read one pull request of the release-state repository.

        Raises:
            MissingError: There is none of this number.
        """

    async def find_pull_request(self, head_branch: BranchName) -> PullRequest | None:
        """Find the open pull request from a branch of the release-state repository itself."""

    async def observe_open(self, context: str) -> tuple[OpenPullRequest, ...]:
        """List the open pull requests into the default branch, the oldest first."""

    async def load_documents(self, commit: Sha) -> Documents:
        """Read both documents at a commit."""

    async def find_fork_point(self, base: Sha, commit: Sha) -> Sha:
        """Find the newest commit that both of these are built on.

        Raises:
            MissingError: There is none, or one of them does not exist.
        """

    async def load_branch(self, branch: BranchName) -> Sha | None:
        """Read where a branch of the release-state repository stands."""

    async def list_branch_commits(self, branch: BranchName) -> tuple[BranchCommit, ...]:
        """List what a branch has and the default branch lacks, at most 100."""

    async def load_login(self) -> str:
        """Say which account the token belongs to, as commits and comments show it."""


class ProposalWriter(Protocol):
    async def store_branch(
        self, branch: BranchName, *, base: Sha, expected_head: Sha | None, text: str, headline: str, body: str
    ) -> Sha:
        """Make the branch the base and one commit that gives the desired-state file this text.

        The branch is moved from exactly ``expected_head`` (none: it must not exist), so nobody's commit is lost.

        Raises:
            StaleHeadError: The branch moved meanwhile.
        """

    async def ensure_pull_request(
        self, *, number: int | None, head_branch: BranchName, title: str, body: str, is_draft: bool
    ) -> PullRequest:
        """Open the pull request, or bring title and body of ``number`` up to date; writes only what differs.

        Whether one that is open is a draft stays as it is.
        """

    async def ensure_draft(self, number: int, *, is_draft: bool) -> None:
        """Make a pull request a draft, or ready for review; writes only where it is not.

        Raises:
            RejectedError: The repository knows no drafts.
        """

    async def ensure_attention(
        self, number: int, *, labels: Sequence[str], reviewers: Sequence[str], assignees: Sequence[str]
    ) -> tuple[str, ...]:
        """Add the labels, requests for review and assignees that a pull request lacks; takes nobody's away.

        Whoever has reviewed is not asked again. Returns what GitHub did not take, a sentence each.
        """

    async def remove_label(self, number: int, label: str) -> None:
        """Take a label off a pull request; done already is success."""

    async def close_pull_request(self, number: int) -> None:
        """Close a pull request without merging it."""


class FoundRepository(Frozen):
    """A repository that may become part of the fleet."""

    name: RepositoryName
    is_archived: bool
    live: Sha | None
    """Where the ref to govern stands; none where it does not exist."""
    source: Sha | None
    """Where the branch that proposals come from stands; none where it does not exist."""


class FleetFinder(Protocol):
    async def list_repositories(
        self, owner: str, *, ref: BranchName, source: BranchName
    ) -> tuple[FoundRepository, ...]:
        """List the repositories of an account or organization, as far as this account may see them.

        Raises:
            MissingError: There is no such owner.
        """

    async def find_repositories(
        self, repositories: Collection[RepositoryName], *, ref: BranchName, source: BranchName
    ) -> Mapping[RepositoryName, FoundRepository]:
        """Look at repositories by name; one that does not exist is left out."""


class FilesWriter(Protocol):
    async def find_files(self, commit: Sha, paths: Sequence[str]) -> frozenset[str]:
        """Say which of the paths there are in the release-state repository at a commit."""

    async def store_files(
        self,
        branch: BranchName,
        *,
        base: Sha,
        expected_head: Sha | None,
        files: Mapping[str, str],
        headline: str,
    ) -> Sha:
        """Make the branch the base and one commit that gives these files these texts, and leaves all others.

        The branch is moved from exactly ``expected_head`` (none: it must not exist), so nobody's commit is lost.

        Raises:
            StaleHeadError: The branch moved meanwhile.
        """


class ReportWriter(Protocol):
    async def ensure_comment(self, number: int, *, marker: str, body: str) -> str:
        """Write the one comment that carries ``marker`` on a pull request, only on change; return its address.

        The marker, an HTML comment, is added to the body here.
        """

    async def ensure_notes(self, number: int, commit: Sha, notes: Sequence[LineNote], *, marker: str) -> None:
        """Have exactly these comments with ``marker`` on lines of a pull request's diff; writes only on change.

        Those that are outdated or not wanted any more are deleted, or resolved where somebody answered.

        Raises:
            RejectedError: A line is not in the diff.
        """

    async def ensure_status(
        self,
        commit: Sha,
        *,
        context: str,
        state: Literal["success", "failure", "pending", "error"],
        description: str,
        url: str | None,
    ) -> None:
        """Post a commit status, unless the newest of this context already says the same."""
