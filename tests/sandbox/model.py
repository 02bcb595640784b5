"""What GitHub remembers beside git: plain records, changed only by `repository.py` and `pulls.py`."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tests.sandbox.repository import Repository


class Permission(IntEnum):
    """Rights in one repository, each including those before it."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


@dataclass(frozen=True)
class App:
    """A GitHub App. `public_key` (PEM) checks the JWTs it signs; without one it cannot ask for tokens."""

    database_id: int
    slug: str
    name: str
    permissions: Mapping[str, str]
    public_key: str | None = None

    @property
    def node_id(self) -> str:
        return f"A_{self.database_id}"

    @property
    def client_id(self) -> str:
        return f"Iv1.{self.database_id:016x}"

    @property
    def installation_id(self) -> int:
        return 10_000_000 + self.database_id


@dataclass(frozen=True)
class Account:
    """Who acts: a person, or the bot of an App.

    The login of a bot is `slug` in GraphQL and `slug[bot]` in REST, as on GitHub.
    """

    database_id: int
    login: str
    name: str
    app: App | None = None

    @property
    def kind(self) -> Literal["User", "Bot"]:
        return "Bot" if self.app else "User"

    @property
    def rest_login(self) -> str:
        return f"{self.login}[bot]" if self.app else self.login

    @property
    def email(self) -> str:
        return f"{self.database_id}+{self.rest_login}@users.noreply.github.com"

    @property
    def node_id(self) -> str:
        return f"{'BOT' if self.app else 'U'}_{self.database_id}"


@dataclass
class Comment:
    database_id: int
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime

    @property
    def node_id(self) -> str:
        return f"IC_{self.database_id}"


@dataclass(frozen=True)
class Review:
    database_id: int
    author: Account
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"]
    body: str
    commit: str
    submitted_at: datetime

    @property
    def node_id(self) -> str:
        return f"PRR_{self.database_id}"


@dataclass
class ReviewThread:
    """Comments on lines of a file, as a pull request's diff showed them when the thread began."""

    database_id: int
    review: Review
    path: str
    first: int
    last: int
    comments: list[Comment] = field(default_factory=list)
    resolved_by: Account | None = None

    @property
    def node_id(self) -> str:
        return f"PRRT_{self.database_id}"

    def comment_id(self, comment: Comment) -> str:
        return f"PRRC_{comment.database_id}"


@dataclass(frozen=True)
class BaseChange:
    """A pull request was pointed at another base, or its base was replaced."""

    database_id: int
    kind: Literal["BaseRefChangedEvent", "BaseRefForcePushedEvent"]
    actor: Account
    at: datetime


@dataclass(frozen=True)
class Label:
    database_id: int
    name: str
    color: str = "ededed"
    description: str | None = None

    @property
    def node_id(self) -> str:
        return f"LA_{self.database_id}"


@dataclass
class PullRequest:
    """`base_oid` is the head of the base branch when the pull request was opened, last pushed to, or merged."""

    repository: "Repository"
    database_id: int
    number: int
    title: str
    body: str
    author: Account
    head_repository: "Repository"
    head_ref: str
    head_oid: str
    base_ref: str
    base_oid: str
    created_at: datetime
    updated_at: datetime
    draft: bool = False
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    rebased: list[str] = field(default_factory=list)
    """What a rebase merge put on the base branch, oldest first."""
    labels: list[Label] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    threads: list[ReviewThread] = field(default_factory=list)
    base_changes: list[BaseChange] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    reviewers: list[Account] = field(default_factory=list)
    """Who was asked for a review and has not given one since."""

    @property
    def node_id(self) -> str:
        return f"PR_{self.database_id}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_merged(self) -> bool:
        return self.merged_at is not None

    @property
    def is_cross_repository(self) -> bool:
        return self.head_repository is not self.repository

    @property
    def state(self) -> Literal["OPEN", "CLOSED", "MERGED"]:
        if self.is_merged:
            return "MERGED"
        return "OPEN" if self.is_open else "CLOSED"


@dataclass(frozen=True)
class Status:
    database_id: int
    context: str
    state: Literal["error", "failure", "pending", "success"]
    description: str | None
    target_url: str | None
    creator: Account
    created_at: datetime

    @property
    def node_id(self) -> str:
        return f"SC_{self.database_id}"


@dataclass
class CheckRun:
    database_id: int
    suite_id: int
    app: App
    sha: str
    name: str
    created_at: datetime
    status: str
    conclusion: str | None
    started_at: datetime | None
    completed_at: datetime | None
    details_url: str | None = None
    external_id: str = ""
    output: dict[str, Any] = field(default_factory=dict)

    @property
    def node_id(self) -> str:
        return f"CR_{self.database_id}"


DeploymentState = Literal[
    "ERROR", "FAILURE", "INACTIVE", "IN_PROGRESS", "PENDING", "QUEUED", "SUCCESS", "WAITING"
]


@dataclass(frozen=True)
class DeploymentStatus:
    database_id: int
    state: DeploymentState
    created_at: datetime
    log_url: str | None
    creator: Account
    description: str = ""

    @property
    def node_id(self) -> str:
        return f"DES_{self.database_id}"


@dataclass(frozen=True)
class Deployment:
    database_id: int
    sha: str
    environment: str
    created_at: datetime
    creator: Account
    task: str = "deploy"
    payload: Any = field(default_factory=dict)
    description: str | None = None
    is_transient: bool = False
    is_production: bool = False
    latest_status: DeploymentStatus | None = None

    @property
    def node_id(self) -> str:
        return f"DE_{self.database_id}"


@dataclass(frozen=True)
class RequiredCheck:
    """A check that a ruleset requires on a branch; by an App where its id is given."""

    context: str
    integration_id: int | None = None


@dataclass(frozen=True)
class Activity:
    """One movement of one ref, as the repository's activity view lists it."""

    database_id: int
    ref: str
    before: str
    after: str
    actor: Account
    at: datetime
    kind: Literal["branch_creation", "branch_deletion", "push", "force_push", "pr_merge"]


@dataclass(frozen=True)
class WorkflowRun:
    database_id: int
    workflow: str
    ref: str
    sha: str
    inputs: Mapping[str, str]
    actor: Account
    created_at: datetime

    @property
    def workflow_id(self) -> int:
        """Number the workflow file, the same for every run."""
        return zlib.crc32(self.workflow.encode()) & 0x7FFF_FFFF


@dataclass
class Delivery:
    """One attempt to deliver an event; `status` is None until there is an answer."""

    database_id: int
    guid: str
    event: str
    payload: dict[str, Any]
    at: datetime
    redelivery: bool = False
    status: int | None = None
    error: str | None = None


@dataclass
class Hook:
    database_id: int
    url: str
    events: tuple[str, ...]
    secret: str | None
    created_at: datetime
    content_type: str = "json"
    active: bool = True
    deliveries: list[Delivery] = field(default_factory=list)
