"""Reconcile over several runs: readiness, rebuilds, moves by hand, and permits that are good for one move."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile
from reconcile.apply import Clock
from reconcile.errors import ForbiddenError, UnreachableError
from reconcile.github.client import connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted, Activity, Signal
from reconcile.planned import Wait
from reconcile.report import Result, RunReport
from state.ids import RepositoryName, Sha
from state.ledger import Ledger
from state.yaml_io import POLICY_PATH, STATE_PATH
from tests.builders import sha
from tests.fakes import FakeClock, FakeGitHub
from tests.flows.test_reconcile import (
    NEW,
    NEWER,
    OGR,
    OLD,
    PACKIT,
    SERVICE,
    Told,
    decide,
    fleet,
    ledger_of,
    reviewed,
    run,
    wired,
)
from tests.sandbox import Sandbox

READY = """
version: 1
repositories:
  packit/ogr: {ready: {statuses: {contexts: image}, within: 60m}}
  packit/packit: {after: packit/ogr}
  packit/packit-service: {after: packit/packit, rebuild: rebuild.yml}
"""
REBUILD = READY.replace("{ready: {statuses: {contexts: image}, within: 60m}}", "{}")


def say(github: FakeGitHub, state: str, name: RepositoryName = OGR, commit: Sha = NEW) -> None:
    """Post a status on a commit, now."""
    signal = Signal(kind="status", name="image", state=state, started_at=github.clock.now())  # type: ignore[arg-type]  # one of its literals
    github.signals[name, commit].append(signal)


def later(github: FakeGitHub, **by: float) -> None:
    github.clock.time += timedelta(**by)


def codes(report: RunReport) -> dict[RepositoryName, str]:
    return {
        item.repository: getattr(item, "code", item.kind) for item in report.items if item.kind != "no-op"
    }


# Readiness


async def test_a_run_moves_what_it_can_and_a_later_one_goes_on() -> None:
    """Nobody waits inside a run for what takes an hour."""
    github = fleet(OGR, PACKIT)
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY)

    report = await run(github)
    assert (Result.WAITING, {PACKIT: "after"}) == (report.result, codes(report))
    assert [OGR] == [effect.repository for effect in github.effects]
    assert [] == github.clock.slept

    later(github, minutes=5)
    say(github, "pending")
    assert Result.WAITING is (await run(github)).result
    assert OLD == github.live(PACKIT)

    later(github, minutes=30)
    say(github, "success")
    assert Result.CONVERGED is (await run(github)).result
    assert [OGR, PACKIT] == [effect.repository for effect in github.effects]


async def test_what_was_said_before_the_move_does_not_count() -> None:
    """The commit has been on main for long, and was green there."""
    github = fleet(OGR, PACKIT)
    say(github, "success")
    later(github, minutes=5)
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY)
    assert {PACKIT: "after"} == codes(await run(github))
    assert {PACKIT: "after"} == codes(await run(github))


async def test_adopted_repositories_count_as_ready() -> None:
    """What was there before the ledger began has long been built."""
    github = fleet(OGR, PACKIT)
    github.push(OGR, NEW)
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY)
    assert Result.CONVERGED is (await run(github)).result


async def test_too_late_is_told_once_and_clears_itself() -> None:
    github, told = fleet(OGR, PACKIT), Told()
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY)
    await run(github, told)
    later(github, minutes=60)
    assert Result.WAITING is (await run(github, told)).result
    assert [] == told.news

    later(github, seconds=1)
    for _ in range(2):
        report = await run(github, told)
        assert (Result.HELD, {PACKIT: "not-ready-in-time"}) == (report.result, codes(report))
    say(github, "success")
    assert Result.CONVERGED is (await run(github, told)).result
    assert [([f"{PACKIT} not-ready-in-time {NEW}"], 0), ([], 1)] == [
        (list(news.begun), len(news.ended)) for news in told.news
    ]


async def test_a_permit_goes_on_despite_it() -> None:
    github = fleet(OGR, PACKIT)
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY)
    await run(github)
    later(github, hours=2)
    permit = {"from": OLD, "to": NEW, "reason": "its CI is away", "despite": "not-ready-in-time"}
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY, by=reviewed, permits={PACKIT: {"move": permit}})
    assert Result.CONVERGED is (await run(github)).result
    assert ledger_of(github).has_spent(PACKIT, OLD, NEW)


# Rebuilds


async def test_a_rebuild_is_dispatched_once() -> None:
    """On the governed ref, after the last that it comes after has moved."""
    github = fleet(OGR, PACKIT, SERVICE)
    github.push(SERVICE, NEW)
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, policy=REBUILD)
    report = await run(github)
    assert (Result.CONVERGED, (SERVICE,)) == (report.result, report.rebuilt)
    assert github.requests.index("dispatch") > len(github.requests) - 1 - github.requests[::-1].index(
        "update_refs"
    )
    report = await run(github)
    assert (Result.CONVERGED, ()) == (report.result, report.rebuilt)
    assert [(SERVICE, "rebuild.yml", "stable")] == [
        (each.repository, each.workflow, each.ref) for each in github.dispatched
    ]


async def test_each_move_asks_for_a_rebuild_of_its_own() -> None:
    github = fleet(OGR, SERVICE)
    github.push(SERVICE, NEW)
    policy = REBUILD.replace("after: packit/packit", "after: packit/ogr")
    decide(github, {OGR: NEW, SERVICE: NEW}, policy=policy)
    await run(github)
    later(github, hours=1)
    decide(github, {OGR: NEWER, SERVICE: NEW}, by=reviewed, policy=policy)
    await run(github)
    assert 2 == len(github.dispatched)


async def test_what_has_moved_itself_is_not_rebuilt() -> None:
    """In the same run, or later than what it is built from."""
    github = fleet(OGR, PACKIT, SERVICE)
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, policy=REBUILD)
    assert Result.CONVERGED is (await run(github)).result
    later(github, hours=1)
    assert Result.CONVERGED is (await run(github)).result
    assert [] == github.dispatched


async def test_a_rebuild_waits_for_readiness() -> None:
    github = fleet(OGR, PACKIT, SERVICE)
    for name in (PACKIT, SERVICE):
        github.push(name, NEW)
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, policy=READY)
    await run(github)
    assert [] == github.dispatched
    later(github, minutes=5)
    say(github, "success")
    await run(github)
    await run(github)
    assert [SERVICE] == [each.repository for each in github.dispatched]


@pytest.mark.parametrize("error", [ForbiddenError("may not"), UnreachableError("no answer")])
async def test_a_refused_rebuild_is_a_failure_and_tried_again(error: Exception) -> None:
    """Told once, and over when it has worked."""
    github, told = fleet(OGR, PACKIT, SERVICE), Told()
    github.push(SERVICE, NEW)
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, policy=REBUILD)
    github.errors["dispatch"].extend([error, error])  # type: ignore[list-item]  # both are of ours
    for _ in range(2):
        report = await run(github, told)
        assert (Result.FAILED, {SERVICE: str(error)}) == (report.result, report.not_rebuilt)
    assert NEW == github.live(OGR)
    report = await run(github, told)
    assert (Result.CONVERGED, (SERVICE,)) == (report.result, report.rebuilt)
    assert [(1, 0), (0, 1)] == [(len(news.begun), len(news.ended)) for news in told.news]


async def test_one_refused_rebuild_stops_no_other() -> None:
    github = fleet(OGR, PACKIT, SERVICE)
    for name in (PACKIT, SERVICE):
        github.push(name, NEW)
    policy = REBUILD.replace("packit/packit: {", "packit/packit: {rebuild: image.yml, ")
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, policy=policy)
    github.errors["dispatch"].append(ForbiddenError("may not"))
    report = await run(github)
    assert ([PACKIT], (SERVICE,)) == ([*report.not_rebuilt], report.rebuilt)


async def test_a_run_that_was_killed_after_the_dispatch() -> None:
    """The ledger does not know of it; the workflow's runs do."""
    github = fleet(OGR, PACKIT, SERVICE)
    github.push(SERVICE, NEW)
    decide(github, {OGR: NEW, PACKIT: NEW, SERVICE: NEW}, policy=REBUILD)
    steps, clock = wired(github, Told())

    async def record(loaded: Accepted, ledger: Ledger, message: str) -> None:
        if github.dispatched:
            raise KeyboardInterrupt
        await steps.record(loaded, ledger, message)

    with pytest.raises(KeyboardInterrupt):
        await reconcile(replace(steps, record=record), clock=clock, run="killed")
    assert 1 == len(github.dispatched)
    assert {} == ledger_of(github).rebuilt

    report = await run(github)
    assert (Result.CONVERGED, (SERVICE,)) == (report.result, report.rebuilt)
    assert 1 == len(github.dispatched)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path) as sandbox, stamina.set_testing(True, attempts=10, cap=True):
        yield sandbox


