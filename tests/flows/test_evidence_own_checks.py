"""The candidates' own checks: the newest green commit is proposed, and what is newer is left behind with the reason."""

import asyncio
from datetime import timedelta
from typing import Literal

import pytest

from flows.evidence.own_checks import Refused, Settled, settle
from reconcile.errors import UnreachableError
from reconcile.observed import CheckRun, CommitChecks, CommitStatus, RequiredCheck
from state.evidence import Verdict
from state.ids import RepositoryName, Sha
from state.policy import Policy, RepositoryPolicy
from state.proposal import Candidate, SourceCommit, SourceHistory, choose_candidate, pin_candidate
from state.sources import OwnChecks, Source
from tests.builders import NOW, sha
from tests.flows.release import FakeRelease, check_run

OGR, PACKIT = "packit/ogr", "packit/packit"
PASS, FAIL, NONE = Verdict.PASS, Verdict.FAIL, Verdict.NO_EVIDENCE
OUT = sha("0")


def run(conclusion: str | None = "success", name: str = "tests", **rest: object) -> CheckRun:
    fields: dict[str, object] = {"status": "completed" if conclusion else "in_progress", "started_at": NOW}
    return check_run(name, conclusion, **fields | rest)  # type: ignore[arg-type]  # by name


def status(state: Literal["success", "pending", "failure"], context: str = "ci") -> CommitStatus:
    return CommitStatus(context=context, state=state, posted_at=NOW, url=None)


class World:
    """A fleet in which commits a, b and c wait, newest first, and what was posted on them."""

    def __init__(self, *names: RepositoryName) -> None:
        self.github = FakeRelease()
        self.histories = {name: _history(name) for name in names or (OGR,)}
        self.pins: dict[RepositoryName, Sha] = {}

    def post(self, commit: str, *posted: CheckRun | CommitStatus, repository: RepositoryName = OGR) -> None:
        self.github.checks[repository, sha(commit)] = CommitChecks(
            check_runs=tuple(each for each in posted if isinstance(each, CheckRun)),
            statuses=tuple(each for each in posted if isinstance(each, CommitStatus)),
        )

    def choose(self, refused: Refused) -> tuple[Candidate, ...]:
        return tuple(
            pin_candidate(history, self.pins[name])
            if name in self.pins
            else choose_candidate(
                history,
                rule="head",
                build_time=timedelta(0),
                validation_began_at=None,
                refused=refused.get(name),
            )
            for name, history in self.histories.items()
        )

    async def settle(self, **settings: object) -> Settled:
        policy = Policy(
            version=1,
            candidate="head",
            repositories={name: RepositoryPolicy() for name in self.histories},
            validation=(Source(own_checks=OwnChecks.model_validate(settings)),),
        )
        return await settle(policy, self.choose, self.github, now=NOW)


def _history(name: RepositoryName) -> SourceHistory:
    waiting = tuple(
        SourceCommit(sha=sha(digit), committed_at=NOW, headline=digit, author="ann") for digit in "abc"
    )
    return SourceHistory(
        repository=name,
        url="",
        source="main",
        out=OUT,
        head=sha("a"),
        waiting=waiting,
        is_complete=True,
    )


def proposed(settled: Settled) -> dict[RepositoryName, Sha | None]:
    return {each.repository: each.sha for each in settled.candidates}


def reasons(settled: Settled) -> list[str]:
    return [left.reason for each in settled.candidates for left in each.left_behind]


async def test_a_green_head_is_proposed() -> None:
    world = World()
    world.post("a", run(), status("success"))

    settled = await world.settle()

    assert {OGR: sha("a")} == proposed(settled)
    assert settled.evidence
    assert (PASS, "1 of 1 candidates are green.") == (settled.evidence.verdict, settled.evidence.sentence)
    assert (None, NOW + timedelta(hours=24)) == (settled.evidence.began_at, settled.evidence.expires_at)


async def test_the_newest_green_commit_where_the_head_is_not() -> None:
    """Each commit that is newer is left behind for what is wrong with it."""
    world = World()
    world.post("a", run(None))
    world.post("b", run("failure"), run(None, "lint"))
    world.post("c", run())

    settled = await world.settle()

    assert {OGR: sha("c")} == proposed(settled)
    assert [
        "its own checks have not finished: tests",
        "its own checks failed: tests (failure)",
    ] == reasons(settled)
    assert settled.evidence
    assert "1 of 1 candidates are green; fell back: packit/ogr to ccccccc." == settled.evidence.sentence


@pytest.mark.parametrize(
    ("expected", "posted"),
    [
        (FAIL, [run("failure")]),
        (NONE, [run(None)]),
        (NONE, []),
        (FAIL, [status("failure")]),
        (NONE, [status("pending")]),
    ],
)
async def test_nothing_is_green(expected: Verdict, posted: list[CheckRun | CommitStatus]) -> None:
    """It stays where it is. A failure fails; what runs, and silence, are no evidence."""
    world = World()
    for commit in "abc":
        world.post(commit, *posted)

    settled = await world.settle()

    assert {OGR: OUT} == proposed(settled)
    assert settled.evidence
    assert expected is settled.evidence.verdict
    assert "without a green commit: packit/ogr" in settled.evidence.sentence


