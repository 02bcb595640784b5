"""Propose: evidence → candidates → edit the file → plan it → one rolling pull request.

Writes to one branch and its pull request, never to a ref that anything is deployed from. A commit that a person made on
that branch is never overwritten. Running it twice writes once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, Protocol

from flows.evidence.collection import collect
from flows.evidence.own_checks import Choose, Refused, Settled, settle
from flows.ways.errors import UsageError
from reconcile.accept import parse_documents
from reconcile.apply import Clock
from reconcile.errors import StaleHeadError
from reconcile.foresight import assume_merged
from reconcile.observe import observe
from reconcile.observed import (
    Accepted,
    BranchCommit,
    Documents,
    Observed,
    PullRequest,
    ReleaseState,
)
from reconcile.plan import Plan, plan
from reconcile.ports import (
    FleetReader,
    HistoryReader,
    ProposalWriter,
    PullRequestReader,
    ReleaseStateReader,
    ValidationReader,
)
from reconcile.render.markdown import shorten
from reconcile.render.plan import summarize
from reconcile.render.proposal import (
    PROPOSAL_BRANCH,
    Blobs,
    Proposal,
    read_built_on,
    render_body,
    render_title,
)
from reconcile.selection import LeftOut, Wishes, narrow, select
from state.document import DesiredState
from state.errors import DocumentError
from state.evidence import Validation, Verdict
from state.ids import BranchName, Frozen, RepositoryName, Sha, abbreviate
from state.ledger import parse_ledger
from state.policy import Policy
from state.proposal import (
    Candidate,
    PinError,
    SourceCommit,
    SourceHistory,
    choose_candidate,
    parse_pins,
    pin_candidate,
    resolve_repository,
)
from state.yaml_io import edit_targets, parse_desired

_LOOKS = 2
"""How often the branch is looked at before whoever keeps moving it is left to it."""


ProposeAction = Literal["opened", "updated", "unchanged", "refreshed", "nothing-to-propose", "not-proposed"]
"""What became of the pull request. ``refreshed``: its text was brought up to date, its file is left as it is;
``not-proposed``: for want of a pass."""


class ProposeRequest(Frozen):
    """What a person asks for, as they typed it."""

    pins: tuple[str, ...] = ()
    """``packit-service=1787687aba71``: this commit, whatever the rule."""
    hold: tuple[str, ...] = ()
    """Repositories to leave where the file has them."""
    only: tuple[str, ...] = ()
    """Repositories besides which everything stays where the file has it; none means all."""


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


class Rolling(Frozen):
    """The proposal's branch and what is on it."""

    pull_request: PullRequest | None
    """The open one."""
    head: Sha | None
    documents: Documents | None
    commits: tuple[BranchCommit, ...]
    login: str
    """This account's own."""

    @property
    def editors(self) -> tuple[str, ...]:
        """Everybody else who has commits on the branch of the open pull request."""
        if self.pull_request is None:
            return ()
        authors = (each.author or "somebody without an account" for each in self.commits)
        return tuple(sorted({author for author in authors if author.lower() != self.login.lower()}))


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
    find_commits: Callable[[RepositoryName, str], Awaitable[tuple[SourceCommit, ...]]]
    settle: Callable[[Policy, Choose], Awaitable[Settled]]
    """Reads the candidates' own checks, and chooses anew where they are not green."""
    observe: Callable[[Accepted], Awaitable[Observed]]
    look_at_branch: Callable[[], Awaitable[Rolling]]
    store_branch: Callable[[Sha, Sha | None, str, str], Awaitable[Sha]]
    """Takes the base, the expected head, the file's text and a commit message."""
    ensure_pull_request: Callable[[PullRequest | None, str, str], Awaitable[PullRequest]]
    """Takes the open pull request, title and body."""


class GitHubPorts(
    FleetReader,
    HistoryReader,
    ProposalWriter,
    PullRequestReader,
    ReleaseStateReader,
    ValidationReader,
    Protocol,
):
    """All that the plain steps need of GitHub."""


class _World(NamedTuple):
    """Everything that a proposal is made from."""

    found: ReleaseState
    desired: DesiredState
    policy: Policy
    validation: Validation
    histories: Mapping[RepositoryName, SourceHistory]
    candidates: tuple[Candidate, ...]

    @property
    def text(self) -> str:
        """The file on the default branch."""
        return self.found.documents.desired_text or ""

    @property
    def may_propose(self) -> bool:
        """Only a policy that takes the source's head, and names nothing that validates it, does without a pass."""
        is_unvalidated = not self.policy.validation and self.policy.candidate == "head"
        return is_unvalidated or self.validation.verdict is Verdict.PASS


