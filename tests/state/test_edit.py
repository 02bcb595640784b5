"""Edits of the release state as people lay it out. Each pair in ``golden`` is a text before and after one edit."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from state.document import Block, DesiredState, Hold, Permit, Permits
from state.errors import DocumentError, EditError
from state.yaml_io import edit_desired, edit_targets, parse_desired

GOLDEN = Path(__file__).parent / "golden"
NEW = "1f2e3d4c5b6a79880123456789abcdef01234567"
OTHER = "8c5e02df3b2b208186c6cebb2412d3fc5f26dee7"
BLOCKED = "7c5e02df3b2b208186c6cebb2412d3fc5f26dee7"

MINIMAL = "version: 1\nref: stable\ntargets:\n  packit/ogr: d35040ffe9045b614ee3f1ce558f6e4714197596\n"


def without(mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def permit(**values: Any) -> Permit:
    return Permit.model_validate({"from": OTHER, "to": NEW, "reason": "rolled back in a hurry", **values})


def _sets_and_adds(desired: DesiredState) -> dict[str, Any]:
    changed = dict.fromkeys(("packit/ogr", "packit/packit", "packit/packit-service", "packit/zuul"), NEW)
    return {"targets": {**desired.targets, **changed}}


def _fills_sections(_: DesiredState) -> dict[str, Any]:
    return {
        "targets": {"packit/ogr": NEW},
        "holds": {"packit/ogr": Hold(reason="null", until=datetime(2026, 12, 1, 8, tzinfo=ZoneInfo("UTC")))},
        "blocks": {"packit/ogr": {BLOCKED: Block(reason="broke: everything # really", fixed_by=NEW)}},
        "permits": {"packit/ogr": Permits(force=permit(despite=("frozen", "soaking")))},
    }


def _changes_exceptions(desired: DesiredState) -> dict[str, Any]:
    rewind = desired.permits["packit/packit-service"].rewind
    assert rewind is not None
    return {
        "holds": {"packit/packit": Hold(reason="It is simple.")},
        "blocks": {
            "packit/packit": {
                BLOCKED: Block(reason="it's broken", fixed_by=NEW),
                OTHER: Block(reason="broken too"),
            },
            "packit/packit-service": {BLOCKED: Block(reason="broken")},
        },
        "permits": {
            "packit/packit-service": Permits(
                rewind=rewind.model_copy(update={"despite": ("outside-window", "frozen")}),
                force=permit(),
            )
        },
    }


EDITS: dict[str, Callable[[DesiredState], dict[str, Any]]] = {
    "comments": _sets_and_adds,
    "neighbours": lambda desired: {"targets": without(desired.targets, "packit/ogr", "packit/specfile")},
    "first-hold": lambda _: {"holds": {"packit/ogr": Hold(reason="waits for the release")}},
    "empty-sections": _fills_sections,
    "lift-holds": lambda desired: {
        "holds": {},
        "blocks": {"packit/ogr": without(desired.blocks["packit/ogr"], BLOCKED)},
    },
    "exceptions": _changes_exceptions,
    "flow": lambda desired: {
        "targets": {**without(desired.targets, "packit/packit", "packit/specfile"), "packit/tokman": NEW},
        "holds": {"packit/ogr": Hold(reason="waits for the release")},
        "blocks": {"packit/ogr": {BLOCKED: Block(reason="broken")}},
    },
    "json": lambda desired: {
        "targets": {**without(desired.targets, "packit/ogr", "packit/specfile"), "packit/tokman": NEW}
    },
    "flow-comments": lambda desired: {
        "targets": {**without(desired.targets, "packit/packit", "packit/tokman"), "packit/specfile": NEW}
    },
}
LAYOUTS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "no final newline": lambda text: text.removesuffix("\n"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", EDITS)
def test_golden(name: str, layout: str) -> None:
    """An edit gives the golden text, in whatever layout of lines and marks the text came."""
    lay_out = LAYOUTS[layout]
    before, after = (
        lay_out((GOLDEN / f"{name}.{side}.yaml").read_text(encoding="utf-8")) for side in ("before", "after")
    )
    desired = parse_desired(before)

    wished = desired.model_copy(update=EDITS[name](desired))

    assert after == edit_desired(before, wished)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", EDITS)
def test_saying_the_same_keeps_the_bytes(name: str, layout: str) -> None:
    """An edit that changes nothing returns the text as it is."""
    before = LAYOUTS[layout]((GOLDEN / f"{name}.before.yaml").read_text(encoding="utf-8"))

    assert before == edit_desired(before, parse_desired(before))


def test_same_sha_in_other_case() -> None:
    """A sha in capitals says the same, and stays."""
    text = MINIMAL.replace("d35040ffe9045b", "D35040FFE9045B")

    assert text == edit_targets(text, {"packit/ogr": "d35040ffe9045b614ee3f1ce558f6e4714197596"})


def test_unreadable_text_is_not_edited() -> None:
    """What cannot be parsed is refused before anything is cut."""
    with pytest.raises(DocumentError):
        edit_targets("targets: [", {"packit/ogr": NEW})


def test_an_edit_that_comes_out_wrong_is_refused() -> None:
    """A layout that nobody thought of is left to people; the text is not broken over it."""
    text = "{version: 1, ref: stable, targets}\n"

    with pytest.raises(EditError, match="edit it by hand"):
        edit_targets(text, {"packit/ogr": NEW})


def test_a_wish_that_is_no_document_is_refused() -> None:
    """What the models would refuse does not get into the text either."""
    with pytest.raises(EditError, match=r"would have broken it .*: 'main' is not a commit"):
        edit_targets(MINIMAL, {"packit/ogr": "main"})
