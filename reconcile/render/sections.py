"""A body of sections that GitHub takes: where it is too long, lists are cut, and say so."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

GITHUB_LIMIT = 65_536
"""What GitHub takes as the body of a pull request or comment, in characters."""
LIMIT = GITHUB_LIMIT - 136
"""Room is left for the marker of a comment. Bytes are counted, of which there are never fewer than characters."""


class Listing(NamedTuple):
    """Lines of which the last may be left out, with what stands before them."""

    lines: Sequence[str]
    before: Sequence[str] = ()

    def render(self, limit: int) -> str:
        left = len(self.lines) - limit
        more = ["", f"… and {left} more"] if left > 0 else []
        return "\n".join((*self.before, *self.lines[:limit], *more))


class Section(NamedTuple):
    """Listings between two fixed texts; without any, the section itself is fixed."""

    before: str
    listings: Sequence[Listing] = ()
    after: str = ""

    @property
    def longest(self) -> int:
        return max((len(listing.lines) for listing in self.listings), default=0)

    def render(self, limit: int) -> str:
        """Render at most ``limit`` lines of each listing; with none left, say how many there were."""
        if self.listings and limit == 0:
            count = sum(len(listing.lines) for listing in self.listings)
            blocks = [f"*{count} lines are left out: they do not fit into {GITHUB_LIMIT:,} characters.*"]
        else:
            blocks = [listing.render(limit) for listing in self.listings]
        return "\n\n".join(text for text in (self.before, *blocks, self.after) if text)


def lay_out(sections: Sequence[Section], *, limit: int = LIMIT) -> str:
    """Join sections into one body of at most ``limit`` bytes.

    The last section's lists are shortened first, the longest of them first; only when it has none left is the one
    before it touched.
    """
    rendered = [section.render(section.longest) for section in sections]

    def size_with(index: int, lines: int) -> int:
        others = rendered[:index] + rendered[index + 1 :]
        return len("\n\n".join((*others, sections[index].render(lines))).encode())

    for index in reversed(range(len(sections))):
        section = sections[index]
        if not section.listings or size_with(index, section.longest) <= limit:
            continue
        lines = bisect_right(range(section.longest), limit, key=lambda lines: size_with(index, lines)) - 1
        # Saying how much was left out takes room too, so one line more need not be longer.
        while lines > 0 and size_with(index, lines) > limit:
            lines -= 1
        rendered[index] = section.render(max(lines, 0))
    body = "\n\n".join(rendered)
    assert len(body.encode()) <= limit, "what is not a list is short"
    return body
