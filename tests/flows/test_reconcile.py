"""The way reconcile: whatever happens in between, it ends with the newest decision carried out or explained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from flows.ways.reconcile import ReconcileSteps, plain_steps, reconcile
from reconcile.apply import Clock, Failed, Moved, MovedMeanwhile
from reconcile.errors import StaleHeadError, UnreachableError
from reconcile.observed import Accepted, MergedChange
from reconcile.planned import Hold
from reconcile.report import News, Result, RunReport
from state.document import DesiredState
from state.ids import RepositoryName, Sha
from state.ledger import Ledger, parse_ledger
from state.yaml_io import dump_desired
from tests.builders import sha
from tests.fakes import FakeGitHub, FakeRepository

OGR, PACKIT, SERVICE = "packit/ogr", "packit/packit", "packit/packit-service"
OLD, NEW, NEWER, FOREIGN = sha("a"), sha("b"), sha("c"), sha("f")
POLICY = """
version: 1
repositories:
  packit/ogr: {}
  packit/packit: {after: packit/ogr}
  packit/packit-service: {after: packit/packit}
"""


@dataclass
class Told:
    """What people were told, in order."""

    news: list[News] = field(default_factory=list)
    reports: list[RunReport] = field(default_factory=list)
    is_mute: bool = False
    """Whether reports cannot be written."""
    is_reached: bool = True
    """Whether news reaches anybody."""

    async def notify(self, accepted: Accepted, news: News) -> bool:
        self.news.append(news)
        return self.is_reached

    async def report(self, accepted: Accepted, report: RunReport) -> bool:
        self.reports.append(report)
        return not self.is_mute


def fleet(*names: RepositoryName) -> FakeGitHub:
    """Make repositories whose main is OLD ← NEW ← NEWER, and whose stable is at OLD."""
    graph: dict[Sha, tuple[Sha, ...]] = {OLD: (), NEW: (OLD,), NEWER: (NEW,)}
    return FakeGitHub(
        *(FakeRepository(name, parents=dict(graph), refs={"main": NEWER, "stable": OLD}) for name in names)
    )


def decide(
    github: FakeGitHub,
    targets: Mapping[RepositoryName, Sha],
    *,
    by: Callable[[FakeGitHub, str], MergedChange | None] = lambda *_: None,
    policy: str = POLICY,
    **sections: object,
) -> Sha:
    """Commit documents to the default branch, as a merged pull request when ``by`` says so."""
    desired = DesiredState.model_validate({"version": 1, "ref": "stable", "targets": targets, **sections})
    text = dump_desired(desired)
    return github.commit_documents(desired_text=text, policy_text=policy, pull_request=by(github, text))


def reviewed(github: FakeGitHub, text: str) -> MergedChange:
    before = github.history[-1]
    return MergedChange(
        number=7,
        base="main",
        author="stablehand-bot",
        contributors=("stablehand-bot",),
        head=sha("9"),
        before=before,
        after=before.model_copy(update={"desired_text": text}),
        reviews=(),
    )


def wired(github: FakeGitHub, told: Told) -> tuple[ReconcileSteps, Clock]:
    clock = github.tools.clock
    steps = plain_steps(github, clock, told.notify)  # type: ignore[arg-type]  # reports are replaced below
    return replace(steps, report=told.report), clock


async def run(github: FakeGitHub, told: Told | None = None, name: str = "test") -> RunReport:
    steps, clock = wired(github, told or Told())
    return await reconcile(steps, clock=clock, run=name)


def ledger_of(github: FakeGitHub) -> Ledger:
    return parse_ledger(github.ledger[-1][1])


async def test_a_decision_is_carried_out_in_order() -> None:
    """Every ref ends at its target, what comes first moves first, and the ledger says so."""
    github = fleet(OGR, PACKIT, SERVICE)
    decide(github, {SERVICE: NEWER, PACKIT: NEW, OGR: NEW})
    report = await run(github)
    assert report.result is Result.CONVERGED
    assert [OGR, PACKIT, SERVICE] == [effect.repository for effect in github.effects]
    assert {OGR: NEW, PACKIT: NEW, SERVICE: NEWER} == {
        name: proof.sha for name, proof in ledger_of(github).proved.items()
    }
    assert [(OGR, OLD, NEW), (PACKIT, OLD, NEW), (SERVICE, OLD, NEWER)] == [
        (move.repository, move.before, move.after) for move in ledger_of(github).moves
    ]


async def test_twice_is_once() -> None:
    """A second run finds nothing to do, in two requests and without a write."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    await run(github)
    before = len(github.requests)
    report = await run(github)
    assert report.result is Result.CONVERGED
    assert ["load_release_state", "observe_fleet"] == github.requests[before:]


