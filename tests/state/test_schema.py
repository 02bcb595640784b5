"""The JSON Schemas that editors use."""

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no stubs of its own

from state.document import DesiredState
from state.policy import Policy
from state.schema import SchemaKind, dump_schema, schema_path

SHA = "d35040ffe9045b614ee3f1ce558f6e4714197596"
WINDOW = {"days": "Mon-Thu", "from": "08:00", "until": "16:00", "zone": "UTC"}
STATE: dict[str, Any] = {"version": 1, "ref": "stable", "targets": {"packit/ogr": SHA}}
POLICY: dict[str, Any] = {"version": 1, "repositories": {"packit/ogr": {}}}


@pytest.mark.parametrize("kind", get_args(SchemaKind))
def test_fresh(kind: SchemaKind) -> None:
    """The committed schema is what the models say; ``make schema`` writes it anew."""
    assert dump_schema(kind) == schema_path(kind).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", get_args(SchemaKind))
def test_valid(kind: SchemaKind) -> None:
    """The schema is one, and describes every key of the document for the person who points at it."""
    schema = json.loads(dump_schema(kind))
    objects = [schema, *schema["$defs"].values()]

    Draft202012Validator.check_schema(schema)
    assert [] == [
        name for each in objects for name, key in each["properties"].items() if "description" not in key
    ]


@pytest.mark.parametrize(
    ("is_good", "kind", "document"),
    [
        (True, "release-state", STATE),
        (True, "release-state", {**STATE, "targets": None, "holds": {}}),
        (True, "release-state", {**STATE, "targets": {"Packit/OGR": SHA.upper()}}),
        (
            True,
            "release-state",
            {**STATE, "blocks": {"packit/ogr": {SHA: {"reason": "broken", "fixed_by": None}}}},
        ),
        (False, "release-state", {**STATE, "ref": None}),
        (False, "release-state", {**STATE, "target": {}}),
        (False, "release-state", {**STATE, "targets": {"packit/ogr": SHA[:7]}}),
        (False, "release-state", {**STATE, "targets": {"ogr": SHA}}),
        (False, "release-state", {**STATE, "holds": {"packit/ogr": {}}}),
        (False, "release-state", {**STATE, "blocks": {"packit/ogr": {}}}),
        (False, "release-state", {**STATE, "version": 2}),
        (True, "release-policy", POLICY),
        (True, "release-policy", {**POLICY, "repositories": {"packit/ogr": None}, "windows": None}),
        (True, "release-policy", {**POLICY, "repositories": {"packit/packit": {"after": "packit/ogr"}}}),
        (True, "release-policy", {**POLICY, "windows": [WINDOW, {**WINDOW, "days": ["Fri"]}]}),
        (True, "release-policy", {**POLICY, "windows": WINDOW, "soak": "4h"}),
        (False, "release-policy", {**POLICY, "windows": {**WINDOW, "until": "24:00"}}),
        (False, "release-policy", {**POLICY, "windows": {**WINDOW, "days": []}}),
        (False, "release-policy", {**POLICY, "soak": "4 hours"}),
        (False, "release-policy", {**POLICY, "moves": {"allowed_branches": []}}),
        (False, "release-policy", {**POLICY, "candidate": "heads"}),
        (True, "release-policy", {**POLICY, "validation": [{"own_checks": None}, {"jenkins": {"job": "x"}}]}),
        (True, "release-policy", {**POLICY, "validation": {"jenkins": None}}),
        (False, "release-policy", {**POLICY, "validation": [{}]}),
        (False, "release-policy", {**POLICY, "validation": [{"own_checks": None, "jenkins": None}]}),
        (False, "release-policy", {**POLICY, "validation": {"jenkins": "x"}}),
        (False, "release-policy", {**POLICY, "validation": {"sentry": {"organization": "a/b"}}}),
    ],
)
def test_schema_and_model_agree(is_good: bool, kind: SchemaKind, document: dict[str, Any]) -> None:  # noqa: FBT001
    """An editor accepts what the parser accepts, and marks what it refuses."""
    model = DesiredState if kind == "release-state" else Policy
    schema = Draft202012Validator(json.loads(dump_schema(kind)))

    assert is_good == schema.is_valid(document)
    if is_good:
        model.model_validate(document)
    else:
        with pytest.raises(ValueError, match="validation error"):
            model.model_validate(document)


def test_defaults_are_written_as_people_write_them() -> None:
    """A default is shown as it would stand in the document."""
    schema = json.loads(dump_schema("release-policy"))

    assert "1h" == schema["properties"]["build_time"]["default"]
    assert {"pull_request": "required", "reviews": 0} == schema["properties"]["approval"]["default"]
