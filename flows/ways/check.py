"""Check: show on a pull request what merging it would do, by the policy that it would be judged by.

Level-triggered like everything else: it looks at the pull request's newest commit, whatever woke it. A stranger's
pull request is parsed and nothing more: what is read with this account's rights is not for them to choose.

It fails for what the pull request itself brings. What was in the way before stays so, is shown, and is no reason to
merge nothing else.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple, Protocol

from flows.ways.check_file import (
    LocatedFinding,
    Parsed,
    Texts,
    check_documents,
    locate_finding,
    parse_texts,
)
from reconcile.accept import find_unapproved
from reconcile.apply import Clock
from reconcile.approval import Judgement as Standing
from reconcile.approval import Line
from reconcile.errors import ForbiddenError, MissingError, ReconcileError, RejectedError
from reconcile.foresight import assume_merged, changed_lines, merge_desired
from reconcile.observe import observe
from reconcile.observed import Accepted, Documents, LineNote, Observed, PullRequest, ReleaseState, Signal
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.ports import (
    FleetReader,
    HistoryReader,
    PullRequestReader,
    ReleaseStateReader,
    ReportWriter,
)
from reconcile.render.check import count_problems, render_foresight, render_problems, render_sentence
from reconcile.render.lines import MOST_NOTES, Foresight, Green, render_line_notes, render_problem_notes
from reconcile.render.markdown import shorten
from reconcile.render.marks import read_evidence
from reconcile.render.proposal import PROPOSAL_BRANCH
from reconcile.render.report import MARKER, STATUS_LIMIT, summarize_with_reason
from reconcile.render.suggestions import ChangedFile, shown_lines
from reconcile.selection import going_out
from state.diff import flatten
from state.document import DesiredState
from state.errors import StateError
from state.evidence import Verdict
from state.ids import BranchName, Frozen, RepositoryName, Sha
from state.invariants import Documents as BothDocuments
from state.invariants import check_change
from state.policy import Policy
from state.proposal import SourceCommit, SourceHistory
from state.yaml_io import POLICY_PATH, STATE_PATH

_log = logging.getLogger(__name__)

CONTEXT = "stablehand/plan"
"""The commit status that says whether a pull request may be merged."""
NOTE_MARKER = "<!-- stablehand:line -->"
"""Marks the comments on lines that this way keeps up to date."""
_LOOK_BACK = 3
"""How many commits before a target are looked at for one whose checks passed."""
_TARGET_LINE = re.compile(
    r"""^\s*["']?(?P<name>[\w-]+/[\w.-]+)["']?\s*:\s*["']?(?P<sha>[0-9A-Fa-f]{4,39})["']?\s*(?:#.*)?$"""
)
_SHOWN_NAMES = 5


class CheckReport(Frozen):
    """What a check found, and how it is told."""

    number: int
    commit: Sha
    """The head that was checked; the status goes there and nowhere else."""
    state: Literal["success", "failure", "pending"]
    description: str
    """The status in at most 140 characters."""
    problems: tuple[LocatedFinding, ...] = ()
    plan: Plan | None = None
    """What merging would do; none where nothing was planned."""
    comment: str | None = None
    """Markdown; none where the pull request is none of our business."""
    notes: tuple[LineNote, ...] = ()
    """What is said on the lines themselves."""


