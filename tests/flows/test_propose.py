"""The way propose: one rolling pull request with what may go out, and never over what a person did."""

import re
from datetime import datetime, timedelta
from functools import partial

import pytest

from flows.ways.errors import UsageError
from flows.ways.propose import ProposeReport, ProposeRequest, plain_steps, propose
from flows.ways.rolling import CLOSING
from reconcile.apply import Clock
from reconcile.errors import StaleHeadError, UnreachableError
from reconcile.observed import RangeTraits
from reconcile.planned import Hold
from reconcile.render.marks import read_built_on, read_evidence
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.evidence import Verdict
from state.ids import RepositoryName, Sha
from state.ledger import Ledger, SpentPermit, dump_ledger
from state.yaml_io import parse_desired
from tests.builders import sha
from tests.fakes import FakeRepository
from tests.flows.release import FakeRelease, check_run, pull_request

OGR, PACKIT, SERVICE = "packit/ogr", "packit/packit", "packit/packit-service"
OLD, NEW, NEWER, FOREIGN = sha("a"), sha("b"), sha("c"), sha("f")
POLICY = """\
version: 1
repositories:
  packit/ogr: {}
  packit/packit: {after: packit/ogr}
validation:
  - check_runs: {repository: packit/hello-world, app: packit-stg, pull_requests: "Basic*", authors: packit-bot}
"""
UNVALIDATED = """\
version: 1
candidate: head
repositories:
  packit/ogr: {}
  packit/packit: {after: packit/ogr}
"""
START = f"""\
version: 1
ref: stable
targets:
  packit/ogr: {OLD}     # the library
  packit/packit: {OLD}
"""


def fleet(*, file: str = START, policy: str = POLICY) -> FakeRelease:
    """Make two repositories whose main is OLD ← NEW ← NEWER with stable at OLD, and validate what stage runs.

    Validation began an hour ago; NEW landed a day before it, NEWER after it.
    """
    graph: dict[Sha, tuple[Sha, ...]] = {OLD: (), NEW: (OLD,), NEWER: (NEW,)}
    github = FakeRelease(
        *(
            FakeRepository(name, parents=dict(graph), refs={"main": NEWER, "stable": OLD})
            for name in (OGR, PACKIT)
        )
    )
    for repository in github.repositories.values():
        repository.committed_at[NEWER] = github.clock.time - timedelta(minutes=30)
    github.commit_documents(desired_text=file, policy_text=policy)
    validate(github)
    return github


def validate(github: FakeRelease, conclusion: str = "success") -> None:
    began = github.clock.time - timedelta(hours=1)
    github.validation = (pull_request(7, check_run(conclusion=conclusion, started_at=began)),)


async def run(
    github: FakeRelease,
    *pins: str,
    hold: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    even_if_failing: bool = False,
) -> ProposeReport:
    clock = Clock(github.clock.now, github.clock.sleep)
    request = ProposeRequest(pins=pins, hold=hold, only=only, even_if_failing=even_if_failing)
    return await propose(plain_steps(github, clock), request, clock=clock)


def proposed(github: FakeRelease) -> dict[RepositoryName, Sha]:
    return parse_desired(github.file_on(PROPOSAL_BRANCH) or "").targets


def with_target(name: RepositoryName, target: Sha) -> str:
    return re.sub(rf"{name}: \w+", f"{name}: {target}", START)


async def test_it_proposes_what_was_validated() -> None:
    """The newest commit that stage can have run goes into the file; what is newer is listed as left behind."""
    github = fleet()
    report = await run(github)
    assert {OGR: NEW, PACKIT: NEW} == proposed(github)
    assert START.replace(OLD, NEW) == github.file_on(PROPOSAL_BRANCH)
    assert ("opened", 1, "#1 opened: 2 of 2 move.") == (
        report.action,
        report.pull_request and report.pull_request.number,
        report.sentence,
    )
    assert "Move stable of ogr, packit" == github.pulls[1].title
    assert github.pulls[1].body.startswith(
        "2 of 2 move · stage green 60 min ago (Mon 09:00 UTC) · largest: ogr, 1 commit · about 1 min to deploy"
    )
    assert "merged after validation began" in github.pulls[1].body
    assert report.body == github.pulls[1].body


