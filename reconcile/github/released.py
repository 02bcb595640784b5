"""What went out: what lies between two commits of a repository, who merged it, and who moved the governed ref.

Reads only. What is gone by now (a repository, a commit that nothing holds) is left out, for the caller to say so.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pydantic import AliasPath, AwareDatetime, Field, TypeAdapter

from reconcile.errors import ForbiddenError, MissingError
from reconcile.github import queries
from reconcile.github.subject import HEADS, Login, Subject, batch_variables, plain_login
from reconcile.github.transport import Node, read_in_batches, together
from reconcile.ports import MergedDecision, ReleasedPullRequest
from state.history import Between, HandMove, LandedCommit, RefMove
from state.ids import ZERO_SHA, BranchName, RepositoryName, Sha

if TYPE_CHECKING:
    from githubkit_schemas.latest.models import Commit, CommitComparison

_PAGE = 100
_PAGES = 5
"""Pages read of one comparison: five hundred commits are more than one release."""
_BATCH = 50
"""Commits in one query, each with a few pull requests; and pull requests in one."""


class _PullRequest(Node):
    number: int
    title: str
    url: str
    body: str
    author: Login | None
    merged_at: AwareDatetime | None
    base_ref_name: BranchName
    merge_commit: Sha | None = Field(None, validation_alias=AliasPath("mergeCommit", "oid"))


class _Commit(Node):
    pull_requests: tuple[_PullRequest, ...] = Field(
        (), validation_alias=AliasPath("object", "associatedPullRequests", "nodes")
    )


class _Decision(Node):
    title: str
    url: str
    author: Login | None
    merged_by: Login | None
    merged_at: AwareDatetime | None


_COMMITS: TypeAdapter[dict[str, _Commit | None]] = TypeAdapter(dict[str, _Commit | None])
_DECISIONS: TypeAdapter[dict[str, dict[str, _Decision | None] | None]] = TypeAdapter(
    dict[str, dict[str, _Decision | None] | None]
)


class Released(Subject):
    """What went out of the fleet."""

    async def observe_between(self, moves: Collection[RefMove]) -> Mapping[RefMove, Between]:
        found = await together(self._read_between(move) for move in moves)
        return {move: each for move, each in zip(moves, found, strict=True) if each}

    async def observe_released(
        self, commits: Collection[tuple[RepositoryName, Sha]], *, source: BranchName
    ) -> Mapping[tuple[RepositoryName, Sha], ReleasedPullRequest]:
        async def read(
            batch: Sequence[tuple[RepositoryName, Sha]],
        ) -> Mapping[tuple[RepositoryName, Sha], ReleasedPullRequest]:
            variables = batch_variables([name for name, _ in batch])
            variables |= {f"commit{i}": sha for i, (_, sha) in enumerate(batch)}
            found = await self._transport.query(
                queries.released(len(batch)), variables, _COMMITS, batch=len(batch)
            )
            return {
                key: merged
                for i, key in enumerate(batch)
                if (commit := found.get(f"r{i}")) and (merged := _merged(commit, key[1], source))
            }

        return await read_in_batches(commits, _BATCH, read)

    async def observe_decisions(self, numbers: Collection[int]) -> Mapping[int, MergedDecision]:
        async def read(batch: Sequence[int]) -> Mapping[int, MergedDecision]:
            variables: dict[str, object] = {"owner": self._owner, "name": self._name}
            variables |= {f"number{i}": number for i, number in enumerate(batch)}
            found = await self._transport.query(queries.decisions(len(batch)), variables, _DECISIONS)
            pulls = found.get("repository") or {}
            return {
                number: MergedDecision(
                    title=each.title,
                    url=each.url,
                    author=plain_login(each.author),
                    merged_by=plain_login(each.merged_by),
                    merged_at=each.merged_at,
                )
                for i, number in enumerate(batch)
                if (each := pulls.get(f"p{i}")) and each.merged_at
            }

        return await read_in_batches(numbers, _BATCH, read)

    async def list_ref_moves(
        self, repositories: Collection[RepositoryName], *, ref: BranchName
    ) -> Mapping[RepositoryName, tuple[HandMove, ...]]:
        found = await together(self._list_moves(name, ref) for name in repositories)
        return {name: each for name, each in zip(repositories, found, strict=True) if each is not None}

    async def _read_between(self, move: RefMove) -> Between | None:
        try:
            first, *more = await self._compare(move.repository, move.before, move.after)
            taken_in = (
                await self._compare(move.repository, move.after, move.before) if first.behind_by else ()
            )
        except MissingError:
            return None
        out = [commit for page in (first, *more) for commit in page.commits]
        back = [commit for page in taken_in for commit in page.commits]
        return Between(
            url=first.html_url.partition("/compare/")[0],
            out=_first_parents(out, move.after),
            back=_first_parents(back, move.before),
            is_complete=len(out) >= first.ahead_by and len(back) >= first.behind_by,
        )

    async def _compare(self, repository: RepositoryName, base: Sha, head: Sha) -> "list[CommitComparison]":
        """Read what the head has and the base lacks, oldest first, page by page."""
        owner, name = repository.split("/")
        ask = partial(
            self._transport.rest.repos.async_compare_commits,
            owner,
            name,
            f"{base}...{head}",
            per_page=_PAGE,
        )
        pages = [await self._transport.read(ask)]
        while len(pages) < _PAGES and len(pages) * _PAGE < pages[0].ahead_by:
            pages.append(await self._transport.read(partial(ask, page=len(pages) + 1)))
        return pages

    async def _list_moves(self, repository: RepositoryName, ref: BranchName) -> tuple[HandMove, ...] | None:
        owner, name = repository.split("/")
        try:
            newest = await self._transport.read(
                lambda: self._transport.rest.repos.async_list_activities(
                    owner, name, ref=HEADS + ref, per_page=_PAGE
                )
            )
        except (ForbiddenError, MissingError):
            return None
        return tuple(
            HandMove(
                at=each.timestamp,
                repository=repository,
                before=None if each.before == ZERO_SHA else each.before,
                after=None if each.after == ZERO_SHA else each.after,
                actor=plain_login(each.actor) if each.actor else None,
            )
            for each in newest
        )


def _merged(commit: _Commit, sha: Sha, source: BranchName) -> ReleasedPullRequest | None:
    into_source = [each for each in commit.pull_requests if each.base_ref_name == source and each.merged_at]
    # The one that ended in this very commit first; a rebase's earlier commits are the end of none.
    into_source.sort(key=lambda each: each.merge_commit != sha)
    return next(
        (
            ReleasedPullRequest(
                number=each.number,
                title=each.title,
                url=each.url,
                author=plain_login(each.author),
                body=each.body,
            )
            for each in into_source
        ),
        None,
    )


def _first_parents(commits: "Sequence[Commit]", head: Sha) -> tuple[LandedCommit, ...]:
    """Walk from the head by first parents, newest first, as far as the commits go."""
    known = {commit.sha: commit for commit in commits}
    chain: list[LandedCommit] = []
    following: Sha | None = head
    while following and (commit := known.get(following)):
        chain.append(_landed(commit))
        following = commit.parents[0].sha if commit.parents else None
    return tuple(chain)


def _landed(found: "Commit") -> LandedCommit:
    commit = found.commit
    login = getattr(found.author, "login", None)
    date = commit.committer.date if commit.committer else None
    assert date, "git knows no commit without a date"
    return LandedCommit(
        sha=found.sha,
        at=date,
        headline=commit.message.partition("\n")[0],
        author=login.removesuffix("[bot]")
        if isinstance(login, str)
        else (commit.author.name if commit.author and commit.author.name else ""),
    )
