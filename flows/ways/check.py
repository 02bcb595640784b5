"""Check: show on a pull request what merging it would do, by the policy that it would be judged by.

Level-triggered like everything else: it looks at the pull request's newest commit, whatever woke it. A stranger's
pull request is parsed and nothing more: what is read with this account's rights is not for them to choose.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
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
from reconcile.apply import Clock
from reconcile.foresight import assume_merged, merge_desired
from reconcile.observe import observe
from reconcile.observed import Accepted, Documents, Observed, PullRequest, ReleaseState
from reconcile.plan import Plan, plan
from reconcile.ports import FleetReader, PullRequestReader, ReleaseStateReader, ReportWriter
from reconcile.render.check import count_problems, render_foresight, render_problems, render_sentence
from reconcile.render.markdown import shorten
from reconcile.render.report import STATUS_LIMIT, summarize_with_reason
from state.document import DesiredState
from state.ids import Frozen, Sha
from state.invariants import Documents as BothDocuments
from state.invariants import check_change

CONTEXT = "stablehand/plan"
"""The commit status that says whether a pull request may be merged."""
MARKER = "<!-- stablehand:plan -->"
"""Marks the one comment that this way keeps up to date."""


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
    observe: Callable[[Accepted], Awaitable[Observed]]
    report: Callable[[CheckReport], Awaitable[None]]


class GitHubPorts(FleetReader, PullRequestReader, ReleaseStateReader, ReportWriter, Protocol):
    """All that the plain steps need of GitHub."""


class _Judgement(NamedTuple):
    state: Literal["success", "failure", "pending"]
    description: str
    comment: str | None = None
    problems: tuple[LocatedFinding, ...] = ()
    plan: Plan | None = None


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
    )
    if change.pull_request.state == "open":
        await steps.report(report)
    return report


async def _judge(steps: CheckSteps, found: ReleaseState, change: Change, clock: Clock) -> _Judgement:
    """Apply the rules in order; the first that applies decides."""
    version, pull_request = found.version, change.pull_request
    if not change.is_ours:
        return _Judgement("success", "Does not change the release state.")
    base = parse_texts(Texts(found.documents.desired_text, found.documents.policy_text))
    desired, findings = _examine(change, base)
    if problems := tuple(each for each in findings if each.severity == "error"):
        comment = render_problems(problems, url=version.url, commit=pull_request.head)
        return _Judgement("failure", f"{count_problems(problems)}. {problems[0]}", comment, problems)
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
    accepted = assume_merged(found, desired, base.policy)
    planned = plan(accepted, await steps.observe(accepted), now=clock.now())
    return _Judgement(
        "failure" if planned.holds else "success",
        summarize_with_reason(planned.items),
        render_foresight(planned, [each.message for each in findings]),
        plan=planned,
    )


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

    async def report(said: CheckReport) -> None:
        url = None
        if said.comment:
            url = await github.ensure_comment(said.number, marker=MARKER, body=said.comment)
        await github.ensure_status(
            said.commit, context=CONTEXT, state=said.state, description=said.description, url=url
        )

    return CheckSteps(
        load=github.load_release_state,
        load_change=load_change,
        observe=partial(observe, github),
        report=report,
    )
