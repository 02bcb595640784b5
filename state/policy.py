"""``release-policy.yaml``: how things may move. Changes rarely, and has stricter owners.

An option stands here only when something obeys it: readiness, rebuilds and further sources of evidence join
together with the code that acts on them.
"""

from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from state.document import load_zone
from state.ids import BranchName, Duration, Frozen, OneOrMany, RepositoryName

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def _parse_days(text: object) -> object:
    """Read ``Mon-Thu``, ``Sat,Sun`` or a list; a range may run over the week's end."""
    if not isinstance(text, str):
        return text
    days: list[str] = []
    for part in text.split(","):
        first, _, last = (piece.strip().title() for piece in part.partition("-"))
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError(f"{text[:60]!r} is not a list of days: write Mon-Thu or Mon, Wed, Fri")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days += [WEEKDAYS[day % 7] for day in range(start, end + 1 if end >= start else end + 8)]
    return tuple(dict.fromkeys(days))


def _parse_clock(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        clock = time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a time of day: write 08:00") from error
    if clock.tzinfo is not None:
        raise ValueError(f"{text[:60]!r} carries an offset: write the local time, and the zone under zone")
    return clock


def _parse_local(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a local time: write 2026-12-19T00:00") from error
    if local.tzinfo is not None:
        raise ValueError(f"{text[:60]!r} carries an offset: write the local time, and the zone under zone")
    return local


Days = Annotated[
    tuple[Weekday, ...],
    BeforeValidator(_parse_days),
    WithJsonSchema({"type": "string", "examples": ["Mon-Thu", "Mon, Wed, Fri"]}),
]
Clock = Annotated[
    time,
    BeforeValidator(_parse_clock),
    WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}),
]
LocalTime = Annotated[
    datetime,
    BeforeValidator(_parse_local),
    WithJsonSchema({"type": "string", "examples": ["2026-12-19T00:00"]}),
]
Zone = Annotated[
    ZoneInfo,
    BeforeValidator(lambda value: load_zone(value) if isinstance(value, str) else value),
    PlainSerializer(lambda zone: zone.key, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["Europe/Prague", "UTC"]}),
]


class RepositoryPolicy(Frozen):
    """What holds for one repository."""

    after: Annotated[tuple[RepositoryName, ...], OneOrMany] = ()
    """Repositories whose moves come first."""


class CheckRuns(Frozen):
    """Check runs that an app posted on the newest commits of pull requests in a validation repository."""

    repository: RepositoryName
    app: Text
    """The app's id, slug or name: apps of stage and production post under the same check names."""
    pull_requests: Text
    """A pattern (``*`` and ``?``) over the titles of open pull requests."""
    authors: Annotated[tuple[Text, ...], OneOrMany, Field(min_length=1)]
    """Who must have opened them: anyone can open a pull request with the right title."""
    names: Annotated[tuple[Text, ...], OneOrMany] = ("*",)
    """Patterns over check names; runs of other names do not count."""
    max_age: Duration = timedelta(hours=24)
    """Runs that started longer ago are no evidence; the evidence expires when its oldest run reaches it."""
    at_least: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many pull requests must carry a pass; fewer is no evidence."""


class Source(Frozen):
    """One entry of ``validation``: the name of a source and what it needs."""

    check_runs: CheckRuns


class Approval(Frozen):
    """What makes a commit of the release-state repository count as decided."""

    pull_request: Literal["required", "optional"] = "required"
    reviews: Annotated[int, Field(ge=0, le=10)] = 0
    """Approving reviews of the final head by people with write access who had no part in it."""


class Moves(Frozen):
    """Which moves need no permit besides fast-forward, and from where."""

    create: Literal["allow", "refuse"] = "allow"
    allowed_branches: Annotated[tuple[BranchName, ...], OneOrMany, Field(min_length=1)] = ("main",)


class Window(Frozen):
    """Moves start only inside a window. ``until`` at or before ``from`` runs over midnight."""

    days: Days
    from_: Clock = Field(alias="from")
    until: Clock
    zone: Zone


class Freeze(Frozen):
    """Nothing moves from ``from`` until ``until``."""

    name: Text
    from_: LocalTime = Field(alias="from")
    until: LocalTime
    zone: Zone

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.until <= self.from_:
            raise ValueError("the freeze ends before it starts: swap from and until")
        return self


class Limits(Frozen):
    """More than this at once is held."""

    repositories: Annotated[int, Field(ge=1)] | None = None
    commits_per_repository: Annotated[int, Field(ge=1)] | None = None


class Policy(Frozen):
    """The document."""

    version: Literal[1]
    source: BranchName = "main"
    """The branch that stage is built from."""
    candidate: Literal["validated", "head"] = "validated"
    build_time: Duration = timedelta(minutes=60)
    """A commit merged later than this before validation began cannot have been on stage."""
    repositories: dict[RepositoryName, RepositoryPolicy]
    validation: Annotated[tuple[Source, ...], OneOrMany] = ()
    approval: Approval = Approval()
    moves: Moves = Moves()
    windows: Annotated[tuple[Window, ...], OneOrMany] = ()
    freezes: Annotated[tuple[Freeze, ...], OneOrMany] = ()
    limits: Limits = Limits()
    soak: Duration = timedelta(0)
    """How long a target must have been on its branch before it moves."""
