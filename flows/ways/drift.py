"""Drift: answer a ref that is not where the file has it, with a pull request. Moves nothing itself.

`adopt` takes into the file what is live; `restore` adds the permit that lets the next reconcile put back what the
file says. Either is a decision, so a person reviews and merges it like any other.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from flows.ways.errors import UsageError
from flows.ways.offer import Offer, make_offer
from reconcile.accept import load_accepted
from reconcile.observe import moved_by_hand, observe
from reconcile.observed import PERMIT_KINDS, Accepted, ObservedRepository, ObservedTarget, PullRequest
from reconcile.ports import FilesWriter, FleetReader, ProposalWriter, PullRequestReader, ReleaseStateReader
from reconcile.render.markdown import code, escape, link
from state.document import DesiredState, Permit, Permits
from state.ids import ZERO_SHA, RepositoryName, Sha, abbreviate
from state.proposal import PinError, resolve_repository
from state.yaml_io import STATE_PATH, edit_desired

Answer = Literal["adopt", "restore"]


class GitHubPorts(FilesWriter, FleetReader, ProposalWriter, PullRequestReader, ReleaseStateReader, Protocol):
    """All that an answer needs of GitHub."""


class _Drift(NamedTuple):
    accepted: Accepted
    name: RepositoryName
    repository: ObservedRepository
    is_by_hand: bool
    """Whether it has been where the file has it. Otherwise it has yet to come there."""


async def answer_drift(github: GitHubPorts, answer: Answer, repository: str) -> PullRequest:
    """Open the pull request that adopts or undoes what is live, or bring the open one up to date.

    Raises:
        UsageError: There is nothing to answer, or the repository is not one of the document's.
        StaleHeadError: The branch of the pull request has somebody else's commits, or is being moved.
        DocumentError: A document is wrong.
        ReconcileError: GitHub could not be read or written.
    """
    drift = await _find(github, repository)
    desired = _adopted(drift) if answer == "adopt" else _restorable(drift)
    version = drift.accepted.version
    # The text of the very commit that was accepted: what was merged since is the next run's to see.
    text = (await github.load_documents(version.commit)).desired_text or ""
    return await make_offer(
        github,
        Offer(
            branch=f"stablehand/{answer}-{drift.name.replace('/', '-')}",
            base=version.commit,
            files={STATE_PATH: edit_desired(text, desired)},
            title=_title(drift, answer),
            body=_body(drift, answer),
        ),
    )


async def _find(github: GitHubPorts, repository: str) -> _Drift:
    accepted = await load_accepted(github)
    try:
        name = resolve_repository(repository, accepted.desired.targets.keys())
    except PinError as error:
        raise UsageError(error.problems) from error
    observed = await observe(github, accepted)
    found = observed.repositories.get(name)
    if found is None:
        raise UsageError((f"{name} does not exist, or the account may not see it.",))
    if found.live == accepted.desired.targets[name]:
        raise UsageError((f"{name} is where the file wants it: there is nothing to answer.",))
    return _Drift(accepted, name, found, name in moved_by_hand(accepted, observed))


def _adopted(drift: _Drift) -> DesiredState:
    """Take what is live into the file, and out of it what no longer exists."""
    desired, live = drift.accepted.desired, drift.repository.live
    targets = dict(desired.targets)
    if live:
        targets[drift.name] = live
    else:
        del targets[drift.name]
    permits = {name: permit for name, permit in desired.permits.items() if name != drift.name}
    return desired.model_copy(update={"targets": targets, "permits": permits})


def _restorable(drift: _Drift) -> DesiredState:
    """Permit exactly the way from what is live to the target that the file has."""
    desired, target = drift.accepted.desired, _target(drift)
    permit = Permit.model_validate(
        {
            "from": drift.repository.live or ZERO_SHA,
            "to": target.sha,
            "reason": f"put back what {_story(drift, abbreviate)}",
        }
    )
    kind = PERMIT_KINDS[target.relation]
    return desired.model_copy(update={"permits": {**desired.permits, drift.name: Permits(**{kind: permit})}})


def _target(drift: _Drift) -> ObservedTarget:
    """Take the commit to go back to.

    Raises:
        UsageError: There is none, or no permit is needed to go there.
    """
    target = drift.repository.target
    if target is None:
        raise UsageError(
            (f"{drift.name} has no commit {drift.accepted.desired.targets[drift.name]} to go to.",)
        )
    if not drift.is_by_hand and PERMIT_KINDS[target.relation] == "move":
        raise UsageError((f"{drift.name} has yet to be moved, and needs no permit for it: run reconcile.",))
    return target


def _title(drift: _Drift, answer: Answer) -> str:
    ref, target = drift.accepted.desired.ref, abbreviate(drift.accepted.desired.targets[drift.name])
    live = drift.repository.live
    if answer == "adopt":
        what = (
            f"{abbreviate(live)} of {drift.name} instead of {target}"
            if live
            else f"{drift.name} without {ref}"
        )
        return f"Adopt {what}"
    return f"Put {drift.name} back {f'from {abbreviate(live)} ' if live else ''}to {target}"


def _body(drift: _Drift, answer: Answer) -> str:
    repository, target = drift.repository, drift.accepted.desired.targets[drift.name]
    way = (
        link("what lies between", f"{repository.url}/compare/{target}...{repository.live}")
        if repository.live
        else "the ref was deleted"
    )
    wish = (
        "Merging this takes what is live into the file; no ref moves."
        if answer == "adopt"
        else "Merging this permits one move, from exactly what is live to exactly what the file says."
    )
    return f"{escape(repository.name)} {_story(drift, code)}, and the file says {code(target)} ({way}).\n\n{wish}"


def _story(drift: _Drift, show: Callable[[Sha], str]) -> str:
    live = drift.repository.live
    if live is None:
        return "was deleted by hand" if drift.is_by_hand else "has no such ref"
    return f"{'was moved by hand to' if drift.is_by_hand else 'is at'} {show(live)}"
