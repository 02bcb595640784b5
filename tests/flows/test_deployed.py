"""Moves as GitHub deployments: one for each, whatever happens in between, and none where nobody asked for it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from flows.ways import deployed
from flows.ways.reconcile import plain_steps, reconcile, survey
from reconcile.cost import estimate
from reconcile.observed import Accepted
from reconcile.ports import NEWEST_DEPLOYMENTS
from reconcile.report import Result, RunReport
from state.ledger import Ledger
from tests.flows.world import NAMES, OGR, PACKIT, POLICY, RELEASE_STATE, TOKMAN, World
from tests.sandbox.faults import Request
from tests.sandbox.model import Deployment

CREATE = "rest:POST /repos/{owner}/{repo}/deployments"
SUCCEED = "rest:POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses"
NOTHING_NEW = 2
"""Requests of a run that finds nothing to do."""


@pytest.fixture
def world(world: World) -> World:
    """The fleet, whose policy asks for deployments."""
    world.commit(policy=f"{POLICY}deployments: {{environment: production}}\n")
    return world


async def decide(world: World, number: int, *names: str, back_from: int | None = None) -> RunReport:
    """Merge targets, with the permits that a way back needs, and reconcile."""
    if not world.state.branch("stablehand/ledger"):
        await world.reconcile()
    ways = {
        name: {
            "rewind": {
                "from": world.commits[name][back_from],
                "to": world.commits[name][number],
                "reason": "rollback",
            }
        }
        for name in (names or NAMES)
        if back_from is not None
    }
    world.merge(world.at(number, *names), permits=ways)
    return await world.reconcile()


def deployments(world: World) -> dict[str, list[Deployment]]:
    return {name: repository.deployments for name, repository in world.fleet.items()}


def shown(world: World) -> dict[str, list[tuple[int, str | None]]]:
    """Say by repository which commits were shown, by their numbers, and what was said of each."""
    return {
        name: [
            (world.commits[name].index(each.sha), each.latest_status.state if each.latest_status else None)
            for each in found
        ]
        for name, found in deployments(world).items()
    }


def everywhere(*numbers: int) -> dict[str, list[tuple[int, str | None]]]:
    return {name: [(number, "SUCCESS") for number in numbers] for name in NAMES}


def writes(world: World) -> tuple[int, int]:
    counts = world.sandbox.requests.counts
    return counts[CREATE], counts[SUCCEED]


def comment(world: World, number: int) -> str:
    (found,) = world.state.pulls[number].comments
    return found.body


async def test_every_move_is_shown_once(world: World) -> None:
    """With the decision that it came from; a run that finds nothing new does not even look."""
    assert Result.CONVERGED == (await decide(world, 2)).result
    assert everywhere(2) == shown(world)
    for (made,) in deployments(world).values():
        assert ("production", f"Moved stable by {RELEASE_STATE}#1") == (made.environment, made.description)
        assert made.latest_status
        assert f"{world.sandbox.url}/{RELEASE_STATE}/pull/1" == made.latest_status.log_url

    world.sandbox.requests.reset()
    await world.reconcile()

    assert NOTHING_NEW == world.sandbox.requests.total


async def test_only_what_moved_is_shown(world: World) -> None:
    await decide(world, 2)
    await decide(world, 3, OGR)

    assert {**everywhere(2), OGR: [(2, "SUCCESS"), (3, "SUCCESS")]} == shown(world)


async def test_what_many_others_were_made_after_is_not_shown_twice(world: World) -> None:
    """It is not among those that are read, and a second one would take the place of theirs."""
    await decide(world, 2)
    alice = world.sandbox.store.account("alice")
    for _ in range(NEWEST_DEPLOYMENTS):
        world.fleet[OGR].create_deployment(world.commits[OGR][2], "production", by=alice)
    world.push(PACKIT, world.commits[PACKIT][1])
    await world.reconcile()

    assert ["stablehand"] == [made.task for made in deployments(world)[OGR] if made.task != "deploy"]


async def test_nothing_is_written_without_the_key(world: World) -> None:
    world.commit(policy=POLICY)
    await decide(world, 2)

    assert everywhere() == shown(world)
    assert not [kind for kind in world.sandbox.requests.counts if "deployments" in kind]


async def test_what_moved_before_anybody_asked_is_not_made_up_for(world: World) -> None:
    world.commit(policy=POLICY)
    await decide(world, 2)
    world.commit(policy=f"{POLICY}deployments: {{environment: production}}\n")
    await world.reconcile()

    assert everywhere() == shown(world)


async def test_going_back_is_shown_too(world: World) -> None:
    """The commit has a deployment already, of another move."""
    await decide(world, 1)
    await decide(world, 2)
    await decide(world, 1, back_from=2)

    assert everywhere(1, 2, 1) == shown(world)


async def test_a_deployment_without_its_success_is_completed(world: World) -> None:
    """A run that ends between the two writes leaves it to the next, which makes no second one."""
    world.sandbox.faults.cut(happens=False, kind=SUCCEED)
    assert Result.CONVERGED == (await decide(world, 2)).result
    assert [None, "SUCCESS", "SUCCESS"] == sorted(
        (state for ((_, state),) in shown(world).values()), key=lambda state: state or ""
    )
    assert not world.ledger.is_reported

    await world.reconcile()

    assert everywhere(2) == shown(world)
    assert (3, 4) == writes(world)
    assert world.ledger.is_reported


@pytest.mark.parametrize("happens", [True, False])
@pytest.mark.parametrize("kind", [CREATE, SUCCEED])
async def test_a_lost_answer_is_no_second_deployment(world: World, kind: str, *, happens: bool) -> None:
    world.sandbox.faults.cut(happens=happens, kind=kind)
    await decide(world, 2)
    await world.reconcile()

    assert everywhere(2) == shown(world)


async def test_a_run_that_recorded_nothing_is_made_good(world: World) -> None:
    """It showed its moves and was killed before the ledger knew of them; meanwhile something else was decided."""
    await decide(world, 1)
    world.merge(world.at(2))
    async with world.connect() as github:
        steps = plain_steps(github, world.clock, world._notify)
        with pytest.raises(KeyboardInterrupt):
            await reconcile(
                replace(steps, record=killed_after_moving(steps.record)), clock=world.clock, run="killed"
            )
    assert everywhere(1, 2) == shown(world)

    await decide(world, 3, OGR)

    assert {**everywhere(1, 2), OGR: [(1, "SUCCESS"), (2, "SUCCESS"), (3, "SUCCESS")]} == shown(world)


Record = Callable[[Accepted, Ledger, str], Awaitable[None]]


def killed_after_moving(record: Record) -> Record:
    async def record_intents_alone(loaded: Accepted, ledger: Ledger, message: str) -> None:
        if not ledger.intents:
            raise KeyboardInterrupt
        await record(loaded, ledger, message)

    return record_intents_alone


def in_repository(name: str) -> Callable[[Request], bool]:
    return lambda request: request.path.startswith(f"/repos/{name}/deployments")


async def test_one_that_refuses_is_named_and_stops_no_other(world: World) -> None:
    """The move has not failed. Nobody is asked again until something moves, and people see it on the pull request."""
    refusal = world.sandbox.faults.refuse(
        403,
        '{"message": "Resource not accessible by integration"}',
        where=in_repository(PACKIT),
        times=None,
    )
    assert Result.CONVERGED == (await decide(world, 2)).result
    assert {**everywhere(2), PACKIT: []} == shown(world)
    assert "takes no deployment for these moves" in comment(world, 1)
    assert f"- [{PACKIT}]" in comment(world, 1)
    assert world.ledger.is_reported

    world.sandbox.requests.reset()
    await world.reconcile()
    assert NOTHING_NEW == world.sandbox.requests.total

    world.sandbox.faults.rules.remove(refusal)
    await decide(world, 3)
    assert {**everywhere(2, 3), PACKIT: [(3, "SUCCESS")]} == shown(world)
    assert "takes no deployment" not in comment(world, 2)


async def test_without_the_right_nothing_is_tried(world: World) -> None:
    """What is there cannot be seen then, so it might be made twice."""
    app = world.sandbox.store.app("stablehand-bot")
    rights = {name: right for name, right in app.permissions.items() if name != "deployments"}
    world.sandbox.store.change_app("stablehand-bot", permissions=rights)

    assert Result.CONVERGED == (await decide(world, 2)).result
    assert (0, 0) == writes(world)
    for name in NAMES:
        assert f"- [{name}]" in comment(world, 1)


async def test_a_pause_that_github_asks_for_ends_it_for_now(world: World) -> None:
    """The rest is the next run's; nothing is sent into a limit."""
    world.sandbox.faults.rate_limited(retry_after=3600, kind=CREATE, after=2)  # those of the first move
    assert Result.CONVERGED == (await decide(world, 2)).result
    assert (2, 1) == writes(world)
    assert not world.ledger.is_reported

    await world.reconcile()

    assert everywhere(2) == shown(world)


