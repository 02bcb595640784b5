"""Propose: evidence → candidates → edit the file → plan it → one rolling pull request.

Writes to one branch and its pull request, never to a ref that anything is deployed from. A commit that a person made on
that branch is never overwritten, unless they hand the branch back. Running it twice writes once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, Protocol

from flows.evidence.collection import collect
from flows.evidence.own_checks import Choose, Refused, Settled, settle
from flows.ways.rolling import (
    Rolling,
    Wording,
    close,
    ensure_pull_request,
    look_at_branch,
    should_be_draft,
    store_branch,
)
from flows.ways.wishes import FindCommits, ProposeRequest, resolve_wishes
from reconcile.accept import parse_documents
from reconcile.apply import Clock
from reconcile.errors import StaleHeadError, TransientError
from reconcile.foresight import assume_merged
from reconcile.observe import observe
from reconcile.observed import Accepted, CommitRange, Observed, PullRequest, RangeTraits, ReleaseState
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.ports import (
    FleetReader,
    HistoryReader,
    ProposalWriter,
    PullRequestReader,
    ReleaseStateReader,
    ReportWriter,
    ValidationReader,
)
from reconcile.render.marks import Blobs, read_built_on, renew_evidence
from reconcile.render.plan import summarize
from reconcile.render.proposal import (
    PROPOSAL_BRANCH,
    Proposal,
    render_body,
    render_closing,
    render_title,
)
from reconcile.risks import mark_risks, ranges_to_look_at
from reconcile.selection import (
    LeftOut,
    Selection,
    Wishes,
    amend,
    is_worth_proposing,
    narrow,
    select,
    spent_permits,
)
from state.document import DesiredState, PermitKind
from state.document import Hold as DesiredHold
from state.errors import DocumentError
from state.evidence import Validation, Verdict
from state.ids import BranchName, Frozen, RepositoryName, Sha, abbreviate
from state.ledger import Ledger, parse_ledger
from state.policy import Policy, ProposalPolicy
from state.proposal import Candidate, SourceHistory, choose_candidate, pin_candidate
from state.yaml_io import edit_desired, parse_desired

__all__ = [
    "ProposeAction",
    "ProposeReport",
    "ProposeRequest",
    "ProposeSteps",
    "Proposed",
    "plain_steps",
    "propose",
]

_LOOKS = 2
"""How often the branch is looked at before whoever keeps moving it is left to it."""


ProposeAction = Literal[
    "opened", "updated", "unchanged", "refreshed", "nothing-to-propose", "closed", "not-proposed"
]
"""What became of the pull request. ``updated``: its file was; ``refreshed``: its text was brought up to date, its
file is left as it is; ``closed``: nothing was left in it; ``not-proposed``: for want of a pass."""


class Proposed(Frozen):
    """The pull request, as far as people need it to go there."""

    number: int
    url: str


class ProposeReport(Frozen):
    """What a run came to."""

    verdict: Verdict
    validation: Validation
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...] = ()
    """What could have been proposed and was not, with the reasons."""
    plan: Plan | None = None
    """What merging the pull request would do; none where there is nothing to merge."""
    pull_request: Proposed | None = None
    body: str | None = None
    """The text of the pull request."""
    action: ProposeAction
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeSteps:
    """What propose reads and writes, by name. Every step may be repeated."""

    load: Callable[[], Awaitable[ReleaseState]]
    collect_evidence: Callable[[ReleaseState, Policy], Awaitable[Validation]]
    read_histories: Callable[
        [Collection[RepositoryName], BranchName, BranchName],
        Awaitable[Mapping[RepositoryName, SourceHistory]],
    ]
    """Takes the source branch and the governed ref."""
    find_commits: FindCommits
    settle: Callable[[Policy, Choose], Awaitable[Settled]]
    """Reads the candidates' own checks, and chooses anew where they are not green."""
    observe: Callable[[Accepted], Awaitable[Observed]]
    observe_ranges: Callable[
        [Mapping[RepositoryName, CommitRange], Sequence[str]], Awaitable[Mapping[RepositoryName, RangeTraits]]
    ]
    """Takes what goes out, and the paths to look at."""
    look_at_branch: Callable[[], Awaitable[Rolling]]
    take_label: Callable[[int, str], Awaitable[None]]
    """Takes a label off the pull request of this number."""
    store_branch: Callable[[Sha, Sha | None, str, str], Awaitable[Sha]]
    """Takes the base, the expected head, the file's text and a commit message."""
    ensure_pull_request: Callable[[PullRequest | None, Wording], Awaitable[PullRequest]]
    """Takes the open pull request, and what it is to say."""
    ensure_attention: Callable[[int, ProposalPolicy], Awaitable[tuple[str, ...]]]
    """Labels the pull request and asks people to look at it; gives what GitHub did not take, a sentence each."""
    close: Callable[[int, str], Awaitable[None]]
    """Closes the pull request of this number with a comment."""


