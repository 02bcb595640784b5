"""The fleet's refs: where they stand, what targets are to them, and moving them by compare-and-swap.

The only place that moves a ref of the fleet. By GraphQL alone: REST would take a push of somebody else's for granted.
Never deletes a ref.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import ForbiddenError, MissingError, UnexpectedAnswerError, UnreachableError
from reconcile.github import queries
from reconcile.github.refusals import recognise
from reconcile.github.subject import HEADS, Head, Subject, batch_variables, plain_login, ref_update
from reconcile.github.transport import Answer, Node, Problem, read_in_batches, together
from reconcile.observed import (
    Activity,
    Observed,
    ObservedRepository,
    ObservedTarget,
    Permission,
    Relation,
    Wanted,
)
from reconcile.ports import RefUpdate, UpdateAnswer
from state.ids import BranchName, RepositoryName, Sha

_BATCH = 50
"""Repositories in one query: some comparisons each, within GitHub's ten seconds."""

_RELATIONS = {
    "IDENTICAL": Relation.IDENTICAL,
    "AHEAD": Relation.FAST_FORWARD,
    "BEHIND": Relation.REWIND,
    "DIVERGED": Relation.DIVERGED,
}


class _Comparison(Node):
    """What a target is to a branch."""

    status: Literal["IDENTICAL", "AHEAD", "BEHIND", "DIVERGED"]
    ahead_by: int
    behind_by: int


class _Compared(Node):
    compare: _Comparison | None


class _Live(_Compared):
    oid: Sha = Field(validation_alias=AliasPath("target", "oid"))


class _Target(Node):
    oid: Sha | None = None
    """None for an object that is no commit: a tree, or an annotated tag."""
    committed_date: datetime | None = None
    message_headline: str | None = None


class _FleetMember(Node, extra="allow"):
    id: str
    name_with_owner: str
    url: str
    is_archived: bool
    viewer_permission: Permission | None
    live: _Live | None
    target: _Target | None
    __pydantic_extra__: dict[str, _Compared | None]
    """The allowed branches, by alias."""


class _Standing(Node):
    ref: Head | None = Field(validation_alias="on0")


_FLEET: TypeAdapter[dict[str, _FleetMember | None]] = TypeAdapter(dict[str, _FleetMember | None])
_STANDING: TypeAdapter[dict[str, _Standing | None]] = TypeAdapter(dict[str, _Standing | None])


class Refs(Subject):
    """Refs of the fleet."""

    async def observe_fleet(
        self, wanted: Mapping[RepositoryName, Wanted], *, ref: BranchName, branches: Sequence[BranchName]
    ) -> Observed:
        # The snapshot is as old as its oldest part.
        at = datetime.now(UTC)

        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, ObservedRepository]:
            variables: dict[str, object] = {"ref": HEADS + ref, **batch_variables(batch)}
            variables |= {f"branch{i}": HEADS + branch for i, branch in enumerate(branches)}
            for i, name in enumerate(batch):
                variables |= {f"target{i}": wanted[name].target, f"head{i}": wanted[name].target}
            members = await self._transport.query(
                queries.fleet(len(batch), len(branches)), variables, _FLEET, batch=len(batch)
            )
            return {
                name: _observed(member, branches)
                for i, name in enumerate(batch)
                if (member := members.get(f"r{i}"))
            }

        repositories = await read_in_batches(wanted, _BATCH, read)
        contained = await together(
            self._find_contained(repository, wanted[name].ancestors)
            for name, repository in repositories.items()
        )
        return Observed(
            at=at,
            repositories={
                name: repository.model_copy(
                    update={"target": repository.target.model_copy(update={"contains": shas})}
                )
                if repository.target and shas
                else repository
                for (name, repository), shas in zip(repositories.items(), contained, strict=True)
            },
        )

    async def observe_refs(
        self, repositories: Collection[RepositoryName], ref: BranchName
    ) -> Mapping[RepositoryName, Sha | None]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, Sha | None]:
            standings = await self._transport.query(
                queries.refs(len(batch), 1),
                {"branch0": HEADS + ref, **batch_variables(batch)},
                _STANDING,
                batch=len(batch),
            )
            return {
                name: standing.ref.oid if standing.ref else None
                for i, name in enumerate(batch)
                if (standing := standings.get(f"r{i}"))
            }

        return await read_in_batches(repositories, _BATCH, read)

    async def observe_activity(
        self, repositories: Collection[RepositoryName], *, ref: BranchName
    ) -> Mapping[RepositoryName, Activity]:
        found = await together(self._find_activity(name, ref) for name in repositories)
        return {name: each for name, each in zip(repositories, found, strict=True) if each}

    async def update_refs(self, updates: Sequence[RefUpdate]) -> Sequence[UpdateAnswer]:
        if not updates:
            return ()
        variables = {
            f"u{i}": ref_update(
                update.repository_id, update.ref, before=update.before, after=update.after, force=update.force
            )
            for i, update in enumerate(updates)
        }
        try:
            answer = await self._transport.mutate(queries.update_refs(len(updates)), variables)
        except (UnreachableError, UnexpectedAnswerError) as error:
            return (UpdateAnswer(status="lost", message=str(error)),) * len(updates)
        return _judge(variables.keys(), answer)

    async def _find_activity(self, repository: RepositoryName, ref: BranchName) -> Activity | None:
        owner, name = repository.split("/")
        try:
            newest = await self._transport.read(
                lambda: self._transport.rest.repos.async_list_activities(
                    owner, name, ref=HEADS + ref, per_page=1
                )
            )
        except (ForbiddenError, MissingError):
            return None
        for move in newest:
            actor = plain_login(move.actor) if move.actor else None
            return Activity(actor=actor, at=move.timestamp, after=move.after)
        return None

    async def _find_contained(
        self, repository: ObservedRepository, ancestors: Sequence[Sha]
    ) -> tuple[Sha, ...]:
        """Say which commits the target contains. Not asked of a target that is already out: nothing depends on it."""
        target = repository.target
        if target is None or target.relation is Relation.IDENTICAL:
            return ()
        answers = await together(
            self._is_ancestor(repository.name, ancestor, target.sha) for ancestor in ancestors
        )
        return tuple(sha for sha, is_contained in zip(ancestors, answers, strict=True) if is_contained)

    async def _is_ancestor(self, name: str, ancestor: Sha, descendant: Sha) -> bool:
        if ancestor == descendant:
            return True
        owner, repository = name.split("/")
        try:
            comparison = await self._transport.read(
                lambda: self._transport.rest.repos.async_compare_commits(
                    owner, repository, f"{ancestor}...{descendant}", per_page=1
                )
            )
        except MissingError:
            # No such commit, or no history in common: nothing that the target could contain.
            return False
        return comparison.status in {"ahead", "identical"}