async def test_the_first_run_adopts_then_creates() -> None:
    """Without a ledger a missing ref is held; the same run begins the ledger and then makes the ref."""
    github = fleet(OGR)
    github.delete_ref(OGR)
    decide(github, {OGR: NEW})
    report = await run(github)
    assert report.result is Result.CONVERGED
    assert NEW == github.live(OGR)
    assert "store_ledger" in github.requests[: github.requests.index("update_refs")]


async def test_a_lost_ledger_revives_no_permit() -> None:
    """Permits in adopted documents count as spent: without memory nobody knows whether they were used."""
    github = fleet(OGR)
    decide(github, {OGR: NEWER})
    await run(github)
    permits = {OGR: {"rewind": {"from": NEWER, "to": NEW, "reason": "rollback of #1"}}}
    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    await run(github)
    github.push(OGR, NEWER)
    github.ledger.clear()
    report = await run(github)
    assert ["permit-spent"] == [hold.code for hold in report.plan.holds]
    assert NEWER == github.live(OGR)


async def test_a_foreign_push_is_never_lost() -> None:
    """Somebody pushes between plan and apply: theirs stands, and the new plan holds what has diverged."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    github.meanwhile.extend(
        [None, None, None, None, partial(github.push, OGR, FOREIGN, onto=(OLD,))]
    )  # load, observe, store, fence, then the update
    report = await run(github)
    assert FOREIGN == github.live(OGR)
    assert report.result is Result.HELD
    assert isinstance(report.outcomes[0], MovedMeanwhile)
    assert ["diverged"] == [hold.code for hold in report.plan.holds]


async def test_a_newer_decision_wins() -> None:
    """A merge between plan and apply: nothing moves under the old document, and the same run takes the new one."""
    github = fleet(OGR)
    decide(github, {OGR: NEWER})
    github.meanwhile.extend([None, None, None, lambda: decide(github, {OGR: NEW}, by=reviewed)])
    report = await run(github)
    assert report.result is Result.CONVERGED
    assert [NEW] == [effect.after for effect in github.effects]


async def test_a_move_by_hand_is_reported_and_left() -> None:
    """A ref that was proved at its target and then moved is held, and never moved back by itself."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    await run(github)
    github.push(OGR, NEWER)
    report = await run(github)
    assert ["moved-by-hand"] == [hold.code for hold in report.plan.holds]
    assert NEWER == github.live(OGR)


