"""What a merged pull request says is new, in its own words: the note between two lines of its description."""

import re

from state.policy import ReleaseNotes

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NOTHING = {"", "-", "n/a", "na", "none", "nothing"}
"""What people leave in a template when there is nothing to tell."""


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
