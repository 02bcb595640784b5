"""Status: what is out, who decided it, and what waits for a person. Reads only."""

from typing import Protocol

from flows.ways.reconcile import survey
from reconcile.apply import Clock
from reconcile.observed import DocumentVersion, PullRequest
from reconcile.planned import Plan
from reconcile.ports import FleetReader, PullRequestReader, ReleaseStateReader
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.ids import Frozen
from state.ledger import Ledger


class StatusReport(Frozen):
    """The fleet as it is now."""

    version: DocumentVersion
    plan: Plan
    ledger: Ledger | None
    proposal: PullRequest | None
    """The open pull request of the proposal, where there is one."""


class GitHubPorts(FleetReader, PullRequestReader, ReleaseStateReader, Protocol):
    """All that status needs of GitHub: readers."""


async def status(github: GitHubPorts, *, clock: Clock) -> StatusReport:
    """Look at the fleet, the ledger and the open proposal.

    Raises:
        DocumentError: A document is wrong.
        ReconcileError: GitHub could not be read.
    """
    accepted, current = await survey(github, clock=clock)
    return StatusReport(
        version=accepted.version,
        plan=current,
        ledger=accepted.ledger,
        proposal=await github.find_pull_request(PROPOSAL_BRANCH),
    )
