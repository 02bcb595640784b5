"""Repositories, their refs, and comparisons of a ref with a head."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from tests.sandbox import gitops
from tests.sandbox.errors import Forbidden, NotFound
from tests.sandbox.graphql import commits, pull_requests
from tests.sandbox.graphql.connections import Connection
from tests.sandbox.graphql.nodes import Call, Node, page_of
from tests.sandbox.model import Deployment, DeploymentStatus, RequiredCheck
from tests.sandbox.repository import HEADS, TAGS, Repository


@dataclass(frozen=True)
class RepositoryNode(Node):
    record: Repository
    typename: ClassVar[str] = "Repository"

    @property
    def name_with_owner(self) -> str:
        return self.record.full_name

    @property
    def url(self) -> str:
        return f"{self.call.url}/{self.record.full_name}"

    @property
    def is_archived(self) -> bool:
        return self.record.archived

    @property
    def parent(self) -> "RepositoryNode | None":
        return RepositoryNode(self.call, self.record.parent) if self.record.parent else None

    @property
    def viewer_permission(self) -> str | None:
        """Say a person's right.

        Of an App nothing is said: REST calls its rights false whatever they are, and what GraphQL says is not known.
        Nobody should rest on it.
        """
        permission = self.call.store.permission(self.call.account, self.record)
        return None if self.call.account.app else permission.name

    @property
    def pushed_at(self) -> datetime | None:
        return self.record.activity[-1].at if self.record.activity else None

    @property
    def default_branch_ref(self) -> "RefNode | None":
        return self.ref(HEADS + self.record.default_branch)

    def ref(self, qualified_name: str) -> "RefNode | None":
        for name in (qualified_name, HEADS + qualified_name, TAGS + qualified_name):
            sha = self.record.ref(name) if name.startswith("refs/") else None
            if sha:
                return RefNode(self.call, self.record, name, sha)
        return None

    def refs(self, ref_prefix: str, query: str | None = None, **page: Any) -> Connection["RefNode"]:
        found = (
            RefNode(self.call, self.record, ref_prefix + name, sha)
            for name, sha in self.record.refs(ref_prefix).items()
            if not query or query.lower() in name.lower()
        )
        return page_of("refs", found, page)

    def object(self, oid: str | None = None, expression: str | None = None) -> "commits.ObjectNode | None":
        git = self.record.git
        if oid is not None:
            return commits.object_node(self.call, self.record, gitops.find_object(git, oid))
        name, colon, path = (expression or "").partition(":")
        sha = self.record.resolve(name)
        commit = self.record.find_commit(sha) if sha else None
        if commit is None or not colon:
            return commits.object_node(self.call, self.record, commit)
        return commits.object_node(self.call, self.record, gitops.read_file(commit, path))

    def deployments(
        self, environments: list[str] | None = None, order_by: dict[str, str] | None = None, **page: Any
    ) -> Connection["DeploymentNode"]:
        app = self.call.account.app
        if app and "deployments" not in app.permissions:
            raise Forbidden("Resource not accessible by integration")
        found = [
            DeploymentNode(self.call, each)
            for each in self.record.deployments
            if environments is None or each.environment in environments
        ]
        is_newest_first = bool(order_by) and (order_by or {})["direction"] == "DESC"
        return page_of("deployments", found[::-1] if is_newest_first else found, page)

    def pull_request(self, number: int) -> "pull_requests.PullRequestNode":
        return pull_requests.PullRequestNode(self.call, self.record.pull(number))

    def pull_requests(
        self,
        states: list[str] | None = None,
        head_ref_name: str | None = None,
        base_ref_name: str | None = None,
        labels: list[str] | None = None,
        order_by: dict[str, str] | None = None,
        **page: Any,
    ) -> Connection["pull_requests.PullRequestNode"]:
        wanted = {label.lower() for label in labels or ()}
        found = [
            pull
            for pull in self.record.pulls.values()
            if (states is None or pull.state in states)
            and head_ref_name in (None, pull.head_ref)
            and base_ref_name in (None, pull.base_ref)
            and (labels is None or wanted & {label.name.lower() for label in pull.labels})
        ]
        return pull_requests.pull_requests_page(self.call, found, order_by, page)


@dataclass(frozen=True)
class RefNode:
    call: Call
    in_repository: Repository
    full_name: str
    sha: str
    typename: ClassVar[str] = "Ref"

    @property
    def id(self) -> str:
        return f"REF_{self.in_repository.database_id}_{self.full_name}"

    @property
    def prefix(self) -> str:
        return "/".join(self.full_name.split("/")[:2]) + "/"

    @property
    def name(self) -> str:
        return self.full_name.removeprefix(self.prefix)

    @property
    def repository(self) -> RepositoryNode:
        return RepositoryNode(self.call, self.in_repository)

    @property
    def target(self) -> "commits.ObjectNode | None":
        found = gitops.find_object(self.in_repository.git, self.sha)
        return commits.object_node(self.call, self.in_repository, found)

    @property
    def ref_update_rule(self) -> "RefUpdateRule | None":
        allowed = self.in_repository.protections.get(self.name)
        if allowed is None or self.prefix != HEADS:
            return None
        return RefUpdateRule(
            pattern=self.name,
            viewer_can_push=self.call.account.login in allowed,
            required_status_check_contexts=self.in_repository.required_contexts.get(self.name, ()),
        )

    def rules(self, **page: Any) -> Connection["RuleNode"]:
        required = self.in_repository.required_checks.get(self.name, ()) if self.prefix == HEADS else ()
        return page_of("rules", [RuleNode(f"RULE_{self.id}", required)] if required else [], page)

    def compare(self, head_ref: str) -> "ComparisonNode":
        base, head = self.in_repository.resolve(self.full_name), self.in_repository.resolve(head_ref)
        if base is None or head is None:
            raise NotFound(f"Could not resolve to a Ref with the name '{head_ref}'.")
        return ComparisonNode(
            self.call, self.in_repository, gitops.compare(self.in_repository.git, base, head)
        )

    def associated_pull_requests(
        self, head_ref_name: str | None = None, **filters: Any
    ) -> Connection["pull_requests.PullRequestNode"]:
        """Give the pull requests from this branch."""
        if head_ref_name not in (None, self.name):
            filters["states"] = []
        return self.repository.pull_requests(head_ref_name=self.name, **filters)


@dataclass(frozen=True)
class RefUpdateRule:
    pattern: str
    viewer_can_push: bool
    required_status_check_contexts: tuple[str, ...]
    allows_deletions: bool = False
    allows_force_pushes: bool = False


@dataclass(frozen=True)
class RuleNode:
    """A rule of a ruleset that requires checks; there are no others here."""

    id: str
    required_status_checks: tuple[RequiredCheck, ...]
    type: str = "REQUIRED_STATUS_CHECKS"

    @property
    def parameters(self) -> "RuleNode":
        return self

    @property
    def typename(self) -> str:
        return "RequiredStatusChecksParameters"


@dataclass(frozen=True)
class DeploymentNode(Node):
    record: Deployment
    typename: ClassVar[str] = "Deployment"

    @property
    def commit_oid(self) -> str:
        return self.record.sha

    @property
    def payload(self) -> str:
        return json.dumps(self.record.payload)

    @property
    def latest_status(self) -> "DeploymentStatusNode | None":
        status = self.record.latest_status
        return DeploymentStatusNode(self.call, status) if status else None


@dataclass(frozen=True)
class DeploymentStatusNode(Node):
    record: DeploymentStatus
    typename: ClassVar[str] = "DeploymentStatus"


@dataclass(frozen=True)
class ComparisonNode:
    call: Call
    repository: Repository
    record: gitops.Comparison
    typename: ClassVar[str] = "Comparison"

    @property
    def id(self) -> str:
        return f"CMP_{self.repository.database_id}_{self.record.base}_{self.record.head}"

    @property
    def ahead_by(self) -> int:
        return self.record.ahead

    @property
    def behind_by(self) -> int:
        return self.record.behind

    @property
    def base_target(self) -> "commits.CommitNode":
        return commits.commit_node(self.call, self.repository, self.record.base)

    @property
    def head_target(self) -> "commits.CommitNode":
        return commits.commit_node(self.call, self.repository, self.record.head)

    def commits(self, **page: Any) -> Connection["commits.CommitNode"]:
        """Give what the head has and the base lacks, oldest first."""
        wrap = partial(commits.CommitNode, self.call, self.repository)

        def walk() -> Iterable[commits.CommitNode]:
            return map(wrap, gitops.commits_between(self.repository.git, self.record.base, self.record.head))

        return Connection("commits", walk, count=lambda: self.record.ahead, **page)


@dataclass(frozen=True)
class OrganizationNode:
    """Whoever owns repositories. The sandbox does not tell an account from an organization here."""

    call: Call
    login: str
    owned: tuple[Repository, ...]
    typename: ClassVar[str] = "Organization"

    @property
    def id(self) -> str:
        return f"O_{self.login}"

    @property
    def url(self) -> str:
        return f"{self.call.url}/{self.login}"

    def repositories(
        self,
        *,
        is_archived: bool | None = None,
        order_by: dict[str, str] | None = None,
        owner_affiliations: list[str] | None = None,
        **page: Any,
    ) -> Connection[RepositoryNode]:
        """List them by name, whatever order is asked for; those that this owner only helps with are none."""
        found = sorted(self.owned, key=lambda each: each.full_name)
        return page_of(
            "repositories",
            (RepositoryNode(self.call, each) for each in found if is_archived in (None, each.archived)),
            page,
        )