async def test_nothing_else_is_touched() -> None:
    """A proposal moves no ref of the fleet and writes neither the default branch nor the ledger."""
    github = fleet()
    await run(github)
    assert ["store_branch", "ensure_pull_request"] == github.writes
    assert ([], [], []) == (github.effects, github.sent, github.ledger)


async def test_twice_writes_once() -> None:
    """A run that finds its own work done writes nothing."""
    github = fleet()
    await run(github)
    github.writes.clear()
    report = await run(github)
    assert ([], "unchanged") == (github.writes, report.action)


async def test_what_grows_older_changes_the_text_alone() -> None:
    """Hours later the first line tells another age: an edit of the body calls nobody, where a commit would."""
    github = fleet()
    await run(github)
    head = github.branches[PROPOSAL_BRANCH]
    github.writes.clear()
    github.clock.time += timedelta(hours=3)
    report = await run(github)
    assert (["ensure_pull_request"], "refreshed") == (github.writes, report.action)
    assert head == github.branches[PROPOSAL_BRANCH]
    assert "stage green 4 h ago (Mon 09:00 UTC)" in github.pulls[1].body
    github.clock.time += timedelta(minutes=20)
    assert "unchanged" == (await run(github)).action


def expires_at(github: FakeRelease) -> datetime | None:
    mark = read_evidence(github.pulls[1].body)
    assert mark
    return mark.expires_at


@pytest.mark.parametrize("branch", ["own", "edited", "unreadable", "part"])
async def test_the_newest_evidence_counts(branch: str) -> None:
    """Whatever is on the branch and was asked for, check finds when what was looked at last runs out."""
    github = fleet()
    await run(github)
    if branch == "edited":
        github.edit(PROPOSAL_BRANCH, by="alice", desired_text=with_target(OGR, NEWER))
    if branch == "unreadable":
        github.edit(PROPOSAL_BRANCH, by="alice", desired_text="targets: [")
    if branch == "part":
        for name in (OGR, PACKIT):
            github.push(name, NEW)
    before, looked_at = github.branches[PROPOSAL_BRANCH], github.clock.time
    assert looked_at + timedelta(hours=23) == expires_at(github)
    github.clock.time += timedelta(hours=20)
    for repository in github.repositories.values():
        repository.committed_at[NEWER] = github.clock.time
    validate(github)
    github.writes.clear()
    await run(github, only=("ogr",) if branch == "part" else ())
    assert github.clock.time + timedelta(hours=23) == expires_at(github)
    assert (before, ["ensure_pull_request"]) == (github.branches[PROPOSAL_BRANCH], github.writes)


