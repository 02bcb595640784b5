"""Evidence from check runs and statuses in a validation repository: on pull requests, or on a branch.

Anyone can open a pull request with the right title, and apps of stage and production post under the same check names;
so author and app are compared exactly. A clean validation leaves nothing but its runs, so what is not there, is old
or still runs is no evidence, and never a pass.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from flows.evidence.results import (
    Result,
    count,
    enumerate_some,
    is_of_app,
    matches,
    plain,
    run_results,
    status_results,
)
from flows.evidence.source import SourceKind, Surroundings
from reconcile.observed import CheckRun, CommitStatus, ValidationPullRequest
from reconcile.ports import ValidationReader
from state.evidence import Evidence, Link, Verdict
from state.ids import Sha
from state.sources import CheckRuns

_SHOWN = 5
"""How many pull requests a sentence speaks of."""


class Posted(NamedTuple):
    """One place where validation posts: a pull request, or the branch."""

    name: str
    link: Link | None
    check_runs: Sequence[CheckRun]
    posts: Sequence[CommitStatus]
    """Every post of its statuses, newest first."""


class _Judged(NamedTuple):
    """What the counted results of one place come to."""

    place: Posted
    outcome: Literal["pass", "fail", "running", "silent"]
    results: tuple[Result, ...]
    """Those that it rests on."""


async def observe(settings: CheckRuns, around: Surroundings) -> Evidence:
    """Read the validation repository and judge what it shows.

    Raises:
        ReconcileError: It cannot be read.
    """
    since = around.now - settings.max_age
    if settings.since is not None:
        since = max(since, around.since(settings.since))
    if settings.branch:
        return judge_branch(settings, await _read_branch(settings, around), since=since, now=around.now)
    return judge(settings, await _read_pull_requests(settings, around.github), since=since, now=around.now)


def name_of(settings: CheckRuns) -> str:
    """Name the source for people."""
    what = " and ".join(
        ([f"check runs of {settings.app}"] if settings.app else [])
        + ([f"statuses {enumerate_some(settings.contexts)}"] if settings.contexts else [])
    )
    return f"{what} {f'on {settings.branch} of' if settings.branch else 'in'} {settings.repository}"


SOURCE = SourceKind(settings=CheckRuns, name_of=name_of, observe=observe)


async def _read_pull_requests(settings: CheckRuns, github: ValidationReader) -> list[Posted]:
    found = await github.observe_validation(settings.repository)
    return [
        Posted(
            f"#{each.number}",
            Link(text=f"#{each.number} {each.title}", url=each.url),
            each.check_runs,
            await _read_posts(settings, github, each.head),
        )
        for each in found
        if is_wanted(settings, each)
    ]


async def _read_branch(settings: CheckRuns, around: Surroundings) -> Posted | None:
    """Read what was posted on the branch's head; none where there is no such branch."""
    assert settings.branch, "only a source that names one reads a branch"
    refs = await around.github.observe_refs((settings.repository,), settings.branch)
    head = refs.get(settings.repository)
    if head is None:
        return None
    found = await around.github.observe_checks({settings.repository: head})
    runs = found[settings.repository].check_runs if settings.repository in found else ()
    return Posted(settings.branch, None, runs, await _read_posts(settings, around.github, head))


async def _read_posts(settings: CheckRuns, github: ValidationReader, commit: Sha) -> tuple[CommitStatus, ...]:
    return await github.list_statuses(settings.repository, commit) if settings.contexts else ()


def is_wanted(settings: CheckRuns, pull_request: ValidationPullRequest) -> bool:
    """Match the author, and title, labels and branch where the policy asks for them."""
    labels = {label.casefold() for label in pull_request.labels}
    return (
        plain(pull_request.author) in map(plain, settings.authors)
        and (settings.pull_requests is None or matches(pull_request.title, (settings.pull_requests,)))
        and (not settings.labels or any(label.casefold() in labels for label in settings.labels))
        and (not settings.head_branches or matches(pull_request.head_branch, settings.head_branches))
    )


def judge(settings: CheckRuns, places: Sequence[Posted], *, since: datetime, now: datetime) -> Evidence:
    """Judge the pull requests: any failure fails, too few passes are no evidence."""
    judged = [_judge_one(settings, each, since, now) for each in places]
    failed = [each for each in judged if each.outcome == "fail"]
    passed = [each for each in judged if each.outcome == "pass"]
    links = tuple(each.place.link for each in judged if each.place.link)
    if failed:
        verdict, sentence = Verdict.FAIL, "; ".join(map(_describe_failure, failed[:_SHOWN])) + "."
    elif len(passed) < settings.at_least:
        verdict, sentence = Verdict.NO_EVIDENCE, _describe_missing(settings, judged, len(passed))
    else:
        verdict = Verdict.PASS
        results = sum(len(each.results) for each in passed)
        sentence = (
            f"{len(passed)} of {count(len(judged), 'pull request')} passed, with {count(results, 'check')}."
        )
    return _dated(settings, verdict, sentence, (*failed, *passed), links)


