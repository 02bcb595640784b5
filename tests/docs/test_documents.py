"""The documents' page names every key with its default, and every example is one that may be used."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from state.document import DesiredState, PermitKind
from state.ids import RepositoryName, Sha, dump_duration, parse_duration
from state.invariants import check_policy, check_together
from state.json_path import JsonPath
from state.policy import Policy
from state.yaml_io import edit_desired, parse_desired, parse_policy
from tests.docs.pages import DOCUMENTS, README, Page, every_page

_PLACEHOLDERS = ((Sha, "SHA"), (RepositoryName, "OWNER/NAME"), (JsonPath, "PATH"))


@pytest.mark.parametrize(
    ("title", "model"), [("release-state.yaml", DesiredState), ("release-policy.yaml", Policy)]
)
def test_every_key_is_described(title: str, model: type[BaseModel]) -> None:
    tables = [table for table in DOCUMENTS.tables if table[0] == ("key", "meaning", "default")]
    table = tables[0 if title == "release-state.yaml" else 1]
    described = {
        key: _normal(default.strip("`"))
        for row, _, default in table[1:]
        for key in _spelt_out(row.strip("`"))
    }
    expected = dict(_keys(model))
    assert set(expected) == set(described)
    assert {key: default for key, default in expected.items() if default is not None} == {
        key: default for key, default in described.items() if expected[key] is not None
    }


def _spelt_out(key: str) -> tuple[str, ...]:
    return tuple(key.replace("KIND", kind) for kind in get_args(PermitKind)) if "KIND" in key else (key,)


def _normal(default: str) -> str:
    try:
        return dump_duration(parse_duration(default))
    except ValueError:
        return default


def _keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield every key that may be written, with its default as a person writes it; none for a section."""
    for name, field in model.model_fields.items():
        key = f"{path}{field.alias or name}"
        yield key, _default(field)
        yield from _below(field.annotation, key)


def _below(annotation: Any, path: str) -> Iterator[tuple[str, str | None]]:
    annotation, arguments = _bare(annotation), get_args(_bare(annotation))
    if get_origin(annotation) is dict:
        key = f"{path}.{next(name for kind, name in _PLACEHOLDERS if kind == arguments[0])}"
        yield key, None
        yield from _below(arguments[1], key)
    elif get_origin(annotation) is tuple:
        yield from _below(arguments[0], path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _keys(annotation, f"{path}.")


def _bare(annotation: Any) -> Any:
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(each for each in get_args(annotation) if each is not NoneType)
        else:
            return annotation


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return "required"
    match field.default:
        case None | () | {}:
            return "none"
        case BaseModel():
            return None
        case timedelta() as duration:
            return dump_duration(duration)
        case tuple() as several:
            return ", ".join(several)
        case default:
            return str(default)


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.path)
def test_every_example_is_in_order(page: Page) -> None:
    examples = page.blocks("yaml")
    for text in examples:
        if "\ntargets:" in text:
            desired = parse_desired(text)
            assert text == edit_desired(text, desired)
        else:
            assert () == check_policy(parse_policy(text))
    for text, other in pairwise(examples):
        if "\ntargets:" in text and "\nrepositories:" in other:
            assert () == check_together(parse_desired(text), parse_policy(other))


def test_both_pages_show_both_documents() -> None:
    for page in (README, DOCUMENTS):
        assert len(page.blocks("yaml")) == 2
