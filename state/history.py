"""What went out over a time, as values, and the figures that it comes to. Pure: knows neither the ledger nor GitHub.

A commit's lead time runs from when it came to the source branch until a move first took it out. Only first parents
count, so that a merged branch of twenty commits is one change.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Literal, NamedTuple

from state.ids import BranchName, Frozen, RepositoryName, Sha

Direction = Literal["created", "forward", "back", "sideways", "unknown"]
"""Which way a move went; ``unknown`` where the repository or a commit of it is gone."""


class RefMove(Frozen):
    """A way of a ref, from exactly here to exactly there."""

    repository: RepositoryName
    before: Sha
    after: Sha


class LandedCommit(Frozen):
    """A first-parent commit. Its words come from outside."""

    sha: Sha
    at: datetime
    """When it came to its branch, as git recorded it."""
    headline: str
    author: str


class Between(Frozen):
    """What lies between the two ends of a move."""

    url: str
    """Where the repository is to be looked at."""
    out: tuple[LandedCommit, ...]
    """First parents of the end that the beginning lacks, newest first."""
    back: tuple[LandedCommit, ...]
    """First parents of the beginning that the end lacks, newest first."""
    is_complete: bool
    """False where more lies between than was read."""


class Release(Frozen):
    """One move of one ref by a run, and what it took out."""

    at: datetime
    repository: RepositoryName
    before: Sha | None
    after: Sha
    direction: Direction
    decision: Sha | None
    """The commit of the release-state repository that asked for it."""
    commits: int
    """Changes that it took out, or for one that went back, took in."""
    lead_times: tuple[timedelta, ...]
    """Of the changes that had never been out before."""


class HandMove(Frozen):
    """A move of a governed ref that no run made. The actor's login comes from outside."""

    at: datetime
    repository: RepositoryName
    before: Sha | None
    after: Sha | None
    actor: str | None


class Decided(Frozen):
    """One accepted decision that moved something. All words and logins come from outside."""

    commit: Sha
    at: datetime
    """When it was accepted."""
    pull_request: int | None = None
    title: str | None = None
    url: str | None = None
    author: str | None = None
    merged_by: str | None = None
    merged_at: datetime | None = None
    approvers: tuple[str, ...] = ()
    repositories: tuple[RepositoryName, ...] = ()
    """What it moved."""


class LeadTime(Frozen):
    """How long changes waited."""

    changes: int
    median: timedelta
    p90: timedelta
    """Nine of ten changes waited no longer."""


class Week(Frozen):
    """One calendar week, from Monday, UTC."""

    monday: datetime
    forward: int
    back: int
    by_hand: int
    lead_time: LeadTime | None


class RepositoryFigures(Frozen):
    """What one repository comes to."""

    repository: RepositoryName
    moves: int
    changes: int
    lead_time: LeadTime | None
    by_hand: int | None
    """None where it cannot be known."""


class Figures(Frozen):
    """What a time comes to."""

    moves: int
    decisions: int
    moves_per_week: float
    lead_time: LeadTime | None
    rollbacks: int
    """Moves that took something in again."""
    by_hand: int
    weeks: tuple[Week, ...]
    """Oldest first, without gaps."""
    repositories: tuple[RepositoryFigures, ...]
    """Most moves first."""

    @property
    def rollback_share(self) -> float:
        """The part of the moves that were rollbacks; 0 without any move."""
        return self.rollbacks / self.moves if self.moves else 0.0

    @property
    def by_hand_share(self) -> float:
        """The part of all moves, by run or by hand, that were made by hand; 0 without any."""
        return self.by_hand / (self.moves + self.by_hand) if self.by_hand else 0.0


class History(Frozen):
    """How releasing went from one moment to another."""

    repository: RepositoryName
    """The release-state repository."""
    url: str
    ref: BranchName
    since: datetime
    """Never before the ledger began: what was done before it is not known."""
    until: datetime
    is_complete: bool
    """False where the ledger has more versions of this time than were read."""
    figures: Figures
    decisions: tuple[Decided, ...]
    """Those that moved something, newest first."""
    releases: tuple[Release, ...]
    """Oldest first."""
    by_hand: tuple[HandMove, ...]
    """Oldest first."""
    untold: tuple[RepositoryName, ...]
    """Repositories of which this account may not read who moved the ref, or not as far back."""


class MadeMove(NamedTuple):
    """What the ledger says of a move."""

    at: datetime
    repository: RepositoryName
    before: Sha | None
    after: Sha
    decision: Sha | None


