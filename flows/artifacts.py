"""What a run leaves in Prefect for people to read. Keys name the release-state repository, and get a history there.

Tables, not Markdown: a cell is text, whoever wrote it, while Prefect's pages show the entities that keep text from
outside harmless on GitHub as they are written.
"""

from collections.abc import Iterable, Mapping, Sequence

from prefect.artifacts import acreate_link_artifact, acreate_table_artifact

from flows.runs import slug
from flows.ways.check_file import LocatedFinding
from flows.ways.propose import Proposed
from reconcile.planned import Item, Plan
from reconcile.render.plan import PlanRow, rows_of, summarize
from reconcile.report import RunReport
from reconcile.selection import LeftOut
from state.evidence import Evidence
from state.ids import RepositoryName, Sha, abbreviate

_MOST_ROWS = 200
"""More than a person reads; the report on the commit and the pull request say how many more there are."""


async def publish_plan(
    repository: RepositoryName, kind: str, plan: Plan, *, description: str, left_out: Sequence[LeftOut] = ()
) -> None:
    """Show what is about to be done, or would be; what stays in place is not listed."""
    left = ({"Repository": each.repository, "What": "left out", "Why": each.reason} for each in left_out)
    await _publish(repository, kind, [*_rows_of(plan.items), *left], description)


async def publish_outcome(repository: RepositoryName, report: RunReport, summary: str) -> None:
    """Show what a run did, and what is left to do or in the way."""
    moved = [
        PlanRow(
            name=outcome.name,
            url=outcome.url,
            live=outcome.before,
            target=outcome.after,
            commits=None,
            what="moved",
        )
        for outcome in report.moved
    ]
    rows = [*map(_row, moved), *_rows_of(report.items)]
    commit = abbreviate(report.plan.version.commit)
    await _publish(repository, "outcome", rows, f"What became of {commit}: {summary}.")


async def publish_evidence(repository: RepositoryName, evidence: Sequence[Evidence]) -> None:
    """Show what each source of validation said."""
    rows = [
        {"Source": each.source, "Verdict": str(each.verdict), "What it said": each.sentence}
        for each in evidence
    ]
    await _publish(repository, "evidence", rows, "What validation said.")


async def publish_problems(
    repository: RepositoryName, number: int, problems: Sequence[LocatedFinding]
) -> None:
    """Show what is wrong with the documents of a pull request."""
    rows = [
        {"File": each.file, "Line": str(each.line), "Column": str(each.column), "What": each.message}
        for each in problems
    ]
    await _publish(repository, "problems", rows, f"What has to be corrected in #{number}.")


async def publish_checks(repository: RepositoryName, said: Mapping[int, tuple[str, str]]) -> None:
    """Show what each open pull request came to, by number: in a word, and in a sentence."""
    rows = [
        {"Pull request": f"#{number}", "Check": word, "What it says": sentence}
        for number, (word, sentence) in said.items()
    ]
    await _publish(repository, "open", rows, "The checks of the open pull requests.")


async def publish_pull_request(repository: RepositoryName, pull_request: Proposed) -> None:
    """Link a pull request of the release-state repository."""
    await acreate_link_artifact(
        key=f"{slug(repository)}-pull-request",
        link=pull_request.url,
        link_text=f"{repository}#{pull_request.number}",
        description="Review, edit and merge it there.",
    )


async def _publish(
    repository: RepositoryName, kind: str, rows: Sequence[Mapping[str, str]], description: str
) -> None:
    """Show a table, without columns that are empty; nothing where it has no rows."""
    if not rows:
        return
    columns = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if any(row.get(name) for row in rows)
    ]
    await acreate_table_artifact(
        key=f"{slug(repository)}-{kind}",
        table=[{name: row.get(name, "") for name in columns} for row in rows[:_MOST_ROWS]],
        description=description,
    )


def describe_plan(plan: Plan) -> str:
    """Say which documents a plan is for, and what it comes to."""
    return f"The plan for {abbreviate(plan.version.commit)}: {summarize(plan.items)}."


def _rows_of(items: Iterable[Item]) -> list[dict[str, str]]:
    return [_row(row) for row in rows_of(items) if row.what != "in place"]


def _row(row: PlanRow) -> dict[str, str]:
    return {
        "Repository": row.name,
        "From": _short(row.live),
        "To": _short(row.target),
        "What": row.what,
        "Commits": "" if row.commits is None else str(row.commits),
        "Why": row.why,
    }


def _short(sha: Sha | None) -> str:
    return abbreviate(sha) if sha else "(no branch)"
