"""Setting up: which repositories there are, and the first files of the release-state repository."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import MissingError
from reconcile.github import queries
from reconcile.github.subject import HEADS, PageInfo, Subject, batch_variables
from reconcile.github.transport import Node, read_in_batches
from reconcile.ports import FoundRepository
from state.ids import BranchName, RepositoryName, Sha

_BATCH = 50


class _Repository(Node):
    name_with_owner: RepositoryName
    is_archived: bool
    live: Sha | None = Field(None, validation_alias=AliasPath("live", "target", "oid"))
    source: Sha | None = Field(None, validation_alias=AliasPath("source", "target", "oid"))

    @property
    def value(self) -> FoundRepository:
        return FoundRepository(
            name=self.name_with_owner, is_archived=self.is_archived, live=self.live, source=self.source
        )


class _Repositories(Node):
    nodes: tuple[_Repository, ...]
    page_info: PageInfo


class _Owned(Node):
    repositories: _Repositories


class _Owner(Node):
    repository_owner: _Owned | None


_OWNER = TypeAdapter(_Owner)
_FOUND: TypeAdapter[dict[str, _Repository | None]] = TypeAdapter(dict[str, _Repository | None])
_FILES: TypeAdapter[dict[str, dict[str, dict[str, str] | None] | None]] = TypeAdapter(
    dict[str, dict[str, dict[str, str] | None] | None]
)


class Setup(Subject):
    """What is there, and what is to be."""

    async def list_repositories(
        self, owner: str, *, ref: BranchName, source: BranchName
    ) -> tuple[FoundRepository, ...]:
        found: list[_Repository] = []
        page = PageInfo(has_next_page=True)
        while page.has_next_page:
            answer = await self._transport.query(
                queries.OWNED,
                {"login": owner, "ref": HEADS + ref, "source": HEADS + source, "after": page.end_cursor},
                _OWNER,
            )
            if answer.repository_owner is None:
                raise MissingError(f"There is no account or organization {owner} on GitHub: check its name.")
            found += answer.repository_owner.repositories.nodes
            page = answer.repository_owner.repositories.page_info
        return tuple(each.value for each in found)

    async def find_repositories(
        self, repositories: Collection[RepositoryName], *, ref: BranchName, source: BranchName
    ) -> Mapping[RepositoryName, FoundRepository]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, FoundRepository]:
            found = await self._transport.query(
                queries.found(len(batch)),
                {"ref": HEADS + ref, "source": HEADS + source, **batch_variables(batch)},
                _FOUND,
                batch=len(batch),
            )
            return {name: each.value for i, name in enumerate(batch) if (each := found.get(f"r{i}"))}

        return await read_in_batches(repositories, _BATCH, read)

    async def find_files(self, commit: Sha, paths: Sequence[str]) -> frozenset[str]:
        variables: dict[str, object] = {"owner": self._owner, "name": self._name}
        variables |= {f"file{i}": f"{commit}:{path}" for i, path in enumerate(paths)}
        found = (await self._transport.query(queries.files(len(paths)), variables, _FILES)).get("repository")
        return frozenset(path for i, path in enumerate(paths) if (found or {}).get(f"f{i}"))

    async def store_files(
        self,
        branch: BranchName,
        *,
        base: Sha,
        expected_head: Sha | None,
        files: Mapping[str, str],
        headline: str,
    ) -> Sha:
        commit = await self._commit_files(files, parent=base, message=headline)
        await self._swap_branch(branch, before=expected_head, after=commit, force=expected_head is not None)
        return commit
