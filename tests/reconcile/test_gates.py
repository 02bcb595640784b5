"""Gates: windows, freezes and soaking, at their edges and on the days on which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reconcile.gates import Closed, closed_gates
from state.policy import Freeze, Policy, Window
from tests.builders import NOW, policy

PRAGUE = "Europe/Prague"
"""Clocks go forward at 01:00 UTC on Sunday 2026-03-29, and back at 01:00 UTC on Sunday 2026-10-25."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(days: str, from_: str, until: str, zone: str = PRAGUE) -> Window:
    return Window.model_validate({"days": days, "from": from_, "until": until, "zone": zone})


def freeze(from_: str, until: str, *, name: str = "holidays", zone: str = PRAGUE) -> Freeze:
    return Freeze.model_validate({"name": name, "from": from_, "until": until, "zone": zone})


def gate(under: Policy, now: datetime, landed_at: datetime | None = None) -> Closed | None:
    """Return the only closed gate, or none, for a commit that is old unless told otherwise."""
    closed = closed_gates(under, landed_at=landed_at or utc("2020-01-01T00:00"), now=now)
    assert len(closed) <= 1
    return closed[0] if closed else None


def opens(windows: list[Window], now: str) -> datetime | None:
    """Return when the next window opens; ``now`` where one is open."""
    closed = gate(policy(windows=windows), utc(now))
    return closed.until if closed else utc(now)


def test_no_gates() -> None:
    """Without gates in the policy, nothing is ever closed."""
    assert closed_gates(policy(), landed_at=NOW, now=NOW) == ()


@pytest.mark.parametrize(
    ("expected", "now"),
    [
        ("2026-03-02T07:00", "2026-03-01T12:00"),  # Sunday
        ("2026-03-02T07:00", "2026-03-02T06:59:59"),
        ("2026-03-02T07:00", "2026-03-02T07:00"),  # opens inclusive
        ("2026-03-02T14:59:59", "2026-03-02T14:59:59"),
        ("2026-03-03T07:00", "2026-03-02T15:00"),  # closes exclusive
        ("2026-03-09T07:00", "2026-03-05T15:00"),  # Thursday evening: until Monday
    ],
)
def test_window_edges(expected: str, now: str) -> None:
    """A window opens at its first moment, and is over at its last."""
    assert utc(expected) == opens([window("Mon-Thu", "08:00", "16:00")], now)


@pytest.mark.parametrize(
    ("expected", "now"),
    [
        ("2026-03-06T21:00", "2026-03-06T20:59"),
        ("2026-03-06T22:30", "2026-03-06T22:30"),
        ("2026-03-07T03:59", "2026-03-07T03:59"),  # Saturday morning belongs to Friday's window
        ("2026-03-13T21:00", "2026-03-07T04:00"),
    ],
)
def test_window_over_midnight(expected: str, now: str) -> None:
    """A window over midnight belongs to the day on which it opens."""
    assert utc(expected) == opens([window("Fri", "22:00", "05:00")], now)


@pytest.mark.parametrize(
    ("expected", "now"),
    [
        ("2026-03-02T07:00", "2026-03-02T06:00"),
        ("2026-03-03T06:59", "2026-03-03T06:59"),
        ("2026-03-09T07:00", "2026-03-03T07:00"),
    ],
)
def test_window_of_a_whole_day(expected: str, now: str) -> None:
    """A window that ends when it begins lasts a day."""
    assert utc(expected) == opens([window("Mon", "08:00", "08:00")], now)


def test_windows_that_meet_leave_no_gap() -> None:
    """A day whose windows join at midnight is open through it."""
    windows = [window("Mon", "18:00", "00:00", "UTC"), window("Tue", "00:00", "06:00", "UTC")]
    assert utc("2026-03-03T00:00") == opens(windows, "2026-03-03T00:00")


def test_any_window_opens() -> None:
    """The earliest of several windows opens, each by the clock of its own zone."""
    windows = [window("Mon", "12:00", "13:00", "UTC"), window("Mon", "09:00", "10:00", "America/New_York")]
    assert utc("2026-03-02T12:00") == opens(windows, "2026-03-02T11:00")
    assert utc("2026-03-02T14:00") == opens(windows, "2026-03-02T13:00")
    assert utc("2026-03-02T14:30") == opens(windows, "2026-03-02T14:30")


