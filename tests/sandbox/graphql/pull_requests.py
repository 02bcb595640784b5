"""Pull requests with all that hangs on them: labels, commits, reviews, comments, files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from tests.sandbox import gitops, pulls, threads
from tests.sandbox.graphql import commits, repositories
from tests.sandbox.graphql.connections import Connection
from tests.sandbox.graphql.nodes import ActorNode, Call, Node, page_of
from tests.sandbox.model import BaseChange, Comment, Label, Permission, PullRequest, Review, ReviewThread
from tests.sandbox.repository import HEADS


def pull_requests_page(
    call: Call, found: list[PullRequest], order_by: dict[str, str] | None, page: dict[str, Any]
) -> Connection["PullRequestNode"]:
    if order_by:
        by = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}.get(order_by["field"], "number")
        is_descending = order_by["direction"] == "DESC"
        found = sorted(found, key=lambda pull: (getattr(pull, by), pull.number), reverse=is_descending)
    return page_of("pullRequests", [PullRequestNode(call, pull) for pull in found], page)


@dataclass(frozen=True)
class PullRequestNode(Node):
    record: PullRequest
    typename: ClassVar[str] = "PullRequest"

    @property
    def url(self) -> str:
        return f"{self.call.url}/{self.record.repository.full_name}/pull/{self.record.number}"

    @property
    def is_draft(self) -> bool:
        return self.record.draft

    @property
    def merged(self) -> bool:
        return self.record.is_merged

    @property
    def merged_by(self) -> ActorNode | None:
        return ActorNode(self.call, self.record.merged_by) if self.record.merged_by else None

    @property
    def merge_commit(self) -> "commits.CommitNode | None":
        return self.commit(self.record.merge_commit) if self.record.merge_commit else None

    @property
    def mergeable(self) -> str:
        return "MERGEABLE" if pulls.is_mergeable(self.record) else "CONFLICTING"

    @property
    def base_ref_name(self) -> str:
        return self.record.base_ref

    @property
    def base_ref_oid(self) -> str:
        return self.record.base_oid

    @property
    def base_ref(self) -> "repositories.RefNode | None":
        return self.base_repository.ref(HEADS + self.record.base_ref)

    @property
    def base_repository(self) -> "repositories.RepositoryNode":
        return repositories.RepositoryNode(self.call, self.record.repository)

    @property
    def head_ref_name(self) -> str:
        return self.record.head_ref

    @property
    def head_ref_oid(self) -> str:
        return self.record.head_oid

    @property
    def head_ref(self) -> "repositories.RefNode | None":
        return self.head_repository.ref(HEADS + self.record.head_ref)

    @property
    def head_repository(self) -> "repositories.RepositoryNode":
        return repositories.RepositoryNode(self.call, self.record.head_repository)

    @property
    def author(self) -> ActorNode:
        return ActorNode(self.call, self.record.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.record.repository, self.record.author)

    @property
    def closed(self) -> bool:
        return not self.record.is_open

    @property
    def changed_files(self) -> int:
        return len(pulls.files(self.record))

    def commit(self, sha: str) -> "commits.CommitNode":
        return commits.commit_node(self.call, self.record.repository, sha)

    def labels(self, **page: Any) -> Connection["LabelNode"]:
        return page_of("labels", map(LabelNode, self.record.labels), page)

    def commits(self, **page: Any) -> Connection["PullRequestCommitNode"]:
        found = (
            PullRequestCommitNode(self, commits.CommitNode(self.call, self.record.repository, each))
            for each in pulls.commits(self.record)
        )
        return page_of("commits", found, page)

    def reviews(
        self, states: list[str] | None = None, author: str | None = None, **page: Any
    ) -> Connection["ReviewNode"]:
        found = (
            ReviewNode(self, review)
            for review in self.record.reviews
            if (states is None or review.state in states) and author in (None, review.author.login)
        )
        return page_of("reviews", found, page)

    def comments(self, **page: Any) -> Connection["CommentNode"]:
        return page_of("comments", [CommentNode(self, each) for each in self.record.comments], page)

    def review_threads(self, **page: Any) -> Connection["ThreadNode"]:
        return page_of("reviewThreads", [ThreadNode(self, each) for each in self.record.threads], page)

    def timeline_items(
        self, item_types: list[str] | None = None, **page: Any
    ) -> Connection["BaseChangeNode"]:
        found = (BaseChangeNode(self, each) for each in self.record.base_changes)
        return page_of("timelineItems", [each for each in found if each.is_one_of(item_types)], page)

    def files(self, **page: Any) -> Connection["ChangedFileNode"]:
        return page_of("files", map(ChangedFileNode, pulls.files(self.record)), page)


@dataclass(frozen=True)
class BaseChangeNode:
    """Of a pull request's timeline only what became of its base is there."""

    pull_request: PullRequestNode
    record: BaseChange

    @property
    def typename(self) -> str:
        return self.record.kind

    @property
    def id(self) -> str:
        return f"BRE_{self.record.database_id}"

    @property
    def actor(self) -> ActorNode:
        return ActorNode(self.pull_request.call, self.record.actor)

    @property
    def created_at(self) -> datetime:
        return self.record.at

    def is_one_of(self, types: list[str] | None) -> bool:
        """Compare with the names of an enumeration: ``BASE_REF_CHANGED_EVENT``."""
        return types is None or self.typename.lower() in {each.replace("_", "").lower() for each in types}


