"""The two documents as YAML text: parse, locate, edit, dump. The only module that knows the YAML library.

A reviewed document must have one reading. So scalars are text, whatever they look like (``12e4567…`` is no number),
and what makes YAML hard to review is refused: tags, anchors, merge keys, duplicate keys, invisible characters. What a
stranger may send is bounded before it is read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypeVar, cast

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from state.document import DesiredState
from state.errors import DocumentError, EditError, Problem
from state.ids import UNREADABLE, RepositoryName, Sha
from state.nodes import (
    Entry,
    ListNode,
    MappingNode,
    Node,
    Path,
    ScalarNode,
    Span,
    Style,
    find_key_span,
    find_span,
    to_data,
)
from state.policy import Policy
from state.sentences import describe_error
from state.splice import render_document, splice

STATE_PATH = "release-state.yaml"
POLICY_PATH = "release-policy.yaml"

_BOM = "\ufeff"
_LARGEST = 1_000_000
"""Characters; ten times what a fleet of 1,000 repositories takes."""
_MOST_NODES = 50_000
"""Keys and values; 20,000 targets have 40,000."""
_LONGEST_LINE = 10_000
_DEEPEST = 16
_MOST_PROBLEMS = 100
_SHOWN = 60
_SURROGATE = re.compile("[\ud800-\udfff]")
_LAST_LINE_END = re.compile(r"\r?\n\Z")
_COLON = re.compile(r"\s*:")
_NULLS = {"", "~", "null", "Null", "NULL"}

_Located: TypeAlias = tuple[int, int, str]
"""Line, column, message."""

_Model = TypeVar("_Model", DesiredState, Policy)


def parse_desired(text: str, *, file: str = STATE_PATH) -> DesiredState:
    """Read ``release-state.yaml``.

    Raises:
        DocumentError: Carries everything that is wrong with it, in the order of the file.
    """
    return _parse(text, file, DesiredState)


def parse_policy(text: str, *, file: str = POLICY_PATH) -> Policy:
    """Read ``release-policy.yaml``.

    Raises:
        DocumentError: Carries everything that is wrong with it, in the order of the file.
    """
    return _parse(text, file, Policy)


def locate(text: str, path: Path) -> tuple[int, int] | None:
    """Find line and column, from 1, of what stands at a path such as ``("targets", "packit/ogr")``.

    That is the value, or the key where the value is empty or has keys of its own; nothing where the text has no such
    path or cannot be read. Repositories match in whatever case they are written.
    """
    root = _read(text.removeprefix(_BOM)).root
    span = find_span(root, path) if root else None
    return (span.line, span.column) if span else None


def edit_desired(text: str, wished: DesiredState) -> str:
    """Change the text so that it says what is wished, and nothing else about it.

    Comments, order, quotes and line ends stay; what says the same already keeps its bytes.

    Raises:
        DocumentError: The text cannot be read to begin with.
        EditError: The edited text does not say what was wished, so it must not be used.
    """
    current, target = _normalise(parse_desired(text)), _normalise(wished)
    if current == target:
        return text
    body = text.removeprefix(_BOM)
    # Cutting is simpler in a text whose last line ends like the others; an added end goes again.
    ended = body if body.endswith("\n") else body + ("\r\n" if "\r\n" in body else "\n")
    root = _read(ended).root
    assert isinstance(root, MappingNode), "what has been parsed is a mapping"
    edited = splice(ended, root, current, target)
    if ended is not body:
        edited = _LAST_LINE_END.sub("", edited)
    result = text[: len(text) - len(body)] + edited
    try:
        came_out = _normalise(parse_desired(result))
    except DocumentError as error:
        raise EditError(
            f"editing the document would have broken it ({error.problems[0]}): edit it by hand"
        ) from error
    if came_out != target:
        raise EditError("editing the document would not have come out as wished: edit it by hand")
    return result


def edit_targets(text: str, targets: Mapping[RepositoryName, Sha]) -> str:
    """Set or add targets; like :func:`edit_desired` in everything else."""
    desired = parse_desired(text)
    return edit_desired(text, desired.model_copy(update={"targets": {**desired.targets, **targets}}))


def dump_desired(desired: DesiredState) -> str:
    """Write a fresh ``release-state.yaml``: block style, reasons in quotes, no empty sections."""
    return render_document(desired.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def dump_policy(policy: Policy) -> str:
    """Write a fresh ``release-policy.yaml``: block style, without what is the default anyway."""
    return render_document(policy.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _normalise(desired: DesiredState) -> dict[str, Any]:
    """Bring a document to the form in which equal means saying the same; an empty section equals a missing one."""
    dumped = desired.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"holds": {}, "blocks": {}, "permits": {}} | dumped


def _parse(text: str, file: str, model: type[_Model]) -> _Model:
    reading = _read(text.removeprefix(_BOM))
    problems = list(reading.problems)
    parsed: _Model | None = None
    if reading.root is not None:
        try:
            parsed = model.model_validate(to_data(reading.root))
        except ValidationError as error:
            problems += _explain(error, reading, model)
    if problems or parsed is None:
        raise DocumentError(_arrange(problems, file))
    return parsed


def _explain(error: ValidationError, reading: "_Reading", model: type[_Model]) -> Iterator[_Located]:
    assert reading.root is not None
    refused = {(line, column) for line, column, _ in reading.problems}
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        if path and path[-1] == "[key]":
            span = find_key_span(reading.root, path[:-1])
        elif detail["type"] == "extra_forbidden":
            span = find_key_span(reading.root, path)
        else:
            span = find_span(reading.root, path[:-1] if detail["type"] == "missing" else path)
        line, column = (span.line, span.column) if span else (0, 0)
        # What was refused as YAML is not wrong a second time for what stands in its place.
        if (line, column) not in refused:
            yield line, column, describe_error(detail, model)


def _arrange(problems: Iterable[_Located], file: str) -> tuple[Problem, ...]:
    ordered = sorted(problems, key=lambda problem: problem[:2])
    shown = [
        Problem(file=file, line=line, column=column, message=message)
        for line, column, message in ordered[:_MOST_PROBLEMS]
    ]
    if len(ordered) > _MOST_PROBLEMS:
        message = f"and {len(ordered) - _MOST_PROBLEMS} more problems: mend these first"
        shown.append(Problem(file=file, line=shown[-1].line, column=shown[-1].column, message=message))
    return tuple(shown)


@dataclass(frozen=True)
class _Reading:
    """What a text says as YAML; no root where it could not be read to its end."""

    root: Node | None
    problems: tuple[_Located, ...]


class _RefusedError(Exception):
    """Reading stops here."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        self.problem: _Located = (line, column, sentence)
        super().__init__(sentence)


