"""The benchmarks themselves: they measure what they say, and their bounds on requests hold."""

from datetime import UTC, datetime

import pytest

from tests.benchmarks import jobs, tables
from tests.benchmarks.fleets import SecondaryLimits
from tests.benchmarks.results import GIT, PRODUCT, SCRIPT, Job, Results, judge
from tests.sandbox.faults import Request


def test_secondary_limits() -> None:
    """The eighty-first write of a minute is one too many, refused or not; git is not counted."""
    limits = SecondaryLimits()
    write = Request("graphql:mutation", "POST", "/graphql", "", None)
    git = Request("git", "POST", "/o/r.git/git-receive-pack", "", None)
    assert [False] * 80 + [True] == [limits.refuses(write) for _ in range(81)]
    assert not limits.refuses(git)
    limits.is_enforced = False
    assert not limits.refuses(write)
    assert 2 == limits.hits


@pytest.mark.slow
def test_small_jobs() -> None:
    """The jobs run to their end on small fleets, and are told in tables. Times are held to nothing here."""
    measured = (*jobs.nothing_to_do(8), *jobs.eight_move(), *jobs.everything_moves(8))
    assert [
        (Job.NOTHING, PRODUCT),
        (Job.NOTHING, SCRIPT),
        (Job.EIGHT, PRODUCT),
        (Job.EIGHT, GIT),
        (Job.EVERYTHING, PRODUCT),
        (Job.EVERYTHING, SCRIPT),
    ] == [(each.job, each.way) for each in measured]
    assert (2, 24, 32) == (measured[0].requests, measured[1].requests, measured[5].requests)
    goals = tuple(judge(measured))
    assert all(goal.is_met for goal in goals if "request" in goal.what or "limit" in goal.what)
    results = Results(
        at=datetime(2026, 3, 2, tzinfo=UTC),
        machine="a test",
        latency_seconds=0.04,
        measurements=measured,
        goals=goals,
    )
    assert "| git fetch and git push | 8 |" in tables.render_markdown(results)
