"""The way check: what a reviewer reads is what merging would do, by the rules that would judge it."""

from datetime import timedelta
from functools import partial

import pytest

from flows.ways.check import CONTEXT, CheckReport, check, check_all, list_due, plain_steps
from reconcile.apply import Clock
from reconcile.errors import ForbiddenError, MissingError, ReconcileError, RejectedError, UnreachableError
from reconcile.observed import LineNote, Signal
from reconcile.render.proposal import PROPOSAL_BRANCH
from reconcile.render.report import MARKER
from state.ledger import Ledger, dump_ledger
from tests.builders import accepted_commit, sha
from tests.flows import test_propose
from tests.flows.release import FakeRelease
from tests.flows.test_propose import (
    NEW,
    NEWER,
    OGR,
    OLD,
    PACKIT,
    START,
    UNVALIDATED,
    fleet,
    validate,
    with_target,
)

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
    assert ("success", "0 of 2 move · 1 held (packit/ogr: not-on-source)") == (
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


# What the pull request does not bring


async def test_what_was_in_the_way_before_is_no_reason_to_merge_nothing() -> None:
    """Another repository's hold is shown, and fails nobody else's edit."""
    github = fleet(file=with_target(OGR, sha("9")), policy=UNVALIDATED)
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, sha("9")).replace(f"t: {OLD}", f"t: {NEW}"))
    github.open(BRANCH)
    report = await run(github)
    assert "success" == report.state
    assert "packit/ogr: unknown-commit" in report.description


async def test_a_hold_that_the_file_asks_for_is_no_failure() -> None:
    """To leave a repository alone is a decision like another."""
    held = with_target(OGR, NEW) + '\nholds:\n  packit/ogr: {reason: "not this week"}\n'
    report = await run(edited(held))
    assert ("success", "0 of 2 move · 1 held (packit/ogr: held)") == (report.state, report.description)


def pushed(text: str | None = None, policy_text: str | None = None) -> FakeRelease:
    """Push documents to the default branch without a pull request, after a commit that was accepted."""
    github = fleet(policy=UNVALIDATED)
    version = github.version
    last = accepted_commit().model_copy(
        update={
            "commit": version.commit,
            "desired_blob": version.desired_blob,
            "policy_blob": version.policy_blob,
        }
    )
    github.ledger.append((sha("1e"), dump_ledger(Ledger(accepted=last))))
    github.commit_documents(desired_text=text, policy_text=policy_text)
    return github


async def test_unapproved_lines_of_the_base_are_listed() -> None:
    """Whoever reviews the next pull request hears of a push past everybody; it fails nobody else's edit."""
    github = pushed(with_target(OGR, NEW))
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, NEW).replace(f"t: {OLD}", f"t: {NEW}"))
    github.open(BRANCH)
    report = await run(github)
    assert ("success", "0 of 2 move · 1 held · 1 waits (packit/ogr: not-approved)") == (
        report.state,
        report.description,
    )
    assert "Not approved on main: packit/ogr. " in (report.comment or "")
    assert "was pushed to main without a pull request" in (report.comment or "")


async def test_unapproved_lines_can_be_adopted() -> None:
    """A pull request that sets such a line approves it, and says so."""
    github = pushed(with_target(OGR, NEW))
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, NEWER))
    github.open(BRANCH)
    report = await run(github)
    assert ("success", "1 of 2 moves") == (report.state, report.description)
    assert "approves what stood unapproved on main before: packit/ogr." in (report.comment or "")


async def test_a_hold_does_not_adopt_the_target_beside_it() -> None:
    """Its diff does not show the target, so merging it approves nothing of that."""
    github = pushed(with_target(OGR, NEW))
    held = with_target(OGR, NEW) + 'holds: {packit/ogr: {reason: "leave it"}}\n'
    github.edit(BRANCH, by="alice", desired_text=held)
    github.open(BRANCH)
    report = await run(github)
    assert ("success", "0 of 2 move · 1 held (packit/ogr: not-approved)") == (
        report.state,
        report.description,
    )
    assert "Not approved on main: packit/ogr. " in (report.comment or "")
    assert "approves what stood" not in (report.comment or "")