@dataclass
class _Open:
    """A mapping or list whose end has not come yet."""

    kind: Literal["mapping", "list"]
    span: Span
    is_flow: bool
    children: list[Node] = field(default_factory=list)
    """Of a mapping: key, value, key, value, …"""


class _TreeBuilder:
    """Makes the tree of one document from the library's events, without recursion."""

    def __init__(self, body: str) -> None:
        self.root: Node | None = None
        self.problems: list[_Located] = []
        self.position: tuple[int, int] = (1, 1)
        self._body = body
        self._open: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        mark = event.start_mark
        self.position = (mark.line + 1, mark.column + 1)
        match event:
            case DocumentStartEvent():
                self._start_document(event)
            case MappingEndEvent() | SequenceEndEvent():
                self._close(event.end_mark.index)
            case NodeEvent():
                self._start_node(event)

    def _start_document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _RefusedError(*self.position, "a second document: keep one, without --- or ... in between")
        if event.version or event.tags:
            self._refuse("a %-directive: remove the line")

    def _start_node(self, event: NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _RefusedError(*self.position, f"more than {_MOST_NODES:,} keys and values: split the fleet")
        if len(self._open) > _DEEPEST:
            raise _RefusedError(*self.position, f"nested more than {_DEEPEST} levels deep: write fewer")
        span = Span(event.start_mark.index, event.end_mark.index, *self.position)
        if isinstance(event, AliasEvent):
            written = f"*{event.anchor}"[:_SHOWN]
            self._refuse(f"an alias ({written}): write out what it stands for")
            self._add(ScalarNode(span, written, ""))
            return
        assert isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent), "there are no others"
        if event.anchor:
            self._refuse(f"an anchor (&{event.anchor[:_SHOWN]}): remove it")
        if event.ctag:
            self._refuse("a tag (with !): remove it, every value is text")
        match event:
            case ScalarEvent():
                self._add(self._scalar(event, span))
            case MappingStartEvent():
                self._open.append(_Open("mapping", span, bool(event.flow_style)))
            case SequenceStartEvent():
                self._open.append(_Open("list", span, bool(event.flow_style)))

    def _scalar(self, event: ScalarEvent, span: Span) -> ScalarNode:
        style = cast("Style", event.style or "")
        if _SURROGATE.search(event.value):
            self._refuse("an escape for half a character: write the character itself")
        if style in ("|", ">"):
            # The library counts the empty lines that follow in.
            end = span.start + len(self._body[span.start : span.end].rstrip())
            return ScalarNode(Span(span.start, end, span.line, span.column), event.value, style)
        is_key = (
            bool(self._open) and self._open[-1].kind == "mapping" and len(self._open[-1].children) % 2 == 0
        )
        if style or is_key or event.value not in _NULLS:
            return ScalarNode(span, event.value, style)
        return ScalarNode(self._place_nothing(span) if span.start == span.end else span, None, "")

    def _place_nothing(self, span: Span) -> Span:
        """Put an empty value right behind its colon; the library puts it before whatever comes next."""
        if not self._open or self._open[-1].kind == "list":
            return span
        key = self._open[-1].children[-1].span
        colon = _COLON.match(self._body, key.end)
        end = colon.end() if colon else key.end
        return Span(end, end, key.line, key.column)

    def _close(self, end: int) -> None:
        this = self._open.pop()
        if not this.is_flow:
            # The library ends a block where the next token begins, behind comments that are not its own.
            end = this.children[-1].span.end
        span = Span(this.span.start, end, this.span.line, this.span.column)
        if this.kind == "list":
            self._add(ListNode(span, tuple(this.children), this.is_flow))
        else:
            entries = self._index(this.children[::2], this.children[1::2])
            self._add(MappingNode(span, entries, this.is_flow))

    def _index(self, keys: Iterable[Node], values: Iterable[Node]) -> dict[str, Entry]:
        """Collect the entries whose keys are good; where a key comes twice, the first."""
        entries: dict[str, Entry] = {}
        for key, value in zip(keys, values, strict=True):
            self.position = (key.span.line, key.span.column)
            if not isinstance(key, ScalarNode):
                self._refuse("a key with parts: write a plain name before the colon")
            elif not key.text:
                self._refuse("a key is missing: write a name before the colon")
            elif key.text == "<<":
                self._refuse("a merge key: write out what it merges")
            elif first := entries.get(key.text.lower()):
                line = first.key.span.line
                self._refuse(f"`{key.text[:_SHOWN]}` stands twice, first on line {line}: keep one")
            else:
                entries[key.text.lower()] = Entry(key, value)
        return entries

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _refuse(self, sentence: str) -> None:
        self.problems.append((*self.position, sentence))