async def test_moved_back_during_the_run_is_moved_by_hand() -> None:
    """Somebody undoes the move before the proof: the run does not fight."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    github.meanwhile.extend([None] * 5 + [partial(github.push, OGR, OLD)])
    report = await run(github)
    assert ["moved-by-hand"] == [item.code for item in report.items if isinstance(item, Hold)]
    assert OLD == github.live(OGR)
    assert 1 == len(github.effects)


async def test_a_permit_is_good_for_one_move() -> None:
    """A rewind happens once; somebody pushing the old commit back does not get a second one."""
    github = fleet(OGR)
    decide(github, {OGR: NEWER})
    await run(github)
    permits = {OGR: {"rewind": {"from": NEWER, "to": NEW, "reason": "rollback of #1"}}}
    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    assert (await run(github)).result is Result.CONVERGED
    github.push(OGR, NEWER)
    report = await run(github)
    assert ["permit-spent"] == [hold.code for hold in report.plan.holds]
    assert NEWER == github.live(OGR)


async def test_a_permit_is_spent_even_when_the_run_was_killed() -> None:
    """Killed between the move and its record: the next run finds the intent, records the move, spends the permit."""
    github = fleet(OGR)
    decide(github, {OGR: NEWER})
    await run(github)
    permits = {OGR: {"rewind": {"from": NEWER, "to": NEW, "reason": "rollback of #1"}}}
    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    steps, clock = wired(github, Told())

    loads = 0

    async def load_once() -> Accepted:
        nonlocal loads
        loads += 1
        if loads > 1:
            raise KeyboardInterrupt
        return await steps.load()

    with pytest.raises(KeyboardInterrupt):
        await reconcile(replace(steps, load=load_once), clock=clock, run="killed")
    assert not ledger_of(github).spent
    await run(github, name="next")
    assert ledger_of(github).has_spent(OGR, NEWER, NEW)
    assert [("killed", NEW)] == [(move.run, move.after) for move in ledger_of(github).moves]


async def test_a_direct_push_is_not_a_decision() -> None:
    """With pull requests required, lines that were pushed directly are held, and a later good one does not help."""
    github = fleet(OGR, PACKIT)
    decide(github, {OGR: OLD, PACKIT: OLD})
    await run(github)
    decide(github, {OGR: NEW, PACKIT: OLD})
    decide(github, {OGR: NEW, PACKIT: NEW}, by=reviewed)
    report = await run(github)
    assert [(OGR, "not-approved")] == [(hold.repository, hold.code) for hold in report.plan.holds]
    assert OLD == github.live(OGR)


async def test_what_does_not_come_after_an_unapproved_line_moves() -> None:
    """Only the unapproved line and what comes after it stay."""
    github = fleet(OGR, PACKIT, SERVICE)
    decide(github, {OGR: OLD, PACKIT: OLD, SERVICE: OLD})
    await run(github)
    decide(github, {OGR: OLD, PACKIT: NEW, SERVICE: OLD})
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, by=reviewed)
    report = await run(github)
    assert [OGR] == [effect.repository for effect in github.effects]
    assert ["held", "waits"] == [
        {"hold": "held", "wait": "waits"}[i.kind] for i in report.items if i.kind != "no-op"
    ]


async def test_a_rewound_default_branch_moves_nothing() -> None:
    """Documents that do not come after the last accepted commit are stale, however they got there."""
    github = fleet(OGR)
    decide(github, {OGR: OLD})
    decide(github, {OGR: NEW}, by=reviewed)
    await run(github)
    del github.history[-1]
    report = await run(github)
    assert report.result is Result.HELD
    assert ["stale-document"] == [hold.code for hold in report.plan.holds]


async def test_people_are_told_once_a_cause() -> None:
    """A hold is news once, silent while it stands, and news again when it is over."""
    github = fleet(OGR)
    told = Told()
    decide(github, {OGR: NEW}, holds={OGR: {"reason": "waits for the login page"}})
    await run(github, told)
    await run(github, told)
    assert [1] == [len(news.begun) for news in told.news]
    decide(github, {OGR: NEW}, by=reviewed)
    await run(github, told)
    assert [(1, 0), (0, 1)] == [(len(news.begun), len(news.ended)) for news in told.news]


async def test_news_that_reached_nobody_keeps_no_report_back() -> None:
    """People are told again by every run until somebody has heard it; the report is right all the while."""
    github, told = fleet(OGR), Told(is_reached=False)
    decide(github, {OGR: NEW}, holds={OGR: {"reason": "not yet"}})
    for count in (1, 2):
        assert Result.HELD == (await run(github, told)).result
        assert (count, Result.HELD) == (len(told.news), told.reports[-1].result)
    told.is_reached = True
    await run(github, told)
    versions = len(github.ledger)
    await run(github, told)
    assert (3, versions) == (len(told.news), len(github.ledger))


async def test_nothing_new_is_not_reported() -> None:
    """A run that finds what the last one left writes no report."""
    github = fleet(OGR)
    told = Told()
    decide(github, {OGR: NEW})
    await run(github, told)
    await run(github, told)
    assert [Result.CONVERGED] == [report.result for report in told.reports]


async def test_a_report_that_could_not_be_written_is_written_by_the_next_run() -> None:
    """Also if that run finds nothing to do; and then no more."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    told = Told(is_mute=True)
    await run(github, told)
    await run(github, told)
    stored = len(github.ledger)
    told.is_mute = False
    await run(github, told)
    await run(github, told)
    assert 3 == len(told.reports)
    assert stored + 1 == len(github.ledger)


async def test_a_failure_is_tried_again_by_the_next_run() -> None:
    """GitHub fails without saying why: the run ends failed, others go on, and the next run finishes."""
    github = fleet(OGR, "packit/tokman")
    decide(
        github,
        {OGR: NEW, "packit/tokman": NEW},
        policy="version: 1\nrepositories: {packit/ogr: {}, packit/tokman: {}}\n",
    )
    github.faults[OGR].extend(["unexplained"] * 3)
    report = await run(github)
    assert report.result is Result.FAILED
    assert {Failed, Moved} == {type(outcome) for outcome in report.outcomes}
    assert (await run(github)).result is Result.CONVERGED


async def test_stale_reads_are_waited_out() -> None:
    """A read that still shows the old sha after a move is read again before anything is called a failure."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    github.meanwhile.extend([None] * 5 + [lambda: github.stale_reads.update({OGR: 2})])
    assert (await run(github)).result is Result.CONVERGED
    assert [1.0, 3.0] == github.clock.slept


async def test_another_run_recorded_first() -> None:
    """A ledger that another run wrote is seen before anything moves; with no end of it the run gives up."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    github.errors["store_ledger"].append(StaleHeadError("another run was first"))
    github.errors["store_ledger"].extend(StaleHeadError("another run was first") for _ in range(2))
    assert (await run(github)).result is Result.CONVERGED
    decide(github, {OGR: NEWER}, by=reviewed)
    github.errors["store_ledger"].extend(StaleHeadError("another run was first") for _ in range(4))
    with pytest.raises(StaleHeadError, match="Another run is at work"):
        await run(github)
    assert NEW == github.live(OGR)


async def test_github_away_moves_nothing() -> None:
    """An unreachable GitHub ends the run before anything is tried."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    github.errors["observe_fleet"].append(UnreachableError("no answer"))
    with pytest.raises(UnreachableError):
        await run(github)
    assert not github.sent