async def test_a_line_that_stands_there_already_can_be_adopted() -> None:
    """By a branch from before the push, whose diff shows the whole change."""
    github = pushed(with_target(OGR, NEW))
    github.branches[BRANCH] = github.history[-2].commit
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, NEW))
    github.open(BRANCH)
    report = await run(github)
    assert ("success", "1 of 2 moves") == (report.state, report.description)
    assert "approves what stood unapproved on main before: packit/ogr." in (report.comment or "")


async def test_a_policy_that_nobody_approved_lets_nothing_move() -> None:
    """No pull request but one of the policy changes that, and none fails for it."""
    github = pushed(policy_text=UNVALIDATED + "soak: 1h\n")
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, NEW))
    github.open(BRANCH)
    report = await run(github)
    assert ("success", "0 of 2 move · 1 held (packit/ogr: not-approved)") == (
        report.state,
        report.description,
    )


# Evidence


async def proposal(conclusion: str = "success") -> FakeRelease:
    github = fleet()
    validate(github, conclusion)
    await test_propose.run(github, even_if_failing=True)
    return github


async def test_evidence_runs_out() -> None:
    """The same pull request, a day later: what validated it counts no longer, until a proposal refreshes it."""
    github = await proposal()
    assert "success" == (await run(github)).state
    github.clock.time += timedelta(hours=24)
    report = await run(github)
    assert "failure" == report.state
    assert report.description.startswith("Validation ran out on 2026-03-03 09:00 UTC: propose again. 2 of 2")
    assert (report.comment or "").startswith("> **Validation ran out on")
    validate(github)
    await test_propose.run(github)
    assert "success" == (await run(github)).state


async def test_a_draft_without_a_pass_fails() -> None:
    """Its own text says what validation said."""
    report = await run(await proposal("failure"))
    assert "failure" == report.state
    assert report.description.startswith("Validation failed.")
    github = fleet()
    github.validation = ()
    await test_propose.run(github, even_if_failing=True)
    assert (await run(github)).description.startswith("Nothing says that stage is good.")


async def test_only_the_proposal_has_evidence() -> None:
    """Whoever copies its text into a pull request of their own gets no verdict by it."""
    github = edited(with_target(OGR, NEW))
    body = "<!-- stablehand:evidence fail never -->"
    github.pulls[1] = github.pulls[1].model_copy(update={"body": body})
    assert "success" == (await run(github)).state


# Notes on the lines


def notes(github: FakeRelease, number: int = 1) -> dict[int, LineNote]:
    return {note.first: note for note in github.notes[number]}


def suggested(note: LineNote) -> list[str]:
    """List what a note offers, each the line that it would become."""
    blocks = note.body.split("```suggestion\n")[1:]
    return [block.partition("\n```")[0] for block in blocks]


async def test_each_changed_line_says_what_it_does() -> None:
    """How many commits, since when, and to leave it where it was, with its comment."""
    github = edited(with_target(OGR, NEWER))
    await run(github)
    note, _ = notes(github).values()
    assert (4, 4, "release-state.yaml") == (note.first, note.last, note.path)
    assert "2 commits" in note.body
    assert "the oldest waits since 2026-03-01" in note.body
    assert [START.splitlines()[3]] == suggested(note)
    assert "# the library" in suggested(note)[0]


async def test_a_repository_is_skipped_for_the_week() -> None:
    """One commit: the others go, proposals leave it alone until Monday, and then offer to let it go."""
    github = fleet()
    await test_propose.run(github)
    await run(github)
    target, *_, skip = sorted(github.notes[1], key=lambda note: (note.first, "hold" in note.body))
    lines = (github.file_on(PROPOSAL_BRANCH) or "").splitlines()
    for note in (skip, target):
        lines[note.first - 1 : note.last] = suggested(note)[0].splitlines()
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text="\n".join(lines) + "\n")
    report = await run(github)
    assert ("success", "1 of 2 moves") == (report.state, report.description)
    github.commit_documents(desired_text=github.file_on(PROPOSAL_BRANCH))
    github.close(1)
    github.push(PACKIT, NEW)

    github.clock.time += timedelta(days=1)
    validate(github)
    proposed = await test_propose.run(github)
    assert [(OGR, "held in the file: skipped in the review of #1")] == [
        (each.repository, each.reason) for each in proposed.left_out
    ]
    assert proposed.plan
    assert [PACKIT] == [action.repository for action in proposed.plan.actions]

    github.clock.time += timedelta(days=6)
    validate(github)
    proposed = await test_propose.run(github)
    assert {OGR: NEWER, PACKIT: NEWER} == test_propose.proposed(github)
    assert "lifts the hold of ogr" in (proposed.body or "")


