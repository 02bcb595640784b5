"""Gates: conditions of time that a move waits for. Pure; ``now`` is an argument.

Each closed gate says when it opens, so a wait ends by itself. Gates know no repository and no relation: which of
them a permit overrides is the plan's to say.
"""

from datetime import UTC, datetime, timedelta

from state.document import GateCode
from state.ids import Frozen
from state.policy import WEEKDAYS, Freeze, Policy, Window

_DAYS_TO_LOOK_AHEAD = 8


class Closed(Frozen):
    """A gate that is closed, and when it opens."""

    code: GateCode
    sentence: str
    until: datetime | None
    """In UTC: a local time that comes twice equals no other."""


def closed_gates(policy: Policy, *, landed_at: datetime, now: datetime) -> tuple[Closed, ...]:
    """Return every gate that is closed at ``now`` for a commit that landed at ``landed_at``."""
    # Python compares two times of one zone by their wall clocks, which repeat an hour when they go back.
    now, landed_at = now.astimezone(UTC), landed_at.astimezone(UTC)
    gates = (
        _frozen(policy.freezes, now),
        _outside_window(policy.windows, now),
        _soaking(policy, landed_at, now),
    )
    return tuple(gate for gate in gates if gate)


def _frozen(freezes: tuple[Freeze, ...], now: datetime) -> Closed | None:
    current = [freeze for freeze in freezes if freeze.starts_at <= now < freeze.ends_at]
    if not current:
        return None
    freeze = max(current, key=lambda each: each.ends_at.astimezone(UTC))
    until = freeze.ends_at
    return Closed(
        code="frozen",
        until=until.astimezone(UTC),
        sentence=f"The freeze “{freeze.name}” lasts until {until:%Y-%m-%d %H:%M %Z}.",
    )


def _outside_window(windows: tuple[Window, ...], now: datetime) -> Closed | None:
    openings = [opening for window in windows if (opening := _opening(window, now))]
    if not windows or any(opening <= now for opening in openings):
        return None
    opens = min(openings, key=lambda each: each.astimezone(UTC), default=None)
    when = f"the next one opens {opens:%a %Y-%m-%d %H:%M %Z}" if opens else "none opens within a week"
    return Closed(
        code="outside-window",
        until=opens.astimezone(UTC) if opens else None,
        sentence=f"No window is open; {when}.",
    )


def _opening(window: Window, now: datetime) -> datetime | None:
    """Find when the window opened if it is open now, otherwise when it opens next.

    The local clock decides, so that a window keeps its hours when daylight-saving time begins or ends. One that
    clocks go forward over has no hours that day.
    """
    today = now.astimezone(window.zone).date()
    for day in (today + timedelta(days=offset) for offset in range(-1, _DAYS_TO_LOOK_AHEAD)):
        if WEEKDAYS[day.weekday()] not in window.days:
            continue
        opens = datetime.combine(day, window.from_, tzinfo=window.zone)
        ends = datetime.combine(
            day if window.until > window.from_ else day + timedelta(days=1), window.until, tzinfo=window.zone
        )
        if max(now, opens.astimezone(UTC)) < ends.astimezone(UTC):
            return opens
    return None


def _soaking(policy: Policy, landed_at: datetime, now: datetime) -> Closed | None:
    until = landed_at + policy.soak
    if not policy.soak or now >= until:
        return None
    return Closed(
        code="soaking",
        until=until,
        sentence=f"The commit soaks until {until:%Y-%m-%d %H:%M} UTC.",
    )
