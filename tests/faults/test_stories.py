"""What befalls a run between two of its requests: people, another run, GitHub's rules."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconcile.planned import Hold
from reconcile.report import Result, RunReport
from tests.faults.conftest import MakeWorld
from tests.faults.world import BOT, Killed, World, before_request, killing, request_name
from tests.sandbox import Fault, Permission
from tests.sandbox.faults import Reply, Request


def held(report: RunReport) -> dict[str, str]:
    return {item.repository.split("/")[1]: item.code for item in report.items if isinstance(item, Hold)}


def is_batch(request: Request) -> bool:
    return request_name(request.method, request.path, request.body) == "UpdateRefs"


# Decisions that overtake a run


async def test_a_merge_between_two_waves_wins(make_world: MakeWorld) -> None:
    """What is still to move moves to where the newer decision wants it, in the same run."""
    world = make_world()
    world.merge(world.at(2))
    report = await world.run(hook=before_request("Version", 2, lambda: world.merge(world.at(3))))
    assert report.result is Result.CONVERGED
    assert world.at(3) == world.stables()
    world.audit()
    world.audit_record()


async def test_a_merge_while_the_first_wave_waits_its_turn(make_world: MakeWorld) -> None:
    """Nothing has moved under the old decision, so everything moves once, what comes after included."""
    world = make_world()
    world.merge(world.at(2))
    report = await world.run(hook=before_request("Version", 1, lambda: world.merge(world.at(3))))
    assert report.result is Result.CONVERGED
    assert 3 == len(world.moves())
    world.audit()


async def test_moves_under_a_superseded_decision_are_recorded(make_world: MakeWorld) -> None:
    """A merge between the last move and the proof begins a new list of moves, and forgets none."""
    world = make_world()
    world.merge(world.at(2))
    await world.run(hook=before_request("ReleaseState", 2, lambda: world.merge(world.at(3))))
    assert 6 == len(world.moves())
    world.audit_record()


@pytest.mark.parametrize("pause", range(1, 22))
async def test_the_older_run_resumes_last(make_world: MakeWorld, pause: int) -> None:
    """Two merges in quick succession: wherever the first run was stopped, the second decision stands."""
    world = make_world()
    world.merge(world.at(2))
    sent = 0

    async def hook(moment: str, name: str) -> None:
        nonlocal sent
        sent += moment == "before"
        if (moment, sent) == ("before", pause):
            world.merge(world.at(3))
            assert (await world.run(name="newer")).result is Result.CONVERGED

    report = await world.run(hook=hook, name="older")
    assert sent >= pause
    assert report.result is Result.CONVERGED
    assert world.at(3) == world.stables()
    assert len(world.moves()) == len(set(world.moves()))
    world.audit()
    world.audit_record()


@pytest.mark.parametrize("is_permitted", [False, True])
async def test_a_revert_while_a_wave_waits(make_world: MakeWorld, is_permitted: object) -> None:
    """What waited never moves; what had moved goes back under a permit, and is held without."""
    world = make_world(
        after={"ogr": (), "packit": ("ogr",)},
        policy=lambda text: text.replace(
            "ogr: {}", "ogr: {ready: {statuses: {contexts: [deployed]}, within: 60m}}", 1
        ),
    )
    start, moved = world.at(0), world.at(3)
    world.merge(moved)
    assert (await world.run()).result is Result.WAITING
    assert {**start, **world.at(3, "ogr")} == world.stables()
    ogr = world.full("ogr")
    world.merge(start, permits={ogr: (moved[ogr], start[ogr])} if is_permitted else {})
    report = await world.run()
    if is_permitted:
        assert report.result is Result.CONVERGED
        assert start == world.stables()
    else:
        assert {"ogr": "rewind-needs-permit"} == held(report)
        assert {**start, **world.at(3, "ogr")} == world.stables()
    world.audit()
    world.audit_record()


# People on the governed refs


async def test_somebody_moves_the_first_of_two_on(make_world: MakeWorld) -> None:
    """The run takes it from where they put it, and what comes after is not left for the next run."""
    world = make_world()
    world.merge(world.at(3))
    report = await world.run(hook=before_request("UpdateRefs", 1, lambda: world.advance("ogr", 1)))
    assert report.result is Result.CONVERGED
    assert world.at(3) == world.stables()
    world.audit()


@pytest.mark.parametrize("is_forced", [False, True])
async def test_a_hotfix_between_plan_and_apply(make_world: MakeWorld, is_forced: object) -> None:
    """Somebody's commit stands, what comes after waits, the other one moves, and a person decides."""
    world = make_world()
    world.merge(world.at(3))
    onto = world.at(1)[world.full("ogr")] if is_forced else None
    report = await world.run(hook=before_request("UpdateRefs", 1, lambda: world.push("ogr", onto=onto)))
    assert {"ogr": "diverged"} == held(report)
    hotfix = world.stables()[world.full("ogr")]
    assert {**world.at(0), **world.at(3, "specfile"), world.full("ogr"): hotfix} == world.stables()
    world.audit()


