"""``release-state.yaml``, the desired state: what should be out.

Knows what the document may say, not how things may move (``policy``) nor where they are (``reconcile``).
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from state.ids import ZERO_SHA, BranchName, Frozen, NullIsEmpty, OneOrMany, RepositoryName, Sha, Version

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
"""Why a person decided so; it is shown to everyone whom the decision stops."""


_LOCAL = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_OFFSET = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}")


def _parse_iso(text: str, remedy: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} does not exist ({error}): {remedy}") from error


def parse_local_time(text: str) -> datetime:
    """Read a date with a time of day, such as ``2026-12-19T00:00``, as a local time without a zone.

    Raises:
        ValueError: It is none, or there is no such day or time.
    """
    remedy = "write a date and a time, as in 2026-12-19T00:00"
    if not _LOCAL.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a local time: {remedy}")
    return _parse_iso(text, remedy)


def locate_in_zone(local: datetime, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """Say which moment a local time is. Where clocks go back it comes twice: the earlier one unless ``later``.

    Raises:
        ValueError: Clocks go forward over it, so it never comes.
    """
    moment = local.replace(tzinfo=zone, fold=int(later))
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local.replace(fold=0):
        raise ValueError(
            f"there is no {local:%H:%M} in {zone.key} on {local:%Y-%m-%d}, clocks go forward over it: "
            "write a time before or after"
        )
    return moment


def parse_moment(text: str) -> datetime:
    remedy = "write a local time and a zone, as in 2026-12-01T08:00 Europe/Prague"
    local = _LOCAL.match(text)
    if not local:
        raise ValueError(f"{text[:60]!r} is not a moment: {remedy}")
    offset = _OFFSET.match(text, local.end())
    zone = text[(offset or local).end() :].strip()
    if offset and zone:
        raise ValueError(f"{text[:60]!r} has an offset and a zone: keep one of them")
    if not offset and not zone:
        raise ValueError(f"{text[:60]!r} has no zone: {remedy}")
    if offset:
        return _parse_iso(text, remedy)
    return locate_in_zone(_parse_iso(local[0], remedy), load_zone(zone))


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


def dump_moment(moment: datetime) -> str:
    precision = "seconds" if moment.second else "minutes"
    # A zone's name cannot say which of two equal local times is meant; the offset can.
    if isinstance(moment.tzinfo, ZoneInfo) and moment.utcoffset() == moment.replace(fold=0).utcoffset():
        return f"{moment.replace(tzinfo=None).isoformat(timespec=precision)} {moment.tzinfo.key}"
    return moment.isoformat(timespec=precision)


Moment = Annotated[
    datetime,
    BeforeValidator(lambda value: parse_moment(value) if isinstance(value, str) else value),
    PlainSerializer(dump_moment, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-01T08:00 Europe/Prague"]}),
]
"""A moment that a person wrote: local time and zone, or a time with an offset."""


def _refuse_zeros(sha: str) -> str:
    if sha == ZERO_SHA:
        raise ValueError("forty zeros name no commit, and nothing is ever deleted: write the sha of a commit")
    return sha


Target = Annotated[Sha, AfterValidator(_refuse_zeros)]
"""A commit to go to, and so never git's name for none."""


class Hold(Frozen):
    """Leave a repository alone."""

    reason: Reason
    """Why, for everyone who wonders why it does not move."""
    until: Moment | None = None
    """When a proposal offers to lift the hold. It never moves anything by running out."""


class Block(Frozen):
    """A commit that must not go out again, with everything built on it."""

    reason: Reason
    """What is wrong with it."""
    fixed_by: Target | None = None
    """A commit that contains the fix: what is built on it may go out again."""


Blocks = Annotated[dict[Sha, Block], Field(min_length=1)]
"""The blocked commits of one repository."""

GateCode = Literal["frozen", "outside-window", "soaking"]
Overridable = Literal["frozen", "outside-window", "soaking", "not-ready-in-time", "limit-exceeded"]
"""Reason codes that a reviewed exception may override; every other one has to be put right itself."""


class Permit(Frozen):
    """One reviewed exception: this repository may move from exactly here to exactly there, once."""

    from_: Sha = Field(alias="from")
    """Where the ref must stand now; forty zeros where there must be none."""
    to: Target
    """Where it may go: the repository's target in this file."""
    reason: Reason
    """Why, for those who review it."""
    despite: Annotated[tuple[Overridable, ...], OneOrMany] = ()
    """What this exception overrides, by reason code."""
    until: Moment | None = None
    """When it ceases to count, used or not."""


PermitKind = Literal["rewind", "force", "move"]


class Permits(Frozen):
    """The exceptions of one repository, named by what they allow."""

    rewind: Permit | None = None
    """The target is an ancestor of what is out."""
    force: Permit | None = None
    """The target and what is out have diverged."""
    move: Permit | None = None
    """Nothing is taken back, and still a person must agree: after a move by hand, or despite a gate."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.rewind is self.force is self.move is None:
            raise ValueError("a permit is empty: name rewind, force or move under it, or remove it")
        return self

    def named(self) -> tuple[tuple[PermitKind, Permit], ...]:
        """List the exceptions that there are, each with what it allows."""
        every: tuple[tuple[PermitKind, Permit | None], ...] = (
            ("rewind", self.rewind),
            ("force", self.force),
            ("move", self.move),
        )
        return tuple((kind, permit) for kind, permit in every if permit)


class DesiredState(Frozen):
    """The document. Repositories are one by name here; that two names mean one is observed later."""

    version: Version
    """The version of this format: 1."""
    ref: BranchName
    """The branch that this file governs, in every repository."""
    targets: Annotated[dict[RepositoryName, Target], NullIsEmpty]
    """Where the branch should be: one line a repository, `owner/name: full sha`."""
    holds: Annotated[dict[RepositoryName, Hold], NullIsEmpty] = {}
    """Repositories to leave alone."""
    blocks: Annotated[dict[RepositoryName, Blocks], NullIsEmpty] = {}
    """Commits that must not go out again, with everything built on them."""
    permits: Annotated[dict[RepositoryName, Permits], NullIsEmpty] = {}
    """Reviewed, one-time exceptions; each names exactly what it allows."""
