"""Readiness as truth tables: which signals count, and what they come to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconcile.observed import Signal
from reconcile.readiness import judge_readiness
from state.policy import Ready
from tests.builders import NOW

MOVED = NOW - timedelta(minutes=20)
BEFORE, LATER = MOVED - timedelta(seconds=1), MOVED + timedelta(minutes=1)
APP = ("29076", "packit-as-a-service", "Packit-as-a-Service")


def ready(app: str = "packit-as-a-service", names: Any = "rpm-build:*", within: str = "60m") -> Ready:
    return Ready.model_validate({"check_runs": {"app": app, "names": names}, "within": within})


def statuses(*contexts: str) -> Ready:
    return Ready.model_validate({"statuses": {"contexts": contexts}})


def run(state: str = "success", name: str = "rpm-build:fedora", **rest: Any) -> Signal:
    fields: dict[str, Any] = {"kind": "check_run", "apps": APP, "started_at": LATER}
    return Signal(state=state, name=name, **fields | rest)  # type: ignore[arg-type]  # one of its literals


def status(state: str = "success", name: str = "image", **rest: Any) -> Signal:
    return run(state, name, **{"kind": "status", "apps": ()} | rest)


def found(*signals: Signal, under: Ready | None = None) -> str | None:
    """Say what is missing, without the part of the sentence that is always the same."""
    why = judge_readiness(under or ready(), signals, moved_at=MOVED, now=NOW)
    return why.sentence.removesuffix(" since it moved on 2026-03-02 09:40 UTC") if why else None


NOTHING, RUNS, FAILED = (
    "nothing that counts has started",
    "rpm-build:fedora runs",
    "rpm-build:fedora failed",
)


@pytest.mark.parametrize(
    ("expected", "signals"),
    [
        (NOTHING, ()),
        (None, (run(),)),
        (RUNS, (run("pending"),)),
        (FAILED, (run("failure"),)),
        # only what started after the move
        (NOTHING, (run(started_at=BEFORE),)),
        (NOTHING, (run("failure", started_at=BEFORE),)),
        (None, (run(started_at=MOVED),)),
        (None, (run("failure", started_at=BEFORE), run())),
        # what has not started will start after the move
        (RUNS, (run("pending", started_at=None),)),
        (RUNS, (run(), run("pending", started_at=None))),
        (RUNS, (run("pending", started_at=None), run())),
        # the newest of a name, in whatever order they come
        (None, (run("failure"), run(started_at=NOW))),
        (None, (run(started_at=NOW), run("failure"))),
        (FAILED, (run(), run("failure", started_at=NOW))),
        (RUNS, (run("pending", started_at=NOW), run("failure"))),
        # all of the names
        (None, (run(), run(name="rpm-build:epel"))),
        (RUNS, (run("pending"), run(name="rpm-build:epel"))),
        ("rpm-build:epel and 1 more runs", (run("pending"), run("pending", "rpm-build:epel"))),
        ("rpm-build:epel and 1 more failed", (run("failure"), run("failure", "rpm-build:epel"))),
        ("rpm-build:a and 2 more runs", tuple(run("pending", f"rpm-build:{n}") for n in "cab")),
        # a failure is told before what still runs
        (FAILED, (run("failure"), run("pending", "rpm-build:epel"))),
        # what else there is
        (NOTHING, (run("failure", "tests"),)),
        (None, (run(), run("failure", "tests"))),
        (NOTHING, (run(apps=("29180", "packit-as-a-service-stg", "Packit-as-a-Service-stg")),)),
        (NOTHING, (run(apps=()),)),
        (NOTHING, (status(name="rpm-build:fedora"),)),
    ],
)
def test_check_runs(expected: str | None, signals: tuple[Signal, ...]) -> None:
    assert expected == found(*signals)


@pytest.mark.parametrize(
    ("counts", "app"),
    [
        (True, "29076"),
        (True, "packit-as-a-service"),
        (True, "Packit-as-a-Service"),
        (True, "PACKIT-AS-A-SERVICE"),
        (False, "29180"),
        (False, "2907"),
        (False, "packit-as-a-service-stg"),
        (False, "packit*"),
    ],
)
def test_the_app_by_id_slug_or_name(counts: bool, app: str) -> None:  # noqa: FBT001 (a truth table)
    """Stage and production post under the same names; case does not tell apps apart, and no pattern names one."""
    assert counts == (found(run(), under=ready(app)) is None)


@pytest.mark.parametrize(
    ("counts", "names", "name"),
    [
        (True, "*", "anything"),
        (True, "rpm-build:*", "rpm-build:"),
        (True, ["tests", "rpm-build:*"], "tests"),
        (True, ["tests", "rpm-build:?"], "rpm-build:1"),
        (False, ["tests", "rpm-build:?"], "rpm-build:12"),
        (False, "rpm-build", "rpm-build:fedora"),
        (False, "RPM-build:*", "rpm-build:fedora"),
        (True, "build [x86]", "build [x86]"),
        (False, "build [x86]", "build x"),
        (True, "build [*]", "build [x86]"),
    ],
)
def test_patterns(counts: bool, names: Any, name: str) -> None:  # noqa: FBT001 (a truth table)
    """Stars and question marks; a bracket is a bracket."""
    assert counts == (found(run(name=name), under=ready(names=names)) is None)
    assert counts == (
        found(status(name=name), under=statuses(*([names] if isinstance(names, str) else names))) is None
    )


@pytest.mark.parametrize(
    ("expected", "signals"),
    [
        (NOTHING, ()),
        (None, (status(),)),
        ("image failed", (status("failure"),)),
        ("image runs", (status("pending"),)),
        (NOTHING, (status(started_at=BEFORE),)),
        (NOTHING, (status(name="docs"),)),
        (NOTHING, (run(name="image"),)),
        (None, (status(), run("failure", "image"))),
    ],
)
def test_statuses(expected: str | None, signals: tuple[Signal, ...]) -> None:
    """A status of the name counts whoever posted it; a check run of the name does not."""
    assert expected == found(*signals, under=statuses("image"))


@pytest.mark.parametrize(
    ("is_late", "after"),
    [
        (False, timedelta(minutes=60)),
        (True, timedelta(minutes=60, microseconds=1)),
        (False, timedelta(0)),
    ],
)
def test_late_is_later_than_within(is_late: bool, after: timedelta) -> None:  # noqa: FBT001 (a truth table)
    why = judge_readiness(ready(), (), moved_at=MOVED, now=MOVED + after)
    assert why is not None
    assert (is_late, MOVED + timedelta(minutes=60)) == (why.is_late, why.deadline)


def test_late_and_ready_is_ready() -> None:
    assert judge_readiness(ready(), (run(),), moved_at=MOVED, now=NOW + timedelta(days=7)) is None


@pytest.mark.usefixtures("_elsewhere")
def test_the_sentence_is_in_utc() -> None:
    moved = datetime.fromisoformat("2026-03-02T10:40:00+01:00")
    why = judge_readiness(ready(), (), moved_at=moved, now=NOW)
    assert why is not None
    assert "nothing that counts has started since it moved on 2026-03-02 09:40 UTC" == why.sentence
    assert moved.astimezone(UTC) + timedelta(hours=1) == why.deadline
