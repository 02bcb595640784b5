"""``release-policy.yaml``: how things may move. Changes rarely, and has stricter owners.

An option stands here only when something obeys it. Sources of evidence that other distributions bring are kept as
they were written: what they may say is theirs to judge, and nothing of theirs is imported here.
"""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from state.document import dump_moment, load_zone, locate_in_zone, parse_local_time, parse_moment
from state.ids import (
    BranchName,
    Duration,
    Frozen,
    NullIsEmpty,
    OneOrMany,
    RepositoryName,
    Version,
    dump_duration,
    parse_duration,
)
from state.json_path import JsonPath

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


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


Patterns = Annotated[tuple[Text, ...], OneOrMany]
"""Patterns in which ``*`` and ``?`` match; everything else stands for itself."""

Conclusion = Literal["success", "neutral", "skipped"]
"""How a check run may end without having failed. A status that is a success counts as one."""

Level = Literal["fatal", "error", "warning", "info", "debug"]

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a slug: write it as it stands in Sentry's addresses")
    return text


Slug = Annotated[
    str, AfterValidator(_slug), WithJsonSchema({"type": "string", "pattern": f"^{_SLUG.pattern}$"})
]
"""A name that may stand in an address or a query as it is."""


def _parse_since(value: object) -> object:
    if isinstance(value, timedelta | datetime) or value == "last-move":
        return value
    remedy = "write last-move, a duration as in 24h, or a moment as in 2026-12-01T04:00 Europe/Prague"
    if not isinstance(value, str):
        raise ValueError(f"this is no time to count from: {remedy}")  # noqa: TRY004 (pydantic reports ValueErrors)
    if ":" in value:
        return parse_moment(value)
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{value[:60]!r} is no time to count from: {remedy}") from error


def _dump_since(since: str | timedelta | datetime) -> str:
    match since:
        case timedelta():
            return dump_duration(since)
        case datetime():
            return dump_moment(since)
        case _:
            return since


Since = Annotated[
    Literal["last-move"] | timedelta | datetime,
    BeforeValidator(_parse_since),
    PlainSerializer(_dump_since, return_type=str),
    WithJsonSchema(
        {"type": "string", "examples": ["last-move", "24h", "2026-12-01T04:00 Europe/Prague"]},
    ),
]
"""A time to count from: the newest move in the ledger, so long ago, or a moment."""


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or not text.isprintable() or " " in text:
        raise ValueError(f"{text[:100]!r} is not a web address: write https://host/path")
    if parts.username or parts.password:
        raise ValueError("a password in an address is there for everyone to read: remove it")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address), WithJsonSchema({"type": "string", "format": "uri"})]


class SourceSettings(Frozen):
    """What every source of evidence may be told. Sources of other distributions build their settings on it."""

    time_limit: Duration = timedelta(seconds=60)
    """How long it may take to answer. What has not answered by then has said nothing."""
    max_age: Duration = timedelta(hours=24)
    """How long what it says counts. A proposal that rests on older evidence has to be refreshed."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if not self.time_limit or not self.max_age:
            raise ValueError(
                "time_limit and max_age are longer than nothing: write 60s and 24h, or remove them"
            )
        return self


class CheckRuns(SourceSettings):
    """Check runs and commit statuses in a validation repository: on pull requests, or on a branch."""

    repository: RepositoryName
    """Where stage's validation shows what it found."""
    app: Text | None = None
    """The id, slug or name of the app whose check runs count: stage and production post under the same names."""
    names: Patterns = ("*",)
    """Patterns over the names of its check runs; runs of other names do not count."""
    contexts: Patterns = ()
    """Patterns over the contexts of commit statuses; without any, no status counts."""
    pull_requests: Text | None = None
    """A pattern (`*` and `?`) over the titles of open pull requests."""
    labels: Annotated[tuple[Text, ...], OneOrMany] = ()
    """Labels of which a pull request must bear one."""
    head_branches: Patterns = ()
    """Patterns over the branches that pull requests come from."""
    authors: Annotated[tuple[Text, ...], OneOrMany] = ()
    """Who must have opened them: anyone can open a pull request with the right title."""
    branch: BranchName | None = None
    """Look at the head of this branch instead of pull requests."""
    since: Since | None = None
    """Only what began after this; without it, whatever is younger than `max_age`."""
    passed: Annotated[tuple[Conclusion, ...], Field(min_length=1), OneOrMany] = ("success",)
    """Which conclusions of a check run are a pass."""
    at_least: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many pull requests must carry a pass, or how many checks on the branch; fewer is no evidence."""

    @model_validator(mode="after")
    def _says_what_and_where(self) -> Self:
        selects = bool(self.pull_requests or self.labels or self.head_branches)
        if not self.app and not self.contexts:
            raise ValueError(
                "name an app, contexts, or both: otherwise anything that anyone posts would count"
            )
        if not selects and not self.branch:
            raise ValueError("say where to look: pull_requests, labels or head_branches, or a branch")
        if self.branch and (selects or self.authors):
            raise ValueError("a branch has no pull requests: remove branch, or what selects pull requests")
        if selects and not self.authors:
            raise ValueError("authors is missing: anyone can open a pull request with the right title")
        return self


class OwnChecks(SourceSettings):
    """The candidate's own commit is green; where it is not, the newest older one that is becomes the candidate."""

    names: Patterns = ()
    """Patterns over names of check runs and contexts of statuses; without any, those that the source branch requires,
    and where it requires none, all that were posted."""
    passed: Annotated[tuple[Conclusion, ...], Field(min_length=1), OneOrMany] = (
        "success",
        "neutral",
        "skipped",
    )
    """Which conclusions of a check run are a pass; these are GitHub's own."""


