"""What a run did, as a checklist for the merged pull request and as one line for a commit status."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from reconcile.apply import Failed, Moved
from reconcile.planned import Create, FastForward, Force, Hold, Item, NoOp, Rewind, Wait
from reconcile.render.markdown import escape, link, shorten
from reconcile.render.plan import SENTENCE_LIMIT, PlanRow, render_way, summarize
from reconcile.render.sections import Listing, Section, lay_out
from reconcile.report import Result, RunReport
from state.ids import RepositoryName
from state.ledger import Move

MARKER = "<!-- stablehand:plan -->"
"""Marks the one comment on a pull request: what merging would do, and after the merge what it did."""
STATUS_LIMIT = 140
"""What GitHub takes as the description of a commit status."""
_HEADLINES: Mapping[Result, str] = {
    Result.CONVERGED: "Converged: every ref is where the file says.",
    Result.WAITING: "Waiting: the rest goes on by itself.",
    Result.HELD: "Held: a person is needed.",
    Result.FAILED: "Failed: something should have moved and did not. The next run tries again.",
}


def render_report(report: RunReport, moves: Sequence[Move] = ()) -> str:
    """Render what became of a decision: what has moved, and what has not with the reason.

    Says nothing that changes by itself, so that an unchanged fleet gives the same text.

    Args:
        report: The run.
        moves: What runs before it moved for the same decision, as the ledger has it.
    """
    done = {each.repository: each for each in moves} | {each.repository: each for each in report.moved}
    failed = {each.repository: each for each in report.outcomes if isinstance(each, Failed)}
    lines = [
        line for item in report.items if (line := _line(item, done.get(item.repository), failed)) is not None
    ]
    still = len(report.items) - len(lines)
    return lay_out(
        (
            Section(f"**{_HEADLINES[report.result]}**"),
            *([Section("", (Listing(lines),))] if lines else []),
            *([Section(f"{still} {'was' if still == 1 else 'were'} in place already.")] if still else []),
            *([_not_deployed(report)] if report.not_deployed else []),
        )
    )


def status_description(report: RunReport) -> str:
    """Say in at most 140 characters what a run came to."""
    moved = f"{len(report.moved)} moved" if report.moved else ""
    rest = "" if report.result is Result.CONVERGED else summarize_with_reason(report.items)
    return shorten(" · ".join(filter(None, (report.result, moved, rest))), STATUS_LIMIT)


def summarize_with_reason(items: Sequence[Item]) -> str:
    """Say in at most 140 characters what a plan comes to, and name the first hold."""
    first = next((f" ({item.name}: {item.code})" for item in items if isinstance(item, Hold)), "")
    return shorten(f"{summarize(items)}{first}", STATUS_LIMIT)


def _line(item: Item, done: Moved | Move | None, failed: Mapping[RepositoryName, Failed]) -> str | None:
    """Write one entry of the checklist; none for what was in place before the decision."""
    match item:
        case NoOp():
            return (
                None
                if done is None
                else f"- [x] {_name(item)}: {_way(item, done)}, moved {done.at:%Y-%m-%d %H:%M} UTC"
            )
        case Hold():
            text = f"held (`{item.code}`). {escape(item.sentence, SENTENCE_LIMIT)}"
        case Wait():
            text = f"waits (`{item.code}`). {escape(item.sentence, SENTENCE_LIMIT)}"
        case Create() | FastForward() | Rewind() | Force():
            failure = failed.get(item.repository)
            why = f" {escape(failure.sentence, SENTENCE_LIMIT)}" if failure else ""
            text = f"has not moved yet.{why}"
        case _:
            assert_never(item)
    return f"- [ ] {_name(item)}: {text}"


def _not_deployed(report: RunReport) -> Section:
    names = {item.repository: _name(item) for item in report.items}
    lines = [f"- {names.get(each, escape(each))}" for each in report.not_deployed]
    return Section(
        "GitHub takes no deployment for these moves. The log of the run says why:", (Listing(lines),)
    )


def _name(item: Item) -> str:
    return link(item.name, item.url)


def _way(item: Item, done: Moved | Move) -> str:
    return render_way(
        PlanRow(name=item.name, url=item.url, live=done.before, target=done.after, commits=None, what="moved")
    )
