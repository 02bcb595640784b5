"""Where a change came from: pull requests of every kind of merge, direct pushes, and what hides behind them."""

import pytest

from tests.acceptance.conftest import OGR, UNREADABLE, Release, policy

METHODS = ("merge", "squash", "rebase")
MOVES, HELD = "fast-forward", "not-approved"


@pytest.mark.parametrize("method", METHODS)
async def test_a_pull_request_of_several_commits(release: Release, method: str) -> None:
    """What its last commit says counts, however it was merged."""
    await release.accept()
    pull = release.propose(release.desired(ogr=2), release.desired(ogr=1, packit=1))
    release.merge(pull, method)

    accepted, _ = await release.survey()

    assert pull.number == accepted.pull_request
    assert {"ogr": MOVES, "packit": MOVES} == await release.verdicts()


@pytest.mark.parametrize("method", METHODS)
async def test_the_base_has_moved_since_the_branch_began(release: Release, method: str) -> None:
    """Each pull request brings its own line, and takes no other back."""
    await release.accept()
    second = release.propose(release.desired(packit=1), branch="second")
    release.merge(release.propose(release.desired(ogr=1)), method)
    release.merge(second, method)

    assert {"ogr": MOVES, "packit": MOVES} == await release.verdicts()


@pytest.mark.parametrize("method", METHODS)
async def test_every_commit_since_the_last_accepted_one_counts(release: Release, method: str) -> None:
    """Commits that touch neither document, and a pull request in between, hide no direct push."""
    await release.accept()
    release.push(release.desired(ogr=1))
    release.state.commit("main", {"README.md": "Hello\n"}, "Explain")
    release.merge(release.propose(release.desired(ogr=1, packit=1)), method)
    release.state.commit("main", {"README.md": "Hello again\n"}, "Explain")

    assert {"ogr": HELD, "packit": MOVES} == await release.verdicts()


async def test_a_direct_push_of_either_document(release: Release) -> None:
    """A line of the one holds its repository, the other everything that would move."""
    await release.accept()
    release.push(release.desired(ogr=1))
    assert {"ogr": HELD} == await release.verdicts()

    release.push(policy_text=policy(soak="1h"))
    release.merge(release.propose(release.desired(ogr=1, packit=1)))
    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()


async def test_a_direct_push_is_adopted_by_setting_the_line_again(release: Release) -> None:
    await release.accept()
    release.push(release.desired(ogr=1))
    release.merge(release.propose(release.desired(ogr=2)))

    assert {"ogr": MOVES} == await release.verdicts()


async def test_a_direct_push_that_was_reverted_is_forgotten(release: Release) -> None:
    """Whoever reverts it; what was merged in between stays decided."""
    await release.accept()
    release.push(release.desired(ogr=1))
    release.merge(release.propose(release.desired(ogr=1, packit=1)))
    release.push(release.desired(packit=1))

    accepted, _ = await release.survey()

    assert {} == accepted.unapproved
    assert {"packit": MOVES} == await release.verdicts()


async def test_a_pull_request_reverted_by_a_push(release: Release) -> None:
    """Going back on a decision is a decision."""
    await release.accept()
    release.merge(release.propose(release.desired(ogr=1, packit=1)))
    release.push(release.desired(ogr=2))

    assert {"ogr": HELD} == await release.verdicts()


async def test_a_merge_commit_with_what_no_reviewer_saw(release: Release) -> None:
    """Merged on one's own machine with another line: nothing that such a merge brings counts."""
    await release.accept()
    pull = release.propose(release.desired(ogr=1))
    release.merge_by_hand(pull, release.desired(ogr=1, packit=2))
    assert pull.is_merged

    _, plan = await release.survey()

    assert [HELD, HELD] == [hold.code for hold in plan.holds]
    assert f"changes packit/packit otherwise than #{pull.number} did" in plan.holds[-1].sentence


async def test_a_merge_commit_with_another_value(release: Release) -> None:
    await release.accept()
    release.merge_by_hand(release.propose(release.desired(ogr=1)), release.desired(ogr=2))

    assert {"ogr": HELD} == await release.verdicts()


