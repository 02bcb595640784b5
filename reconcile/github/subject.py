"""What the parts of the adapter share: the way to GitHub, the release-state repository, and its branches."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Generic, Protocol, TypeVar

from githubkit.utils import UNSET
from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import (
    MissingError,
    RejectedError,
    StaleHeadError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconcile.github import queries
from reconcile.github.refusals import recognise
from reconcile.github.transport import Node, Problem, Transport
from state.ids import ZERO_SHA, BranchName, RepositoryName, Sha, abbreviate

HEADS = "refs/heads/"
"""Branches are named in full: an unqualified name may be a tag."""
_GHOST = "ghost"
"""GitHub's own name for an account that is gone."""
_LONGEST_DESCRIPTION = 140

N = TypeVar("N", bound=Node)


class Login(Node):
    login: str


class PageInfo(Node):
    has_next_page: bool
    end_cursor: str | None = None


class Head(Node):
    """A ref."""

    oid: Sha = Field(validation_alias=AliasPath("target", "oid"))


class _Here(Node, Generic[N]):
    repository: N | None


class _Branch(Node):
    id: str
    ref: Head | None


class _Tree(Node):
    tree: Sha | None = Field(None, validation_alias=AliasPath("object", "tree", "oid"))


@cache
def _here(shape: type[N]) -> TypeAdapter[_Here[N]]:
    return TypeAdapter(_Here[shape])  # type: ignore[valid-type]  # a class made at run time


class _Account(Protocol):
    @property
    def login(self) -> str: ...


def plain_login(author: _Account | None) -> str:
    """Name an account in one way: GraphQL calls an app's bot ``x`` as an author, and ``x[bot]`` as a user."""
    return author.login.removesuffix("[bot]") if author else _GHOST


def is_same_text(one: str, other: str) -> bool:
    """Compare as GitHub stores: the browser's line ends, and white space at the end, are no difference."""
    return one.replace("\r\n", "\n").rstrip() == other.replace("\r\n", "\n").rstrip()


def fit_description(text: str) -> str:
    """Cut a description of a status or deployment to what GitHub takes."""
    return text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 1] + "…"


def ref_update(
    repository_id: str, ref: BranchName, *, before: Sha | None, after: Sha, force: bool
) -> Mapping[str, object]:
    """Make an ``UpdateRefsInput``. ``beforeOid`` is always there: without it GitHub compares nothing."""
    return {
        "repositoryId": repository_id,
        "refUpdates": [
            {"name": HEADS + ref, "beforeOid": before or ZERO_SHA, "afterOid": after, "force": force}
        ],
    }


def batch_variables(batch: Sequence[RepositoryName]) -> dict[str, object]:
    """Name the repositories of a batch."""
    variables: dict[str, object] = {}
    for i, name in enumerate(batch):
        variables[f"owner{i}"], variables[f"name{i}"] = name.split("/")
    return variables


class Subject:
    """One subject of the adapter, bound to the release-state repository."""

    def __init__(self, transport: Transport, repository: RepositoryName) -> None:
        self._transport = transport
        self._repository = repository
        self._owner, self._name = repository.split("/")

    async def _ask(self, text: str, shape: type[N], **variables: object) -> N:
        """Ask about the release-state repository.

        Raises:
            MissingError: It does not exist for this account.
        """
        return await self._ask_of(self._repository, text, shape, **variables)

    async def _ask_of(self, repository: RepositoryName, text: str, shape: type[N], **variables: object) -> N:
        owner, name = repository.split("/")
        answer = await self._transport.query(text, {"owner": owner, "name": name, **variables}, _here(shape))
        found: N | None = answer.repository  # the cache of shapes forgets their type
        if found is None:
            remedy = "check STABLEHAND_REPOSITORY" if repository == self._repository else "check its name"
            raise MissingError(
                f"There is no repository {repository}, or this account may not see it: "
                f"{remedy} and the account's rights."
            )
        return found

    async def _find_branch(self, branch: BranchName) -> _Branch:
        return await self._ask(queries.BRANCH, _Branch, branch=HEADS + branch)

    async def _commit_files(self, files: Mapping[str, str], *, parent: Sha | None, message: str) -> Sha:
        """Make a commit that is on no branch yet; without a parent it holds these files alone."""
        tree = (await self._ask(queries.TREE, _Tree, commit=parent)).tree if parent else None
        if parent and not tree:
            raise MissingError(f"{self._repository} has no commit {parent} to build on.")
        rest = self._transport.rest.git
        new_tree = await self._transport.create(
            lambda: rest.async_create_tree(
                self._owner,
                self._name,
                tree=[
                    {"path": path, "mode": "100644", "type": "blob", "content": text}
                    for path, text in files.items()
                ],
                base_tree=tree or UNSET,
            )
        )
        commit = await self._transport.create(
            lambda: rest.async_create_commit(
                self._owner,
                self._name,
                message=message,
                tree=new_tree.sha,
                parents=[parent] if parent else [],
            )
        )
        return commit.sha

    async def _swap_branch(
        self, branch: BranchName, *, before: Sha | None, after: Sha, force: bool = False
    ) -> None:
        """Move a branch of the release-state repository from exactly ``before``.

        Raises:
            StaleHeadError: The branch is elsewhere.
            RejectedError: A rule refuses the move.
            UnreachableError: The branch has not moved, and it is not known why; it may still.
        """
        found = await self._find_branch(branch)
        change = ref_update(found.id, branch, before=before, after=after, force=force)
        problems: Sequence[Problem] = ()
        failure: UnreachableError | UnexpectedAnswerError | None = None
        try:
            problems = (await self._transport.mutate(queries.update_refs(1), {"u0": change})).problems
        except (UnreachableError, UnexpectedAnswerError) as lost:
            failure = lost
        if not problems and not failure:
            return
        # A lost race has no code of its own, and a lost answer may have been a yes: where the branch stands tells.
        standing = (await self._find_branch(branch)).ref
        at = standing.oid if standing else None
        if at == after:
            return
        if at != before:
            raise StaleHeadError(
                f"{branch} of {self._repository} is at {abbreviate(at) if at else 'nothing'}, "
                f"not at {abbreviate(before) if before else 'nothing'}: somebody else moved it."
            ) from failure
        if failure:
            raise failure
        what = f"GitHub did not move {branch} of {self._repository}: {problems[0].quote}"
        if any(recognise(problem) for problem in problems):
            raise RejectedError(f"{what} Check the branch's rules and the account's rights.")
        raise UnreachableError(what)
