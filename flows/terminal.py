"""What the command prints: tables for a terminal, plain text for a pipe, JSON for a program.

Results go to standard output, everything else to standard error. Text from outside is printed as text: no markup
of its own takes effect, and no control character reaches the terminal.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from pydantic import BaseModel

_PATIENCE_SECONDS = 2.0

S = TypeVar("S")


def print_json(value: BaseModel | dict[str, Any]) -> None:
    """Print a value for a program."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    print(json.dumps(content, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in a terminal, and tab-separated lines without a header in a pipe; nothing without rows."""
    if not rows:
        return
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(_plain(cell) for cell in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(_plain(cell)) for cell in row))
    Console().print(table)


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(_plain(text))


def complain(text: str) -> None:
    """Print lines for a person about what went wrong."""
    print("\n".join(_plain(line) for line in text.splitlines()), file=sys.stderr)


def announce_retries() -> None:
    """Say when a request is sent again, and why, instead of leaving the person with silence."""
    from stamina.instrumentation import RetryDetails, set_on_retry_hooks

    def announce(details: RetryDetails) -> None:
        complain(f"{details.caused_by} Trying again in {details.wait_for:.1f} s …")

    set_on_retry_hooks([announce])


def with_progress(steps: S) -> S:
    """Wrap every step of a record so that one which takes longer than two seconds says what it is doing."""
    wrapped = {field.name: _patient(field.name, getattr(steps, field.name)) for field in fields(steps)}  # type: ignore[arg-type]  # a dataclass, whichever
    return replace(steps, **wrapped)  # type: ignore[type-var]  # the same


def _patient(name: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (as the step has them)
        return await _announced(f"{name.replace('_', ' ')} …", step(*args, **kwargs))

    return run


async def _announced(label: str, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401 (as the step returns)
    task = asyncio.ensure_future(awaitable)
    try:
        return await asyncio.wait_for(asyncio.shield(task), _PATIENCE_SECONDS)
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


def _plain(text: str) -> str:
    """Drop control characters, so that a title from outside cannot move the cursor or recolour the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