async def test_a_permit_names_one_way(make_world: MakeWorld) -> None:
    """A hotfix upon what a permit wants to take back is not taken back with it."""
    world = make_world(after={"ogr": ()})
    ogr = world.full("ogr")
    world.merge(world.at(3))
    await world.run()
    world.merge(world.at(1), permits={ogr: (world.commits[ogr][3], world.commits[ogr][1])})
    report = await world.run(hook=before_request("UpdateRefs", 1, lambda: world.push("ogr")))
    assert {"ogr": "rewind-needs-permit"} == held(report)
    assert world.stables() != world.at(1)
    world.audit()


@pytest.mark.parametrize("number", range(1, 20))
async def test_undone_by_hand_after_a_kill(make_world: MakeWorld, number: int) -> None:
    """Wherever the run was killed after its move: what somebody brought back is not taken back a second time."""
    world = make_world(after={"ogr": ()})
    ogr, commits = world.full("ogr"), world.commits[world.full("ogr")]
    world.merge(world.at(3))
    await world.run()
    world.merge(world.at(1), permits={ogr: (commits[3], commits[1])})
    with pytest.raises(Killed):
        await world.run(hook=killing(number, "after"))
    if has_moved := world.at(1) == world.stables():
        world.advance("ogr", 3)
    report = await world.run(name="next")
    assert ({"ogr": "permit-spent"} if has_moved else {}) == held(report)
    assert world.at(3 if has_moved else 1) == world.stables()
    world.audit()


# What becomes of repositories, rights and rules


@dataclass(frozen=True)
class Trouble:
    begin: Callable[[World], object]
    end: Callable[[World], object]
    result: Result
    code: str | None


def specfile(world: World) -> str:
    return world.full("specfile")


def grant(permission: Permission) -> Callable[[World], object]:
    return lambda world: world.sandbox.store.grant(BOT, world.fleet[specfile(world)], permission)


def protect(*allow: str) -> Callable[[World], object]:
    return lambda world: world.fleet[specfile(world)].protect_branch("stable", allow=allow)


def archive(*, archived: bool) -> Callable[[World], object]:
    return lambda world: world.sandbox.store.archive_repository(specfile(world), archived=archived)


TROUBLES = {
    "archived": Trouble(archive(archived=True), archive(archived=False), Result.HELD, "archived"),
    "protected": Trouble(protect(), protect(BOT), Result.HELD, "protected"),
    "rights withdrawn": Trouble(
        grant(Permission.READ), grant(Permission.WRITE), Result.HELD, "no-permission"
    ),
    "renamed": Trouble(
        lambda world: world.sandbox.store.rename_repository(specfile(world), world.full("spec")),
        lambda world: world.sandbox.store.rename_repository(world.full("spec"), specfile(world)),
        Result.CONVERGED,
        None,
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_between_plan_and_apply(make_world: MakeWorld, trouble: Trouble) -> None:
    """One repository of a batch is concerned, and what comes after it; when it is over the next run goes on."""
    world = make_world()
    world.merge(world.at(3))
    report = await world.run(hook=before_request("UpdateRefs", 1, lambda: trouble.begin(world)))
    assert (trouble.result, {"specfile": trouble.code} if trouble.code else {}) == (
        report.result,
        held(report),
    )
    assert world.at(3)[world.full("ogr")] == world.stables()[world.full("ogr")]
    trouble.end(world)
    assert (await world.run()).result is Result.CONVERGED
    assert world.at(3) == world.stables()
    world.audit()
    world.audit_record()


async def test_deleted_between_plan_and_apply(make_world: MakeWorld) -> None:
    """A repository that is gone is held as missing; the rest of its batch moves."""
    world = make_world()
    world.merge(world.at(3))

    def delete() -> None:
        world.sandbox.store.delete_repository(specfile(world))
        del world.fleet[specfile(world)]

    report = await world.run(hook=before_request("UpdateRefs", 1, delete))
    assert {"specfile": "repository-missing"} == held(report)
    assert {**world.at(3, "ogr"), **world.at(0, "packit")} == world.stables()


# Batches


@pytest.mark.parametrize("done", range(9))
async def test_a_batch_that_times_out_shrinks(make_world: MakeWorld, done: int) -> None:
    """However much of it GitHub did before it gave up: the rest is sent in smaller requests, nothing twice."""
    world = make_world(after={f"r{number}": () for number in range(8)})
    world.merge(world.at(3))
    sizes: list[int] = []

    def time_out(request: Request) -> bool:
        if not is_batch(request):
            return False
        sizes.append(request.body.count("afterOid"))
        if len(sizes) == 1:
            for name in list(world.fleet)[:done]:
                world.fleet[name].push("stable", world.at(3)[name], by=BOT)
        return len(sizes) == 1

    world.sandbox.faults.add(Fault(where=time_out, reply=Reply(504), times=1))
    assert (await world.run()).result is Result.CONVERGED
    assert [8] + [min(4, 8 - done - sent) for sent in range(0, 8 - done, 4)] == sizes
    assert 8 == len(world.moves())
    world.audit()
    world.audit_record()
