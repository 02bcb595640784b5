"""Every command in the documentation is one that exists, with the options that it has."""

import re
import shlex
from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from flows.cli import app
from tests.docs.pages import README, ROOT, Page, every_page

_ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def commands(page: Page) -> Iterator[list[str]]:
    """Yield the words of each command in a block for a terminal, or in a code span; without assignments before it."""
    lines = [line for block in page.blocks("console") for line in block.splitlines()]
    for line in (*lines, *page.codes):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue  # no command: a code span with one quote
        while words and _ASSIGNMENT.fullmatch(words[0]):
            del words[0]
        if len(words) > 1:
            yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.path)
def test_every_stablehand_command_parses(page: Page) -> None:
    for program, name, *arguments in commands(page):
        if program == "stablehand" and name != "--help":
            command = _subcommands().get(name)
            assert command, f"there is no command stablehand {name}"
            command.make_context(name, arguments)


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.path)
def test_every_make_target_exists(page: Page) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    asked = {
        words[-1]
        for program, *arguments in commands(page)
        if program == "make" and (words := [word for word in arguments if not _ASSIGNMENT.fullmatch(word)])
    }
    assert set() == asked - targets


def test_readme_shows_every_command() -> None:
    shown = {name for program, name, *_ in commands(README) if program == "stablehand"}
    assert set(_subcommands()) == shown


def _subcommands() -> dict[str, TyperCommand]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {name: command for name, command in group.commands.items() if isinstance(command, TyperCommand)}