def test_window_by_the_local_day() -> None:
    """Which day it is, the window's zone decides."""
    monday_in_auckland = "2026-03-01T20:00"
    assert utc(monday_in_auckland) == opens(
        [window("Mon", "08:00", "16:00", "Pacific/Auckland")], monday_in_auckland
    )


@pytest.mark.parametrize(
    ("expected", "now"),
    [
        ("2026-03-27T07:00", "2026-03-27T06:30"),  # Friday, winter
        ("2026-03-30T06:00", "2026-03-29T12:00"),  # Monday, summer
        ("2026-10-23T06:00", "2026-10-23T05:30"),  # Friday, summer
        ("2026-10-26T07:00", "2026-10-25T12:00"),  # Monday, winter
    ],
)
def test_window_keeps_its_hours_over_the_change(expected: str, now: str) -> None:
    """A window at eight opens at eight by the wall, in summer and in winter."""
    assert utc(expected) == opens([window("Mon-Fri", "08:00", "16:00")], now)


@pytest.mark.parametrize(("hours", "day"), [(7, "2026-03-28"), (8, "2026-10-10"), (9, "2026-10-24")])
def test_night_is_as_long_as_it_is(hours: int, day: str) -> None:
    """A night's window is an hour shorter in spring, and an hour longer in autumn."""
    windows = [window("Sat", "22:00", "06:00")]
    start = opens(windows, f"{day}T12:00")
    assert start is not None
    end = start.astimezone(UTC) + timedelta(hours=hours)
    assert gate(policy(windows=windows), end - timedelta(seconds=1)) is None
    assert gate(policy(windows=windows), end) is not None


def test_hour_that_comes_twice() -> None:
    """Where clocks go back, a window opens at the earlier of two moments and closes at the earlier."""
    assert utc("2026-10-25T00:30") == opens([window("Sun", "02:30", "04:00")], "2026-10-25T00:00")
    assert utc("2026-10-25T01:15") == opens([window("Sun", "02:30", "04:00")], "2026-10-25T01:15")
    assert utc("2026-10-25T00:29") == opens([window("Sun", "01:00", "02:30")], "2026-10-25T00:29")
    assert utc("2026-11-01T00:00") == opens([window("Sun", "01:00", "02:30")], "2026-10-25T00:30")


def test_hour_that_does_not_come() -> None:
    """A window that clocks go forward over is not opened that day, and is not announced."""
    skipped = [window("Sun", "02:30", "03:15")]
    for now in ("2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T01:10", "2026-03-29T01:30"):
        assert utc("2026-04-05T00:30") == opens(skipped, now)


def test_the_callers_zone_does_not_matter() -> None:
    """The same moment gives the same answer, in whichever zone it is told; also in the hour that comes twice."""
    under = policy(
        windows=[window("Sun", "02:15", "02:20")], freezes=[freeze("2026-10-25T02:05", "2026-10-25T02:10")]
    )
    for minutes in range(0, 120, 5):
        now = utc("2026-10-25T00:00") + timedelta(minutes=minutes)
        local = now.astimezone(ZoneInfo(PRAGUE))
        assert closed_gates(under, landed_at=now, now=now) == closed_gates(under, landed_at=local, now=local)


@pytest.mark.parametrize(
    ("is_frozen", "now"),
    [
        (False, "2026-12-18T22:59:59"),
        (True, "2026-12-18T23:00"),
        (True, "2027-01-04T06:59:59"),
        (False, "2027-01-04T07:00"),
    ],
)
def test_freeze_edges(is_frozen: bool, now: str) -> None:  # noqa: FBT001 (a truth table)
    """A freeze begins at its first moment, and is over at its last."""
    closed = gate(policy(freezes=[freeze("2026-12-19T00:00", "2027-01-04T08:00")]), utc(now))
    assert is_frozen == (closed is not None)
    assert closed is None or (closed.code, closed.until) == ("frozen", utc("2027-01-04T07:00"))


