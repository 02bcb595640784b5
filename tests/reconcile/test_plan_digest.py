"""The digest: two plans are the same when they do the same, whenever they were made."""

from datetime import timedelta

import pytest

from reconcile.observed import Accepted, Observed, ObservedRepository
from reconcile.plan import plan
from reconcile.planned import Plan
from tests.builders import (
    NOW,
    OGR,
    TARGET,
    accepted,
    observed,
    observed_repository,
    observed_target,
    policy,
    sha,
    version,
)


def make(given: Accepted | None = None, repository: ObservedRepository | None = None) -> Plan:
    return plan(given or accepted(), observed(repository or observed_repository()), now=NOW)


def test_time_does_not_count() -> None:
    """Observing the same an hour later gives another plan with the same digest."""
    later = NOW + timedelta(hours=1)
    again = plan(
        accepted(), Observed(at=later, repositories=observed(observed_repository()).repositories), now=later
    )
    assert make() != again
    assert make().digest == again.digest


@pytest.mark.parametrize(
    "other",
    [
        make(accepted({OGR: sha("e")})),
        make(repository=observed_repository(live=sha("e"))),
        make(repository=observed_repository(target=observed_target(ahead=2))),
        make(accepted(holds={OGR: {"reason": "leave it alone"}})),
        make(accepted(under=policy(OGR, "packit/other"))),
        make(accepted().model_copy(update={"version": version("e")})),
    ],
)
def test_everything_else_counts(other: Plan) -> None:
    """Another target, ref, move, reason or document is another plan."""
    assert make().digest != other.digest


def test_same_documents_in_other_words() -> None:
    """A policy that says the same in another order makes the same plan."""
    names = (OGR, "packit/other")
    targets = dict.fromkeys(names, TARGET)
    assert (
        make(accepted(targets, under=policy(*names))).digest
        == make(accepted(dict(reversed(targets.items())), under=policy(*reversed(names)))).digest
    )
