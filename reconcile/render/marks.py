"""Marks: what the tool reads back from the body of its pull request, as comments that nobody sees.

Whoever may edit the body may take them out or change them. No ref moves or stays for what they say: they save a commit,
and date the check.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from state.evidence import Validation, Verdict
from state.ids import Sha

Blobs = tuple[Sha | None, Sha | None]
"""Which contents of both documents."""
_BUILT_ON = re.compile(r"<!-- stablehand:built-on ([0-9a-f]{40}|none) ([0-9a-f]{40}|none) -->")
_EVIDENCE = re.compile(r"<!-- stablehand:evidence (pass|fail|no-evidence) (\S+) -->")


class EvidenceMark(NamedTuple):
    """What validation said when the body was written."""

    verdict: Verdict
    expires_at: datetime | None
    """When it stops counting."""


def mark_built_on(blobs: Blobs) -> str:
    return f"<!-- stablehand:built-on {blobs[0] or 'none'} {blobs[1] or 'none'} -->"


def read_built_on(body: str) -> Blobs | None:
    """Find in a body what its branch was built on; none where a person has taken that out."""
    found = _BUILT_ON.search(body)
    return (_blob(found[1]), _blob(found[2])) if found else None


def mark_evidence(validation: Validation) -> str:
    expires_at = validation.expires_at
    until = expires_at.astimezone(UTC).isoformat() if expires_at else "never"
    return f"<!-- stablehand:evidence {validation.verdict} {until} -->"


def read_evidence(body: str) -> EvidenceMark | None:
    """Find in a body what validation said; none where it asked for none, or a person has taken that out."""
    found = _EVIDENCE.search(body)
    if not found:
        return None
    try:
        expires_at = None if found[2] == "never" else datetime.fromisoformat(found[2])
    except ValueError:
        return None
    # A time without an offset is none of ours.
    if expires_at and expires_at.tzinfo is None:
        return None
    return EvidenceMark(Verdict(found[1]), expires_at)


def renew_evidence(body: str, validation: Validation | None) -> str:
    """Put what validation says by now into the mark of a body that cannot be written anew."""
    mark = mark_evidence(validation) if validation else ""
    return _EVIDENCE.sub(mark, body)


def _blob(name: str) -> Sha | None:
    return None if name == "none" else name
