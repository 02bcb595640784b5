"""The fields of the Mutation type. Each is refused or done by itself, one after another."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from tests.sandbox import pulls, threads
from tests.sandbox.errors import Forbidden, NotFound, Unprocessable
from tests.sandbox.graphql.commits import commit_node
from tests.sandbox.graphql.connections import Edge, cursor
from tests.sandbox.graphql.nodes import ActorNode, Call
from tests.sandbox.graphql.pull_requests import CommentNode, PullRequestNode, ReviewNode, ThreadNode
from tests.sandbox.graphql.queries import find_pull_request, find_repository, visible
from tests.sandbox.graphql.repositories import RefNode
from tests.sandbox.model import Comment, Permission, PullRequest, ReviewThread
from tests.sandbox.repository import HEADS, RefUpdate, Repository
from tests.sandbox.threads import Draft
from tests.sandbox.threads import start as begin_threads

Deed = TypeVar("Deed", bound=Callable[..., dict[str, Any]])


def mutation(deed: Deed) -> Deed:
    """Take the input object apart, give `clientMutationId` back, and word a lack of rights as GraphQL does."""
    name = "".join(part.capitalize() for part in deed.__name__.split("_"))

    @wraps(deed)
    def field(self: "Mutations", input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's name
        client_mutation_id = input.pop("client_mutation_id", None)
        try:
            payload = deed(self, **input)
        except Forbidden as error:
            if error.message.startswith("Must have"):
                login = self.call.account.login
                raise Forbidden(
                    f"{login} does not have the correct permissions to execute `{name}`"
                ) from error
            raise
        return Payload({"client_mutation_id": client_mutation_id, **payload})

    return field  # type: ignore[return-value]  # graphql-core calls it by the schema's signature


class Payload(dict[str, Any]):
    """Let the fields of a payload be read as attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


