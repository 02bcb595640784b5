"""Readiness: whether a moved repository has become what those after it build on. Pure.

Observed, not waited for: a run moves what it can and ends, and a later one looks again. Only what started after the
move counts, since a commit carries the checks of every branch that it was ever on.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from reconcile.observed import Signal
from state.ids import Frozen
from state.policy import Ready

_NEVER = datetime.max.replace(tzinfo=UTC)


class NotReady(Frozen):
    """Why those that come after have to wait, and until when that is to be expected."""

    sentence: str
    deadline: datetime
    is_late: bool


def judge_readiness(
    ready: Ready, signals: Sequence[Signal], *, moved_at: datetime, now: datetime
) -> NotReady | None:
    """Say what is missing; none when a repository is ready. The newest signal of a name counts."""
    newest = {
        signal.name: signal
        for signal in sorted(signals, key=_starts_at)
        if _starts_at(signal) >= moved_at and _counts(ready, signal)
    }
    unfinished = sorted(signal.name for signal in newest.values() if signal.state != "success")
    if newest and not unfinished:
        return None
    failed = sorted(signal.name for signal in newest.values() if signal.state == "failure")
    if failed:
        found = f"{_some(failed)} failed"
    elif unfinished:
        found = f"{_some(unfinished)} runs"
    else:
        found = "nothing that counts has started"
    deadline = moved_at + ready.within
    return NotReady(
        sentence=f"{found} since it moved on {moved_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        deadline=deadline,
        is_late=now > deadline,
    )


def _starts_at(signal: Signal) -> datetime:
    """Order what has yet to start behind all that has, and so after every move."""
    return signal.started_at or _NEVER


def _counts(ready: Ready, signal: Signal) -> bool:
    if ready.check_runs:
        apps = {app.lower() for app in signal.apps}
        return (
            signal.kind == "check_run"
            and ready.check_runs.app.lower() in apps
            and _matches(signal.name, ready.check_runs.names)
        )
    assert ready.statuses, "the policy names one of the two"
    return signal.kind == "status" and _matches(signal.name, ready.statuses.contexts)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    # A bracket is part of many names, and never meant as a set of letters.
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
