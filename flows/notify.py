"""Tell people where they are: chat, mail and the like through Apprise, and Sentry.

Each message is sent once by its caller's account of what people know already. What cannot be sent is logged, and
never fails what it is about; whether it reached anybody, one address or Sentry with all of it, is for the caller to
remember. A repetition reaches those again whom the first reached: which they were is nowhere kept.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from flows.settings import Settings
from flows.ways.alarm import Alarm
from reconcile.observed import Accepted
from reconcile.render.markdown import shorten
from reconcile.report import News
from state.evidence import Verdict
from state.ids import abbreviate

_log = logging.getLogger(__name__)

_LONGEST_LINE = 1_000
_CALLS = re.compile(r"@(?=\w)|<(?=[!@#&])")


class FlowRun(NamedTuple):
    """The run that has something to say."""

    id: str
    address: str
    """Where people can look at it."""


class Ending(NamedTuple):
    """What ended a run before it had done its work."""

    cause: str
    """The class of the error, which is what the runbook lists."""
    sentence: str


async def notify_news(settings: Settings, accepted: Accepted, news: News) -> bool:
    """Say what a person is needed for since the last message, and what is over; and whether it reached anybody."""
    if news.begun:
        title = f"{len(news.begun)} to look at"
    elif news.standing:
        title = f"{len(news.ended)} over, {news.standing} still to look at"
    else:
        title = "nothing stands in the way"
    return await _tell(
        settings,
        f"{title} ({accepted.version.repository} {abbreviate(accepted.version.commit)})",
        about="reconcile",
        begun=[
            _Cause(key, sentence, "error" if " failed " in key else "warning")
            for key, sentence in news.begun.items()
        ],
        ended=[_Cause(key, f"Over: {key}", "info") for key in news.ended],
    )


async def notify_alarm(settings: Settings, alarm: Alarm, *, run: FlowRun) -> bool:
    """Say which sources of validation stand in a proposal's way or have ceased to; and whether it reached anybody."""
    says = "passes again" if alarm.verdict is Verdict.PASS else f"says {alarm.verdict}"
    return await _tell(
        settings,
        f"validation {says} ({settings.repository})",
        about="validation",
        begun=[
            _Cause(
                each.source,
                f"{each.source} ({each.verdict}): {each.sentence}",
                "error" if each.verdict is Verdict.FAIL else "warning",
                {"source": each.source, "verdict": each.verdict},
            )
            for each in alarm.begun
        ],
        ended=[
            _Cause(source, f"{source}: {sentence}", "info", {"source": source})
            for source, sentence in alarm.ended.items()
        ],
        run=run,
    )


async def notify_ending(
    settings: Settings, flow: str, ending: Ending | None, *, before: str | None, run: FlowRun
) -> bool:
    """Say that a flow's runs fail, or no longer do so as `before`; and whether it reached anybody."""
    over = [_Cause(f"{flow} {before}", f"{flow} ends no longer with {before}.", "info")] if before else []
    begun = []
    if ending:
        text = f"{flow} ended with {ending.cause}: {ending.sentence}"
        begun = [_Cause(f"{flow} {ending.cause}", text, "error", {"cause": ending.cause})]
    title = f"{flow} {'fails' if ending else 'runs again'} ({settings.repository})"
    return await _tell(settings, title, about="run", begun=begun, ended=over, run=run)


class _Cause(NamedTuple):
    """Something that stands in the way, or has ceased to."""

    key: str
    """What makes it the same issue in Sentry, whatever it says."""
    text: str
    level: Literal["error", "warning", "info"]
    tags: Mapping[str, str] = MappingProxyType({})


async def _tell(
    settings: Settings,
    title: str,
    *,
    about: str,
    begun: Sequence[_Cause],
    ended: Sequence[_Cause],
    run: FlowRun | None = None,
) -> bool:
    """Send one message to every address, and one of each cause to Sentry; say whether any of these took it."""
    lines = [_plain(cause.text) for cause in (*begun, *ended)]
    is_heard = await _send(
        settings, title=f"stablehand: {title}", lines=[*lines, *((run.address,) if run else ())]
    )
    if not settings.sentry_dsn:
        return is_heard
    from flows import sentry

    # Beside the issue of a failure, which a message that it is over would open again for people who have closed it.
    messages = [
        sentry.Message(
            text=cause.text,
            level=cause.level,
            fingerprint=(about, settings.repository, cause.key, *rest),
            tags=dict(cause.tags) | ({"flow_run": run.id} if run else {}),
            run=run.address if run else None,
        )
        for causes, rest in ((begun, ()), (ended, ("over",)))
        for cause in causes
    ]
    return await sentry.send(settings, messages) or is_heard


def _plain(text: str) -> str:
    """Bring a sentence, which may quote anybody, to a line that calls nobody: chats act on ``@all``, ``<!here>``."""
    return _CALLS.sub(lambda call: f"{call[0]}\u200b", shorten(text, _LONGEST_LINE))


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
