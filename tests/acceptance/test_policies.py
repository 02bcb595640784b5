"""Which policy judges: the newest approved one before the change, never the one that the change brings."""

import pytest

from tests.acceptance.conftest import OGR, Release, policy

MOVES, HELD = "fast-forward", "not-approved"


async def test_a_policy_loosened_together_with_a_target(release: Release) -> None:
    """Neither counts, whoever approved it; taken back and made two, both do."""
    await release.accept("{reviews: 1}")
    loosened = policy("{reviews: 0}")
    pull = release.propose(release.desired(ogr=1), policy_text=loosened)
    release.state.review(pull.number, "alice")
    release.merge(pull)

    _, plan = await release.survey()
    assert [(HELD, True)] == [(each.code, "at once" in each.sentence) for each in plan.holds]

    release.push(release.desired(), policy("{reviews: 1}"))
    pull = release.propose(policy_text=loosened, branch="policy")
    release.state.review(pull.number, "alice")
    release.merge(pull)
    release.merge(release.propose(release.desired(ogr=1), branch="target"))
    assert {"ogr": MOVES} == await release.verdicts()


async def test_a_policy_and_a_target_in_two_commits_of_one_pull_request(release: Release) -> None:
    """A rebase merge makes two commits of it, and it stays one change."""
    await release.accept()
    release.push(policy_text=policy(soak="0h", approval="{reviews: 0}"), branch="proposal")
    pull = release.propose(release.desired(ogr=1), policy_text=policy(soak="1h"))
    release.merge(pull, "rebase")

    assert {"ogr": HELD} == await release.verdicts()


@pytest.mark.parametrize("loosened", ["{pull_request: optional}", "{reviews: 0}"])
async def test_a_policy_loosened_by_a_push_and_used(release: Release, loosened: str) -> None:
    """Everything is held while it stands, and what used it also after it was put back."""
    await release.accept("{reviews: 1}")
    release.push(policy_text=policy(loosened))
    release.merge(release.propose(release.desired(ogr=1)))
    assert {"ogr": HELD} == await release.verdicts()

    release.push(policy_text=policy("{reviews: 1}"))
    assert {"ogr": HELD} == await release.verdicts()


async def test_a_policy_loosened_by_a_push_is_not_taken_for_decided_by_a_run(release: Release) -> None:
    """Also where it changes no line, and everything is in place."""
    await release.accept()
    release.push(policy_text=policy("{pull_request: optional}"))
    await release.reconcile()
    release.push(release.desired(ogr=1))

    assert {"ogr": HELD} == await release.verdicts()


async def test_a_policy_loosened_by_a_push_that_empties_the_document(release: Release) -> None:
    """With no line left to object to, it is no decision all the same, and no run takes it for one."""
    await release.accept("{reviews: 1}")
    release.push("version: 1\nref: stable\ntargets: {}\n", policy("{pull_request: optional}"))
    await release.reconcile()
    release.push(release.desired(ogr=1))
    await release.reconcile()

    stable = release.sandbox.store.repository(OGR).branch("stable")
    assert release.commits[OGR][0] == stable


async def test_a_policy_that_was_broken_by_a_push_and_mended_by_review(release: Release) -> None:
    """The reviewer sees the mended line, and not what the push loosened besides."""
    await release.accept("{reviews: 1}")
    release.push(policy_text=policy("{pull_request: optional}") + "windows: [\n")
    pull = release.propose(policy_text=policy("{pull_request: optional}"))
    release.state.review(pull.number, "alice")
    release.merge(pull)
    release.push(release.desired(ogr=1))

    assert {"ogr": HELD} == await release.verdicts()


async def test_a_policy_loosened_by_review_is_used_from_then_on(release: Release) -> None:
    await release.accept("{reviews: 1}")
    pull = release.propose(policy_text=policy("{reviews: 0}"))
    release.state.review(pull.number, "alice")
    release.merge(pull)
    release.merge(release.propose(release.desired(ogr=1), branch="target"))

    assert {"ogr": MOVES} == await release.verdicts()


async def test_a_policy_loosened_without_its_review(release: Release) -> None:
    """It would have to be approved by the rules that it loosens."""
    await release.accept("{reviews: 1}")
    release.merge(release.propose(policy_text=policy("{reviews: 0}")))
    release.merge(release.propose(release.desired(ogr=1), branch="target"))

    assert {"ogr": HELD} == await release.verdicts()


async def test_optional_pull_requests(release: Release) -> None:
    """Where the policy says so a push decides, and a pull request needs no review."""
    await release.accept("{pull_request: optional}")
    release.push(release.desired(ogr=1))
    assert {"ogr": MOVES} == await release.verdicts()

    release.push(policy_text=policy("{pull_request: required}"))
    release.push(release.desired(ogr=1, packit=1))
    assert {"ogr": MOVES, "packit": HELD} == await release.verdicts()