class GitHubPorts(
    FleetReader,
    HistoryReader,
    ProposalWriter,
    PullRequestReader,
    ReleaseStateReader,
    ReportWriter,
    ValidationReader,
    Protocol,
):
    """All that the plain steps need of GitHub."""


class _World(NamedTuple):
    """Everything that a proposal is made from."""

    found: ReleaseState
    desired: DesiredState
    policy: Policy
    ledger: Ledger
    validation: Validation
    histories: Mapping[RepositoryName, SourceHistory]
    candidates: tuple[Candidate, ...]
    wishes: Wishes

    @property
    def text(self) -> str:
        """The file on the default branch."""
        return self.found.documents.desired_text or ""

    @property
    def is_validated(self) -> bool:
        """Only a policy that takes the source's head, and names nothing that validates it, does without a pass."""
        is_unvalidated = not self.policy.validation and self.policy.candidate == "head"
        return is_unvalidated or self.validation.verdict is Verdict.PASS


class _Draft(NamedTuple):
    """A file, and what merging it would do."""

    text: str
    plan: Plan
    observed: Observed
    left_out: tuple[LeftOut, ...] = ()
    lifted: Mapping[RepositoryName, DesiredHold] = {}
    spent: tuple[tuple[RepositoryName, PermitKind], ...] = ()
    is_worthwhile: bool = True


async def propose(steps: ProposeSteps, request: ProposeRequest, *, clock: Clock) -> ProposeReport:
    """Bring the rolling pull request to what may go out now, or say why not.

    Raises:
        UsageError: The request names what does not exist, or contradicts itself.
        DocumentError: A document of the default branch is wrong.
        ReconcileError: GitHub could not be read or written.
    """
    found = await steps.load()
    desired, policy = parse_documents(found.documents, where=found.version.repository)
    wishes = await resolve_wishes(request, policy, steps.find_commits)
    validation, histories, rolling = await asyncio.gather(
        steps.collect_evidence(found, policy),
        steps.read_histories(tuple(sorted(policy.repositories)), policy.source, desired.ref),
        steps.look_at_branch(),
    )
    takes_drafts = request.even_if_failing or policy.proposal.unvalidated == "draft"
    # A draft of what nothing validated is one of what there is.
    rule = "head" if takes_drafts and validation.began_at is None else policy.candidate
    choose = partial(
        _choose, policy=policy, rule=rule, wishes=wishes, validation=validation, histories=histories
    )
    candidates, own_checks = await steps.settle(policy, choose)
    if own_checks:
        validation = validation.model_copy(update={"evidence": (*validation.evidence, own_checks)})
    ledger = parse_ledger(found.ledger_text) if found.ledger_text else Ledger()
    world = _World(found, desired, policy, ledger, validation, histories, candidates, wishes)
    if not (world.is_validated or takes_drafts):
        return await _refuse(steps, world, rolling, clock)
    return await _roll(steps, world, rolling, clock)


