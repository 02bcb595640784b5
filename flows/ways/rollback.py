"""Rollback: offer an earlier decision again, with the permits and blocks that going back needs. Moves nothing itself.

Earlier decisions are those that the ledger accepted: what was merged but never counted is nothing to go back to.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from flows.ways.decisions import choose_decision, decisions_of, load_ledgers
from flows.ways.errors import UsageError
from flows.ways.offer import Offer, make_offer
from reconcile.accept import load_accepted
from reconcile.apply import Clock
from reconcile.foresight import assume_merged
from reconcile.observe import observe
from reconcile.observed import Observed, PullRequest, Relation
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.ports import (
    FilesWriter,
    FleetReader,
    LedgerReader,
    ProposalWriter,
    PullRequestReader,
    ReleaseStateReader,
)
from reconcile.render.plan import render_plan
from state.document import Block, DesiredState, Overridable, Permit, PermitKind, Permits
from state.ids import ZERO_SHA, Frozen, RepositoryName, Sha, abbreviate
from state.ledger import AcceptedCommit
from state.proposal import PinError, resolve_repository
from state.yaml_io import STATE_PATH, edit_desired, parse_desired

BRANCH = "stablehand/rollback"
_PERMITS: Mapping[Relation, PermitKind] = {Relation.REWIND: "rewind", Relation.DIVERGED: "force"}


class RollbackRequest(Frozen):
    """What a person asks for, as they wrote it."""

    to: str | None = None
    """A sha of the release-state repository, a date or time (UTC where it has no offset), or #NUMBER; by default the
    decision before the last."""
    repositories: tuple[str, ...] = ()
    """Only these; all of the document where none is named."""
    reason: str = "rollback"
    despite: tuple[Overridable, ...] = ()
    """What the permits shall override."""


class RollbackReport(Frozen):
    """What was offered."""

    decision: AcceptedCommit
    """The earlier decision."""
    plan: Plan
    """What merging the offer would do."""
    pull_request: PullRequest


class GitHubPorts(
    FilesWriter, FleetReader, LedgerReader, ProposalWriter, PullRequestReader, ReleaseStateReader, Protocol
):
    """All that a rollback needs of GitHub."""


class _Undone(NamedTuple):
    """A repository that goes back."""

    name: RepositoryName
    left: Sha
    to: Sha


async def rollback(github: GitHubPorts, request: RollbackRequest, *, clock: Clock) -> RollbackReport:
    """Offer an earlier decision as a pull request.

    Raises:
        UsageError: There is no such decision, or nothing to go back to.
        DocumentError: A document is wrong.
        ReconcileError: GitHub could not be read or written.
    """
    found = await github.load_release_state()
    accepted = await load_accepted(github)
    ledgers = [ledger for _, ledger in await load_ledgers(github)]
    decision = _choose(decisions_of(ledgers), request.to)
    earlier = parse_desired((await github.load_documents(decision.commit)).desired_text or "")
    undone = _undo(accepted.desired, earlier, _selected(request, accepted.desired))
    if not undone:
        raise UsageError(
            (
                f"{abbreviate(decision.commit)} wants what the file wants today: there is nothing to roll back.",
            )
        )
    going_back = _go_back(accepted.desired, undone)
    observed = await observe(github, accepted.model_copy(update={"desired": going_back}))
    desired = _permitted(going_back, undone, observed, request)
    text = edit_desired(found.documents.desired_text or "", desired)
    foreseen = plan(assume_merged(found, desired, accepted.policy), observed, now=clock.now())
    pull_request = await make_offer(
        github,
        Offer(
            branch=BRANCH,
            base=found.version.commit,
            files={STATE_PATH: text},
            title=_title(undone, decision),
            body=_body(foreseen, decision),
        ),
    )
    return RollbackReport(decision=decision, plan=foreseen, pull_request=pull_request)


def _choose(decisions: tuple[AcceptedCommit, ...], to: str | None) -> AcceptedCommit:
    if to is not None:
        return choose_decision(decisions, to)
    if len(decisions) < 2:  # noqa: PLR2004 (the last one, and one before it)
        raise UsageError(("The ledger knows no decision before the last one: say where to with --to.",))
    return decisions[1]


def _selected(request: RollbackRequest, desired: DesiredState) -> frozenset[RepositoryName]:
    problems: list[str] = []
    selected: set[RepositoryName] = set()
    for name in request.repositories:
        try:
            selected.add(resolve_repository(name, desired.targets.keys()))
        except PinError as error:
            problems += error.problems
    if problems:
        raise UsageError(tuple(problems))
    return frozenset(selected) or frozenset(desired.targets)


def _undo(
    desired: DesiredState, earlier: DesiredState, selected: frozenset[RepositoryName]
) -> tuple[_Undone, ...]:
    """Find what the earlier decision had elsewhere. A repository that it did not name stays as it is."""
    return tuple(
        _Undone(name, left=target, to=earlier.targets[name])
        for name, target in desired.targets.items()
        if name in selected and earlier.targets.get(name, target) != target
    )


def _go_back(desired: DesiredState, undone: tuple[_Undone, ...]) -> DesiredState:
    targets = desired.targets | {each.name: each.to for each in undone}
    return desired.model_copy(update={"targets": targets})


def _permitted(
    desired: DesiredState, undone: tuple[_Undone, ...], observed: Observed, request: RollbackRequest
) -> DesiredState:
    """Add a permit for each ref that goes back, and a block so that the next proposal does not bring it forward."""
    permits, blocks = dict(desired.permits), dict(desired.blocks)
    for each in undone:
        repository = observed.repositories.get(each.name)
        target = repository.target if repository else None
        permits.pop(each.name, None)
        if repository and target and (kind := _PERMITS.get(target.relation)):
            permit = Permit.model_validate(
                {
                    "from": repository.live or ZERO_SHA,
                    "to": each.to,
                    "reason": request.reason,
                    "despite": request.despite,
                }
            )
            permits[each.name] = Permits(**{kind: permit})
            blocks[each.name] = {**blocks.get(each.name, {}), each.left: Block(reason=request.reason)}
    return desired.model_copy(update={"permits": permits, "blocks": blocks})


def _title(undone: tuple[_Undone, ...], decision: AcceptedCommit) -> str:
    names = ", ".join(each.name.partition("/")[2] for each in undone[:3])
    more = f" and {len(undone) - 3} more" if len(undone) > 3 else ""  # noqa: PLR2004 (as many as a title holds)
    return f"Roll back {names}{more} to {abbreviate(decision.commit)}"


def _body(foreseen: Plan, decision: AcceptedCommit) -> str:
    source = f"#{decision.pull_request}" if decision.pull_request else f"{decision.commit}"
    return (
        f"Merging this goes back to the decision of {decision.at:%Y-%m-%d %H:%M} UTC ({source}).\n\n"
        f"{render_plan(foreseen)}\n\n"
        "Each permit is good for exactly one move. The commits that are left are blocked, with everything built on "
        "them, until the block is removed or names the fix under `fixed_by`."
    )
