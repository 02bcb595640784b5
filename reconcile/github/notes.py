"""Comments on lines of a pull request's diff: written in one review, and taken back when they no longer fit."""

from collections.abc import Sequence

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import MissingError
from reconcile.github import queries
from reconcile.github.subject import Login, PageInfo, Subject, is_same_text, plain_login
from reconcile.github.transport import Node
from reconcile.observed import LineNote
from state.ids import Sha


class _Comment(Node):
    id: str
    body: str
    author: Login | None


class _Thread(Node):
    id: str
    path: str
    start_line: int | None
    line: int | None
    is_outdated: bool
    is_resolved: bool
    count: int = Field(validation_alias=AliasPath("comments", "totalCount"))
    comments: tuple[_Comment, ...] = Field(validation_alias=AliasPath("comments", "nodes"))

    def says(self, note: LineNote) -> bool:
        """Say whether this is the note, on the lines where it belongs. One that was resolved has been read."""
        if self.is_outdated or self.line is None:
            return False
        place = (self.path, self.start_line or self.line, self.line)
        return place == (note.path, note.first, note.last) and is_same_text(self.comments[0].body, note.body)


class _Threads(Node):
    viewer: Login
    subject_id: str | None = Field(None, validation_alias=AliasPath("repository", "pullRequest", "id"))
    nodes: tuple[_Thread, ...] = Field(
        (), validation_alias=AliasPath("repository", "pullRequest", "reviewThreads", "nodes")
    )
    page: PageInfo | None = Field(
        None, validation_alias=AliasPath("repository", "pullRequest", "reviewThreads", "pageInfo")
    )


_THREADS = TypeAdapter(_Threads)
_ANYTHING: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])


class Notes(Subject):
    """This account's own comments on lines."""

    async def ensure_notes(self, number: int, commit: Sha, notes: Sequence[LineNote], *, marker: str) -> None:
        wanted = [note.model_copy(update={"body": f"{note.body}\n\n{marker}"}) for note in notes]
        subject_id, there = await self._find_threads(number, marker)
        kept = [thread for thread in there if any(thread.says(note) for note in wanted)]
        missing = [note for note in wanted if not any(thread.says(note) for thread in kept)]
        await self._drop([thread for thread in there if thread not in kept])
        if missing:
            threads = [
                {"path": note.path, "line": note.last, "body": note.body}
                | ({"startLine": note.first} if note.first < note.last else {})
                for note in missing
            ]
            review = {
                "pullRequestId": subject_id, "commitOID": commit, "event": "COMMENT", "threads": threads,
            }  # fmt: skip
            await self._transport.execute(queries.ADD_REVIEW, {"input": review}, _ANYTHING)

    async def _drop(self, threads: Sequence[_Thread]) -> None:
        """Delete what nobody answered, and resolve the rest: what people wrote stays."""
        deleted = [thread.comments[0].id for thread in threads if thread.count == 1]
        resolved = [thread.id for thread in threads if thread.count > 1 and not thread.is_resolved]
        if deleted or resolved:
            await self._transport.execute(
                queries.drop_notes(len(deleted), len(resolved)),
                {f"comment{i}": each for i, each in enumerate(deleted)}
                | {f"thread{i}": each for i, each in enumerate(resolved)},
                _ANYTHING,
            )

    async def _find_threads(self, number: int, marker: str) -> tuple[str, list[_Thread]]:
        """Find this account's own threads with a marker; anybody can write the marker into one of theirs."""
        mine: list[_Thread] = []
        page = PageInfo(has_next_page=True)
        while True:
            found = await self._transport.query(
                queries.THREADS,
                {"owner": self._owner, "name": self._name, "number": number, "after": page.end_cursor},
                _THREADS,
            )
            if found.subject_id is None or found.page is None:
                raise MissingError(f"{self._repository} has no pull request #{number}.")
            me = plain_login(found.viewer)
            mine += [
                thread
                for thread in found.nodes
                for first in thread.comments[:1]
                if marker in first.body and plain_login(first.author) == me
            ]
            page = found.page
            if not page.has_next_page:
                return found.subject_id, mine
