"""Whose reviews count: outsiders with write access, on the final head, by their last word."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from reconcile.github.client import connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from tests.acceptance.conftest import BOT, Release
from tests.sandbox.model import PullRequest, Review
from tests.sandbox.pulls import edit

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


async def test_approval_of_a_small_step_on_another_branch(release: Release) -> None:
    """Pointed at the default branch afterwards, the same head brings what that branch had, and nobody saw."""
    await release.accept("{reviews: 1}")
    release.push(release.desired(ogr=2), branch="aside", by="mallory")
    release.state.push("proposal", release.state.rev_parse("aside"), by=BOT)
    pull = release.propose(release.desired(ogr=2, packit=1), base="aside")
    release.state.review(pull.number, "alice")
    edit(pull, release.sandbox.store.account(BOT), base="main")
    release.merge(pull)
    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()

    pull.base_changes[-1] = replace(pull.base_changes[-1], at=pull.created_at - timedelta(minutes=1))
    assert {"ogr": MOVES, "packit": MOVES} == await release.verdicts()


async def test_approval_before_the_base_was_replaced(release: Release) -> None:
    """A direct push that the branch began with was context in its diff, and is a change once it is gone."""
    before = await release.accept("{reviews: 1}")
    release.push(release.desired(ogr=2))
    pull = release.propose(release.desired(ogr=2, packit=1))
    release.state.review(pull.number, "alice")
    release.force_push(before)
    release.merge(pull)

    assert {"ogr": HELD, "packit": HELD} == await release.verdicts()


async def test_approval_by_a_co_author(release: Release) -> None:
    pull = await proposed(release)
    message = f"Decide\n\nCo-authored-by: Alice <{release.sandbox.store.account('alice').email}>"
    commit = release.write([pull.head_oid], release.desired(ogr=2), author=BOT, message=message)
    release.state.push("proposal", commit, by=BOT)
    release.state.review(pull.number, "alice")

    assert HELD == await verdict(release, pull)


async def test_approval_by_who_pushed_in_the_name_of_another(release: Release) -> None:
    """Git takes every name; GitHub knows who pushed."""
    pull = await proposed(release)
    commit = release.write([pull.head_oid], release.desired(ogr=2), author=BOT)
    release.state.push("proposal", commit, by="alice")
    release.state.review(pull.number, "alice")

    assert HELD == await verdict(release, pull)


@pytest.mark.parametrize(("expected", "is_known"), [(MOVES, True), (HELD, False)])
async def test_a_commit_of_somebody_without_an_account(
    release: Release, expected: str, *, is_known: bool
) -> None:
    """Whoever pushed it answers for it; where that is not known either, the reviewer may have made it."""
    pull = await proposed(release)
    nobody = replace(release.sandbox.store.account("alice"), database_id=1, login="nobody", name="Nobody")
    commit = release.write([pull.head_oid], release.desired(ogr=2), author=nobody)
    release.state.push("proposal", commit, by="bob")
    if not is_known:
        release.state.activity.clear()
    release.state.review(pull.number, "alice")

    assert expected == await verdict(release, pull)


async def test_a_fork_that_is_gone(release: Release) -> None:
    """Who pushed there is not known; who made the commits is."""
    await release.accept("{reviews: 1}")
    fork = release.state.fork("mallory")
    release.push(release.desired(ogr=1), branch="theirs", by="mallory", repository=fork)
    pull = release.state.open_pull_request("Move", "", "mallory:theirs", "main", "mallory")
    release.state.review(pull.number, "alice")
    fork.activity.clear()

    assert MOVES == await verdict(release, pull)


async def test_approval_by_the_account_itself(release: Release) -> None:
    """A person's account that does a machine's work is no person."""
    pull = await proposed(release, by="alice")
    release.state.review(pull.number, "packit-bot")
    release.merge(pull)
    assert {"ogr": MOVES} == await release.verdicts()

    settings = GitHubSettings(
        url=release.sandbox.url,
        credentials=TokenCredentials(token=SecretStr(release.sandbox.tokens["packit-bot"])),
        seconds_between_writes=0,
    )
    async with connect(settings, repository="packit/release-state") as release.github:
        assert {"ogr": HELD} == await release.verdicts()
