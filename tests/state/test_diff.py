"""What one release state says differently from another."""

from state.diff import Change, diff
from state.document import Block, Hold, Permits
from state.yaml_io import locate, parse_desired
from tests.state.examples import STATE

NEW = "1f2e3d4c5b6a79880123456789abcdef01234567"
BEFORE = parse_desired(STATE)


def test_nothing() -> None:
    """However it is written, what says the same is no difference."""
    again = parse_desired(STATE.replace("packit/ogr", "Packit/OGR").replace("stable   ", "'stable'"))

    assert diff(BEFORE, again).is_empty


def test_targets() -> None:
    """Changed, removed and added targets, ordered by repository."""
    after = BEFORE.model_copy(update={"targets": {"packit/zuul": NEW, "packit/ogr": NEW}})

    found = diff(BEFORE, after)

    assert [
        ("changed", "packit/ogr", "d35040ffe9045b614ee3f1ce558f6e4714197596", NEW),
        ("removed", "packit/packit", "30936cda789b85c947824f807d81c85f1ca164f4", None),
        ("added", "packit/zuul", None, NEW),
    ] == [(change.kind, change.repository, change.before, change.after) for change in found.targets]
    assert (found.ref, found.holds, found.blocks, found.permits) == (None, (), (), ())
    assert not found.is_empty


def test_everything_else() -> None:
    """Holds, blocks and permits are compared one by one, and their paths can be located."""
    permits = BEFORE.permits["packit/packit-service"]
    hold = Hold(reason="waits")
    block = Block(reason="broken")
    after = BEFORE.model_copy(
        update={
            "ref": "prod",
            "holds": {"packit/dashboard": hold},
            "blocks": {"packit/packit": {**BEFORE.blocks["packit/packit"], NEW: block}},
            "permits": {"packit/packit-service": Permits(force=permits.rewind)},
        }
    )

    found = diff(BEFORE, after)

    assert Change[str](path=("ref",), before="stable", after="prod") == found.ref
    assert [("changed", hold)] == [(change.kind, change.after) for change in found.holds]
    assert [(("blocks", "packit/packit", NEW), block)] == [
        (change.path, change.after) for change in found.blocks
    ]
    assert ["force", "rewind"] == [change.path[-1] for change in found.permits]
    assert ["added", "removed"] == [change.kind for change in found.permits]
    assert locate(STATE, found.permits[1].path) == (17, 5)
