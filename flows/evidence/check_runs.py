"""Evidence from check runs: what an app said about the open pull requests of a validation repository.

Anyone can open a pull request with the right title, and apps of stage and production post under the same check names;
so author and app are compared exactly. A clean validation leaves nothing but its runs, so what is not there, is old
or still runs is no evidence, and never a pass.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from reconcile.observed import CheckRun, ValidationPullRequest
from reconcile.ports import ValidationReader
from state.evidence import Evidence, Link, Verdict
from state.policy import CheckRuns

_SHOWN = 5
"""How many names a sentence lists."""
_GIVEN_UP = "stale"
"""The conclusion that GitHub itself writes on a run whose app never finished it."""


class _Judged(NamedTuple):
    """What the counted runs of one pull request come to."""

    pull_request: ValidationPullRequest
    outcome: Literal["pass", "fail", "running", "silent"]
    runs: tuple[CheckRun, ...]
    """Those that it rests on."""


async def observe(source: CheckRuns, reader: ValidationReader, *, now: datetime) -> Evidence:
    """Read the validation repository and judge what it shows.

    Raises:
        ReconcileError: It cannot be read.
    """
    return judge(source, await reader.observe_validation(source.repository), now=now)


def name_of(source: CheckRuns) -> str:
    """Name the source for people."""
    return f"check runs of {source.app} in {source.repository}"


def judge(source: CheckRuns, pull_requests: Sequence[ValidationPullRequest], *, now: datetime) -> Evidence:
    """Judge the pull requests that match: any failure fails, too few passes are no evidence."""
    judged = [_judge_one(source, each, now) for each in pull_requests if _is_wanted(source, each)]
    counted = [each for each in judged if each.outcome in {"pass", "fail"}]
    failed = [each for each in judged if each.outcome == "fail"]
    passed = [each for each in judged if each.outcome == "pass"]
    if failed:
        verdict, sentence = Verdict.FAIL, "; ".join(map(_describe_failure, failed[:_SHOWN])) + "."
    elif len(passed) < source.at_least:
        verdict, sentence = Verdict.NO_EVIDENCE, _describe_missing(source, judged, len(passed))
    else:
        verdict = Verdict.PASS
        runs = sum(len(each.runs) for each in passed)
        sentence = f"{len(passed)} of {_plural(len(judged), 'pull request')} passed, with {_plural(runs, 'check run')}."
    began_at = min((run.started_at for each in counted for run in each.runs if run.started_at), default=None)
    is_evidence = verdict is not Verdict.NO_EVIDENCE and began_at is not None
    return Evidence(
        source=name_of(source),
        verdict=verdict,
        sentence=sentence,
        began_at=began_at if is_evidence else None,
        expires_at=began_at + source.max_age if is_evidence and began_at else None,
        links=tuple(
            Link(text=f"#{each.pull_request.number} {each.pull_request.title}", url=each.pull_request.url)
            for each in judged
        ),
    )


def _is_wanted(source: CheckRuns, pull_request: ValidationPullRequest) -> bool:
    """Match title and author.

    An app's account is called ``x`` in one of GitHub's APIs and ``x[bot]`` in the other; they are the same here. A
    stranger cannot make use of that: an app may bear the name of an account only if both have the same owner.
    """
    authors = {_plain(author) for author in source.authors}
    return _plain(pull_request.author) in authors and _matches(source.pull_requests, pull_request.title)


def _judge_one(source: CheckRuns, pull_request: ValidationPullRequest, now: datetime) -> _Judged:
    runs = _newest_by_name(source, pull_request.check_runs, now)
    completed = tuple(run for run in runs if run.status == "completed")
    failed = tuple(run for run in completed if run.conclusion != "success")
    running = tuple(run for run in runs if run.status != "completed")
    if failed:
        return _Judged(pull_request, "fail", failed)
    if running:
        return _Judged(pull_request, "running", running)
    return _Judged(pull_request, "pass" if completed else "silent", completed)


def _newest_by_name(source: CheckRuns, runs: Sequence[CheckRun], now: datetime) -> tuple[CheckRun, ...]:
    """Keep the newest run of each name, where it counts: of the app, wanted, begun by now, and young enough.

    A run that has not begun is the newest of its name: it stands for a result that is still to come.
    """
    newest: dict[str, CheckRun] = {}
    for run in sorted(runs, key=lambda run: (run.started_at is None, run.started_at or now)):
        if (
            not (run.started_at and run.started_at > now)
            and _is_of_app(source.app, run)
            and _is_named(source, run)
        ):
            newest[run.name] = run
    return tuple(
        run
        for run in newest.values()
        if run.conclusion != _GIVEN_UP and (run.started_at is None or now - run.started_at < source.max_age)
    )


def _is_of_app(app: str, run: CheckRun) -> bool:
    return app == str(run.app_id) or app.casefold() in {run.app_slug.casefold(), run.app_name.casefold()}


def _is_named(source: CheckRuns, run: CheckRun) -> bool:
    return any(_matches(pattern, run.name) for pattern in source.names)


def _matches(pattern: str, text: str) -> bool:
    """Match ``*`` and ``?``; everything else, brackets among it, stands for itself."""
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _plain(login: str) -> str:
    return login.lower().removesuffix("[bot]")


def _describe_failure(judged: _Judged) -> str:
    names = [f"{run.name} ({run.conclusion or 'without a conclusion'})" for run in judged.runs]
    return f"#{judged.pull_request.number} failed: {_enumerate(names)}"


def _describe_missing(source: CheckRuns, judged: Sequence[_Judged], passed: int) -> str:
    if not judged:
        return (
            f"No open pull request by {_enumerate(source.authors)} has a title like “{source.pull_requests}”. "
            "Has validation been started?"
        )
    running = [_describe_running(each) for each in judged if each.outcome == "running"]
    silent = [f"#{each.pull_request.number}" for each in judged if each.outcome == "silent"]
    if silent:
        running.append(f"{_enumerate(silent)} shows no runs that count")
    detail = f"; {'; '.join(running[:_SHOWN])}" if running else ""
    return f"{passed} of the {_plural(source.at_least, 'pull request')} that are needed passed{detail}."


def _describe_running(judged: _Judged) -> str:
    """Name the run that takes longest."""
    first = min(judged.runs, key=lambda run: (run.started_at is None, run.started_at, run.name))
    since = f" since {first.started_at:%H:%M} UTC" if first.started_at else ", which has not begun"
    return f"#{judged.pull_request.number} still runs {first.name}{since}"


def _enumerate(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
