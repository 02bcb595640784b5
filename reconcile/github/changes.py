"""How the documents came to be what they are: first parents of the default branch, and the pull requests behind them.

Finds facts only; what counts as approved is judged elsewhere. Never trusts a list of "associated" pull requests:
that also names open and unrelated ones. A commit is a pull request's result when it is its recorded merge commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from pydantic import AliasPath, AwareDatetime, Field, TypeAdapter

from reconcile.errors import ForbiddenError, MissingError, UnexpectedAnswerError
from reconcile.github import queries
from reconcile.github.contents import PATHS, Contents
from reconcile.github.subject import HEADS, Login, PageInfo, plain_login
from reconcile.github.transport import Node, together
from reconcile.observed import DocumentChange, Documents, MergedChange, Review
from state.ids import BranchName, RepositoryName, Sha

if TYPE_CHECKING:
    from githubkit_schemas.latest.models import Activity

_PUSHES = 100
_WEB = "noreply@github.com"
"""The committer of what is made in a browser."""


class _Oid(Node):
    oid: Sha


class _Associated(Node):
    number: int
    merged_at: datetime | None
    base_ref_name: BranchName
    head_ref_oid: Sha
    merge_commit: _Oid | None
    commits: int = Field(validation_alias=AliasPath("commits", "totalCount"))


class _Commit(Node):
    oid: Sha
    parents: tuple[_Oid, ...] = Field(validation_alias=AliasPath("parents", "nodes"))
    desired: _Oid | None
    policy: _Oid | None
    associated: tuple[_Associated, ...] = Field(
        (), validation_alias=AliasPath("associatedPullRequests", "nodes")
    )

    @property
    def blobs(self) -> tuple[_Oid | None, _Oid | None]:
        return self.desired, self.policy

    @property
    def result_of(self) -> _Associated | None:
        """The pull request whose merge made this commit."""
        return next(
            (
                each
                for each in self.associated
                if each.merged_at and each.merge_commit and each.merge_commit.oid == self.oid
            ),
            None,
        )

    def belongs_to(self, merged: _Associated) -> bool:
        """Say whether it may be an earlier commit of the same rebase."""
        return len(self.parents) == 1 and any(each.number == merged.number for each in self.associated)


class _History(Node):
    nodes: tuple[_Commit, ...] = Field(validation_alias=AliasPath("object", "history", "nodes"))
    page: PageInfo = Field(validation_alias=AliasPath("object", "history", "pageInfo"))


class _Person(Node):
    email: str | None = None
    user: Login | None


class _MergedCommit(Node):
    oid: Sha = Field(validation_alias=AliasPath("commit", "oid"))
    authors: tuple[_Person, ...] = Field(validation_alias=AliasPath("commit", "authors", "nodes"))
    """Co-authors among them, as the message names them."""
    committer: _Person = Field(validation_alias=AliasPath("commit", "committer"))

    @property
    def people(self) -> tuple[_Person, ...]:
        """Everybody who made it. What is made in a browser GitHub itself commits."""
        return self.authors if self.committer.email == _WEB else (*self.authors, self.committer)


class _Reviewer(Login):
    kind: str = Field(validation_alias="__typename")


class _Review(Node):
    author: _Reviewer | None
    author_can_push_to_repository: bool
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
    commit: _Oid | None
    created_at: AwareDatetime


class _BaseChange(Node):
    created_at: AwareDatetime


class _Merged(Node):
    author: Login | None
    head_ref_name: str
    head_repository: RepositoryName | None = Field(
        None, validation_alias=AliasPath("headRepository", "nameWithOwner")
    )
    """None where the fork is gone."""
    base_changes: tuple[_BaseChange, ...] = Field(validation_alias=AliasPath("timelineItems", "nodes"))
    commits: tuple[_MergedCommit, ...] = Field(validation_alias=AliasPath("commits", "nodes"))
    commits_page: PageInfo = Field(validation_alias=AliasPath("commits", "pageInfo"))
    reviews: tuple[_Review, ...] = Field(validation_alias=AliasPath("reviews", "nodes"))
    reviews_page: PageInfo = Field(validation_alias=AliasPath("reviews", "pageInfo"))


class _MergedPullRequest(Node):
    viewer: Login
    pull_request: _Merged | None = Field(None, validation_alias=AliasPath("repository", "pullRequest"))


_MERGED = TypeAdapter(_MergedPullRequest)


class _Step(NamedTuple):
    """What one push brought to the default branch: a commit, or those of one rebase merge."""

    before: Sha
    after: Sha
    merged: _Associated | None


class Changes(Contents):
    """The documents' history."""

    async def load_changes(self, since: Sha, until: Sha) -> tuple[DocumentChange, ...] | None:
        chain = await self._first_parents(since, until)
        if chain is None:
            return None
        by_sha = {commit.oid: commit for commit in chain}
        steps: list[_Step] = []
        for step in reversed(tuple(_steps(chain))):
            # A pull request that changes nothing any more may have decided what came before it.
            if by_sha[step.before].blobs != by_sha[step.after].blobs or (steps and step.merged):
                steps.append(step)
        found = await together(self._change(step) for step in steps)
        return tuple(change for change in found if change)

    async def _first_parents(self, since: Sha, until: Sha) -> Sequence[_Commit] | None:
        """Read from ``until`` down to ``since``, both included; none when ``since`` is not met.

        A history lists merged branches' commits too, so it is walked by parents, and read as far as that needs.
        """
        known: dict[Sha, _Commit] = {}
        chain: list[_Commit] = []
        following: Sha | None = until
        page = PageInfo(has_next_page=True, end_cursor=None)
        while following:
            while following not in known:
                if not page.has_next_page:
                    raise UnexpectedAnswerError(
                        f"The history of {self._repository} ends before {following}, which is part of it."
                    )
                history = await self._ask(
                    queries.HISTORY, _History, **PATHS, until=until, after=page.end_cursor
                )
                known |= {commit.oid: commit for commit in history.nodes}
                page = history.page
            commit = known[following]
            chain.append(commit)
            if commit.oid == since:
                return chain
            following = commit.parents[0].oid if commit.parents else None
        return None

    async def _change(self, step: _Step) -> DocumentChange | None:
        """Read a step with its pull request; none where neither changes a document."""
        before, after = await together((self.load_documents(step.before), self.load_documents(step.after)))
        merged = await self._merged(step.merged, onto=before) if step.merged else None
        if before.texts == after.texts and (merged is None or merged.before.texts == merged.after.texts):
            return None
        return DocumentChange(commit=step.after, before=before, after=after, pull_request=merged)

    async def _merged(self, merged: _Associated, *, onto: Documents) -> MergedChange:
        """Read who made and reviewed a merged pull request, and what it did to the documents on its own branch."""
        fork_point = await self.find_fork_point(onto.commit, merged.head_ref_oid)
        before, after = await together(self.load_documents(sha) for sha in (fork_point, merged.head_ref_oid))
        viewer, parts = await self._parts(merged.number)
        commits = tuple(commit for part in parts for commit in part.commits)
        reviews = tuple(_review(review, viewer) for part in parts for review in part.reviews)
        logins = {plain_login(each.user) for commit in commits for each in commit.people if each.user}
        # Who pushed is asked only where an approval is to be weighed.
        is_approved = any(each.state == "approved" and each.commit == merged.head_ref_oid for each in reviews)
        pushes = _Pushes.of(commits, await self._list_pushes(parts[0]) if is_approved else ())
        return MergedChange(
            number=merged.number,
            base=merged.base_ref_name,
            author=plain_login(parts[0].author),
            contributors=tuple(sorted(logins | pushes.actors)),
            unattributed=pushes.unattributed,
            base_changed_at=max((each.created_at for each in parts[0].base_changes), default=None),
            head=merged.head_ref_oid,
            before=before,
            after=after,
            reviews=reviews,
        )

    async def _list_pushes(self, merged: _Merged) -> Sequence["Activity"]:
        """List the newest pushes to a pull request's branch. Of a fork that is gone or private nothing is known."""
        if merged.head_repository is None:
            return ()
        owner, name = merged.head_repository.split("/")
        try:
            return await self._transport.read(
                lambda: self._transport.rest.repos.async_list_activities(
                    owner, name, ref=HEADS + merged.head_ref_name, per_page=_PUSHES
                )
            )
        except (ForbiddenError, MissingError):
            return ()

    async def _parts(self, number: int) -> tuple[str, Sequence[_Merged]]:
        """Read a pull request's commits and reviews, page by page; with this account's own login."""
        parts: list[_Merged] = []
        cursors: Mapping[str, str | None] = {"afterCommit": None, "afterReview": None}
        while True:
            variables = {"owner": self._owner, "name": self._name, "number": number, **cursors}
            answer = await self._transport.query(queries.MERGED, variables, _MERGED)
            found = answer.pull_request
            if found is None:
                raise MissingError(f"{self._repository} has no pull request #{number} any more.")
            parts.append(found)
            if not (found.commits_page.has_next_page or found.reviews_page.has_next_page):
                return plain_login(answer.viewer), parts
            # A list that has ended stays at its end, and its next page is empty.
            cursors = {
                "afterCommit": found.commits_page.end_cursor or cursors["afterCommit"],
                "afterReview": found.reviews_page.end_cursor or cursors["afterReview"],
            }


