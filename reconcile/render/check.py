"""The comment that shows a reviewer what merging a pull request would do."""

from collections.abc import Sequence
from typing import Protocol

from reconcile.planned import Plan
from reconcile.render.markdown import anchor, code, escape
from reconcile.render.plan import SENTENCE_LIMIT, plan_sections, summarize
from reconcile.render.sections import Listing, Section, lay_out
from state.ids import Sha


class Located(Protocol):
    """Something wrong in a document, and where; lines and columns count from 1, 0 is the whole document."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def message(self) -> str: ...


def render_problems(problems: Sequence[Located], *, url: str, commit: Sha) -> str:
    """Render what is wrong in the documents of a commit, with links to the lines."""
    lines = [_problem_line(problem, url, commit) for problem in problems]
    return lay_out(
        (Section(f"**This cannot be merged: {count_problems(problems)}**"), Section("", (Listing(lines),)))
    )


def render_foresight(plan: Plan, notes: Sequence[str], *, warning: str | None = None) -> str:
    """Render what merging would do, and what else a reviewer should know; a warning comes before everything."""
    listed = [Section("To note:", (Listing([f"- {escape(note, SENTENCE_LIMIT)}" for note in notes]),))]
    return lay_out(
        (
            *([Section(f"> **{escape(warning, SENTENCE_LIMIT)}**")] if warning else []),
            Section(f"**Merging this: {summarize(plan.items)}**"),
            *plan_sections(plan),
            *(listed if notes else ()),
        )
    )


def render_sentence(sentence: str) -> str:
    """Render one sentence of our own that quotes nobody."""
    return f"**{escape(sentence, SENTENCE_LIMIT)}**"


def count_problems(problems: Sequence[Located]) -> str:
    return f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"


def _problem_line(problem: Located, url: str, commit: Sha) -> str:
    where = code(f"{problem.file}:{problem.line}:{problem.column}")
    # `plain=1` shows a file's source, also where GitHub would render it.
    link = anchor(where, f"{url}/blob/{commit}/{problem.file}?plain=1#L{max(problem.line, 1)}")
    return f"- {link} {escape(problem.message, SENTENCE_LIMIT)}"
