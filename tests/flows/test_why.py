"""Why: everything that stands in one repository's way, the deciding reason first."""

from collections.abc import Callable

import pytest

from flows.ways.why import WhyReport, why
from tests.flows.installation import Installation
from tests.flows.world import OGR, PACKIT, POLICY, TOKMAN, World

FREEZE = 'freezes: [{name: "spring", from: 2026-02-01T00:00, until: 2026-04-01T08:00, zone: UTC}]\n'


async def explain(world: World, repository: str = "tokman") -> WhyReport:
    async with world.connect() as github:
        return await why(github, repository, clock=world.clock)


def target(number: int, **sections: object) -> Callable[[World], object]:
    return lambda world: world.merge(world.at(number, TOKMAN), **sections)


def policy(text: str) -> Callable[[World], object]:
    return lambda world: (world.commit(policy=text), world.merge(world.at(2, TOKMAN)))


def archive(world: World) -> None:
    target(2)(world)
    world.sandbox.store.archive_repository(TOKMAN)


REASONS: dict[str, Callable[[World], object]] = {
    "held": target(2, holds={TOKMAN: {"reason": "not yet"}}),
    "blocked": lambda world: target(2, blocks={TOKMAN: {world.commits[TOKMAN][1]: {"reason": "broken"}}})(
        world
    ),
    "unknown-commit": lambda world: world.merge({TOKMAN: "d" * 40}),
    "not-on-source": lambda world: world.merge(
        {TOKMAN: world.fleet[TOKMAN].commit("topic", {"x": "1\n"}, "Topic", author="alice")}
    ),
    "archived": archive,
    "not-in-policy": lambda world: world.commit(
        policy="version: 1\nrepositories: {packit/ogr: {}, packit/packit: {}}\n"
    ),
    "limit-exceeded": policy(f"{POLICY}limits: {{commits_per_repository: 1}}\n"),
    "frozen": policy(f"{POLICY}{FREEZE}"),
    "outside-window": policy(f'{POLICY}windows: [{{days: Sun, from: "08:00", until: "09:00", zone: UTC}}]\n'),
    "soaking": policy(f"{POLICY}soak: 90d\n"),
}
"""Without a ledger, so that every document counts."""


@pytest.mark.parametrize("code", REASONS)
async def test_every_reason_is_named_first(code: str, world: World) -> None:
    if code == "not-in-policy":
        target(2)(world)
    REASONS[code](world)
    report = await explain(world)
    assert code == report.reasons[0].code
    assert report.item.kind == report.reasons[0].kind


async def test_reasons_of_a_decided_fleet(world: World) -> None:
    """What only a ledger tells: moved by hand, a permit that is needed, a line that nobody reviewed."""
    world.merge(world.at(2))
    await world.reconcile()
    world.push(TOKMAN, world.commits[TOKMAN][3])
    assert "moved-by-hand" == (await explain(world)).reasons[0].code
    world.merge(world.at(1, OGR))
    assert "rewind-needs-permit" == (await explain(world, "ogr")).reasons[0].code
    world.commit(desired=world.text.replace(world.commits[PACKIT][2], world.commits[PACKIT][3]))
    assert "not-approved" == (await explain(world, "packit")).reasons[0].code


async def test_everything_in_the_way_is_listed(world: World) -> None:
    """Lifting the first reason alone would not help, and the person sees so."""
    world.commit(policy=f"{POLICY}{FREEZE}limits: {{commits_per_repository: 1}}\n")
    world.merge(world.at(2, TOKMAN), holds={TOKMAN: {"reason": "not yet"}})
    assert ["held", "limit-exceeded", "frozen"] == [each.code for each in (await explain(world)).reasons]


async def test_what_comes_first_is_named(world: World) -> None:
    world.merge(world.at(2, OGR, PACKIT), holds={OGR: {"reason": "not yet"}})
    (reason,) = (await explain(world, "packit")).reasons
    assert ("after", True) == (reason.code, OGR in reason.sentence)


async def test_nothing_in_the_way_of_what_is_in_place(world: World) -> None:
    report = await explain(world)
    assert ("no-op", ()) == (report.item.kind, report.reasons)


def test_why_reads_well(installation: Installation) -> None:
    """Where it is, what the file wants, and each reason on a line of its own."""
    world = installation.world
    assert "packit/tokman: stable is at" in installation.run("why", "tokman").lines[0]
    world.commit(policy=f"{POLICY}{FREEZE}")
    world.merge(world.at(2, TOKMAN), holds={TOKMAN: {"reason": "not yet"}})
    live, wish = world.commits[TOKMAN][0][:7], world.commits[TOKMAN][2][:7]
    first, second, held, frozen = installation.run("why", "tokman").lines
    assert f"packit/tokman: stable is at {live}, and the file wants {wish}." == first
    assert f"{wish}: Change 2 (on main; 2 commits forward)" == second
    assert held.startswith("held: held: Held in the document: not yet.")
    assert frozen.startswith("waits: frozen: ")
    assert frozen.endswith("Until 2026-04-01 08:00 UTC.")


def test_what_moves_next_is_said(installation: Installation) -> None:
    world = installation.world
    world.merge(world.at(2, TOKMAN))
    assert (
        "Nothing stands in its way: the next run of reconcile moves it."
        == installation.run("why", "tokman").lines[-1]
    )


def test_how_to_answer_a_move_by_hand_is_said(installation: Installation) -> None:
    world = installation.world
    installation.run("reconcile")
    world.push(TOKMAN, world.commits[TOKMAN][3])
    last = installation.run("why", "tokman").lines[-1]
    assert f"To answer it: stablehand adopt {TOKMAN}, or stablehand restore {TOKMAN}" == last
