"""The ledger: what was accepted and what was proved. One JSON file on a branch that people leave alone.

The file holds what the next run must know; what happened before is the history of the file. Written with its
expected head, so of two writers one starts over.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from pydantic import ValidationError

from state.errors import StateError
from state.evidence import Verdict
from state.ids import ZERO_SHA, Frozen, RepositoryName, Sha

LEDGER_PATH = "ledger.json"


class LedgerError(StateError):
    """The ledger's file is not a ledger; a person has to look at the branch."""


class AcceptedCommit(Frozen):
    """The newest commit of the release-state repository whose documents counted as decided."""

    commit: Sha
    desired_blob: Sha | None
    policy_blob: Sha | None
    at: datetime
    pull_request: int | None = None
    """The pull request that brought it; none where none was needed, or at the start."""
    approvers: tuple[str, ...] = ()


class Proof(Frozen):
    """A ref was seen at the sha that the file asked for."""

    sha: Sha
    at: datetime
    moved_at: datetime | None = None
    """Just before this tool moved it there; none where it was found there."""


class Move(Frozen):
    """One ref that a run moved."""

    repository: RepositoryName
    before: Sha | None
    after: Sha
    at: datetime
    run: str
    """The flow run, or where the command ran."""


class Intent(Frozen):
    """A move that a run was about to make; the next run finds out whether it did."""

    repository: RepositoryName
    before: Sha | None
    after: Sha
    is_permitted: bool
    """Under a permit, which is then spent."""
    run: str
    at: datetime
    """Before the move: what starts on the moved commit later than this may be a consequence of it."""


class SpentPermit(Frozen):
    """A permit is for one move; this one has been used."""

    repository: RepositoryName
    from_: Sha
    to: Sha


class Ledger(Frozen):
    """What the next run must know."""

    version: Literal[1] = 1
    accepted: AcceptedCommit | None = None
    intents: tuple[Intent, ...] = ()
    proved: dict[RepositoryName, Proof] = {}
    moves: tuple[Move, ...] = ()
    """The moves made for the accepted commit, oldest first; earlier ones are in the file's history."""
    spent: tuple[SpentPermit, ...] = ()
    rebuilt: dict[RepositoryName, datetime] = {}
    """When a rebuild was last asked for, by repository."""
    notified: tuple[str, ...] = ()
    """Causes that people were told about and that still stand, so that nobody is told twice."""
    is_reported: bool = True
    """Whether the outcome stands on the accepted commit; else the next run writes it, also if it finds nothing new."""
    alarms: dict[str, Verdict] = {}
    """The same of sources of validation: what people were told that each says."""

    @property
    def last_moved_at(self) -> datetime | None:
        """When a ref was last moved; before the first move, when this ledger began. None while it knows nothing."""
        moved = [each.at for each in self.moves]
        moved += [each.moved_at for each in self.proved.values() if each.moved_at]
        return max(moved, default=None) or min((each.at for each in self.proved.values()), default=None)

    def has_spent(self, repository: RepositoryName, from_: Sha, to: Sha) -> bool:
        """Say whether this very exception has been used, under whichever commit."""
        return any((each.repository, each.from_, each.to) == (repository, from_, to) for each in self.spent)


def record_intents(ledger: Ledger, intents: tuple[Intent, ...]) -> Ledger:
    """Note what a run is about to do, before it does it. Those of other repositories stay open."""
    named = {intent.repository for intent in intents}
    others = tuple(each for each in ledger.intents if each.repository not in named)
    return ledger.model_copy(update={"intents": (*others, *intents)})


def record_confirmed(ledger: Ledger, confirmed: Mapping[RepositoryName, Sha], now: datetime) -> Ledger:
    """Note moves that GitHub has confirmed, wherever their refs stand by now."""
    carried = tuple(each for each in ledger.intents if confirmed.get(each.repository) == each.after)
    proofs = {each.repository: Proof(sha=each.after, at=now, moved_at=each.at) for each in carried}
    moves = tuple(
        Move(repository=each.repository, before=each.before, after=each.after, at=now, run=each.run)
        for each in carried
    )
    spent = tuple(_spent(each) for each in carried if each.is_permitted)
    return ledger.model_copy(
        update={
            "intents": tuple(each for each in ledger.intents if confirmed.get(each.repository) != each.after),
            "proved": dict(sorted((ledger.proved | proofs).items())),
            "moves": ledger.moves + moves,
            "spent": ledger.spent + spent,
        }
    )


