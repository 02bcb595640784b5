"""Status: what is out, who decided it, and what waits for a person."""

from flows.ways.status import StatusReport, status
from reconcile.render.proposal import PROPOSAL_BRANCH
from tests.flows.installation import Installation
from tests.flows.world import NAMES, OGR, TOKMAN, World


async def look(world: World) -> StatusReport:
    async with world.connect() as github:
        return await status(github, clock=world.clock)


async def test_before_the_first_run_there_is_no_ledger(world: World) -> None:
    report = await look(world)
    assert None is report.ledger
    assert report.plan.is_converged


async def test_what_was_decided_and_moved(world: World) -> None:
    await world.reconcile()
    number = world.merge(world.at(2))
    await world.reconcile()
    report = await look(world)
    assert report.ledger
    assert report.ledger.accepted
    assert number == report.ledger.accepted.pull_request
    assert set(NAMES) == {move.repository for move in report.ledger.moves}


async def test_an_open_proposal_is_named(world: World) -> None:
    """That from the proposal's own branch, and no other pull request."""
    world.state.commit("other", {"README.md": "x\n"}, "Other", author="alice")
    world.state.open_pull_request("Other", "", "other", "main", "alice")
    assert None is (await look(world)).proposal
    world.state.commit(PROPOSAL_BRANCH, {"README.md": "y\n"}, "Propose", author="alice")
    number = world.state.open_pull_request("Propose", "", PROPOSAL_BRANCH, "main", "alice").number
    proposal = (await look(world)).proposal
    assert proposal
    assert number == proposal.number


def test_status_reads_well(installation: Installation) -> None:
    """The fleet, the decision, its moves and the proposal, in lines."""
    world = installation.world
    assert (
        "There is no ledger yet; the first `stablehand reconcile` begins it."
        == installation.run("status").lines[-1]
    )
    installation.run("reconcile")
    number = world.merge(world.at(2, OGR, TOKMAN), holds={TOKMAN: {"reason": "not yet"}})
    installation.run("reconcile")
    world.state.commit(PROPOSAL_BRANCH, {"README.md": "y\n"}, "Propose", author="alice")
    pull = world.state.open_pull_request("Propose more", "", PROPOSAL_BRANCH, "main", "alice").number
    lines = installation.run("status").lines
    assert "0 of 3 move · 1 held" in lines[3]
    assert f"Decided by #{number} in {world.state.rev_parse('main')[:7]}, accepted 2026-03-02 10:" in lines[4]
    assert f"{OGR}  {world.commits[OGR][0][:7]} -> {world.commits[OGR][2][:7]}" in lines[5]
    assert f"Open proposal: {world.sandbox.url}/packit/release-state/pull/{pull} Propose more" == lines[6]