def list_releases(moves: Iterable[MadeMove], between: Mapping[RefMove, Between]) -> tuple[Release, ...]:
    """Say of each move which way it went and how long its changes had waited; oldest first."""
    seen: set[tuple[RepositoryName, Sha]] = set()
    releases = []
    for move in sorted(moves, key=lambda each: each.at):
        way = (
            between.get(RefMove(repository=move.repository, before=move.before, after=move.after))
            if move.before
            else None
        )
        fresh = [each for each in way.out if (move.repository, each.sha) not in seen] if way else []
        seen |= {(move.repository, each.sha) for each in fresh}
        releases.append(
            Release(
                at=move.at,
                repository=move.repository,
                before=move.before,
                after=move.after,
                direction=_direction(move, way),
                decision=move.decision,
                commits=len(way.out or way.back) if way else 0,
                # A clock that runs ahead makes no change wait less than not at all.
                lead_times=tuple(max(move.at - each.at, timedelta()) for each in fresh),
            )
        )
    return tuple(releases)


def _direction(move: MadeMove, way: Between | None) -> Direction:
    if move.before is None:
        return "created"
    if way is None:
        return "unknown"
    if way.back:
        return "sideways" if way.out else "back"
    return "forward"


def list_hand_moves(seen: Iterable[HandMove], made: Iterable[MadeMove]) -> tuple[HandMove, ...]:
    """Leave of the moves that GitHub saw those that no run made; oldest first."""
    known = {(each.repository, each.before, each.after) for each in made}
    return tuple(
        sorted(
            (each for each in seen if (each.repository, each.before, each.after) not in known),
            key=lambda each: each.at,
        )
    )


def measure(
    releases: Sequence[Release],
    by_hand: Sequence[HandMove],
    *,
    since: datetime,
    until: datetime,
    untold: Iterable[RepositoryName] = (),
) -> Figures:
    """Sum up a time.

    Args:
        releases: The moves within it.
        by_hand: The moves by hand within it.
        since: Its beginning.
        until: Its end.
        untold: Repositories of which it is not known who moved what.
    """
    weeks = max((until - since) / timedelta(weeks=1), 1.0)
    return Figures(
        moves=len(releases),
        decisions=len({each.decision for each in releases if each.decision}),
        moves_per_week=round(len(releases) / weeks, 2),
        lead_time=_lead_time(releases),
        rollbacks=sum(map(_is_rollback, releases)),
        by_hand=len(by_hand),
        weeks=tuple(_weeks(releases, by_hand, since, until)),
        repositories=_repositories(releases, by_hand, frozenset(untold)),
    )


def _weeks(
    releases: Sequence[Release], by_hand: Sequence[HandMove], since: datetime, until: datetime
) -> Iterable[Week]:
    monday = monday_of(since)
    while monday <= until:
        following = monday + timedelta(weeks=1)
        those = [each for each in releases if monday <= each.at < following]
        back = sum(map(_is_rollback, those))
        yield Week(
            monday=monday,
            forward=len(those) - back,
            back=back,
            by_hand=sum(monday <= each.at < following for each in by_hand),
            lead_time=_lead_time(those),
        )
        monday = following


def monday_of(moment: datetime) -> datetime:
    """Find the beginning of a moment's week; the moment is in UTC."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=moment.weekday())


def _repositories(
    releases: Sequence[Release], by_hand: Sequence[HandMove], untold: frozenset[RepositoryName]
) -> tuple[RepositoryFigures, ...]:
    names = {each.repository for each in releases} | {each.repository for each in by_hand}
    figures = []
    for name in names:
        those = [each for each in releases if each.repository == name]
        figures.append(
            RepositoryFigures(
                repository=name,
                moves=len(those),
                changes=sum(len(each.lead_times) for each in those),
                lead_time=_lead_time(those),
                by_hand=None if name in untold else sum(each.repository == name for each in by_hand),
            )
        )
    return tuple(sorted(figures, key=lambda each: (-each.moves, each.repository)))


def _is_rollback(release: Release) -> bool:
    return release.direction in {"back", "sideways"}


def _lead_time(releases: Iterable[Release]) -> LeadTime | None:
    waited = sorted(each for release in releases for each in release.lead_times)
    if not waited:
        return None
    middle = len(waited) // 2
    median = waited[middle] if len(waited) % 2 else (waited[middle - 1] + waited[middle]) / 2
    return LeadTime(changes=len(waited), median=median, p90=waited[ceil(len(waited) * 0.9) - 1])