def judge_branch(settings: CheckRuns, place: Posted | None, *, since: datetime, now: datetime) -> Evidence:
    """Judge a branch: any failure fails, too few passed checks, or any that still runs, is no evidence."""
    if place is None:
        return _dated(
            settings, Verdict.NO_EVIDENCE, f"{settings.repository} has no branch {settings.branch}.", ()
        )
    judged = _judge_one(settings, place, since, now)
    links = tuple(Link(text=each.name, url=each.url) for each in judged.results if each.url)
    match judged.outcome:
        case "fail":
            verdict, sentence = Verdict.FAIL, f"{_describe_failure(judged)}."
        case "running":
            verdict, sentence = Verdict.NO_EVIDENCE, f"{_describe_running(judged)}."
        case _ if len(judged.results) < settings.at_least:
            needed = count(settings.at_least, "check")
            verdict = Verdict.NO_EVIDENCE
            sentence = (
                f"{len(judged.results)} of the {needed} that are needed passed. Has validation been started?"
            )
        case _:
            verdict, sentence = Verdict.PASS, f"{count(len(judged.results), 'check')} passed."
    return _dated(settings, verdict, sentence, (judged,), links)


def _dated(
    settings: CheckRuns,
    verdict: Verdict,
    sentence: str,
    counted: Iterable[_Judged],
    links: tuple[Link, ...] = (),
) -> Evidence:
    """Date evidence by the oldest result that it rests on; what is no evidence has no date."""
    begun = (each.began_at for judged in counted for each in judged.results if each.began_at)
    began_at = None if verdict is Verdict.NO_EVIDENCE else min(begun, default=None)
    return Evidence(
        source=name_of(settings),
        verdict=verdict,
        sentence=sentence,
        began_at=began_at,
        expires_at=began_at + settings.max_age if began_at else None,
        links=links,
    )


def _judge_one(settings: CheckRuns, place: Posted, since: datetime, now: datetime) -> _Judged:
    results = _results(settings, place, since, now)
    failed = tuple(each for each in results if each.outcome == "failed")
    running = tuple(each for each in results if each.outcome == "running")
    if failed:
        return _Judged(place, "fail", failed)
    if running:
        return _Judged(place, "running", running)
    return _Judged(place, "pass" if results else "silent", results)


def _results(settings: CheckRuns, place: Posted, since: datetime, now: datetime) -> tuple[Result, ...]:
    """Keep what counts: of the app or context, begun by now, the newest of its name, and begun after ``since``."""
    runs = (
        run
        for run in place.check_runs
        if settings.app
        and is_of_app(settings.app, run)
        and matches(run.name, settings.names)
        and not (run.started_at and run.started_at > now)
    )
    posts = [
        post for post in place.posts if post.posted_at <= now and matches(post.context, settings.contexts)
    ]
    results = (*run_results(runs, settings.passed), *status_results(posts))
    return tuple(each for each in results if each.began_at is None or each.began_at > since)


def _describe_failure(judged: _Judged) -> str:
    return f"{judged.place.name} failed: {enumerate_some([f'{each.name} ({each.says})' for each in judged.results])}"


def _describe_missing(settings: CheckRuns, judged: Sequence[_Judged], passed: int) -> str:
    if not judged:
        return f"No open pull request by {_describe_wanted(settings)}. Has validation been started?"
    running = [_describe_running(each) for each in judged if each.outcome == "running"]
    silent = [each.place.name for each in judged if each.outcome == "silent"]
    if silent:
        running.append(f"{enumerate_some(silent)} shows nothing that counts")
    detail = f"; {'; '.join(running[:_SHOWN])}" if running else ""
    return f"{passed} of the {count(settings.at_least, 'pull request')} that are needed passed{detail}."


def _describe_wanted(settings: CheckRuns) -> str:
    wanted = enumerate_some(settings.authors)
    if settings.pull_requests:
        wanted += f" has a title like “{settings.pull_requests}”"
    if settings.labels:
        wanted += (
            f"{' and' if settings.pull_requests else ''} bears a label {enumerate_some(settings.labels)}"
        )
    if settings.head_branches:
        is_first = not settings.pull_requests and not settings.labels
        wanted += f"{'' if is_first else ' and'} comes from a branch {enumerate_some(settings.head_branches)}"
    return wanted


def _describe_running(judged: _Judged) -> str:
    """Name the check that takes longest."""
    first = min(judged.results, key=lambda each: (each.began_at is None, each.began_at, each.name))
    since = f" since {first.began_at:%H:%M} UTC" if first.began_at else ", which has not begun"
    return f"{judged.place.name} still runs {first.name}{since}"
