"""Log: what moved, when, by whose decision. Read from the ledger's history; there is no other record."""

from collections.abc import Iterable
from datetime import datetime

from flows.ways.decisions import load_ledgers
from reconcile.ports import LedgerReader
from state.ids import Frozen, RepositoryName, Sha
from state.ledger import Ledger


class LogEntry(Frozen):
    """One move, with the decision that it carried out."""

    at: datetime
    repository: RepositoryName
    before: Sha | None
    after: Sha
    run: str
    decision: Sha | None
    """The commit of the release-state repository."""
    pull_request: int | None
    approvers: tuple[str, ...]


async def read_log(github: LedgerReader, *, limit: int) -> tuple[LogEntry, ...]:
    """List the moves in the ledger's newest versions, newest move first.

    Args:
        github: Reads the ledger.
        limit: How many versions of the ledger to read; a run that moves something makes two.

    Raises:
        LedgerError: A version cannot be read.
        ReconcileError: GitHub could not be read.
    """
    return entries_of([ledger for _, ledger in await load_ledgers(github, limit=limit)])


def entries_of(ledgers: Iterable[Ledger]) -> tuple[LogEntry, ...]:
    """List the moves in versions of the ledger that are given newest first, newest move first."""
    entries: dict[tuple[RepositoryName, Sha, datetime], LogEntry] = {}
    for ledger in ledgers:
        decision = ledger.accepted
        for move in ledger.moves:
            # The newest version that has a move is read first, and knows its decision best.
            entries.setdefault(
                (move.repository, move.after, move.at),
                LogEntry(
                    at=move.at,
                    repository=move.repository,
                    before=move.before,
                    after=move.after,
                    run=move.run,
                    decision=decision.commit if decision else None,
                    pull_request=decision.pull_request if decision else None,
                    approvers=decision.approvers if decision else (),
                ),
            )
    return tuple(sorted(entries.values(), key=lambda entry: entry.at, reverse=True))
