"""Drift: answer a ref that somebody moved by hand, with a pull request. Moves nothing itself.

`adopt` takes into the file what is live; `restore` adds the permit that lets the next reconcile put back what the
file says. Either is a decision, so a person reviews and merges it like any other.
"""

import asyncio
from typing import Literal, NamedTuple, Protocol

from flows.ways.errors import UsageError
from reconcile.accept import load_accepted
from reconcile.errors import StaleHeadError
from reconcile.observe import observe
from reconcile.observed import Accepted, ObservedRepository, PullRequest, Relation
from reconcile.ports import FleetReader, ProposalWriter, PullRequestReader, ReleaseStateReader
from reconcile.render.markdown import code, escape, link
from state.document import DesiredState, Permit, PermitKind, Permits
from state.ids import ZERO_SHA, BranchName, RepositoryName, abbreviate
from state.proposal import PinError, resolve_repository
from state.yaml_io import edit_desired

Answer = Literal["adopt", "restore"]
_PERMITS: dict[Relation, PermitKind] = {
    Relation.CREATE: "move",
    Relation.FAST_FORWARD: "move",
    Relation.REWIND: "rewind",
    Relation.DIVERGED: "force",
}


class GitHubPorts(FleetReader, ProposalWriter, PullRequestReader, ReleaseStateReader, Protocol):
    """All that an answer needs of GitHub."""


class _Drift(NamedTuple):
    accepted: Accepted
    name: RepositoryName
    repository: ObservedRepository


async def answer_drift(github: GitHubPorts, answer: Answer, repository: str) -> PullRequest:
    """Open the pull request that adopts or undoes what is live, or bring the open one up to date.

    Raises:
        UsageError: There is nothing to answer, or the repository is not one of the document's.
        StaleHeadError: Somebody else keeps moving the branch of the pull request.
        DocumentError: A document is wrong.
        ReconcileError: GitHub could not be read or written.
    """
    drift = await _find(github, repository)
    found = await github.load_release_state()
    text = found.documents.desired_text or ""
    desired = _adopted(drift) if answer == "adopt" else _restorable(drift)
    branch = f"stablehand/{answer}-{drift.name.replace('/', '-')}"
    title = _title(drift, answer)
    head = await github.load_branch(branch)
    if head and await _has_foreign_commits(github, branch):
        raise StaleHeadError(f"{branch} has commits of somebody else. Merge or close its pull request first.")
    await github.store_branch(
        branch,
        base=found.version.commit,
        expected_head=head,
        text=edit_desired(text, desired),
        headline=title,
        body="",
    )
    there = await github.find_pull_request(branch)
    return await github.ensure_pull_request(
        number=there.number if there else None,
        head_branch=branch,
        title=title,
        body=_body(drift, answer),
        is_draft=False,
    )


async def _has_foreign_commits(github: PullRequestReader, branch: BranchName) -> bool:
    login, commits = await asyncio.gather(github.load_login(), github.list_branch_commits(branch))
    return any(commit.author != login for commit in commits)


async def _find(github: GitHubPorts, repository: str) -> _Drift:
    accepted = await load_accepted(github)
    try:
        name = resolve_repository(repository, accepted.desired.targets.keys())
    except PinError as error:
        raise UsageError(error.problems) from error
    observed = (await observe(github, accepted)).repositories.get(name)
    if observed is None:
        raise UsageError((f"{name} does not exist, or the account may not see it.",))
    if observed.live == accepted.desired.targets[name]:
        raise UsageError((f"{name} is where the file wants it: there is nothing to answer.",))
    return _Drift(accepted, name, observed)


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
    desired, repository = drift.accepted.desired, drift.repository
    if repository.target is None:
        raise UsageError((f"{drift.name} has no commit {desired.targets[drift.name]} to go back to.",))
    permit = Permit.model_validate(
        {
            "from": repository.live or ZERO_SHA,
            "to": repository.target.sha,
            "reason": f"put back what was moved by hand to {_short(repository)}",
        }
    )
    kind = _PERMITS[repository.target.relation]
    return desired.model_copy(update={"permits": {**desired.permits, drift.name: Permits(**{kind: permit})}})


def _title(drift: _Drift, answer: Answer) -> str:
    target = abbreviate(drift.accepted.desired.targets[drift.name])
    if answer == "adopt":
        return f"Adopt {_short(drift.repository)} of {drift.name} instead of {target}"
    return f"Put {drift.name} back from {_short(drift.repository)} to {target}"


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
        else "Merging this permits one move back, from exactly what is live to exactly what the file says."
    )
    return (
        f"{escape(repository.name)} was moved by hand: the file says {code(target)}, and the ref is at "
        f"{code(repository.live or 'nothing')} ({way}).\n\n{wish}"
    )


def _short(repository: ObservedRepository) -> str:
    return abbreviate(repository.live) if repository.live else "nothing"
