"""Deployed: every move is shown as a GitHub deployment of its repository, where the policy asks for it.

A report, and like every report it never fails a move. Only the moves of the accepted decision are shown: those before
the policy asked for it are not made up for. Of two runs at once both may show a move; GitHub compares nothing here.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from reconcile.errors import RateLimitedError, ReconcileError, TransientError
from reconcile.observed import Accepted, Deployment
from reconcile.ports import NEWEST_DEPLOYMENTS, DeploymentReader, DeploymentWriter, MoveDeployment
from state.ids import Frozen, RepositoryName, abbreviate

_log = logging.getLogger(__name__)

_AT_ONCE = 40
"""Deployments that one run makes. GitHub lets an account make 80 things a minute and 500 an hour, and a run that makes
two a move would be at it for half an hour in a large fleet, while the next decision waits."""


class DeploymentPorts(DeploymentReader, DeploymentWriter, Protocol):
    """All that showing moves needs of GitHub."""


class Shown(Frozen):
    """What became of showing the moves."""

    refused: tuple[RepositoryName, ...] = ()
    """Repositories whose moves GitHub will not have shown until a person does something."""
    is_complete: bool = True
    """Whether the next run has nothing to go on with. What was refused is not tried again for its own sake."""


async def show_deployments(github: DeploymentPorts, accepted: Accepted) -> Shown:
    """Have a deployment, with its success, for each repository that the accepted decision moved, and only one.

    What an earlier run made is found by the move that it shows, so it is completed and not made again. That does not
    depend on whose clock is right, and a commit that goes out a second time is shown a second time.
    """
    moves = _moves(accepted)
    if not moves:
        return Shown()
    try:
        found = await github.observe_deployments([each.repository for each in moves], moves[0].environment)
    except ReconcileError as error:
        _log.warning("Which moves are shown as deployments could not be read: %s", error)
        is_final = not isinstance(error, TransientError)
        return Shown(
            refused=tuple(each.repository for each in moves) if is_final else (), is_complete=is_final
        )
    return await _show(github, moves, found)


async def _show(
    github: DeploymentWriter,
    moves: Sequence[MoveDeployment],
    found: Mapping[RepositoryName, Sequence[Deployment]],
) -> Shown:
    refused, is_complete, made = list[RepositoryName](), True, 0
    for move in moves:
        if move.repository not in found:
            _log.warning("%s: this account may not see its deployments, so it makes none.", move.repository)
            refused.append(move.repository)
            continue
        known = next((each for each in found[move.repository] if _shows(each, move)), None)
        if known.state != "created" if known else _is_buried(move, found[move.repository]):
            continue
        if made == _AT_ONCE:
            _log.info("%d deployments were made; the next run makes the others.", made)
            is_complete = False
            break
        made += 1
        try:
            await github.store_deployment(move, begun=known.id if known else None)
        except TransientError as error:
            _log.warning("The deployment of %s could not be made: %s", move.repository, error)
            is_complete = False
            if isinstance(error, RateLimitedError):
                break
        except ReconcileError as error:
            _log.warning("The deployment of %s was refused: %s", move.repository, error)
            refused.append(move.repository)
    return Shown(refused=tuple(refused), is_complete=is_complete)


def _moves(accepted: Accepted) -> tuple[MoveDeployment, ...]:
    """List what the decision moved. Where a ref was moved twice under it, the last is what is out."""
    ledger, settings = accepted.ledger, accepted.policy.deployments
    if settings is None or ledger is None or (decision := ledger.accepted) is None:
        return ()
    version = accepted.version
    number, commit = decision.pull_request, decision.commit
    name = f"{version.repository}#{number}" if number else f"{version.repository}@{abbreviate(commit)}"
    url = f"{version.url}/{f'pull/{number}' if number else f'commit/{commit}'}"
    moved = {move.repository for move in ledger.moves}
    return tuple(
        MoveDeployment(
            repository=repository,
            sha=proof.sha,
            moved_at=proof.moved_at,
            environment=settings.environment,
            description=f"Moved {accepted.desired.ref} by {name}",
            url=url,
        )
        for repository, proof in ledger.proved.items()
        if repository in moved and proof.moved_at
    )


def _is_buried(move: MoveDeployment, found: Sequence[Deployment]) -> bool:
    """Say whether what shows a move may stand behind newer ones, whose place a second one would take."""
    return len(found) >= NEWEST_DEPLOYMENTS and found[-1].at > move.moved_at


def _shows(deployment: Deployment, move: MoveDeployment) -> bool:
    return (deployment.sha, deployment.moved_at) == (move.sha, move.moved_at)
