"""Record: the ledger is written once, and it is known whether it was."""

from datetime import timedelta

import pytest

from reconcile.apply import LOST_AFTER_SECONDS
from reconcile.errors import (
    ForbiddenError,
    RateLimitedError,
    ReconcileError,
    StaleHeadError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconcile.record import record_ledger
from state.ids import Sha
from state.ledger import Ledger, dump_ledger
from tests.builders import NOW, OGR
from tests.fakes import FakeGitHub

LEDGER = Ledger(rebuilt={OGR: NOW})
SHORT, LONG = timedelta(seconds=30), timedelta(hours=1)


class Deaf(FakeGitHub):
    """Carries out commits of the ledger, and their answers are lost."""

    async def store_ledger(self, text: str, *, expected_head: Sha | None, message: str) -> Sha:
        await super().store_ledger(text, expected_head=expected_head, message=message)
        raise UnreachableError("502 Bad Gateway")


async def record(github: FakeGitHub, *, expected_head: Sha | None = None) -> None:
    await record_ledger(
        github, LEDGER, expected_head=expected_head, message="Record", clock=github.tools.clock
    )


def recorded(github: FakeGitHub) -> list[str]:
    return [text for _, text in github.ledger]


async def test_written_once() -> None:
    github = FakeGitHub()
    await record(github)
    assert [dump_ledger(LEDGER)] == recorded(github)
    assert (["store_ledger"], []) == (github.requests, github.clock.slept)


@pytest.mark.parametrize("error", [UnreachableError("502"), UnexpectedAnswerError("a page for people")])
async def test_lost_before_it_was_carried_out(error: ReconcileError) -> None:
    """Once GitHub can no longer be at it, a look; it is not there, so it is sent again."""
    github = FakeGitHub()
    github.errors["store_ledger"].append(error)
    await record(github)
    assert [dump_ledger(LEDGER)] == recorded(github)
    assert ["store_ledger", "load_release_state", "store_ledger"] == github.requests
    assert [LOST_AFTER_SECONDS] == github.clock.slept


async def test_lost_after_it_was_carried_out() -> None:
    """The look finds it there, and nothing is sent again."""
    github = Deaf()
    await record(github)
    assert [dump_ledger(LEDGER)] == recorded(github)
    assert ["store_ledger", "load_release_state"] == github.requests


async def test_lost_and_another_run_was_first() -> None:
    """What the other wrote has to be seen before anything moves."""
    github = FakeGitHub()
    head = await github.store_ledger("theirs\n", expected_head=None, message="Record")
    github.errors["store_ledger"].append(UnreachableError("502"))
    with pytest.raises(StaleHeadError, match="Another run"):
        await record(github)
    assert ["theirs\n"] == recorded(github)
    github.errors["store_ledger"].append(UnreachableError("502"))
    await record(github, expected_head=head)
    assert ["theirs\n", dump_ledger(LEDGER)] == recorded(github)


async def test_lost_again_and_again() -> None:
    """The third lost answer is the caller's."""
    github = FakeGitHub()
    github.errors["store_ledger"].extend([UnreachableError("502")] * 3)
    with pytest.raises(UnreachableError):
        await record(github)
    assert ([], 3) == (recorded(github), github.requests.count("store_ledger"))


async def test_short_pause() -> None:
    """GitHub put it off and carried out nothing: no look, and it is sent again after the pause."""
    github = FakeGitHub()
    github.errors["store_ledger"].extend([RateLimitedError("slow down", retry_after=SHORT)] * 2)
    await record(github)
    assert [dump_ledger(LEDGER)] == recorded(github)
    assert (["store_ledger"] * 3, [30.0, 30.0]) == (github.requests, github.clock.slept)


@pytest.mark.parametrize(("pause", "times"), [(LONG, 1), (None, 1), (SHORT, 3)])
async def test_long_pause(pause: timedelta | None, times: int) -> None:
    """What would take too long is the next run's."""
    github = FakeGitHub()
    github.errors["store_ledger"].extend([RateLimitedError("slow down", retry_after=pause)] * times)
    with pytest.raises(RateLimitedError):
        await record(github)
    assert ([], times) == (recorded(github), len(github.requests))


@pytest.mark.parametrize("error", [ForbiddenError("no"), StaleHeadError("another was first")])
async def test_refused(error: ReconcileError) -> None:
    """A refusal is beyond doubt."""
    github = FakeGitHub()
    github.errors["store_ledger"].append(error)
    with pytest.raises(type(error)):
        await record(github)
    assert ["store_ledger"] == github.requests
