"""The fields of the Mutation type. Each is refused or done by itself, one after another."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from tests.sandbox import pulls
from tests.sandbox.errors import Forbidden, NotFound, Unprocessable
from tests.sandbox.graphql.commits import commit_node
from tests.sandbox.graphql.connections import Edge, cursor
from tests.sandbox.graphql.nodes import ActorNode, Call
from tests.sandbox.graphql.pull_requests import CommentNode, PullRequestNode
from tests.sandbox.graphql.queries import find_pull_request, find_repository, visible
from tests.sandbox.graphql.repositories import RefNode
from tests.sandbox.model import Permission, PullRequest
from tests.sandbox.repository import HEADS, RefUpdate, Repository

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