@dataclass(frozen=True)
class Mutations:
    call: Call

    @mutation
    def update_refs(self, repository_id: str, ref_updates: list[dict[str, Any]]) -> dict[str, Any]:
        repository = find_repository(self.call, repository_id)
        updates = [
            RefUpdate(each["name"], each["after_oid"], each.get("before_oid"), force=bool(each.get("force")))
            for each in ref_updates
        ]
        self.call.store.require(self.call.account, repository, Permission.WRITE, app_permission="contents")
        repository.update_refs(updates, self.call.account)
        return {}

    @mutation
    def create_commit_on_branch(
        self,
        branch: dict[str, str],
        message: dict[str, str],
        expected_head_oid: str,
        file_changes: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        repository, name = self._branch(branch)
        self.call.store.require(self.call.account, repository, Permission.WRITE, app_permission="contents")
        changes: dict[str, bytes | None] = {}
        for addition in (file_changes or {}).get("additions") or ():
            try:
                changes[addition["path"]] = b64decode(addition["contents"], validate=True)
            except binascii.Error as error:
                raise Unprocessable(f"{addition['path']}: contents is not Base64") from error
        changes |= {deletion["path"]: None for deletion in (file_changes or {}).get("deletions") or ()}
        text = message["headline"] + (f"\n\n{message['body']}" if message.get("body") else "")
        sha = repository.commit_on_branch(
            name, changes, text, expected_head=expected_head_oid, by=self.call.account
        )
        ref = RefNode(self.call, repository, HEADS + name, sha)
        return {"commit": commit_node(self.call, repository, sha), "ref": ref}

    def _branch(self, branch: dict[str, str]) -> tuple[Repository, str]:
        if "id" in branch:
            kind, owner, name = [*branch["id"].split("_", 2), "", ""][:3]
            if kind != "REF":
                raise NotFound(f"Could not resolve to a node with the global id of '{branch['id']}'")
            return find_repository(self.call, f"R_{owner}"), name.removeprefix(HEADS)
        full_name = branch.get("repository_name_with_owner", "")
        repository = visible(self.call, self.call.store.repository(full_name), full_name)
        return repository, branch.get("branch_name", "").removeprefix(HEADS)

    @mutation
    def create_pull_request(
        self,
        repository_id: str,
        base_ref_name: str,
        head_ref_name: str,
        title: str,
        body: str | None = None,
        *,
        draft: bool = False,
        head_repository_id: str | None = None,
        maintainer_can_modify: bool = True,
    ) -> dict[str, Any]:
        repository = find_repository(self.call, repository_id)
        self._require_pull_rights(repository)
        if head_repository_id:
            head_ref_name = f"{find_repository(self.call, head_repository_id).owner}:{head_ref_name}"
        pull = pulls.open_pull(
            repository,
            title,
            body or "",
            head=head_ref_name,
            base=base_ref_name,
            by=self.call.account,
            draft=draft,
        )
        return {"pull_request": PullRequestNode(self.call, pull)}

    def _require_pull_rights(self, repository: Repository) -> None:
        self.call.store.require(
            self.call.account, repository, Permission.READ, app_permission="pull_requests"
        )

    @mutation
    def update_pull_request(
        self,
        pull_request_id: str,
        title: str | None = None,
        body: str | None = None,
        base_ref_name: str | None = None,
        state: str | None = None,
    ) -> dict[str, Any]:
        pull = self._own_pull(pull_request_id)
        pulls.edit(pull, self.call.account, title=title, body=body, base=base_ref_name)
        if state is not None:
            pulls.set_open(pull, self.call.account, is_open=state == "OPEN")
        return {
            "actor": ActorNode(self.call, self.call.account),
            "pull_request": PullRequestNode(self.call, pull),
        }

    @mutation
    def close_pull_request(self, pull_request_id: str) -> dict[str, Any]:
        pull = self._own_pull(pull_request_id)
        pulls.set_open(pull, self.call.account, is_open=False)
        return {"pull_request": PullRequestNode(self.call, pull)}

    def _own_pull(self, node_id: str) -> PullRequest:
        """Give a pull request that the account may change: its own, or any with the right to push."""
        pull = find_pull_request(self.call, node_id)
        own = pull.author == self.call.account
        needed = Permission.READ if own else Permission.WRITE
        self.call.store.require(self.call.account, pull.repository, needed, app_permission="pull_requests")
        return pull

    @mutation
    def add_comment(self, subject_id: str, body: str) -> dict[str, Any]:
        pull = find_pull_request(self.call, subject_id)
        self._require_pull_rights(pull.repository)
        made = pulls.comment(pull, self.call.account, body)
        node = CommentNode(PullRequestNode(self.call, pull), made)
        return {"comment_edge": Edge(cursor(len(pull.comments)), node)}

    @mutation
    def convert_pull_request_to_draft(self, pull_request_id: str) -> dict[str, Any]:
        return self._set_draft(pull_request_id, draft=True)

    @mutation
    def mark_pull_request_ready_for_review(self, pull_request_id: str) -> dict[str, Any]:
        return self._set_draft(pull_request_id, draft=False)

    def _set_draft(self, pull_request_id: str, *, draft: bool) -> dict[str, Any]:
        pull = self._own_pull(pull_request_id)
        pulls.set_draft(pull, self.call.account, draft=draft)
        return {"pull_request": PullRequestNode(self.call, pull)}

    @mutation
    def remove_labels_from_labelable(self, labelable_id: str, label_ids: list[str]) -> dict[str, Any]:
        pull = find_pull_request(self.call, labelable_id)
        self.call.store.require(
            self.call.account, pull.repository, Permission.TRIAGE, app_permission="pull_requests"
        )
        pulls.set_labels(
            pull, self.call.account, [label.name for label in pull.labels if label.node_id not in label_ids]
        )
        return {}

    @mutation
    def add_pull_request_review(
        self,
        pull_request_id: str,
        event: str | None = None,
        body: str | None = None,
        commit_o_i_d: str | None = None,
        threads: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Comment on lines; what the sandbox's clients do not do (a pending review, an approval) is refused."""
        pull = find_pull_request(self.call, pull_request_id)
        self._require_pull_rights(pull.repository)
        if event != "COMMENT" or not (body or threads):
            raise Unprocessable("The sandbox takes reviews that comment, and say something")
        drafts = [_draft(each) for each in threads or ()]
        made = begin_threads(pull, self.call.account, body or "", drafts, commit_o_i_d)
        return {"pull_request_review": ReviewNode(PullRequestNode(self.call, pull), made)}

    @mutation
    def delete_pull_request_review_comment(self, id: str) -> dict[str, Any]:  # noqa: A002 - GitHub's name
        pull, thread, comment = self._find_comment(id)
        needed = Permission.READ if comment.author == self.call.account else Permission.WRITE
        self.call.store.require(self.call.account, pull.repository, needed, app_permission="pull_requests")
        threads.delete_comment(pull, thread, comment)
        return {"pull_request_review": ReviewNode(PullRequestNode(self.call, pull), thread.review)}

    def _find_comment(self, node_id: str) -> tuple[PullRequest, ReviewThread, Comment]:
        for pull, thread in self._threads():
            for comment in thread.comments:
                if thread.comment_id(comment) == node_id:
                    return pull, thread, comment
        raise NotFound(f"Could not resolve to a node with the global id of '{node_id}'")

    def _threads(self) -> Iterator[tuple[PullRequest, ReviewThread]]:
        for repository in self.call.store.repositories():
            for pull in repository.pulls.values():
                yield from ((pull, thread) for thread in pull.threads)

    @mutation
    def resolve_review_thread(self, thread_id: str) -> dict[str, Any]:
        for pull, thread in self._threads():
            if thread.node_id == thread_id:
                self.call.store.require(
                    self.call.account, pull.repository, Permission.WRITE, app_permission="pull_requests"
                )
                thread.resolved_by = self.call.account
                return {"thread": ThreadNode(PullRequestNode(self.call, pull), thread)}
        raise NotFound(f"Could not resolve to a node with the global id of '{thread_id}'")


def _draft(given: dict[str, Any]) -> Draft:
    if "LEFT" in (given.get("side"), given.get("start_side")):
        raise Unprocessable("The sandbox takes comments on the new version of a file only")
    return Draft(given["path"], given.get("start_line") or given["line"], given["line"], given["body"])