async def test_a_failure_reaches_a_text_that_cannot_be_written_anew() -> None:
    """A draft with the mark of a failure, though nothing can be said of its file."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text="targets: [")
    validate(github, "failure")
    report = await run(github)
    assert ("not-proposed", True) == (report.action, github.pulls[1].is_draft)
    assert (Verdict.FAIL, github.clock.time + timedelta(hours=23)) == read_evidence(github.pulls[1].body)


async def test_it_rolls_on() -> None:
    """New candidates go into the same pull request."""
    github = fleet()
    await run(github)
    github.clock.time += timedelta(hours=12)
    validate(github)
    report = await run(github)
    assert "updated" == report.action
    assert {OGR: NEWER, PACKIT: NEWER} == proposed(github)
    assert [1] == list(github.pulls)


async def test_a_commit_elsewhere_rebuilds_nothing() -> None:
    """The base may move on: as long as both documents stay, the branch does."""
    github = fleet()
    await run(github)
    head = github.branches[PROPOSAL_BRANCH]
    github.commit_documents()
    assert "unchanged" == (await run(github)).action
    assert head == github.branches[PROPOSAL_BRANCH]


async def test_new_documents_rebuild_the_branch() -> None:
    """A document that changed on the base is the one that is edited, comments and all."""
    github = fleet()
    await run(github)
    base = github.commit_documents(desired_text=f"# by the team\n{START}")
    report = await run(github)
    assert "updated" == report.action
    assert f"# by the team\n{START.replace(OLD, NEW)}" == github.file_on(PROPOSAL_BRANCH)
    assert base == github.commits[github.branches[PROPOSAL_BRANCH]].parent


async def test_a_body_without_its_mark_is_built_anew_once() -> None:
    """A person may take the hidden line out; that costs one commit and nothing else."""
    github = fleet()
    await run(github)
    github.pulls[1] = github.pulls[1].model_copy(update={"body": "We talked about it."})
    assert "updated" == (await run(github)).action
    assert "unchanged" == (await run(github)).action


async def test_a_persons_commit_is_never_overwritten() -> None:
    """Their file stays; title, evidence and plan follow it, and the body says why."""
    github = fleet()
    await run(github)
    edited = with_target(OGR, NEWER)
    head = github.edit(PROPOSAL_BRANCH, by="alice", desired_text=edited)
    github.writes.clear()
    report = await run(github)
    assert ("refreshed", head) == (report.action, github.branches[PROPOSAL_BRANCH])
    assert edited == github.file_on(PROPOSAL_BRANCH)
    assert ["ensure_pull_request"] == github.writes
    assert "Move stable of ogr" == github.pulls[1].title
    assert "as alice left it" in github.pulls[1].body
    assert "1 of 2 moves" in github.pulls[1].body
    assert "its file is left as alice made it" in report.sentence


@pytest.mark.parametrize("author", ["alice", "Stablehand-2", None])
async def test_whoever_is_not_the_bot_is_a_person(author: str | None) -> None:
    """Also an author whom GitHub cannot name."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by=author, desired_text=START)
    assert "refreshed" == (await run(github)).action


async def test_a_push_in_between_is_a_persons_too() -> None:
    """A commit that lands after the first look fails the compare-and-swap, and is found on the second."""
    github = fleet()
    await run(github)
    github.clock.time += timedelta(hours=12)
    validate(github)
    edited = with_target(OGR, NEWER)
    edit = partial(github.edit, PROPOSAL_BRANCH, by="alice", desired_text=edited)
    before_the_write(github, edit)
    report = await run(github)
    assert "refreshed" == report.action
    assert edited == github.file_on(PROPOSAL_BRANCH)


async def test_two_lost_races_are_enough() -> None:
    """Whoever keeps moving the branch is left to it, and nothing is opened for them."""
    github = fleet()
    github.errors["store_branch"].extend([StaleHeadError("once"), StaleHeadError("twice")])
    with pytest.raises(StaleHeadError, match="propose again"):
        await run(github)
    assert {} == github.pulls


def before_the_write(github: FakeRelease, deed: object) -> None:
    """Have somebody do this right before the branch is written."""
    original = github.store_branch

    async def store_branch(*args: object, **kwargs: object) -> Sha:
        github.store_branch = original  # type: ignore[method-assign]  # once
        assert callable(deed)
        deed()
        return await original(*args, **kwargs)  # type: ignore[arg-type]  # as they came

    github.store_branch = store_branch  # type: ignore[method-assign]  # for one call


async def test_an_unreadable_edit_is_left_for_check_to_explain() -> None:
    """While a person's file cannot be read, nothing can be said about it; nothing is written."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text="targets: [")
    github.writes.clear()
    report = await run(github)
    assert ([], "refreshed") == (github.writes, report.action)
    assert "release-state.yaml:1:" in report.sentence


async def test_an_edit_on_old_documents_is_told_so() -> None:
    """The base has moved on under a person's branch: the body asks for an update before the merge."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text=with_target(OGR, NEW))
    built_on = read_built_on(github.pulls[1].body)
    github.commit_documents(desired_text=f"# new\n{START}")
    await run(github)
    assert "Update the branch before you merge it" in github.pulls[1].body
    assert built_on == read_built_on(github.pulls[1].body)


