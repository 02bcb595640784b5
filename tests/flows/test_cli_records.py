"""The commands that look back, and the one that begins: what they print, write, and end with."""

import json
from pathlib import Path

import pytest

from flows.cli import Exit
from flows.ways.init import WORKFLOW
from reconcile.report import Result
from tests.flows.installation import Installation
from tests.flows.world import NAMES, OGR, PACKIT


@pytest.fixture
async def released(installation: Installation) -> Installation:
    """One decision that moved two of three."""
    world = installation.world
    await world.reconcile()
    world.merge(world.at(2, OGR, PACKIT))
    assert Result.CONVERGED is (await world.reconcile()).result
    return installation


def test_notes_are_markdown(released: Installation) -> None:
    ran = released.run("notes")
    assert Exit.DONE == ran.status
    assert ["# What went out on 2026-03-02", ""] == ran.lines[:2]
    assert 2 == sum(line.startswith("## [packit/") for line in ran.lines)
    assert 4 == sum(line.startswith("- Change ") for line in ran.lines)


def test_notes_for_a_program(released: Installation) -> None:
    notes = json.loads(released.run("notes", "ogr", "--json").out)
    assert [OGR] == [each["repository"] for each in notes["repositories"]]
    assert ["Change 2", "Change 1"] == [each["title"] for each in notes["repositories"][0]["changes"]]


def test_notes_of_what_there_is_not(released: Installation) -> None:
    ran = released.run("notes", "--since", "#9")
    assert (Exit.USAGE, "") == (ran.status, ran.out)
    assert "#9 is not one accepted decision. Known are " in ran.err


def test_history_in_a_pipe(released: Installation) -> None:
    # The command asks the clock on the wall; the decision is of the tests' own time.
    ran = released.run("history", "--since", "2026-03-01")
    assert Exit.DONE == ran.status
    when, number, *people, moved = ran.lines[0].split("\t")
    assert ("2026-03-02", "#1", ["alice", "bob", ""], f"{OGR}, {PACKIT}") == (
        when[:10],
        number,
        people,
        moved,
    )
    assert ran.lines[-2].startswith("Rolled back: 0 % (0 of 2 moves)")
    assert ran.lines[-1].startswith("By hand: 0 % (0 of 2 moves)")


def test_history_as_a_page(released: Installation, tmp_path: Path) -> None:
    page = tmp_path / "history.html"
    ran = released.run("history", "--since", "2026-03-01", "--html", str(page), "--json")
    assert (Exit.DONE, 2) == (ran.status, json.loads(ran.out)["figures"]["moves"])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    unwritable = released.run("history", "--html", str(tmp_path / "nowhere" / "history.html"))
    assert Exit.USAGE == unwritable.status
    assert "history.html cannot be written: No such file or directory." in unwritable.err


def test_init_into_a_directory(released: Installation, tmp_path: Path) -> None:
    ran = released.run("init", "packit", "--directory", str(tmp_path / "new"))
    assert Exit.DONE == ran.status
    assert f"new: {WORKFLOW}" in ran.lines
    assert "3 of 3 repositories are asked to stay where they are." == ran.lines[-1]
    again = released.run("init", "packit", "--directory", str(tmp_path / "new"))
    assert Exit.USAGE == again.status
    assert "already, which init does not overwrite" in again.err


@pytest.mark.parametrize("where", [(), ("--directory", "new", "--pull-request")], ids=["nowhere", "both"])
def test_init_has_to_know_where(released: Installation, where: tuple[str, ...]) -> None:
    ran = released.run("init", *NAMES, *where)
    assert (Exit.USAGE, "") == (ran.status, ran.out)
    assert "--directory DIR or --pull-request, one of the two" in ran.err


def test_init_does_not_touch_what_is_decided(released: Installation) -> None:
    ran = released.run("init", "packit", "--pull-request")
    assert Exit.USAGE == ran.status
    assert "packit/release-state has release-state.yaml and release-policy.yaml already" in ran.err
