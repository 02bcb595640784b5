"""Comments on lines of the diff: one review for all, only on change, and nobody else's are touched."""

import pytest

from reconcile.errors import MissingError, RejectedError
from reconcile.github.client import GitHub
from reconcile.observed import LineNote
from tests.sandbox import Repository, threads
from tests.sandbox.model import PullRequest

FILE = "release-state.yaml"
MARKER = "<!-- stablehand:line -->"
TEXT = "".join(f"line {number}\n" for number in range(1, 9))


@pytest.fixture
def pull(state: Repository) -> PullRequest:
    state.commit("main", {FILE: TEXT}, "Lines")
    state.commit("edit", {FILE: TEXT.replace("line 4", "four")}, "Edit", author="bob")
    return state.open_pull_request("Edit", "", "edit", "main", "bob")


def note(line: int, body: str = "Look.", *, first: int | None = None) -> LineNote:
    return LineNote(path=FILE, first=first or line, last=line, body=body)


async def ensure(github: GitHub, pull: PullRequest, *notes: LineNote) -> int:
    """Give the number of writes that it took."""
    before = github.requests.writes
    await github.ensure_notes(pull.number, pull.head_oid, notes, marker=MARKER)
    return github.requests.writes - before


async def test_they_are_written_once(github: GitHub, pull: PullRequest) -> None:
    """However many, in one review; and not again."""
    notes = note(4), note(5, "Both.", first=4)
    assert [1, 0] == [await ensure(github, pull, *notes), await ensure(github, pull, *notes)]
    assert [(4, 4), (4, 5)] == [(each.first, each.last) for each in pull.threads]
    assert 1 == len(pull.reviews)
    assert f"Look.\n\n{MARKER}" == pull.threads[0].comments[0].body


async def test_what_no_longer_fits_goes(github: GitHub, pull: PullRequest) -> None:
    """Another text, or a line that has changed: deleted in one request, written anew in another."""
    await ensure(github, pull, note(4), note(5))
    assert 2 == await ensure(github, pull, note(4, "Now this."), note(5))
    assert ["Look.", "Now this."] == sorted(each.comments[0].body.partition("\n")[0] for each in pull.threads)
    pull.repository.commit("edit", {FILE: TEXT.replace("line 4", "4")}, "Again", author="bob")
    assert 1 == await ensure(github, pull, note(5))
    assert [5] == [each.last for each in pull.threads]
    assert 1 == await ensure(github, pull)
    assert ([], []) == (pull.threads, pull.reviews)


async def test_they_follow_their_lines(github: GitHub, pull: PullRequest) -> None:
    """A line that only moved keeps its comment."""
    await ensure(github, pull, note(4))
    moved = "zero\n" + TEXT.replace("line 4", "four")
    pull.repository.commit("edit", {FILE: moved}, "Above", author="bob")
    assert 0 == await ensure(github, pull, note(5))


async def test_what_somebody_answered_is_resolved(github: GitHub, pull: PullRequest) -> None:
    """What people wrote stays; and once resolved, that is it."""
    await ensure(github, pull, note(4))
    alice = pull.repository.store.account("alice")
    threads.reply(pull, pull.threads[0], alice, "Why?")
    assert [1, 0] == [await ensure(github, pull), await ensure(github, pull)]
    assert pull.threads[0].resolved_by
    assert 2 == len(pull.threads[0].comments)


async def test_what_a_person_resolved_stays_away(github: GitHub, pull: PullRequest) -> None:
    """They have read it."""
    await ensure(github, pull, note(4))
    pull.threads[0].resolved_by = pull.repository.store.account("alice")
    assert 0 == await ensure(github, pull, note(4))


async def test_a_stranger_with_the_marker_is_not_us(github: GitHub, pull: PullRequest) -> None:
    mallory = pull.repository.store.account("mallory")
    threads.start(pull, mallory, "", [threads.Draft(FILE, 4, 4, f"fine\n\n{MARKER}")], pull.head_oid)
    assert 0 == await ensure(github, pull)
    assert 1 == len(pull.threads)


async def test_a_line_that_the_diff_does_not_show(github: GitHub, pull: PullRequest) -> None:
    """All of the review is refused, so nothing is half there."""
    with pytest.raises(RejectedError, match="part of the diff"):
        await ensure(github, pull, note(4), note(8))
    assert [] == pull.threads


async def test_an_unknown_pull_request(github: GitHub) -> None:
    with pytest.raises(MissingError, match="#404"):
        await github.ensure_notes(404, "d" * 40, [], marker=MARKER)
