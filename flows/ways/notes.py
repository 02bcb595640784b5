"""Notes: what a move, or a range of moves, took out, in the words of its pull requests. Reads only.

Which moves there were is in the ledger's history; what they took out, and what is said of it, is asked of GitHub.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from flows.ways.decisions import choose_decision, decisions_of, load_ledgers, parse_since, parse_until
from flows.ways.errors import UsageError
from flows.ways.log import LogEntry, entries_of
from reconcile.accept import parse_documents
from reconcile.ports import (
    LedgerReader,
    MergedDecision,
    ReleasedPullRequest,
    ReleasedReader,
    ReleaseStateReader,
)
from state.history import Between, Decided, LandedCommit, RefMove
from state.ids import Frozen, RepositoryName, Sha
from state.ledger import AcceptedCommit
from state.policy import Policy, ReleaseNotes
from state.proposal import PinError, read_release_note, resolve_repository
from state.release_notes import Change, Notes, RepositoryNotes


class NotesRequest(Frozen):
    """What a person asks for, as they wrote it."""

    repositories: tuple[str, ...] = ()
    """Only these; all that moved where none is named."""
    since: str | None = None
    """A date or time, or a decision: a sha of the release-state repository, or #NUMBER. It counts itself."""
    until: str | None = None
    """The same, for the end; up to now without it."""


class GitHubPorts(LedgerReader, ReleasedReader, ReleaseStateReader, Protocol):
    """All that notes need of GitHub: readers."""


class _Span(NamedTuple):
    """The whole way of one repository."""

    before: Sha | None
    after: Sha


async def write_notes(github: GitHubPorts, request: NotesRequest) -> Notes:
    """Collect what went out: of the last decision that moved something, where nothing else is asked for.

    Raises:
        UsageError: There is no such decision or repository, or nothing moved.
        DocumentError: The policy is wrong; it says how notes are marked.
        ReconcileError: GitHub could not be read.
    """
    found = await github.load_release_state()
    _, policy = parse_documents(found.documents, where=found.version.repository)
    ledgers = [ledger for _, ledger in await load_ledgers(github)]
    decisions = decisions_of(ledgers)
    entries = _select(entries_of(ledgers), decisions, request)
    asked_for = [each for each in reversed(decisions) if each.commit in {entry.decision for entry in entries}]
    spans = _spans(entries)
    between = await github.observe_between(list(_moves(spans).values()))
    merged = await github.observe_released(_commits(spans, between), source=policy.source)
    pulls = await github.observe_decisions([each.pull_request for each in asked_for if each.pull_request])
    return Notes(
        first=entries[-1].at,
        last=entries[0].at,
        decisions=tuple(decided(each, entries, pulls) for each in asked_for),
        repositories=tuple(
            _repository(name, span, between, merged, policy.proposal.release_notes)
            for name, span in _in_order(spans, policy)
        ),
    )


def decided(
    decision: AcceptedCommit, entries: Sequence[LogEntry], pulls: Mapping[int, MergedDecision]
) -> Decided:
    """Say who decided what when, and what it moved."""
    pull = pulls.get(decision.pull_request) if decision.pull_request else None
    moved = {entry.repository for entry in entries if entry.decision == decision.commit}
    return Decided(
        commit=decision.commit,
        at=decision.at,
        pull_request=decision.pull_request,
        title=pull.title if pull else None,
        url=pull.url if pull else None,
        author=pull.author if pull else None,
        merged_by=pull.merged_by if pull else None,
        merged_at=pull.merged_at if pull else None,
        approvers=decision.approvers,
        repositories=tuple(sorted(moved)),
    )


def _select(
    entries: Sequence[LogEntry], decisions: Sequence[AcceptedCommit], request: NotesRequest
) -> tuple[LogEntry, ...]:
    """Take the moves that are meant, newest first; at least one."""
    if not entries:
        raise UsageError(("Nothing has been moved yet, so there is nothing to write about.",))
    names = _resolve(request.repositories, {entry.repository for entry in entries})
    if request.since is None and request.until is None:
        last = next(entry.decision for entry in entries if entry.repository in names)
        within = [entry for entry in entries if entry.decision == last]
    else:
        since, until = (
            _edge(request.since, decisions, is_end=False),
            _edge(request.until, decisions, is_end=True),
        )
        within = [entry for entry in entries if _is_within(entry, since, until, decisions)]
    selected = tuple(entry for entry in within if entry.repository in names)
    if not selected:
        raise UsageError(
            (
                f"Nothing moved then. The newest move is of {entries[0].at:%Y-%m-%d %H:%M} UTC: see stablehand log.",
            )
        )
    return selected


