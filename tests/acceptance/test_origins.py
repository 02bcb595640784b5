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


async def test_a_direct_push_is_adopted_as_it_stands_by_a_branch_from_before_it(release: Release) -> None:
    """Its diff shows the whole change, though merging it changes nothing any more."""
    before = await release.accept("{reviews: 1}")
    release.push(release.desired(ogr=1))
    release.state.push("proposal", before, by="alice")
    pull = release.propose(release.desired(ogr=1))
    release.state.review(pull.number, "bob")
    release.merge(pull)

    accepted, _ = await release.survey()

    assert (pull.number, ("bob",)) == (accepted.pull_request, accepted.approvers)
    assert {"ogr": MOVES} == await release.verdicts()


@pytest.mark.parametrize("method", METHODS)
async def test_what_two_pull_requests_set_alike_needs_one_of_them(release: Release, method: str) -> None:
    """The one that was reviewed was merged second, and found its line there."""
    await release.accept("{reviews: 1}")
    reviewed = release.propose(release.desired(ogr=1), release.desired(ogr=1, packit=1), branch="reviewed")
    release.state.review(reviewed.number, "alice")
    release.merge(release.propose(release.desired(ogr=1), branch="other", by="bob"))
    assert {"ogr": HELD} == await release.verdicts()
    release.merge(reviewed, method)

    assert {"ogr": MOVES, "packit": MOVES} == await release.verdicts()


async def test_touching_a_line_does_not_adopt_it(release: Release) -> None:
    """Neither a comment on it, nor a new layout, nor a pull request that leaves both documents alone."""
    await release.accept()
    release.push(release.desired(ogr=1))
    touched = release.desired(ogr=1).replace(release.commits[OGR][1], f'"{release.commits[OGR][1]}"  # fine')
    release.merge(release.propose(touched))
    release.state.commit("explained", {"README.md": "Hello\n"}, "Explain", parents=[release.head])
    release.merge(release.state.open_pull_request("Explain", "", "explained", "main", "alice"))

    assert {"ogr": HELD} == await release.verdicts()


async def test_a_target_removed_by_a_push_is_held_where_it_was(release: Release) -> None:
    """It is shown, and what comes after it goes on waiting."""
    in_order = "repositories: {packit/ogr: {}, packit/packit: {after: packit/ogr}}\nsoak: 0h\n"
    release.push(release.desired(), f"version: 1\n{in_order}")
    await release.accept_head()
    release.merge(release.propose(release.desired(ogr=1, packit=1)))
    lines = release.desired(ogr=1, packit=1).splitlines(keepends=True)
    release.push("".join(line for line in lines if OGR not in line))

    _, plan = await release.survey()

    assert {"ogr": HELD, "packit": "after"} == await release.verdicts()
    assert release.commits[OGR][1] == plan.items[0].target


async def test_a_target_taken_back_by_a_push_lets_nothing_move_out_of_order(release: Release) -> None:
    """A line that nobody approved is not in place, though the branch stands where it says."""
    in_order = "repositories: {packit/ogr: {}, packit/packit: {after: packit/ogr}}\nsoak: 0h\n"
    release.push(release.desired(), f"version: 1\n{in_order}")
    await release.accept_head()
    release.merge(release.propose(release.desired(ogr=1, packit=1)))
    release.push(release.desired(ogr=0, packit=1))

    assert {"ogr": HELD, "packit": "after"} == await release.verdicts()


@pytest.mark.parametrize(
    "section",
    [
        "holds:\n  packit/ogr: {reason: waits for the login page}\n",
        "blocks:\n  packit/ogr:\n    SHA: {reason: broke srpm builds}\n",
    ],
)
async def test_a_hold_or_block_removed_by_a_push(release: Release, section: str) -> None:
    """What stood in the way stays there, as something nobody decided."""
    section = section.replace("SHA", release.commits[OGR][1])
    release.push(release.desired(more=section), policy())
    await release.accept_head()
    release.merge(release.propose(release.desired(ogr=1, more=section)))
    release.push(release.desired(ogr=1))

    assert {"ogr": HELD} == await release.verdicts()


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

    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()


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


async def test_a_branch_that_began_with_a_broken_push(release: Release) -> None:
    """Its diff shows the mended line, and nothing of what else was pushed with it, however it is merged."""
    await release.accept()
    good = release.head
    broken = release.push(release.desired(ogr=1) + "targets: [\n")
    release.state.push("mended", broken, by="alice")
    release.push(release.desired(ogr=1), branch="mended")
    release.push(release.desired())
    pull = release.state.open_pull_request("Mend", "", "mended", "main", "alice")
    release.merge_by_hand(pull, release.desired(ogr=1))
    assert good != release.head

    assert {"ogr": HELD} == await release.verdicts()


async def test_a_broken_document_that_was_merged_and_mended(release: Release) -> None:
    """Both by pull requests: nobody has to decide again."""
    await release.accept()
    release.merge(release.propose(UNREADABLE))
    release.merge(release.propose(release.desired(ogr=1), branch="mended"))

    assert {"ogr": MOVES} == await release.verdicts()
