"""Alarm: tell people what a proposal that nobody looks at found wrong with stage, once, and once when it is over.

What they know is in the ledger, beside what reconcile has told them. Each touches only its own, and neither begins a
ledger here: that is reconcile's, since a fleet without one is adopted. Without a ledger people are told every time.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from flows.ways.propose import ProposeReport
from reconcile.errors import StaleHeadError
from reconcile.observed import ReleaseState
from reconcile.ports import LedgerWriter, ReleaseStateReader
from state.evidence import Evidence, Validation, Verdict
from state.ids import Frozen
from state.ledger import Ledger, dump_ledger, parse_ledger

_log = logging.getLogger(__name__)

_TRIES = 3
"""How often it is recorded what people know, while others write the ledger."""


class Alarm(Frozen):
    """What changed about validation since people were last told."""

    verdict: Verdict
    """What validation comes to now."""
    begun: tuple[Evidence, ...]
    """What does not pass, and did not say so yet."""
    ended: dict[str, str]
    """Sources that people were told about and that stand in the way no longer, with what became of them."""

    @property
    def is_news(self) -> bool:
        return bool(self.begun or self.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSteps:
    """What an alarm reads and writes, by name."""

    load: Callable[[], Awaitable[ReleaseState]]
    tell: Callable[[Alarm], Awaitable[bool]]
    """Say whether it reached anybody. Raises nothing of ours."""
    record: Callable[[ReleaseState, Ledger], Awaitable[None]]
    """Store the ledger on top of the one that was loaded."""


class GitHubPorts(LedgerWriter, ReleaseStateReader, Protocol):
    """All that the plain steps need of GitHub."""


async def raise_alarm(steps: AlarmSteps, report: ProposeReport) -> Alarm:
    """Tell people what they do not know yet, then record that they do.

    In this order, so that a run that dies in between tells them again rather than never. What reached nobody is not
    recorded, so the next run tries again.

    Raises:
        LedgerError: The ledger cannot be read; nobody was told.
        ReconcileError: GitHub could not be read or written.
    """
    validation, causes = report.validation, causes_of(report)
    is_told = False
    for _ in range(_TRIES):
        found = await steps.load()
        ledger = parse_ledger(found.ledger_text) if found.ledger_text else None
        news = alarm_since(ledger.alarms if ledger else {}, causes, validation)
        if not news.is_news:
            break
        is_told = is_told or await steps.tell(news)
        if ledger is None or not is_told:
            break
        try:
            await steps.record(found, ledger.model_copy(update={"alarms": _verdicts(causes)}))
            break
        except StaleHeadError:
            continue
    else:
        _log.warning("Others kept writing the ledger, so the next scheduled run tells people the same again.")
    return news


def causes_of(report: ProposeReport) -> tuple[Evidence, ...]:
    """List what does not pass, and the want of any source where that is why nothing is proposed."""
    rest = tuple(each for each in report.validation.evidence if each.verdict is not Verdict.PASS)
    if rest or report.action != "not-proposed":
        return rest
    nothing = Evidence(
        source="validation",
        verdict=report.verdict,
        sentence="The policy names no source of evidence.",
        began_at=None,
        expires_at=None,
    )
    return (nothing,)


def alarm_since(told: Mapping[str, Verdict], causes: tuple[Evidence, ...], validation: Validation) -> Alarm:
    """Compare what stands with what people know. A source is news again when its verdict is another one."""
    standing, asked = _verdicts(causes), {each.source for each in validation.evidence}
    return Alarm(
        verdict=validation.verdict,
        begun=tuple(each for each in causes if told.get(each.source) != standing[each.source]),
        ended={
            source: "It passes again." if source in asked else "It is asked no longer."
            for source in told
            if source not in standing
        },
    )


def _verdicts(causes: tuple[Evidence, ...]) -> dict[str, Verdict]:
    """Map sources to verdicts; of two that the policy names alike, the one that failed counts."""
    failed = {each.source for each in causes if each.verdict is Verdict.FAIL}
    return {
        source: Verdict.FAIL if source in failed else Verdict.NO_EVIDENCE
        for source in sorted({each.source for each in causes})
    }


def plain_steps(github: GitHubPorts, tell: Callable[[Alarm], Awaitable[bool]]) -> AlarmSteps:
    """Wire the steps to GitHub."""
    return AlarmSteps(load=github.load_release_state, tell=tell, record=partial(_store, github))


async def _store(github: LedgerWriter, found: ReleaseState, ledger: Ledger) -> None:
    lines = [f"{source}: {verdict}" for source, verdict in ledger.alarms.items()]
    message = "\n".join(("Record what people know about validation", "", *lines)).strip()
    await github.store_ledger(dump_ledger(ledger), expected_head=found.ledger_head, message=message)
