"""Whose reviews count: outsiders with write access, on the final head, by their last word."""

from dataclasses import replace

import pytest

from tests.acceptance.conftest import BOT, Release
from tests.sandbox.model import PullRequest, Review

MOVES, HELD = "fast-forward", "not-approved"


async def verdict(release: Release, pull: PullRequest) -> str:
    release.merge(pull, "squash")
    (found,) = (await release.verdicts()).values()
    return found


async def proposed(release: Release, *, reviews: int = 1, by: str = BOT) -> PullRequest:
    await release.accept(f"{{reviews: {reviews}}}")
    return release.propose(release.desired(ogr=1), by=by)


def dismiss(pull: PullRequest, review: Review) -> None:
    """Dismiss a review, as GitHub shows it afterwards."""
    pull.reviews[pull.reviews.index(review)] = replace(review, state="DISMISSED")


@pytest.mark.parametrize(
    ("expected", "reviewers"), [(HELD, ()), (HELD, ("alice",)), (MOVES, ("alice", "packit-bot"))]
)
async def test_so_many_reviews(release: Release, expected: str, reviewers: tuple[str, ...]) -> None:
    pull = await proposed(release, reviews=2)
    for reviewer in reviewers:
        release.state.review(pull.number, reviewer)

    assert expected == await verdict(release, pull)


async def test_no_review_where_none_is_asked_for(release: Release) -> None:
    pull = await proposed(release, reviews=0, by="alice")

    assert MOVES == await verdict(release, pull)


async def test_who_approved_is_known(release: Release) -> None:
    pull = await proposed(release)
    release.state.review(pull.number, "bob")
    release.state.review(pull.number, "alice")
    release.merge(pull)

    accepted, _ = await release.survey()

    assert (pull.number, ("alice", "bob")) == (accepted.pull_request, accepted.approvers)


async def test_self_approval(release: Release) -> None:
    """GitHub refuses it; should it be there all the same, it does not count."""
    pull = await proposed(release, by="alice")
    store = release.sandbox.store
    alice = store.account("alice")
    pull.reviews.append(Review(store.next_id(), alice, "APPROVED", "", pull.head_oid, store.clock()))

    assert HELD == await verdict(release, pull)


async def test_approval_by_who_pushed_to_the_bots_branch(release: Release) -> None:
    """A person's edit of a proposal needs another person; the one who edited is no outsider."""
    pull = await proposed(release)
    release.push(release.desired(ogr=2), branch="proposal", by="alice")
    release.state.review(pull.number, "alice")
    release.merge(pull)
    assert {"ogr": HELD} == await release.verdicts()

    again = release.propose(release.desired(ogr=1), branch="again")
    release.push(release.desired(ogr=2, packit=1), branch="again", by="alice")
    release.state.review(again.number, "bob")
    release.merge(again)
    assert {"ogr": HELD, "packit": MOVES} == await release.verdicts()


async def test_approval_by_a_stranger(release: Release) -> None:
    """Anybody can review in public; only who may write decides."""
    pull = await proposed(release)
    release.state.review(pull.number, "mallory")

    assert HELD == await verdict(release, pull)


async def test_approval_of_an_older_head(release: Release) -> None:
    pull = await proposed(release)
    release.state.review(pull.number, "alice")
    release.push(release.desired(ogr=2), branch="proposal", by=BOT)

    assert HELD == await verdict(release, pull)


async def test_approval_before_a_force_push(release: Release) -> None:
    pull = await proposed(release)
    release.state.review(pull.number, "alice")
    release.force_push(release.write([release.head], release.desired(ogr=2)), "proposal")

    assert HELD == await verdict(release, pull)


async def test_a_dismissed_approval(release: Release) -> None:
    pull = await proposed(release)
    dismiss(pull, release.state.review(pull.number, "alice"))

    assert HELD == await verdict(release, pull)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (HELD, ("APPROVED", "CHANGES_REQUESTED")),
        (MOVES, ("CHANGES_REQUESTED", "APPROVED")),
        (MOVES, ("APPROVED", "COMMENTED")),
        (HELD, ("COMMENTED",)),
    ],
)
async def test_the_last_word(release: Release, expected: str, said: tuple[str, ...]) -> None:
    pull = await proposed(release)
    for state in said:
        release.state.review(pull.number, "alice", state)  # type: ignore[arg-type]  # one of the three

    assert expected == await verdict(release, pull)


async def test_a_bots_approval(release: Release) -> None:
    """Neither another App's, nor that of the account that proposes."""
    pull = await proposed(release, by="alice")
    release.state.review(pull.number, "packit-as-a-service")
    release.state.review(pull.number, BOT)

    assert HELD == await verdict(release, pull)