@pytest.mark.parametrize(
    ("is_frozen", "now"),
    [
        (False, "2026-10-25T00:29"),
        (True, "2026-10-25T00:30"),  # 02:30 for the first time
        (True, "2026-10-25T01:30"),  # 02:30 for the second time
        (True, "2026-10-25T01:44"),
        (False, "2026-10-25T01:45"),  # 02:45 for the second time
    ],
)
def test_freeze_in_the_hour_that_comes_twice(is_frozen: bool, now: str) -> None:  # noqa: FBT001 (a truth table)
    """Where clocks go back, a freeze is the longest that its words can mean."""
    under = policy(freezes=[freeze("2026-10-25T02:30", "2026-10-25T02:45")])
    assert is_frozen == (gate(under, utc(now)) is not None)


def test_overlapping_freezes() -> None:
    """Of two freezes, the one that lasts longer is told."""
    short, long = (
        freeze("2026-03-01T00:00", "2026-03-03T00:00", name="short"),
        freeze("2026-03-02T00:00", "2026-03-04T00:00", name="long"),
    )
    for freezes in ([short, long], [long, short]):
        closed = gate(policy(freezes=freezes), NOW)
        assert closed is not None
        assert (utc("2026-03-03T23:00"), True) == (closed.until, "long" in closed.sentence)


@pytest.mark.parametrize(("is_soaking", "age"), [(True, 3599), (False, 3600), (False, 3601)])
def test_soak_boundary(is_soaking: bool, age: int) -> None:  # noqa: FBT001 (a truth table)
    """A commit has soaked when it is exactly as old as the policy asks."""
    closed = gate(policy(soak="1h"), NOW, NOW - timedelta(seconds=age))
    assert is_soaking == (closed is not None)
    assert closed is None or closed.until == NOW - timedelta(seconds=age) + timedelta(hours=1)


def test_no_soak_asks_nothing_of_a_clock() -> None:
    """A commit dated in the future, as a wrong clock makes them, moves at once where nothing soaks."""
    assert gate(policy(), NOW, NOW + timedelta(minutes=5)) is None


def test_every_closed_gate_is_told() -> None:
    """All closed gates are returned, so that a permit may override one and see the next."""
    under = policy(
        freezes=[freeze("2026-03-01T00:00", "2026-03-04T00:00")],
        windows=[window("Sun", "08:00", "16:00")],
        soak="1h",
    )
    closed = closed_gates(under, landed_at=NOW, now=NOW)
    assert ["frozen", "outside-window", "soaking"] == [each.code for each in closed]


def test_a_window_is_open_at_its_first_moment() -> None:
    """No gate is closed then, and not one that opens now."""
    assert gate(policy(windows=[window("Mon", "08:00", "16:00")]), utc("2026-03-02T07:00")) is None


def test_no_window_within_a_week() -> None:
    """Clocks go forward over the only one, and the next is more than a week away."""
    closed = gate(policy(windows=[window("Sun", "02:00", "03:00")]), utc("2026-03-28T12:00"))
    assert closed is not None
    assert ("No window is open; none opens within a week.", None) == (closed.sentence, closed.until)


def test_the_next_window_is_the_one_that_opens_first() -> None:
    """By time, and not by the clock: 02:30 does not come that night, and is half past three."""
    windows = [window("Sun", "02:30", "05:00"), window("Sun", "03:10", "05:00")]
    assert utc("2026-03-29T01:10") == opens(windows, "2026-03-28T23:00")


def test_a_week_is_counted_where_the_window_is() -> None:
    """The window has just closed on a Monday that is a Sunday elsewhere."""
    windows = [window("Mon", "08:00", "09:00", "Pacific/Kiritimati")]
    assert utc("2026-03-08T18:00") == opens(windows, "2026-03-01T20:00")


@pytest.mark.parametrize(
    "under",
    [
        policy(freezes=[freeze("2026-03-01T00:00", "2026-03-04T00:00")]),
        policy(windows=[window("Sun", "08:00", "16:00")]),
        policy(soak="1h"),
    ],
)
def test_gates_open_in_utc(under: Policy) -> None:
    """Wherever the policy and the commit are."""
    closed = gate(under, NOW, NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    assert closed is not None
    assert closed.until is not None
    assert closed.until.tzinfo is UTC