async def _roll(steps: ProposeSteps, world: _World, rolling: Rolling, clock: Clock) -> ProposeReport:
    """Build the branch, unless it is somebody's, or they keep moving it."""
    hand_back = world.policy.proposal.hand_back
    is_handed_back = rolling.carries(hand_back)
    for _ in range(_LOOKS):
        if rolling.editors and not is_handed_back:
            break
        draft = await _draft(steps, world, clock)
        if not draft.is_worthwhile:
            return await _offer_nothing(steps, world, rolling, draft, clock)
        if is_handed_back and rolling.pull_request:
            # Before the branch is built: the label gives up the commits that were there when it was seen, not those
            # of somebody who goes on afterwards.
            await steps.take_label(rolling.pull_request.number, hand_back)
            is_handed_back = False
        try:
            return await _submit(steps, world, rolling, draft)
        except StaleHeadError:
            rolling = await steps.look_at_branch()
    return await _leave_to_editors(steps, world, rolling, clock)


def _choose(
    refused: Refused,
    *,
    policy: Policy,
    rule: Literal["validated", "head"],
    wishes: Wishes,
    validation: Validation,
    histories: Mapping[RepositoryName, SourceHistory],
) -> tuple[Candidate, ...]:
    return tuple(
        pin_candidate(history, wishes.pins[name])
        if name in wishes.pins
        else choose_candidate(
            history,
            rule=rule,
            build_time=policy.build_time,
            validation_began_at=validation.began_at,
            runs=validation.runs(name),
            refused=refused.get(name),
        )
        for name, history in sorted(histories.items())
    )


async def _draft(steps: ProposeSteps, world: _World, clock: Clock) -> _Draft:
    """Edit the file and plan it, until the plan holds nothing that a rule chose."""
    selection = select(
        world.desired,
        world.policy.repositories,
        world.histories,
        world.candidates,
        world.wishes,
        now=clock.now(),
    )
    spent = spent_permits(world.desired, world.ledger)
    while True:
        text = edit_desired(world.text, amend(world.desired, selection, spent))
        draft = await _foresee(steps, world, text, clock)
        narrowed = narrow(selection, draft.plan, world.wishes)
        if narrowed.targets == selection.targets:
            return _with_selection(draft, world, selection, spent)
        selection = narrowed


def _with_selection(
    draft: _Draft, world: _World, selection: Selection, spent: tuple[tuple[RepositoryName, PermitKind], ...]
) -> _Draft:
    return draft._replace(
        left_out=selection.left_out,
        lifted=selection.lifted,
        spent=spent,
        is_worthwhile=is_worth_proposing(world.desired, selection, draft.plan),
    )


async def _foresee(steps: ProposeSteps, world: _World, text: str, clock: Clock) -> _Draft:
    """Plan a file as if it were merged.

    Raises:
        DocumentError: It cannot be read.
    """
    accepted = assume_merged(world.found, parse_desired(text), world.policy)
    observed = await steps.observe(accepted)
    return _Draft(text, plan(accepted, observed, now=clock.now()), observed)


async def _submit(steps: ProposeSteps, world: _World, rolling: Rolling, draft: _Draft) -> ProposeReport:
    """Make branch and pull request say what the draft says; write only what differs.

    Raises:
        StaleHeadError: Somebody moved the branch since it was looked at.
    """
    version, there = world.found.version, rolling.pull_request
    proposal = await _proposal(steps, world, draft, built_on=version.blobs)
    is_draft = should_be_draft(there, is_validated=world.is_validated)
    wording = Wording(render_title(proposal), render_body(proposal), is_draft=is_draft)
    is_built = not rolling.editors and _is_built(world, rolling, draft.text)
    if not is_built:
        # What a closed pull request left on the branch goes; GitHub keeps it with that pull request.
        message = f"{wording.title}\n\n{_describe_moves(draft.plan)}"
        await steps.store_branch(version.commit, rolling.head, draft.text, message)
    pull_request = await steps.ensure_pull_request(there, wording)
    refused = await steps.ensure_attention(pull_request.number, world.policy.proposal)
    action: Literal["opened", "updated", "refreshed", "unchanged"]
    if there is None:
        action = "opened"
    elif not is_built:
        action = "updated"
    else:
        # Often only ages and expiry, which no run leaves old.
        action = "unchanged" if wording.is_of(there) else "refreshed"
    what = (
        f"#{pull_request.number} {action}{' as a draft' if is_draft else ''}: {summarize(draft.plan.items)}."
    )
    sentence = " ".join((what, *refused))
    return _report(world, action, sentence, draft=draft, pull_request=pull_request, body=wording.body)


