"""The default branch itself: rewound, replaced, and without a memory of what was accepted."""

from tests.acceptance.conftest import OGR, Release, policy

MOVES, HELD, STALE = "fast-forward", "not-approved", "stale-document"


async def test_a_default_branch_that_was_rewound(release: Release) -> None:
    """Documents from before the last accepted commit are old decisions, and those never win."""
    first = await release.accept()
    release.merge(release.propose(release.desired(ogr=2)))
    accepted = release.head
    await release.accept_head()

    release.force_push(first)
    release.sandbox.store.repository(OGR).push("stable", release.commits[OGR][2], by="alice")
    _, plan = await release.survey()

    assert [STALE] == [hold.code for hold in plan.holds]
    assert f"{first[:7]}, the head of main, does not come after {accepted[:7]}" in plan.holds[0].sentence


async def test_a_good_pull_request_does_not_heal_a_rewind(release: Release) -> None:
    """The last accepted commit has to come back, or nothing moves."""
    first = await release.accept()
    release.merge(release.propose(release.desired(ogr=2)))
    accepted = release.head
    await release.accept_head()
    release.force_push(first)
    release.merge(release.propose(release.desired(packit=1), branch="other"))
    assert {"packit": STALE} == await release.verdicts()

    release.force_push(accepted)
    release.merge(release.propose(release.desired(ogr=2, packit=1), branch="again"))
    assert {"ogr": MOVES, "packit": MOVES} == await release.verdicts()


async def test_a_default_branch_that_was_replaced(release: Release) -> None:
    """A history that does not contain the accepted commit has decided nothing, also by pull requests."""
    await release.accept()
    release.force_push(release.write([], release.desired(), policy(soak="1h")))
    release.merge(release.propose(release.desired(ogr=1)))

    assert {"ogr": STALE} == await release.verdicts()


async def test_a_replaced_history_of_the_accepted_documents(release: Release) -> None:
    """What counts is what the documents say, and nothing of that has changed."""
    await release.accept()
    release.force_push(release.write([], release.desired(), policy()))

    accepted, plan = await release.survey()

    assert accepted.stale is None
    assert plan.is_converged


async def test_a_deleted_ledger(release: Release) -> None:
    """What was decided before is not known then: the documents are taken as they are, for fast-forwards alone."""
    await release.accept()
    tip, target = release.commits[OGR][2], release.commits[OGR][1]
    release.sandbox.store.repository(OGR).push("stable", tip, by="alice")
    rewind = f"permits:\n  {OGR}:\n    rewind: {{from: {tip}, to: {target}, reason: rollback}}\n"
    release.push(release.desired(ogr=1, packit=1, more=rewind))
    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()

    release.state.delete_branch("stablehand/ledger")

    assert {"ogr": "ledger-missing", "packit": MOVES} == await release.verdicts()
