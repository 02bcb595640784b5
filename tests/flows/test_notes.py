"""Release notes: which moves are meant, and what is said of what they took out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flows.ways.errors import UsageError
from flows.ways.notes import NotesRequest, write_notes
from reconcile.render.notes import render_notes
from reconcile.report import Result
from state.ids import Sha
from state.release_notes import Change, Notes
from tests.flows.world import NAMES, OGR, PACKIT, TOKMAN, World

NOTE = "RELEASE NOTES BEGIN\n\n{}\n\nRELEASE NOTES END\n"


async def write(world: World, *repositories: str, **request: Any) -> Notes:
    async with world.connect() as github:
        return await write_notes(github, NotesRequest(repositories=repositories, **request))


def merge_change(world: World, name: str, title: str, body: str = "") -> Sha:
    """Merge a pull request into main; return the merge."""
    repository = world.fleet[name]
    branch = f"change-{repository._last_number + 1}"
    repository.commit(branch, {branch: "1\n"}, title, author="alice")
    repository.merge(repository.open_pull_request(title, body, branch, "main", "alice").number, "bob")
    return repository.rev_parse("main")


async def decide(world: World, targets: dict[str, Sha]) -> int:
    number = world.merge(targets)
    assert Result.CONVERGED is (await world.reconcile()).result
    return number


@pytest.fixture
async def released(world: World) -> World:
    """Two decisions a week apart: the first moves all to their last commits, the second two of them further."""
    await world.reconcile()
    await decide(world, world.at(4))
    world.clock.now.now = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)  # type: ignore[attr-defined]  # the tests' clock
    merge_change(world, OGR, "Count retries", NOTE.format("Builds are retried `once`, see @alice."))
    head = merge_change(world, OGR, "Update the base image")
    await decide(world, {OGR: head, TOKMAN: merge_change(world, TOKMAN, "Hand out fewer tokens")})
    return world


def told(changes: tuple[Change, ...]) -> list[tuple[str, str | None, int | None]]:
    return [(each.title, each.note, each.pull_request) for each in changes]


async def test_the_last_decision_by_default(released: World) -> None:
    """A pull request's note, or its title; one repository with all that went out of it."""
    notes = await write(released)
    assert [OGR, TOKMAN] == [each.repository for each in notes.repositories]
    assert [
        ("Update the base image", None, 2),
        ("Count retries", "Builds are retried `once`, see @alice.", 1),
    ] == told(notes.repositories[0].changes)
    assert [("#2", "alice", "bob", "Decide")] == [
        (f"#{each.pull_request}", each.author, each.merged_by, each.title) for each in notes.decisions
    ]


async def test_a_range(released: World) -> None:
    """Of several moves of a repository it is the whole way; a commit without a pull request is told by itself."""
    for ends in ({"since": "#1"}, {"since": "2026-03-02"}, {"since": "2026-03-02", "until": "#2"}):
        notes = await write(released, **ends)
        assert list(NAMES) == [each.repository for each in notes.repositories]
        assert [None] * 4 == [number for _, _, number in told(notes.repositories[0].changes)][2:]
        assert "Change 4" == notes.repositories[0].changes[2].title
        assert released.commits[OGR][0] == notes.repositories[0].before
    first = await write(released, until="2026-03-08")
    assert [released.commits[name][4] for name in NAMES] == [each.after for each in first.repositories]
    assert first == await write(released, since="#1", until="#1")


async def test_some_repositories(released: World) -> None:
    assert [TOKMAN] == [each.repository for each in (await write(released, "tokman")).repositories]
    with pytest.raises(UsageError, match="'tokmann' is not a repository of the fleet: did you mean"):
        await write(released, "tokmann")
    with pytest.raises(UsageError, match=r"Nothing moved then. The newest move is of 2026-03-09"):
        await write(released, since="2026-04-01")
    with pytest.raises(UsageError, match=r"#9 is not one accepted decision"):
        await write(released, since="#9")


async def test_the_last_decision_of_a_repository(released: World) -> None:
    """The last one moved others; of this repository it is the one before."""
    notes = await write(released, "packit")
    assert [(PACKIT, released.commits[PACKIT][4])] == [
        (each.repository, each.after) for each in notes.repositories
    ]


async def test_before_anything_moved(world: World) -> None:
    with pytest.raises(UsageError, match="Nothing has been moved yet"):
        await write(world)


async def test_what_was_taken_back(released: World) -> None:
    target = released.commits[OGR][3]
    permit = {"from": released.live(OGR), "to": target, "reason": "it broke"}
    released.merge({OGR: target}, permits={OGR: {"rewind": permit}})
    await released.reconcile()
    (back,) = (await write(released)).repositories
    assert ((), ["Update the base image", "Count retries", "Change 4"]) == (
        back.changes,
        [each.title for each in back.taken_back],
    )
    assert "Taken back:\n\n- Builds are retried" in render_notes(await write(released))


async def test_the_post(released: World) -> None:
    """Sentences first, then titles; words from outside have no power."""
    text = render_notes(await write(released))
    assert text.startswith("# What went out on 2026-03-09\n\n3 changes in 2 repositories, decided in [#2](")
    url = f"{released.sandbox.url}/packit/ogr"
    before, after = released.commits[OGR][4][:7], (released.live(OGR) or "")[:7]
    assert f"\n## [packit/ogr]({url})\n\n[`{before}` → `{after}`]({url}/compare/" in text
    assert (
        f"\n- Builds are retried &#96;once&#96;, see @&#8203;alice. ([#1]({url}/pull/1), alice)\n"
        f"- Update the base image ([#2]({url}/pull/2), alice)\n"
    ) in text


async def test_the_marks_are_the_policys(world: World) -> None:
    marks = "proposal: {release_notes: {begin: '## News', end: '## Details'}}\n"
    world.commit(policy=world.file("main", "release-policy.yaml") + marks)
    await world.reconcile()
    await decide(world, {OGR: merge_change(world, OGR, "Count retries", "## News\nFaster.\n## Details\n…\n")})
    notes = await write(world)
    assert "Faster." == notes.repositories[0].changes[0].note


async def test_a_new_ref_begins(world: World) -> None:
    world.fleet[OGR].delete_branch("stable")
    await decide(world, {OGR: world.commits[OGR][1]})
    assert f"Begins at `{world.commits[OGR][1][:7]}`." in render_notes(await write(world))
