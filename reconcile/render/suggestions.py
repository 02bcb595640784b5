"""Suggestions: edits of a file that one click commits.

A suggestion replaces the very lines that its comment stands on, and GitHub takes comments only where a diff shows
lines. An edit that reaches beyond them is no suggestion; what it adds can be shown to be copied.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

_CONTEXT = 3
"""Unchanged lines around a change that GitHub's diff shows."""
_BACKTICKS = re.compile("`+")
_SHORTEST_FENCE = 3


class ChangedFile(NamedTuple):
    """The desired state as a pull request changes it."""

    before: str
    after: str

    @property
    def shown(self) -> frozenset[int]:
        """The lines of the new version that the diff shows, from 1."""
        return shown_lines(self.before, self.after)


def shown_lines(before: str, after: str) -> frozenset[int]:
    """Say which lines of the new version a diff shows: what is new, and a little around it."""
    matcher = difflib.SequenceMatcher(a=before.splitlines(), b=after.splitlines(), autojunk=False)
    return frozenset(
        line + 1
        for group in matcher.get_grouped_opcodes(_CONTEXT)
        for tag, _, _, start, end in group
        for line in range(start, end)
    )


class Block(NamedTuple):
    """A suggestion, and the lines that it replaces."""

    first: int
    last: int
    text: str


def suggest(text: str, edited: str, shown: frozenset[int]) -> Block | None:
    """Make a suggestion of an edit; none where it changes lines that the diff does not show."""
    old, new = text.splitlines(), edited.splitlines()
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    rest = zip(reversed(old[head:]), reversed(new[head:]), strict=False)
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest))
    first, last = head + 1, len(old) - tail
    if first > last:
        # Nothing is replaced: the line before what is put in, or else the one behind, is given again.
        first, last = (head, head) if head in shown else (head + 1, head + 1)
    if not set(range(first, last + 1)) <= shown:
        return None
    return Block(first, last, fenced("suggestion", new[first - 1 : len(new) - (len(old) - last)]))


def fenced(language: str, lines: Sequence[str]) -> str:
    """Put lines between fences that are longer than any in them: a file's comments are other people's."""
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(_SHORTEST_FENCE, longest + 1)
    return "\n".join((f"{fence}{language}", *lines, fence))


def added_lines(before: str, after: str) -> Iterator[str]:
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag in {"insert", "replace"}:
            yield from new[start:end]
