"""Accept: read the newest documents, and say which of it counts as decided.

Reads, and decides through `approval` alone. Whatever woke a run, this looks at the head of the default branch.
"""

from reconcile.approval import Judgement, judge
from reconcile.errors import MissingError
from reconcile.observed import Accepted, Documents, ReleaseState
from reconcile.ports import ReleaseStateReader
from state.document import DesiredState
from state.errors import DocumentError, Problem
from state.ids import abbreviate
from state.ledger import Ledger, parse_ledger
from state.policy import Policy
from state.yaml_io import POLICY_PATH, STATE_PATH, parse_desired, parse_policy


async def load_accepted(reader: ReleaseStateReader) -> Accepted:
    """Read documents, ledger and approval: one request, and more only where a document has changed.

    Without a ledger there is no last decision to start from, and the documents are adopted as they are; the plan
    allows little then.

    Raises:
        MissingError: A document is not there.
        DocumentError: A document is wrong; carries every problem of both.
        LedgerError: The ledger cannot be read.
    """
    found = await reader.load_release_state()
    desired, policy = parse_documents(found.documents, where=found.version.repository)
    ledger = None if found.ledger_text is None else parse_ledger(found.ledger_text)
    judgement, stale = await _judge_since(ledger, found, reader)
    return Accepted(
        version=found.version,
        # A removal that does not count removes nothing: what comes after it goes on waiting for it, and people see it.
        desired=desired.model_copy(update={"targets": {**judgement.removed, **desired.targets}}),
        policy=policy,
        ledger=ledger,
        ledger_head=found.ledger_head,
        unapproved=judgement.unapproved,
        objection=judgement.whole,
        stale=stale,
        pull_request=judgement.pull_request,
        approvers=judgement.approvers,
    )


async def find_unapproved(found: ReleaseState, reader: ReleaseStateReader) -> Judgement:
    """Find what of the default branch nobody approved, also while its documents cannot be read.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    ledger = None if found.ledger_text is None else parse_ledger(found.ledger_text)
    judgement, _ = await _judge_since(ledger, found, reader)
    return judgement


def parse_documents(documents: Documents, *, where: str) -> tuple[DesiredState, Policy]:
    """Read both documents of one commit.

    Raises:
        MissingError: A document is not there.
        DocumentError: A document is wrong; carries every problem of both.
    """
    if documents.desired_text is None or documents.policy_text is None:
        missing = STATE_PATH if documents.desired_text is None else POLICY_PATH
        raise MissingError(
            f"{where} has no {missing} at {abbreviate(documents.commit)} (the head of its default branch). "
            "Commit one there, or have both made: `stablehand init --help`."
        )
    problems: tuple[Problem, ...] = ()
    try:
        desired = parse_desired(documents.desired_text, file=STATE_PATH)
    except DocumentError as error:
        problems += error.problems
    try:
        policy = parse_policy(documents.policy_text, file=POLICY_PATH)
    except DocumentError as error:
        problems += error.problems
    if problems:
        raise DocumentError(problems)
    return desired, policy


async def _judge_since(
    ledger: Ledger | None, found: ReleaseState, reader: ReleaseStateReader
) -> tuple[Judgement, str | None]:
    """Judge what changed since the last accepted commit; with why the documents are stale, if they are."""
    nothing = judge((), found.version.branch)
    last = ledger.accepted if ledger else None
    if last is None or (last.desired_blob, last.policy_blob) == found.version.blobs:
        return nothing, None
    changes = await reader.load_changes(last.commit, found.version.commit)
    if changes is not None:
        return judge(changes, found.version.branch), None
    return nothing, (
        f"{abbreviate(found.version.commit)}, the head of {found.version.branch}, does not come after "
        f"{abbreviate(last.commit)}, whose documents were accepted on {last.at:%Y-%m-%d %H:%M} UTC. Bring that commit "
        "back, or merge a new decision on top of it."
    )
