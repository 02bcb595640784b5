"""What the ledger's commits say, so that the history of its branch can be read by a person."""

from collections.abc import Iterable, Sequence

from reconcile.planned import Action
from reconcile.render.plan import rows_of
from reconcile.report import RunReport
from state.ids import Sha, abbreviate


def describe_intents(actions: Sequence[Action], decision: Sha) -> str:
    """Say what is about to move."""
    count = len(actions)
    headline = f"Intend {count} {'move' if count == 1 else 'moves'}" if count else "Begin the ledger"
    return _message(headline, decision, (_way(each.repository, each.live, each.target) for each in actions))


def describe_outcome(report: RunReport) -> str:
    """Say what a run came to: what became of each move, and what else is not in place."""
    outcomes = [f"{_way(each.repository, each.before, each.after)}: {each.kind}" for each in report.outcomes]
    tried = {each.repository for each in report.outcomes}
    items = [item for item in report.items if item.kind != "no-op" and item.repository not in tried]
    rest = [f"{_way(row.name, row.live, row.target)}: {row.what}" for row in rows_of(items)]
    headline = f"Record that the fleet is {report.result}"
    return _message(headline, report.plan.version.commit, (*outcomes, *rest))


def _message(headline: str, decision: Sha, lines: Iterable[str]) -> str:
    return "\n".join((f"{headline} ({abbreviate(decision)})", "", *lines)).strip()


def _way(name: str, before: Sha | None, after: Sha) -> str:
    return f"{name} {abbreviate(before) if before else 'nothing'} → {abbreviate(after)}"
