"""The fields of the Query type."""

from dataclasses import dataclass
from typing import Any

from tests.sandbox.errors import NotFound
from tests.sandbox.graphql.commits import CommitNode
from tests.sandbox.graphql.nodes import ActorNode, Call, UserNode
from tests.sandbox.graphql.pull_requests import PullRequestNode
from tests.sandbox.graphql.repositories import OrganizationNode, RefNode, RepositoryNode
from tests.sandbox.model import Permission, PullRequest
from tests.sandbox.repository import Repository


def visible(call: Call, repository: Repository, name: str) -> Repository:
    """Give the repository, or what GitHub says of one that the account may not see."""
    if call.store.permission(call.account, repository) < Permission.READ:
        raise NotFound(f"Could not resolve to a Repository with the name '{name}'.")
    return repository


def find_repository(call: Call, node_id: str) -> Repository:
    kind, _, number = node_id.partition("_")
    if kind == "R" and number.isdecimal():
        for repository in call.store.repositories():
            if repository.database_id == int(number):
                return visible(call, repository, node_id)
    raise NotFound(f"Could not resolve to a node with the global id of '{node_id}'")


def find_pull_request(call: Call, node_id: str) -> PullRequest:
    for repository in call.store.repositories():
        for pull in repository.pulls.values():
            if pull.node_id == node_id:
                visible(call, repository, node_id)
                return pull
    raise NotFound(f"Could not resolve to a node with the global id of '{node_id}'")


@dataclass(frozen=True)
class Queries:
    call: Call

    @property
    def viewer(self) -> UserNode:
        return UserNode(self.call, self.call.account)

    def rate_limit(self, *, dry_run: bool = False) -> Any:
        return self.call.rate_limit

    def repository(self, owner: str, name: str, *, follow_renames: bool = True) -> RepositoryNode:
        full_name = f"{owner}/{name}"
        repository = self.call.store.repository(full_name, follow_renames=follow_renames)
        return RepositoryNode(self.call, visible(self.call, repository, full_name))

    def repository_owner(self, login: str) -> OrganizationNode | None:
        store = self.call.store
        owned = tuple(
            each
            for each in store.repositories()
            if each.full_name.lower().startswith(f"{login.lower()}/")
            and store.permission(self.call.account, each) >= Permission.READ
        )
        return OrganizationNode(self.call, login, owned) if owned else None

    def node(self, id: str) -> Any:  # noqa: A002 - the field's argument is called so
        kind, _, rest = id.partition("_")
        if kind == "PR":
            return PullRequestNode(self.call, find_pull_request(self.call, id))
        if kind in ("U", "BOT"):
            found = (each for each in self.call.store.accounts.values() if each.node_id == id)
            if account := next(found, None):
                return ActorNode(self.call, account)
        if kind == "R":
            return RepositoryNode(self.call, find_repository(self.call, id))
        if kind in ("REF", "C"):
            owner, _, name = rest.partition("_")
            repository = find_repository(self.call, f"R_{owner}")
            if kind == "REF" and (sha := repository.ref(name)):
                return RefNode(self.call, repository, name, sha)
            if kind == "C" and (commit := repository.find_commit(name)):
                return CommitNode(self.call, repository, commit)
        raise NotFound(f"Could not resolve to a node with the global id of '{id}'")
