"""The documentation as its tests see it: pages with their headings, code, tables and links."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
_MARKDOWN = MarkdownIt("commonmark").enable("table")


class Heading(NamedTuple):
    level: int
    title: str
    codes: tuple[str, ...]
    """Its code spans."""
    anchor: str
    """As GitHub makes it."""


@dataclass(frozen=True)
class Page:
    """A page, its path from the root of the project."""

    path: str

    @property
    def directory(self) -> Path:
        return (ROOT / self.path).parent

    @cached_property
    def tokens(self) -> list[Token]:
        return _MARKDOWN.parse((ROOT / self.path).read_text(encoding="utf-8"))

    @property
    def inlines(self) -> Iterator[Token]:
        for token in self.tokens:
            yield from token.children or ()

    @property
    def headings(self) -> tuple[Heading, ...]:
        seen: Counter[str] = Counter()
        found = []
        for opening, inline in zip(self.tokens, self.tokens[1:], strict=False):
            if opening.type != "heading_open":
                continue
            children = inline.children or []
            title = "".join(child.content for child in children)
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            anchor = f"{slug}-{seen[slug]}" if seen[slug] else slug
            seen[slug] += 1
            codes = tuple(child.content for child in children if child.type == "code_inline")
            found.append(Heading(int(opening.tag[1]), title, codes, anchor))
        return tuple(found)

    def below(self, title: str) -> tuple[Heading, ...]:
        """List the headings under one of the second level."""
        headings = iter(self.headings)
        for heading in headings:
            if (heading.level, heading.title) == (2, title):
                break
        else:
            raise AssertionError(f"{self.path} has no section {title}")
        found = []
        for heading in headings:
            if heading.level <= 2:
                break
            found.append(heading)
        return tuple(found)

    @property
    def codes(self) -> tuple[str, ...]:
        """List the code spans, headings among them."""
        return tuple(token.content for token in self.inlines if token.type == "code_inline")

    def blocks(self, language: str) -> tuple[str, ...]:
        return tuple(
            token.content for token in self.tokens if token.type == "fence" and token.info == language
        )

    @property
    def tables(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """List the tables, each as rows of cells in Markdown; the first row is the head."""
        tables: list[list[list[str]]] = []
        for token in self.tokens:
            if token.type == "table_open":
                tables.append([])
            elif token.type == "tr_open":
                tables[-1].append([])
            elif token.type == "inline" and token.level == 4 and tables:
                tables[-1][-1].append(token.content)
        return tuple(tuple(tuple(row) for row in table) for table in tables)

    def table(self, *head: str) -> dict[str, tuple[str, ...]]:
        """Find the tables whose head begins so; map each row's first cell, without code marks, to the others."""
        rows = [row for table in self.tables if table[0][: len(head)] == head for row in table[1:]]
        assert rows, f"{self.path} has no table {head}"
        return {row[0].strip("`"): tuple(cell.strip("`") for cell in row[1:]) for row in rows}

    @property
    def links(self) -> tuple[str, ...]:
        """List what is linked and shown, as it is written."""
        attributes = {"link_open": "href", "image": "src"}
        return tuple(
            str(token.attrs[attributes[token.type]]) for token in self.inlines if token.type in attributes
        )


def every_page() -> tuple[Page, ...]:
    paths = (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    return tuple(Page(path.relative_to(ROOT).as_posix()) for path in sorted(paths))


README = Page("README.md")
ARCHITECTURE = Page("docs/architecture.md")
DOCUMENTS = Page("docs/documents.md")
OPERATING = Page("docs/operating.md")
RUNBOOK = Page("docs/runbook.md")