def _observed(member: _FleetMember, branches: Sequence[BranchName]) -> ObservedRepository:
    return ObservedRepository(
        id=member.id,
        name=member.name_with_owner,
        url=member.url,
        is_archived=member.is_archived,
        permission=member.viewer_permission,
        live=member.live.oid if member.live else None,
        target=_observed_target(member, branches),
    )


def _observed_target(member: _FleetMember, branches: Sequence[BranchName]) -> ObservedTarget | None:
    target = member.target
    if target is None or target.oid is None or target.committed_date is None:
        return None
    comparison = member.live.compare if member.live else None
    return ObservedTarget(
        sha=target.oid,
        committed_at=target.committed_date,
        headline=target.message_headline or "",
        relation=_relation(member.live, target.oid),
        ahead=comparison.ahead_by if comparison else 0,
        behind=comparison.behind_by if comparison else 0,
        on_branch=next(
            (
                branch
                for i, branch in enumerate(branches)
                if _contains(member.__pydantic_extra__.get(f"on{i}"))
            ),
            None,
        ),
    )


def _relation(live: _Live | None, target: Sha) -> Relation:
    if live is None:
        return Relation.CREATE
    if live.oid == target:
        return Relation.IDENTICAL
    # A commit that GitHub does not compare has nothing to do with the ref: a fork's, for one.
    return _RELATIONS[live.compare.status] if live.compare else Relation.DIVERGED


def _contains(branch: _Compared | None) -> bool:
    """Say whether the target adds nothing to a branch, which is to be an ancestor of its head."""
    return bool(branch and branch.compare and branch.compare.status in {"BEHIND", "IDENTICAL"})


def _judge(aliases: Collection[str], answer: Answer) -> tuple[UpdateAnswer, ...]:
    """Say what GitHub answered to each of several updates."""
    problems: dict[str, Problem] = {}
    for problem in answer.problems:
        alias = problem.path[0] if problem.path else None
        if not isinstance(alias, str) or alias not in aliases:
            # It may concern any of them.
            return (UpdateAnswer(status="lost", message=problem.quote),) * len(aliases)
        problems.setdefault(alias, problem)
    return tuple(
        UpdateAnswer(status="rejected", refusal=recognise(refused), message=refused.quote)
        if (refused := problems.get(alias))
        else UpdateAnswer(status="accepted")
        if answer.data.get(alias) is not None
        else UpdateAnswer(status="lost", message="GitHub's answer does not mention this update.")
        for alias in aliases
    )