def _is_built(world: _World, rolling: Rolling, text: str) -> bool:
    """Say whether the open pull request has this very file, made from the documents that the base has now."""
    there, documents = rolling.pull_request, rolling.documents
    return (
        there is not None
        and documents is not None
        and (documents.desired_text, documents.policy_text) == (text, world.found.documents.policy_text)
        and read_built_on(there.body) == world.found.version.blobs
    )


async def _refuse(steps: ProposeSteps, world: _World, rolling: Rolling, clock: Clock) -> ProposeReport:
    """Propose nothing for want of a pass; the pull request of an earlier day has to say so too."""
    verdict = world.validation.verdict
    said = [
        f"{each.source}: {each.sentence}" for each in world.validation.evidence if each.verdict is verdict
    ]
    sentence = f"Nothing is proposed, validation says {verdict}. " + " ".join(
        said or ["The policy names no source of evidence."]
    )
    if rolling.pull_request is None:
        return _report(world, "not-proposed", sentence)
    return await _refresh(steps, world, rolling, clock, action="not-proposed", sentence=sentence)


async def _offer_nothing(
    steps: ProposeSteps, world: _World, rolling: Rolling, draft: _Draft, clock: Clock
) -> ProposeReport:
    """Close a pull request in which nothing is left, where it is this account's alone and nobody asked for a part."""
    there, nothing = rolling.pull_request, f"{summarize(draft.plan.items)}."
    if there is None:
        return _report(world, "nothing-to-propose", f"Nothing to propose: {nothing}", draft=draft)
    if not world.wishes.is_everything:
        sentence = f"Nothing to propose of what was asked for; #{there.number} is refreshed."
        return await _refresh(steps, world, rolling, clock, action="nothing-to-propose", sentence=sentence)
    if rolling.is_own:
        await steps.close(there.number, render_closing(draft.plan))
        sentence = f"#{there.number} closed, nothing is left to propose: {nothing}"
        return _report(world, "closed", sentence, draft=draft, pull_request=there)
    return await _refresh(
        steps,
        world,
        rolling,
        clock,
        action="refreshed",
        sentence=f"Nothing is left to propose, so #{there.number} can be closed.",
        note="By now nothing is left to propose. This can be closed.",
    )


async def _leave_to_editors(
    steps: ProposeSteps, world: _World, rolling: Rolling, clock: Clock
) -> ProposeReport:
    """Refresh what surrounds the file of people who work on it."""
    if rolling.pull_request is None:
        raise StaleHeadError(
            f"Somebody else keeps moving {PROPOSAL_BRANCH}: propose again when they are done."
        )
    who = ", ".join(rolling.editors) or "somebody"
    sentence = f"#{rolling.pull_request.number} is refreshed; its file is left as {who} made it."
    return await _refresh(steps, world, rolling, clock, action="refreshed", sentence=sentence)


async def _refresh(
    steps: ProposeSteps,
    world: _World,
    rolling: Rolling,
    clock: Clock,
    *,
    action: Literal["refreshed", "not-proposed", "nothing-to-propose"],
    sentence: str,
    note: str | None = None,
) -> ProposeReport:
    """Bring the open pull request's text up to date with the world and with its own file.

    Of a file that cannot be read nothing is known but what validation says: check explains the rest.
    """
    there = rolling.pull_request
    assert there is not None, "only what is open is refreshed"
    is_draft = should_be_draft(there, is_validated=world.is_validated)
    try:
        draft = await _foresee(
            steps, world, (rolling.documents and rolling.documents.desired_text) or "", clock
        )
    except DocumentError as error:
        unread = f"{sentence} Its file cannot be read ({error.problems[0]})."
        validation = world.validation if world.policy.validation else None
        wording = Wording(there.title, renew_evidence(there.body, validation), is_draft=is_draft)
        pull_request = await steps.ensure_pull_request(there, wording)
        return _report(world, action, unread, pull_request=pull_request, body=wording.body)
    built_on, version = read_built_on(there.body), world.found.version
    outdated = (
        f"{version.branch} has other documents since this branch began. Update the branch before you merge it."
        if built_on not in (None, version.blobs)
        else None
    )
    notes = tuple(each for each in (note, outdated) if each)
    proposal = await _proposal(steps, world, draft, built_on=built_on, editors=rolling.editors, notes=notes)
    wording = Wording(render_title(proposal), render_body(proposal), is_draft=is_draft)
    pull_request = await steps.ensure_pull_request(there, wording)
    return _report(world, action, sentence, draft=draft, pull_request=pull_request, body=wording.body)


