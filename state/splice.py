"""Edits as cuts in the source text, so that everything around them keeps its bytes; and fresh text for what is new.

Works on two normal forms (plain data) and the tree of the text that says the first of them. Trusts nobody to have
thought of every layout: who calls this parses the result and compares.
"""

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from state.errors import EditError
from state.ids import UNREADABLE
from state.nodes import Entry, ListNode, MappingNode, ScalarNode, Style

_STEP = 2
# What every YAML reader takes for the text that it is: names, shas and durations; a moment, with its zone.
_PLAIN = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9_./+-]*|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}[A-Za-z0-9_:/+-]*(?: [A-Za-z0-9_/+-]+)?"
)
# What some YAML reader takes for something else.
_NOT_TEXT = re.compile(
    r"null|true|false|yes|no|on|off|y|n"
    r"|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[+-]?[0-9]+)?|0[xo][0-9a-f_]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    re.IGNORECASE,
)
_BLOCK_HEADER = re.compile(r"[|>][0-9+-]*((?: +#[^\r\n]*)?)")
_BEYOND_FOUR_DIGITS = 0x10000
_QUOTED_KEYS = {"reason", "name"}
"""Sentences of people: in quotes, whatever they are."""

_Value: TypeAlias = Any
"""Text, a number, a list or a mapping of such."""


def render_document(content: Mapping[str, _Value]) -> str:
    """Write a document in block style."""
    return "".join(f"{line}\n" for line in _render_block(content, _STEP))


def splice(text: str, root: MappingNode, before: Mapping[str, _Value], after: Mapping[str, _Value]) -> str:
    """Turn a text that says ``before`` into one that says ``after``; its last line must have an end.

    Raises:
        EditError: The edits get in each other's way.
    """
    cuts = _Cuts(text, root)
    cuts.change_mapping(root, before, after, in_flow=False)
    return cuts.apply()


