"""Leaf types and moments at their edges."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from state.document import Hold, Moment, Target, locate_in_zone
from state.ids import BranchName, Duration, RepositoryName, Sha, dump_duration, parse_duration
from state.policy import Days, Freeze, RepositoryPath, Reviewer, Weekday, Window

PRAGUE = ZoneInfo("Europe/Prague")
"""Clocks go forward over 02:30 on 2026-03-29, and come back to it on 2026-10-25."""


def read(kind: Any, text: str) -> Any:
    return TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("packit/ogr", "Packit/OGR"),
        ("octo_acme/a.b", "octo_acme/a.b"),
        ("a/.github", "a/.github"),
        ("a/...", "a/..."),
    ],
)
def test_repository_names(expected: str, text: str) -> None:
    """Case is folded, and whatever GitHub allows is a name."""
    assert expected == read(RepositoryName, text)


@pytest.mark.parametrize(
    "text", ["ogr", "a/b/c", "a/", "/b", "a/..", "a/.", "-a/b", "a b/c", "pac\u212ait/ogr", "a/b\n"]
)
def test_no_repository_names(text: str) -> None:
    """What could lead elsewhere in a path, or only looks like a name, is none."""
    with pytest.raises(ValidationError, match="is not a repository: write owner/name"):
        read(RepositoryName, text)


@pytest.mark.parametrize(
    "text", ["", "a b", "a..b", "a~1", "a.lock", "/a", "a/", "-a", "@", "HEAD", "refs/heads/a", "a\n"]
)
def test_no_branch_names(text: str) -> None:
    """What git would refuse, or read as something else, is no branch."""
    with pytest.raises(ValidationError, match="is not a branch name"):
        read(BranchName, text)


@pytest.mark.parametrize("text", ["", "main", "d35040g", "d" * 41, "d" * 39 + "\n"])
def test_no_shas(text: str) -> None:
    """A name, a typing error and a digit too many are told apart from an abbreviation."""
    with pytest.raises(ValidationError, match="is not a commit: write a full sha of 40 hex digits"):
        read(Sha, text)


def test_zeros_are_a_place_to_come_from_only() -> None:
    """A ref may be missing before a move, never after it."""
    assert "0" * 40 == read(Sha, "0" * 40)
    with pytest.raises(ValidationError, match="nothing is ever deleted"):
        read(Target, "0" * 40)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("60m", timedelta(hours=1)),
        ("0h", timedelta(0)),
        ("366d", timedelta(days=366)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    """A length of time has one unit, and survives being written."""
    assert length == parse_duration(text) == read(Duration, text)
    assert length == parse_duration(dump_duration(length))


@pytest.mark.parametrize("text", ["60", "1h30m", "-1h", "1 h", "PT1H", "٣h", "367d", "999999h"])
def test_no_durations(text: str) -> None:
    """No sum, no sign, no foreign digits, and nothing that would run off the calendar."""
    with pytest.raises(ValueError, match="write"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (datetime(2026, 12, 1, 7, tzinfo=UTC), "2026-12-01T08:00 Europe/Prague"),
        (datetime(2026, 12, 1, 7, tzinfo=UTC), "2026-12-01 08:00 Europe/Prague"),
        (datetime(2026, 12, 1, 6, 0, 30, tzinfo=UTC), "2026-12-01T08:00:30+02:00"),
        (datetime(2026, 12, 1, 8, tzinfo=UTC), "2026-12-01T08:00Z"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T02:30 Europe/Prague"),
    ],
)
def test_moments(expected: datetime, text: str) -> None:
    """A local time with a zone, or a time with an offset; what comes twice is the first."""
    moment = read(Moment, text)

    assert expected == moment.astimezone(UTC)
    assert moment == read(Moment, TypeAdapter(Moment).dump_python(moment))


def test_a_second_half_past_two_survives() -> None:
    """Where a zone cannot say which of two equal local times is meant, the offset is written."""
    second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=PRAGUE)

    written = Hold(reason="clocks", until=second).model_dump(mode="json")["until"]

    assert "2026-10-25T02:30+01:00" == written
    assert second.astimezone(UTC) == read(Moment, written).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-12-01T08:00", "has no zone: write a local time and a zone"),
        ("2026-12-01T08:00+01:00 Europe/Prague", "has an offset and a zone: keep one"),
        ("2026-12-01 Europe/Prague", "is not a moment"),
        ("1926-12-01T08:00 Europe/Prague", "is not a moment"),
        ("2026-02-30T08:00 Europe/Prague", "does not exist .day is out of range for month."),
        ("2026-12-01T08:00+25:00", "does not exist"),
        ("2026-12-01T08:00 Prague", "is not a time zone"),
        ("2026-12-01T08:00 ../etc/passwd", "is not a time zone"),
        ("2026-03-29T02:30 Europe/Prague", "there is no 02:30 in Europe/Prague on 2026-03-29"),
    ],
)
def test_no_moments(text: str, message: str) -> None:
    """What is no moment, or never comes, is refused with what to write."""
    with pytest.raises(ValidationError, match=message):
        read(Moment, text)


def test_local_times_that_come_twice() -> None:
    """Where clocks go back, both readings can be had."""
    local = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 (a local time is what this is about)

    assert timedelta(hours=1) == (
        locate_in_zone(local, PRAGUE, later=True).astimezone(UTC)
        - locate_in_zone(local, PRAGUE).astimezone(UTC)
    )


@pytest.mark.parametrize(
    ("expected", "days"),
    [
        ("Mon Tue Wed Thu", "Mon-Thu"),
        ("Mon Fri Sat Sun", "Fri-Mon"),
        ("Mon Wed Fri", "fri, mon,WED"),
        ("Tue", "Tue-Tue"),
        ("Mon Tue Wed", "Mon-Tue, Tue-Wed"),
        ("Mon Tue Wed Thu Fri Sat Sun", "Mon-Sun"),
    ],
)
def test_days(expected: str, days: str) -> None:
    """Ranges may run over the week's end; however it is written, Monday comes first."""
    assert tuple(expected.split()) == read(Days, days)


