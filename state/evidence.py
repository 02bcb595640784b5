"""Evidence and verdict: what validation said, as values. Sources live in ``flows.evidence``."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from state.ids import Frozen, RepositoryName

ReportedSha = Annotated[str, StringConstraints(to_lower=True, pattern="^[0-9a-fA-F]{7,40}$")]
"""A commit as stage names it, abbreviated or not. Fewer than git's seven digits would be a guess."""


class Verdict(StrEnum):
    """Three-valued: silence is not a pass."""

    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    FAIL = "fail"
    NO_EVIDENCE = "no-evidence"


class Link(Frozen):
    """Something a person may open to see for themselves. Its text comes from outside."""

    text: str
    url: str


class Evidence(Frozen):
    """What one source said."""

    source: str
    """How the policy names the source, and what it looks at."""
    verdict: Verdict
    sentence: str
    """What was found, for a person; may quote text from outside, so renderers escape it."""
    began_at: datetime | None
    """When the oldest validation that this rests on began: what was merged later was not validated."""
    expires_at: datetime | None
    """When it stops counting; none for what is no evidence."""
    links: tuple[Link, ...] = ()
    runs: dict[RepositoryName, ReportedSha] = {}
    """What stage itself says it runs, where the source can tell."""


class Validation(Frozen):
    """All evidence of one moment, and what it comes to."""

    at: datetime
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """Fail if any source failed; pass only if there is evidence and all of it passed."""
        verdicts = {each.verdict for each in self.evidence}
        if Verdict.FAIL in verdicts:
            return Verdict.FAIL
        return Verdict.PASS if verdicts == {Verdict.PASS} else Verdict.NO_EVIDENCE

    def runs(self, repository: RepositoryName) -> tuple[ReportedSha, ...]:
        """List what stage says it runs of a repository; more than one where its sources disagree."""
        said = (each.runs.get(repository) for each in self.evidence)
        return tuple(dict.fromkeys(sha for sha in said if sha))

    @property
    def began_at(self) -> datetime | None:
        """When the earliest of the validations began."""
        return min((each.began_at for each in self.evidence if each.began_at), default=None)

    @property
    def expires_at(self) -> datetime | None:
        """When the first of the evidence stops counting."""
        return min((each.expires_at for each in self.evidence if each.expires_at), default=None)
