"""Results of the command, for a person: what is printed for a plan, a run, the status, a proposal."""

from collections.abc import Iterable
from typing import assert_never

from flows.terminal import print_table, say
from flows.ways.log import LogEntry
from flows.ways.propose import ProposeReport
from flows.ways.rollback import RollbackReport
from flows.ways.status import StatusReport
from flows.ways.why import WhyReport
from reconcile.apply import Failed, Moved, MovedMeanwhile, Outcome, Refused, Skipped
from reconcile.plan import Hold, Item, Plan, Wait
from reconcile.render.plan import rows_of, summarize
from reconcile.report import RunReport


def plan(current: Plan) -> None:
    _items(current.items)
    say(f"{summarize(current.items)} ({current.version.repository} at {current.version.commit[:7]})")
    for name in current.unnamed:
        say(f"{name} is in the policy and has no target; it is left alone.")


def _items(items: Iterable[Item]) -> None:
    print_table(
        ("repository", "from", "to", "commits", "what", "why"),
        [
            (
                row.name,
                row.live[:7] if row.live else "-",
                row.target[:7],
                "" if row.commits is None else str(row.commits),
                row.what,
                row.why,
            )
            for row in rows_of(items)
        ],
    )


def run(report: RunReport) -> None:
    if report.outcomes:
        print_table(
            ("repository", "from", "to", "outcome", "why"),
            [
                (
                    each.name,
                    each.before[:7] if each.before else "-",
                    each.after[:7],
                    each.kind,
                    _why(each),
                )
                for each in report.outcomes
            ],
        )
    _items(item for item in report.items if item.kind != "no-op")
    version = report.plan.version
    say(f"{report.result}: {len(report.moved)} moved ({version.repository} at {version.commit[:7]})")


def _why(outcome: Outcome) -> str:
    match outcome:
        case Moved():
            return ""
        case MovedMeanwhile(found=found):
            return f"Somebody moved it to {found[:7] if found else 'nothing'}; theirs stands."
        case Refused() | Failed() | Skipped():
            return outcome.sentence
        case _:
            assert_never(outcome)


def proposal(report: ProposeReport) -> None:
    if report.action == "not-proposed":
        print_table(
            ("source", "verdict", "what it said"),
            [(each.source, each.verdict, each.sentence) for each in report.validation.evidence],
        )
    elif report.plan:
        _items(item for item in report.plan.items if item.kind != "no-op")
        for each in report.left_out:
            say(f"{each.repository} is left out: {each.reason}")
    say(report.sentence)
    if report.pull_request:
        say(report.pull_request.url)


def status(report: StatusReport) -> None:
    plan(report.plan)
    if accepted := report.ledger.accepted if report.ledger else None:
        by = f" by #{accepted.pull_request}" if accepted.pull_request else ""
        say(f"Decided{by} in {accepted.commit[:7]}, accepted {accepted.at:%Y-%m-%d %H:%M} UTC.")
    else:
        say("There is no ledger yet; the first `stablehand reconcile` begins it.")
    for move in report.ledger.moves if report.ledger else ():
        before = move.before[:7] if move.before else "nothing"
        say(f"{move.at:%Y-%m-%d %H:%M} UTC  {move.repository}  {before} -> {move.after[:7]}  ({move.run})")
    if report.proposal:
        say(f"Open proposal: {report.proposal.url} {report.proposal.title}")


def why(report: WhyReport) -> None:
    _items([report.item])
    observed = report.observed
    if observed and observed.target:
        target = observed.target
        say(
            f"{observed.name}: the target is {target.relation} to the ref, {target.ahead} ahead and {target.behind} "
            f"behind, on {target.on_branch or 'no allowed branch'}: {target.headline}"
        )
    for reason in report.reasons:
        if isinstance(reason, Wait) and reason.until:
            say(f"waits: {reason.code}: {reason.sentence} Until {reason.until:%Y-%m-%d %H:%M} UTC.")
        else:
            say(f"{'held' if isinstance(reason, Hold) else 'waits'}: {reason.code}: {reason.sentence}")
    if not report.reasons:
        say("Nothing stands in its way." if report.item.kind != "no-op" else "It is where the file wants it.")


def log(entries: Iterable[LogEntry]) -> None:
    print_table(
        ("when (UTC)", "repository", "from", "to", "decision", "approved by", "run"),
        [
            (
                f"{entry.at:%Y-%m-%d %H:%M}",
                entry.repository,
                entry.before[:7] if entry.before else "-",
                entry.after[:7],
                f"#{entry.pull_request}" if entry.pull_request else (entry.decision or "")[:7],
                ", ".join(entry.approvers),
                entry.run,
            )
            for entry in entries
        ],
    )


def rollback(report: RollbackReport) -> None:
    _items(item for item in report.plan.items if item.kind != "no-op")
    say(f"#{report.pull_request.number} {report.pull_request.title}")
    say(report.pull_request.url)
