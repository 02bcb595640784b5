"""Decisions: which documents were accepted when, from the ledger's history, and which of them a person means."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

from flows.ways.errors import UsageError
from reconcile.observed import LedgerVersion
from reconcile.ports import LedgerReader
from state.ids import ABBREVIATED_SHA, abbreviate
from state.ledger import AcceptedCommit, Ledger, LedgerError, parse_ledger

LEDGERS = 200
"""How many versions of the ledger are looked through; a decision that moves something makes two or three."""
_SHOWN = 10


async def load_ledgers(
    github: LedgerReader, *, limit: int = LEDGERS, since: datetime | None = None
) -> tuple[tuple[LedgerVersion, Ledger], ...]:
    """Read the newest versions of the ledger, newest first; with ``since``, only those committed then or later.

    An older one that cannot be read was mended since, and no run recorded anything in it: it is passed over.

    Raises:
        LedgerError: The newest version cannot be read.
        ReconcileError: GitHub could not be read.
    """
    ledgers: list[tuple[LedgerVersion, Ledger]] = []
    for version in await github.list_ledgers(limit, since=since):
        try:
            ledgers.append((version, parse_ledger(version.text)))
        except LedgerError:
            if not ledgers:
                raise
    return tuple(ledgers)


def decisions_of(ledgers: Sequence[Ledger]) -> tuple[AcceptedCommit, ...]:
    """List the accepted decisions, newest first.

    The newest version that has a decision knows it best: who approved it may have been noted later.
    """
    decisions: dict[str, AcceptedCommit] = {}
    for ledger in ledgers:
        if ledger.accepted:
            decisions.setdefault(ledger.accepted.commit, ledger.accepted)
    return tuple(sorted(decisions.values(), key=lambda each: each.at, reverse=True))


def choose_decision(decisions: Sequence[AcceptedCommit], text: str) -> AcceptedCommit:
    """Find the decision that a person means: a sha of the release-state repository, #NUMBER, or a date or time.

    Digits alone may be a date and may begin a sha: where they begin that of a decision, they mean it. A date means the
    last decision until its end; a time without an offset is UTC's.

    Raises:
        UsageError: None is meant, or more than one.
    """
    if text.startswith("#"):
        matching = [each for each in decisions if text == f"#{each.pull_request}"]
        return matching[0] if len(matching) == 1 else _unknown(text, decisions)
    is_sha = ABBREVIATED_SHA.fullmatch(text.lower()) is not None
    matching = [each for each in decisions if is_sha and each.commit.startswith(text.lower())]
    if len(matching) == 1:
        return matching[0]
    until = parse_until(text)
    if matching or (is_sha and until is None):
        return _unknown(text, decisions)
    if until is None:
        raise UsageError(
            (f"{text} is neither a sha, nor #NUMBER of a pull request, nor a date as in 2026-11-23.",)
        )
    return next((each for each in decisions if each.at <= until), None) or _unknown(text, decisions)


def parse_since(text: str) -> datetime | None:
    """Read a date or time as the moment from which something counts; none where it is neither."""
    return _parse(text, time.min)


def parse_until(text: str) -> datetime | None:
    """Read a date or time as the moment until which something counts; none where it is neither."""
    return _parse(text, time.max)


def _parse(text: str, edge: time) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.time() == time() and "T" not in text and " " not in text:
        moment = datetime.combine(moment.date(), edge)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unknown(text: str, decisions: Sequence[AcceptedCommit]) -> AcceptedCommit:
    known = ", ".join(
        f"{abbreviate(each.commit)}{f' (#{each.pull_request})' if each.pull_request else ''} of {each.at:%Y-%m-%d}"
        for each in decisions[:_SHOWN]
    )
    raise UsageError((f"{text} is not one accepted decision. Known are {known or 'none yet'}.",))