async def test_a_half_finished_run_is_finished() -> None:
    """Killed between branch and pull request: the next run opens it."""
    github = fleet()
    github.errors["ensure_pull_request"].append(UnreachableError("cut"))
    with pytest.raises(UnreachableError):
        await run(github)
    report = await run(github)
    assert ("opened", {OGR: NEW, PACKIT: NEW}) == (report.action, proposed(github))


@pytest.mark.parametrize("author", ["stablehand", "alice"])
async def test_a_closed_one_is_not_reopened(author: str) -> None:
    """The next proposal starts anew from where the branch stands, whoever was on it."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by=author, desired_text=START)
    github.close(1)
    report = await run(github)
    assert ("opened", 2) == (report.action, report.pull_request and report.pull_request.number)
    assert {OGR: NEW, PACKIT: NEW} == proposed(github)
    assert github.history[-1].commit == github.commits[github.branches[PROPOSAL_BRANCH]].parent


async def test_a_merged_one_is_followed_by_the_next() -> None:
    """After the merge there is nothing to propose, until there is."""
    github = fleet()
    await run(github)
    github.merge(1)
    for name in (OGR, PACKIT):
        github.push(name, NEW)
    assert "nothing-to-propose" == (await run(github)).action
    github.clock.time += timedelta(hours=12)
    validate(github)
    report = await run(github)
    assert ("opened", 2) == (report.action, report.pull_request and report.pull_request.number)


async def test_nothing_new_writes_nothing() -> None:
    """Everything validated is in the file already: no commit, no pull request."""
    github = fleet(file=START.replace(OLD, NEW))
    report = await run(github)
    assert ([], "nothing-to-propose", {}) == (github.writes, report.action, github.pulls)
    assert "2 of 2 move" in report.sentence


async def test_an_emptied_one_is_closed() -> None:
    """Somebody merged the same lines another way: nothing is left in ours, and a comment says why it is closed."""
    github = fleet()
    await run(github)
    github.commit_documents(desired_text=START.replace(OLD, NEW))
    report = await run(github)
    assert ("closed", "closed") == (report.action, github.pulls[1].state)
    assert "nothing is left in this" in github.comments[1, CLOSING]
    github.writes.clear()
    assert "nothing-to-propose" == (await run(github)).action
    assert [] == github.writes


async def test_an_emptied_one_with_somebodys_commit_is_theirs() -> None:
    """It is told, and not closed."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text=START.replace(OLD, NEW))
    github.label(1, HAND_BACK)
    github.commit_documents(desired_text=START.replace(OLD, NEW))
    report = await run(github)
    assert ("refreshed", "open") == (report.action, github.pulls[1].state)
    assert "can be closed" in github.pulls[1].body


async def test_somebody_elses_emptied_one_is_theirs() -> None:
    """A person opened it from our branch."""
    github = fleet()
    await run(github)
    github.pulls[1] = github.pulls[1].model_copy(update={"author": "alice"})
    github.commit_documents(desired_text=START.replace(OLD, NEW))
    assert ("refreshed", "open") == ((await run(github)).action, github.pulls[1].state)


async def test_asking_for_a_part_closes_nothing() -> None:
    """Nothing new in one repository says nothing about the others that the pull request has."""
    github = fleet()
    await run(github, f"ogr={NEW}")
    github.push(PACKIT, NEWER)
    file = github.file_on(PROPOSAL_BRANCH)
    report = await run(github, only=("packit",))
    assert ("nothing-to-propose", "open", file) == (
        report.action,
        github.pulls[1].state,
        github.file_on(PROPOSAL_BRANCH),
    )