async def test_an_honest_merge_on_ones_own_machine_counts(release: Release) -> None:
    await release.accept()
    release.merge_by_hand(release.propose(release.desired(ogr=1)), release.desired(ogr=1))

    assert {"ogr": MOVES} == await release.verdicts()


async def test_a_merge_that_takes_newer_lines_back(release: Release) -> None:
    """An old branch merged with all that it had, by hand, brings back what the default branch had left."""
    await release.accept()
    old = release.propose(release.desired(packit=1), branch="old")
    release.merge(release.propose(release.desired(ogr=1)))
    assert {"ogr": MOVES} == await release.verdicts()
    release.merge_by_hand(old, release.desired(packit=1))

    accepted, _ = await release.survey()

    assert {OGR, "packit/packit"} == accepted.unapproved.keys()


async def test_a_part_of_a_pull_request_that_was_pushed(release: Release) -> None:
    """An open pull request lends its commits no approval."""
    await release.accept()
    release.propose(release.desired(ogr=2), release.desired(ogr=1))
    pushed = str(release.state.commit_at(release.state.rev_parse("proposal")).parent_ids[0])
    release.state.push("main", pushed, by="alice")

    assert {"ogr": HELD} == await release.verdicts()


@pytest.mark.parametrize("method", ["squash", "rebase"])
async def test_a_push_of_a_pull_requests_own_commit_is_settled_by_merging_it(
    release: Release, method: str
) -> None:
    """Then the default branch has what the reviewers saw at the end, and nothing of what was pushed before."""
    await release.accept()
    pull = release.propose(release.desired(ogr=2), release.desired(ogr=1))
    pushed = str(release.state.commit_at(release.state.rev_parse("proposal")).parent_ids[0])
    release.state.push("main", pushed, by="alice")
    release.merge(pull, method)

    _, plan = await release.survey()

    assert {OGR: release.commits[OGR][1]} == {each.repository: each.target for each in plan.actions}


async def test_a_pull_request_merged_into_another_branch(release: Release) -> None:
    """Its merge commit is no decision when somebody pushes it to the default branch."""
    await release.accept()
    release.state.push("release", release.head, by="alice")
    pull = release.propose(release.desired(ogr=1), base="release")
    release.state.push("main", release.merge(pull), by="alice")

    _, plan = await release.survey()

    assert [(HELD, True)] == [(each.code, "into release, not main" in each.sentence) for each in plan.holds]


async def test_a_pull_request_from_a_fork(release: Release) -> None:
    """Anybody may open one; merging it is what decides, as for every other."""
    await release.accept()
    fork = release.state.fork("mallory")
    release.push(release.desired(ogr=1), branch="theirs", by="mallory", repository=fork)
    pull = release.state.open_pull_request("Move", "", "mallory:theirs", "main", "mallory")
    assert {} == await release.verdicts()

    release.merge(pull)

    assert {"ogr": MOVES} == await release.verdicts()


async def test_a_foxtrot_merge(release: Release) -> None:
    """A default branch put in second place: its history is not the first parents' any more."""
    await release.accept()
    release.merge(release.propose(release.desired(ogr=1)))
    aside = release.push(release.desired(packit=1), branch="aside")
    release.state.push("main", release.write([aside, release.head]), by="alice")

    verdicts = await release.verdicts()

    assert HELD == verdicts["packit"]


async def test_mending_a_document_does_not_launder_the_push_that_broke_it(release: Release) -> None:
    await release.accept()
    release.push(release.desired(ogr=1) + "targets: [\n")
    release.merge(release.propose(release.desired(ogr=1, packit=1)))

    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()


async def test_a_broken_document_that_was_merged_and_mended(release: Release) -> None:
    """Both by pull requests: nobody has to decide again."""
    await release.accept()
    release.merge(release.propose(UNREADABLE))
    release.merge(release.propose(release.desired(ogr=1), branch="mended"))

    assert {"ogr": MOVES} == await release.verdicts()