async def test_one_repository_does_not_hold_back_another() -> None:
    world = World(OGR, PACKIT)
    world.post("b", run(), repository=PACKIT)

    settled = await world.settle()

    assert {OGR: OUT, PACKIT: sha("b")} == proposed(settled)
    assert settled.evidence
    assert PASS is settled.evidence.verdict
    assert (
        "1 of 2 candidates are green; fell back: packit/packit to bbbbbbb; without a green commit: packit/ogr."
        == settled.evidence.sentence
    )


@pytest.mark.parametrize(
    ("expected", "posted", "required"),
    [
        ("a", [run(), run("failure", "optional")], [RequiredCheck(name="tests")]),
        ("0", [run("failure", "optional")], [RequiredCheck(name="tests")]),
        ("0", [run()], [RequiredCheck(name="tests"), RequiredCheck(name="ci")]),
        ("a", [run(), status("success")], [RequiredCheck(name="tests"), RequiredCheck(name="ci")]),
        ("0", [run(), status("failure")], [RequiredCheck(name="tests"), RequiredCheck(name="ci")]),
        ("a", [run()], [RequiredCheck(name="tests", app_id=29_180)]),
        ("0", [run()], [RequiredCheck(name="tests", app_id=1)]),
        ("a", [run(), run("failure", app_id=1)], [RequiredCheck(name="tests", app_id=29_180)]),
        ("0", [run(), run("failure", app_id=1)], [RequiredCheck(name="tests")]),
    ],
)
async def test_what_the_branch_requires_counts(
    expected: str, posted: list[CheckRun | CommitStatus], required: list[RequiredCheck]
) -> None:
    """Nothing else does; and what is required and was not posted has not finished."""
    world = World()
    world.github.required[OGR, "main"] = tuple(required)
    world.post("a", *posted)

    assert {OGR: sha(expected)} == proposed(await world.settle())


async def test_the_policy_may_name_what_counts() -> None:
    """Whatever the branch requires, which then is not asked."""
    world = World()
    world.github.required[OGR, "main"] = (RequiredCheck(name="ci"),)
    world.post("a", run(), run("failure", "lint"), status("failure"))

    assert {OGR: sha("a")} == proposed(await world.settle(names="test*"))
    assert {OGR: OUT} == proposed(await world.settle(names=["test*", "lint"]))
    assert "observe_required_checks" not in world.github.requests


@pytest.mark.parametrize(("expected", "passed"), [("a", None), ("0", ["success"])])
async def test_what_was_skipped_has_passed(expected: str, passed: list[str] | None) -> None:
    """So it is on GitHub; the policy may say otherwise."""
    world = World()
    world.post("a", run("skipped"), run("neutral", "lint"))

    assert {OGR: sha(expected)} == proposed(await world.settle(**{"passed": passed} if passed else {}))


async def test_a_run_that_was_repeated() -> None:
    world = World()
    world.post("a", run("failure", started_at=NOW - timedelta(hours=1)), run())

    assert {OGR: sha("a")} == proposed(await world.settle())


async def test_a_pin_is_a_persons_to_answer_for() -> None:
    world = World()
    world.pins[OGR] = sha("a")
    world.post("a", run("failure"))

    settled = await world.settle()

    assert {OGR: sha("a")} == proposed(settled)
    assert settled.evidence
    assert (PASS, "Nothing was asked.") == (settled.evidence.verdict, settled.evidence.sentence)
    assert [] == world.github.requests


async def test_requests_grow_with_what_is_not_green() -> None:
    """One look at all candidates; then one for those that fell back."""
    world = World(OGR, PACKIT)
    world.post("a", run())
    world.post("b", run(), repository=PACKIT)

    await world.settle()

    assert ["observe_required_checks", "observe_checks", "observe_checks"] == world.github.requests


async def test_what_cannot_be_read_is_no_evidence() -> None:
    """Nothing is refused for it, and nothing passes."""
    world = World()
    world.github.errors["observe_checks"].append(UnreachableError("GitHub is down."))

    settled = await world.settle()

    assert settled.evidence
    assert (NONE, "They could not be read: GitHub is down.") == (
        settled.evidence.verdict,
        settled.evidence.sentence,
    )
    assert {OGR: sha("a")} == proposed(settled)


async def test_what_takes_too_long_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world.github, "observe_checks", _never)
    monkeypatch.setattr("flows.evidence.own_checks.asyncio.timeout", lambda _: asyncio.timeout_at(0))

    settled = await world.settle(time_limit="90s")

    assert settled.evidence
    assert (NONE, "They could not be read within 90 seconds.") == (
        settled.evidence.verdict,
        settled.evidence.sentence,
    )


async def _never(_: object) -> None:
    await asyncio.Event().wait()


async def test_without_the_source_nothing_is_asked() -> None:
    world = World()
    policy = Policy(version=1, repositories={OGR: RepositoryPolicy()})

    settled = await settle(policy, world.choose, world.github, now=NOW)

    assert (None, [], {OGR: sha("a")}) == (settled.evidence, world.github.requests, proposed(settled))
