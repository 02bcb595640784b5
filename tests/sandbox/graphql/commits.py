"""Git's objects: commits, trees, blobs, tags."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

import pygit2

from tests.sandbox import gitops, pulls
from tests.sandbox.graphql import checks, pull_requests, repositories
from tests.sandbox.graphql.connections import Connection
from tests.sandbox.graphql.nodes import Call, UserNode, page_of
from tests.sandbox.repository import WEB_FLOW, Repository

BLOB_TEXT_LIMIT = 512_000
_CO_AUTHOR = re.compile(r"^Co-authored-by: *([^<\n]+?) *<([^>\n]+)>", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class ObjectNode:
    """What every git object has; the kinds add their own."""

    call: Call
    in_repository: Repository
    record: Any

    @property
    def id(self) -> str:
        return f"{type(self).__name__[0]}_{self.in_repository.database_id}_{self.oid}"

    @property
    def oid(self) -> str:
        return str(self.record.id)

    @property
    def abbreviated_oid(self) -> str:
        return self.oid[:7]

    @property
    def commit_url(self) -> str:
        return f"{self.call.url}/{self.in_repository.full_name}/commit/{self.oid}"

    @property
    def repository(self) -> "repositories.RepositoryNode":
        return repositories.RepositoryNode(self.call, self.in_repository)


def object_node(call: Call, repository: Repository, found: gitops.GitObject | None) -> ObjectNode | None:
    kinds: dict[type[gitops.GitObject], type[ObjectNode]] = {
        pygit2.Commit: CommitNode,
        pygit2.Tree: TreeNode,
        pygit2.Blob: BlobNode,
        pygit2.Tag: TagNode,
    }
    return kinds[type(found)](call, repository, found) if found is not None else None


def commit_node(call: Call, repository: Repository, sha: str) -> "CommitNode":
    return CommitNode(call, repository, repository.commit_at(sha))


@dataclass(frozen=True)
class TreeNode(ObjectNode):
    record: pygit2.Tree
    typename: ClassVar[str] = "Tree"

    @property
    def entries(self) -> list["TreeEntryNode"]:
        entries = cast("list[gitops.GitObject]", list(self.record))
        return [TreeEntryNode(self.call, self.in_repository, str(each.name), each) for each in entries]


@dataclass(frozen=True)
class TreeEntryNode:
    call: Call
    in_repository: Repository
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
        return object_node(self.call, self.in_repository, self.entry)


@dataclass(frozen=True)
class BlobNode(ObjectNode):
    record: pygit2.Blob
    typename: ClassVar[str] = "Blob"

    @property
    def byte_size(self) -> int:
        return self.record.size

    @property
    def is_truncated(self) -> bool:
        return self.record.size > BLOB_TEXT_LIMIT

    @property
    def text(self) -> str | None:
        return (
            None if self.record.is_binary else self.record.data[:BLOB_TEXT_LIMIT].decode("utf-8", "replace")
        )


@dataclass(frozen=True)
class TagNode(ObjectNode):
    record: pygit2.Tag
    typename: ClassVar[str] = "Tag"

    @property
    def target(self) -> ObjectNode | None:
        found = gitops.find_object(self.in_repository.git, self.record.target)
        return object_node(self.call, self.in_repository, found)


@dataclass(frozen=True)
class GitActor:
    call: Call
    record: pygit2.Signature

    @property
    def date(self) -> datetime:
        return gitops.signed_at(self.record)

    @property
    def user(self) -> UserNode | None:
        account = self.call.store.account_by_email(self.record.email)
        return UserNode(self.call, account) if account else None


@dataclass(frozen=True)
class Signature:
    """Only what is committed through the web or the API is signed here: by GitHub, always validly."""

    typename: ClassVar[str] = "GpgSignature"
    is_valid: bool = True
    state: str = "VALID"
    was_signed_by_git_hub: bool = True


@dataclass(frozen=True)
class CommitNode(ObjectNode):
    record: pygit2.Commit
    typename: ClassVar[str] = "Commit"
    # GitHub has given nothing here since 2023.
    pushed_date: ClassVar[None] = None

    @property
    def url(self) -> str:
        return self.commit_url

    @property
    def message_headline(self) -> str:
        return self.record.message.partition("\n")[0]

    @property
    def message_body(self) -> str:
        return self.record.message.partition("\n")[2].strip("\n")

    @property
    def committed_date(self) -> datetime:
        return gitops.signed_at(self.record.committer)

    @property
    def authored_date(self) -> datetime:
        return gitops.signed_at(self.record.author)

    @property
    def author(self) -> GitActor:
        return GitActor(self.call, self.record.author)

    def authors(self, **page: Any) -> Connection[GitActor]:
        """List the author, and whom the message names beside them."""
        others = (pygit2.Signature(name, email) for name, email in _CO_AUTHOR.findall(self.record.message))
        found = [GitActor(self.call, each) for each in (self.record.author, *others)]
        return page_of("authors", found, page)

    @property
    def committer(self) -> GitActor:
        return GitActor(self.call, self.record.committer)

    @property
    def signature(self) -> Signature | None:
        return Signature() if self.record.committer.email == WEB_FLOW[1] else None

    @property
    def tree(self) -> TreeNode:
        return TreeNode(self.call, self.in_repository, self.record.tree)

    def _wrap(self, commit: pygit2.Commit) -> "CommitNode":
        return CommitNode(self.call, self.in_repository, commit)

    def parents(self, **page: Any) -> Connection["CommitNode"]:
        return page_of("parents", map(self._wrap, self.record.parents), page)

    def history(
        self,
        path: str | None = None,
        since: str | None = None,
        until: str | None = None,
        author: dict[str, Any] | None = None,
        **page: Any,
    ) -> Connection["CommitNode"]:
        start, end = (datetime.fromisoformat(each) if each else None for each in (since, until))

        def walk() -> Iterable[CommitNode]:
            found = gitops.history(self.in_repository.git, self.oid, path=path, since=start, until=end)
            return (self._wrap(commit) for commit in found if author is None or self._is_by(commit, author))

        return Connection("history", walk, **page)

    def _is_by(self, commit: pygit2.Commit, author: dict[str, Any]) -> bool:
        account = self.call.store.account_by_email(commit.author.email)
        return (account is not None and account.node_id == author.get("id")) or (
            commit.author.email in (author.get("emails") or ())
        )

    def file(self, path: str) -> TreeEntryNode | None:
        found = gitops.read_file(self.record, path)
        return TreeEntryNode(self.call, self.in_repository, path, found) if found is not None else None

    def associated_pull_requests(
        self, order_by: dict[str, str] | None = None, **page: Any
    ) -> Connection["pull_requests.PullRequestNode"]:
        found = pulls.containing(self.in_repository, self.oid)
        return pull_requests.pull_requests_page(self.call, found, order_by, page)

    @property
    def status(self) -> "checks.StatusNode | None":
        statuses = self.in_repository.latest_statuses(self.oid)
        return checks.StatusNode(self, statuses) if statuses else None

    @property
    def status_check_rollup(self) -> "checks.RollupNode | None":
        statuses = self.in_repository.latest_statuses(self.oid)
        runs = self.in_repository.check_runs(self.oid)
        return checks.RollupNode(self, statuses, runs) if statuses or runs else None

    def check_suites(
        self, filter_by: dict[str, Any] | None = None, **page: Any
    ) -> Connection["checks.CheckSuiteNode"]:
        app_id, name = ((filter_by or {}).get(key) for key in ("app_id", "check_name"))
        found = (
            suite
            for suite in checks.suites_of(self)
            if app_id in (None, suite.app.database_id)
            and (name is None or any(run.name == name for run in suite.runs))
        )
        return page_of("checkSuites", found, page)
