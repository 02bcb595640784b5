"""An alarm is told once, told again when it changes, and once more when it is over; whoever races or fails."""

from dataclasses import dataclass, field, replace
from itertools import product

import pytest

from flows.ways.alarm import Alarm, alarm_since, causes_of, plain_steps, raise_alarm
from flows.ways.propose import ProposeAction, ProposeReport
from reconcile.errors import StaleHeadError, UnreachableError
from reconcile.observed import ReleaseState
from state.evidence import Evidence, Validation, Verdict
from state.ledger import Ledger, LedgerError, dump_ledger, parse_ledger
from tests.builders import NOW
from tests.fakes import FakeGitHub
from tests.flows.world import OGR, World

HELLO, SENTRY = "check_runs packit/hello-world", "sentry example/packit-service"
PASS, FAIL, SILENT = Verdict.PASS, Verdict.FAIL, Verdict.NO_EVIDENCE


def evidence(source: str, verdict: Verdict) -> Evidence:
    return Evidence(
        source=source, verdict=verdict, sentence="It was looked at.", began_at=None, expires_at=None
    )


def report(*said: tuple[str, Verdict], action: ProposeAction | None = None) -> ProposeReport:
    validation = Validation(at=NOW, evidence=tuple(evidence(*each) for each in said))
    return ProposeReport(
        verdict=validation.verdict,
        validation=validation,
        candidates=(),
        action=action or ("opened" if validation.verdict is PASS else "not-proposed"),
        sentence="",
    )


@dataclass
class Told:
    """People, and the ledger that remembers what they know."""

    github: FakeGitHub = field(default_factory=FakeGitHub)
    alarms: list[Alarm] = field(default_factory=list)
    is_reached: bool = True

    def __post_init__(self) -> None:
        self.github.ledger.append(("0" * 40, dump_ledger(Ledger(notified=("packit/ogr held",)))))

    @property
    def ledger(self) -> Ledger:
        return parse_ledger(self.github.ledger[-1][1])

    async def tell(self, alarm: Alarm) -> bool:
        self.alarms.append(alarm)
        return self.is_reached

    async def run(self, *said: tuple[str, Verdict]) -> Alarm:
        return await raise_alarm(plain_steps(self.github, self.tell), report(*said))


@pytest.fixture
def told() -> Told:
    return Told()


async def test_failure_is_told_once(told: Told) -> None:
    """A repeat says nothing, and writes nothing."""
    await told.run((HELLO, FAIL), (SENTRY, PASS))
    (alarm,) = told.alarms
    assert (FAIL, (evidence(HELLO, FAIL),), {}) == (alarm.verdict, alarm.begun, alarm.ended)
    versions = len(told.github.ledger)
    for _ in range(3):
        assert not (await told.run((HELLO, FAIL), (SENTRY, PASS))).is_news
    assert (1, versions) == (len(told.alarms), len(told.github.ledger))


async def test_another_verdict_is_news(told: Told) -> None:
    """The source that changed is told; the one that still fails is not, and neither is said to be over."""
    await told.run((HELLO, FAIL), (SENTRY, FAIL))
    alarm = await told.run((HELLO, SILENT), (SENTRY, FAIL))
    assert ((evidence(HELLO, SILENT),), {}) == (alarm.begun, alarm.ended)


async def test_recovery_is_told_once(told: Told) -> None:
    await told.run((HELLO, FAIL), (SENTRY, FAIL))
    partly = await told.run((HELLO, PASS), (SENTRY, FAIL))
    assert (FAIL, (), {HELLO: "It passes again."}) == (partly.verdict, partly.begun, partly.ended)
    wholly = await told.run((HELLO, PASS), (SENTRY, PASS))
    assert (PASS, (), {SENTRY: "It passes again."}) == (wholly.verdict, wholly.begun, wholly.ended)
    await told.run((HELLO, PASS), (SENTRY, PASS))
    assert (3, {}) == (len(told.alarms), told.ledger.alarms)


async def test_failure_after_a_recovery_is_told_again(told: Told) -> None:
    for verdict in (FAIL, PASS, FAIL):
        await told.run((HELLO, verdict))
    assert [1, 0, 1] == [len(alarm.begun) for alarm in told.alarms]


async def test_source_that_the_policy_drops(told: Told) -> None:
    """It does not pass again: nobody asks it."""
    await told.run((HELLO, FAIL), (SENTRY, PASS))
    assert {HELLO: "It is asked no longer."} == (await told.run((SENTRY, PASS))).ended


async def test_pass_at_the_start_is_no_news(told: Told) -> None:
    await told.run((HELLO, PASS))
    assert ([], 1) == (told.alarms, len(told.github.ledger))


async def test_without_a_ledger_there_is_no_memory(told: Told) -> None:
    """A ledger is not begun here, or the fleet would count as adopted; so people are told every time."""
    told.github.ledger.clear()
    await told.run((HELLO, FAIL))
    await told.run((HELLO, FAIL))
    assert (2, []) == (len(told.alarms), told.github.ledger)