@pytest.mark.parametrize(
    ("verdict", "conclusion"),
    [(Verdict.FAIL, "failure"), (Verdict.NO_EVIDENCE, None), (Verdict.FAIL, "neutral")],
)
async def test_without_a_pass_nothing_is_opened(verdict: Verdict, conclusion: str | None) -> None:
    """A failure and silence alike: nothing is written, and the report says which source said what."""
    github = fleet()
    if conclusion:
        validate(github, conclusion)
    else:
        github.validation = ()
    report = await run(github, f"ogr={NEW}")
    assert (verdict, "not-proposed", []) == (report.verdict, report.action, github.writes)
    assert "packit/hello-world" in report.sentence


async def test_an_open_one_is_told_of_the_failure() -> None:
    """A pull request of an earlier day must not look green: its first line says so, its file stays."""
    github = fleet()
    await run(github)
    head = github.branches[PROPOSAL_BRANCH]
    validate(github, "failure")
    report = await run(github)
    assert ("not-proposed", head) == (report.action, github.branches[PROPOSAL_BRANCH])
    assert github.pulls[1].body.startswith("**Validation failed** 60 min ago (Mon 09:00 UTC) · 2 of 2 move")
    assert github.pulls[1].is_draft
    github.writes.clear()
    await run(github)
    assert [] == github.writes
    github.clock.time += timedelta(hours=12)
    validate(github)
    assert "updated" == (await run(github)).action
    assert not github.pulls[1].is_draft, "this program made it a draft, so it makes it ready"


async def test_a_policy_without_validation_proposes_the_head() -> None:
    """`candidate: head` and no source is a choice; the body says that nothing validates it."""
    github = fleet(policy=UNVALIDATED)
    report = await run(github)
    assert ("opened", {OGR: NEWER, PACKIT: NEWER}) == (report.action, proposed(github))
    assert "**nothing validates this**" in github.pulls[1].body


async def test_a_policy_that_wants_validation_and_names_none_proposes_nothing() -> None:
    """`candidate: validated` without a source can never pass."""
    github = fleet(policy=UNVALIDATED.replace("candidate: head\n", ""))
    report = await run(github)
    assert ("not-proposed", []) == (report.action, github.writes)
    assert "names no source" in report.sentence


async def test_a_head_that_is_validated_must_pass_too() -> None:
    """`candidate: head` says which commit, not that a failure does not matter."""
    github = fleet(policy=POLICY.replace("repositories:", "candidate: head\nrepositories:"))
    validate(github, "failure")
    assert "not-proposed" == (await run(github)).action


async def test_a_pin_is_one_repository_others_follow_the_rule() -> None:
    """Short names and abbreviated shas are welcome."""
    github = fleet()
    await run(github, f"OGR={NEWER[:7].upper()}")
    assert {OGR: NEWER, PACKIT: NEW} == proposed(github)


async def test_a_pin_to_something_older_shows_its_hold() -> None:
    """What a person asked for is proposed as asked, with what the plan has to say about it."""
    github = fleet(file=START.replace(OLD, NEW))
    for name in (OGR, PACKIT):
        github.push(name, NEW)
    report = await run(github, f"ogr={OLD}")
    assert {OGR: OLD, PACKIT: NEW} == proposed(github)
    assert report.plan
    assert ["rewind-needs-permit"] == [item.code for item in report.plan.items if isinstance(item, Hold)]
    assert "rewind-needs-permit" in github.pulls[1].body


