"""What may be proposed: candidates, chosen from what waits on the source branch.

Pure: histories and validation in, one choice per repository out, with the reason for what it leaves behind.
"""

from datetime import datetime

from state.ids import BranchName, Frozen, RepositoryName, Sha


class MergedPullRequest(Frozen):
    """The pull request that brought a commit to the source branch. Title and author come from outside."""

    number: int
    title: str
    url: str
    author: str
    merged_at: datetime


class SourceCommit(Frozen):
    """One first-parent commit of the source branch: a state that the branch was in."""

    sha: Sha
    committed_at: datetime
    headline: str
    author: str
    pull_request: MergedPullRequest | None = None

    @property
    def landed_at(self) -> datetime:
        """When the branch came to it: the merge where there was one, otherwise the commit itself."""
        return self.pull_request.merged_at if self.pull_request else self.committed_at


class SourceHistory(Frozen):
    """What waits in one repository: first parents of the source branch, newest first, without what is out."""

    repository: RepositoryName
    url: str
    source: BranchName
    out: Sha | None
    """Where the governed ref stands."""
    head: Sha | None
    """Where the source branch stands; none where there is no such branch."""
    waiting: tuple[SourceCommit, ...]
    is_complete: bool
    """False where more commits wait than were read."""


class LeftBehind(Frozen):
    """A commit that waits and is not proposed."""

    commit: SourceCommit
    reason: str


class Candidate(Frozen):
    """What is proposed for one repository."""

    repository: RepositoryName
    sha: Sha
    rule: str
    """How it was chosen: ``validated``, ``head``, ``pinned``, or why it stays."""
    left_behind: tuple[LeftBehind, ...] = ()
