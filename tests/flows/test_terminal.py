"""What a terminal shows besides results: progress, retries, and nothing that text from outside could do to it."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import stamina
from stamina.instrumentation import set_on_retry_hooks

from flows import terminal
from reconcile.errors import UnreachableError

COUNTLESS = 3600.0


@dataclass(frozen=True)
class Steps:
    observe_fleet: Any


async def test_what_takes_long_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that a pipe gets the result alone."""
    done = asyncio.Event()

    async def observe_fleet(name: str) -> str:
        await done.wait()
        return name

    steps = terminal.with_progress(Steps(observe_fleet), patience=0)
    running = asyncio.ensure_future(steps.observe_fleet("packit"))
    while (said := capsys.readouterr()).err == "":  # noqa: ASYNC110 (printing sets no event)
        await asyncio.sleep(0)
    assert ("", "observe fleet …\n") == said
    done.set()
    assert "packit" == await running


async def test_what_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    async def answer() -> int:
        return 42

    assert 42 == await terminal.announced("answering", answer(), patience=COUNTLESS)
    assert ("", "") == capsys.readouterr()


def test_a_narrow_terminal_cuts_nothing_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own broken lines can be read and copied; columns of one letter cannot."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    terminal.print_table(
        ("repository", "from", "why"),
        [("packit/packit-service", "1787687", "It waits for the new login page.")],
    )
    out = capsys.readouterr().out
    assert "packit/packit-service   1787687   It waits for the new" in out
    assert "login page." in out


@pytest.mark.parametrize("patience", [0, COUNTLESS])
async def test_an_interruption_ends_what_is_waited_for(patience: float) -> None:
    """Before anything was said as well as after."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.ensure_future(terminal.announced("working", work(), patience=patience))
    await started.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended.wait()


async def test_a_repeated_request_is_no_silence(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what was found and when it is tried again."""
    terminal.announce_retries()
    tries = 0

    async def ask() -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise UnreachableError("Nothing answers at http://here.")
        return "an answer"

    try:
        with stamina.set_testing(True, attempts=2):
            assert "an answer" == await stamina.AsyncRetryingCaller()(UnreachableError, ask)
    finally:
        set_on_retry_hooks(None)
    assert "Nothing answers at http://here. Trying again in 0.0 s …\n" == capsys.readouterr().err


def test_text_from_outside_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """A title is somebody else's words, and may hold what a terminal obeys."""
    terminal.say("a title \x1b[2J\x07 and\tmore\r\n")
    terminal.print_table(("one", "two"), [("\x1b]0;owned\x07", "b\tc")])
    terminal.complain("first\nsecond \x1b[31m")
    out, err = capsys.readouterr()
    assert ["a title  [2J  and more  ", " ]0;owned \tb c"] == out.splitlines()
    assert ["first", "second  [31m"] == err.splitlines()
