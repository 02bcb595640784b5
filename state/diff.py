"""What one release state says differently from another. Document against document: refs are not looked at."""

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

from state.document import Block, DesiredState, Hold, Permit
from state.ids import BranchName, Frozen, RepositoryName, Sha

_T = TypeVar("_T")


class Change(Frozen, Generic[_T]):
    """One value that was added, removed or replaced."""

    path: tuple[str, ...]
    """Where it stands in the document, as for ``yaml_io.locate``."""
    before: _T | None
    after: _T | None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """What has become of it."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def repository(self) -> RepositoryName | None:
        """Whose it is; none for what concerns all."""
        return self.path[1] if len(self.path) > 1 else None


class Diff(Frozen):
    """Every change, ordered by repository."""

    ref: Change[BranchName] | None
    targets: tuple[Change[Sha], ...]
    holds: tuple[Change[Hold], ...]
    blocks: tuple[Change[Block], ...]
    """Their paths end with the blocked sha."""
    permits: tuple[Change[Permit], ...]
    """Their paths end with what is permitted: ``rewind``, ``force`` or ``move``."""

    @property
    def is_empty(self) -> bool:
        """Whether both say the same, however it is written."""
        return not (self.ref or self.targets or self.holds or self.blocks or self.permits)


def flatten(desired: DesiredState) -> dict[tuple[str, ...], object]:
    """List every value by where it stands, as `Change.path` tells it: what people decide about one by one."""
    return {
        ("ref",): desired.ref,
        **_flatten_targets(desired),
        **_flatten_holds(desired),
        **_flatten_blocks(desired),
        **_flatten_permits(desired),
    }


def diff(before: DesiredState, after: DesiredState) -> Diff:
    """List what changes from one document to the other."""
    return Diff(
        ref=None if before.ref == after.ref else Change(path=("ref",), before=before.ref, after=after.ref),
        targets=_compare(_flatten_targets(before), _flatten_targets(after)),
        holds=_compare(_flatten_holds(before), _flatten_holds(after)),
        blocks=_compare(_flatten_blocks(before), _flatten_blocks(after)),
        permits=_compare(_flatten_permits(before), _flatten_permits(after)),
    )


def _flatten_targets(desired: DesiredState) -> dict[tuple[str, ...], Sha]:
    return {("targets", name): sha for name, sha in desired.targets.items()}


def _flatten_holds(desired: DesiredState) -> dict[tuple[str, ...], Hold]:
    return {("holds", name): hold for name, hold in desired.holds.items()}


def _flatten_blocks(desired: DesiredState) -> dict[tuple[str, ...], Block]:
    return {
        ("blocks", name, sha): block
        for name, blocks in desired.blocks.items()
        for sha, block in blocks.items()
    }


def _flatten_permits(desired: DesiredState) -> dict[tuple[str, ...], Permit]:
    return {
        ("permits", name, kind): permit
        for name, permits in desired.permits.items()
        for kind, permit in permits.named()
    }


def _compare(
    before: Mapping[tuple[str, ...], _T], after: Mapping[tuple[str, ...], _T]
) -> tuple[Change[_T], ...]:
    return tuple(
        Change[_T](path=path, before=before.get(path), after=after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )
