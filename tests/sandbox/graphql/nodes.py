"""The object types of the schema: a class each, an attribute or a method for every field.

Names are the schema's in snake case; a method's parameters are the field's arguments.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, cast

import pygit2

from tests.sandbox import gitops, pulls
from tests.sandbox.errors import NotFound
from tests.sandbox.graphql.connections import Connection
from tests.sandbox.model import (
    Account,
    App,
    CheckRun,
    Comment,
    Label,
    Permission,
    PullRequest,
    Review,
    Status,
)
from tests.sandbox.repository import HEADS, TAGS, WEB_FLOW, Repository
from tests.sandbox.store import Store

BLOB_TEXT_LIMIT = 512_000
MERGED_BY_WEB = WEB_FLOW[1]


@dataclass(frozen=True)
class Call:
    """Who asks, through which door."""

    store: Store
    account: Account
    url: str
    request_id: str
    rate_limit: Any


@dataclass(frozen=True)
class Node:
    call: Call

    def connection(self, name: str, items: Iterable[Any], page: dict[str, Any]) -> Connection[Any]:
        known = list(items)
        return Connection(name, lambda: known, **page)


def stamp(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


@dataclass(frozen=True)
class ActorNode(Node):
    account: Account

    @property
    def typename(self) -> str:
        return self.account.kind

    @property
    def id(self) -> str:
        return self.account.node_id

    @property
    def database_id(self) -> int:
        return self.account.database_id

    @property
    def login(self) -> str:
        return self.account.login

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def url(self) -> str:
        return f"{self.call.url}/{'apps/' if self.account.app else ''}{self.account.login}"


@dataclass(frozen=True)
class UserNode(ActorNode):
    """A bot where the schema has room for a User only: then under its REST login."""

    typename: ClassVar[str] = "User"

    @property
    def login(self) -> str:
        return self.account.rest_login


@dataclass(frozen=True)
class RepositoryNode(Node):
    repository: Repository
    typename: ClassVar[str] = "Repository"

    @property
    def id(self) -> str:
        return self.repository.node_id

    @property
    def database_id(self) -> int:
        return self.repository.database_id

    @property
    def name(self) -> str:
        return self.repository.name

    @property
    def name_with_owner(self) -> str:
        return self.repository.full_name

    @property
    def url(self) -> str:
        return f"{self.call.url}/{self.repository.full_name}"

    @property
    def is_archived(self) -> bool:
        return self.repository.archived

    @property
    def is_fork(self) -> bool:
        return self.repository.is_fork

    @property
    def parent(self) -> "RepositoryNode | None":
        return RepositoryNode(self.call, self.repository.parent) if self.repository.parent else None

    @property
    def viewer_permission(self) -> str | None:
        permission = self.call.store.permission(self.call.account, self.repository)
        return permission.name if permission else None

    @property
    def pushed_at(self) -> str | None:
        return stamp(self.repository.activity[-1].at if self.repository.activity else None)

    @property
    def default_branch_ref(self) -> "RefNode | None":
        return self.ref(HEADS + self.repository.default_branch)

    def ref(self, qualified_name: str) -> "RefNode | None":
        for name in (qualified_name, HEADS + qualified_name, TAGS + qualified_name):
            sha = self.repository.ref(name) if name.startswith("refs/") else None
            if sha:
                return RefNode(self.call, self.repository, name, sha)
        return None

    def refs(self, ref_prefix: str, query: str | None = None, **page: Any) -> Connection["RefNode"]:
        found = self.repository.refs(ref_prefix)
        refs = (
            RefNode(self.call, self.repository, ref_prefix + name, sha)
            for name, sha in found.items()
            if not query or query.lower() in name.lower()
        )
        return self.connection("refs", refs, page)

    def object(self, oid: str | None = None, expression: str | None = None) -> "ObjectNode | None":
        git = self.repository.git
        if oid is not None:
            return object_node(self.call, self.repository, gitops.find_object(git, oid))
        name, colon, path = (expression or "").partition(":")
        sha = self.repository.resolve(name)
        commit = self.repository.find_commit(sha) if sha else None
        if commit is None or not colon:
            return object_node(self.call, self.repository, commit)
        return object_node(self.call, self.repository, gitops.read_file(commit, path))

    def pull_request(self, number: int) -> "PullRequestNode":
        return PullRequestNode(self.call, self.repository.pull(number))

    def pull_requests(
        self,
        states: list[str] | None = None,
        head_ref_name: str | None = None,
        base_ref_name: str | None = None,
        labels: list[str] | None = None,
        order_by: dict[str, str] | None = None,
        **page: Any,
    ) -> Connection["PullRequestNode"]:
        wanted = {label.lower() for label in labels or ()}
        found = [
            pull
            for pull in self.repository.pulls.values()
            if (states is None or pull.state in states)
            and (head_ref_name is None or pull.head_ref == head_ref_name)
            and (base_ref_name is None or pull.base_ref == base_ref_name)
            and (labels is None or wanted & {label.name.lower() for label in pull.labels})
        ]
        return pull_connection(self, found, order_by, page)


def pull_connection(
    node: Node, found: list[PullRequest], order_by: dict[str, str] | None, page: dict[str, Any]
) -> Connection["PullRequestNode"]:
    if order_by:
        key = {"UPDATED_AT": "updated_at", "COMMENTS": "number"}.get(order_by["field"], "created_at")
        found = sorted(
            found, key=lambda pull: (getattr(pull, key), pull.number), reverse=order_by["direction"] == "DESC"
        )
    return node.connection("pullRequests", [PullRequestNode(node.call, pull) for pull in found], page)


@dataclass(frozen=True)
class RefNode(Node):
    repo: Repository
    full_name: str
    sha: str
    typename: ClassVar[str] = "Ref"

    @property
    def id(self) -> str:
        return f"REF_{self.repo.database_id}_{self.full_name}"

    @property
    def prefix(self) -> str:
        return "/".join(self.full_name.split("/")[:2]) + "/"

    @property
    def name(self) -> str:
        return self.full_name.removeprefix(self.prefix)

    @property
    def repository(self) -> RepositoryNode:
        return RepositoryNode(self.call, self.repo)

    @property
    def target(self) -> "ObjectNode | None":
        return object_node(self.call, self.repo, gitops.find_object(self.repo.git, self.sha))

    @property
    def ref_update_rule(self) -> "RefUpdateRule | None":
        allowed = self.repo.protections.get(self.name)
        if allowed is None or self.prefix != HEADS:
            return None
        return RefUpdateRule(pattern=self.name, viewer_can_push=self.call.account.login in allowed)

    def compare(self, head_ref: str) -> "ComparisonNode":
        base, head = self.repo.resolve(self.full_name), self.repo.resolve(head_ref)
        if base is None or head is None:
            raise NotFound(f"Could not resolve to a Ref with the name '{head_ref}'.")
        return ComparisonNode(self.call, self.repo, gitops.compare(self.repo.git, base, head))

    def associated_pull_requests(
        self,
        states: list[str] | None = None,
        order_by: dict[str, str] | None = None,
        head_ref_name: str | None = None,
        base_ref_name: str | None = None,
        labels: list[str] | None = None,
        **page: Any,
    ) -> Connection["PullRequestNode"]:
        """List those *from* this branch."""
        if head_ref_name not in (None, self.name):
            return self.connection("associatedPullRequests", (), page)
        return self.repository.pull_requests(
            states=states,
            head_ref_name=self.name,
            base_ref_name=base_ref_name,
            labels=labels,
            order_by=order_by,
            **page,
        )


@dataclass(frozen=True)
class RefUpdateRule:
    pattern: str
    viewer_can_push: bool
    allows_deletions: bool = False
    allows_force_pushes: bool = False


@dataclass(frozen=True)
class ComparisonNode(Node):
    repository: Repository
    comparison: gitops.Comparison
    typename: ClassVar[str] = "Comparison"

    @property
    def id(self) -> str:
        return f"CMP_{self.repository.database_id}_{self.comparison.base}_{self.comparison.head}"

    @property
    def status(self) -> str:
        return self.comparison.status

    @property
    def ahead_by(self) -> int:
        return self.comparison.ahead

    @property
    def behind_by(self) -> int:
        return self.comparison.behind

    @property
    def base_target(self) -> "CommitNode":
        return CommitNode(self.call, self.repository, self.repository.commit_at(self.comparison.base))

    @property
    def head_target(self) -> "CommitNode":
        return CommitNode(self.call, self.repository, self.repository.commit_at(self.comparison.head))

    def commits(self, **page: Any) -> Connection["CommitNode"]:
        """List what the head has and the base lacks, oldest first."""
        wrap = partial(CommitNode, self.call, self.repository)

        def walk() -> Iterable[CommitNode]:
            between = gitops.commits_between(self.repository.git, self.comparison.base, self.comparison.head)
            return map(wrap, between)

        return Connection("commits", walk, count=lambda: self.comparison.ahead, **page)


@dataclass(frozen=True)
class ObjectNode(Node):
    """What every git object has; the kinds add their own."""

    repo: Repository
    git_object: Any

    @property
    def id(self) -> str:
        return f"{type(self).__name__[:1]}_{self.repo.database_id}_{self.oid}"

    @property
    def oid(self) -> str:
        return str(self.git_object.id)

    @property
    def abbreviated_oid(self) -> str:
        return self.oid[:7]

    @property
    def commit_url(self) -> str:
        return f"{self.call.url}/{self.repo.full_name}/commit/{self.oid}"

    @property
    def repository(self) -> RepositoryNode:
        return RepositoryNode(self.call, self.repo)


def object_node(call: Call, repository: Repository, found: gitops.GitObject | None) -> ObjectNode | None:
    kinds: dict[type[gitops.GitObject], type[ObjectNode]] = {
        pygit2.Commit: CommitNode,
        pygit2.Tree: TreeNode,
        pygit2.Blob: BlobNode,
        pygit2.Tag: TagNode,
    }
    return kinds[type(found)](call, repository, found) if found is not None else None


@dataclass(frozen=True)
class TreeNode(ObjectNode):
    git_object: pygit2.Tree
    typename: ClassVar[str] = "Tree"

    @property
    def entries(self) -> list["TreeEntryNode"]:
        entries = cast("list[gitops.GitObject]", list(self.git_object))
        return [TreeEntryNode(self.call, self.repo, str(entry.name), entry) for entry in entries]


@dataclass(frozen=True)
class TreeEntryNode(Node):
    repository: Repository
    path: str
    entry: gitops.GitObject

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def mode(self) -> int:
        return int(self.entry.filemode or 0)

    @property
    def type(self) -> str:
        return self.entry.type_str

    @property
    def oid(self) -> str:
        return str(self.entry.id)

    @property
    def size(self) -> int:
        return self.entry.size if isinstance(self.entry, pygit2.Blob) else 0

    @property
    def object(self) -> ObjectNode | None:
        return object_node(self.call, self.repository, self.entry)


@dataclass(frozen=True)
class BlobNode(ObjectNode):
    git_object: pygit2.Blob
    typename: ClassVar[str] = "Blob"

    @property
    def byte_size(self) -> int:
        return self.git_object.size

    @property
    def is_binary(self) -> bool:
        return self.git_object.is_binary

    @property
    def is_truncated(self) -> bool:
        return self.git_object.size > BLOB_TEXT_LIMIT

    @property
    def text(self) -> str | None:
        if self.is_binary:
            return None
        return self.git_object.data[:BLOB_TEXT_LIMIT].decode("utf-8", "replace")


@dataclass(frozen=True)
class TagNode(ObjectNode):
    git_object: pygit2.Tag
    typename: ClassVar[str] = "Tag"

    @property
    def name(self) -> str:
        return str(self.git_object.name)

    @property
    def message(self) -> str:
        return self.git_object.message

    @property
    def target(self) -> ObjectNode | None:
        return object_node(self.call, self.repo, gitops.find_object(self.repo.git, self.git_object.target))


@dataclass(frozen=True)
class GitActor(Node):
    signature: pygit2.Signature

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def email(self) -> str:
        return self.signature.email

    @property
    def date(self) -> str | None:
        return stamp(gitops.signed_at(self.signature))

    @property
    def user(self) -> UserNode | None:
        account = self.call.store.account_by_email(self.signature.email)
        return UserNode(self.call, account) if account else None


@dataclass(frozen=True)
class Signature:
    """Only commits made through the web or the API are signed here, by GitHub, always validly."""

    typename: ClassVar[str] = "GpgSignature"
    is_valid: bool = True
    state: str = "VALID"
    was_signed_by_git_hub: bool = True


@dataclass(frozen=True)
class CommitNode(ObjectNode):
    git_object: pygit2.Commit
    typename: ClassVar[str] = "Commit"
    pushed_date: ClassVar[None] = None

    @property
    def url(self) -> str:
        return self.commit_url

    @property
    def message(self) -> str:
        return self.git_object.message

    @property
    def message_headline(self) -> str:
        return self.git_object.message.partition("\n")[0]

    @property
    def message_body(self) -> str:
        return self.git_object.message.partition("\n")[2].strip("\n")

    @property
    def committed_date(self) -> str | None:
        return stamp(gitops.signed_at(self.git_object.committer))

    @property
    def authored_date(self) -> str | None:
        return stamp(gitops.signed_at(self.git_object.author))

    @property
    def author(self) -> GitActor:
        return GitActor(self.call, self.git_object.author)

    @property
    def committer(self) -> GitActor:
        return GitActor(self.call, self.git_object.committer)

    @property
    def signature(self) -> Signature | None:
        return Signature() if self.git_object.committer.email == MERGED_BY_WEB else None

    @property
    def tree(self) -> TreeNode:
        return TreeNode(self.call, self.repo, self.git_object.tree)

    def _wrap(self, commit: pygit2.Commit) -> "CommitNode":
        return CommitNode(self.call, self.repo, commit)

    def parents(self, **page: Any) -> Connection["CommitNode"]:
        return self.connection("parents", map(self._wrap, self.git_object.parents), page)

    def history(
        self, path: str | None = None, since: str | None = None, until: str | None = None, **page: Any
    ) -> Connection["CommitNode"]:
        def walk() -> Iterable[CommitNode]:
            from_, to = (datetime.fromisoformat(each) if each else None for each in (since, until))
            commits = gitops.history(self.repo.git, self.oid, path=path, since=from_, until=to)
            return map(self._wrap, commits)

        return Connection("history", walk, **page)

    def file(self, path: str) -> TreeEntryNode | None:
        found = gitops.read_file(self.git_object, path)
        return TreeEntryNode(self.call, self.repo, path, found) if found is not None else None

    def associated_pull_requests(
        self, order_by: dict[str, str] | None = None, **page: Any
    ) -> Connection["PullRequestNode"]:
        found = pulls.containing(self.repo, self.oid)
        return pull_connection(self, found, order_by, page)

    @property
    def status(self) -> "StatusNode | None":
        statuses = self.repo.latest_statuses(self.oid)
        return StatusNode(self, statuses) if statuses else None

    @property
    def status_check_rollup(self) -> "RollupNode | None":
        statuses, runs = self.repo.latest_statuses(self.oid), self.repo.check_runs(self.oid)
        return RollupNode(self, statuses, runs) if statuses or runs else None

    def check_suites(
        self, filter_by: dict[str, Any] | None = None, **page: Any
    ) -> Connection["CheckSuiteNode"]:
        wanted = filter_by or {}
        suites: dict[int, list[CheckRun]] = {}
        for run in reversed(self.repo.check_runs(self.oid, latest=False)):
            suites.setdefault(run.suite_id, []).append(run)
        found = (
            CheckSuiteNode(self, suite, runs)
            for suite, runs in suites.items()
            if wanted.get("app_id") in (None, runs[0].app.database_id)
            and ("check_name" not in wanted or any(run.name == wanted["check_name"] for run in runs))
        )
        return self.connection("checkSuites", found, page)


def worst(states: Iterable[str]) -> str:
    order = ["ERROR", "FAILURE", "PENDING", "EXPECTED", "SUCCESS"]
    return min(states, key=order.index)


@dataclass(frozen=True)
class StatusNode:
    commit: CommitNode
    statuses: list[Status]
    typename: ClassVar[str] = "Status"

    @property
    def id(self) -> str:
        return f"ST_{self.commit.id}"

    @property
    def state(self) -> str:
        state = worst(status.state.upper() for status in self.statuses)
        return "FAILURE" if state == "ERROR" else state

    @property
    def contexts(self) -> list["StatusContextNode"]:
        return [StatusContextNode(self.commit, status) for status in self.statuses]

    def context(self, name: str) -> "StatusContextNode | None":
        return next((each for each in self.contexts if each.context == name), None)


@dataclass(frozen=True)
class StatusContextNode:
    commit: CommitNode
    status: Status
    typename: ClassVar[str] = "StatusContext"

    @property
    def id(self) -> str:
        return self.status.node_id

    @property
    def context(self) -> str:
        return self.status.context

    @property
    def state(self) -> str:
        return self.status.state.upper()

    @property
    def description(self) -> str | None:
        return self.status.description

    @property
    def target_url(self) -> str | None:
        return self.status.target_url

    @property
    def created_at(self) -> str | None:
        return stamp(self.status.created_at)

    @property
    def creator(self) -> ActorNode:
        return ActorNode(self.commit.call, self.status.creator)


@dataclass(frozen=True)
class RollupNode:
    commit: CommitNode
    statuses: list[Status]
    runs: list[CheckRun]
    typename: ClassVar[str] = "StatusCheckRollup"

    @property
    def id(self) -> str:
        return f"SCR_{self.commit.id}"

    @property
    def state(self) -> str:
        states = [status.state.upper() for status in self.statuses]
        for run in self.runs:
            if run.status != "completed":
                states.append("PENDING")
            else:
                passed = run.conclusion in ("success", "neutral", "skipped")
                states.append("SUCCESS" if passed else "FAILURE")
        return worst(states)

    def contexts(self, **page: Any) -> Connection["CheckRunNode | StatusContextNode"]:
        runs = (suite_of(self.commit, run) for run in self.runs)
        statuses = (StatusContextNode(self.commit, status) for status in self.statuses)
        return self.commit.connection("contexts", [*runs, *statuses], page)


def suite_of(commit: CommitNode, run: CheckRun) -> "CheckRunNode":
    siblings = [
        other for other in commit.repo.check_runs(run.sha, latest=False) if other.suite_id == run.suite_id
    ]
    return CheckRunNode(CheckSuiteNode(commit, run.suite_id, siblings), run)


@dataclass(frozen=True)
class AppNode:
    app: App
    typename: ClassVar[str] = "App"

    @property
    def id(self) -> str:
        return self.app.node_id

    @property
    def database_id(self) -> int:
        return self.app.database_id

    @property
    def slug(self) -> str:
        return self.app.slug

    @property
    def name(self) -> str:
        return self.app.name


@dataclass(frozen=True)
class CheckSuiteNode:
    commit: CommitNode
    database_id: int
    runs: list[CheckRun]
    typename: ClassVar[str] = "CheckSuite"

    @property
    def id(self) -> str:
        return f"CS_{self.database_id}"

    @property
    def app(self) -> AppNode:
        return AppNode(self.runs[0].app)

    @property
    def status(self) -> str:
        statuses = {run.status for run in self.runs}
        return next(
            (status.upper() for status in ("in_progress", "queued") if status in statuses), "COMPLETED"
        )

    @property
    def conclusion(self) -> str | None:
        if self.status != "COMPLETED":
            return None
        order = [
            "failure",
            "timed_out",
            "cancelled",
            "action_required",
            "stale",
            "success",
            "neutral",
            "skipped",
        ]
        conclusions = {run.conclusion for run in self.runs}
        return next((name.upper() for name in order if name in conclusions), None)

    @property
    def created_at(self) -> str | None:
        return stamp(min(run.started_at for run in self.runs if run.started_at))

    @property
    def updated_at(self) -> str | None:
        return stamp(max(run.completed_at or run.started_at for run in self.runs if run.started_at))

    def check_runs(self, filter_by: dict[str, Any] | None = None, **page: Any) -> Connection["CheckRunNode"]:
        wanted = filter_by or {}
        statuses = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
        latest = {(run.name): run.database_id for run in self.runs}
        found = (
            CheckRunNode(self, run)
            for run in self.runs
            if wanted.get("app_id") in (None, run.app.database_id)
            and wanted.get("check_name") in (None, run.name)
            and (statuses is None or run.status.upper() in statuses)
            and (not wanted.get("conclusions") or (run.conclusion or "").upper() in wanted["conclusions"])
            and (wanted.get("check_type") != "LATEST" or latest[run.name] == run.database_id)
        )
        return self.commit.connection("checkRuns", found, page)


@dataclass(frozen=True)
class CheckRunNode:
    check_suite: CheckSuiteNode
    run: CheckRun
    typename: ClassVar[str] = "CheckRun"

    @property
    def id(self) -> str:
        return self.run.node_id

    @property
    def database_id(self) -> int:
        return self.run.database_id

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def status(self) -> str:
        return self.run.status.upper()

    @property
    def conclusion(self) -> str | None:
        return self.run.conclusion.upper() if self.run.conclusion else None

    @property
    def started_at(self) -> str | None:
        return stamp(self.run.started_at)

    @property
    def completed_at(self) -> str | None:
        return stamp(self.run.completed_at)

    @property
    def details_url(self) -> str | None:
        return self.run.details_url

    @property
    def external_id(self) -> str:
        return self.run.external_id

    @property
    def url(self) -> str:
        return f"{self.check_suite.commit.repository.url}/runs/{self.run.database_id}"

    @property
    def title(self) -> str | None:
        return self.run.output.get("title")

    @property
    def summary(self) -> str | None:
        return self.run.output.get("summary")

    @property
    def text(self) -> str | None:
        return self.run.output.get("text")


@dataclass(frozen=True)
class PullRequestNode(Node):
    pull: PullRequest
    typename: ClassVar[str] = "PullRequest"

    @property
    def id(self) -> str:
        return self.pull.node_id

    @property
    def database_id(self) -> int:
        return self.pull.database_id

    @property
    def number(self) -> int:
        return self.pull.number

    @property
    def title(self) -> str:
        return self.pull.title

    @property
    def body(self) -> str:
        return self.pull.body

    @property
    def url(self) -> str:
        return f"{self.call.url}/{self.pull.repository.full_name}/pull/{self.pull.number}"

    @property
    def state(self) -> str:
        return self.pull.state

    @property
    def is_draft(self) -> bool:
        return self.pull.draft

    @property
    def is_cross_repository(self) -> bool:
        return self.pull.is_cross_repository

    @property
    def merged(self) -> bool:
        return self.pull.is_merged

    @property
    def merged_at(self) -> str | None:
        return stamp(self.pull.merged_at)

    @property
    def merged_by(self) -> ActorNode | None:
        return ActorNode(self.call, self.pull.merged_by) if self.pull.merged_by else None

    @property
    def merge_commit(self) -> CommitNode | None:
        return self._commit(self.pull.merge_commit) if self.pull.merge_commit else None

    @property
    def mergeable(self) -> str:
        return "MERGEABLE" if pulls.is_mergeable(self.pull) else "CONFLICTING"

    @property
    def base_ref_name(self) -> str:
        return self.pull.base_ref

    @property
    def base_ref_oid(self) -> str:
        return self.pull.base_oid

    @property
    def base_ref(self) -> RefNode | None:
        return self.base_repository.ref(HEADS + self.pull.base_ref)

    @property
    def base_repository(self) -> RepositoryNode:
        return RepositoryNode(self.call, self.pull.repository)

    @property
    def head_ref_name(self) -> str:
        return self.pull.head_ref

    @property
    def head_ref_oid(self) -> str:
        return self.pull.head_oid

    @property
    def head_ref(self) -> RefNode | None:
        return self.head_repository.ref(HEADS + self.pull.head_ref)

    @property
    def head_repository(self) -> RepositoryNode:
        return RepositoryNode(self.call, self.pull.head_repository)

    @property
    def author(self) -> ActorNode:
        return ActorNode(self.call, self.pull.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.pull.repository, self.pull.author)

    @property
    def created_at(self) -> str | None:
        return stamp(self.pull.created_at)

    @property
    def updated_at(self) -> str | None:
        return stamp(self.pull.updated_at)

    @property
    def closed(self) -> bool:
        return not self.pull.is_open

    @property
    def closed_at(self) -> str | None:
        return stamp(self.pull.closed_at)

    @property
    def changed_files(self) -> int:
        return len(pulls.files(self.pull))

    def _commit(self, sha: str) -> CommitNode:
        return CommitNode(self.call, self.pull.repository, self.pull.repository.commit_at(sha))

    def labels(self, **page: Any) -> Connection["LabelNode"]:
        return self.connection("labels", map(LabelNode, self.pull.labels), page)

    def commits(self, **page: Any) -> Connection["PullRequestCommitNode"]:
        found = (
            PullRequestCommitNode(self, CommitNode(self.call, self.pull.repository, commit))
            for commit in pulls.commits(self.pull)
        )
        return self.connection("commits", found, page)

    def reviews(
        self, states: list[str] | None = None, author: str | None = None, **page: Any
    ) -> Connection["ReviewNode"]:
        found = (
            ReviewNode(self, review)
            for review in self.pull.reviews
            if (states is None or review.state in states) and author in (None, review.author.login)
        )
        return self.connection("reviews", found, page)

    def comments(self, **page: Any) -> Connection["CommentNode"]:
        return self.connection("comments", [CommentNode(self, each) for each in self.pull.comments], page)

    def files(self, **page: Any) -> Connection["ChangedFile"]:
        return self.connection("files", map(ChangedFile, pulls.files(self.pull)), page)


@dataclass(frozen=True)
class LabelNode:
    label: Label
    typename: ClassVar[str] = "Label"

    @property
    def id(self) -> str:
        return self.label.node_id

    @property
    def name(self) -> str:
        return self.label.name

    @property
    def color(self) -> str:
        return self.label.color

    @property
    def description(self) -> str | None:
        return self.label.description


@dataclass(frozen=True)
class PullRequestCommitNode:
    pull_request: PullRequestNode
    commit: CommitNode
    typename: ClassVar[str] = "PullRequestCommit"

    @property
    def id(self) -> str:
        return f"PURC_{self.pull_request.database_id}_{self.commit.oid}"

    @property
    def url(self) -> str:
        return f"{self.pull_request.url}/commits/{self.commit.oid}"


@dataclass(frozen=True)
class ReviewNode:
    pull_request: PullRequestNode
    review: Review
    typename: ClassVar[str] = "PullRequestReview"

    @property
    def id(self) -> str:
        return self.review.node_id

    @property
    def database_id(self) -> int:
        return self.review.database_id

    @property
    def full_database_id(self) -> str:
        return str(self.review.database_id)

    @property
    def state(self) -> str:
        return self.review.state

    @property
    def body(self) -> str:
        return self.review.body

    @property
    def author(self) -> ActorNode:
        return ActorNode(self.pull_request.call, self.review.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.pull_request.pull.repository, self.review.author)

    @property
    def author_can_push_to_repository(self) -> bool:
        store, repository = self.pull_request.call.store, self.pull_request.pull.repository
        return store.permission(self.review.author, repository) >= Permission.WRITE

    @property
    def commit(self) -> CommitNode:
        return self.pull_request._commit(self.review.commit)

    @property
    def submitted_at(self) -> str | None:
        return stamp(self.review.submitted_at)

    @property
    def created_at(self) -> str | None:
        return stamp(self.review.submitted_at)

    @property
    def url(self) -> str:
        return f"{self.pull_request.url}#pullrequestreview-{self.review.database_id}"


@dataclass(frozen=True)
class CommentNode:
    pull_request: PullRequestNode
    comment: Comment
    typename: ClassVar[str] = "IssueComment"

    @property
    def id(self) -> str:
        return self.comment.node_id

    @property
    def database_id(self) -> int:
        return self.comment.database_id

    @property
    def full_database_id(self) -> str:
        return str(self.comment.database_id)

    @property
    def body(self) -> str:
        return self.comment.body

    @property
    def author(self) -> ActorNode:
        return ActorNode(self.pull_request.call, self.comment.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.pull_request.pull.repository, self.comment.author)

    @property
    def created_at(self) -> str | None:
        return stamp(self.comment.created_at)

    @property
    def updated_at(self) -> str | None:
        return stamp(self.comment.updated_at)

    @property
    def url(self) -> str:
        return f"{self.pull_request.url}#issuecomment-{self.comment.database_id}"


@dataclass(frozen=True)
class ChangedFile:
    change: gitops.FileChange

    @property
    def path(self) -> str:
        return self.change.path

    @property
    def additions(self) -> int:
        return self.change.additions

    @property
    def deletions(self) -> int:
        return self.change.deletions

    @property
    def change_type(self) -> str:
        return {"removed": "DELETED"}.get(self.change.status, self.change.status.upper())
