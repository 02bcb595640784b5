"""Leaf types of both documents, constrained once.

Everything that names a thing on GitHub is normalised here (case, whitespace), so that equality further in
is honest. Nothing in this module knows a document, GitHub's API or a clock.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema


class Frozen(BaseModel):
    """A value: immutable, compared by content, and closed to keys that it does not name."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        # The sentence under a field is what an editor shows on hover: it goes into the JSON Schema.
        use_attribute_docstrings=True,
    )


UNREADABLE = re.compile(
    # Control characters, line ends that only some programs see as such, and marks that reorder what a reviewer reads;
    # and what stands for bytes that were no characters.
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffd-\uffff]|\r(?!\n)"
    # What shows nothing, so that two names look like one.
    "|[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\u2800\u3164\uffa0"
    "\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # What shapes the character before it: an emoji or a letter of some scripts, and nothing of ASCII but keycaps.
    "|(?<=[\n -~])[\u200c\u200d\ufe00-\ufe0f](?!\u20e3)"
)
"""What a reviewed text may not hold: who reads it would take it for another."""

ZERO_SHA = "0" * 40
"""Git's name for a ref that does not exist."""

SHA = re.compile(r"[0-9a-f]{40}")
ABBREVIATED_SHA = re.compile(r"[0-9a-f]{4,40}")
# Owners of enterprise-managed accounts carry an underscore.
_REPOSITORY = re.compile(r"[a-z0-9][a-z0-9_-]{0,38}/(?!\.{1,2}$)[a-z0-9._-]{1,100}")
# What `git check-ref-format --branch` refuses, and the spaces that it takes.
_BAD_BRANCH = re.compile(
    r"[\x00-\x20\s\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.lock(?:/|$)|^[-/]|[/.]$|^(?:@|HEAD)$|^refs/"
)
_LONGEST_BRANCH = 255
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_DURATION = timedelta(days=366)


def _sha(text: str) -> str:
    lowered = text.lower()
    if SHA.fullmatch(lowered):
        return lowered
    if ABBREVIATED_SHA.fullmatch(lowered):
        raise ValueError(f"{text!r} is an abbreviated sha: write all 40 hex digits")
    raise ValueError(f"{text[:60]!r} is not a commit: write a full sha of 40 hex digits")


def _repository(text: str) -> str:
    lowered = text.lower()
    # Lowering folds some letters that are not ASCII into ASCII: the Kelvin sign is no k.
    if not text.isascii() or not _REPOSITORY.fullmatch(lowered):
        raise ValueError(f"{text[:150]!r} is not a repository: write owner/name")
    return lowered


def _branch(text: str) -> str:
    if not text or len(text) > _LONGEST_BRANCH or _BAD_BRANCH.search(text) or UNREADABLE.search(text):
        raise ValueError(f"{text[:60]!r} is not a branch name: write it as after refs/heads/")
    return text


def parse_duration(text: str) -> timedelta:
    """Read ``90s``, ``60m``, ``24h`` or ``7d``.

    Raises:
        ValueError: It is none of these, or longer than a year (and would run off the calendar).
    """
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text[:60]!r} is not a duration: write a number and a unit, as in 90s, 60m, 24h, 7d"
        )
    duration = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if duration > _LONGEST_DURATION:
        raise ValueError(f"{text!r} is longer than a year: write at most {_LONGEST_DURATION.days}d")
    return duration


def dump_duration(duration: timedelta) -> str:
    """Write a duration in the largest unit that divides it."""
    seconds = int(duration.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{'h' if seconds == 0 else unit}"


def _duration(value: Any) -> Any:  # noqa: ANN401 (a pydantic validator sees what the document holds)
    return parse_duration(value) if isinstance(value, str) else value


Sha = Annotated[str, AfterValidator(_sha), WithJsonSchema({"type": "string", "pattern": "^[0-9a-fA-F]{40}$"})]
"""A full commit id: 40 hex digits, in lower case."""

RepositoryName = Annotated[
    str,
    AfterValidator(_repository),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$"}),
]
"""``owner/name`` in lower case, since GitHub compares names so; how it is spelt is observed."""

BranchName = Annotated[str, AfterValidator(_branch), WithJsonSchema({"type": "string", "minLength": 1})]
"""A branch without ``refs/heads/``, valid by git's own rules."""

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(dump_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$", "examples": ["60m", "24h", "7d"]}),
]
"""A length of time with one unit, at most a year: ``90s``, ``60m``, ``24h``, ``7d``."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""A name that somebody else gave, without the spaces around it."""

Version = Annotated[
    Literal[1],
    # A document's scalars arrive as text.
    BeforeValidator(lambda value: 1 if value == "1" else value),
]
"""The version of a document's format."""


class _Leniency:
    """An annotation that accepts a second way to write a value, in the model and in its JSON Schema alike."""

    def __init__(
        self, read: Callable[[Any], Any], also: Callable[[dict[str, Any]], list[dict[str, Any]]]
    ) -> None:
        self._read = read
        self._also = also

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        canonical = handler(schema)
        return {"anyOf": [canonical, *self._also(canonical)]}


def _one_or_many(value: Any) -> Any:  # noqa: ANN401 (a pydantic validator sees what the document holds)
    if value is None:
        return ()
    return (value,) if isinstance(value, str | Mapping) else value


OneOrMany = _Leniency(_one_or_many, lambda many: [many["items"], {"type": "null"}])
"""Lets a list of one be written without the brackets, and an empty one as nothing."""

NullIsEmpty = _Leniency(lambda value: {} if value is None else value, lambda _: [{"type": "null"}])
"""Lets a section's name stand with nothing under it."""


def abbreviate(sha: str) -> str:
    """Shorten a sha to the seven digits that GitHub shows."""
    return sha[:7]
