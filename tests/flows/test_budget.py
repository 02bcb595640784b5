"""GitHub's hourly budget, as a run of reconcile meets it in the sandbox."""

from flows.ways.reconcile import survey
from reconcile.cost import estimate, wave_points
from reconcile.report import Result
from state.ids import Sha
from tests.flows.world import BOT, NAMES, World

POINTS_BEFORE = 9
"""What a run takes before the first wave: what was decided and approved, the fleet, and the intents."""


def grant(world: World, points: int) -> None:
    """Leave the account so many points of GraphQL until its hour is over."""
    limits = world.sandbox.api.limits
    limits.limit = limits.state(BOT, "graphql").used + points


def live(world: World) -> dict[str, Sha | None]:
    return {name: world.live(name) for name in NAMES}


async def test_the_estimate_is_what_a_run_takes(world: World) -> None:
    """As the sandbox counts it: what a plan takes, and from there on as much as was foretold."""
    await world.reconcile()
    world.merge(world.at(2))
    world.sandbox.requests.reset()
    async with world.connect() as github:
        _, current = await survey(github, clock=world.clock)
    planning = world.sandbox.requests.total
    world.sandbox.requests.reset()
    await world.reconcile()
    assert estimate(current).requests == world.sandbox.requests.total - planning


async def test_the_adapter_knows_what_is_left(world: World) -> None:
    """It is in every answer, so asking costs nothing."""
    async with world.connect() as github:
        assert github.budget() is None
        await github.observe_version()
        state = world.sandbox.api.limits.state(BOT, "graphql")
        budget = github.budget()
    assert budget
    assert (state.remaining, state.reset_at) == (budget.remaining, budget.resets_at)


async def test_a_run_that_would_not_last_moves_nothing_and_waits(world: World) -> None:
    """It ends waiting, with the time, and a run after that finishes the work."""
    await world.reconcile()
    world.merge(world.at(2))
    grant(world, POINTS_BEFORE + wave_points(2, fleet=3) - 1)
    report = await world.reconcile()
    assert Result.WAITING == report.result
    assert live(world) == world.at(0)
    assert ["rate-limit", "rate-limit"] == [item.code for item in report.items if item.kind == "wait"]
    assert [] == world.told
    grant(world, 5_000)
    assert Result.CONVERGED == (await world.reconcile()).result
    assert live(world) == world.at(2)


async def test_a_later_wave_waits_by_itself(world: World) -> None:
    """What the budget lasted for has moved, is recorded, and is not tried again."""
    await world.reconcile()
    world.merge(world.at(2))
    grant(world, POINTS_BEFORE + wave_points(2, fleet=3))
    report = await world.reconcile()
    assert Result.WAITING == report.result
    assert world.at(2, "packit/ogr", "packit/tokman") == {
        move.repository: move.after for move in world.ledger.moves
    }
    assert world.at(0, "packit/packit")["packit/packit"] == world.live("packit/packit")
