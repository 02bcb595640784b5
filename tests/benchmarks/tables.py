"""Results as tables: for a terminal, and as Markdown for the documentation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.benchmarks.results import Goal, Job, Measurement, Results


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


_COLUMNS: Mapping[str, Callable[[Measurement], str]] = MappingProxyType(
    {
        "way": lambda each: each.way,
        "repositories": lambda each: f"{each.repositories:,}",
        "measured on": lambda each: (
            "" if each.measured == each.repositories else f"{each.measured:,} of them"
        ),
        "seconds": lambda each: f"{each.seconds:,.2f}",
        "a repository": lambda each: f"{each.seconds_each:.4f}",
        "until all had moved": lambda each: _shown(each.moved_seconds, ",.2f"),
        "client's CPU": lambda each: _shown(each.cpu_seconds, ",.2f"),
        "MiB": lambda each: _shown(each.memory_mib, ",.0f"),
        "requests": lambda each: _shown(each.requests, ",d"),
        "over a limit": lambda each: _shown(each.over_limits, ",d"),
    }
)
_FEW_COLUMNS = {Job.FLOW: ("way", "repositories", "seconds"), Job.COMMAND: ("way", "seconds")}


class _Table(NamedTuple):
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(results: Results) -> None:
    console = Console()
    for each in _tables(results):
        table = Table(*each.head, title=each.title, title_justify="left")
        for row in each.rows:
            table.add_row(*row)
        console.print(table)


def render_markdown(results: Results) -> str:
    """Render the tables for people who did not measure."""
    lines = [
        "# Results",
        "",
        f"Written by `make bench` on {results.at:%Y-%m-%d}; {results.machine}.",
        f"Every request takes {results.latency_seconds * 1000:.0f} ms longer than the sandbox itself.",
        "What was measured, and how, is in [README.md](README.md).",
    ]
    for title, head, rows in _tables(results):
        lines += ["", f"## {title}", "", _line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _tables(results: Results) -> Iterator[_Table]:
    for job in Job:
        measurements = [each for each in results.measurements if each.job is job]
        columns = {
            name: [_COLUMNS[name](each) for each in measurements]
            for name in _FEW_COLUMNS.get(job, tuple(_COLUMNS))
        }
        known = {name: column for name, column in columns.items() if any(column)}
        yield _Table(job[0].upper() + job[1:], tuple(known), tuple(zip(*known.values(), strict=True)))
    yield _Table("Held to", ("goal", "bound", "found", ""), tuple(_goal(each) for each in results.goals))


def _goal(each: Goal) -> Sequence[str]:
    return each.what, each.bound, each.found, "met" if each.is_met else "**not met**"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
