"""The rolling pull request: what is on the proposal's branch, whose it is, and how it is brought up to date."""

import asyncio
from contextlib import suppress
from typing import NamedTuple, Protocol

from reconcile.accept import parse_documents
from reconcile.errors import ForbiddenError, RejectedError
from reconcile.observed import BranchCommit, Documents, PullRequest, ReleaseState
from reconcile.ports import ProposalWriter, PullRequestReader, ReportWriter
from reconcile.render.marks import read_evidence
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.evidence import Verdict
from state.ids import Frozen, Sha

CLOSING = "<!-- stablehand:closing -->"
"""Marks the one comment that says why a pull request was closed."""


class Wording(NamedTuple):
    """What the pull request is to say."""

    title: str
    body: str
    is_draft: bool

    def is_of(self, there: PullRequest) -> bool:
        """Compare as GitHub keeps texts: a browser's line ends, and white space at the end, make no difference."""
        said = (there.title, there.body.replace("\r\n", "\n").rstrip(), there.is_draft)
        return said == (self.title, self.body.rstrip(), self.is_draft)


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
        return tuple(sorted({author for author in authors if not self._is_own(author)}))

    @property
    def is_own(self) -> bool:
        """Whether the open pull request is this account's, and nobody else has had a hand in it."""
        there = self.pull_request
        return there is not None and self._is_own(there.author) and not self.editors

    def carries(self, label: str) -> bool:
        labels = self.pull_request.labels if self.pull_request else ()
        return label.lower() in {each.lower() for each in labels}

    def _is_own(self, login: str) -> bool:
        return login.lower() == self.login.lower()


def should_be_draft(there: PullRequest | None, *, is_validated: bool) -> bool:
    """Say whether the pull request is to be a draft.

    Without a pass it is. With one it is ready, unless a person made it a draft: they had a reason. What the last run
    wrote into the body tells the two apart.
    """
    if not is_validated:
        return True
    if there is None or not there.is_draft:
        return False
    mark = read_evidence(there.body)
    return mark is None or mark.verdict is Verdict.PASS


def hands_back(found: ReleaseState, label: str) -> bool:
    """Say whether this is the label by which people hand the branch back.

    Raises:
        DocumentError: A document of the default branch is wrong.
    """
    _, policy = parse_documents(found.documents, where=found.version.repository)
    return label.lower() == policy.proposal.hand_back.lower()


async def look_at_branch(github: PullRequestReader) -> Rolling:
    """Read the branch, its pull request, and whose commits are on it."""
    login, pull_request, head = await asyncio.gather(
        github.load_login(), github.find_pull_request(PROPOSAL_BRANCH), github.load_branch(PROPOSAL_BRANCH)
    )
    # After the head: a commit that comes in between is then seen as somebody's, or fails the compare-and-swap.
    commits = await github.list_branch_commits(PROPOSAL_BRANCH) if head else ()
    documents = await github.load_documents(head) if head else None
    return Rolling(pull_request=pull_request, head=head, documents=documents, commits=commits, login=login)


async def store_branch(
    github: ProposalWriter, base: Sha, expected_head: Sha | None, text: str, message: str
) -> Sha:
    """Make the branch the base and one commit with this file.

    Raises:
        StaleHeadError: The branch is not where it was expected.
    """
    headline, _, body = message.partition("\n\n")
    return await github.store_branch(
        PROPOSAL_BRANCH, base=base, expected_head=expected_head, text=text, headline=headline, body=body
    )


async def ensure_pull_request(
    github: ProposalWriter, there: PullRequest | None, wording: Wording
) -> PullRequest:
    """Bring text and draft in line, in an order in which a run that dies in between misleads nobody.

    The body says which drafts are ours: one is made ready before its body forgets it, and a draft afterwards.
    """
    if there and there.is_draft and not wording.is_draft:
        await github.ensure_draft(there.number, is_draft=False)
    pull_request = await github.ensure_pull_request(
        number=there.number if there else None,
        head_branch=PROPOSAL_BRANCH,
        title=wording.title,
        body=wording.body,
        is_draft=wording.is_draft,
    )
    if wording.is_draft and not pull_request.is_draft:
        # Where there are no drafts, the first line and the check say it all the same.
        with suppress(RejectedError, ForbiddenError):
            await github.ensure_draft(pull_request.number, is_draft=True)
    return pull_request


class _Closer(ProposalWriter, ReportWriter, Protocol):
    """What closing needs of GitHub."""


async def close(github: _Closer, number: int, why: str) -> None:
    """Close the pull request, with a comment that says why. The comment first: closing without it explains nothing."""
    await github.ensure_comment(number, marker=CLOSING, body=why)
    await github.close_pull_request(number)
