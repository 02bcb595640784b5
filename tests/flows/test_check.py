"""The way check: what a reviewer reads is what merging would do, by the rules that would judge it."""

import pytest

from flows.ways.check import CONTEXT, MARKER, CheckReport, check, plain_steps
from reconcile.apply import Clock
from reconcile.errors import MissingError
from tests.builders import sha
from tests.flows.release import FakeRelease
from tests.flows.test_propose import NEW, NEWER, OGR, OLD, PACKIT, START, UNVALIDATED, fleet, with_target

BRANCH = "alice/edit"


async def run(github: FakeRelease, number: int = 1) -> CheckReport:
    return await check(plain_steps(github), number, clock=Clock(github.clock.now, github.clock.sleep))


def edited(
    text: str | None, *, policy_text: str = "", is_from_fork: bool = False, base: str = "main"
) -> FakeRelease:
    """Have a person open a pull request with this file."""
    github = fleet(policy=UNVALIDATED)
    github.edit(BRANCH, by="alice", desired_text=text, policy_text=policy_text)
    github.open(BRANCH, base=base, is_from_fork=is_from_fork)
    return github


async def test_a_persons_edit_is_planned() -> None:
    """The status on the newest commit and the one comment say what merging would do."""
    github = edited(with_target(OGR, NEWER))
    report = await run(github)
    assert ("success", "1 of 2 moves") == github.statuses[github.branches[BRANCH], CONTEXT]
    assert "**Merging this: 1 of 2 moves**" in github.comments[1, MARKER]
    assert "fast-forward" in github.comments[1, MARKER]
    assert report.plan
    assert [NEWER, OLD] == [item.target for item in report.plan.items]


async def test_twice_writes_once() -> None:
    """A run that finds its own work done writes nothing."""
    github = edited(with_target(OGR, NEW))
    await run(github)
    github.writes.clear()
    await run(github)
    assert [] == github.writes


async def test_a_hold_fails() -> None:
    """What merging would not carry out is a failure before the merge, with the reason code and what to do."""
    github = edited(with_target(OGR, sha("9")))
    await run(github)
    state, description = github.statuses[github.branches[BRANCH], CONTEXT]
    assert ("failure", "0 of 2 move · 1 held (packit/ogr: unknown-commit)") == (state, description)
    assert "Write the sha of a commit that was pushed there" in github.comments[1, MARKER]


async def test_waiting_is_no_failure() -> None:
    """Outside a window a merge is a decision all the same."""
    closed = 'windows: [{days: Tue, from: "08:00", until: "09:00", zone: UTC}]\n'
    github = fleet(policy=UNVALIDATED + closed)
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, NEW))
    github.open(BRANCH)
    report = await run(github)
    assert ("success", "0 of 2 move · 1 waits") == (report.state, report.description)


async def test_nothing_to_do_is_a_success() -> None:
    """A changed comment moves nothing; a commit status has no neutral."""
    report = await run(edited(f"# why\n{START}"))
    assert ("success", "nothing to do, 2 of 2 in place") == (report.state, report.description)


async def test_what_cannot_be_read_is_shown_with_its_place() -> None:
    """Every problem, with file, line and column, and a link to the line."""
    github = edited(START.replace(OLD, "12345") + "colour: red\n")
    report = await run(github)
    assert ("failure", 3) == (report.state, len(report.problems))
    assert [(4, "release-state.yaml"), (5, "release-state.yaml"), (6, "release-state.yaml")] == [
        (each.line, each.file) for each in report.problems
    ]
    assert report.description.startswith("3 problems. release-state.yaml:4:15: error: ")
    assert "`release-state.yaml:4:15`" in github.comments[1, MARKER]
    assert f"/blob/{report.commit}/release-state.yaml?plain=1#L4" in github.comments[1, MARKER]
    assert "observe_fleet" not in github.requests