class _Cuts:
    """The cuts that one edit comes to: stretches of the text and what takes their place."""

    def __init__(self, text: str, root: MappingNode) -> None:
        self._text = text
        self._cuts: list[tuple[int, int, str]] = []
        end = text.find("\n")
        self._newline = "\r\n" if text[:end].endswith("\r") else "\n"
        self._step = next(
            (
                entry.value.span.column - entry.key.span.column
                for entry in root.entries.values()
                if isinstance(entry.value, MappingNode) and not entry.value.is_flow
            ),
            _STEP,
        )

    def apply(self) -> str:
        pieces: list[str] = []
        cursor = 0
        for start, end, new in sorted(self._cuts, key=lambda cut: cut[:2]):
            if start < cursor:
                raise EditError(
                    "the document is laid out in a way that cannot be edited in place: edit it by hand"
                )
            pieces += [self._text[cursor:start], new]
            cursor = end
        return "".join([*pieces, self._text[cursor:]])

    def change_mapping(
        self, node: MappingNode, before: Mapping[str, _Value], after: Mapping[str, _Value], *, in_flow: bool
    ) -> None:
        """Change, remove and add entries. ``in_flow`` tells whether brackets surround the mapping."""
        gone = {key for key in before if key not in after}
        new: dict[str, _Value] = {}
        for key, wished in after.items():
            if key in before and before[key] == wished:
                continue
            entry = node.find(key)
            if entry is None:
                new[key] = wished
            else:
                self._change_value(entry, before.get(key), wished, in_flow=in_flow or node.is_flow)
        if node.is_flow:
            self._change_flow_entries(node, gone, new)
        else:
            for key, entry in node.entries.items():
                if key in gone:
                    self._cut(self._line_start(entry.key.span.start), self._line_end(entry.value.span.end))
            if new:
                last = next(reversed(node.entries.values()))
                lines = _render_block(new, self._step, like=last)
                self._insert_lines(node.span.end, lines, indent=node.span.column - 1)

    def _change_value(self, entry: Entry, before: _Value, wished: _Value, *, in_flow: bool) -> None:
        node = entry.value
        if isinstance(wished, Mapping):
            if not isinstance(node, MappingNode):
                self._fill(entry, wished, in_flow=in_flow)
            elif node.is_flow and not node.entries and not in_flow:
                self._fill(entry, wished, in_flow=False)
            else:
                self.change_mapping(node, before or {}, wished, in_flow=in_flow)
            return
        span = node.span
        if isinstance(wished, list) and isinstance(node, ListNode) and not node.is_flow:
            separator = self._newline + " " * (span.column - 1)
            self._cut(span.start, span.end, separator.join(f"- {_render_flow(item)}" for item in wished))
            return
        style: Style = node.style if isinstance(node, ScalarNode) else ""
        rendered = _render_scalar(wished, style) if not isinstance(wished, list) else _render_flow(wished)
        if span.start == span.end:
            rendered = f" {rendered}"
        elif header := _BLOCK_HEADER.match(self._text, span.start):
            rendered += header[1]
        self._cut(span.start, span.end, rendered)

    def _fill(self, entry: Entry, wished: Mapping[str, _Value], *, in_flow: bool) -> None:
        """Give a mapping to a key that has nothing under it: no value, ``null`` or ``{}``."""
        span = entry.value.span
        if in_flow:
            rendered = _render_flow(wished)
            self._cut(span.start, span.end, f" {rendered}" if span.start == span.end else rendered)
            return
        start = span.start
        while start < span.end and self._text[start - 1] == " ":
            start -= 1
        self._cut(start, span.end)
        lines = _render_block(wished, self._step)
        self._insert_lines(span.end, lines, indent=entry.key.span.column - 1 + self._step)

    def _change_flow_entries(self, node: MappingNode, gone: set[str], new: Mapping[str, _Value]) -> None:
        entries = list(node.entries.values())
        like = entries[-1] if entries else None
        rendered = [_render_flow_entry(key, value, like) for key, value in new.items()]
        kept = [entry for key, entry in node.entries.items() if key not in gone]
        if not kept:
            if gone or new:
                self._cut(node.span.start, node.span.end, f"{{{', '.join(rendered)}}}")
            return
        last = kept[-1]
        for (key, entry), (_, following) in itertools.pairwise(node.entries.items()):
            if key in gone and entry.key.span.start < last.key.span.start:
                self._cut_flow_entry(entry, following)
        if new or entries[-1] is not last:
            tail = [entry for entry in entries if entry.key.span.start > last.key.span.start]
            self._change_flow_end(last, tail, rendered, node.span.end)

    def _change_flow_end(self, last: Entry, tail: Sequence[Entry], new: Sequence[str], limit: int) -> None:
        """Cut what comes behind the last entry that stays, and put new entries there.

        That entry keeps its comment; a comma behind the last of all stays if there was one.
        """
        start = last.value.span.end
        comma = self._behind_comma(start, tail[0].key.span.start if tail else limit)
        end = tail[-1].value.span.end if tail else start
        closed = self._behind_comma(end, limit)
        is_closed = closed > end
        below = self._line_end(start)
        if comma == start and new:
            self._cut(start, start, ",")
        elif comma > start and not new and not is_closed:
            self._cut(comma - 1, comma)
        if comma <= below and self._starts_line(last.key.span.start) and self._ends_line(start):
            separated = [f"{entry}," for entry in new[:-1]] + [entry + "," * is_closed for entry in new[-1:]]
            self._insert_lines(start, separated, indent=last.key.span.column - 1)
            comma, closed = below, max(below, self._line_end(end) if self._ends_line(end) else closed)
        elif new:
            self._cut(comma, comma, " " + ", ".join(new) + "," * is_closed)
        if tail:
            self._cut(comma, closed)

    def _cut_flow_entry(self, entry: Entry, following: Entry) -> None:
        """Cut an entry with the comma behind it, and its line where it has one to itself."""
        start, end = entry.key.span.start, entry.value.span.end
        behind = self._behind_comma(end, following.key.span.start)
        if self._starts_line(start) and self._ends_line(end) and behind <= self._line_end(end):
            self._cut(self._line_start(start), self._line_end(end))
        else:
            self._cut(start, behind + self._count_spaces(behind))

    def _count_spaces(self, position: int) -> int:
        rest = self._text[position : self._line_end(position)]
        return len(rest) - len(rest.lstrip(" "))

    def _starts_line(self, position: int) -> bool:
        return not self._text[self._line_start(position) : position].strip()

    def _ends_line(self, position: int) -> bool:
        rest = self._text[position : self._line_end(position)].strip().removeprefix(",").lstrip()
        return not rest or rest.startswith("#")

    def _behind_comma(self, position: int, limit: int) -> int:
        """Find the end of the next comma that is not in a comment; the position itself if there is none."""
        for match in re.finditer(r"#[^\n]*|,", self._text[position:limit]):
            if match[0] == ",":
                return position + match.end()
        return position

    def _insert_lines(self, position: int, lines: Iterable[str], *, indent: int) -> None:
        """Put lines below the one that a position is in."""
        below = self._line_end(position)
        self._cut(below, below, "".join(f"{' ' * indent}{line}{self._newline}" for line in lines))

    def _cut(self, start: int, end: int, new: str = "") -> None:
        self._cuts.append((start, end, new))

    def _line_start(self, position: int) -> int:
        return self._text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        return self._text.index("\n", position) + 1