@pytest.mark.parametrize(
    ("expected", "pins", "hold", "only"),
    [
        ("packit/ogr has no commit 1234567", ("ogr=1234567",), (), ()),
        ("aaaa means more than one commit of packit/ogr", ("ogr=aaaa",), (), ()),
        ("'ogrr' is not a repository of the fleet: did you mean packit/ogr", ("ogrr=abcd",), (), ()),
        ("'ogr' is not a pin", ("ogr",), (), ()),
        ("'nothing' is not a repository", (), ("nothing",), ()),
        ("'nothing' is not a repository", (), (), ("nothing",)),
        ("packit/ogr is pinned and held at once", (f"ogr={NEW}",), ("ogr",), ()),
        ("packit/ogr is not among those that may change", (f"ogr={NEW}",), (), ("packit",)),
        ("packit/ogr is not among those that may change", (), ("ogr",), ("packit",)),
    ],
)
async def test_what_cannot_be_meant_is_an_error(
    expected: str, pins: tuple[str, ...], hold: tuple[str, ...], only: tuple[str, ...]
) -> None:
    """Nothing is written, and the message says what was found."""
    github = fleet()
    github.repositories[OGR].parents["aaaab" + "0" * 35] = ()
    with pytest.raises(UsageError, match=re.escape(expected)):
        await run(github, *pins, hold=hold, only=only)
    assert [] == github.writes


async def test_all_usage_problems_come_at_once() -> None:
    """A person corrects the whole line, not one word after another."""
    with pytest.raises(UsageError) as caught:
        await run(fleet(), "ogr=1234567", hold=("a", "b"), only=("c",))
    assert 4 == len(caught.value.problems), "the commit and three names"


@pytest.mark.parametrize(("hold", "only"), [(("packit",), ()), ((), ("packit/ogr",))])
async def test_others_stay_where_the_file_has_them(hold: tuple[str, ...], only: tuple[str, ...]) -> None:
    """`--hold` leaves these, `--only` leaves all but these; the body says that it was asked for."""
    github = fleet()
    report = await run(github, hold=hold, only=only)
    assert {OGR: NEW, PACKIT: OLD} == proposed(github)
    assert [PACKIT] == [each.repository for each in report.left_out]
    assert "as asked for" in github.pulls[1].body


async def test_what_the_file_holds_is_left() -> None:
    """A hold in the file is listed with its reason, and lifted by nobody but a person."""
    held = START + '\nholds:\n  packit/ogr: {reason: "waits for the login page"}\n'
    github = fleet(file=held)
    report = await run(github)
    assert {OGR: OLD, PACKIT: NEW} == proposed(github)
    assert [(OGR, "held in the file: waits for the login page")] == [
        (each.repository, each.reason) for each in report.left_out
    ]


async def test_what_would_be_held_is_not_proposed() -> None:
    """A candidate with a blocked commit in it is taken out again, with the reason; the others go on."""
    blocked = START + f'\nblocks:\n  packit/ogr:\n    {NEW}: {{reason: "broke the builds"}}\n'
    github = fleet(file=blocked)
    report = await run(github)
    assert {OGR: OLD, PACKIT: NEW} == proposed(github)
    (left,) = report.left_out
    assert OGR == left.repository
    assert "blocked" in left.reason
    assert "broke the builds" in left.reason
    assert report.plan
    assert () == report.plan.holds


async def test_a_diverged_ref_is_not_proposed() -> None:
    """Somebody's hotfix on stable is theirs; the proposal says that it is in the way."""
    github = fleet()
    github.push(OGR, FOREIGN, onto=(OLD,))
    report = await run(github)
    assert {OGR: OLD, PACKIT: NEW} == proposed(github)
    assert ["diverged" in each.reason for each in report.left_out] == [True]


async def test_too_many_moves_are_for_a_person_to_choose_from() -> None:
    """A limit on the whole holds every move; which to take back is not the tool's to say."""
    github = fleet(policy=POLICY + "limits: {repositories: 1}\n")
    report = await run(github)
    assert {OGR: NEW, PACKIT: NEW} == proposed(github)
    assert report.plan
    assert {"limit-exceeded"} == {hold.code for hold in report.plan.holds}


async def test_a_decision_that_is_not_out_yet_is_not_taken_back() -> None:
    """The file asks for something newer than the candidate: it stays."""
    github = fleet(file=with_target(OGR, NEWER))
    await run(github)
    assert {OGR: NEWER, PACKIT: NEW} == proposed(github)


