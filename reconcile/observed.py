"""The observed state: a dated snapshot of what GitHub said, as plain values.

Holds facts alone. Names, case and order are normalised where they are read, so that the plan may compare
without asking again.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from state.document import DesiredState, PermitKind
from state.ids import BranchName, Frozen, RepositoryName, Sha
from state.ledger import Ledger
from state.policy import Policy

Permission = Literal["ADMIN", "MAINTAIN", "WRITE", "TRIAGE", "READ"]


class Relation(StrEnum):
    """Where a target stands to the governed ref, in git's words."""

    CREATE = "create"
    """There is no ref yet."""
    IDENTICAL = "identical"
    FAST_FORWARD = "fast-forward"
    """The target descends from the ref."""
    REWIND = "rewind"
    """The target is an ancestor of the ref."""
    DIVERGED = "diverged"


PERMIT_KINDS: Mapping[Relation, PermitKind] = {
    Relation.CREATE: "move",
    Relation.FAST_FORWARD: "move",
    Relation.REWIND: "rewind",
    Relation.DIVERGED: "force",
}
"""Which permit speaks of a move to a target that stands so; nothing moves where it is identical."""


class ObservedTarget(Frozen):
    """A target as its repository knows it."""

    sha: Sha
    committed_at: datetime
    headline: str
    relation: Relation
    ahead: int
    """Commits that the target has and the ref lacks; 0 where there is no ref."""
    behind: int
    """Commits that the ref has and the target lacks."""
    on_branch: BranchName | None
    """The first of the allowed branches that contains the target; none where it is on none of them."""
    contains: tuple[Sha, ...] = ()
    """Which of the commits that were asked about (blocks and their fixes) are ancestors of the target."""


class ObservedRepository(Frozen):
    """One repository of the fleet."""

    id: str
    """GitHub's node id: the same under every name that the repository ever had."""
    name: str
    """``owner/name`` as GitHub spells it today."""
    url: str
    is_archived: bool
    permission: Permission | None
    """The account's right; none where GitHub does not tell, as for some apps."""
    live: Sha | None
    """Where the governed ref stands; none where it does not exist."""
    target: ObservedTarget | None
    """None where the repository has no such commit."""


class Wanted(Frozen):
    """What to observe of one repository."""

    target: Sha
    ancestors: tuple[Sha, ...] = ()
    """Commits of which to say whether the target contains them."""


class Signal(Frozen):
    """A check run or a commit status: something that a system says about a commit."""

    kind: Literal["check_run", "status"]
    name: str
    """Of the check run, or the status's context."""
    apps: tuple[str, ...] = ()
    """Id, slug and name of the app that posted a check run."""
    state: Literal["success", "pending", "failure"]
    """A check run that is completed otherwise than with success has failed."""
    started_at: datetime | None
    """When the run started, or the status was posted; none for a run that has yet to start."""


class Activity(Frozen):
    """The last move of a ref, as GitHub recorded it. The actor's login comes from outside."""

    actor: str | None
    at: datetime
    after: Sha | None = None
    """Where it moved the ref; none where it is not known."""


class Observed(Frozen):
    """The fleet at one moment. A repository that is missing here does not exist for this account."""

    at: datetime
    repositories: dict[RepositoryName, ObservedRepository]
    signals: dict[RepositoryName, tuple[Signal, ...]] = {}
    """What is said about moved commits that others wait for; only where somebody waits."""
    activity: dict[RepositoryName, Activity] = {}
    """Who moved a ref that was proved at its target; only where somebody did."""


class DocumentVersion(Frozen):
    """Which documents a plan was made from. The blob ids tell whether a later commit changed either."""

    repository: RepositoryName
    url: str
    branch: BranchName
    commit: Sha
    desired_blob: Sha | None
    policy_blob: Sha | None

    @property
    def blobs(self) -> tuple[Sha | None, Sha | None]:
        """Both documents' contents: equal while whatever else was committed left them alone."""
        return self.desired_blob, self.policy_blob


class Documents(Frozen):
    """The texts of both documents at one commit; none where a file is missing there."""

    commit: Sha
    desired_text: str | None
    policy_text: str | None

    @property
    def texts(self) -> tuple[str | None, str | None]:
        """Both documents without the commit that they are read at."""
        return self.desired_text, self.policy_text


class ReleaseState(Frozen):
    """The release-state repository at the head of its default branch, and its ledger's branch."""

    repository_id: str
    version: DocumentVersion
    documents: Documents
    ledger_head: Sha | None
    ledger_text: str | None


class LedgerVersion(Frozen):
    """The ledger's file as one commit of its branch has it."""

    commit: Sha
    committed_at: datetime
    text: str


