"""A plan as rows, the same for every surface."""

from datetime import time
from zoneinfo import ZoneInfo

from reconcile.observed import Observed, Relation
from reconcile.plan import plan
from reconcile.render.plan import render_plan, rows_of, summarize
from reconcile.render.report import summarize_with_reason
from state.document import Permit, Permits
from state.policy import Window
from tests.builders import LIVE, NOW, OGR, TARGET, accepted, observed_repository, observed_target
from tests.reconcile.render.examples import busy_plan
from tests.reconcile.render.golden import assert_golden
from tests.reconcile.render.reading import links


def test_golden() -> None:
    """Every kind of row, as reviewed."""
    assert_golden("plan.md", render_plan(busy_plan()[0]))


def test_the_summary_counts() -> None:
    """Moves of all, holds, waits; nothing that is zero but the moves."""
    tomorrow = Window(days=("Tue",), from_=time(8), until=time(16), zone=ZoneInfo("UTC"))
    assert "3 of 5 move · 1 held" == summarize(busy_plan()[0].items)
    assert "0 of 5 move · 1 held · 3 wait" == summarize(busy_plan((tomorrow,))[0].items)
    assert "nothing to do, 0 of 0 in place" == summarize(())


def test_the_first_hold_is_named() -> None:
    """A status has one line, and says what to look at."""
    assert "3 of 5 move · 1 held (packit/dashboard: held)" == summarize_with_reason(busy_plan()[0].items)


def test_what_comes_back_is_linked() -> None:
    """A rewind links to what it takes back: GitHub shows nothing from a later to an earlier commit."""
    way = Permit(from_=LIVE, to=TARGET, reason="rollback")
    made = plan(
        accepted(permits={OGR: Permits(rewind=way)}),
        Observed(
            at=NOW,
            repositories={
                OGR: observed_repository(target=observed_target(relation=Relation.REWIND, ahead=0, behind=4))
            },
        ),
        now=NOW,
    )
    (row,) = rows_of(made.items)
    assert ("rewind", 4) == (row.what, row.commits)
    assert f"https://github.example/{OGR}/compare/{TARGET[:12]}...{LIVE[:12]}" in links(render_plan(made))