async def test_a_run_that_was_killed_after_the_dispatch_on_github(sandbox: Sandbox) -> None:
    """The same against the adapter and a real workflow."""
    ogr = sandbox.store.create_repository(OGR)
    service = sandbox.store.create_repository(SERVICE)
    start = ogr.commit("main", {"a": "1\n"}, "Start")
    target = ogr.commit("main", {"a": "2\n"}, "Go on")
    ogr.push("stable", start, by="alice")
    built = service.commit("main", {".github/workflows/rebuild.yml": "on: workflow_dispatch\n"}, "Start")
    service.push("stable", built, by="alice")
    policy = REBUILD.replace("after: packit/packit", "after: packit/ogr")
    document = f"version: 1\nref: stable\ntargets:\n  {OGR}: {target}\n  {SERVICE}: {built}\n"
    state = sandbox.store.create_repository("packit/release-state")
    state.commit("main", {STATE_PATH: document, POLICY_PATH: policy}, "Decide")
    settings = GitHubSettings(
        url=sandbox.url,
        credentials=TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"])),
        seconds_between_writes=0,
    )
    fake = FakeClock(sandbox.store.clock().astimezone(UTC))
    clock = Clock(fake.now, fake.sleep)

    async with connect(settings, repository="packit/release-state") as github:
        steps = plain_steps(github, clock, Told().notify)

        async def record(loaded: Accepted, ledger: Ledger, message: str) -> None:
            if service.workflow_runs:
                raise KeyboardInterrupt
            await steps.record(loaded, ledger, message)

        with pytest.raises(KeyboardInterrupt):
            await reconcile(replace(steps, record=record), clock=clock, run="killed")
        assert target == ogr.rev_parse("stable")
        reports = [await reconcile(steps, clock=clock, run="next") for _ in range(2)]

    assert [(SERVICE,), ()] == [report.rebuilt for report in reports]
    assert {Result.CONVERGED} == {report.result for report in reports}
    assert [("rebuild.yml", "stable")] == [(each.workflow, each.ref) for each in service.workflow_runs]