class Accepted(Frozen):
    """What the plan works from: both documents as parsed, the ledger, and which lines nobody approved."""

    version: DocumentVersion
    desired: DesiredState
    """The document, with the last approved target of what was taken out of it without approval."""
    policy: Policy
    ledger: Ledger | None
    """None where the ledger's branch does not exist."""
    ledger_head: Sha | None = None
    """The branch's commit, which the next record must build on."""
    pull_request: int | None = None
    """The last pull request that brought an approved change since the last record."""
    approvers: tuple[str, ...] = ()
    unapproved: dict[RepositoryName, str] = {}
    """Repositories whose lines came in a way that the policy does not accept, each with what was found."""
    objection: str | None = None
    """Why nothing of the documents counts, where the policy or the ref came in such a way."""
    stale: str | None = None
    """Why the documents are not the newest that were ever accepted, where they are not."""

    @property
    def is_decided(self) -> bool:
        """Say whether all of both documents counts."""
        return not (self.unapproved or self.objection or self.stale)


class CheckRun(Frozen):
    """One check run, as an app posted it."""

    name: str
    app_id: int
    app_slug: str
    app_name: str
    status: str
    """In lower case, as REST spells it: ``completed``, ``in_progress``, …"""
    conclusion: str | None
    started_at: datetime | None
    url: str | None


class CommitStatus(Frozen):
    """One post of a commit status."""

    context: str
    state: Literal["success", "pending", "failure"]
    posted_at: datetime
    url: str | None


class CommitChecks(Frozen):
    """What was posted on one commit: its check runs, and the newest status of each context."""

    check_runs: tuple[CheckRun, ...]
    statuses: tuple[CommitStatus, ...]


class RequiredCheck(Frozen):
    """A check that a branch requires of what is merged into it."""

    name: str
    """Of a check run, or the context of a status."""
    app_id: int | None = None
    """The app that must have posted it; none where any may."""


class Deployment(Frozen):
    """A deployment of a repository to an environment, and what became of it."""

    id: int
    sha: Sha
    state: Literal["created", "success", "failed", "running", "inactive"]
    """``created``: nothing was said of it yet; ``inactive``: it was a success, and a later one took its place."""
    at: datetime
    url: str | None
    moved_at: datetime | None = None
    """Which move it shows, where this tool made it: the ledger's ``moved_at``. None for those of others."""


class ValidationPullRequest(Frozen):
    """An open pull request of a validation repository with the check runs of its newest commit."""

    number: int
    title: str
    url: str
    author: str
    head: Sha
    head_branch: str
    labels: tuple[str, ...]
    check_runs: tuple[CheckRun, ...]


class PullRequest(Frozen):
    """A pull request of the release-state repository. Title and body are other people's words."""

    number: int
    url: str
    title: str
    body: str
    author: str
    state: Literal["open", "closed", "merged"]
    is_draft: bool
    is_from_fork: bool
    """Its branch lies in another repository: whoever opened it need not have write access here."""
    base: BranchName
    head_branch: str
    """In a fork anybody names it."""
    head: Sha
    merge_commit: Sha | None
    labels: tuple[str, ...]


class OpenPullRequest(Frozen):
    """An open pull request into the default branch, as far as it decides whether it is checked again."""

    number: int
    paths: frozenset[str] | None
    """The files that it changes; none where they are more than a hundred."""
    has_status: bool
    """Whether its newest commit bears the status that was asked about, whatever that says."""


class LineNote(Frozen):
    """A comment on lines of a file in a pull request's diff. What it suggests replaces exactly these lines."""

    path: str
    first: int
    last: int
    """Counted from 1, in the new version of the file."""
    body: str


class CommitRange(Frozen):
    """What goes out in one repository, as far as somebody asks what it brings with it."""

    before: Sha
    after: Sha
    authors: dict[str, str] = {}
    """Ids of people who may be new, by login."""


class RangeTraits(Frozen):
    """What a range of commits brings with it."""

    touched: tuple[str, ...] = ()
    """Those of the paths asked about that are not the same at both ends."""
    newcomers: tuple[str, ...] = ()
    """Those of the people asked about who have no commit in what was out before."""


class BranchCommit(Frozen):
    """A commit on the proposal's branch that its base lacks."""

    sha: Sha
    author: str | None
    """Login; none for an author whom GitHub cannot name."""


class Review(Frozen):
    """One review of a pull request, as it was submitted."""

    author: str
    is_bot: bool
    """Whether an app wrote it, or the very account that this runs as."""
    can_write: bool
    state: Literal["approved", "changes_requested", "commented", "dismissed", "pending"]
    commit: Sha | None
    """The head that was reviewed."""
    at: datetime


class MergedChange(Frozen):
    """The merged pull request that a commit of the default branch is the result of."""

    number: int
    base: BranchName
    author: str
    contributors: tuple[str, ...]
    """Logins of everyone who wrote, committed or pushed a commit of it, co-authors among them."""
    unattributed: tuple[Sha, ...] = ()
    """Commits of which it is neither known who pushed them, nor everybody who made them."""
    base_changed_at: datetime | None = None
    """When it was last pointed at another base, or its base was replaced by a force-push."""
    head: Sha
    before: Documents
    """Both documents where its branch began."""
    after: Documents
    """Both documents at its final head."""
    reviews: tuple[Review, ...]
    """Oldest first."""


class DocumentChange(Frozen):
    """First-parent commits of the default branch that changed a document: one, or those of one rebase merge."""

    commit: Sha
    """The last of them."""
    before: Documents
    after: Documents
    pull_request: MergedChange | None
    """None where they are the result of no merged pull request."""
