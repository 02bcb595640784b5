"""Builders of values: what a test does not speak about has a default here."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reconcile.observed import (
    Accepted,
    DocumentVersion,
    Observed,
    ObservedRepository,
    ObservedTarget,
    Relation,
)
from reconcile.plan import plan
from reconcile.planned import Item
from state.document import DesiredState
from state.ids import BranchName, RepositoryName, Sha
from state.ledger import AcceptedCommit, Ledger, Proof
from state.policy import Policy, RepositoryPolicy

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""A Monday, far from the days on which clocks change."""
OGR: RepositoryName = "packit/ogr"


def sha(digits: str) -> Sha:
    """Fill forty digits with these: ``sha("a1")`` is ``a1a1…``."""
    return (digits * 40)[:40]


LIVE, TARGET = sha("a"), sha("b")
"""Where the ref of a default repository stands, and where its file wants it."""


def policy(
    *names: RepositoryName,
    after: Mapping[RepositoryName, Sequence[RepositoryName]] | None = None,
    **rest: Any,
) -> Policy:
    edges = after or {}
    repositories = {
        name: RepositoryPolicy(after=tuple(edges.get(name, ())))
        for name in dict.fromkeys((*names, *edges)) or (OGR,)
    }
    return Policy(version=1, repositories=repositories, **rest)


def desired(targets: Mapping[RepositoryName, Sha] | None = None, **sections: Any) -> DesiredState:
    return DesiredState(
        version=1, ref="stable", targets=dict({OGR: TARGET} if targets is None else targets), **sections
    )


def version(commit: str = "c", *, desired_blob: str = "d1", policy_blob: str = "d2") -> DocumentVersion:
    return DocumentVersion(
        repository="packit/release-state",
        url="https://github.example/packit/release-state",
        branch="main",
        commit=sha(commit),
        desired_blob=sha(desired_blob),
        policy_blob=sha(policy_blob),
    )


def accepted(
    targets: Mapping[RepositoryName, Sha] | None = None,
    *,
    under: Policy | None = None,
    ledger: Ledger | None = Ledger(),  # noqa: B008 (a frozen value)
    unapproved: Mapping[RepositoryName, str] | None = None,
    stale: str | None = None,
    **sections: Any,
) -> Accepted:
    """Accept a document with these targets and ``sections``; the policy lists every target unless given."""
    document = desired(targets, **sections)
    return Accepted(
        version=version(),
        desired=document,
        policy=under or policy(*document.targets),
        ledger=ledger,
        unapproved=dict(unapproved or {}),
        stale=stale,
    )


def observed_target(
    commit: Sha = TARGET,
    *,
    relation: Relation = Relation.FAST_FORWARD,
    ahead: int = 1,
    behind: int = 0,
    on_branch: BranchName | None = "main",
    committed_at: datetime = NOW - timedelta(days=1),
    contains: Sequence[Sha] = (),
) -> ObservedTarget:
    return ObservedTarget(
        sha=commit,
        committed_at=committed_at,
        headline="Fix the parser",
        relation=relation,
        ahead=ahead,
        behind=behind,
        on_branch=on_branch,
        contains=tuple(contains),
    )


_DEFAULT_TARGET = observed_target()


def observed_repository(
    name: str = OGR,
    *,
    live: Sha | None = LIVE,
    target: ObservedTarget | None = _DEFAULT_TARGET,
    **rest: Any,
) -> ObservedRepository:
    fields: dict[str, Any] = {
        "id": f"id of {name.lower()}",
        "name": name,
        "url": f"https://github.example/{name}",
        "is_archived": False,
        "permission": "WRITE",
    }
    return ObservedRepository(live=live, target=target, **fields | rest)


def observed(*repositories: ObservedRepository) -> Observed:
    return Observed(at=NOW, repositories={each.name.lower(): each for each in repositories})


_DEFAULT_REPOSITORY = observed_repository()


def decide(
    given: Accepted | None = None,
    repository: ObservedRepository | None = _DEFAULT_REPOSITORY,
    *,
    now: datetime = NOW,
) -> Item:
    """Plan a document of one repository, and return what was decided about it."""
    given = given or accepted()
    (name,) = given.desired.targets
    (item,) = plan(
        given, Observed(at=now, repositories={name: repository} if repository else {}), now=now
    ).items
    return item


def proved(commit: Sha = TARGET, name: RepositoryName = OGR) -> Ledger:
    """Make a ledger that saw this repository's ref at this commit, a week ago."""
    return Ledger(proved={name: Proof(sha=commit, at=NOW - timedelta(days=7))})


def accepted_commit(commit: str = "c", **rest: Any) -> AcceptedCommit:
    return AcceptedCommit(commit=sha(commit), desired_blob=sha("d1"), policy_blob=sha("d2"), at=NOW, **rest)