class _Draft(NamedTuple):
    """A file, and what merging it would do."""

    text: str
    plan: Plan
    observed: Observed
    left_out: tuple[LeftOut, ...] = ()


async def propose(steps: ProposeSteps, request: ProposeRequest, *, clock: Clock) -> ProposeReport:
    """Bring the rolling pull request to what may go out now, or say why not.

    Raises:
        UsageError: The request names what does not exist, or contradicts itself.
        DocumentError: A document of the default branch is wrong.
        ReconcileError: GitHub could not be read or written.
    """
    found = await steps.load()
    desired, policy = parse_documents(found.documents, where=found.version.repository)
    wishes = await _resolve(steps, request, policy)
    validation, histories, rolling = await asyncio.gather(
        steps.collect_evidence(found, policy),
        steps.read_histories(tuple(sorted(policy.repositories)), policy.source, desired.ref),
        steps.look_at_branch(),
    )
    candidates, own_checks = await steps.settle(
        policy, partial(_choose, policy, wishes, validation, histories)
    )
    if own_checks:
        validation = validation.model_copy(update={"evidence": (*validation.evidence, own_checks)})
    world = _World(found, desired, policy, validation, histories, candidates)
    if not world.may_propose:
        return await _refuse(steps, world, rolling, clock)
    for _ in range(_LOOKS):
        if rolling.editors:
            break
        draft = await _draft(steps, world, wishes, clock)
        if draft.text == world.text:
            return await _offer_nothing(steps, world, rolling, draft, clock)
        try:
            return await _submit(steps, world, rolling, draft)
        except StaleHeadError:
            rolling = await steps.look_at_branch()
    return await _leave_to_editors(steps, world, rolling, clock)


async def _resolve(steps: ProposeSteps, request: ProposeRequest, policy: Policy) -> Wishes:
    """Find what the person means, or tell everything that means nothing at once."""
    fleet, problems = policy.repositories.keys(), list[str]()

    def resolve(names: Iterable[str]) -> Iterator[RepositoryName]:
        for name in names:
            try:
                yield resolve_repository(name, fleet)
            except PinError as error:
                problems.extend(error.problems)

    hold, only = frozenset(resolve(request.hold)), frozenset(resolve(request.only))
    asked: dict[RepositoryName, str] = {}
    try:
        asked = parse_pins(request.pins, fleet)
    except PinError as error:
        problems.extend(error.problems)
    pins: dict[RepositoryName, Sha] = {}
    found = await asyncio.gather(*(steps.find_commits(name, sha) for name, sha in asked.items()))
    for (name, sha), commits in zip(asked.items(), found, strict=True):
        if len(commits) == 1:
            pins[name] = commits[0].sha
        else:
            problems.append(_describe_unclear(name, sha, commits))
    problems += (f"{name} is pinned and held at once: drop one" for name in sorted(asked.keys() & hold))
    if only:
        others = sorted((asked.keys() | hold) - only)
        problems += (
            f"{name} is not among those that may change: add it to --only, or drop it" for name in others
        )
    if problems:
        raise UsageError(tuple(problems))
    return Wishes(pins, hold, only)


def _describe_unclear(name: RepositoryName, sha: str, commits: tuple[SourceCommit, ...]) -> str:
    if not commits:
        return f"{name} has no commit {sha}: write the sha of a commit that was pushed there"
    found = ", ".join(f"{commit.sha} ({shorten(commit.headline, 60)})" for commit in commits)
    return f"{sha} means more than one commit of {name}: write more digits of one of {found}"


def _choose(
    policy: Policy,
    wishes: Wishes,
    validation: Validation,
    histories: Mapping[RepositoryName, SourceHistory],
    refused: Refused,
) -> tuple[Candidate, ...]:
    return tuple(
        pin_candidate(history, wishes.pins[name])
        if name in wishes.pins
        else choose_candidate(
            history,
            rule=policy.candidate,
            build_time=policy.build_time,
            validation_began_at=validation.began_at,
            runs=validation.runs(name),
            refused=refused.get(name),
        )
        for name, history in sorted(histories.items())
    )