async def test_a_green_commit_before_it_is_offered() -> None:
    """With what stays behind; one without a check, or with a failure, is none."""
    github = edited(with_target(OGR, NEWER))

    def signal(state: str) -> Signal:
        fields = {"kind": "check_run", "name": "ci", "state": state, "started_at": github.clock.time}
        return Signal.model_validate(fields)

    for state, expected in (("failure", 1), ("pending", 1), ("success", 2)):
        github.signals[OGR, NEW] = [signal(state)]
        await run(github)
        assert expected == len(suggested(notes(github)[4])), state
    assert f"packit/ogr: {NEW}" in suggested(notes(github)[4])[1]
    assert f"without `{NEWER[:7]}` Commit" in notes(github)[4].body


async def test_a_permit_is_offered() -> None:
    """Where the diff shows the end of the file, with one click; the whole line keeps what stood there."""
    github = fleet(file=START.replace(OLD, NEW), policy=UNVALIDATED)
    for name in (OGR, PACKIT):
        github.push(name, NEW)
    github.edit(BRANCH, by="alice", desired_text=with_target(OGR, OLD).replace(f"t: {OLD}", f"t: {NEW}"))
    github.open(BRANCH)
    report = await run(github)
    assert "failure" == report.state
    target, permit = notes(github)[4], notes(github)[5]
    assert "Held (`rewind-needs-permit`)" in target.body
    (block,) = suggested(permit)
    assert block.splitlines()[0] == f"  packit/packit: {NEW}"
    lines = (github.file_on(BRANCH) or "").splitlines()
    lines[permit.first - 1 : permit.last] = block.splitlines()
    github.edit(BRANCH, by="alice", desired_text="\n".join(lines) + "\n")
    report = await run(github)
    assert ("success", "1 of 2 moves") == (report.state, report.description)
    assert "agreed on in the review of #1" in (github.file_on(BRANCH) or "")


async def test_an_abbreviated_sha_is_completed() -> None:
    """The problem stands on its line, with the full sha to commit."""
    github = edited(START.replace(f"ogr: {OLD} ", f"ogr: {NEWER[:10]} "))
    report = await run(github)
    assert "failure" == report.state
    (note,) = notes(github).values()
    assert [f"  packit/ogr: {NEWER}     # the library"] == suggested(note)
    assert "is an abbreviated sha" in note.body


@pytest.mark.parametrize("line", ["  o/stranger: 1234567", "  packit/ogr: 1234567"])
async def test_only_what_is_known_is_completed(line: str) -> None:
    """A repository that the policy does not list is not read for anybody; a sha that means nothing stays."""
    github = edited(START.replace(f"  packit/ogr: {OLD}     # the library", line))
    await run(github)
    (note,) = notes(github).values()
    assert [] == suggested(note)
    assert ("stranger" in line) == ("find_commits" not in github.requests)


async def test_a_strangers_lines_are_not_looked_up() -> None:
    """Nor written on."""
    github = edited(START.replace(f"ogr: {OLD} ", f"ogr: {NEWER[:10]} "), is_from_fork=True)
    await run(github)
    assert "find_commits" not in github.requests
    assert () == github.notes.get(1, ())


async def test_there_are_never_too_many() -> None:
    """A proposal of a whole fleet gets notes on its largest moves; the comment has all of it."""
    names = [f"packit/r{number:02}" for number in range(30)]
    policy = "version: 1\ncandidate: head\nrepositories:\n" + "".join(f"  {name}: {{}}\n" for name in names)
    github = fleet(file="version: 1\nref: stable\ntargets: {}\n", policy=policy)
    github.repositories = {
        name: type(github.repositories[OGR])(
            name, parents={OLD: (), NEW: (OLD,), NEWER: (NEW,)}, refs={"main": NEWER, "stable": OLD}
        )
        for name in names
    }
    before = "version: 1\nref: stable\ntargets:\n" + "".join(f"  {name}: {OLD}\n" for name in names)
    github.commit_documents(desired_text=before)
    after = before.replace(OLD, NEW)
    github.edit(BRANCH, by="alice", desired_text=after.replace(f"r29: {NEW}", f"r29: {NEWER}"))
    github.open(BRANCH)
    await run(github)
    assert 20 == len(github.notes[1])
    assert "2 commits" in github.notes[1][0].body


