"""What a plan costs: an estimate, and the question whether GitHub's budget lasts to the end of a wave."""

from datetime import timedelta

import pytest

from reconcile.apply import Skipped, apply_actions
from reconcile.cost import BATCH_SIZE, Cost, estimate, wave_points
from reconcile.observe import observe
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.ports import Budget
from reconcile.report import Result, RunReport
from state.ids import RepositoryName
from tests.builders import LIVE, NOW, TARGET, accepted, policy
from tests.fakes import FakeGitHub, FakeRepository

NAMES = ("a/a", "b/b", "c/c")


async def world(
    *names: RepositoryName, live: str = LIVE, **after: tuple[str, ...]
) -> tuple[FakeGitHub, Plan]:
    """Make a fleet in which everything moves, and plan it."""
    github = FakeGitHub(
        *(
            FakeRepository(name, parents={LIVE: (), TARGET: (LIVE,)}, refs={"main": TARGET, "stable": live})
            for name in names
        )
    )
    edges = {f"{name}/{name}": tuple(f"{each}/{each}" for each in first) for name, first in after.items()}
    given = accepted(dict.fromkeys(names, TARGET), under=policy(*names, after=edges))
    github.commit_documents(desired_text="", policy_text="")
    given = given.model_copy(update={"version": github.version})
    return github, plan(given, await observe(github, given), now=NOW)


async def test_in_place_costs_nothing() -> None:
    """A converged fleet needs nothing beyond the plan."""
    _, current = await world(*NAMES, live=TARGET)
    assert Cost(reads=0, writes=0, seconds=0) == estimate(current)


async def test_every_wave_costs_a_fence_and_an_update() -> None:
    """In order, three moves are three waves; side by side they travel in one request."""
    _, together = await world(*NAMES)
    _, in_order = await world(*NAMES, b=("a",), c=("b",))
    assert (2, 2) == (
        estimate(in_order).reads - estimate(together).reads,
        estimate(in_order).writes - estimate(together).writes,
    )


async def test_writes_take_their_time() -> None:
    """A second from one write to the next is the least that a plan takes."""
    _, current = await world(*NAMES)
    assert estimate(current).seconds >= estimate(current).writes - 1


@pytest.mark.parametrize(("moves", "more"), [(1, 0), (BATCH_SIZE, 0), (BATCH_SIZE + 1, 2)])
def test_a_batch_costs_as_much_as_one(moves: int, more: int) -> None:
    """So many moves as fit into one request cost no more than one."""
    assert more == wave_points(moves, fleet=20) - wave_points(1, fleet=20)


async def test_a_wave_that_the_budget_does_not_last_for_is_not_begun() -> None:
    """Nothing is sent, and each move says until when."""
    github, current = await world(*NAMES)
    resets_at = github.clock.now() + timedelta(minutes=20)
    github.granted = Budget(remaining=wave_points(3, fleet=3) - 1, resets_at=resets_at)
    github.requests.clear()
    outcomes = await apply_actions(current, current.actions, github.tools)
    assert [] == github.requests
    for outcome in outcomes:
        assert isinstance(outcome, Skipped)
        assert ("rate-limit", resets_at) == (outcome.code, outcome.until)
        assert "until 2026-03-02 10:20 UTC" in outcome.sentence


@pytest.mark.parametrize("budget", ["none", "enough", "over"])
async def test_a_budget_that_lasts_holds_nothing_up(budget: str) -> None:
    """Neither does one that GitHub has not spoken of, or whose hour is over."""
    github, current = await world(*NAMES)
    now = github.clock.now()
    github.granted = {
        "none": None,
        "enough": Budget(remaining=wave_points(3, fleet=3), resets_at=now + timedelta(hours=1)),
        "over": Budget(remaining=0, resets_at=now),
    }[budget]
    await apply_actions(current, current.actions, github.tools)
    assert 3 == len(github.effects)


async def test_what_was_put_off_waits() -> None:
    """With what comes after it: nobody is needed, and nothing has failed."""
    github, current = await world(*NAMES, b=("a",))
    resets_at = github.clock.now() + timedelta(minutes=20)
    github.granted = Budget(remaining=0, resets_at=resets_at)
    first = [action for action in current.actions if action.wave == 1]
    report = RunReport(plan=current, outcomes=await apply_actions(current, first, github.tools))
    assert Result.WAITING == report.result
    assert {} == report.causes
    assert [("a/a", "rate-limit", resets_at), ("c/c", "rate-limit", resets_at)] == [
        (item.repository, item.code, item.until) for item in report.items if item.kind == "wait"
    ]