def record_observation(
    ledger: Ledger,
    accepted: AcceptedCommit | None,
    live: Mapping[RepositoryName, Sha | None],
    targets: Mapping[RepositoryName, Sha],
    now: datetime,
) -> Ledger:
    """Settle open intents by where the refs stand, and note which refs are proved at their targets.

    Idempotent: an observation that shows nothing new gives the same ledger. A ref that is not at its target keeps
    its last proof, which is how a move by hand is noticed. A newly accepted commit begins a new list of moves. An
    intent stays open while its ref was not seen, or has not moved, since another run may be about to carry it out.
    Where the ref went elsewhere its permit is spent all the same: somebody may have built on the move.
    """
    if ledger.accepted != accepted:
        ledger = ledger.model_copy(update={"accepted": accepted, "moves": ()})
    arrived = {
        each.repository: each.after for each in ledger.intents if live.get(each.repository) == each.after
    }
    ledger = record_confirmed(ledger, arrived, now)
    proofs = {
        name: Proof(sha=sha, at=now)
        for name, sha in targets.items()
        if live.get(name) == sha and (name not in ledger.proved or ledger.proved[name].sha != sha)
    }
    proved = dict(sorted((ledger.proved | proofs).items()))
    unmoved = tuple(each for each in ledger.intents if live.get(each.repository, each.before) == each.before)
    still_open = tuple(
        each for each in unmoved if each.repository not in live or targets.get(each.repository) == each.after
    )
    in_doubt = tuple(_spent(each) for each in ledger.intents if each.is_permitted and each not in unmoved)
    return ledger.model_copy(
        update={"intents": still_open, "proved": proved, "spent": ledger.spent + in_doubt}
    )


def record_undone(ledger: Ledger, moved_at: Mapping[RepositoryName, datetime]) -> Ledger:
    """Spend the permits of open intents whose refs were moved since the intent, and stand where it found them.

    A run was killed after its move, and somebody has undone it: to do it again takes another review. GitHub tells
    times in whole seconds, so a move of the same second counts.
    """
    undone = tuple(
        each
        for each in ledger.intents
        if each.is_permitted
        and each.repository in moved_at
        and moved_at[each.repository] >= each.at.replace(microsecond=0)
    )
    return ledger.model_copy(
        update={
            "intents": tuple(each for each in ledger.intents if each not in undone),
            "spent": ledger.spent + tuple(_spent(each) for each in undone),
        }
    )


def forget_withdrawn(ledger: Ledger, carried: Collection[tuple[RepositoryName, Sha, Sha]]) -> Ledger:
    """Forget spent permits that the accepted document no longer carries: to write one again takes a review again."""
    kept = tuple(each for each in ledger.spent if (each.repository, each.from_, each.to) in carried)
    return ledger.model_copy(update={"spent": kept})


def record_rebuilt(ledger: Ledger, repositories: Collection[RepositoryName], now: datetime) -> Ledger:
    """Note that rebuilds were asked for."""
    rebuilt = dict(sorted((ledger.rebuilt | dict.fromkeys(repositories, now)).items()))
    return ledger.model_copy(update={"rebuilt": rebuilt})


def _spent(intent: Intent) -> SpentPermit:
    return SpentPermit(repository=intent.repository, from_=intent.before or ZERO_SHA, to=intent.after)


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
        raise LedgerError(
            f"{LEDGER_PATH} cannot be read at {where}: {first['msg']}. Put its branch back to the last commit that "
            "can be read, or use the newer version that wrote this one."
        ) from error


def dump_ledger(ledger: Ledger) -> str:
    """Write the ledger's file: stable key order, one line a value, so that its diffs can be read."""
    return ledger.model_dump_json(indent=2) + "\n"