@pytest.mark.parametrize(
    ("expected", "text", "policy_text"),
    [
        ("removes it", None, ""),
        ("is not in the policy", START + f"  packit/tokman: {OLD}\n", ""),
        ("is not under repositories", START, UNVALIDATED + "  packit/tokman: {after: packit/gone}\n"),
        ("policy and the release state at once", with_target(OGR, NEW), UNVALIDATED + "soak: 1h\n"),
        ("is the branch that stage is built from", START.replace("ref: stable", "ref: main"), ""),
    ],
)
async def test_what_no_merge_may_bring(expected: str, text: str | None, policy_text: str) -> None:
    """What contradicts itself, and rules that change with what they judge, fail before anything is planned."""
    report = await run(edited(text, policy_text=policy_text))
    assert "failure" == report.state
    assert expected in report.problems[0].message


async def test_a_policy_is_judged_by_the_one_before() -> None:
    """A pull request cannot give itself the right to move: the plan goes by the base branch's policy."""
    github = edited(START, policy_text=UNVALIDATED.replace("  packit/packit: {after: packit/ogr}\n", ""))
    report = await run(github)
    assert "failure" == report.state, "the file names a repository that the new policy lacks"
    github = fleet(file=with_target(OGR, NEW), policy=UNVALIDATED + "moves: {allowed_branches: [release]}\n")
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, NEW), policy_text=UNVALIDATED)
    github.open(BRANCH)
    report = await run(github)
    assert ("failure", "0 of 2 move · 1 held (packit/ogr: not-on-source)") == (
        report.state,
        report.description,
    )


async def test_a_strangers_is_parsed_only() -> None:
    """Nothing of the fleet is read for a fork's pull request, and it is neither green nor red."""
    github = edited(with_target(OGR, NEW), is_from_fork=True)
    report = await run(github)
    assert "pending" == report.state
    assert "comes from a fork" in report.description
    assert "observe_fleet" not in github.requests


async def test_a_strangers_mistakes_are_shown() -> None:
    """The parse result is theirs to have."""
    report = await run(edited("targets: [", is_from_fork=True))
    assert "failure" == report.state


async def test_what_touches_no_document_is_none_of_our_business() -> None:
    """A success that says so, and no comment."""
    github = edited(START)
    report = await run(github)
    assert ("success", "Does not change the release state.", {}) == (
        report.state,
        report.description,
        github.comments,
    )


async def test_a_merge_elsewhere_decides_nothing() -> None:
    """It must not look mergeable: the same commit can be opened against the default branch."""
    report = await run(edited(with_target(OGR, NEW), base="alice/other"))
    assert "failure" == report.state
    assert "Based on alice/other; only what is merged into main counts." == report.description


async def test_a_branch_that_is_behind_shows_its_own_changes() -> None:
    """What the base has decided since stays decided: the plan is of the merge, not of an old file."""
    github = edited(with_target(OGR, NEW))
    github.commit_documents(desired_text=with_target(PACKIT, NEWER))
    report = await run(github)
    assert report.plan
    assert {OGR: NEW, PACKIT: NEWER} == {item.repository: item.target for item in report.plan.items}


async def test_a_branch_that_is_behind_and_touches_nothing_is_left_alone() -> None:
    """A pull request for the readme does not become one for the release because main moved on."""
    github = edited(START)
    github.commit_documents(desired_text=with_target(PACKIT, NEWER))
    report = await run(github)
    assert "Does not change the release state." == report.description


async def test_a_closed_one_is_left_alone() -> None:
    """Nobody reads it any more."""
    github = edited(with_target(OGR, NEW))
    github.close(1)
    await run(github)
    assert [] == github.writes


async def test_a_broken_default_branch_can_be_mended() -> None:
    """Where the base's own policy cannot be read, a well-formed pull request is let through, unplanned."""
    github = fleet(policy="repositories: [")
    github.edit(BRANCH, by="alice", desired_text=START, policy_text=UNVALIDATED)
    github.open(BRANCH)
    report = await run(github)
    assert "success" == report.state
    assert "cannot be read" in report.description


async def test_the_description_fits() -> None:
    """However long the problem, a status takes 140 characters; the fake refuses more, as GitHub does."""
    report = await run(edited(START + f"{'x' * 500}: y\n"))
    assert 140 == len(report.description)


async def test_there_may_be_none() -> None:
    """A number of no pull request is an error of the caller."""
    with pytest.raises(MissingError):
        await run(fleet())
