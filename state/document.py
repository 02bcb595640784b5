"""``release-state.yaml``, the desired state: what should be out.

Knows what the document may say, not how things may move (``policy``) nor where they are (``reconcile``).
"""

from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from state.ids import BranchName, Frozen, RepositoryName, Sha

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
"""Why a person decided so; it is shown to everyone whom the decision stops."""


def _parse_moment(text: str) -> datetime:
    local, _, zone = text.strip().partition(" ")
    remedy = "write a local time and a zone, as in 2026-12-01T08:00 Europe/Prague"
    try:
        moment = datetime.fromisoformat(local)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a moment: {remedy}") from error
    if moment.tzinfo is not None:
        if zone:
            raise ValueError(f"{text[:60]!r} has an offset and a zone: keep one of them")
        return moment
    if not zone:
        raise ValueError(f"{text[:60]!r} has no zone: {remedy}")
    return moment.replace(tzinfo=load_zone(zone))


def load_zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name.

    Raises:
        ValueError: There is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"{name[:60]!r} is not a time zone: write a name as in Europe/Prague or UTC"
        ) from error


def _dump_moment(moment: datetime) -> str:
    if isinstance(moment.tzinfo, ZoneInfo):
        return f"{moment.replace(tzinfo=None).isoformat(timespec='minutes')} {moment.tzinfo.key}"
    return moment.isoformat(timespec="minutes")


Moment = Annotated[
    datetime,
    BeforeValidator(lambda value: _parse_moment(value) if isinstance(value, str) else value),
    PlainSerializer(_dump_moment, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-01T08:00 Europe/Prague"]}),
]
"""A moment that a person wrote: local time and zone, or a time with an offset."""


class Hold(Frozen):
    """Leave a repository alone. ``until`` is when a proposal offers to lift it; running out moves nothing."""

    reason: Reason
    until: Moment | None = None


class Block(Frozen):
    """A commit that must not go out again, with everything built on it that lacks ``fixed_by``."""

    reason: Reason
    fixed_by: Sha | None = None


GateCode = Literal["frozen", "outside-window", "soaking"]


class Permit(Frozen):
    """One reviewed exception: this repository may move from exactly here to exactly there, once."""

    from_: Sha = Field(alias="from")
    to: Sha
    reason: Reason
    despite: tuple[GateCode, ...] = ()


class Permits(Frozen):
    """The exceptions of one repository, named by what they allow."""

    rewind: Permit | None = None
    """The target is an ancestor of what is out."""
    force: Permit | None = None
    """The target and what is out have diverged."""
    restore: Permit | None = None
    """Put back what somebody moved by hand, where no force is needed for it."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.rewind is self.force is self.restore is None:
            raise ValueError("a permit is empty: name rewind, force or restore under it, or remove it")
        return self


class DesiredState(Frozen):
    """The document. Repositories are one by name here; that two names mean one is observed later."""

    version: Literal[1]
    ref: BranchName
    targets: dict[RepositoryName, Sha]
    holds: dict[RepositoryName, Hold] = {}
    blocks: dict[RepositoryName, dict[Sha, Block]] = {}
    permits: dict[RepositoryName, Permits] = {}
