"""Alarms as a real server has them: Bugsink, which takes what Sentry's SDK sends.

It keeps no check-ins; those are in `test_sentry`.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.notify import FlowRun, notify_alarm
from flows.sentry import checked_in, propose_monitor
from flows.settings import Settings
from flows.ways.alarm import plain_steps, raise_alarm
from state.evidence import Verdict
from tests.flows.bugsink import VERSION, Bugsink, NotInstalledError, install, serving
from tests.flows.test_alarm import FAIL, HELLO, PASS, SENTRY, Told, report

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bugsink(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    assert request.config.cache is not None
    try:
        environment = install(Path(request.config.cache.mkdir(f"bugsink-{VERSION}")))
    except NotInstalledError as error:
        if os.environ.get("STABLEHAND_REQUIRE_ALL") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with serving(environment, tmp_path_factory.mktemp("bugsink")) as server:
        yield server


@pytest.fixture
def settings(bugsink: Bugsink) -> Settings:
    return Settings(
        _env_file=None,
        repository="packit/release-state",
        token=SecretStr("ghp_secret"),
        sentry_dsn=SecretStr(bugsink.dsn),
    )


async def test_weeks_of_validation(bugsink: Bugsink, settings: Settings) -> None:
    """A failure that lasts is one event; one that comes back is another of the same issue, whatever it says."""
    told = Told()

    async def week(number: int, hello: Verdict, sentry: Verdict) -> None:
        run = FlowRun(f"run-{number}", f"http://prefect.example/runs/flow-run/run-{number}")
        steps = plain_steps(told.github, partial(notify_alarm, settings, run=run))
        await raise_alarm(steps, report((HELLO, hello), (SENTRY, sentry)))

    await week(1, FAIL, PASS)
    await week(2, FAIL, PASS)
    await week(3, FAIL, FAIL)
    assert [1, 1] == [each["digested_event_count"] for each in bugsink.issues]
    await week(4, PASS, PASS)
    await week(5, FAIL, PASS)

    counts = sorted(each["digested_event_count"] for each in bugsink.issues)
    assert [1, 1, 1, 2] == counts, "two sources that failed, one of them twice, and two that passed again"
    (again,) = (each for each in bugsink.issues if each["digested_event_count"] == 2)
    events = {event["tags"]["flow_run"]: event for event in bugsink.events(again["id"])}
    assert {"run-1", "run-5"} == events.keys()
    for run, event in events.items():
        assert ["validation", "packit/release-state", HELLO] == event["fingerprint"]
        assert ("error", f"{HELLO} (fail): It was looked at.") == (event["level"], event["message"])
        assert {
            "repository": "packit/release-state",
            "source": HELLO,
            "verdict": "fail",
            "flow_run": run,
        } == event["tags"]
        assert {"address": f"http://prefect.example/runs/flow-run/{run}"} == event["contexts"]["run"]


async def test_check_ins_are_taken(
    bugsink: Bugsink, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that keeps none answers them as well, and makes no issue of them."""
    before = len(bugsink.issues)
    async with checked_in(settings, propose_monitor(settings)) as check_in:
        check_in.is_well = True
    assert (before, "") == (len(bugsink.issues), caplog.text)


async def test_key_that_is_not_the_projects(
    bugsink: Bugsink, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """People were not told, so it is not recorded that they were."""
    scheme, _, rest = bugsink.dsn.partition("://")
    wrong = settings.model_copy(
        update={"sentry_dsn": SecretStr(f"{scheme}://{'0' * 32}@{rest.partition('@')[2]}")}
    )
    told = Told()
    run = FlowRun("run-1", "flow run run-1")
    await raise_alarm(plain_steps(told.github, partial(notify_alarm, wrong, run=run)), report((HELLO, FAIL)))
    assert {} == told.ledger.alarms
    assert "Sentry did not take what it was sent" in caplog.text
