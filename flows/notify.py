"""Tell people where they are: chat, mail and the like through Apprise, and Sentry.

Each message is sent once by its caller's account of what people know already. What cannot be sent is logged, and
never fails what it is about.
"""

import asyncio
import logging
from typing import NamedTuple

from flows.settings import Settings
from flows.ways.alarm import Alarm
from reconcile.observed import Accepted
from reconcile.report import News
from state.evidence import Verdict
from state.ids import abbreviate

_log = logging.getLogger(__name__)


class FlowRun(NamedTuple):
    """The run that has something to say."""

    id: str
    address: str
    """Where people can look at it."""


async def notify_news(settings: Settings, accepted: Accepted, news: News) -> None:
    """Say what a person is needed for since the last message, and what is over."""
    where = f"{accepted.version.repository} {abbreviate(accepted.version.commit)}"
    lines = [*news.begun.values(), *(f"Over: {key}" for key in news.ended)]
    title = (
        f"stablehand: {len(news.begun)} to look at" if news.begun else "stablehand: nothing stands in the way"
    )
    await _send(settings, title=f"{title} ({where})", lines=lines)
    if settings.sentry_dsn:
        from flows import sentry

        messages = [
            sentry.Message(
                text=sentence,
                level="error" if " failed " in key else "warning",
                fingerprint=("reconcile", settings.repository, key),
            )
            for key, sentence in news.begun.items()
        ]
        await sentry.send(settings, messages)


async def notify_alarm(settings: Settings, alarm: Alarm, *, run: FlowRun) -> bool:
    """Say which sources of validation stand in a proposal's way, and which do so no longer.

    Returns:
        Whether it reached anybody: one address, or Sentry with all of it.
    """
    said = [f"{each.source} ({each.verdict}): {each.sentence}" for each in alarm.begun]
    over = {source: f"{source}: {sentence}" for source, sentence in alarm.ended.items()}
    says = "passes again" if alarm.verdict is Verdict.PASS else f"says {alarm.verdict}"
    title = f"stablehand: validation {says} ({settings.repository})"
    is_heard = await _send(settings, title=title, lines=[*said, *over.values(), run.address])
    if not settings.sentry_dsn:
        return is_heard
    from flows import sentry

    where = ("validation", settings.repository)
    messages = [
        sentry.Message(
            text=text,
            level="error" if each.verdict is Verdict.FAIL else "warning",
            fingerprint=(*where, each.source),
            tags={"source": each.source, "verdict": each.verdict, "flow_run": run.id},
            run=run.address,
        )
        for text, each in zip(said, alarm.begun, strict=True)
    ]
    # Beside the issue of the failure, which a message would open again for people who have closed it.
    messages += (
        sentry.Message(
            text=text,
            level="info",
            fingerprint=(*where, source, "over"),
            tags={"source": source, "flow_run": run.id},
            run=run.address,
        )
        for source, text in over.items()
    )
    return await sentry.send(settings, messages) or is_heard


async def _send(settings: Settings, *, title: str, lines: list[str]) -> bool:
    """Send to every address, and say whether any of them took it."""
    if not settings.notify_urls:
        return False
    import apprise

    # Its own log shows whole addresses, and these hold passwords; what matters of it is said below.
    logging.getLogger("apprise").disabled = True

    async def send_to(address: str) -> bool:
        sender = apprise.Apprise()
        if not sender.add(address):
            _log.warning("An address in STABLEHAND_NOTIFY_URLS is not one that Apprise knows.")
            return False
        return bool(await sender.async_notify(title=title, body="\n".join(lines), body_format="text"))

    addresses = [each.get_secret_value() for each in settings.notify_urls]
    sent = await asyncio.gather(*map(send_to, addresses))
    if not all(sent):
        _log.warning("A notification could not be sent to every address.")
    return any(sent)
