"""What went out, in the words of those who made it: the note between two lines of a pull request's description."""

import re
from datetime import datetime

from state.history import Decided
from state.ids import Frozen, RepositoryName, Sha
from state.policy import ReleaseNotes

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NOTHING = {"", "-", "n/a", "na", "none", "nothing"}
"""What people leave in a template when there is nothing to tell."""


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


def find_note(body: str, marks: ReleaseNotes) -> str | None:
    """Find the note, in one line; none where there is none, or it says that there is none.

    It comes from outside and is not escaped. A mark counts wherever it stands in its line.
    """
    _, begin, rest = body.partition(marks.begin)
    note, end, _ = rest.partition(marks.end)
    if not begin or not end:
        return None
    text = " ".join(_COMMENT.sub(" ", note).split())
    return None if text.lower().strip("_*. ") in _NOTHING else text