class Sentry(SourceSettings):
    """Unresolved issues of one environment that Sentry saw for the first time since then."""

    organization: Slug
    """The organization's slug."""
    project: Slug
    """The project's slug or id."""
    environment: Text
    """The environment that stage reports under."""
    new_since: Since = "last-move"
    """Issues first seen before this are known, and do not count."""
    levels: Annotated[tuple[Level, ...], Field(min_length=1), OneOrMany] = ("fatal", "error")
    """Issues of other levels do not count."""
    ignore: Patterns = ()
    """Patterns over titles and short ids of issues that do not count."""
    at_most: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many such issues are still a pass."""


class Http(SourceSettings):
    """An address of stage that says how it is, and perhaps what it runs. Asked without credentials or redirects."""

    url: WebAddress
    """What to ask for, with GET."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status that it must answer with."""
    values: dict[JsonPath, str] = {}
    """What its JSON must say, by path; the value as text."""
    runs: dict[RepositoryName, JsonPath] = {}
    """Where its JSON names the commits that stage runs; abbreviated shas are resolved."""


class Deployments(SourceSettings):
    """The commits of the latest successful GitHub deployments to an environment: they are what stage runs."""

    environment: Text
    """The environment's name on GitHub."""
    repositories: Annotated[tuple[RepositoryName, ...], OneOrMany] = ()
    """Which repositories are deployed so; without any, the whole fleet."""


class Source(Frozen):
    """One entry of `validation`: the name of one source, and what it needs."""

    # Names that are no field are those of other distributions' sources.
    model_config = ConfigDict(extra="allow", json_schema_extra={"minProperties": 1, "maxProperties": 1})
    __pydantic_extra__: dict[str, Annotated[JsonValue, WithJsonSchema({"type": ["object", "null"]})]] = Field(
        init=False
    )

    check_runs: CheckRuns | None = None
    """Check runs and commit statuses in a validation repository."""
    own_checks: OwnChecks | None = None
    """The candidate's own commit is green."""
    sentry: Sentry | None = None
    """New issues in Sentry."""
    http: Http | None = None
    """An address of stage that says how it is."""
    deployments: Deployments | None = None
    """GitHub's deployments to an environment."""

    @property
    def name(self) -> str:
        """The source's name."""
        return next(iter(self._named()))

    @property
    def settings(self) -> SourceSettings | Mapping[str, JsonValue]:
        """What it needs; of a source that is not built in, as it was written."""
        return next(iter(self._named().values()))

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_names(cls, written: object) -> object:
        """Let a source that needs nothing stand with nothing under it."""
        if not isinstance(written, dict):
            return written
        return {name: {} if settings is None else settings for name, settings in written.items()}

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        names = [*self._named()]
        if len(names) != 1:
            found = f"this has {', '.join(names)[:100]}" if names else "this has none"
            raise ValueError(f"an entry names one source, and {found}: write one behind each dash")
        for name, written in (self.__pydantic_extra__ or {}).items():
            if not isinstance(written, dict):
                raise ValueError(f"`{name[:60]}` needs keys under it, or nothing")  # noqa: TRY004 (for pydantic)
        return self

    def _named(self) -> dict[str, SourceSettings | Mapping[str, JsonValue]]:
        built_in = {name: getattr(self, name) for name in type(self).model_fields}
        named = {name: settings for name, settings in built_in.items() if settings is not None}
        return named | (self.__pydantic_extra__ or {})


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
