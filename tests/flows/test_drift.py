"""Answers to a ref that is not where the file has it: pull requests that a person merges, and what comes of them."""

import pytest

from flows.ways.drift import Answer, answer_drift
from flows.ways.errors import UsageError
from reconcile.errors import StaleHeadError
from reconcile.observed import PullRequest
from reconcile.report import Result
from state.document import DesiredState
from state.ids import ZERO_SHA
from state.yaml_io import STATE_PATH, parse_desired
from tests.flows.world import BOT, OGR, TOKMAN, World


async def answer(world: World, kind: Answer, repository: str = "tokman") -> PullRequest:
    async with world.connect() as github:
        return await answer_drift(github, kind, repository)


async def converge(world: World) -> None:
    """Bring everything to the commits of number 2."""
    world.merge(world.at(2))
    assert Result.CONVERGED == (await world.reconcile()).result


def proposed(world: World, pull: PullRequest) -> DesiredState:
    return parse_desired(world.file(pull.head_branch, STATE_PATH))


def move(world: World, how: str) -> str | None:
    """Move stable of tokman by hand, from its commit of number 2; return where it is then."""
    match how:
        case "forward":
            world.push(TOKMAN, world.commits[TOKMAN][4])
        case "back":
            world.push(TOKMAN, world.commits[TOKMAN][1])
        case "diverged":
            world.push(TOKMAN, world.commits[TOKMAN][1])
            world.diverge(TOKMAN)
        case "deleted":
            world.fleet[TOKMAN].delete_branch("stable", by="mallory")
    return world.live(TOKMAN)


@pytest.mark.parametrize(
    ("how", "kind"), [("forward", "rewind"), ("back", "move"), ("diverged", "force"), ("deleted", "move")]
)
async def test_restore_permits_exactly_the_way_back(how: str, kind: str, world: World) -> None:
    """Merged, the next run puts the ref back, once; nothing else in the file changes."""
    await converge(world)
    before, live = parse_desired(world.text), move(world, how)
    pull = await answer(world, "restore")
    desired = proposed(world, pull)
    (permitted,) = desired.permits[TOKMAN].named()
    target = before.targets[TOKMAN]
    assert (kind, live or ZERO_SHA, target) == (permitted[0], permitted[1].from_, permitted[1].to)
    assert before == desired.model_copy(update={"permits": {}})
    assert live == world.live(TOKMAN)
    world.state.merge(pull.number, "bob")
    assert Result.CONVERGED == (await world.reconcile()).result
    assert target == world.live(TOKMAN)


@pytest.mark.parametrize("how", ["forward", "back", "diverged"])
async def test_adopt_takes_what_is_live_into_the_file(how: str, world: World) -> None:
    """Merged, everything is in place, and no ref has moved."""
    await converge(world)
    live = move(world, how)
    pull = await answer(world, "adopt")
    assert live == proposed(world, pull).targets[TOKMAN]
    world.state.merge(pull.number, "bob")
    report = await world.reconcile()
    assert (Result.CONVERGED, ()) == (report.result, report.outcomes)
    assert live == world.live(TOKMAN)


async def test_adopting_a_deleted_ref_takes_it_out_of_the_file(world: World) -> None:
    """What the file does not name is left alone, so it stays deleted."""
    await converge(world)
    move(world, "deleted")
    pull = await answer(world, "adopt")
    assert TOKMAN not in proposed(world, pull).targets
    world.state.merge(pull.number, "bob")
    assert Result.CONVERGED == (await world.reconcile()).result
    assert None is world.live(TOKMAN)


async def test_the_pull_request_tells_what_happened(world: World) -> None:
    await converge(world)
    live = move(world, "forward")
    target = world.commits[TOKMAN][2]
    pull = await answer(world, "restore")
    assert f"Put {TOKMAN} back from {live[:12] if live else ''} to {target[:12]}".startswith(pull.title[:30])
    assert f"was moved by hand to `{live}`, and the file says `{target}`" in pull.body
    assert f"/compare/{target}...{live}" in pull.body
    assert BOT == pull.author.removesuffix("[bot]")


async def test_the_pull_request_tells_of_a_deletion(world: World) -> None:
    await converge(world)
    move(world, "deleted")
    adopted, restored = await answer(world, "adopt"), await answer(world, "restore")
    assert (f"Adopt {TOKMAN} without stable", f"Put {TOKMAN} back to {world.commits[TOKMAN][2][:7]}") == (
        adopted.title,
        restored.title,
    )
    assert f"{TOKMAN} was deleted by hand, and the file says" in adopted.body
    (permit,) = (permit for _, permit in proposed(world, restored).permits[TOKMAN].named())
    assert "put back what was deleted by hand" == permit.reason


async def test_answering_twice_is_answering_once(world: World) -> None:
    """The open pull request is brought up to date when the ref has moved again."""
    await converge(world)
    move(world, "forward")
    first = await answer(world, "adopt")
    world.push(TOKMAN, world.commits[TOKMAN][3])
    second = await answer(world, "adopt")
    assert first.number == second.number
    assert world.commits[TOKMAN][3] == proposed(world, second).targets[TOKMAN]
    assert world.commits[TOKMAN][3][:7] in second.title


async def test_somebody_elses_commit_on_the_branch_is_not_overwritten(world: World) -> None:
    await converge(world)
    move(world, "forward")
    pull = await answer(world, "adopt")
    theirs = world.state.commit(pull.head_branch, {"NOTES.md": "wait\n"}, "Add notes", author="alice")
    with pytest.raises(StaleHeadError, match="commits of somebody else"):
        await answer(world, "adopt")
    assert theirs == world.state.branch(pull.head_branch)


async def test_there_is_nothing_to_answer_where_all_is_in_place(world: World) -> None:
    await converge(world)
    with pytest.raises(UsageError, match="is where the file wants it"):
        await answer(world, "restore")


async def test_what_has_yet_to_move_needs_no_permit(world: World) -> None:
    """A decision that nobody has carried out yet is no drift; only taking it back is an answer to it."""
    await converge(world)
    world.merge(world.at(3, OGR))
    with pytest.raises(UsageError, match="has yet to be moved, and needs no permit"):
        await answer(world, "restore", "ogr")
    pull = await answer(world, "adopt", "ogr")
    assert "is at" in pull.body
    assert "moved by hand" not in pull.body


async def test_a_decision_to_go_back_is_given_its_permit(world: World) -> None:
    """The file was put back without a permit: restoring adds it."""
    await converge(world)
    world.merge(world.at(1, TOKMAN))
    assert Result.HELD == (await world.reconcile()).result
    pull = await answer(world, "restore")
    world.state.merge(pull.number, "bob")
    assert Result.CONVERGED == (await world.reconcile()).result
    assert world.commits[TOKMAN][1] == world.live(TOKMAN)
