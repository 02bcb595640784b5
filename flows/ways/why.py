"""Why: everything that stands in one repository's way, rule by rule. Reads only."""

from typing import Protocol

from flows.ways.errors import UsageError
from reconcile.accept import load_accepted
from reconcile.apply import Clock
from reconcile.observe import observe
from reconcile.observed import ObservedRepository
from reconcile.plan import explain, plan
from reconcile.planned import Hold, Item, Wait
from reconcile.ports import FleetReader, ReleaseStateReader
from state.ids import BranchName, Frozen
from state.proposal import PinError, resolve_repository


class WhyReport(Frozen):
    """Where one repository is, and what would change that."""

    ref: BranchName
    item: Item
    """What the plan decides."""
    observed: ObservedRepository | None
    reasons: tuple[Hold | Wait, ...]
    """Everything in its way, the deciding reason first."""


class GitHubPorts(FleetReader, ReleaseStateReader, Protocol):
    """All that the explanation needs of GitHub: readers."""


async def why(github: GitHubPorts, repository: str, *, clock: Clock) -> WhyReport:
    """Explain where a repository is; its owner may be left out where the name is unique.

    Raises:
        UsageError: The document does not name the repository.
        DocumentError: A document is wrong.
        ReconcileError: GitHub could not be read.
    """
    accepted = await load_accepted(github)
    try:
        name = resolve_repository(repository, accepted.desired.targets.keys())
    except PinError as error:
        raise UsageError(error.problems) from error
    observed, now = await observe(github, accepted), clock.now()
    items = {item.repository: item for item in plan(accepted, observed, now=now).items}
    return WhyReport(
        ref=accepted.desired.ref,
        item=items[name],
        observed=observed.repositories.get(name),
        reasons=explain(accepted, observed, name, now=now),
    )
