"""Check runs and statuses as results: passed, failed or running; the newest of a name counts. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from reconcile.observed import CheckRun, CommitStatus

_SHOWN = 5
"""How many names a sentence lists."""
_GIVEN_UP = "stale"
"""The conclusion that GitHub itself writes on a run whose app never finished it."""
_NEVER = datetime.max.replace(tzinfo=UTC)

Outcome = Literal["passed", "failed", "running"]
_OUTCOMES: Mapping[str, Outcome] = {"success": "passed", "pending": "running", "failure": "failed"}
"""By the state of a status."""


class Result(NamedTuple):
    """One check run, or one status in its newest state."""

    name: str
    outcome: Outcome
    says: str
    """The conclusion or state, in GitHub's word."""
    began_at: datetime | None
    """None for what has not begun."""
    url: str | None


def run_results(runs: Iterable[CheckRun], passed: Collection[str]) -> tuple[Result, ...]:
    """Judge check runs, the newest of each name.

    A run that has not begun is the newest of its name: it stands for a result that is still to come. Conclusions
    besides ``passed`` are failures, neutral too, except that what GitHub gave up on says nothing.
    """
    newest = {run.name: run for run in sorted(runs, key=lambda run: run.started_at or _NEVER)}
    return tuple(_result_of(run, passed) for run in newest.values() if run.conclusion != _GIVEN_UP)


def _result_of(run: CheckRun, passed: Collection[str]) -> Result:
    ended: Outcome = "passed" if run.conclusion in passed else "failed"
    outcome: Outcome = ended if run.status == "completed" else "running"
    return Result(run.name, outcome, run.conclusion or "without a conclusion", run.started_at, run.url)


def status_results(posts: Sequence[CommitStatus]) -> tuple[Result, ...]:
    """Judge statuses by every post of them, newest first.

    What began when its newest post was made is not known from that post: it is dated by the first of the pending
    ones right before it, where there are any.
    """
    contexts: dict[str, list[CommitStatus]] = {}
    for post in posts:
        contexts.setdefault(post.context, []).append(post)
    return tuple(_status_result(context, own) for context, own in contexts.items())


def _status_result(context: str, posts: Sequence[CommitStatus]) -> Result:
    newest, *earlier = posts
    began_at = newest.posted_at
    for post in earlier:
        if post.state != "pending":
            break
        began_at = post.posted_at
    outcome = _OUTCOMES[newest.state]
    return Result(context, outcome, newest.state, began_at, newest.url)


def is_of_app(app: str, run: CheckRun) -> bool:
    """Say whether an app, by its id, slug or name, posted a run."""
    return app == str(run.app_id) or app.casefold() in {run.app_slug.casefold(), run.app_name.casefold()}


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Match ``*`` and ``?``; everything else, brackets among it, stands for itself."""
    return any(_expression(pattern).fullmatch(text) for pattern in patterns)


def _expression(pattern: str) -> re.Pattern[str]:
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.DOTALL)


def plain(login: str) -> str:
    """Name an account in one way: an app's is called ``x`` in one of GitHub's APIs and ``x[bot]`` in the other.

    A stranger cannot make use of that: an app may bear the name of an account only if both have the same owner.
    """
    return login.lower().removesuffix("[bot]")


def enumerate_some(names: Sequence[str]) -> str:
    """List names in a sentence, not too many."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def count(number: int, noun: str) -> str:
    """Count things in a sentence."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def moment(at: datetime) -> str:
    """Write a moment in a sentence."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
