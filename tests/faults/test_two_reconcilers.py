"""Two reconcilers on one fleet, in many interleavings: no commit is lost, nothing moves twice, both end converged."""

from collections.abc import Sequence
from functools import partial

import pytest

from reconcile.errors import StaleHeadError
from reconcile.report import Result, RunReport
from tests.faults.conftest import MakeWorld
from tests.faults.turns import Turns
from tests.faults.world import World

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 60))]


async def together(world: World, turns: Turns, names: Sequence[str] = ("one", "other")) -> None:
    """Run several at once; one may leave the rest to another that was always first to record."""
    reports = await turns.play([world.run(hook=turns.hook, name=name) for name in names])
    for report in reports:
        assert isinstance(report, RunReport | StaleHeadError), report


async def ends_well(world: World, *, at: int, moves: int) -> None:
    """Run once more: everything is in place, moved once, and recorded."""
    assert (await world.run()).result is Result.CONVERGED
    assert world.at(at) == world.stables()
    assert moves == len(world.moves())
    world.audit()
    world.audit_record()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("is_begun", [True, False])
async def test_both_at_once(make_world: MakeWorld, seed: int, is_begun: object) -> None:
    world = make_world(is_begun=is_begun)
    world.merge(world.at(3))
    await together(world, Turns(seed))
    await ends_well(world, at=3, moves=3)


@pytest.mark.parametrize("seed", SEEDS)
async def test_three_at_once(make_world: MakeWorld, seed: int) -> None:
    world = make_world()
    world.merge(world.at(3))
    await together(world, Turns(seed), ("one", "other", "third"))
    await ends_well(world, at=3, moves=3)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_permit_is_spent_once_by_both(make_world: MakeWorld, seed: int) -> None:
    world = make_world()
    world.merge(world.at(3))
    await world.run()
    back = {name: (commits[3], commits[1]) for name, commits in world.commits.items()}
    world.merge(world.at(1), permits=back)
    await together(world, Turns(seed))
    await ends_well(world, at=1, moves=6)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_newer_decision_and_a_hotfix_come_in_between(make_world: MakeWorld, seed: int) -> None:
    """The hotfix stands and is held; everything else ends where the newer decision wants it."""
    world = make_world()
    world.merge(world.at(2))
    pause = [None] * (seed % 12)
    hotfix, decision = partial(world.push, "specfile"), partial(world.merge, world.at(3))
    deeds = [*pause, hotfix, *pause, decision]
    await together(world, Turns(seed, deeds))
    report = await world.run()
    assert report.result is Result.HELD
    assert world.stables()[world.full("ogr")] == world.at(3)[world.full("ogr")]
    world.audit()
