"""Offer: files of the release-state repository as a pull request on a branch of its own. A person merges it, or not."""

import asyncio
from typing import Protocol

from reconcile.errors import StaleHeadError
from reconcile.observed import PullRequest
from reconcile.ports import FilesWriter, ProposalWriter, PullRequestReader
from state.ids import BranchName, Frozen, Sha


class Offer(Frozen):
    """What is offered."""

    branch: BranchName
    base: Sha
    """The commit of the default branch that the files were made from."""
    files: dict[str, str]
    """The whole text of each file that is new or changed, by path."""
    title: str
    body: str


class GitHubPorts(FilesWriter, ProposalWriter, PullRequestReader, Protocol):
    """All that an offer needs of GitHub."""


async def make_offer(github: GitHubPorts, offer: Offer) -> PullRequest:
    """Open the pull request, or bring the open one of the same branch up to date.

    Raises:
        StaleHeadError: The branch has somebody else's commits, or is being moved.
        ReconcileError: GitHub could not be read or written.
    """
    head = await github.load_branch(offer.branch)
    if head and await _has_foreign_commits(github, offer.branch):
        raise StaleHeadError(
            f"{offer.branch} has commits of somebody else, which are not overwritten. "
            "Merge its pull request, or close it and delete the branch."
        )
    await github.store_files(
        offer.branch, base=offer.base, expected_head=head, files=offer.files, headline=offer.title
    )
    there = await github.find_pull_request(offer.branch)
    return await github.ensure_pull_request(
        number=there.number if there else None,
        head_branch=offer.branch,
        title=offer.title,
        body=offer.body,
        is_draft=False,
    )


async def _has_foreign_commits(github: PullRequestReader, branch: BranchName) -> bool:
    login, commits = await asyncio.gather(github.load_login(), github.list_branch_commits(branch))
    return any(commit.author != login for commit in commits)