@pytest.mark.parametrize("days", ["", "Mon-", "-Mon", "Monday", "Mon Tue", "Mon-Wed-Fri", "Mon,"])
def test_no_days(days: str) -> None:
    """Half a range and a full name are no days."""
    with pytest.raises(ValidationError, match="is not a list of days"):
        read(Days, days)


def test_days_as_a_list() -> None:
    """Every day is a day by itself."""
    assert get_args(Weekday) == TypeAdapter(Days).validate_python(list(get_args(Weekday)))


def test_a_window_survives_being_written() -> None:
    """Times of day are written as they are read."""
    window = Window.model_validate({"days": "Mon", "from": "08:00", "until": "00:00", "zone": "UTC"})

    assert window == Window.model_validate(window.model_dump(mode="json", by_alias=True))


def freeze(from_: str, until: str) -> Freeze:
    return Freeze.model_validate({"name": "holidays", "from": from_, "until": until, "zone": PRAGUE.key})


def test_a_freeze_is_as_long_as_it_may_be_read() -> None:
    """Where clocks go back, a freeze begins with the first and ends with the second reading."""
    night = freeze("2026-10-25T02:00", "2026-10-25T02:30")

    assert timedelta(minutes=90) == night.ends_at.astimezone(UTC) - night.starts_at.astimezone(UTC)


@pytest.mark.parametrize(
    ("from_", "until", "message"),
    [
        ("2026-12-19T00:00", "2026-12-18T00:00", "ends before it starts"),
        ("2026-12-19T00:00", "2026-12-19T00:00", "ends before it starts"),
        ("2026-12-19T00:00", "2027-03-28T02:30", "there is no 02:30"),
    ],
)
def test_no_freezes(from_: str, until: str, message: str) -> None:
    """A freeze that would never hold is refused."""
    with pytest.raises(ValidationError, match=message):
        freeze(from_, until)


@pytest.mark.parametrize(
    ("expected", "text"), [("a/b", " a/b/ "), (".github/workflows", ".github/workflows"), ("x.py", "x.py")]
)
def test_paths_of_a_repository(expected: str, text: str) -> None:
    """A folder is itself with or without the stroke at its end."""
    assert expected == read(RepositoryPath, text)


@pytest.mark.parametrize("text", ["", "/", "/etc", "a/../b", "*.py", "a\\b", "C:a", "a\nb"])
def test_no_paths_of_a_repository(text: str) -> None:
    """Patterns would promise what comparing trees cannot keep."""
    with pytest.raises(ValidationError, match="is not a path"):
        read(RepositoryPath, text)


@pytest.mark.parametrize("text", ["alice", "octo_acme", "packit/the-packit-team"])
def test_reviewers(text: str) -> None:
    """A person or a team."""
    assert text == read(Reviewer, text)


@pytest.mark.parametrize("text", ["", "@alice", "a/b/c", "a b", "packit/"])
def test_no_reviewers(text: str) -> None:
    """What GitHub would never find is refused in the document."""
    with pytest.raises(ValidationError, match="is not a reviewer"):
        read(Reviewer, text)
