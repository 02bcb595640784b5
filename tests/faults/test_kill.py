"""Real processes, killed with SIGKILL at every request and at random instants: the next run finishes the work."""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from reconcile.report import Result
from tests.faults.conftest import MakeWorld
from tests.faults.victim import reconcile_once
from tests.faults.world import BOT, Moment, World
from tests.sandbox import Fault
from tests.sandbox.faults import Reply, Request

pytestmark = pytest.mark.slow
LATENCY_SECONDS = 0.004
"""Between a request and its effect: a killed process leaves requests behind that are still to take effect."""
PATIENCE_SECONDS = 30.0

Start = Callable[[World], BaseProcess]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Start a victim, from a process that has imported everything and forks."""
    # One that has threads, as this one does for the sandbox, must not fork itself.
    context = get_context("forkserver")
    context.set_forkserver_preload([reconcile_once.__module__])
    begun: list[BaseProcess] = []

    def start(world: World) -> BaseProcess:
        sandbox = world.sandbox
        victim = context.Process(
            target=reconcile_once, args=(sandbox.url, sandbox.tokens[BOT], world.state.full_name)
        )
        victim.start()
        begun.append(victim)
        return victim

    yield start
    for each in begun:
        each.kill()
        each.join()


def plain(make_world: MakeWorld) -> World:
    world = make_world()
    world.merge(world.at(3))
    return world


def first(make_world: MakeWorld) -> World:
    world = make_world(is_begun=False)
    world.merge(world.at(3))
    return world


def rollback(make_world: MakeWorld) -> World:
    world = plain(make_world)
    asyncio.run(world.run())
    back = {name: (commits[3], commits[1]) for name, commits in world.commits.items()}
    world.merge(world.at(1), permits=back)
    return world


def deploying(make_world: MakeWorld) -> World:
    return plain(partial(make_world, policy="{}deployments: {{environment: production}}\n".format))


def kill_at(world: World, number: int, moment: Moment) -> Future[int]:
    """Let the sandbox kill the process whose id comes into the future, at the n-th request from now on."""
    victim: Future[int] = Future()
    seen = 0

    def kill() -> None:
        os.kill(victim.result(PATIENCE_SECONDS), signal.SIGKILL)

    def is_it(request: Request) -> bool:
        nonlocal seen
        seen += 1
        if seen == number and moment == "before":
            kill()
        return seen == number

    def kill_and_answer(answer: Any) -> Any:
        kill()
        return answer

    world.sandbox.faults.add(
        Fault(where=is_it, reply=Reply(502))
        if moment == "before"
        else Fault(where=is_it, change=kill_and_answer)
    )
    return victim


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("scenario", [plain, first, rollback, deploying])
def test_killed_at_every_request(
    make_world: MakeWorld, start: Start, scenario: Callable[[MakeWorld], World], moment: Moment
) -> None:
    """Before or after its effect: the next run converges, every move is recorded, every permit is spent once."""
    kills = 0
    while True:
        world = scenario(make_world)
        pid = kill_at(world, kills + 1, moment)
        victim = start(world)
        assert victim.pid
        pid.set_result(victim.pid)
        victim.join(PATIENCE_SECONDS)
        world.sandbox.faults.clear()
        if victim.exitcode == 0:
            break
        assert -signal.SIGKILL == victim.exitcode
        kills += 1
        assert (asyncio.run(world.run(name="next"))).result is Result.CONVERGED
        assert dict(world.decision.targets) == world.stables()
        world.audit()
        world.audit_record()
        assert len(world.moves()) == len(set(world.moves()))
        audit_deployments(world, asked_for=scenario is deploying)
    assert kills >= 14, "a run sends more requests than this"


def audit_deployments(world: World, *, asked_for: bool) -> None:
    """State that every move is shown once, and as a success."""
    shown = [
        (name, each.sha, each.latest_status and each.latest_status.state)
        for name, repository in world.fleet.items()
        for each in repository.deployments
    ]
    expected = [(name, after, "SUCCESS") for name, _, after in world.moves()] if asked_for else []
    assert sorted(expected) == sorted(shown)


def test_killed_at_random_instants(make_world: MakeWorld, start: Start) -> None:
    """Killed over and over while decisions come and go: nothing moves twice, and in the end everything is in place."""
    chance = random.Random(0)
    world = make_world()
    kills = 0
    for _ in range(10):
        number = chance.choice([1, 2, 3])
        live = {name: sha for name, sha in world.stables().items() if sha}
        target = world.at(number)
        world.merge(
            target,
            permits={
                name: (live[name], target[name])
                for name, commits in world.commits.items()
                if commits.index(live[name]) > number
            },
        )
        world.sandbox.faults.latency = LATENCY_SECONDS
        for _ in range(5):
            victim = start(world)
            victim.join(chance.uniform(0.0, 0.4))
            victim.kill()
            victim.join(PATIENCE_SECONDS)
            kills += victim.exitcode == -signal.SIGKILL
        world.sandbox.faults.latency = 0.0
        assert (asyncio.run(world.run(name="next"))).result is Result.CONVERGED
        assert target == world.stables()
        world.audit()
        world.audit_record()
    assert kills >= 10
