"""JSON Schemas of both documents, for editors. Generated from the models, committed, and held against them by a test.

``python -m state.schema`` writes them anew. A schema says what can be said of one value; what is beyond that (no such
time zone, a cycle) only ``yaml_io`` and ``invariants`` can tell.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from state.document import DesiredState
from state.ids import dump_duration
from state.policy import Policy

SchemaKind = Literal["release-state", "release-policy"]
SCHEMAS = Path(__file__).parent / "schemas"

_MODELS: dict[SchemaKind, type[BaseModel]] = {"release-state": DesiredState, "release-policy": Policy}


class _Generator(GenerateJsonSchema):
    def encode_default(self, dft: object) -> Any:  # noqa: ANN401 (pydantic's signature: JSON)
        """Write a default as a person would write it."""
        if isinstance(dft, timedelta):
            return dump_duration(dft)
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", by_alias=True, exclude_none=True)
        return super().encode_default(dft)


def dump_schema(kind: SchemaKind) -> str:
    """Write the JSON Schema (draft 2020-12) of a document."""
    schema = _tidy(_MODELS[kind].model_json_schema(schema_generator=_Generator))
    heading = {"$schema": GenerateJsonSchema.schema_dialect, "title": f"{kind}.yaml"}
    return json.dumps(heading | schema, indent=2, ensure_ascii=False) + "\n"


def schema_path(kind: SchemaKind) -> Path:
    """Say where the committed schema of a document is."""
    return SCHEMAS / f"{kind}.schema.json"


def store_schemas() -> None:
    """Write both schemas to where they are committed."""
    for kind in get_args(SchemaKind):
        schema_path(kind).write_text(dump_schema(kind), encoding="utf-8")


def _tidy(schema: Any) -> Any:  # noqa: ANN401 (JSON)
    """Drop titles that repeat names, and close mappings to keys that their pattern does not match."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidied = {
        key: _tidy(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))
    }
    return tidied | {"additionalProperties": False} if "patternProperties" in tidied else tidied


if __name__ == "__main__":
    store_schemas()