async def _proposal(
    steps: ProposeSteps,
    world: _World,
    draft: _Draft,
    *,
    built_on: Blobs | None,
    editors: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Proposal:
    """Gather what the text of a proposal is made of. What cannot be looked at is said, and holds nothing up."""
    rules = world.policy.proposal
    traits: Mapping[RepositoryName, RangeTraits] = {}
    try:
        traits = await steps.observe_ranges(
            ranges_to_look_at(draft.plan, world.histories), rules.watched_paths
        )
    except TransientError:
        notes = (
            *notes,
            "GitHub did not say which paths the moves touch, nor who contributes for the first time.",
        )
    return Proposal(
        at=world.validation.at,
        plan=draft.plan,
        observed=draft.observed,
        validation=world.validation if world.policy.validation else None,
        candidates=world.candidates,
        histories=dict(world.histories),
        policy=world.policy,
        left_out=draft.left_out,
        lifted=dict(draft.lifted),
        spent=draft.spent,
        risks=mark_risks(draft.plan, draft.observed, traits, world.ledger, rules),
        editors=editors,
        notes=notes,
        built_on=built_on,
    )


def _report(
    world: _World,
    action: ProposeAction,
    sentence: str,
    *,
    draft: _Draft | None = None,
    pull_request: PullRequest | None = None,
    body: str | None = None,
) -> ProposeReport:
    return ProposeReport(
        verdict=world.validation.verdict,
        validation=world.validation,
        candidates=world.candidates,
        left_out=draft.left_out if draft else (),
        plan=draft.plan if draft else None,
        pull_request=Proposed(number=pull_request.number, url=pull_request.url) if pull_request else None,
        body=body,
        action=action,
        sentence=sentence,
    )


def _describe_moves(current: Plan) -> str:
    """List what changes, for the commit message."""
    return "\n".join(
        f"{item.repository}: {abbreviate(item.live) if item.live else 'none'} -> {abbreviate(item.target)}"
        for item in current.items
        if item.live != item.target
    )


def plain_steps(github: GitHubPorts, clock: Clock) -> ProposeSteps:
    """Wire the steps to GitHub, to be run in this process."""

    async def collect_evidence(found: ReleaseState, policy: Policy) -> Validation:
        ledger = parse_ledger(found.ledger_text) if found.ledger_text else None
        return await collect(
            policy, github, now=clock.now(), last_moved_at=ledger.last_moved_at if ledger else None
        )

    async def settle_candidates(policy: Policy, choose: Choose) -> Settled:
        return await settle(policy, choose, github, now=clock.now())

    async def read_histories(
        repositories: Collection[RepositoryName], source: BranchName, ref: BranchName
    ) -> Mapping[RepositoryName, SourceHistory]:
        return await github.observe_histories(repositories, source=source, ref=ref)

    async def ensure_attention(number: int, rules: ProposalPolicy) -> tuple[str, ...]:
        return await github.ensure_attention(
            number, labels=rules.labels, reviewers=rules.reviewers, assignees=rules.assignees
        )

    return ProposeSteps(
        load=github.load_release_state,
        collect_evidence=collect_evidence,
        settle=settle_candidates,
        read_histories=read_histories,
        find_commits=github.find_commits,
        observe=partial(observe, github),
        observe_ranges=github.observe_ranges,
        look_at_branch=partial(look_at_branch, github),
        take_label=github.remove_label,
        store_branch=partial(store_branch, github),
        ensure_pull_request=partial(ensure_pull_request, github),
        ensure_attention=ensure_attention,
        close=partial(close, github),
    )
