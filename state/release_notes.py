"""Release notes as values: what went out, in the words of those who made it."""

from datetime import datetime

from state.history import Decided
from state.ids import Frozen, RepositoryName, Sha


class Change(Frozen):
    """One change that went out: a pull request, or a commit without one. All words come from outside."""

    sha: Sha
    at: datetime
    """When it came to the source branch."""
    title: str
    note: str | None
    """What it says is new; none where it says nothing."""
    author: str
    pull_request: int | None
    url: str


class RepositoryNotes(Frozen):
    """What one repository comes to, from where its ref was before the first move to where the last one put it."""

    repository: RepositoryName
    url: str | None
    """None where the repository, or one of the two commits, is gone."""
    before: Sha | None
    """None where there was no ref."""
    after: Sha
    changes: tuple[Change, ...]
    """Newest first."""
    taken_back: tuple[Change, ...]
    """What was out before and is not any more, newest first."""
    is_complete: bool
    """False where more went out than was read."""


class Notes(Frozen):
    """Release notes of a range of moves."""

    first: datetime
    """The first move."""
    last: datetime
    """The last one."""
    decisions: tuple[Decided, ...]
    """Which decisions asked for it, oldest first."""
    repositories: tuple[RepositoryNotes, ...]
