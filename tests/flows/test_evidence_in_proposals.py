"""What evidence makes of a proposal: which commits it takes, what it leaves behind, what it shows."""

from datetime import timedelta

from flows.ways import check as check_way
from flows.ways.propose import ProposeReport, ProposeRequest, plain_steps, propose
from reconcile.apply import Clock
from reconcile.observed import CommitChecks, Deployment
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.evidence import Verdict
from state.ids import RepositoryName, Sha
from state.ledger import Ledger, Proof, dump_ledger
from state.yaml_io import parse_desired
from tests.builders import sha
from tests.fakes import FakeRepository
from tests.flows.release import FakeRelease, check_run, pull_request

OGR, PACKIT = "packit/ogr", "packit/packit"
OUT, OLDER, OLD, NEW = (sha(digit) for digit in "1abc")
GRAPH: dict[Sha, tuple[Sha, ...]] = {OUT: (), OLDER: (OUT,), OLD: (OLDER,), NEW: (OLD,)}
TARGETS = f"version: 1\nref: stable\ntargets:\n  packit/ogr: {OUT}\n  packit/packit: {OUT}\n"


def fleet(*validation: str, candidate: str = "validated") -> FakeRelease:
    """Make two repositories in which three old commits wait, and a ledger that knows a move of yesterday."""
    github = FakeRelease(
        *(
            FakeRepository(name, parents=dict(GRAPH), refs={"main": NEW, "stable": OUT})
            for name in (OGR, PACKIT)
        )
    )
    lines = "".join(f"  - {entry}\n" for entry in validation)
    github.commit_documents(
        desired_text=TARGETS,
        policy_text=(
            f"version: 1\ncandidate: {candidate}\n"
            f"repositories: {{packit/ogr: {{}}, packit/packit: {{}}}}\nvalidation:\n{lines}"
        ),
    )
    yesterday = github.clock.time - timedelta(days=1)
    proof = Proof(sha=OUT, at=yesterday, moved_at=yesterday)
    github.ledger.append((sha("9"), dump_ledger(Ledger(proved={OGR: proof, PACKIT: proof}))))
    for repository in github.repositories.values():
        repository.committed_at.update(dict.fromkeys(GRAPH, github.clock.time - timedelta(days=2)))
    return github


def deploy(github: FakeRelease, name: RepositoryName, commit: Sha) -> None:
    github.deployments[name, "stg"] = (
        Deployment(id=1, sha=commit, state="success", at=github.clock.time, url=None),
    )


def check(github: FakeRelease, name: RepositoryName, commit: Sha, conclusion: str) -> None:
    run = check_run("tests", conclusion, started_at=github.clock.time)
    github.checks[name, commit] = CommitChecks(check_runs=(run,), statuses=())


async def run(github: FakeRelease, *pins: str) -> ProposeReport:
    clock = Clock(github.clock.now, github.clock.sleep)
    return await propose(plain_steps(github, clock), ProposeRequest(pins=pins), clock=clock)


def proposed(github: FakeRelease) -> dict[RepositoryName, Sha]:
    return parse_desired(github.file_on(PROPOSAL_BRANCH) or "").targets


async def test_what_stage_runs_goes_before_the_merge_times() -> None:
    """All three waited long enough; stage runs an older one, and of packit what is out."""
    github = fleet("deployments: {environment: stg}")
    deploy(github, OGR, OLD)
    deploy(github, PACKIT, OUT)

    report = await run(github)

    assert {OGR: OLD, PACKIT: OUT} == proposed(github)
    assert report.body
    assert "stage runs bbbbbbb, which is older" in report.body
    assert "stage runs 1111111, which is older" in report.body


async def test_the_candidates_own_checks_choose_among_what_was_validated() -> None:
    """The newest green commit that stage has run; what is newer is listed with the reason."""
    github = fleet("deployments: {environment: stg}", "own_checks: {names: tests}")
    deploy(github, OGR, OLD)
    deploy(github, PACKIT, NEW)
    check(github, OGR, NEW, "success")
    check(github, OGR, OLD, "failure")
    check(github, OGR, OLDER, "success")
    check(github, PACKIT, NEW, "success")

    report = await run(github)

    assert {OGR: OLDER, PACKIT: NEW} == proposed(github)
    assert [Verdict.PASS, Verdict.PASS] == [each.verdict for each in report.validation.evidence]
    (ogr,) = (each for each in report.candidates if each.repository == OGR)
    assert ["stage runs bbbbbbb, which is older", "its own checks failed: tests (failure)"] == [
        left.reason for left in ogr.left_behind
    ]
    assert report.body
    assert "own checks of the candidates" in report.body


async def test_own_checks_alone_go_with_the_head() -> None:
    github = fleet("own_checks:", candidate="head")
    check(github, OGR, NEW, "success")
    check(github, PACKIT, NEW, "failure")
    check(github, PACKIT, OLD, "success")

    await run(github)

    assert {OGR: NEW, PACKIT: OLD} == proposed(github)


async def test_nothing_green_is_nothing_proposed() -> None:
    """A failure of every candidate is a failure of validation."""
    github = fleet("own_checks:", candidate="head")
    for name in (OGR, PACKIT):
        for commit in GRAPH:
            check(github, name, commit, "failure")

    report = await run(github)

    assert (Verdict.FAIL, "not-proposed") == (report.verdict, report.action)
    assert "without a green commit: packit/ogr, packit/packit" in report.sentence


async def test_a_pin_goes_before_its_own_checks() -> None:
    github = fleet("own_checks:", candidate="head")
    check(github, OGR, NEW, "failure")
    check(github, PACKIT, NEW, "success")

    await run(github, "ogr=ccccccc")

    assert {OGR: NEW, PACKIT: NEW} == proposed(github)


async def test_the_last_move_is_the_ledgers() -> None:
    """Runs that started before it are those of what is out."""
    github = fleet(
        'check_runs: {repository: packit/hello-world, app: packit-stg, pull_requests: "*", '
        "authors: packit-bot, since: last-move, max_age: 7d}"
    )

    for hours, expected in ((25, Verdict.NO_EVIDENCE), (23, Verdict.PASS)):
        began = github.clock.time - timedelta(hours=hours)
        github.validation = (pull_request(1, check_run(started_at=began)),)
        assert expected is (await run(github)).verdict


async def test_an_unknown_source_proposes_nothing() -> None:
    """A typing mistake is never a pass."""
    github = fleet("deployments: {environment: stg}", "sentri: {organization: example}")
    deploy(github, OGR, NEW)
    deploy(github, PACKIT, NEW)

    report = await run(github)

    assert (Verdict.NO_EVIDENCE, "not-proposed") == (report.verdict, report.action)
    assert "did you mean `sentry`?" in report.sentence


async def test_a_look_at_stage_is_dated_anew_and_changes_the_text_alone() -> None:
    """Each run's look counts from then on; the branch, and with it every review, stays as it is."""
    github = fleet("deployments: {environment: stg, max_age: 2h}")
    deploy(github, OGR, OLD)
    deploy(github, PACKIT, OLD)
    await run(github)
    head = github.branches[PROPOSAL_BRANCH]
    states = []
    for hours in (1.5, 1.5, 2.5):
        github.clock.time += timedelta(hours=hours)
        if hours < 2:
            github.writes.clear()
            assert "refreshed" == (await run(github)).action
            assert ["ensure_pull_request"] == github.writes
        clock = Clock(github.clock.now, github.clock.sleep)
        states.append((await check_way.check(check_way.plain_steps(github), 1, clock=clock)).state)
    assert ["success", "success", "failure"] == states
    assert head == github.branches[PROPOSAL_BRANCH]
