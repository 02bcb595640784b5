"""``release-policy.yaml``: how things may move. Changes rarely, and has stricter owners.

An option stands here only when something obeys it.
"""

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from state.document import load_zone, locate_in_zone, parse_local_time
from state.ids import (
    BranchName,
    Duration,
    Frozen,
    NullIsEmpty,
    OneOrMany,
    RepositoryName,
    Text,
    Version,
)
from state.sources import OwnChecks, Source

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


def _parse_days(text: object) -> object:
    """Read ``Mon-Thu``, ``Sat,Sun`` or a list; a range may run over the week's end."""
    if not isinstance(text, str):
        return text
    days: set[str] = set()
    for part in text.split(","):
        ends = [piece.strip().title() for piece in part.split("-")]
        if len(ends) > 2 or not all(day in WEEKDAYS for day in ends):  # noqa: PLR2004 (a range has two ends)
            raise ValueError(f"{text[:60]!r} is not a list of days: write Mon-Thu or Mon, Wed, Fri")
        start, end = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days |= {WEEKDAYS[day % 7] for day in range(start, end + 1 if end >= start else end + 8)}
    return tuple(day for day in WEEKDAYS if day in days)


def _parse_clock(text: object) -> object:
    if not isinstance(text, str):
        return text
    if text == "24:00":
        raise ValueError("'24:00' is the next day's beginning: write 00:00")
    if not _CLOCK.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a time of day: write 08:00, and the zone under zone")
    return time.fromisoformat(text)


_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")

Days = Annotated[
    tuple[Weekday, ...],
    Field(min_length=1),
    BeforeValidator(_parse_days),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["Mon-Thu", "Mon, Wed, Fri"]},
                {"type": "array", "items": {"enum": list(WEEKDAYS)}, "minItems": 1},
            ]
        }
    ),
]
"""Days of the week, Monday first: ``Mon-Thu``, ``Sat, Sun``, or a list."""