def _resolve(named: Sequence[str], known: set[RepositoryName]) -> set[RepositoryName]:
    problems: list[str] = []
    names: set[RepositoryName] = set()
    for each in named:
        try:
            names.add(resolve_repository(each, known))
        except PinError as error:
            problems += error.problems
    if problems:
        raise UsageError(tuple(problems))
    return names or known


def _edge(
    text: str | None, decisions: Sequence[AcceptedCommit], *, is_end: bool
) -> datetime | AcceptedCommit | None:
    """Read one end of the range: a moment, or a decision. Digits that begin a decision's sha mean it."""
    if text is None:
        return None
    moment = parse_until(text) if is_end else parse_since(text)
    if moment and not any(each.commit.startswith(text) for each in decisions):
        return moment
    return choose_decision(decisions, text)


def _is_within(
    entry: LogEntry,
    since: datetime | AcceptedCommit | None,
    until: datetime | AcceptedCommit | None,
    decisions: Sequence[AcceptedCommit],
) -> bool:
    """Say whether a move counts: by its own time, or by that of the decision that it carried out."""
    decided_at = next((each.at for each in decisions if each.commit == entry.decision), entry.at)

    def time_for(edge: datetime | AcceptedCommit) -> tuple[datetime, datetime]:
        return (entry.at, edge) if isinstance(edge, datetime) else (decided_at, edge.at)

    if since is not None:
        mine, first = time_for(since)
        if mine < first:
            return False
    if until is not None:
        mine, last = time_for(until)
        return mine <= last
    return True


def _spans(entries: Sequence[LogEntry]) -> dict[RepositoryName, _Span]:
    """Join the moves of each repository, which are given newest first. What came and went between says nothing."""
    spans: dict[RepositoryName, _Span] = {}
    for entry in reversed(entries):
        first = spans.get(entry.repository)
        spans[entry.repository] = _Span(first.before if first else entry.before, entry.after)
    return spans


def _moves(spans: Mapping[RepositoryName, _Span]) -> dict[RepositoryName, RefMove]:
    return {
        name: RefMove(repository=name, before=span.before, after=span.after)
        for name, span in spans.items()
        if span.before and span.before != span.after
    }


def _commits(
    spans: Mapping[RepositoryName, _Span], between: Mapping[RefMove, Between]
) -> list[tuple[RepositoryName, Sha]]:
    return [
        (name, commit.sha)
        for name, move in _moves(spans).items()
        if move in between
        for commit in (*between[move].out, *between[move].back)
    ]


def _in_order(spans: Mapping[RepositoryName, _Span], policy: Policy) -> list[tuple[RepositoryName, _Span]]:
    """Sort as the policy lists them; what it lists no longer comes last."""
    position = {name: number for number, name in enumerate(policy.repositories)}
    return sorted(spans.items(), key=lambda each: (position.get(each[0], len(position)), each[0]))


def _repository(
    name: RepositoryName,
    span: _Span,
    between: Mapping[RefMove, Between],
    merged: Mapping[tuple[RepositoryName, Sha], ReleasedPullRequest],
    marks: ReleaseNotes,
) -> RepositoryNotes:
    move = _moves({name: span}).get(name)
    found = between.get(move) if move else None

    def change(commit: LandedCommit) -> Change:
        pull = merged.get((name, commit.sha))
        assert found
        return Change(
            sha=commit.sha,
            at=commit.at,
            title=pull.title if pull else commit.headline,
            note=read_release_note(pull.body, marks.begin, marks.end) if pull else None,
            author=pull.author if pull else commit.author,
            pull_request=pull.number if pull else None,
            url=pull.url if pull else f"{found.url}/commit/{commit.sha}",
        )

    return RepositoryNotes(
        repository=name,
        url=found.url if found else None,
        before=span.before,
        after=span.after,
        changes=tuple(map(change, found.out)) if found else (),
        taken_back=tuple(map(change, found.back)) if found else (),
        is_complete=found.is_complete if found else True,
    )
