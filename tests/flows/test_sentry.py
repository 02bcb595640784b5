"""What is sent to Sentry and to chats, byte by byte, against a local server that only notes what it gets.

`test_bugsink` has a real server for the messages; check-ins are what it does not keep.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from flows.notify import FlowRun, notify_alarm
from flows.sentry import Message, checked_in, propose_monitor, resync_monitor, send
from flows.settings import Settings
from flows.ways.alarm import Alarm
from state.evidence import Verdict
from tests.flows.receiver import Receiver, receiving
from tests.flows.test_alarm import FAIL, HELLO, PASS, SENTRY, SILENT, evidence

# Apprise imports all of its plugins at once, and one of them a module that Python 3.13 has no more.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

RUN = FlowRun("0c7f", "http://prefect.example/runs/flow-run/0c7f")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, repository="packit/release-state", token=SecretStr("ghp_secret"), **given)


def to_sentry(receiver: Receiver) -> Settings:
    return settings(sentry_dsn=SecretStr(receiver.dsn))


def to_chats(*addresses: str) -> Settings:
    return settings(notify_urls=tuple(SecretStr(each) for each in addresses))


def alarm(*begun: tuple[str, Verdict], ended: tuple[str, ...] = ()) -> Alarm:
    return Alarm(
        verdict=FAIL if begun else PASS,
        begun=tuple(evidence(*each) for each in begun),
        ended=dict.fromkeys(ended, "It passes again."),
    )


async def test_message_of_each_source(receiver: Receiver) -> None:
    """Grouped by source, to be searched by verdict and run, with the way to the run."""
    assert await notify_alarm(to_sentry(receiver), alarm((HELLO, FAIL), (SENTRY, SILENT)), run=RUN)
    failed, silent = receiver.items
    assert (f"{HELLO} (fail): It was looked at.", "error") == (failed["message"], failed["level"])
    assert ["validation", "packit/release-state", HELLO] == failed["fingerprint"]
    assert {
        "repository": "packit/release-state",
        "source": HELLO,
        "verdict": "fail",
        "flow_run": "0c7f",
    } == failed["tags"]
    assert {"address": RUN.address} == failed["contexts"]["run"]
    assert ("warning", "no-evidence") == (silent["level"], silent["tags"]["verdict"])
    assert failed["fingerprint"] != silent["fingerprint"]


async def test_recovery_is_an_issue_of_its_own(receiver: Receiver) -> None:
    await notify_alarm(to_sentry(receiver), alarm(ended=(HELLO,)), run=RUN)
    (over,) = receiver.items
    assert ("info", f"{HELLO}: It passes again.") == (over["level"], over["message"])
    assert ["validation", "packit/release-state", HELLO, "over"] == over["fingerprint"]


async def test_one_message_to_a_chat(receiver: Receiver) -> None:
    """Whatever the number of sources."""
    said = alarm((HELLO, FAIL), (SENTRY, SILENT))
    assert await notify_alarm(to_chats(receiver.address), said, run=RUN)
    (note,) = receiver.notes
    assert "stablehand: validation says fail (packit/release-state)" == note["title"]
    assert [
        f"{HELLO} (fail): It was looked at.",
        f"{SENTRY} (no-evidence): It was looked at.",
        RUN.address,
    ] == note["message"].splitlines()


async def test_recovery_in_a_chat(receiver: Receiver) -> None:
    await notify_alarm(to_chats(receiver.address), alarm(ended=(HELLO,)), run=RUN)
    (note,) = receiver.notes
    assert "stablehand: validation passes again (packit/release-state)" == note["title"]
    assert [f"{HELLO}: It passes again.", RUN.address] == note["message"].splitlines()


async def test_who_is_reached(receiver: Receiver) -> None:
    """Anybody counts: a broken address beside one that works is no reason to tell people over and over."""
    said = alarm((HELLO, FAIL))
    with receiving() as broken:
        broken.status = 500
        assert not await notify_alarm(to_sentry(broken), said, run=RUN)
        assert not await notify_alarm(to_chats(broken.address), said, run=RUN)
        assert await notify_alarm(to_chats(broken.address, receiver.address), said, run=RUN)
        both = settings(sentry_dsn=SecretStr(broken.dsn), notify_urls=(SecretStr(receiver.address),))
        assert await notify_alarm(both, said, run=RUN)
    assert not await notify_alarm(settings(), said, run=RUN)


async def test_nothing_secret_is_sent_or_logged(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """Also where nobody answers, or what is configured is wrong."""
    said, gone = alarm((HELLO, FAIL)), "http://a1b2c3:hunter2@127.0.0.1:9/1"
    for dsn in (receiver.dsn, gone, "hunter2", "https://hunter2"):
        await notify_alarm(settings(sentry_dsn=SecretStr(dsn)), said, run=RUN)
    receiver.status = 403
    await notify_alarm(to_sentry(receiver), said, run=RUN)
    await notify_alarm(to_chats(receiver.address, "nonsense://hunter2"), said, run=RUN)
    sent = b"".join(receiver.bodies).decode() + caplog.text
    assert "hunter2" not in sent
    assert "ghp_secret" not in sent
    assert "STABLEHAND_SENTRY_DSN is no DSN" in caplog.text
    assert "it answered 403" in caplog.text


async def test_nothing_but_what_is_said(receiver: Receiver) -> None:
    """No person, no variables, no trail of what the process did before."""
    await send(to_sentry(receiver), [Message("Look at it.", "warning", ("it",))])
    (event,) = receiver.items
    assert {"user", "request", "exception", "modules", "extra"}.isdisjoint(event)
    assert {"values": []} == event["breadcrumbs"]
    assert {"repository": "packit/release-state"} == event["tags"]


class TestCheckIns:
    """A scheduled run says that it begins and how it ends."""

    @pytest.mark.parametrize(("is_well", "status"), [(True, "ok"), (False, "error")])
    async def test_both_ends(self, receiver: Receiver, *, is_well: bool, status: str) -> None:
        given = to_sentry(receiver)
        async with checked_in(given, propose_monitor(given)) as check_in:
            check_in.is_well = is_well
        began, ended = receiver.items
        assert ("in_progress", status) == (began["status"], ended["status"])
        assert began["check_in_id"] == ended["check_in_id"]
        assert {"propose-packit-release-state"} == {began["monitor_slug"], ended["monitor_slug"]}

    async def test_run_that_breaks(self, receiver: Receiver) -> None:
        given = to_sentry(receiver)
        with pytest.raises(asyncio.CancelledError):
            async with checked_in(given, resync_monitor(given)):
                raise asyncio.CancelledError
        assert "error" == receiver.items[-1]["status"]

    async def test_monitors_make_themselves(self, receiver: Receiver) -> None:
        """Sentry learns the schedule from the first check-in."""
        given = to_sentry(receiver).model_copy(
            update={"propose_zone": "Europe/Prague", "resync": timedelta(seconds=90)}
        )
        for monitor in propose_monitor(given), resync_monitor(given):
            async with checked_in(given, monitor):
                pass
        proposing, resyncing = (item["monitor_config"] for item in receiver.items[::2])
        assert {"type": "crontab", "value": "30 7 * * 1"} == proposing["schedule"]
        assert "Europe/Prague" == proposing["timezone"]
        assert {"type": "interval", "value": 2, "unit": "minute"} == resyncing["schedule"]

    async def test_sentry_that_is_down_fails_no_run(self, receiver: Receiver) -> None:
        receiver.status = 503
        given = to_sentry(receiver)
        async with checked_in(given, propose_monitor(given)) as check_in:
            check_in.is_well = True
        assert 2 == len(receiver.items)

    async def test_without_a_dsn(self) -> None:
        async with checked_in(settings(), propose_monitor(settings())) as check_in:
            check_in.is_well = True

    def test_slug_of_a_long_name(self) -> None:
        """Sentry takes fifty characters of small letters, digits and dashes."""
        given = settings().model_copy(
            update={"repository": "Example-Organization/the.release_state-" + "x" * 40}
        )
        slug = propose_monitor(given).slug
        assert (50, "propose-example-organization-the-release-state-xxx") == (len(slug), slug)
