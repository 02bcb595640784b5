"""What a source of evidence is, for the modules beside this one and for other distributions alike.

A distribution names a :class:`SourceKind` as an entry point of the group ``stablehand.evidence``; the name of the entry
point is what the policy writes behind the dash. The built-in sources are of the same kind.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import httpx

from reconcile.errors import StallError
from reconcile.ports import FleetReader, ValidationReader
from state.evidence import Evidence, Link, Verdict
from state.ids import RepositoryName
from state.sources import Since, SourceSettings

S = TypeVar("S", bound=SourceSettings)


class SourceError(StallError):
    """A source cannot say anything, and a person has to see to it: its settings, its rights, an answer nobody knows."""


class EvidenceReader(ValidationReader, FleetReader, Protocol):
    """What a source may ask of GitHub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a source is handed when it is asked."""

    github: EvidenceReader
    http: httpx.AsyncClient
    """For other addresses. Sends no credentials and follows no redirects unless told to."""
    now: datetime
    """The moment at which evidence is judged."""
    last_moved_at: datetime | None
    """When the ledger says that a ref was last moved; none while it knows nothing."""
    fleet: tuple[RepositoryName, ...]
    """The repositories of the policy."""

    def since(self, since: Since) -> datetime:
        """Say which moment a setting counts from.

        Raises:
            SourceError: The last move is asked for, and the ledger knows none.
        """
        match since:
            case datetime():
                return since
            case "last-move":
                if self.last_moved_at is None:
                    raise SourceError(
                        "The ledger knows no move yet: run stablehand reconcile once, or count from a duration."
                    )
                return self.last_moved_at
            case duration:
                return self.now - duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind(Generic[S]):
    """One kind of source."""

    settings: type[S]
    """What the policy may write under its name."""
    name_of: Callable[[S], str]
    """Names one entry for people: what it looks at."""
    observe: Callable[[S, Surroundings], Awaitable[Evidence]]
    """Asks, and judges the answer. May raise ReconcileError, and is stopped after ``settings.time_limit``.

    Silence is no pass: what is missing, old or still under way is no evidence. Text from outside may be quoted in
    sentences and links; whoever shows it escapes it.
    """


def no_evidence(source: str, sentence: str, links: tuple[Link, ...] = ()) -> Evidence:
    """Say that a source said nothing that counts."""
    return Evidence(
        source=source,
        verdict=Verdict.NO_EVIDENCE,
        sentence=sentence,
        began_at=None,
        expires_at=None,
        links=links,
    )


def seen_now(
    settings: SourceSettings,
    source: str,
    *,
    verdict: Verdict,
    sentence: str,
    now: datetime,
    links: tuple[Link, ...] = (),
) -> Evidence:
    """Date evidence that is a look at stage as it is: what is merged after the look was not seen."""
    if verdict is Verdict.NO_EVIDENCE:
        return no_evidence(source, sentence, links)
    return Evidence(
        source=source,
        verdict=verdict,
        sentence=sentence,
        began_at=now,
        expires_at=now + settings.max_age,
        links=links,
    )