async def test_what_is_shown_already_cannot_be_read(world: World) -> None:
    """Then nothing is made; the next run looks again."""
    fault = world.sandbox.faults.refuse(502, containing="query Deployments", times=None)
    assert Result.CONVERGED == (await decide(world, 2)).result
    assert (0, 0) == writes(world)

    world.sandbox.faults.rules.remove(fault)
    await world.reconcile()

    assert everywhere(2) == shown(world)


async def test_a_large_fleet_is_shown_little_by_little(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run makes so many and ends; the next goes on where it ended."""
    monkeypatch.setattr(deployed, "_AT_ONCE", 2)
    await decide(world, 2)
    assert {OGR: 1, PACKIT: 1, TOKMAN: 0} == {name: len(found) for name, found in shown(world).items()}

    await world.reconcile()

    assert everywhere(2) == shown(world)
    assert world.ledger.is_reported


async def test_it_costs_what_is_foretold(world: World) -> None:
    """One look at all of them, and two writes for each."""
    await world.reconcile()
    world.merge(world.at(2))
    world.sandbox.requests.reset()
    async with world.connect() as github:
        _, current = await survey(github, clock=world.clock)
    planning = world.sandbox.requests.total
    world.sandbox.requests.reset()

    await world.reconcile()

    assert estimate(current, shows_moves=True).requests == world.sandbox.requests.total - planning
