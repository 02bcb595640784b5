"""Where a value stands in a JSON answer: ``$.ogr.commit``, ``$.pods[0].image``, ``$['a.b']``.

Names and positions, and nothing else of JSONPath: what a policy asks of a health page needs no wildcards, filters or
a library for them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, JsonValue, WithJsonSchema

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,4})\]|\['([^']+)'\]")

Steps: TypeAlias = tuple[str | int, ...]


def parse_json_path(text: str) -> Steps:
    """Read a path as keys and positions, from the root.

    Raises:
        ValueError: It is none.
    """
    steps: list[str | int] = []
    position = 1
    while text.startswith("$") and (step := _STEP.match(text, position)):
        name, index, quoted = step.groups()
        steps.append(int(index) if index else name or quoted)
        position = step.end()
    if position != len(text) or not text.startswith("$"):
        raise ValueError(f"{text[:60]!r} is not a path: write $.key.key, $.list[0] or $['a key']")
    return tuple(steps)


def find_value(document: JsonValue, path: str) -> JsonValue:
    """Look a value up.

    Raises:
        LookupError: There is nothing at this path.
    """
    found = document
    for step in parse_json_path(path):
        match found, step:
            case Mapping(), str():
                found = found[step]
            case Sequence(), int() if not isinstance(found, str):
                found = found[step]
            case _:
                raise LookupError(path)
    return found


def _json_path(text: str) -> str:
    parse_json_path(text)
    return text


JsonPath = Annotated[
    str,
    AfterValidator(_json_path),
    WithJsonSchema({"type": "string", "pattern": r"^\$", "examples": ["$.ogr.commit"]}),
]
"""A path into a JSON document."""
