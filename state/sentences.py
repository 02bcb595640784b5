"""What pydantic finds wrong, as sentences for the person who writes the document."""

import difflib
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_LONGEST_QUOTE = 60


_NEEDS_NUMBER = "{name} needs a whole number, not {found}: write digits"
_NEEDS_KEYS = "{name} needs keys{keys} under it, not {found}"
_NEEDS_LIST = "{name} needs a list, not {found}: write [one, two]"
_SENTENCES = {
    "value_error": "{error}",
    "missing": "{name} is missing: add a line {key}: …",
    "extra_forbidden": "unknown key {name}: {guess}Allowed here: {allowed}",
    "literal_error": "{name} cannot be {found}: write {expected}",
    "string_type": "{name} needs a text, not {found}: write one behind the colon, or remove the line",
    "model_type": _NEEDS_KEYS,
    "dict_type": _NEEDS_KEYS,
    "tuple_type": _NEEDS_LIST,
    "int_type": _NEEDS_NUMBER,
    "int_parsing": _NEEDS_NUMBER,
    "int_parsing_size": _NEEDS_NUMBER,
    "int_from_float": _NEEDS_NUMBER,
    "greater_than_equal": "{name} is too small: write {ge} or more",
    "less_than_equal": "{name} is too large: write {le} or less",
    "string_too_short": "{name} is too short: write {min_length} or more characters",
    "string_too_long": "{name} is too long: write {max_length} or fewer characters",
    "too_short": "{name} is empty: write at least one entry, or remove it",
}
"""By pydantic's type of error; its context fills in what it is about."""


def describe_error(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Say what is wrong and what to write instead."""
    loc = error["loc"]
    is_unknown = error["type"] == "extra_forbidden"
    allowed = _keys_at(model, loc[:-1] if is_unknown else loc) if error["type"] in _ABOUT_KEYS else ()
    key = str(loc[-1]) if loc else ""
    near = difflib.get_close_matches(key.lower(), allowed, n=1) if is_unknown else []
    return _SENTENCES.get(error["type"], "{name}: {msg}").format(
        name=_name_of(loc),
        key=key,
        found=_describe_value(error["input"]),
        keys=f" ({', '.join(allowed)})" if allowed else "",
        allowed=", ".join(allowed),
        guess=f"did you mean {_quote(near[0])}? " if near else "",
        msg=error["msg"],
        **error.get("ctx", {}),
    )


_ABOUT_KEYS = {"extra_forbidden", "model_type", "dict_type"}


def _name_of(loc: Sequence[str | int]) -> str:
    if not loc:
        return "the document"
    if isinstance(loc[-1], int):
        return f"entry {loc[-1] + 1} of {_name_of(loc[:-1])}"
    return _quote(loc[-1])


def _quote(text: str) -> str:
    return f"`{text[:_LONGEST_QUOTE]}{'…' if len(text) > _LONGEST_QUOTE else ''}`"


def _describe_value(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case str():
            return _quote(value)
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return str(value)


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """List the keys that the model allows at a path; none where names are free."""
    annotation: Any = model
    for part in path:
        annotation = _unwrap(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = next(
                field for name, field in annotation.model_fields.items() if part in (name, field.alias)
            )
            annotation = field.annotation
        else:  # dict[key, value], or tuple[item, ...]
            arguments = get_args(annotation)
            annotation = arguments[1] if get_origin(annotation) is dict else arguments[0]
    annotation = _unwrap(annotation)
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return ()
    return tuple(field.alias or name for name, field in annotation.model_fields.items())


def _unwrap(annotation: Any) -> Any:  # noqa: ANN401 (annotations have no type of their own)
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(each for each in get_args(annotation) if each is not NoneType)
        else:
            return annotation