def _render_block(content: Mapping[str, _Value], step: int, *, like: Entry | None = None) -> list[str]:
    """Write entries a line each; keys and single values in the quotes of the entry that they are to be like."""
    lines: list[str] = []
    key_style, value_style = _styles_of(like)
    for key, value in content.items():
        written = _render_scalar(key, key_style)
        if isinstance(value, Mapping) and value:
            lines += [f"{written}:", *(" " * step + line for line in _render_block(value, step))]
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) and item for item in value):
            lines.append(f"{written}:")
            for item in value:
                first, *others = _render_block(item, step)
                lines += [f"{' ' * step}- {first}", *(f"{' ' * step}  {line}" for line in others)]
        elif isinstance(value, Mapping | list):
            lines.append(f"{written}: {_render_flow(value)}")
        else:
            lines.append(f"{written}: {_render_scalar(value, _style_for(key, value_style))}")
    return lines


def _render_flow(value: _Value) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(_render_flow_entry(key, each) for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_render_flow(item) for item in value) + "]"
    return _render_scalar(value, "")


def _render_flow_entry(key: str, value: _Value, like: Entry | None = None) -> str:
    key_style, value_style = _styles_of(like)
    if isinstance(value, Mapping | list):
        return f"{_render_scalar(key, key_style)}: {_render_flow(value)}"
    return f"{_render_scalar(key, key_style)}: {_render_scalar(value, _style_for(key, value_style))}"


def _styles_of(entry: Entry | None) -> tuple[Style, Style]:
    if entry is None:
        return "", ""
    return entry.key.style, entry.value.style if isinstance(entry.value, ScalarNode) else ""


def _style_for(key: str, style: Style) -> Style:
    return style if style in ("'", '"') else '"' if key in _QUOTED_KEYS else ""


def _render_scalar(value: str | int | None, style: Style) -> str:
    """Write a scalar in a style where that can hold it, otherwise in double quotes."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if style == "" and _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value):
        return value
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    # JSON's strings are YAML's, but for characters that JSON need not escape.
    quoted = json.dumps(value, ensure_ascii=False)
    while UNREADABLE.search(quoted):  # what is escaped is ASCII, and may let show what came after it
        quoted = UNREADABLE.sub(_escape, quoted)
    return quoted


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < _BEYOND_FOUR_DIGITS else f"\\U{code:08x}"