# Parsing, locating every changed line and editing each start from the same few texts.
@lru_cache(maxsize=8)
def _read(body: str) -> _Reading:
    if len(body) > _LARGEST:
        sentence = f"{len(body):,} characters are too many: keep the document under {_LARGEST:,}"
        return _Reading(None, ((0, 0, sentence),))
    unreadable = (*_find_long_lines(body), *_find_unreadable(body))
    if unreadable:
        return _Reading(None, unreadable)
    builder = _TreeBuilder(body)
    try:
        for event in YAML(typ="safe", pure=True).parse(body):
            builder.take(event)
    except _RefusedError as error:
        return _Reading(None, (*builder.problems, error.problem))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else builder.position
        what = " ".join(": ".join(part for part in (error.context, error.problem) if part).split())
        sentence = (
            f"not YAML ({what}): look for a missing quote, colon or indentation here or on the line before"
        )
        return _Reading(None, (*builder.problems, (line, column, sentence)))
    except (YAMLError, ValueError, OverflowError) as error:
        # An escape for a character that does not exist (``"\UFFFFFFFF"``) comes without a position.
        sentence = f"not YAML ({error}): look for an escape in double quotes after here"
        return _Reading(None, (*builder.problems, (*builder.position, sentence)))
    if builder.root is None:
        return _Reading(
            None, ((1, 1, "the document is empty: write version: 1 and what follows from there"),)
        )
    return _Reading(builder.root, tuple(builder.problems))


def _find_long_lines(body: str) -> Iterator[_Located]:
    for number, line in enumerate(body.split("\n"), start=1):
        if len(line) > _LONGEST_LINE:
            yield number, _LONGEST_LINE, f"a line of {len(line):,} characters: break it"


def _find_unreadable(body: str) -> Iterator[_Located]:
    """Report the first unreadable character of each line."""
    number, cursor, reported = 1, 0, 0
    for match in UNREADABLE.finditer(body):
        number += body.count("\n", cursor, match.start())
        cursor = match.start()
        if number > reported:
            reported = number
            column = cursor - body.rfind("\n", 0, cursor)
            code = ord(match[0])
            what = (
                "a tab: write spaces"
                if match[0] == "\t"
                else f"an unreadable character (U+{code:04X}): remove it"
            )
            yield number, column, what
