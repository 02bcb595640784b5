"""Patches as rows of a table, with the changed part of a changed line marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
NO_NEWLINE = "\\"


@dataclass(frozen=True)
class Row:
    """One line; `changed` is where the part of `text` lies that its counterpart has not."""

    kind: Literal["hunk", "same", "removed", "added", "remark"]
    text: str
    old: int | None = None
    new: int | None = None
    changed: tuple[int, int] = (0, 0)

    @property
    def parts(self) -> tuple[str, str, str]:
        start, end = self.changed
        return self.text[:start], self.text[start:end], self.text[end:]


def rows(patch: str) -> list[Row]:
    """Read a patch from its first @@ on."""
    numbered: list[Row] = []
    removed: list[Row] = []
    added: list[Row] = []
    for row in number(patch):
        if row.kind == "removed" and not added:
            removed.append(row)
        elif row.kind == "added":
            added.append(row)
        else:
            numbered += paired(removed, added)
            removed, added = [row] if row.kind == "removed" else [], []
            if row.kind != "removed":
                numbered.append(row)
    return numbered + paired(removed, added)


def number(patch: str) -> Iterator[Row]:
    old = new = 0
    for line in patch.split("\n") if patch else ():
        mark, text = line[:1], line[1:]
        if match := HUNK.match(line):
            old, new = int(match[1]), int(match[2])
            yield Row("hunk", line)
        elif mark == "-":
            yield Row("removed", text, old=old)
            old += 1
        elif mark == "+":
            yield Row("added", text, new=new)
            new += 1
        elif mark == NO_NEWLINE:
            yield Row("remark", text.strip())
        else:
            yield Row("same", text, old=old, new=new)
            old, new = old + 1, new + 1


def paired(removed: list[Row], added: list[Row]) -> list[Row]:
    """Mark what changed within lines that begin with the same word: they are the same line, edited."""
    at = 0
    for index, before in enumerate(removed):
        word = before.text.split(maxsplit=1)[:1]
        found = next((i for i in range(at, len(added)) if added[i].text.split(maxsplit=1)[:1] == word), None)
        if word and found is not None:
            removed[index], added[found] = mark(before, added[found])
            at = found + 1
    return [*removed, *added]


def mark(before: Row, after: Row) -> tuple[Row, Row]:
    old, new = before.text, after.text
    start = common(old, new)
    end = min(common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    return (
        replace(before, changed=(start, len(old) - end)),
        replace(after, changed=(start, len(new) - end)),
    )


def common(one: str, other: str) -> int:
    """Count the characters that two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
