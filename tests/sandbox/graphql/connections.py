"""Pages of lists, with GitHub's rules about `first` and `last`. Only what is asked for is walked."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Generic, TypeVar

from graphql import GraphQLError

T = TypeVar("T")
LIMIT = 100


class PaginationError(GraphQLError):
    """Raised where GitHub refuses a page; `type` is the error's type in the answer."""

    def __init__(self, message: str, type_: str) -> None:
        super().__init__(message)
        self.type = type_


def cursor(position: int) -> str:
    return b64encode(f"cursor:{position}".encode()).decode()


def position_of(text: str) -> int:
    try:
        return int(b64decode(text).decode().removeprefix("cursor:"))
    except ValueError:
        raise PaginationError(
            f"`{text}` does not appear to be a valid cursor.", "INVALID_CURSOR_ARGUMENTS"
        ) from None


@dataclass(frozen=True)
class PageInfo:
    start_cursor: str | None
    end_cursor: str | None
    has_next_page: bool
    has_previous_page: bool


@dataclass(frozen=True)
class Edge(Generic[T]):
    cursor: str
    node: T


class Connection(Generic[T]):
    """One page of what `walk` gives; a plain list is walked as it is."""

    def __init__(
        self,
        name: str,
        walk: Callable[[], Iterable[T]],
        *,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        count: Callable[[], int] | None = None,
    ) -> None:
        for argument, value in (("first", first), ("last", last)):
            if value is not None and value > LIMIT:
                message = (
                    f"Requesting {value} records on the `{name}` connection exceeds "
                    f"the `{argument}` limit of {LIMIT} records."
                )
                raise PaginationError(message, "EXCESSIVE_PAGINATION")
        self._name = name
        self._walk = walk
        self._first, self._last = first, last
        self._start = position_of(after) if after else 0
        self._stop = position_of(before) - 1 if before else None
        self._count = count

    @cached_property
    def _page(self) -> tuple[int, list[T], bool]:
        """Give where the page starts, what is on it, and whether there is more."""
        if self._first is None and self._last is None:
            message = f"You must provide a `first` or `last` value to properly paginate the `{self._name}` connection."
            raise PaginationError(message, "MISSING_PAGINATION_BOUNDARIES")
        if self._first is not None:
            found = list(islice(self._walk(), self._start, self._end(self._start + self._first + 1)))
            return self._start, found[: self._first], len(found) > self._first
        assert self._last is not None
        everything = list(islice(self._walk(), self._stop))
        start = max(self._start, len(everything) - self._last)
        return start, everything[start:], self._stop is not None

    def _end(self, wanted: int) -> int:
        return wanted if self._stop is None else min(wanted, self._stop)

    @property
    def nodes(self) -> list[T]:
        return self._page[1]

    @property
    def edges(self) -> Iterator[Edge[T]]:
        start, found, _ = self._page
        return (Edge(cursor(start + index), node) for index, node in enumerate(found, 1))

    @property
    def page_info(self) -> PageInfo:
        start, found, has_more = self._page
        return PageInfo(
            start_cursor=cursor(start + 1) if found else None,
            end_cursor=cursor(start + len(found)) if found else None,
            has_next_page=has_more,
            has_previous_page=start > 0,
        )

    @property
    def total_count(self) -> int:
        return self._count() if self._count else sum(1 for _ in self._walk())
