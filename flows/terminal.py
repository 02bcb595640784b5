"""What the command prints: tables for a terminal, plain text for a pipe, JSON for a program.

Results go to standard output, everything else to standard error. Text from outside is printed as text: no markup
of its own takes effect, and no control character reaches the terminal.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import BaseModel

_PATIENCE_SECONDS = 2.0
"""How long a person is left without a word."""
_SENTENCE_WIDTH = 24
"""Columns that sentences are folded to at the narrowest."""

_ANY_WIDTH = 10_000

S = TypeVar("S")
T = TypeVar("T")


class OutputError(Exception):
    """What came of it could not be printed."""


def print_json(value: BaseModel | dict[str, Any]) -> None:
    """Print a value for a program."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    _write(json.dumps(content, indent=2, ensure_ascii=False), sys.stdout)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in a terminal, and tab-separated lines without a header in a pipe; nothing without rows.

    A terminal is spared the columns that are empty; in a pipe each keeps its place, for programs.
    """
    if not rows:
        return
    if not sys.stdout.isatty():
        for row in rows:
            _write("\t".join(_plain(cell) for cell in row), sys.stdout)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    filled = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    for i in filled:
        # What does not fit is folded in the last column alone, where the sentences are.
        widest = max(len(_plain(row[i])) for row in rows)
        if i < len(columns) - 1:
            table.add_column(columns[i], no_wrap=True, min_width=widest)
        else:
            table.add_column(columns[i], overflow="fold", min_width=min(widest, _SENTENCE_WIDTH))
    for row in rows:
        table.add_row(*(Text(_plain(row[i])) for i in filled))
    # A terminal that is too narrow for that breaks lines by itself: nothing is cut off.
    console = Console()
    needed = console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).minimum
    Console(width=max(console.width, needed)).print(table)


def say(text: str = "") -> None:
    """Print a line of the result."""
    _write(_plain(text), sys.stdout)


def print_text(text: str) -> None:
    """Print lines of our own as they are."""
    _write(text.removesuffix("\n"), sys.stdout)


def complain(text: str) -> None:
    """Print lines for a person about what went wrong."""
    _write("\n".join(_plain(line) for line in text.splitlines()), sys.stderr)


def prepare() -> None:
    """Let a terminal that lacks a character show a question mark in its place, and print nowhere what has no place."""
    # Python has no stream where the process was started with that of the system closed.
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w")
    sys.stderr = sys.stderr or nowhere.open("w")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def flush() -> None:
    """Send on what was printed. That a reader such as ``head`` has gone changes nothing about what came of it.

    Raises:
        OutputError: It could not be written, as to a full disk.
    """
    for stream in (sys.stdout, sys.stderr):
        with _going_on_unread(stream):
            stream.flush()


def announce_retries() -> None:
    """Say when a request is sent again, and why, instead of leaving the person with silence."""
    from stamina.instrumentation import RetryDetails, set_on_retry_hooks

    def announce(details: RetryDetails) -> None:
        complain(f"{details.caused_by} Trying again in {details.wait_for:.1f} s …")

    set_on_retry_hooks([announce])


def with_progress(steps: S, *, patience: float = _PATIENCE_SECONDS) -> S:
    """Wrap every step of a record so that one which takes longer than its seconds says what it is doing."""

    def wrap(name: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (as the step has them)
            return await announced(name.replace("_", " "), step(*args, **kwargs), patience=patience)

        return run

    wrapped = {field.name: wrap(field.name, getattr(steps, field.name)) for field in fields(steps)}  # type: ignore[arg-type]  # a dataclass, whichever
    return replace(steps, **wrapped)  # type: ignore[type-var]  # the same


async def announced(what: str, awaitable: Awaitable[T], *, patience: float = _PATIENCE_SECONDS) -> T:
    """Wait for something, and say what it is when it takes longer than these seconds."""
    label, task = f"{what} …", asyncio.ensure_future(awaitable)
    try:
        return await asyncio.wait_for(asyncio.shield(task), patience)
    except TimeoutError:
        if task.done():
            return await task
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not sys.stderr.isatty():
        complain(label)
        return await task
    from rich.console import Console

    with Console(stderr=True).status(label):
        return await task


def _write(text: str, stream: TextIO) -> None:
    with _going_on_unread(stream):
        print(text, file=stream)


@contextmanager
def _going_on_unread(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Whatever is left goes nowhere, also when the interpreter flushes for the last time.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise OutputError(f"What came of it could not be printed: {error.strerror}.") from error


def _plain(text: str) -> str:
    """Drop control characters, so that a title from outside cannot move the cursor or recolour the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
