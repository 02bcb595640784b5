"""What waits in the fleet: the commits of the source branches that the governed refs lack."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import MissingError, RejectedError
from reconcile.github import queries
from reconcile.github.subject import HEADS, Head, Login, Subject, batch_variables, plain_login
from reconcile.github.transport import Node, read_in_batches
from reconcile.observed import CommitRange, RangeTraits
from state.ids import ABBREVIATED_SHA, BranchName, RepositoryName, Sha
from state.proposal import MergedPullRequest, SourceCommit, SourceHistory

_HEADS_BATCH = 50
_PAGE_COMMITS, _PAGE_BATCH = 100, 10
"""A thousand commits, with their pull requests: much more does not fit into GitHub's ten seconds."""
_FIRST_PAGE_COMMITS, _FIRST_PAGE_BATCH = 25, 40
"""As many of more repositories at once: of most of them no more wait."""
_PAGES = 6
"""Pages read of one repository: more than five hundred commits are not one release."""
_RANGES_BATCH = 25
_OWN_PEOPLE = {"OWNER", "MEMBER", "COLLABORATOR"}


class _Standing(Node):
    url: str
    live: Head | None = Field(validation_alias="on0")
    source: Head | None = Field(validation_alias="on1")


class _Oid(Node):
    oid: Sha


class _Author(Login):
    id: str | None = None
    """None for an app's bot."""


class _PullRequest(Node):
    number: int
    title: str
    body: str = ""
    url: str
    author: _Author | None
    author_association: str = "NONE"
    merged_at: datetime | None
    base_ref_name: BranchName
    merge_commit: Sha | None = Field(None, validation_alias=AliasPath("mergeCommit", "oid"))

    @property
    def value(self) -> MergedPullRequest | None:
        """None for one that is not merged."""
        if self.merged_at is None:
            return None
        return MergedPullRequest(
            number=self.number,
            title=self.title,
            url=self.url,
            author=plain_login(self.author),
            merged_at=self.merged_at,
            body=self.body,
            outsider_id=self.author.id
            if self.author and self.author_association not in _OWN_PEOPLE
            else None,
        )


class _Commit(Node):
    oid: Sha
    committed_date: datetime
    message_headline: str
    author: str | None = Field(None, validation_alias=AliasPath("author", "name"))
    user: Login | None = Field(None, validation_alias=AliasPath("author", "user"))
    parents: tuple[_Oid, ...] = Field(validation_alias=AliasPath("parents", "nodes"))
    pull_requests: tuple[_PullRequest, ...] = Field(
        (), validation_alias=AliasPath("associatedPullRequests", "nodes")
    )


class _Object(Node):
    oid: Sha
    commits: int | None = Field(None, validation_alias=AliasPath("history", "totalCount"))


class _Known(Node):
    source: BranchName | None = Field(None, validation_alias=AliasPath("defaultBranchRef", "name"))
    commit: _Commit | None = Field(validation_alias="object")


class _Page(Node):
    """Newest commits first or last: they are walked by parents, so their order does not matter."""

    total: int | None = Field(None, validation_alias=AliasPath("live", "compare", "aheadBy"))
    compared: tuple[_Commit, ...] = Field(
        (), validation_alias=AliasPath("live", "compare", "commits", "nodes")
    )
    before: str | None = Field(
        None, validation_alias=AliasPath("live", "compare", "commits", "pageInfo", "startCursor")
    )
    has_more: bool = Field(
        default=False,
        validation_alias=AliasPath("live", "compare", "commits", "pageInfo", "hasPreviousPage"),
    )
    newest: tuple[_Commit, ...] = Field((), validation_alias=AliasPath("source", "history", "nodes"))


@dataclass
class _Waiting:
    """What was read so far of one repository."""

    head: Sha
    """Where the source branch stood at the start: every page is of it, also when the branch moves on."""
    has_ref: bool
    commits: dict[Sha, _Commit] = field(default_factory=dict)
    total: int | None = None
    """None until GitHub has said how many they are."""
    before: str | None = None
    """Where the next page ends."""


_STANDING: TypeAdapter[dict[str, _Standing | None]] = TypeAdapter(dict[str, _Standing | None])
_RANGES: TypeAdapter[dict[str, dict[str, _Object | None] | None]] = TypeAdapter(
    dict[str, dict[str, _Object | None] | None]
)
_WAITING: TypeAdapter[dict[str, _Page | None]] = TypeAdapter(dict[str, _Page | None])