# Moves by hand


async def test_a_move_by_hand_says_who_and_when_and_once() -> None:
    """As GitHub recorded it; nobody is told again while it stands."""
    github, told = fleet(OGR), Told()
    decide(github, {OGR: NEW})
    await run(github, told)
    later(github, hours=1)
    github.push(OGR, NEWER)
    github.activity[OGR] = Activity(actor="alice", at=github.clock.now())
    later(github, hours=1)
    for _ in range(2):
        report = await run(github, told)
        assert {OGR: "moved-by-hand"} == codes(report)
    (news,) = told.news
    (sentence,) = news.begun.values()
    assert "has been moved to ccccccc since by alice on 2026-03-02 11:00 UTC" in sentence
    assert NEWER == github.live(OGR)


async def test_a_move_by_hand_of_which_github_says_nothing() -> None:
    """Or not by whom: then the sentence says what is known."""
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    await run(github)
    github.push(OGR, NEWER)
    (hold,) = (await run(github)).plan.holds
    assert "has been moved to ccccccc since. Take that" in hold.sentence

    github.activity[OGR] = Activity(actor=None, at=github.clock.now())
    (hold,) = (await run(github)).plan.holds
    assert "since by somebody on 2026-03-02 10:00 UTC. Take that" in hold.sentence


async def test_a_move_by_hand_that_is_taken_into_the_file_is_over() -> None:
    github, told = fleet(OGR), Told()
    decide(github, {OGR: NEW})
    await run(github, told)
    github.push(OGR, NEWER)
    await run(github, told)
    decide(github, {OGR: NEWER}, by=reviewed)
    assert Result.CONVERGED is (await run(github, told)).result
    assert [1, 0] == [len(news.begun) for news in told.news]


async def test_a_move_by_hand_is_put_back_under_a_permit() -> None:
    github = fleet(OGR)
    decide(github, {OGR: NEW})
    await run(github)
    github.push(OGR, OLD)
    permits = {OGR: {"move": {"from": OLD, "to": NEW, "reason": "it was a mistake"}}}
    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    assert Result.CONVERGED is (await run(github)).result
    assert NEW == github.live(OGR)


# Permits


