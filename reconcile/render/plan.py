"""A plan as rows, and the rows as Markdown. The terminal and Prefect show the same rows."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from reconcile.planned import Action, Create, FastForward, Force, Hold, Item, NoOp, Plan, Rewind, Wait
from reconcile.render.markdown import anchor, code, drop_empty_columns, escape, link, table
from reconcile.render.sections import Listing, Section, lay_out
from state.ids import Frozen, Sha, abbreviate

SENTENCE_LIMIT = 400
_NO_BREAK = "\N{NO-BREAK SPACE}"
_DIGITS_IN_LINKS = 12
"""Enough of a sha for GitHub to find it; in a fleet of hundreds whole ones would fill the page."""
_HEAD = ("repository", "from → to", "commits", "what", "why")


class PlanRow(Frozen):
    """One repository of a plan, as people see it. Name and sentence may hold text from outside."""

    name: str
    url: str | None
    live: Sha | None
    target: Sha
    commits: int | None
    """How many go out, or for a rewind come back; none where nothing moves, or a ref begins."""
    what: str
    """The kind of move, or ``held: CODE``, ``waits: CODE``, ``in place``."""
    why: str = ""


def rows_of(items: Iterable[Item]) -> tuple[PlanRow, ...]:
    """Make a row of every item, in order."""
    return tuple(_row_of(item) for item in items)


def _row_of(item: Item) -> PlanRow:
    match item:
        case NoOp():
            what, why, commits = "in place", "", None
        case Hold():
            what, why, commits = f"held: {item.code}", item.sentence, None
        case Wait():
            what, why, commits = f"waits: {item.code}", item.sentence, None
        case Create():
            what, why, commits = item.kind, "", None
        case FastForward() | Rewind() | Force():
            what, why, commits = item.kind, "", item.commits
        case _:
            assert_never(item)
    return PlanRow(
        name=item.name,
        url=item.url,
        live=item.live,
        target=item.target,
        commits=commits,
        what=what,
        why=why,
    )


def summarize(items: Sequence[Item]) -> str:
    """Say in one line what a plan comes to: ``3 of 8 move · 1 held · 1 waits``."""
    moves = sum(isinstance(item, Action) for item in items)
    holds = sum(isinstance(item, Hold) for item in items)
    waits = sum(isinstance(item, Wait) for item in items)
    if not moves + holds + waits:
        return f"nothing to do, {len(items)} of {len(items)} in place"
    parts = [f"{moves} of {len(items)} {'moves' if moves == 1 else 'move'}"]
    if holds:
        parts.append(f"{holds} held")
    if waits:
        parts.append(f"{waits} {'waits' if waits == 1 else 'wait'}")
    return " · ".join(parts)


def render_plan(plan: Plan) -> str:
    """Render what a plan does and what is in its way; repositories in place are only counted."""
    return lay_out((Section(f"**{summarize(plan.items)}**"), *plan_sections(plan)))


def plan_sections(plan: Plan) -> tuple[Section, ...]:
    """Render the parts of a plan that may be long."""
    rows = [row for row in rows_of(plan.items) if row.what != "in place"]
    sections = []
    if rows:
        titles, *cells = drop_empty_columns((_HEAD, *map(_cells, rows)))
        head, rule, *lines = table(titles, cells)
        sections.append(Section("", (Listing(lines, (head, rule)),)))
    if plan.unnamed:
        names = [f"- {escape(name)}" for name in plan.unnamed]
        sections.append(Section("The policy lists these and the file does not name them:", (Listing(names),)))
    return tuple(sections)


def _cells(row: PlanRow) -> tuple[str, ...]:
    return (
        link(row.name, row.url),
        render_way(row),
        "" if row.commits is None else str(row.commits),
        escape(row.what),
        escape(row.why, SENTENCE_LIMIT),
    )


def render_way(row: PlanRow) -> str:
    """Render from → to, with a link to what lies between; where both are one, that."""
    target = code(abbreviate(row.target))
    if row.live == row.target:
        return anchor(target, row.url and f"{row.url}/commit/{row.target}")
    if row.live is None:
        return f"new{_NO_BREAK}→{_NO_BREAK}{anchor(target, row.url and f'{row.url}/commit/{row.target}')}"
    # GitHub shows what the second has and the first lacks; what comes back is what the live one has.
    first, second = (row.target, row.live) if row.what == "rewind" else (row.live, row.target)
    # A table breaks lines at spaces, and what belongs together reads badly on two.
    way = f"{code(abbreviate(row.live))}{_NO_BREAK}→{_NO_BREAK}{target}"
    shas = f"{first[:_DIGITS_IN_LINKS]}...{second[:_DIGITS_IN_LINKS]}"
    return anchor(way, row.url and f"{row.url}/compare/{shas}")