async def _draft(steps: ProposeSteps, world: _World, wishes: Wishes, clock: Clock) -> _Draft:
    """Edit the file and plan it, until the plan holds nothing that a rule chose."""
    selection = select(world.desired, world.policy.repositories, world.histories, world.candidates, wishes)
    while True:
        draft = await _foresee(steps, world, edit_targets(world.text, selection.targets), clock)
        narrowed = narrow(selection, draft.plan, wishes)
        if narrowed.targets == selection.targets:
            return draft._replace(left_out=selection.left_out)
        selection = narrowed


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
    proposal = _proposal(world, draft, built_on=version.blobs)
    title, body = render_title(proposal), render_body(proposal)
    is_built = _is_built(world, rolling, draft.text)
    if not is_built:
        # What a closed pull request left on the branch goes; GitHub keeps it with that pull request.
        message = f"{title}\n\n{_describe_moves(draft.plan)}"
        await steps.store_branch(version.commit, rolling.head, draft.text, message)
    pull_request = await steps.ensure_pull_request(there, title, body)
    action: Literal["opened", "updated", "unchanged"]
    if there is None:
        action = "opened"
    elif is_built and _says(there, title, body):
        action = "unchanged"
    else:
        action = "updated"
    sentence = f"#{pull_request.number} {action}: {summarize(draft.plan.items)}."
    return _report(world, action, sentence, draft=draft, pull_request=pull_request, body=body)


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
    """Leave everything as it is; closing a pull request that has become empty is a person's to do."""
    if rolling.pull_request is None:
        return _report(
            world, "nothing-to-propose", f"Nothing to propose: {summarize(draft.plan.items)}.", draft=draft
        )
    return await _refresh(
        steps,
        world,
        rolling,
        clock,
        action="refreshed",
        sentence=f"Nothing is left to propose, so #{rolling.pull_request.number} can be closed.",
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
    action: Literal["refreshed", "not-proposed"],
    sentence: str,
    note: str | None = None,
) -> ProposeReport:
    """Bring the open pull request's text up to date with the world and with its own file."""
    there = rolling.pull_request
    assert there is not None, "only what is open is refreshed"
    try:
        draft = await _foresee(
            steps, world, (rolling.documents and rolling.documents.desired_text) or "", clock
        )
    except DocumentError as error:
        unread = f"{sentence} Its file cannot be read ({error.problems[0]})."
        return _report(world, action, unread, pull_request=there, body=there.body)
    built_on, version = read_built_on(there.body), world.found.version
    outdated = (
        f"{version.branch} has other documents since this branch began. Update the branch before you merge it."
        if built_on not in (None, version.blobs)
        else None
    )
    notes = tuple(each for each in (note, outdated) if each)
    proposal = _proposal(world, draft, built_on=built_on, editors=rolling.editors, notes=notes)
    title, body = render_title(proposal), render_body(proposal)
    pull_request = await steps.ensure_pull_request(there, title, body)
    return _report(world, action, sentence, draft=draft, pull_request=pull_request, body=body)


def _proposal(
    world: _World,
    draft: _Draft,
    *,
    built_on: Blobs | None,
    editors: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Proposal:
    return Proposal(
        plan=draft.plan,
        observed=draft.observed,
        validation=world.validation if world.policy.validation else None,
        candidates=world.candidates,
        histories=dict(world.histories),
        left_out=draft.left_out,
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


def _says(there: PullRequest, title: str, body: str) -> bool:
    """Compare as GitHub keeps texts: a browser's line ends, and white space at the end, make no difference."""
    return (there.title, there.body.replace("\r\n", "\n").rstrip()) == (title, body.rstrip())


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

    async def look_at_branch() -> Rolling:
        login, pull_request, head = await asyncio.gather(
            github.load_login(),
            github.find_pull_request(PROPOSAL_BRANCH),
            github.load_branch(PROPOSAL_BRANCH),
        )
        # After the head: a commit that comes in between is then seen as somebody's, or fails the compare-and-swap.
        commits = await github.list_branch_commits(PROPOSAL_BRANCH) if head else ()
        documents = await github.load_documents(head) if head else None
        return Rolling(
            pull_request=pull_request, head=head, documents=documents, commits=commits, login=login
        )

    async def store_branch(base: Sha, expected_head: Sha | None, text: str, message: str) -> Sha:
        headline, _, body = message.partition("\n\n")
        return await github.store_branch(
            PROPOSAL_BRANCH, base=base, expected_head=expected_head, text=text, headline=headline, body=body
        )

    async def ensure_pull_request(there: PullRequest | None, title: str, body: str) -> PullRequest:
        return await github.ensure_pull_request(
            number=there.number if there else None,
            head_branch=PROPOSAL_BRANCH,
            title=title,
            body=body,
            is_draft=there.is_draft if there else False,
        )

    return ProposeSteps(
        load=github.load_release_state,
        collect_evidence=collect_evidence,
        settle=settle_candidates,
        read_histories=read_histories,
        find_commits=github.find_commits,
        observe=partial(observe, github),
        look_at_branch=look_at_branch,
        store_branch=store_branch,
        ensure_pull_request=ensure_pull_request,
    )