Clock = Annotated[
    time,
    BeforeValidator(_parse_clock),
    PlainSerializer(lambda clock: f"{clock:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
"""A local time of day."""

LocalTime = Annotated[
    datetime,
    BeforeValidator(lambda value: parse_local_time(value) if isinstance(value, str) else value),
    PlainSerializer(
        lambda local: local.isoformat(timespec="seconds" if local.second else "minutes"), return_type=str
    ),
    WithJsonSchema({"type": "string", "examples": ["2026-12-19T00:00"]}),
]
"""A date and a time of day, whose zone stands beside it."""

Zone = Annotated[
    ZoneInfo,
    BeforeValidator(lambda value: load_zone(value) if isinstance(value, str) else value),
    PlainSerializer(lambda zone: zone.key, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["Europe/Prague", "UTC"]}),
]
"""A time zone by its IANA name."""


class ReadyCheckRuns(Frozen):
    """Check runs on the moved commit that started after the move."""

    app: Text
    """The app's id, slug or name."""
    names: Annotated[tuple[Text, ...], OneOrMany] = ("*",)
    """Patterns (``*`` and ``?``) over check names; runs of other names do not count."""


class ReadyStatuses(Frozen):
    """Commit statuses on the moved commit that were posted after the move."""

    contexts: Annotated[tuple[Text, ...], Field(min_length=1), OneOrMany]
    """Patterns (``*`` and ``?``) over contexts."""


class Ready(Frozen):
    """What must be true of a moved repository before those after it move."""

    check_runs: ReadyCheckRuns | None = None
    """All of them succeeded, and there is one."""
    statuses: ReadyStatuses | None = None
    """All of them are a success, and there is one."""
    within: Duration = timedelta(minutes=60)
    """How long after the move it should take; later than this a person is needed."""

    @model_validator(mode="after")
    def _names_one_signal(self) -> Self:
        if (self.check_runs is None) == (self.statuses is None):
            raise ValueError("name check_runs or statuses, one of the two")
        return self


class RepositoryPolicy(Frozen):
    """What holds for one repository."""

    after: Annotated[tuple[RepositoryName, ...], OneOrMany] = ()
    """Repositories whose moves come first."""
    ready: Ready | None = None
    """When those after it may move; without it, as soon as it has moved."""
    rebuild: Text | None = None
    """The workflow to dispatch on the governed ref when something it comes after has moved, and it has not."""


class Approval(Frozen):
    """What makes a commit of the release-state repository count as decided."""

    pull_request: Literal["required", "optional"] = "required"
    """Whether a change of either document must come from a merged pull request."""
    reviews: Annotated[int, Field(ge=0, le=10)] = 0
    """Approving reviews of the final head by people with write access who had no part in it."""


class Moves(Frozen):
    """Which moves need no permit besides fast-forward, and from where."""

    create: Literal["allow", "refuse"] = "allow"
    """Whether a branch that does not exist yet may be made."""
    allowed_branches: Annotated[tuple[BranchName, ...], Field(min_length=1), OneOrMany] = ("main",)
    """A target must be on one of these branches of its own repository."""


class Window(Frozen):
    """Moves start only inside a window. ``until`` at or before ``from`` runs over midnight."""

    days: Days
    """The days on which the window opens: `Mon-Thu`, `Mon, Wed, Fri`, or a list."""
    from_: Clock = Field(alias="from")
    """When it opens, in local time."""
    until: Clock
    """When it closes, in local time; at or before `from`, on the next day."""
    zone: Zone
    """The time zone by its IANA name, as in Europe/Prague."""


class Freeze(Frozen):
    """Nothing moves from ``from`` until ``until``."""

    name: Text
    """What is going on; it is shown to everyone whom the freeze stops."""
    from_: LocalTime = Field(alias="from")
    """When it begins, in local time."""
    until: LocalTime
    """When it ends, in local time."""
    zone: Zone
    """The time zone by its IANA name, as in Europe/Prague."""

    @property
    def starts_at(self) -> datetime:
        """The moment it begins; the earlier of two where clocks go back."""
        return locate_in_zone(self.from_, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The moment it ends; the later of two where clocks go back."""
        return locate_in_zone(self.until, self.zone, later=True)

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.starts_at >= self.ends_at:
            raise ValueError("the freeze ends before it starts: swap from and until")
        return self


class Limits(Frozen):
    """More than this at once is held."""

    repositories: Annotated[int, Field(ge=1)] | None = None
    """How many repositories may move in one go."""
    commits_per_repository: Annotated[int, Field(ge=1)] | None = None
    """How many commits one repository may move by."""


def _repository_path(text: str) -> str:
    path = text.strip().rstrip("/")
    if not path or path.startswith("/") or ".." in path.split("/") or _NO_PATH.search(path):
        raise ValueError(
            f"{text[:60]!r} is not a path: write a folder or a file from the repository's root, without patterns"
        )
    return path


def _reviewer(text: str) -> str:
    if not _REVIEWER.fullmatch(text.strip()):
        raise ValueError(f"{text[:60]!r} is not a reviewer: write a login, or organization/team")
    return text.strip()


_NO_PATH = re.compile(r"[*?\\:\x00-\x1f]")
_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9._-]+)?")

RepositoryPath = Annotated[
    str,
    AfterValidator(_repository_path),
    WithJsonSchema({"type": "string", "examples": [".github/workflows", "alembic/versions"]}),
]
"""A folder or a file, from a repository's root."""

Reviewer = Annotated[
    str,
    AfterValidator(_reviewer),
    WithJsonSchema({"type": "string", "examples": ["alice", "packit/the-packit-team"]}),
]
"""A person's login, or a team as organization/team."""


class ReleaseNotes(Frozen):
    """Where a merged pull request says what is new: between two lines of its description."""

    begin: Text = "RELEASE NOTES BEGIN"
    """The line before the note."""
    end: Text = "RELEASE NOTES END"
    """The line behind it."""


class ProposalPolicy(Frozen):
    """What the pull request is like that proposes a release."""

    unvalidated: Literal["nothing", "draft"] = "nothing"
    """What is opened while validation fails or says nothing: no pull request, or a draft."""
    labels: Annotated[tuple[Text, ...], OneOrMany] = ()
    """Labels that it carries."""
    reviewers: Annotated[tuple[Reviewer, ...], OneOrMany] = ()
    """Who is asked for a review: logins, and teams as organization/team."""
    assignees: Annotated[tuple[Text, ...], OneOrMany] = ()
    """Logins of those who see to it."""
    hand_back: Text = "stablehand/rebuild"
    """The label by which a person who edited the branch has it proposed anew, without their commits."""
    release_notes: Annotated[ReleaseNotes, NullIsEmpty] = ReleaseNotes()
    """Where merged pull requests say what is new."""
    watched_paths: Annotated[tuple[RepositoryPath, ...], OneOrMany] = (".github/workflows",)
    """Folders and files; a repository that changes in one of them is marked."""
    large: Annotated[int, Field(ge=1)] = 30
    """A move of at least so many commits is marked."""

    @model_validator(mode="after")
    def _hands_nothing_back_itself(self) -> Self:
        if self.hand_back.lower() in {label.lower() for label in self.labels}:
            raise ValueError("hand_back is one of labels: what people commit to the branch would never stay")
        return self


class ShownDeployments(Frozen):
    """Where each moved repository shows what is out: as a deployment on GitHub."""

    environment: Text
    """The environment's name on GitHub. `production` counts as one of production there, others do not."""


class Policy(Frozen):
    """The document."""

    version: Version
    """The version of this format: 1."""
    source: BranchName = "main"
    """The branch that stage is built from."""
    candidate: Literal["validated", "head"] = "validated"
    """What a proposal takes: the newest commit that stage was validated with, or the source's head."""
    build_time: Duration = timedelta(minutes=60)
    """A commit merged later than this before validation began cannot have been on stage."""
    repositories: Annotated[dict[RepositoryName, Annotated[RepositoryPolicy, NullIsEmpty]], NullIsEmpty]
    """The fleet. Only repositories named here may move."""
    validation: Annotated[tuple[Source, ...], OneOrMany] = ()
    """Where evidence comes from; every source must pass."""
    approval: Annotated[Approval, NullIsEmpty] = Approval()
    """What makes a change of the documents count as decided."""
    moves: Annotated[Moves, NullIsEmpty] = Moves()
    """Which moves need no permit."""
    windows: Annotated[tuple[Window, ...], OneOrMany] = ()
    """When moves may start; at any time where there is none."""
    freezes: Annotated[tuple[Freeze, ...], OneOrMany] = ()
    """When nothing moves, window or not."""
    limits: Annotated[Limits, NullIsEmpty] = Limits()
    """More than this at once is held."""
    soak: Duration = timedelta(0)
    """How long a target must have been on its branch before it moves."""

    @property
    def own_checks(self) -> OwnChecks | None:
        """What is asked of a candidate's own commit, where anything is."""
        return next((each.own_checks for each in self.validation if each.own_checks), None)

    @model_validator(mode="after")
    def _asks_for_own_checks_once(self) -> Self:
        if sum(each.own_checks is not None for each in self.validation) > 1:
            raise ValueError("own_checks stands twice under validation: keep one")
        return self

    proposal: Annotated[ProposalPolicy, NullIsEmpty] = ProposalPolicy()
    """What the pull request is like that proposes a release."""
    deployments: ShownDeployments | None = None
    """Show every move as a GitHub deployment of its repository; without it, none is made."""
