"""Tell people where they are: chat, mail and the like through Apprise, and Sentry.

Each message is sent once by its caller's account of what people know already. What cannot be sent is logged, and
never fails what it is about.
"""

import logging

from flows.settings import Settings
from reconcile.observed import Accepted
from reconcile.report import News
from state.evidence import Validation, Verdict
from state.ids import abbreviate

_log = logging.getLogger(__name__)


async def notify_news(settings: Settings, accepted: Accepted, news: News) -> None:
    """Say what a person is needed for since the last message, and what is over."""
    where = f"{accepted.version.repository} {abbreviate(accepted.version.commit)}"
    lines = [*news.begun.values(), *(f"Over: {key}" for key in news.ended)]
    title = (
        f"stablehand: {len(news.begun)} to look at" if news.begun else "stablehand: nothing stands in the way"
    )
    await _send(settings, title=f"{title} ({where})", lines=lines)
    for key, sentence in news.begun.items():
        capture(
            settings,
            sentence,
            fingerprint=("reconcile", key),
            level="error" if " failed " in key else "warning",
        )


async def notify_validation(settings: Settings, validation: Validation) -> None:
    """Say that stage cannot be proposed, source by source. A pass is no news."""
    if validation.verdict is Verdict.PASS:
        return
    rest = [each for each in validation.evidence if each.verdict is not Verdict.PASS]
    lines = [f"{each.source}: {each.sentence}" for each in rest]
    await _send(settings, title=f"stablehand: stage validation is {validation.verdict}", lines=lines)
    for each in rest:
        sentence = f"{each.source}: {each.sentence}"
        capture(settings, sentence, fingerprint=("validation", each.source, each.verdict), level="warning")


def capture(settings: Settings, message: str, *, fingerprint: tuple[str, ...], level: str) -> None:
    """Send an event to Sentry, grouped by ``fingerprint``; does nothing without a DSN."""
    if not settings.sentry_dsn:
        return
    import sentry_sdk

    with sentry_sdk.new_scope() as scope:
        if not sentry_sdk.get_client().is_active():
            sentry_sdk.init(settings.sentry_dsn.get_secret_value(), send_default_pii=False)
        scope.fingerprint = list(fingerprint)
        scope.set_tag("repository", settings.repository)
        sentry_sdk.capture_message(message, level=level)  # type: ignore[arg-type]  # its Literal is private
    sentry_sdk.flush(timeout=5)


async def _send(settings: Settings, *, title: str, lines: list[str]) -> None:
    if not settings.notify_urls:
        return
    import apprise

    sender = apprise.Apprise()
    for address in settings.notify_urls:
        if not sender.add(address.get_secret_value()):
            _log.warning("An address in STABLEHAND_NOTIFY_URLS is not one that Apprise knows.")
    if not await sender.async_notify(title=title, body="\n".join(lines), body_format="text"):
        _log.warning("A notification could not be sent to every address.")
