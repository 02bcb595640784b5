"""How the demo talks. What others wrote (names, titles) is printed as text, never as markup."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from state.ids import abbreviate
from tests.demo.fleet import Shift
from tests.demo.prefect import FlowRun

_STYLES = {"COMPLETED": "green", "FAILED": "red", "CRASHED": "red", "CANCELLED": "yellow"}

_console = Console(highlight=False, soft_wrap=True)


def say(text: str = "", *, style: str = "") -> None:
    _console.print(Text(text, style=style))


def show_run(run: FlowRun) -> None:
    """Say that a flow run has begun or ended."""
    assert run.state
    style = _STYLES.get(run.state.type, "cyan")
    at = f"{datetime.now().astimezone():%H:%M:%S}"
    _console.print(Text.assemble(f"  {at}  ", (f"{run.state.name:<14}", style), run.name))


def show_shifts(shifts: Iterable[Shift]) -> None:
    """Print what moved, as git tells it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("repository", "before", "after"):
        table.add_column(column, no_wrap=True)
    table.add_column("pull requests")
    for shift in shifts:
        table.add_row(
            shift.repository,
            abbreviate(shift.before) if shift.before else "(no branch)",
            abbreviate(shift.after) if shift.after else "(no branch)",
            ", ".join(f"#{number}" for number in shift.pull_requests),
        )
    _console.print(table)
