"""Results of the command, for a person: what is printed for a plan, a run, the status, a proposal.

The reports are imported for their types alone: showing one kind does not pay for the ways of all others.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

from flows.terminal import complain, print_table, say
from reconcile.apply import Failed, Moved, MovedMeanwhile, Outcome, Refused, Skipped
from reconcile.cost import Cost
from reconcile.observed import ObservedTarget, PullRequest, Relation
from reconcile.planned import Hold, Item, Plan, Wait
from reconcile.ports import Budget
from reconcile.render.plan import rows_of, summarize
from reconcile.report import RunReport
from state.ids import Sha, abbreviate

if TYPE_CHECKING:
    from flows.ways.init import InitReport
    from flows.ways.log import LogEntry
    from flows.ways.propose import ProposeReport
    from flows.ways.rollback import RollbackReport
    from flows.ways.status import StatusReport
    from flows.ways.why import WhyReport
    from state.history import History
    from state.release_notes import Notes

_MINUTES_FROM = 120
"""Seconds that are better said as minutes."""


def plan(current: Plan) -> None:
    _items(current.items)
    say(f"{summarize(current.items)} ({current.version.repository} at {current.version.commit[:7]})")
    for name in current.unnamed:
        say(f"{name} is in the policy and has no target; it is left alone.")


def cost(takes: Cost, budget: Budget | None) -> None:
    """Say what carrying out a plan takes; nothing where there is nothing to carry out."""
    if not takes.requests:
        return
    say(f"Carrying it out takes about {takes.requests} requests and {_duration(takes.seconds)}.")
    if budget and budget.remaining < takes.requests:
        say(f"GitHub grants this account {budget.remaining} more until {budget.resets_at:%H:%M} UTC.")


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < _MINUTES_FROM else f"{seconds / 60:.0f} min"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


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


def proposal(report: "ProposeReport") -> None:
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


def status(report: "StatusReport") -> None:
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


def why(report: "WhyReport") -> None:
    item, target = report.item, report.observed.target if report.observed else None
    wish = f"and the file wants {_sha(item.target)}" if item.kind != "no-op" else "where the file wants it"
    say(f"{item.name}: {report.ref} is at {_sha(item.live)}, {wish}.")
    if target:
        where = f"on {target.on_branch}" if target.on_branch else "on no allowed branch"
        say(f"{_sha(target.sha)}: {target.headline} ({where}; {_relation(target)})")
    for reason in report.reasons:
        until = f" Until {_moment(reason.until)}." if isinstance(reason, Wait) and reason.until else ""
        say(f"{'held' if isinstance(reason, Hold) else 'waits'}: {reason.code}: {reason.sentence}{until}")
    if item.kind == "hold" and item.code == "moved-by-hand":
        say(f"To answer it: stablehand adopt {item.repository}, or stablehand restore {item.repository}")
    if not report.reasons and item.kind != "no-op":
        say("Nothing stands in its way: the next run of reconcile moves it.")


def _sha(commit: Sha | None) -> str:
    return abbreviate(commit) if commit else "nothing"


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _relation(target: ObservedTarget) -> str:
    match target.relation:
        case Relation.IDENTICAL:
            return "in place"
        case Relation.CREATE:
            return "there is no ref yet"
        case Relation.FAST_FORWARD:
            return f"{_commits(target.ahead)} forward"
        case Relation.REWIND:
            return f"{_commits(target.behind)} back"
        case Relation.DIVERGED:
            return f"{_commits(target.ahead)} forward, and without {target.behind} that are out"
        case _:
            assert_never(target.relation)


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"


def log(entries: "Sequence[LogEntry]") -> None:
    if not entries:
        complain("Nothing has been moved yet, or not within the versions that were read.")
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


def notes(notes: "Notes") -> None:
    from reconcile.render.notes import render_notes

    for line in render_notes(notes).splitlines():
        say(line)


def history(history: "History") -> None:
    from reconcile.render.history import describe_gaps, describe_period, describe_share, describe_wait

    print_table(
        ("accepted (UTC)", "decision", "opened by", "merged by", "approved by", "moved"),
        [
            (
                f"{each.at:%Y-%m-%d %H:%M}",
                f"#{each.pull_request}" if each.pull_request else each.commit[:7],
                each.author or "",
                each.merged_by or "",
                ", ".join(each.approvers),
                ", ".join(each.repositories),
            )
            for each in history.decisions
        ],
    )
    figures = history.figures
    say(
        f"{describe_period(history)}: {_count(figures.moves, 'move')} by {_count(figures.decisions, 'decision')}, "
        f"{figures.moves_per_week} a week."
    )
    if lead := figures.lead_time:
        say(
            f"From merge to release: median {describe_wait(lead.median)}, nine of ten within {describe_wait(lead.p90)} "
            f"({lead.changes} changes)."
        )
    say(
        f"Rolled back: {describe_share(figures.rollback_share)} ({figures.rollbacks} of {figures.moves} moves)."
    )
    say(
        f"By hand: {describe_share(figures.by_hand_share)} "
        f"({figures.by_hand} of {figures.moves + figures.by_hand} moves)."
    )
    for gap in describe_gaps(history):
        say(gap)


def rollback(report: "RollbackReport") -> None:
    _items(item for item in report.plan.items if item.kind != "no-op")
    offer(report.pull_request)


def init(report: "InitReport") -> None:
    for path in report.written:
        say(f"new: {path}")
    for path in report.kept:
        say(f"left as it is: {path}")
    for name in report.without_ref:
        say(f"{name} has no such branch yet: it is in the policy, and gets a target when it has one.")
    for name in report.without_source:
        say(f"{name} has no branch that proposals come from (--source), so nothing is ever proposed for it.")
    governed = len(report.repositories) - len(report.without_ref)
    say(f"{governed} of {len(report.repositories)} repositories are asked to stay where they are.")
    if report.pull_request:
        offer(report.pull_request)


def offer(pull_request: PullRequest) -> None:
    say(f"#{pull_request.number} {pull_request.title}")
    say(pull_request.url)