async def test_notes_that_github_does_not_take_fail_nothing() -> None:
    """The status and the comment are there."""
    github = edited(with_target(OGR, NEW))
    github.errors["ensure_notes"].append(RejectedError("Line must be part of the diff"))
    assert "success" == (await run(github)).state
    assert github.statuses


NICETIES = (UnreachableError("slow"), ForbiddenError("no checks"))


@pytest.mark.parametrize("error", NICETIES)
@pytest.mark.parametrize("step", ["observe_histories", "observe_signals"])
async def test_what_is_not_told_leaves_the_notes_short(step: str, error: ReconcileError) -> None:
    """A check does not wait for niceties, nor does it need the right to them."""
    github = edited(with_target(OGR, NEWER))
    github.errors[step].append(error)
    assert "success" == (await run(github)).state
    assert "2 commits" in notes(github)[4].body


@pytest.mark.parametrize("error", NICETIES)
async def test_what_is_wrong_is_said_without_what_would_mend_it(error: ReconcileError) -> None:
    """That a sha is abbreviated is known whether or not the full one can be looked up."""
    github = edited(START.replace(f"ogr: {OLD} ", f"ogr: {NEWER[:10]} "))
    github.errors["find_commits"].append(error)
    assert "failure" == (await run(github)).state
    (note,) = notes(github).values()
    assert ("is an abbreviated sha" in note.body, []) == (True, suggested(note))
    assert "failure" == github.statuses[github.branches[BRANCH], CONTEXT][0]


async def test_one_that_is_merged_meanwhile_keeps_its_checklist() -> None:
    """The one comment is about what the merge did by then: an old plan does not overwrite it."""
    github = edited(with_target(OGR, NEW))
    github.comments[1, MARKER] = "the checklist"
    # load, documents, and the rest; the merge comes before the look that precedes the report
    github.meanwhile.extend([*[None] * 7, lambda: github.merge(1)])
    await run(github)
    assert ("merged", "the checklist") == (github.pulls[1].state, github.comments[1, MARKER])


async def test_what_a_look_by_the_clock_is_for() -> None:
    """What changes a document, since what is said of it ages; the rest once, since a rule may want its status."""
    github = await proposal()
    for branch, text in (("alice/edit", with_target(OGR, NEW)), ("alice/readme", START)):
        github.edit(branch, by="alice", desired_text=text)
        github.open(branch)
    github.open("alice/edit", base="other")
    github.close(1)
    assert (2, 3) == await list_due(github)
    for number in (2, 3):
        await run(github, number)
    assert (2,) == await list_due(github)
    github.edit("alice/readme", by="alice", desired_text=START)
    assert (2, 3) == await list_due(github)


async def test_a_look_that_finds_nothing_new_writes_nothing() -> None:
    github = edited(with_target(OGR, NEW))
    for _ in range(2):
        github.writes.clear()
        await check_all(await list_due(github), partial(run, github))
    assert [] == github.writes


async def test_evidence_that_runs_out_turns_the_check() -> None:
    """Between two looks, with nobody having touched the pull request."""
    github = await proposal()
    for expected in ("success", "failure"):
        (report,) = (await check_all(await list_due(github), partial(run, github))).values()
        assert isinstance(report, CheckReport)
        assert expected == report.state
        github.clock.time += timedelta(hours=25)


async def test_one_that_cannot_be_checked_stops_no_other() -> None:
    """A pull request that is gone by then, or GitHub's failure in the middle."""
    github = edited(with_target(OGR, NEW))
    came_to = await check_all((404, 1), partial(run, github))
    assert isinstance(came_to[404], MissingError)
    assert isinstance(came_to[1], CheckReport)
    assert github.statuses


@pytest.mark.parametrize("others", [0, 20])
async def test_what_is_none_of_our_business_costs_one_request(others: int) -> None:
    github = fleet(policy=UNVALIDATED)
    for number in range(1, others + 1):
        branch = f"alice/{number}"
        github.edit(branch, by="alice", desired_text=START)
        github.open(branch)
        await run(github, number)
    github.requests.clear()
    assert () == await list_due(github)
    assert ["observe_open"] == github.requests
