"""A year of releases as values: eight repositories, weekly decisions, some rollbacks, some moves by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from state.history import (
    Between,
    Decided,
    HandMove,
    History,
    LandedCommit,
    MadeMove,
    RefMove,
    list_hand_moves,
    list_releases,
    measure,
)
from state.ids import Sha

END = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FLEET = {
    "packit/packit-service": 9,
    "packit/packit": 6,
    "packit/dashboard": 4,
    "packit/ogr": 3,
    "packit/specfile": 2,
    "packit/sandcastle": 2,
    "packit/packit-service-centosmsg": 1,
    "packit/tokman": 1,
}
"""Repositories with the changes that each has in a usual week."""


def make_history(weeks: int = 26, *, seed: int = 1) -> History:
    random, since = Random(seed), END - timedelta(weeks=weeks)
    made: list[MadeMove] = []
    between: dict[RefMove, Between] = {}
    decisions: list[Decided] = []
    at = dict.fromkeys(FLEET, _sha(random))
    for week in range(weeks):
        when = since + timedelta(weeks=week, minutes=random.randrange(600))
        commit = _sha(random)
        moved = [name for name, usual in FLEET.items() if random.random() < min(0.2 + usual / 8, 0.95)]
        for name in moved:
            before, after = at[name], _sha(random)
            is_back = random.random() < 0.05
            changes = tuple(_changes(random, when, max(1, round(FLEET[name] * random.uniform(0.3, 2)))))
            move = MadeMove(when + timedelta(minutes=5), name, before, after, commit)
            between[RefMove(repository=name, before=before, after=after)] = Between(
                url=f"https://github.example/{name}",
                out=() if is_back else changes,
                back=changes if is_back else (),
                is_complete=True,
            )
            made.append(move)
            at[name] = after
        decisions.append(
            Decided(
                commit=commit,
                at=when,
                pull_request=week + 1,
                title=f"Move stable of {', '.join(name.partition('/')[2] for name in moved[:3])}",
                url=f"https://github.example/packit/release-state/pull/{week + 1}",
                author="stablehand",
                merged_by=random.choice(("alice", "bob", "carol")),
                merged_at=when,
                approvers=("bob",),
                repositories=tuple(sorted(moved)),
            )
        )
    by_hand = list_hand_moves(
        (
            HandMove(
                at=since + timedelta(days=random.randrange(weeks * 7 + 1)),
                repository="packit/dashboard",
                before=_sha(random),
                after=_sha(random),
                actor="mallory",
            )
            for _ in range(3)
        ),
        made,
    )
    releases = list_releases(made, between)
    untold = ("packit/tokman",)
    return History(
        repository="packit/release-state",
        url="https://github.example/packit/release-state",
        ref="stable",
        since=since,
        until=END,
        is_complete=True,
        figures=measure(releases, by_hand, since=since, until=END, untold=untold),
        decisions=tuple(reversed(decisions)),
        releases=releases,
        by_hand=by_hand,
        untold=untold,
    )


def _changes(random: Random, until: datetime, count: int) -> Iterator[LandedCommit]:
    for _ in range(count):
        waited = timedelta(days=random.gammavariate(2, 2.2))
        yield LandedCommit(sha=_sha(random), at=until - waited, headline="Change", author="alice")


def _sha(random: Random) -> Sha:
    return f"{random.getrandbits(160):040x}"
