"""A document's text as a tree that remembers where everything stands.

What a YAML reader hands over, without its types: values are text, and every node knows its span in the source, so
that problems can be pointed at and edits can be cut in. Knows no YAML library and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Style = Literal["", "'", '"', "|", ">"]
"""How a scalar is written; the empty one is plain."""

Data: TypeAlias = "str | list[Data] | dict[str, Data] | None"
"""A tree without its positions."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text: offsets from 0, the end excluded; line and column of its start from 1."""

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text, or nothing: an empty value, ``null`` or ``~`` without quotes."""

    span: Span
    text: str | None
    style: Style


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list; the span ends where its last item does, or behind the closing bracket."""

    span: Span
    items: tuple["Node", ...]
    is_flow: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value."""

    key: ScalarNode
    value: "Node"

    @property
    def name(self) -> str:
        """The key as written."""
        return self.key.text or ""


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values; the span ends where its last value does, or behind the closing brace."""

    span: Span
    entries: dict[str, Entry]
    """By key in lower case, in the order of the text."""
    is_flow: bool

    def find(self, name: str) -> Entry | None:
        """Find an entry by its key, without regard to case."""
        return self.entries.get(name.lower())


Node: TypeAlias = ScalarNode | ListNode | MappingNode
Path: TypeAlias = Sequence[str | int]
"""Keys, and positions in lists, from the root. Keys match without regard to case."""


def to_data(node: Node) -> Data:
    """Drop the positions."""
    match node:
        case ScalarNode():
            return node.text
        case ListNode():
            return [to_data(item) for item in node.items]
        case MappingNode():
            return {entry.name: to_data(entry.value) for entry in node.entries.values()}


def find_span(root: Node, path: Path) -> Span | None:
    """Find the value at a path, or its key where the value is empty or has parts of its own."""
    found = _find(root, path)
    if found is None:
        return None
    key, node = found
    has_text = isinstance(node, ScalarNode) and node.text is not None
    return node.span if has_text or key is None else key.span


def find_key_span(root: Node, path: Path) -> Span | None:
    """Find the key that a path ends with."""
    key, _ = _find(root, path) or (None, None)
    return key.span if key else None


def _find(root: Node, path: Path) -> tuple[ScalarNode | None, Node] | None:
    """Find a value with its key; a position in a list that was written as a single value is that value."""
    key: ScalarNode | None = None
    node = root
    for part in path:
        if isinstance(node, ListNode):
            if not isinstance(part, int) or part >= len(node.items):
                return None
            key, node = None, node.items[part]
        elif part != 0:
            entry = node.find(str(part)) if isinstance(node, MappingNode) else None
            if entry is None:
                return None
            key, node = entry.key, entry.value
    return key, node