async def test_what_reached_nobody_is_told_again(told: Told) -> None:
    told.is_reached = False
    await told.run((HELLO, FAIL))
    assert {} == told.ledger.alarms
    told.is_reached = True
    await told.run((HELLO, FAIL))
    await told.run((HELLO, FAIL))
    assert (2, {HELLO: FAIL}) == (len(told.alarms), told.ledger.alarms)


async def test_ledger_that_somebody_else_writes_first(told: Told) -> None:
    """People hear it once, and what the other has written stays."""

    async def tell_slowly(alarm: Alarm) -> bool:
        other = told.ledger.model_copy(update={"notified": ("packit/tokman held",)})
        await told.github.store_ledger(
            dump_ledger(other), expected_head=told.github.ledger[-1][0], message="Other"
        )
        return await told.tell(alarm)

    await raise_alarm(plain_steps(told.github, tell_slowly), report((HELLO, FAIL)))
    assert 1 == len(told.alarms)
    assert (("packit/tokman held",), {HELLO: FAIL}) == (told.ledger.notified, told.ledger.alarms)


async def test_ledger_that_others_keep_writing(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    """It is given up; the next run tells people again rather than never."""

    async def lose(found: ReleaseState, ledger: Ledger) -> None:
        raise StaleHeadError("The ledger is elsewhere.")

    steps = replace(plain_steps(told.github, told.tell), record=lose)
    await raise_alarm(steps, report((HELLO, FAIL)))
    assert (1, {}) == (len(told.alarms), told.ledger.alarms)
    assert "tells people the same again" in caplog.text


async def test_run_that_dies_after_telling(told: Told) -> None:
    """At least once: the next run tells it again."""

    async def die(found: ReleaseState, ledger: Ledger) -> None:
        raise UnreachableError("GitHub does not answer.")

    with pytest.raises(UnreachableError):
        await raise_alarm(replace(plain_steps(told.github, told.tell), record=die), report((HELLO, FAIL)))
    await told.run((HELLO, FAIL))
    assert 2 == len(told.alarms)


async def test_ledger_that_cannot_be_read(told: Told) -> None:
    told.github.ledger.append(("1" * 40, "{}}"))
    with pytest.raises(LedgerError):
        await told.run((HELLO, FAIL))
    assert [] == told.alarms


async def test_reconcile_and_alarm_leave_each_others_memory_alone(world: World, told: Told) -> None:
    """On one ledger: what ends for one of them does not end for the other."""

    async def alarm(verdict: Verdict) -> Ledger:
        async with world.connect() as github:
            await raise_alarm(plain_steps(github, told.tell), report((HELLO, verdict)))
        return world.ledger

    await world.reconcile()
    world.push(OGR, world.commits[OGR][1])
    await world.reconcile()
    (held,) = world.ledger.notified
    assert ((held,), {HELLO: FAIL}) == ((failing := await alarm(FAIL)).notified, failing.alarms)
    world.push(OGR, world.commits[OGR][0])
    await world.reconcile()
    assert ((), {HELLO: FAIL}) == (world.ledger.notified, world.ledger.alarms)
    world.push(OGR, world.commits[OGR][1])
    await world.reconcile()
    assert ((held,), {}) == ((passing := await alarm(PASS)).notified, passing.alarms)
    assert [(1, 0), (0, 1)] == [(len(each.begun), len(each.ended)) for each in told.alarms]


def test_policy_without_sources() -> None:
    """Where that is why nothing is proposed, it is a cause of its own; a proposal that goes on has none."""
    (cause,) = causes_of(report())
    assert (SILENT, "The policy names no source of evidence.") == (cause.verdict, cause.sentence)
    assert () == causes_of(report(action="opened"))


def test_two_sources_that_are_named_alike() -> None:
    """The one that failed counts, whichever comes first, and a repeat is none."""
    for pair in ((HELLO, FAIL), (HELLO, SILENT)), ((HELLO, SILENT), (HELLO, FAIL)):
        said = report(*pair)
        assert 2 == len(alarm_since({}, causes_of(said), said.validation).begun)
        assert not alarm_since({HELLO: FAIL}, causes_of(said), said.validation).is_news


@pytest.mark.parametrize(("before", "now"), list(product(Verdict, repeat=2)))
def test_news_is_what_differs(before: Verdict, now: Verdict) -> None:
    """Of one source: news exactly where the verdict is another one."""
    told = {} if before is PASS else {HELLO: before}
    said = report((HELLO, now))
    alarm = alarm_since(told, causes_of(said), said.validation)
    assert (before is not now) == alarm.is_news
    assert (now is not PASS and before is not now) == bool(alarm.begun)
    assert (now is PASS and before is not PASS) == bool(alarm.ended)