def moving(name: RepositoryName = OGR, from_: Sha = OLD, to: Sha = NEW, **rest: Any) -> dict[str, Any]:
    return {name: {"move": {"from": from_, "to": to, "reason": "cannot wait", **rest}}}


async def test_a_permit_until_some_time() -> None:
    """From that moment on it is none."""
    limited = READY + "limits: {commits_per_repository: 1}\n"
    until = "2026-03-02T11:00 UTC"
    for after, expected in ((timedelta(minutes=59), {}), (timedelta(minutes=60), {OGR: "limit-exceeded"})):
        github = fleet(OGR)
        github.clock.time += after
        permits = moving(to=NEWER, despite="limit-exceeded", until=until)
        decide(github, {OGR: NEWER}, policy=limited, permits=permits)
        assert expected == codes(await run(github))


async def test_despite_the_limit_of_one_repository() -> None:
    github = fleet(OGR)
    limited = READY + "limits: {commits_per_repository: 1}\n"
    decide(github, {OGR: NEWER}, policy=limited)
    assert {OGR: "limit-exceeded"} == codes(await run(github))
    decide(
        github,
        {OGR: NEWER},
        policy=limited,
        by=reviewed,
        permits=moving(to=NEWER, despite="limit-exceeded"),
    )
    assert Result.CONVERGED is (await run(github)).result


async def test_despite_the_limit_of_the_plan() -> None:
    """What has an exception is not counted, and moves; the others are held while they are too many."""
    names = [f"packit/r{n}" for n in range(3)]
    policy = f"version: 1\nrepositories: {{{', '.join(f'{name}: {{}}' for name in names)}}}\n"
    for limit, expected in ((2, {}), (1, dict.fromkeys(names[1:], "limit-exceeded"))):
        github = fleet(*names)
        limited = policy + f"limits: {{repositories: {limit}}}\n"
        permits = moving(names[0], despite="limit-exceeded")
        decide(github, dict.fromkeys(names, NEW), policy=limited, permits=permits)
        assert expected == codes(await run(github))
        assert NEW == github.live(names[0])


async def test_a_spent_permit_is_forgotten_with_its_line_and_good_again_after_a_review() -> None:
    """To write the same exception a second time takes a second review; while it stands it stays spent."""
    github = fleet(OGR)
    decide(github, {OGR: NEWER})
    await run(github)
    permits = {OGR: {"rewind": {"from": NEWER, "to": NEW, "reason": "rollback"}}}
    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    await run(github)
    github.push(OGR, NEWER)
    assert {OGR: "permit-spent"} == codes(await run(github))

    decide(github, {OGR: NEWER}, by=reviewed)
    assert Result.CONVERGED is (await run(github)).result
    assert not ledger_of(github).spent

    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    assert Result.CONVERGED is (await run(github)).result
    assert NEW == github.live(OGR)


async def test_a_spent_permit_is_not_forgotten_by_a_push() -> None:
    """Taking its line out and in again without a review changes nothing."""
    github = fleet(OGR)
    decide(github, {OGR: NEWER})
    await run(github)
    permits = {OGR: {"rewind": {"from": NEWER, "to": NEW, "reason": "rollback"}}}
    decide(github, {OGR: NEW}, by=reviewed, permits=permits)
    await run(github)
    github.push(OGR, NEWER)

    decide(github, {OGR: NEW})
    assert {OGR: "not-approved"} == codes(await run(github))
    decide(github, {OGR: NEW}, permits=permits)
    assert {OGR: "permit-spent"} == codes(await run(github))
    assert NEWER == github.live(OGR)


async def test_a_permit_that_is_not_needed_is_spent_all_the_same() -> None:
    """One move is one move; a foreign commit is never under it."""
    github = fleet(OGR)
    decide(github, {OGR: NEW}, permits=moving())
    await run(github)
    assert ledger_of(github).has_spent(OGR, OLD, NEW)
    github.push(OGR, sha("f"), onto=(OLD,))
    assert {OGR: "moved-by-hand"} == codes(await run(github))


async def test_waiting_says_since_when() -> None:
    github = fleet(OGR, PACKIT)
    decide(github, {OGR: NEW, PACKIT: NEW}, policy=READY)
    (wait,) = (await run(github)).plan.waits
    assert isinstance(wait, Wait)
    assert "since it moved on 2026-03-02 10:00 UTC" in wait.sentence
    assert wait.until == github.clock.now() + timedelta(minutes=60)