class Change(Frozen):
    """A pull request with the documents on its branch, and those where its branch began."""

    pull_request: PullRequest
    fork_point: Documents
    head: Documents

    @property
    def is_ours(self) -> bool:
        """Say whether it changes a document."""
        return (self.fork_point.desired_text, self.fork_point.policy_text) != (
            self.head.desired_text,
            self.head.policy_text,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSteps:
    """What check reads and writes, by name. Every step may be repeated."""

    load: Callable[[], Awaitable[ReleaseState]]
    load_change: Callable[[int, Sha], Awaitable[Change]]
    """Takes a number, and the head of the default branch."""
    find_unapproved: Callable[[ReleaseState], Awaitable[Standing]]
    """Finds what of the default branch nobody approved."""
    find_commits: Callable[[RepositoryName, str], Awaitable[tuple[SourceCommit, ...]]]
    observe: Callable[[Accepted], Awaitable[Observed]]
    read_histories: Callable[
        [Collection[RepositoryName], BranchName, BranchName],
        Awaitable[Mapping[RepositoryName, SourceHistory]],
    ]
    """Takes the source branch and the governed ref."""
    observe_signals: Callable[
        [Mapping[RepositoryName, Sha]], Awaitable[Mapping[RepositoryName, tuple[Signal, ...]]]
    ]
    report: Callable[[CheckReport], Awaitable[None]]


class GitHubPorts(FleetReader, HistoryReader, PullRequestReader, ReleaseStateReader, ReportWriter, Protocol):
    """All that the plain steps need of GitHub."""


class _Judgement(NamedTuple):
    state: Literal["success", "failure", "pending"]
    description: str
    comment: str | None = None
    problems: tuple[LocatedFinding, ...] = ()
    plan: Plan | None = None
    notes: tuple[LineNote, ...] = ()


async def check(steps: CheckSteps, number: int, *, clock: Clock) -> CheckReport:
    """Judge the newest commit of a pull request, and say so there. One that is closed is left alone.

    Raises:
        ReconcileError: GitHub could not be read or written.
    """
    found = await steps.load()
    change = await steps.load_change(number, found.version.commit)
    judgement = await _judge(steps, found, change, clock)
    report = CheckReport(
        number=number,
        commit=change.pull_request.head,
        state=judgement.state,
        description=shorten(judgement.description, STATUS_LIMIT),
        problems=judgement.problems,
        plan=judgement.plan,
        comment=judgement.comment,
        notes=judgement.notes,
    )
    if change.pull_request.state == "open":
        await steps.report(report)
    return report


async def list_due(github: PullRequestReader) -> tuple[int, ...]:
    """List the open pull requests to look at again, by number: those that change a document, or were never checked.

    What is said of the former ages without anybody's doing: evidence runs out, a window closes, a branch is moved.
    One request for twenty-five, whatever they change.
    """
    documents = {STATE_PATH, POLICY_PATH}
    return tuple(
        each.number
        for each in await github.observe_open(CONTEXT)
        if each.paths is None or not each.has_status or documents & each.paths
    )


async def check_all(
    numbers: Sequence[int], check_one: Callable[[int], Awaitable[CheckReport]]
) -> Mapping[int, CheckReport | ReconcileError | StateError]:
    """Check one pull request after the other; what goes wrong with one is kept in its place, and stops no other."""
    came_to: dict[int, CheckReport | ReconcileError | StateError] = {}
    for number in numbers:
        try:
            came_to[number] = await check_one(number)
        except (ReconcileError, StateError) as error:
            came_to[number] = error
    return came_to


async def _judge(steps: CheckSteps, found: ReleaseState, change: Change, clock: Clock) -> _Judgement:
    """Apply the rules in order; the first that applies decides."""
    version, pull_request = found.version, change.pull_request
    if not change.is_ours:
        nothing = "Does not change the release state."
        # The proposal did before somebody took every line of it back; then its comment has to say so.
        is_proposal = pull_request.head_branch == PROPOSAL_BRANCH and not pull_request.is_from_fork
        return _say("success", nothing) if is_proposal else _Judgement("success", nothing)
    base = parse_texts(Texts(found.documents.desired_text, found.documents.policy_text))
    desired, findings = _examine(change, base)
    if problems := tuple(each for each in findings if each.severity == "error"):
        comment = render_problems(problems, url=version.url, commit=pull_request.head)
        notes = await _problem_notes(steps, change, base.policy, problems)
        said = f"{count_problems(problems)}. {problems[0]}"
        return _Judgement("failure", said, comment, problems, notes=notes)
    assert desired, "a document that cannot be read is a problem"
    if pull_request.base != version.branch:
        return _say(
            "failure", f"Based on {pull_request.base}; only what is merged into {version.branch} counts."
        )
    if pull_request.is_from_fork:
        return _say(
            "pending", "Well-formed, and not planned: it comes from a fork. Push it to a branch here."
        )
    if base.policy is None:
        return _say(
            "success", f"Well-formed, and not planned: the policy on {version.branch} cannot be read."
        )
    standing = await steps.find_unapproved(found)
    lines = _changed_lines(change, desired)
    # A document for another ref concerns every repository.
    changed = frozenset(desired.targets if ("ref",) in lines else (line[1] for line in lines))
    left = standing.after(lines)
    accepted = assume_merged(
        found,
        desired.model_copy(update={"targets": {**left.removed, **desired.targets}}),
        base.policy,
        unapproved=left.unapproved,
        objection=_objection(change, standing),
    )
    observed = await steps.observe(accepted)
    planned = plan(accepted, observed, now=clock.now())
    warning = _find_expiry(pull_request, clock.now())
    # What nobody approved is the base's: what this brings itself counts as approved here.
    fails = warning or any(
        hold.repository in changed and hold.code not in {"held", "not-approved"} for hold in planned.holds
    )
    summary = summarize_with_reason(planned.items)
    remarks = [each.message for each in findings] + [*_describe_unapproved(standing, left, version.branch)]
    return _Judgement(
        "failure" if fails else "success",
        f"{warning} {summary}" if warning else summary,
        render_foresight(planned, remarks, warning=warning),
        plan=planned,
        notes=await _line_notes(steps, change, planned, observed, base.policy, now=clock.now()),
    )


def _find_expiry(pull_request: PullRequest, now: datetime) -> str | None:
    """Say why the evidence that the proposal was made with counts no longer; its own text says until when it does."""
    is_proposal = pull_request.head_branch == PROPOSAL_BRANCH and not pull_request.is_from_fork
    mark = read_evidence(pull_request.body) if is_proposal else None
    if mark is None:
        return None
    if mark.verdict is Verdict.FAIL:
        return "Validation failed. The next proposal looks again."
    if mark.verdict is Verdict.NO_EVIDENCE:
        return "Nothing says that stage is good. The next proposal looks again."
    if mark.expires_at is None or now < mark.expires_at:
        return None
    return f"Validation ran out on {mark.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: propose again."


def _changed_lines(change: Change, desired: DesiredState) -> frozenset[Line]:
    """List the lines that the branch sets, also where they stand so on its base already."""
    began = parse_texts(Texts(change.fork_point.desired_text, None)).desired
    head = parse_texts(Texts(change.head.desired_text, None)).desired
    return changed_lines(began, head) if began and head else frozenset(flatten(desired))


def _objection(change: Change, standing: Standing) -> str | None:
    """Say why nothing will count all the same; what the branch sets again counts from its merge on."""
    began, head = change.fork_point, change.head
    if standing.policy and began.policy_text == head.policy_text:
        return standing.policy
    refs = [parse_texts(Texts(each.desired_text, None)).desired for each in (began, head)]
    is_set_again = all(refs) and len({each.ref for each in refs if each}) > 1
    return None if is_set_again else standing.document


def _describe_unapproved(standing: Standing, left: Standing, branch: BranchName) -> Iterator[str]:
    """List what nobody approved, so that a reviewed pull request can adopt it; one entry for each reason."""
    reasons: dict[str, list[RepositoryName]] = {}
    for name, why in left.unapproved.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        yield f"Not approved on {branch}: {', '.join(names[:_SHOWN_NAMES])}{more}. {why}"
    if adopted := sorted(standing.unapproved.keys() - left.unapproved.keys()):
        yield f"Merging this approves what stood unapproved on {branch} before: {', '.join(adopted)}."


async def _line_notes(
    steps: CheckSteps, change: Change, planned: Plan, observed: Observed, policy: Policy, *, now: datetime
) -> tuple[LineNote, ...]:
    """Say on each changed line what it does. What GitHub does not tell is left out: the comment has the rest."""
    file = ChangedFile(change.fork_point.desired_text or "", change.head.desired_text or "")
    before = parse_texts(Texts(change.fork_point.desired_text, None)).desired
    if before is None or file.before == file.after:
        return ()
    names = [item.repository for item in planned.items if before.targets.get(item.repository) != item.target]
    histories: Mapping[RepositoryName, SourceHistory] = {}
    greens: Mapping[RepositoryName, Green] = {}
    try:
        histories = await steps.read_histories(names[:MOST_NOTES], policy.source, planned.ref)
        greens = await _find_greens(steps, planned, histories)
    except ReconcileError as error:
        _log.warning("The notes on the lines lack what waits: %s", error)
    foresight = Foresight(planned, observed, histories, greens)
    return render_line_notes(file, before, foresight, number=change.pull_request.number, now=now)


async def _find_greens(
    steps: CheckSteps, planned: Plan, histories: Mapping[RepositoryName, SourceHistory]
) -> Mapping[RepositoryName, Green]:
    """Find the newest commit before each target whose checks passed, a few commits back and no further."""
    waiting = {item.repository: going_out(histories.get(item.repository), item) for item in planned.items}
    greens: dict[RepositoryName, Green] = {}
    for depth in range(1, _LOOK_BACK + 1):
        asked = {
            name: going[depth].sha
            for name, going in waiting.items()
            if name not in greens and depth < len(going)
        }
        signals = await steps.observe_signals(asked) if asked else {}
        for name, found in signals.items():
            if found and all(signal.state == "success" for signal in found):
                going = waiting[name]
                greens[name] = Green(commit=going[depth], left=going[:depth])
    return greens


async def _problem_notes(
    steps: CheckSteps, change: Change, policy: Policy | None, problems: Sequence[LocatedFinding]
) -> tuple[LineNote, ...]:
    """Put what is wrong on its lines; where that is an abbreviated sha, with the full one to commit."""
    if change.pull_request.is_from_fork:
        return ()
    before, after = change.fork_point, change.head
    shown = {
        STATE_PATH: shown_lines(before.desired_text or "", after.desired_text or ""),
        POLICY_PATH: shown_lines(before.policy_text or "", after.policy_text or ""),
    }
    lines = (after.desired_text or "").splitlines()
    places = [each.line for each in problems if each.file == STATE_PATH and 0 < each.line <= len(lines)]
    mended: dict[tuple[str, int], str] = {}
    try:
        for place in dict.fromkeys(places[:MOST_NOTES]):
            match = _TARGET_LINE.match(lines[place - 1])
            # Only of the fleet: what is read with this account's rights is for the policy to say.
            if match and policy and match["name"].lower() in policy.repositories:
                found = await steps.find_commits(match["name"].lower(), match["sha"].lower())
                if len(found) == 1:
                    start, end = match.span("sha")
                    mended[STATE_PATH, place] = (
                        lines[place - 1][:start] + found[0].sha + lines[place - 1][end:]
                    )
    except ReconcileError as error:
        _log.warning("The notes on the lines lack full shas: %s", error)
    return render_problem_notes(problems, shown, mended)


def _say(state: Literal["success", "failure", "pending"], sentence: str) -> _Judgement:
    return _Judgement(state, sentence, render_sentence(sentence))


def _examine(change: Change, base: Parsed) -> tuple[DesiredState | None, tuple[LocatedFinding, ...]]:
    """Read what merging would make of the documents, and find what no merge may bring.

    What the branch has not changed since it began is the base's, however old the branch.
    """
    texts = Texts(change.head.desired_text, change.head.policy_text)
    missing = tuple(
        LocatedFinding(
            severity="error", file=file, line=0, column=0, message="the branch removes it: bring it back"
        )
        for file, text in ((texts.desired_file, texts.desired), (texts.policy_file, texts.policy))
        if text is None
    )
    head = parse_texts(texts)
    if missing or head.findings:
        return None, (*missing, *head.findings)
    fork_point = parse_texts(Texts(change.fork_point.desired_text, change.fork_point.policy_text))
    desired = head.desired
    if desired and fork_point.desired and base.desired:
        desired = merge_desired(fork_point.desired, base.desired, desired)
    is_policy_changed = change.head.policy_text != change.fork_point.policy_text
    policy = head.policy if is_policy_changed or base.policy is None else base.policy
    return desired, (*_check_change(fork_point, head, texts), *check_documents(desired, policy, texts))


def _check_change(fork_point: Parsed, head: Parsed, texts: Texts) -> Iterator[LocatedFinding]:
    if fork_point.desired and fork_point.policy and head.desired and head.policy:
        before = BothDocuments(fork_point.desired, fork_point.policy)
        for finding in check_change(before, BothDocuments(head.desired, head.policy)):
            yield locate_finding(finding, texts)


def plain_steps(github: GitHubPorts) -> CheckSteps:
    """Wire the steps to GitHub, to be run in this process."""

    async def load_change(number: int, base: Sha) -> Change:
        pull_request = await github.load_pull_request(number)
        fork_point = await github.find_fork_point(base, pull_request.head)
        before, after = await asyncio.gather(
            github.load_documents(fork_point), github.load_documents(pull_request.head)
        )
        return Change(pull_request=pull_request, fork_point=before, head=after)

    async def read_histories(
        repositories: Collection[RepositoryName], source: BranchName, ref: BranchName
    ) -> Mapping[RepositoryName, SourceHistory]:
        return await github.observe_histories(repositories, source=source, ref=ref)

    return CheckSteps(
        load=github.load_release_state,
        load_change=load_change,
        find_unapproved=lambda found: find_unapproved(found, github),
        find_commits=github.find_commits,
        observe=partial(observe, github),
        read_histories=read_histories,
        observe_signals=github.observe_signals,
        report=partial(_report, github),
    )


async def _report(github: GitHubPorts, said: CheckReport) -> None:
    """Say it on the pull request, unless that was closed meanwhile: the one comment is then about what it did."""
    if (await github.load_pull_request(said.number)).state != "open":
        return
    url = None
    if said.comment:
        url = await github.ensure_comment(said.number, marker=MARKER, body=said.comment)
    await github.ensure_status(
        said.commit, context=CONTEXT, state=said.state, description=said.description, url=url
    )
    if said.comment:
        try:
            await github.ensure_notes(said.number, said.commit, said.notes, marker=NOTE_MARKER)
        except (ForbiddenError, MissingError, RejectedError) as error:
            # GitHub drew the diff otherwise, say. The comment has everything but the buttons.
            _log.warning("The notes on the lines could not be written: %s", error)
