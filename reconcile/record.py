"""Record: commit the ledger, and find out what became of it where GitHub's answer leaves that open. Decides nothing.

A commit names the head that it expects, so sending it again never writes twice and never over somebody else's.
"""

from typing import Protocol

from reconcile.apply import LOST_AFTER_SECONDS, Clock
from reconcile.errors import RateLimitedError, StaleHeadError, UnexpectedAnswerError, UnreachableError
from reconcile.ports import LedgerWriter, ReleaseStateReader
from state.ids import Sha
from state.ledger import Ledger, dump_ledger

_ATTEMPTS = 3


class LedgerPorts(LedgerWriter, ReleaseStateReader, Protocol):
    """What writes the ledger, and what tells whether it is written."""


async def record_ledger(
    github: LedgerPorts, ledger: Ledger, *, expected_head: Sha | None, message: str, clock: Clock
) -> None:
    """Commit the ledger on top of the one that was loaded. Recording again what is recorded writes nothing.

    Raises:
        StaleHeadError: Somebody else wrote it first.
        ReconcileError: It is not written, or not known to be.
    """
    text = dump_ledger(ledger)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await github.store_ledger(text, expected_head=expected_head, message=message)
        except RateLimitedError as error:
            if error.pause is None or attempt == _ATTEMPTS:
                raise
            await clock.sleep(error.pause)
        except (UnreachableError, UnexpectedAnswerError) as error:
            if attempt == _ATTEMPTS:
                raise
            await clock.sleep(LOST_AFTER_SECONDS)
            found = await github.load_release_state()
            if found.ledger_text == text:
                return
            if found.ledger_head != expected_head:
                raise StaleHeadError("Another run has written the ledger meanwhile.") from error
        else:
            return