def _steps(chain: Sequence[_Commit]) -> Iterable[_Step]:
    """Split first parents, newest first, into what came at once; the last of the chain is where it starts from.

    Of a rebase merge GitHub records only the last commit as the merge. Those before it belong to it when they name the
    same pull request, and there are no more of them than it had. A squash looks the same, and takes along no more than
    a commit of its own branch that somebody pushed directly: what that did, its review has seen.
    """
    start = 0
    while start < len(chain) - 1:
        merged, end = chain[start].result_of, start + 1
        if merged and len(chain[start].parents) == 1:
            last = min(start + merged.commits, len(chain) - 1)
            while end < last and chain[end].belongs_to(merged):
                end += 1
        yield _Step(before=chain[end].oid, after=chain[start].oid, merged=merged)
        start = end


class _Pushes(NamedTuple):
    """Who pushed a pull request's commits. What git itself says of their makers is anybody's to write."""

    actors: frozenset[str]
    unattributed: tuple[Sha, ...]
    """The commits of which neither this is known, nor by an account of their own everybody who made them."""

    @classmethod
    def of(cls, commits: Sequence[_MergedCommit], moves: Sequence["Activity"]) -> Self:
        own = {commit.oid for commit in commits}
        ends = {move.after: move.actor for move in moves if move.after in own and move.actor}
        # Pushes follow one another: those that are known show every commit if they go back to where the branch began.
        starts = {move.before for move in moves if move.after in ends} & own
        is_complete = bool(commits) and commits[-1].oid in ends and starts <= ends.keys()
        return cls(
            actors=frozenset(plain_login(move.actor) for move in moves if move.after in ends),
            unattributed=()
            if is_complete
            else tuple(commit.oid for commit in commits if not all(each.user for each in commit.people)),
        )


def _review(review: _Review, viewer: str) -> Review:
    states: Mapping[str, Literal["approved", "changes_requested", "commented", "dismissed", "pending"]] = {
        "APPROVED": "approved",
        "CHANGES_REQUESTED": "changes_requested",
        "COMMENTED": "commented",
        "DISMISSED": "dismissed",
        "PENDING": "pending",
    }
    author = plain_login(review.author)
    return Review(
        author=author,
        is_bot=review.author is not None and (review.author.kind == "Bot" or author == viewer),
        can_write=review.author_can_push_to_repository,
        state=states[review.state],
        commit=review.commit.oid if review.commit else None,
        at=review.created_at,
    )