class Histories(Subject):
    """Source branches of the fleet."""

    async def observe_histories(
        self, repositories: Collection[RepositoryName], *, source: BranchName, ref: BranchName
    ) -> Mapping[RepositoryName, SourceHistory]:
        """Read where the branches stand, then what waits where they differ.

        What waits are the first parents of the source's head that are not reachable from the ref. GitHub says which
        commits those are (its comparison), so a ref that was put on a hotfix, or back, needs no rule of its own.
        """
        standings = await self._observe_standings(repositories, source, ref)
        waiting = {
            name: _Waiting(found.source.oid, has_ref=found.live is not None)
            for name, found in standings.items()
            if found.source and found.source != found.live
        }
        await self._read_waiting(waiting, ref)
        return {
            name: _history(name, standing, waiting.get(name), source) for name, standing in standings.items()
        }

    async def observe_ranges(
        self, ranges: Mapping[RepositoryName, CommitRange], paths: Sequence[str]
    ) -> Mapping[RepositoryName, RangeTraits]:
        """Compare the paths' trees at both ends: exact, however many files lie between, and many in one request."""

        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, RangeTraits]:
            variables: dict[str, object] = batch_variables(batch)
            for i, name in enumerate(batch):
                wanted = ranges[name]
                for p, path in enumerate(paths):
                    variables[f"before{i}_{p}"] = f"{wanted.before}:{path}"
                    variables[f"after{i}_{p}"] = f"{wanted.after}:{path}"
                if wanted.authors:
                    variables[f"live{i}"] = wanted.before
                variables |= {f"author{i}_{k}": each for k, each in enumerate(wanted.authors.values())}
            found = await self._transport.query(
                queries.ranges([len(ranges[name].authors) for name in batch], len(paths)),
                variables,
                _RANGES,
                batch=len(batch),
            )
            return {
                name: _traits(ranges[name], paths, objects)
                for i, name in enumerate(batch)
                if (objects := found.get(f"r{i}")) is not None
            }

        asked = {name: wanted for name, wanted in ranges.items() if paths or wanted.authors}
        return await read_in_batches(asked, _RANGES_BATCH, read)

    async def find_commits(self, repository: RepositoryName, abbreviated: str) -> tuple[SourceCommit, ...]:
        if not ABBREVIATED_SHA.fullmatch(abbreviated.lower()):
            return ()
        asked = abbreviated.lower()
        owner, name = repository.split("/")
        rest = self._transport.rest.repos
        try:
            resolved = await self._transport.read(
                lambda: rest.async_get_commit(owner, name, asked, per_page=1)
            )
        except (MissingError, RejectedError):
            return ()
        if not resolved.sha.startswith(asked):
            # A branch or tag whose name looks like a sha.
            return ()
        found = await self._ask_of(repository, queries.COMMIT, _Known, commit=resolved.sha)
        return (_source_commit(found.commit, found.source),) if found.commit else ()

    async def _observe_standings(
        self, repositories: Collection[RepositoryName], source: BranchName, ref: BranchName
    ) -> Mapping[RepositoryName, _Standing]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, _Standing]:
            found = await self._transport.query(
                queries.refs(len(batch), 2),
                {"branch0": HEADS + ref, "branch1": HEADS + source, **batch_variables(batch)},
                _STANDING,
                batch=len(batch),
            )
            return {name: standing for i, name in enumerate(batch) if (standing := found.get(f"r{i}"))}

        return await read_in_batches(repositories, _HEADS_BATCH, read)

    async def _read_waiting(self, waiting: Mapping[RepositoryName, _Waiting], ref: BranchName) -> None:
        """Read the commits that wait, page by page, of all repositories that need the page at once."""
        commits, repositories = _FIRST_PAGE_COMMITS, _FIRST_PAGE_BATCH

        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, _Page]:
            variables: dict[str, object] = batch_variables(batch)
            for i, name in enumerate(batch):
                part = waiting[name]
                if part.has_ref:
                    variables |= {"ref": HEADS + ref, f"head{i}": part.head, f"before{i}": part.before}
                else:
                    variables[f"source{i}"] = part.head
            found = await self._transport.query(
                queries.waiting([waiting[name].has_ref for name in batch], commits),
                variables,
                _WAITING,
                batch=len(batch),
            )
            return {name: page for i, name in enumerate(batch) if (page := found.get(f"r{i}"))}

        unread: Collection[RepositoryName] = waiting.keys()
        for _ in range(_PAGES):
            pages = await read_in_batches(unread, repositories, read)
            commits, repositories = _PAGE_COMMITS, _PAGE_BATCH
            for name, page in pages.items():
                part = waiting[name]
                part.commits |= {commit.oid: commit for commit in (*page.compared, *page.newest)}
                part.total, part.before = page.total, page.before
            unread = [name for name, page in pages.items() if page.has_more]


def _history(
    name: RepositoryName, standing: _Standing, waiting: _Waiting | None, source: BranchName
) -> SourceHistory:
    commits = waiting.commits if waiting else {}
    chain: list[_Commit] = []
    following = standing.source.oid if standing.source else None
    while following and (commit := commits.get(following)):
        chain.append(commit)
        following = commit.parents[0].oid if commit.parents else None
    if waiting is None:
        is_complete = True
    elif waiting.has_ref:
        is_complete = waiting.total is not None and len(commits) >= waiting.total
    else:
        # Without a ref everything waits, down to the first commit that there ever was.
        is_complete = following is None
    return SourceHistory(
        repository=name,
        url=standing.url,
        source=source,
        out=standing.live.oid if standing.live else None,
        head=standing.source.oid if standing.source else None,
        waiting=tuple(_source_commit(commit, source) for commit in chain),
        is_complete=is_complete,
    )


def _traits(wanted: CommitRange, paths: Sequence[str], objects: Mapping[str, _Object | None]) -> RangeTraits:
    """Read one repository's answer: what is missing at one end alone has changed too."""
    return RangeTraits(
        touched=tuple(path for p, path in enumerate(paths) if objects.get(f"b{p}") != objects.get(f"a{p}")),
        newcomers=tuple(
            login
            for k, login in enumerate(wanted.authors)
            if (live := objects.get(f"h{k}")) and live.commits == 0
        ),
    )


def _source_commit(commit: _Commit, source: BranchName | None) -> SourceCommit:
    into_source = [each for each in commit.pull_requests if each.base_ref_name == source]
    # The one that ended in this very commit first; a rebase's earlier commits are the end of none.
    into_source.sort(key=lambda each: each.merge_commit != commit.oid)
    return SourceCommit(
        sha=commit.oid,
        committed_at=commit.committed_date,
        headline=commit.message_headline,
        author=plain_login(commit.user) if commit.user else commit.author or "",
        pull_request=next((merged for each in into_source if (merged := each.value)), None),
    )
