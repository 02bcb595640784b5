"""History: what is read of a fleet's releases, and the page that shows it."""

import sys
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from flows.charts import draw_history
from flows.ways.errors import UsageError
from flows.ways.history import read_history
from reconcile.render.history import describe_gaps, describe_share, render_history
from reconcile.report import Result
from state.history import Decided, History
from tests.flows.histories import make_history
from tests.flows.world import NAMES, OGR, PACKIT, TOKMAN, World


async def read(world: World, since: str | None = None) -> History:
    async with world.connect() as github:
        return await read_history(github, since, clock=world.clock)


async def decide(world: World, number: int, *names: str) -> None:
    world.merge(world.at(number, *names))
    assert Result.CONVERGED is (await world.reconcile()).result


def pass_days(world: World, days: int) -> None:
    world.clock.now.now += timedelta(days=days)  # type: ignore[attr-defined]  # the tests' clock


@pytest.fixture
async def released(world: World) -> World:
    """Two decisions; the second after one of the refs was moved by hand, which it takes back."""
    await world.reconcile()
    await decide(world, 2)
    pass_days(world, 7)
    world.push(TOKMAN, world.commits[TOKMAN][4])
    permit = {"from": world.commits[TOKMAN][4], "to": world.commits[TOKMAN][2], "reason": "not by hand"}
    world.merge(world.at(3, OGR, PACKIT), permits={TOKMAN: {"rewind": permit}})
    assert Result.CONVERGED is (await world.reconcile()).result
    return world


async def test_who_decided_what(released: World) -> None:
    history = await read(released)
    assert [(2, "alice", "bob", NAMES), (1, "alice", "bob", NAMES)] == [
        (each.pull_request, each.author, each.merged_by, each.repositories) for each in history.decisions
    ]
    assert (6, 2, 1, 1) == (
        history.figures.moves,
        history.figures.decisions,
        history.figures.rollbacks,
        history.figures.by_hand,
    )


async def test_what_was_moved_by_hand(released: World) -> None:
    """Only since the ledger began: who put the refs where it found them is nobody's business."""
    history = await read(released)
    assert [(TOKMAN, "mallory", released.commits[TOKMAN][2], released.commits[TOKMAN][4])] == [
        (each.repository, each.actor, each.before, each.after) for each in history.by_hand
    ]
    assert () == history.untold
    assert datetime(2026, 3, 2, tzinfo=UTC) < history.since


async def test_from_a_date_or_a_decision_on(released: World) -> None:
    for since in ("2026-03-08", "#2"):
        history = await read(released, since)
        assert [2] == [each.pull_request for each in history.decisions]
    with pytest.raises(UsageError, match="#7 is not one accepted decision"):
        await read(released, "#7")
    with pytest.raises(UsageError, match="2099-01-01 is yet to come"):
        await read(released, "2099-01-01")


async def test_how_long_changes_waited(released: World) -> None:
    """Five of six changes of two weeks came before the first decision; the sixth waited a week longer."""
    lead = (await read(released)).figures.lead_time
    assert lead
    assert 8 == lead.changes
    assert timedelta() < lead.median < timedelta(hours=1)
    assert timedelta(days=7) < lead.p90 < timedelta(days=7, hours=1)


async def test_what_may_not_be_read_is_said(released: World) -> None:
    """An account without the right to read the activity finds none, and does not say that there are none."""
    store = released.sandbox.store
    store.delete_repository(TOKMAN)
    history = await read(released)
    assert (TOKMAN,) == history.untold
    assert 0 == history.figures.by_hand
    assert {"unknown"} == {each.direction for each in history.releases if each.repository == TOKMAN}
    by_hand, gone = describe_gaps(history)
    assert f"Who moved stable by hand cannot be known of {TOKMAN}" in by_hand
    assert "not known any more" in gone


async def test_without_a_ledger(world: World) -> None:
    with pytest.raises(UsageError, match="There is no ledger yet"):
        await read(world)
    await world.reconcile()
    history = await read(world)
    assert (0, (), None) == (history.figures.moves, history.decisions, history.figures.lead_time)
    assert "No decision moved anything." in render_history(history, draw_history(history))


# The page


def test_the_page_needs_nothing_else() -> None:
    history = make_history()
    page = render_history(history, draw_history(history))
    for word in ("<script", "<link", "src=", "@import", "url(http"):
        assert word not in page
    assert page == render_history(history, draw_history(history))
    assert 3 == page.count("<svg")


def test_every_chart_is_drawn() -> None:
    """Also of a day without any move, and of a fleet that is larger than a chart."""
    for history in (make_history(1), make_history(0), make_history(60)):
        for chart in draw_history(history):
            assert "svg" in ET.fromstring(chart).tag


def test_words_from_outside_have_no_power() -> None:
    history = make_history(1)
    hostile = "<script>alert(1)</script>\"'"
    decided = Decided(
        commit="a" * 40,
        at=history.until,
        pull_request=1,
        title=hostile,
        author=hostile,
        url="javascript:alert(1)",
    )
    page = render_history(history.model_copy(update={"decisions": (decided,)}), ("", "", ""))
    assert "<script" not in page
    assert "javascript:" not in page
    assert "&lt;script&gt;" in page


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'stablehand\[charts\]'"):
        draw_history(make_history(1))


def test_little_is_not_nothing() -> None:
    assert ["0 %", "under 1 %", "1 %", "100 %"] == [describe_share(each) for each in (0, 0.001, 0.01, 1)]
