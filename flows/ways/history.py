"""History: who decided what when, and how releasing goes. Reads only, from git's history and GitHub alone.

The moves are the ledger's; how long their changes had waited, who merged the decisions and who moved a ref by hand is
asked of GitHub. What GitHub does not tell is said to be unknown, and never taken for none.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from flows.ways.decisions import choose_decision, decisions_of, load_ledgers, parse_since
from flows.ways.errors import UsageError
from flows.ways.log import LogEntry, entries_of
from flows.ways.notes import decided
from reconcile.accept import parse_documents
from reconcile.apply import Clock
from reconcile.observed import LedgerVersion
from reconcile.ports import LedgerReader, ReleasedReader, ReleaseStateReader
from state.history import (
    HandMove,
    History,
    MadeMove,
    RefMove,
    list_hand_moves,
    list_releases,
    measure,
)
from state.ledger import Ledger

USUAL = timedelta(days=90)
"""How far back is looked where nobody says."""
_LEDGERS = 1000
"""The most versions of the ledger that are read: some hundred decisions."""
_TOLD_AT_ONCE = 100
"""Moves of one ref that GitHub is asked for."""


class GitHubPorts(LedgerReader, ReleasedReader, ReleaseStateReader, Protocol):
    """All that a history needs of GitHub: readers."""


async def read_history(github: GitHubPorts, since: str | None, *, clock: Clock) -> History:
    """Read how releasing went.

    Args:
        github: Readers.
        since: A date or time, or a decision: a sha of the release-state repository, or #NUMBER. The last ninety days
            without it.
        clock: Says when now is.

    Raises:
        UsageError: There is no such time or decision, or no ledger yet.
        DocumentError: A document is wrong; the policy says which repositories there are.
        ReconcileError: GitHub could not be read.
    """
    found = await github.load_release_state()
    desired, policy = parse_documents(found.documents, where=found.version.repository)
    if found.ledger_text is None:
        raise UsageError(("There is no ledger yet: the first `stablehand reconcile` begins it.",))
    until = clock.now()
    asked = await _start(github, since, until)
    read = await load_ledgers(github, limit=_LEDGERS, since=asked)
    versions, ledgers = [version for version, _ in read], [ledger for _, ledger in read]
    entries = [entry for entry in entries_of(ledgers) if entry.at >= asked]
    made = [_made(entry) for entry in entries]
    start = _begin(ledgers, versions, asked)
    names = {*desired.targets, *policy.repositories, *(entry.repository for entry in entries)}
    acted = [each for each in decisions_of(ledgers) if each.commit in {entry.decision for entry in entries}]
    between, activity, pulls = await asyncio.gather(
        github.observe_between({move for each in made if (move := _ref_move(each))}),
        github.list_ref_moves(sorted(names), ref=desired.ref),
        github.observe_decisions([each.pull_request for each in acted if each.pull_request]),
    )
    releases = list_releases(made, between)
    seen = (move for moves in activity.values() for move in moves if move.at >= start)
    by_hand = list_hand_moves(seen, made)
    untold = tuple(sorted(name for name in names if not _is_told(activity.get(name), start)))
    return History(
        repository=found.version.repository,
        url=found.version.url,
        ref=desired.ref,
        since=start,
        until=until,
        is_complete=len(versions) < _LEDGERS,
        figures=measure(releases, by_hand, since=start, until=until, untold=untold),
        decisions=tuple(decided(each, entries, pulls) for each in acted),
        releases=releases,
        by_hand=by_hand,
        untold=untold,
    )


async def _start(github: LedgerReader, since: str | None, now: datetime) -> datetime:
    """Read from when on history is asked for."""
    if since is None:
        return now - USUAL
    ledgers = [ledger for _, ledger in await load_ledgers(github)]
    decisions = decisions_of(ledgers)
    moment = parse_since(since)
    if moment and not any(each.commit.startswith(since) for each in decisions):
        if moment > now:
            raise UsageError((f"{since} is yet to come: name a day or a decision that has been.",))
        return moment
    return choose_decision(decisions, since).at


def _begin(ledgers: Sequence[Ledger], versions: Sequence[LedgerVersion], asked: datetime) -> datetime:
    """Say from when on the ledger knows: from when it is asked for, or from its own beginning."""
    if not ledgers:
        return asked
    oldest = ledgers[-1]
    was_there = [each.at for each in oldest.proved.values()]
    was_there += [oldest.accepted.at] if oldest.accepted else []
    return asked if min(was_there, default=asked) < asked else versions[-1].committed_at


def _made(entry: LogEntry) -> MadeMove:
    return MadeMove(entry.at, entry.repository, entry.before, entry.after, entry.decision)


def _ref_move(made: MadeMove) -> RefMove | None:
    return RefMove(repository=made.repository, before=made.before, after=made.after) if made.before else None


def _is_told(moves: tuple[HandMove, ...] | None, since: datetime) -> bool:
    """Say whether GitHub tells all moves of a ref from then on: it is asked for the newest hundred."""
    return moves is not None and (len(moves) < _TOLD_AT_ONCE or moves[-1].at < since)
