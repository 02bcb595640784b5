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


async def test_an_older_ledger_that_is_pushed_back(release: Release) -> None:
    """It approves nothing: whatever came since is judged again, by the policy that was accepted then."""
    await release.accept("{reviews: 1}")
    older = release.state.rev_parse("stablehand/ledger")
    pull = release.propose(release.desired(ogr=1))
    release.state.review(pull.number, "alice")
    release.merge(pull)
    await release.accept_head()
    release.push(release.desired(ogr=1, packit=1))

    release.force_push(older, "stablehand/ledger")

    assert {"ogr": MOVES, "packit": HELD} == await release.verdicts()


async def test_a_renamed_default_branch(release: Release) -> None:
    """What was merged into it under its old name is to be set again; nothing moves by itself."""
    await release.accept()
    release.merge(release.propose(release.desired(ogr=1)))
    release.state.push("trunk", release.head, by="alice")
    release.state.default_branch = "trunk"

    _, plan = await release.survey()

    assert [(HELD, True)] == [(each.code, "into main, not trunk" in each.sentence) for each in plan.holds]


async def test_an_octopus(release: Release) -> None:
    """A merge of two pull requests by hand counts for neither where it has more than each."""
    await release.accept()
    first = release.propose(release.desired(ogr=1), branch="first")
    second = release.propose(release.desired(packit=1), branch="second")
    both = release.write([release.head, first.head_oid, second.head_oid], release.desired(ogr=1, packit=1))
    release.state.push("main", both, by="alice")

    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()
