"""What this installation sends to Sentry: messages grouped by their cause, and check-ins of what a schedule runs.

sentry-sdk makes the events, with a client of its own for each errand: nothing else of the process is hooked or
reported. They are posted from here, because its own transport does not say whether they arrived.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from math import ceil
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import httpx
from sentry_sdk import Client, Scope, new_scope
from sentry_sdk.consts import EndpointType
from sentry_sdk.crons import capture_checkin
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from sentry_sdk.utils import BadDsn

from flows.settings import Settings

if TYPE_CHECKING:
    from sentry_sdk._types import MonitorConfig

_log = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(5.0)
_SLUG_LENGTH = 50
"""So much Sentry takes of a monitor's slug."""
_PATIENCE_MINUTES = 15
"""How late a run may begin, for a machine that is busy or starts again, and how long it may take."""


class Message(NamedTuple):
    """One thing to say."""

    text: str
    level: Literal["error", "warning", "info"]
    fingerprint: tuple[str, ...]
    """What makes two messages the same issue."""
    tags: Mapping[str, str] = MappingProxyType({})
    """What people may search for, besides the repository."""
    run: str | None = None
    """Where the run that says it can be looked at."""


class Monitor(NamedTuple):
    """What a schedule runs, as Sentry shall expect it."""

    slug: str
    schedule: "MonitorConfig"


@dataclass(slots=True)
class MonitoredRun:
    """One run of what is monitored; an error unless it is said to be well."""

    is_well: bool = False


async def send(settings: Settings, messages: Sequence[Message]) -> bool:
    """Send the messages, and say whether all of them arrived; without a DSN none does.

    What cannot be sent is logged.
    """

    def capture(scope: Scope) -> None:
        for message in messages:
            scope.capture_message(
                message.text,
                level=message.level,
                fingerprint=list(message.fingerprint),
                tags={"repository": settings.repository, **message.tags},
                contexts={"run": {"address": message.run}} if message.run else {},
            )

    return await _send(settings, capture)


@asynccontextmanager
async def checked_in(settings: Settings, monitor: Monitor) -> AsyncIterator[MonitoredRun]:
    """Tell Sentry that a run begins, and how it ends. What Sentry cannot be told never fails the run."""
    check_in, began = MonitoredRun(), monotonic()
    identity: str | None = None

    def begin(_scope: Scope) -> None:
        nonlocal identity
        identity = capture_checkin(monitor.slug, status="in_progress", monitor_config=monitor.schedule)

    def end(_scope: Scope) -> None:
        capture_checkin(
            monitor.slug,
            identity,
            "ok" if check_in.is_well else "error",
            duration=monotonic() - began,
            monitor_config=monitor.schedule,
        )

    await _send(settings, begin)
    try:
        yield check_in
    finally:
        await _send(settings, end)


def propose_monitor(settings: Settings) -> Monitor:
    """Expect a proposal on the installation's schedule."""
    schedule: MonitorConfig = {
        "schedule": {"type": "crontab", "value": settings.propose_schedule},
        "timezone": settings.propose_zone,
        "checkin_margin": _PATIENCE_MINUTES,
        "max_runtime": _PATIENCE_MINUTES,
    }
    return Monitor(_slug("propose", settings), schedule)


def resync_monitor(settings: Settings) -> Monitor:
    """Expect a resync as often as the installation makes one; Sentry counts in whole minutes."""
    schedule: MonitorConfig = {
        "schedule": {
            "type": "interval",
            "value": ceil(settings.resync / timedelta(minutes=1)),
            "unit": "minute",
        },
        "checkin_margin": _PATIENCE_MINUTES,
        "max_runtime": _PATIENCE_MINUTES,
    }
    return Monitor(_slug("resync", settings), schedule)


def _slug(name: str, settings: Settings) -> str:
    repository = "".join(letter if letter.isalnum() else "-" for letter in settings.repository.lower())
    return f"{name}-{repository}"[:_SLUG_LENGTH]


class _Outbox(Transport):
    """Keeps what the client makes, to be posted where it is known what became of it."""

    def __init__(self, dsn: str) -> None:
        super().__init__({"dsn": dsn})
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)


async def _send(settings: Settings, capture: Callable[[Scope], None]) -> bool:
    if not settings.sentry_dsn:
        return False
    dsn = settings.sentry_dsn.get_secret_value()
    try:
        outbox = _Outbox(dsn)
    except BadDsn:  # its text may hold what is secret
        _log.warning("STABLEHAND_SENTRY_DSN is no DSN, so Sentry is told nothing.")
        return False
    client = Client(
        dsn=dsn,
        transport=outbox,
        release=f"stablehand@{version('stablehand')}",
        default_integrations=False,
        auto_enabling_integrations=False,
        max_breadcrumbs=0,
    )
    with new_scope() as scope:
        scope.clear()
        scope.set_client(client)
        capture(scope)
    client.close()
    return await _post(outbox)


async def _post(outbox: _Outbox) -> bool:
    assert outbox.parsed_dsn, "it was made from a DSN"
    auth = outbox.parsed_dsn.to_auth("stablehand")
    headers = {"Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": auth.to_header()}
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, headers=headers) as client:
            for envelope in outbox.envelopes:
                answer = await client.post(
                    auth.get_api_url(EndpointType.ENVELOPE), content=envelope.serialize()
                )
                answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        _log.warning("Sentry did not take what it was sent: it answered %s.", error.response.status_code)
        return False
    except httpx.HTTPError as error:
        _log.warning("Sentry could not be reached: %s.", type(error).__name__)
        return False
    return True