async def test_a_repository_that_the_file_lacks_is_added() -> None:
    """One of the policy without a line gets one: its candidate, or where it stands."""
    github = fleet(file=f"version: 1\nref: stable\ntargets:\n  packit/packit: {OLD}\n")
    github.delete_ref(OGR)
    await run(github)
    assert {PACKIT: NEW, OGR: NEW} == proposed(github)


async def test_a_repository_that_does_not_exist_is_told() -> None:
    """A name in the policy that GitHub does not know stops nothing else."""
    github = fleet(policy=POLICY.replace("packit/ogr: {}", "packit/ogr: {}\n  packit/gone: {}"))
    report = await run(github)
    assert ["packit/gone"] == [each.repository for each in report.left_out]
    assert {OGR: NEW, PACKIT: NEW} == proposed(github)


async def test_a_draft_stays_a_draft() -> None:
    """A person who made it a draft had a reason."""
    github = fleet()
    await run(github)
    github.pulls[1] = github.pulls[1].model_copy(update={"is_draft": True, "body": ""})
    await run(github)
    assert github.pulls[1].is_draft


LABELLED = (
    POLICY
    + """proposal:
  labels: [release, stable]
  reviewers: [alice, mallory]
  assignees: bob
"""
)
HAND_BACK = "stablehand/rebuild"


async def test_people_are_asked_to_look_at_it() -> None:
    """Labels, reviewers and assignees of the policy; once."""
    github = fleet(policy=LABELLED)
    await run(github)
    assert ("release", "stable") == github.pulls[1].labels
    assert ("alice", "mallory", "bob") == github.asked[1]
    github.writes.clear()
    assert "unchanged" == (await run(github)).action
    assert [] == github.writes


async def test_who_cannot_be_asked_is_a_note() -> None:
    """The pull request is open all the same."""
    github = fleet(policy=LABELLED)
    github.refuses = ("mallory",)
    report = await run(github)
    assert "opened" == report.action
    assert "mallory cannot be asked for a review." in report.sentence


@pytest.mark.parametrize(
    ("first", "target", "conclusion"),
    [
        ("**Validation failed** 60 min ago (Mon 09:00 UTC)", NEW, "failure"),
        ("**Nothing says that stage is good**", NEWER, None),
    ],
)
async def test_a_draft_where_a_person_wants_one(first: str, target: Sha, conclusion: str | None) -> None:
    """`--even-if-failing` opens a draft that says what is missing: of what failed, or else of what there is."""
    github = fleet()
    github.validation = ()
    if conclusion:
        validate(github, conclusion)
    report = await run(github, even_if_failing=True)
    assert ("opened", True) == (report.action, github.pulls[1].is_draft)
    assert github.pulls[1].body.startswith(f"{first} · 2 of 2 move")
    assert "#1 opened as a draft: 2 of 2 move." == report.sentence
    assert {OGR: target, PACKIT: target} == proposed(github)
    github.writes.clear()
    assert "unchanged" == (await run(github, even_if_failing=True)).action
    assert [] == github.writes


async def test_a_draft_where_the_policy_wants_one() -> None:
    """`unvalidated: draft`, also on a schedule; with the pass it is made ready."""
    github = fleet(policy=POLICY + "proposal: {unvalidated: draft}\n")
    drafts = []
    for conclusion in ("failure", "success"):
        validate(github, conclusion)
        await run(github)
        drafts.append(github.pulls[1].is_draft)
    assert [True, False] == drafts
    assert {OGR: NEW, PACKIT: NEW} == proposed(github)


