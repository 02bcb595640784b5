"""Figures of a history: which way moves went, how long changes waited, what was done by hand."""

from datetime import UTC, datetime, timedelta

from state.history import (
    Between,
    HandMove,
    LandedCommit,
    MadeMove,
    RefMove,
    list_hand_moves,
    list_releases,
    measure,
)
from state.ids import Sha
from tests.builders import sha

OGR = "packit/ogr"
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
A, B, C, D = (sha(letter) for letter in "abcd")


def made(before: Sha | None, after: Sha, *, day: int = 0, name: str = OGR) -> MadeMove:
    return MadeMove(MONDAY + timedelta(days=day), name, before, after, sha("1"))


def commit(commit: Sha, *, day: float) -> LandedCommit:
    return LandedCommit(sha=commit, at=MONDAY + timedelta(days=day), headline="Change", author="alice")


def between(
    move: MadeMove, *, out: tuple[LandedCommit, ...] = (), back: tuple[LandedCommit, ...] = ()
) -> dict[RefMove, Between]:
    assert move.before
    key = RefMove(repository=move.repository, before=move.before, after=move.after)
    return {key: Between(url="https://github.example/packit/ogr", out=out, back=back, is_complete=True)}


def test_directions() -> None:
    created, forward, back, sideways, unknown = moves = (
        made(None, A),
        made(A, B, day=1),
        made(B, A, day=2),
        made(A, C, day=3),
        made(C, D, day=4),
    )
    known = {
        **between(forward, out=(commit(B, day=0),)),
        **between(back, back=(commit(B, day=0),)),
        **between(sideways, out=(commit(C, day=2),), back=(commit(A, day=-3),)),
    }
    releases = list_releases(reversed(moves), known)
    assert ["created", "forward", "back", "sideways", "unknown"] == [each.direction for each in releases]
    assert [0, 1, 1, 1, 0] == [each.commits for each in releases]
    assert (created.after, unknown.after) == (releases[0].after, releases[-1].after)
    assert 2 == measure(releases, (), since=MONDAY, until=MONDAY + timedelta(days=7)).rollbacks


def test_a_change_waits_until_it_goes_out_for_the_first_time() -> None:
    """What went out, back and out again was not waited for twice."""
    out, back, again = made(A, B, day=2), made(B, A, day=3), made(A, B, day=5)
    known = {**between(out, out=(commit(B, day=0.5),)), **between(back, back=(commit(B, day=0.5),))}
    releases = list_releases([out, back, again], known)
    assert [(timedelta(days=1.5),), (), ()] == [each.lead_times for each in releases]


def test_no_change_waits_less_than_not_at_all() -> None:
    move = made(A, B)
    assert (timedelta(),) == list_releases([move], between(move, out=(commit(B, day=1),)))[0].lead_times


def test_median_and_p90() -> None:
    move = made(A, B, day=20)
    waits = tuple(commit(sha(f"{day:02d}"), day=20 - day) for day in range(1, 11))
    lead = measure(
        list_releases([move], between(move, out=waits)), (), since=MONDAY, until=MONDAY + timedelta(days=20)
    ).lead_time
    assert lead
    assert (10, timedelta(days=5.5), timedelta(days=9)) == (lead.changes, lead.median, lead.p90)


def test_what_no_run_made_was_made_by_hand() -> None:
    run = made(A, B)
    hand = HandMove(at=MONDAY, repository=OGR, before=B, after=C, actor="mallory")
    same = HandMove(at=MONDAY, repository=OGR, before=A, after=B, actor="stablehand")
    elsewhere = HandMove(at=MONDAY, repository="packit/packit", before=A, after=B, actor="mallory")
    assert (hand, elsewhere) == list_hand_moves((hand, same, elsewhere), [run])


def test_shares() -> None:
    moves = [made(A, B), made(B, C, day=1), made(C, B, day=2)]
    known = {
        **between(moves[0], out=(commit(B, day=-1),)),
        **between(moves[1], out=(commit(C, day=-1),)),
        **between(moves[2], back=(commit(C, day=-1),)),
    }
    hand = HandMove(at=MONDAY, repository=OGR, before=B, after=D, actor="mallory")
    figures = measure(
        list_releases(moves, known),
        [hand],
        since=MONDAY,
        until=MONDAY + timedelta(days=14),
        untold=["packit/x"],
    )
    assert (1 / 3, 1 / 4, 1.5) == (figures.rollback_share, figures.by_hand_share, figures.moves_per_week)
    assert [(2, 1, 1), (0, 0, 0), (0, 0, 0)] == [
        (week.forward, week.back, week.by_hand) for week in figures.weeks
    ]


def test_nothing_at_all() -> None:
    figures = measure((), (), since=MONDAY, until=MONDAY)
    assert (0, 0.0, 0.0, None, 1) == (
        figures.moves,
        figures.rollback_share,
        figures.by_hand_share,
        figures.lead_time,
        len(figures.weeks),
    )


def test_what_is_not_told_is_not_none() -> None:
    move = made(A, B)
    releases = list_releases([move], {})
    (figures,) = measure(releases, (), since=MONDAY, until=MONDAY, untold=[OGR]).repositories
    assert None is figures.by_hand
