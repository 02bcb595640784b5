"""Rollback: which earlier decision is meant, what its pull request says, and what merging it comes to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flows.ways.decisions import choose_decision
from flows.ways.errors import UsageError
from flows.ways.propose import ProposeRequest, plain_steps, propose
from flows.ways.rollback import BRANCH, RollbackReport, RollbackRequest, rollback
from reconcile.report import Result
from state.document import DesiredState
from state.ledger import AcceptedCommit
from state.yaml_io import STATE_PATH, parse_desired
from tests.flows.world import NAMES, OGR, PACKIT, POLICY, TOKMAN, World


async def roll_back(world: World, *repositories: str, to: str | None = None, **rest: Any) -> RollbackReport:
    request = RollbackRequest(to=to, repositories=repositories, **rest)
    async with world.connect() as github:
        return await rollback(github, request, clock=world.clock)


async def decide(world: World, number: int, *names: str) -> int:
    """Decide on commits, and carry it out; return the number of the pull request."""
    merged = world.merge(world.at(number, *names))
    report = await world.reconcile()
    assert Result.CONVERGED is report.result
    return merged


def offered(world: World) -> DesiredState:
    return parse_desired(world.file(BRANCH, STATE_PATH))


# Which decision


async def test_the_one_before_the_last_by_default(world: World) -> None:
    await world.reconcile()
    await decide(world, 1)
    await decide(world, 2)

    report = await roll_back(world)
    assert world.at(1) == offered(world).targets
    assert f"Roll back ogr, packit, tokman to {report.decision.commit[:7]}" == report.pull_request.title
    assert {"rewind"} == {item.kind for item in report.plan.items}


async def test_any_that_was_accepted(world: World) -> None:
    """By its pull request, its date, or however much of its sha."""
    await world.reconcile()
    first = await decide(world, 1)
    world.clock.now.now = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)  # type: ignore[attr-defined]  # the tests' clock
    await decide(world, 2)
    await decide(world, 3)

    by_number = await roll_back(world, to=f"#{first}")
    assert world.at(1) == offered(world).targets
    for text in ("2026-03-02", "2026-03-08T12:00", by_number.decision.commit, by_number.decision.commit[:8]):
        assert by_number.decision == (await roll_back(world, to=text)).decision


async def test_what_is_unknown_lists_what_is_known(world: World) -> None:
    await world.reconcile()
    await decide(world, 1)
    for text in ("#99", "abcdef12", "2020-01-01"):
        with pytest.raises(
            UsageError, match=rf"{text} is not one accepted decision. Known are \w{{7}} \(#1\)"
        ):
            await roll_back(world, to=text)
    with pytest.raises(UsageError, match="neither a sha, nor #NUMBER"):
        await roll_back(world, to="last week")


async def test_there_has_to_be_one(world: World) -> None:
    await world.reconcile()
    with pytest.raises(UsageError, match="no decision before the last one"):
        await roll_back(world)
    await decide(world, 1)
    with pytest.raises(UsageError, match="there is nothing to roll back"):
        await roll_back(world, to="#1")


def test_digits_that_begin_a_decisions_sha_mean_it() -> None:
    """They could be a date too, and are one where they begin no sha."""
    named, newer = (
        AcceptedCommit(
            commit=commit, desired_blob=None, policy_blob=None, at=datetime(2026, 11, day, tzinfo=UTC)
        )
        for commit, day in (("20261123" + "a" * 32, 2), ("b" * 40, 20))
    )
    assert named == choose_decision((newer, named), "20261123")
    assert newer == choose_decision((newer, named), "20261122")


def test_a_sha_that_begins_two_means_neither() -> None:
    decisions = [
        AcceptedCommit(
            commit=commit, desired_blob=None, policy_blob=None, at=datetime(2026, 11, 2, tzinfo=UTC)
        )
        for commit in ("abcd" + "1" * 36, "abcd" + "2" * 36)
    ]
    with pytest.raises(
        UsageError, match=r"abcd is not one accepted decision\. Known are abcd111 of 2026-11-02"
    ):
        choose_decision(decisions, "abcd")


# What it says


async def test_one_repository(world: World) -> None:
    """The others stay, and a name needs no owner."""
    await world.reconcile()
    await decide(world, 2)
    await roll_back(world, "tokman")
    assert {**world.at(2), **world.at(0, TOKMAN)} == offered(world).targets
    assert {TOKMAN} == set(offered(world).permits)
    with pytest.raises(UsageError, match="'tokmann' is not a repository of the fleet: did you mean"):
        await roll_back(world, "tokmann")


async def test_a_permit_is_for_the_way_that_it_is(world: World) -> None:
    """From where each ref is now: back, or off what somebody put there; a ref that is behind needs none."""
    await world.reconcile()
    await decide(world, 1)
    await decide(world, 3)
    hotfix = world.diverge(PACKIT)
    world.push(TOKMAN, world.commits[TOKMAN][0])

    await roll_back(world, reason="it broke")
    permits = offered(world).permits
    assert {OGR, PACKIT} == set(permits)
    ogr, packit = permits[OGR].rewind, permits[PACKIT].rewind
    assert ogr
    assert (world.commits[OGR][3], world.commits[OGR][1], "it broke") == (ogr.from_, ogr.to, ogr.reason)
    assert packit
    assert hotfix == packit.from_


async def test_a_ref_that_has_diverged_is_forced(world: World) -> None:
    await world.reconcile()
    await decide(world, 1)
    await decide(world, 3)
    base = world.commits[OGR][0]
    hotfix = world.fleet[OGR].commit("hotfix", {"hotfix": "1\n"}, "Hotfix", parents=[base])
    world.push(OGR, hotfix)
    await roll_back(world, "ogr")
    assert offered(world).permits[OGR].force
    assert not offered(world).permits[OGR].rewind


async def test_what_is_left_is_blocked(world: World) -> None:
    await world.reconcile()
    await decide(world, 1)
    await decide(world, 2)
    await roll_back(world, reason="broke srpm builds")
    assert {name: {commits[2]: "broke srpm builds"} for name, commits in world.commits.items()} == {
        name: {sha: block.reason for sha, block in blocks.items()}
        for name, blocks in offered(world).blocks.items()
    }


async def test_what_the_permits_override(world: World) -> None:
    await world.reconcile()
    await decide(world, 1)
    await roll_back(world, "ogr", despite=("outside-window", "frozen"))
    permit = offered(world).permits[OGR].rewind
    assert permit
    assert ("outside-window", "frozen") == permit.despite


# What it comes to


async def test_merged_it_moves_back_and_stays_there(world: World) -> None:
    """The next proposal leaves out the commits that were left, with everything built on them."""
    world.commit(policy=POLICY + "candidate: head\n")
    await world.reconcile()
    await decide(world, 1)
    await decide(world, 2)
    report = await roll_back(world)
    world.state.merge(report.pull_request.number, "bob")

    assert Result.CONVERGED is (await world.reconcile()).result
    assert {name: commits[1] for name, commits in world.commits.items()} == {
        name: world.live(name) for name in NAMES
    }
    async with world.connect() as github:
        steps = plain_steps(github, world.clock)
        proposed = await propose(steps, ProposeRequest(), clock=world.clock)
    assert None is proposed.pull_request
    assert set(NAMES) == {each.repository for each in proposed.left_out}
    assert all("blocked" in each.reason for each in proposed.left_out)


async def test_outside_the_window_it_waits_unless_it_may(world: World) -> None:
    """A rollback is a decision like any other; the permit says what it need not wait for."""
    window = 'windows: [{days: Sun, from: "01:00", until: "02:00", zone: UTC}]\n'
    await world.reconcile()
    await decide(world, 1)
    await decide(world, 2)
    branch = "close-the-window"
    world.state.commit(branch, {"release-policy.yaml": POLICY + window}, "Close the window", author="alice")
    number = world.state.open_pull_request("Close the window", "", branch, "main", "alice").number
    world.state.merge(number, "bob")
    await world.reconcile()

    waiting = await roll_back(world, "tokman", to="#1")
    assert ["outside-window"] == [
        getattr(item, "code", "") for item in waiting.plan.items if item.kind == "wait"
    ]
    despite = await roll_back(world, "tokman", to="#1", despite=("outside-window",))
    assert ["rewind"] == [item.kind for item in despite.plan.items if item.kind != "no-op"]
    world.state.merge(despite.pull_request.number, "bob")
    assert Result.CONVERGED is (await world.reconcile()).result
    assert world.commits[TOKMAN][1] == world.live(TOKMAN)