async def test_a_label_hands_the_branch_back() -> None:
    """The person's commits go, as they asked for, on the newest base; the label goes with them."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text=with_target(OGR, NEWER))
    github.label(1, HAND_BACK, "urgent")
    report = await run(github)
    assert ("updated", {OGR: NEW, PACKIT: NEW}) == (report.action, proposed(github))
    assert ("urgent",) == github.pulls[1].labels


async def test_what_comes_after_the_label_is_not_handed_back() -> None:
    """The label speaks of the commits that were there; one that is pushed meanwhile stays."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text=with_target(OGR, NEWER))
    github.label(1, HAND_BACK)
    edited = with_target(PACKIT, NEWER)
    before_the_write(github, partial(github.edit, PROPOSAL_BRANCH, by="bob", desired_text=edited))
    report = await run(github)
    assert ("refreshed", edited) == (report.action, github.file_on(PROPOSAL_BRANCH))


async def test_a_stale_answer_does_not_hand_it_back_twice() -> None:
    """A read that still shows the label after it was taken is no second permission."""
    github = fleet()
    await run(github)
    github.edit(PROPOSAL_BRANCH, by="alice", desired_text=with_target(OGR, NEWER))
    github.label(1, HAND_BACK)
    edited = with_target(PACKIT, NEWER)

    def push() -> None:
        github.edit(PROPOSAL_BRANCH, by="bob", desired_text=edited)
        github.label(1, HAND_BACK)

    before_the_write(github, push)
    await run(github)
    assert edited == github.file_on(PROPOSAL_BRANCH)


async def test_a_hold_that_has_run_out_is_lifted_by_merging() -> None:
    """The proposal takes it out of the file together with the move, and says so; nothing moves before the merge."""
    hold = """
holds:
  packit/ogr:
    reason: "waits for the login page"
    until: {until}
  packit/packit: {reason: "no end"}
"""
    past = START + hold.replace("{until}", "2026-03-02T08:00 UTC").replace("{{", "{").replace("}}", "}")
    github = fleet(file=past)
    await run(github)
    assert {OGR: NEW, PACKIT: OLD} == proposed(github)
    assert "login page" not in (github.file_on(PROPOSAL_BRANCH) or "")
    assert "no end" in (github.file_on(PROPOSAL_BRANCH) or "")
    assert "lifts the hold of ogr, which ran until 2026-03-02 08:00 UTC: waits for" in github.pulls[1].body
    github = fleet(file=past.replace("08:00 UTC", "11:00 UTC"))
    assert ["held in the file: waits for the login page", "held in the file: no end"] == [
        each.reason for each in (await run(github)).left_out
    ]


async def test_used_permits_go_with_the_next_proposal() -> None:
    """And never with one of their own."""
    permitted = (
        START
        + f"""
permits:
  packit/ogr:
    rewind: {{from: {NEWER}, to: {OLD}, reason: "rollback"}}
"""
    )
    ledger = Ledger(spent=(SpentPermit(repository=OGR, from_=NEWER, to=OLD),))
    github = fleet(file=permitted)
    github.ledger.append((sha("1e"), dump_ledger(ledger)))
    await run(github)
    assert "rewind" not in (github.file_on(PROPOSAL_BRANCH) or "")
    assert "removes the rewind permit of ogr, which has been used" in github.pulls[1].body

    github = fleet(file=permitted)
    github.ledger.append((sha("1e"), dump_ledger(ledger)))
    for name in (OGR, PACKIT):
        github.repositories[name].refs["main"] = OLD
    assert "nothing-to-propose" == (await run(github)).action


async def test_risks_are_marked() -> None:
    """What GitHub said about the moves stands in the table."""
    github = fleet()
    github.traits[OGR] = RangeTraits(touched=(".github/workflows",), newcomers=("mallory",))
    await run(github)
    assert "**touches .github/workflows**<br>**new here: mallory**" in github.pulls[1].body
    assert {OGR, PACKIT} == github.ranges.keys()


async def test_risks_that_cannot_be_read_hold_nothing_up() -> None:
    """The body says what is not known."""
    github = fleet()
    github.errors["observe_ranges"].append(UnreachableError("too slow"))
    assert "opened" == (await run(github)).action
    assert "GitHub did not say which paths the moves touch" in github.pulls[1].body
