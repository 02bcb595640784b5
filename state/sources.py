"""The sources of evidence that a policy may name, and what each of them needs to know.

Sources that other distributions bring are kept as they were written: what they may say is theirs to judge, and nothing
of theirs is imported here.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from state.document import dump_moment, parse_moment
from state.ids import (
    BranchName,
    Duration,
    Frozen,
    OneOrMany,
    RepositoryName,
    Text,
    dump_duration,
    parse_duration,
)
from state.json_path import JsonPath

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
