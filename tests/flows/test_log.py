"""The log: every move, with the decision that it carried out. And the ledger's branch, which a person may read."""

import pygit2
import pytest

from flows.ways.log import LogEntry, read_log
from reconcile.github.contents import LEDGER_BRANCH
from reconcile.report import Result
from state.ledger import LEDGER_PATH, LedgerError
from tests.flows.world import OGR, PACKIT, TOKMAN, World
from tests.sandbox import gitops


async def log(world: World, limit: int = 50) -> tuple[LogEntry, ...]:
    async with world.connect() as github:
        return await read_log(github, limit=limit)


async def test_without_a_ledger_nothing_has_moved(world: World) -> None:
    assert () == await log(world)


async def test_every_move_names_its_decision(world: World) -> None:
    """Newest first, across decisions; each once, though many versions of the ledger have it."""
    await world.reconcile()
    first = world.merge(world.at(1))
    await world.reconcile("first")
    second = world.merge(world.at(3, TOKMAN))
    await world.reconcile("second")
    await world.reconcile("third")
    assert [
        (TOKMAN, second, "second"),
        *sorted((name, first, "first") for name in (OGR, PACKIT, TOKMAN)),
    ] == [
        (each.repository, each.pull_request, each.run)
        for each in sorted(await log(world), key=lambda each: (each.run == "first", each.repository))
    ]
    newest, *_ = await log(world)
    assert (world.commits[TOKMAN][1], world.commits[TOKMAN][3]) == (newest.before, newest.after)


async def test_what_was_mended_is_passed_over(world: World) -> None:
    """Somebody broke the ledger by hand, and put it back with a commit: the record is whole, and so is the log."""
    world.merge(world.at(1))
    await world.reconcile()
    whole = await log(world)
    good = gitops.read_file(world.state.commit_at(world.state.rev_parse(LEDGER_BRANCH)), LEDGER_PATH)
    assert isinstance(good, pygit2.Blob)
    world.state.commit(LEDGER_BRANCH, {LEDGER_PATH: "{{{"}, "Break")
    with pytest.raises(LedgerError):
        await log(world)
    world.state.commit(LEDGER_BRANCH, {LEDGER_PATH: good.data.decode()}, "Mend")
    assert whole == await log(world)


async def test_the_limit_counts_versions_of_the_ledger(world: World) -> None:
    """A run that moves something makes two: what it intends, and what came of it."""
    for number in (1, 2, 3):
        world.merge(world.at(number, OGR))
        await world.reconcile()
    assert [world.commits[OGR][3]] == [each.after for each in await log(world, limit=1)]
    assert 3 == len(await log(world))


async def test_the_ledgers_commits_can_be_read(world: World) -> None:
    """`git log stablehand/ledger` tells what was about to move, what moved, and what is in the way."""
    world.merge(world.at(1, OGR), holds={TOKMAN: {"reason": "not yet"}})
    world.merge(world.at(1, TOKMAN))
    assert Result.HELD == (await world.reconcile()).result
    head = world.state.branch(LEDGER_BRANCH)
    assert head
    decision = world.state.rev_parse("main")[:7]
    outcome = world.state.commit_at(head)
    intent = outcome.parents[0]
    before, after, wish = world.commits[OGR][0][:7], world.commits[OGR][1][:7], world.commits[TOKMAN][1][:7]
    assert f"Intend 1 move ({decision})\n\n{OGR} {before} → {after}" == intent.message.strip()
    assert (
        f"Record that the fleet is held ({decision})\n\n{OGR} {before} → {after}: moved\n"
        f"{TOKMAN} {world.commits[TOKMAN][0][:7]} → {wish}: held: held"
    ) == outcome.message.strip()


async def test_the_first_run_adopts_what_was_made_by_hand(world: World) -> None:
    """Refs that stand where the file has them are noted, and nothing moves."""
    report = await world.reconcile()
    assert (Result.CONVERGED, ()) == (report.result, report.outcomes)
    assert world.at(0) == {name: proof.sha for name, proof in world.ledger.proved.items()}
    assert () == world.ledger.moves
    assert () == await log(world)
    assert {} == {name: each for name, each in world.at(0).items() if world.live(name) != each}
