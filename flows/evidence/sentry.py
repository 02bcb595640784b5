"""Evidence from Sentry: unresolved issues of stage that it saw for the first time since the last move.

The queue is noisy and stage reports no release, so what is new is told by when an issue was first seen. Sentry's answer
is searched again here: an installation that does not understand a part of the query must not turn it into a pass.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from flows.evidence.results import count, enumerate_some, matches, moment
from flows.evidence.source import SourceError, SourceKind, Surroundings, seen_now
from flows.evidence.web import Answer, fetch
from flows.settings import load_settings
from state.evidence import Evidence, Link, Verdict
from state.sources import Sentry

_PAGE = 100
"""The most issues that Sentry shows at once."""
_PAGES = 10
"""More new issues than fit on so many pages are too many, whatever they are."""


class _Issue(BaseModel):
    """An issue, as far as it matters. Everything in it is other people's words."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    short_id: str
    title: str
    level: str
    status: str
    permalink: str | None
    first_seen: AwareDatetime
    count: int
    """Events since then."""

    @property
    def link(self) -> Link:
        return Link(
            text=f"{self.short_id} {self.title} ({count(self.count, 'event')})", url=self.permalink or ""
        )


class _Found(NamedTuple):
    """What was read."""

    issues: tuple[_Issue, ...]
    ignored: int
    is_complete: bool


_ISSUES: TypeAdapter[list[_Issue]] = TypeAdapter(list[_Issue])


async def observe(settings: Sentry, around: Surroundings) -> Evidence:
    """List the new issues, and judge how many there are.

    Raises:
        ReconcileError: Sentry cannot be read, or there is no moment to count from.
    """
    since = around.since(settings.new_since).astimezone(UTC)
    found = await _read(settings, around, since)
    number = len(found.issues)
    seen = f"{count(number, 'new issue')}{'' if found.is_complete else ' or more'} since {moment(since)}"
    ignored = f", {found.ignored} ignored" if found.ignored else ""
    if number > settings.at_most:
        verdict = Verdict.FAIL
        worst = enumerate_some([each.short_id for each in found.issues])
        sentence = f"{seen}{ignored}; at most {settings.at_most} would pass: {worst}."
    elif not found.is_complete:
        verdict, sentence = Verdict.NO_EVIDENCE, f"{seen}{ignored}; they could not be read to the end."
    else:
        verdict, sentence = Verdict.PASS, f"{seen}{ignored}."
    links = tuple(each.link for each in found.issues)
    return seen_now(
        settings, name_of(settings), verdict=verdict, sentence=sentence, now=around.now, links=links
    )


def name_of(settings: Sentry) -> str:
    """Name the source for people."""
    return f"Sentry issues of {settings.organization}/{settings.project} in {settings.environment}"


SOURCE = SourceKind(settings=Sentry, name_of=name_of, observe=observe)


async def _read(settings: Sentry, around: Surroundings, since: datetime) -> _Found:
    """Read issues until there are no more or far too many; those with most events come first."""
    counted: list[_Issue] = []
    ignored = 0
    cursor: str | None = None
    for _ in range(_PAGES):
        answer = await _ask(settings, around, since, cursor)
        for issue in answer.parse(_ISSUES):
            if (
                issue.first_seen <= since
                or issue.level not in settings.levels
                or issue.status != "unresolved"
            ):
                continue
            if matches(issue.title, settings.ignore) or matches(issue.short_id, settings.ignore):
                ignored += 1
            else:
                counted.append(issue)
        cursor = _next_cursor(answer)
        if cursor is None:
            break
    counted.sort(key=lambda issue: (-issue.count, issue.short_id))
    return _Found(tuple(counted), ignored, cursor is None)


async def _ask(settings: Sentry, around: Surroundings, since: datetime, cursor: str | None) -> Answer:
    access = load_settings()
    if access.sentry_token is None:
        raise SourceError("STABLEHAND_SENTRY_TOKEN is not set: make a token with the scope event:read.")
    is_id = settings.project.isdecimal()
    query = [
        "is:unresolved",
        f"level:[{', '.join(settings.levels)}]",
        f"firstSeen:>{since:%Y-%m-%dT%H:%M:%S}",
    ]
    if not is_id:
        query.append(f"project:{settings.project}")
    answer = await fetch(
        around.http,
        f"{str(access.sentry_url).rstrip('/')}/api/0/organizations/{settings.organization}/issues/",
        headers={"Authorization": f"Bearer {access.sentry_token.get_secret_value()}"},
        params={
            # Sentry takes ids here, -1 for every project; slugs belong into the query.
            "project": settings.project if is_id else "-1",
            "environment": settings.environment,
            "query": " ".join(query),
            "start": f"{since:%Y-%m-%dT%H:%M:%S}",
            "end": f"{around.now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
            "sort": "new",
            "limit": str(_PAGE),
        }
        | ({"cursor": cursor} if cursor else {}),
    )
    _refuse(settings, answer)
    return answer


def _refuse(settings: Sentry, answer: Answer) -> None:
    """Say what an answer that is no list means.

    Raises:
        SourceError: It is none.
    """
    match answer.status:
        case 200:
            return
        case 401:
            remedy = (
                "Sentry does not know the token: check STABLEHAND_SENTRY_TOKEN and STABLEHAND_SENTRY_URL."
            )
        case 403:
            remedy = "The token may not read issues: it needs the scope event:read."
        case 404:
            remedy = f"There is no organization {settings.organization}, or the token may not see it."
        case status if 300 <= status < 400:  # noqa: PLR2004 (redirects)
            remedy = "Sentry is elsewhere: check STABLEHAND_SENTRY_URL."
        case status:
            remedy = (
                f"Sentry answered {status}: check the project, the environment and STABLEHAND_SENTRY_URL."
            )
    raise SourceError(remedy)


def _next_cursor(answer: Answer) -> str | None:
    """Find where the next page begins. Only the cursor is taken: where to ask is not for an answer to say."""
    return answer.next_page.get("cursor") if answer.next_page.get("results") == "true" else None
