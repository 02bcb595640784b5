"""The ledger: what was accepted and what was proved. One JSON file on a branch that people leave alone.

The file holds what the next run must know; what happened before is the history of the file. Written with its
expected head, so of two writers one starts over.
"""

from datetime import datetime
from typing import Literal

from pydantic import ValidationError

from state.errors import StateError
from state.ids import Frozen, RepositoryName, Sha

LEDGER_PATH = "ledger.json"


class LedgerError(StateError):
    """The ledger's file is not a ledger; a person has to look at the branch."""


class Accepted(Frozen):
    """The newest commit of the release-state repository whose documents counted as decided."""

    commit: Sha
    at: datetime
    pull_request: int | None
    """The pull request that brought it; none where none was needed, or at the start."""
    approvers: tuple[str, ...] = ()


class Proof(Frozen):
    """A ref was seen at the sha that the file asked for."""

    sha: Sha
    at: datetime


class Move(Frozen):
    """One ref that a run moved."""

    repository: RepositoryName
    before: Sha | None
    after: Sha
    at: datetime
    run: str
    """The flow run, or where the command ran."""


class SpentPermit(Frozen):
    """A permit is for one move; this one has been used."""

    repository: RepositoryName
    from_: Sha
    to: Sha
    commit: Sha
    """The commit of the release-state repository that carried it."""


class Ledger(Frozen):
    """What the next run must know."""

    version: Literal[1] = 1
    accepted: Accepted | None = None
    proved: dict[RepositoryName, Proof] = {}
    moves: tuple[Move, ...] = ()
    """The moves made for the accepted commit, oldest first; earlier ones are in the file's history."""
    spent: tuple[SpentPermit, ...] = ()

    def has_spent(self, repository: RepositoryName, from_: Sha, to: Sha) -> bool:
        """Say whether this very exception has been used, under whichever commit."""
        return any((each.repository, each.from_, each.to) == (repository, from_, to) for each in self.spent)


def parse_ledger(text: str) -> Ledger:
    """Read the ledger's file.

    Raises:
        LedgerError: It is not one that this version can read.
    """
    try:
        return Ledger.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise LedgerError(f"{LEDGER_PATH} cannot be read at {where}: {first['msg']}") from error


def dump_ledger(ledger: Ledger) -> str:
    """Write the ledger's file: stable key order, one line a value, so that its diffs can be read."""
    return ledger.model_dump_json(indent=2, exclude_none=True, by_alias=True) + "\n"