@dataclass(frozen=True)
class LabelNode:
    record: Label
    typename: ClassVar[str] = "Label"

    @property
    def id(self) -> str:
        return self.record.node_id


@dataclass(frozen=True)
class PullRequestCommitNode:
    pull_request: PullRequestNode
    commit: "commits.CommitNode"
    typename: ClassVar[str] = "PullRequestCommit"

    @property
    def id(self) -> str:
        return f"PURC_{self.pull_request.record.database_id}_{self.commit.oid}"

    @property
    def url(self) -> str:
        return f"{self.pull_request.url}/commits/{self.commit.oid}"


@dataclass(frozen=True)
class WrittenNode:
    """What a review and a comment have in common: somebody wrote it under a pull request."""

    pull_request: PullRequestNode
    record: Any

    @property
    def id(self) -> str:
        return str(self.record.node_id)

    @property
    def full_database_id(self) -> str:
        return str(self.record.database_id)

    @property
    def author(self) -> ActorNode:
        return ActorNode(self.pull_request.call, self.record.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.pull_request.record.repository, self.record.author)


@dataclass(frozen=True)
class ReviewNode(WrittenNode):
    record: Review
    typename: ClassVar[str] = "PullRequestReview"

    @property
    def author_can_push_to_repository(self) -> bool:
        repository = self.pull_request.record.repository
        return self.pull_request.call.store.permission(self.record.author, repository) >= Permission.WRITE

    @property
    def commit(self) -> "commits.CommitNode":
        return self.pull_request.commit(self.record.commit)

    @property
    def created_at(self) -> datetime:
        return self.record.submitted_at

    @property
    def url(self) -> str:
        return f"{self.pull_request.url}#pullrequestreview-{self.record.database_id}"


@dataclass(frozen=True)
class CommentNode(WrittenNode):
    record: Comment
    typename: ClassVar[str] = "IssueComment"

    @property
    def url(self) -> str:
        return f"{self.pull_request.url}#issuecomment-{self.record.database_id}"


@dataclass(frozen=True)
class ThreadNode:
    """Comments on lines; where those have changed since, the thread has no line any more."""

    pull_request: PullRequestNode
    record: ReviewThread
    typename: ClassVar[str] = "PullRequestReviewThread"

    @property
    def id(self) -> str:
        return self.record.node_id

    @property
    def _position(self) -> tuple[int, int] | None:
        return threads.position(self.pull_request.record, self.record)

    @property
    def line(self) -> int | None:
        return self._position[1] if self._position else None

    @property
    def start_line(self) -> int | None:
        """Of a thread on one line there is none, as on GitHub."""
        return self._position[0] if self._position and self._position[0] != self._position[1] else None

    @property
    def is_outdated(self) -> bool:
        return self._position is None

    @property
    def is_resolved(self) -> bool:
        return self.record.resolved_by is not None

    def comments(self, **page: Any) -> Connection["ThreadCommentNode"]:
        found = (ThreadCommentNode(self.pull_request, each, self.record) for each in self.record.comments)
        return page_of("comments", found, page)


@dataclass(frozen=True)
class ThreadCommentNode(WrittenNode):
    record: Comment
    thread: ReviewThread
    typename: ClassVar[str] = "PullRequestReviewComment"

    @property
    def id(self) -> str:
        return self.thread.comment_id(self.record)


@dataclass(frozen=True)
class ChangedFileNode:
    record: gitops.FileChange

    @property
    def change_type(self) -> str:
        return "DELETED" if self.record.status == "removed" else self.record.status.upper()
