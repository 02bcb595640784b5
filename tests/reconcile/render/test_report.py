"""What a run did, for the merged pull request and the commit's status."""

from datetime import UTC, datetime

import pytest

from reconcile.apply import Failed, Moved, Refused
from reconcile.render.report import render_report, status_description
from reconcile.report import RunReport
from state.ledger import Move
from tests.builders import sha
from tests.reconcile.render.examples import OGR, PACKIT, SERVICE, TOKMAN, URL, busy_plan
from tests.reconcile.render.golden import assert_golden

AT = datetime(2026, 3, 2, 9, 1, tzinfo=UTC)


def outcome(name: str, after: str) -> dict[str, object]:
    return {
        "repository": name,
        "name": name,
        "url": f"{URL}/{name}",
        "before": sha("70" if name == TOKMAN else "50"),
        "after": sha(after),
    }


MOVED = Moved.model_validate({**outcome(TOKMAN, "70"), "before": sha("6f"), "at": AT})
REFUSED = Refused.model_validate(
    {**outcome(PACKIT, "ba"), "code": "protected", "sentence": "A rule of @everyone | says no."}
)
FAILED = Failed.model_validate({**outcome(SERVICE, "5b"), "sentence": "The answer was lost."})


def test_golden() -> None:
    """A checklist with what moved, in this run and before, what is held, what failed and why."""
    report = RunReport(plan=busy_plan()[0], outcomes=(MOVED, REFUSED, FAILED))
    assert_golden("report.md", render_report(report))


def test_earlier_moves_stay_on_the_list() -> None:
    """A run that only waits does not take the tick from what an earlier one moved for the same decision."""
    earlier = Move(repository=TOKMAN, before=sha("6f"), after=sha("70"), at=AT, run="first")
    assert render_report(RunReport(plan=busy_plan()[0], outcomes=(MOVED,))) == render_report(
        RunReport(plan=busy_plan()[0]), (earlier,)
    )


@pytest.mark.parametrize(
    ("expected", "outcomes"),
    [
        ("failed · 3 of 5 move · 1 held (packit/dashboard: held)", ()),
        ("failed · 1 moved · 3 of 5 move · 1 held (packit/dashboard: held)", (MOVED,)),
    ],
)
def test_status(expected: str, outcomes: tuple[Moved, ...]) -> None:
    """One line with result, moves and the first hold."""
    assert expected == status_description(RunReport(plan=busy_plan()[0], outcomes=outcomes))


def test_status_fits() -> None:
    """GitHub refuses a description over 140 characters."""
    long = REFUSED.model_copy(update={"repository": OGR, "name": OGR})
    plan = busy_plan()[0]
    items = tuple(item.model_copy(update={"name": "o/" + "n" * 200}) for item in plan.items)
    report = RunReport(plan=plan.model_copy(update={"items": items}), outcomes=(long,))
    assert 140 == len(status_description(report))


def test_moves_that_are_not_shown_as_deployments_are_named() -> None:
    """With a link; it changes nothing of what the run came to."""
    plain = RunReport(plan=busy_plan()[0], outcomes=(MOVED,))
    report = plain.model_copy(update={"not_deployed": (TOKMAN,)})
    assert report.result is plain.result
    assert render_report(report).endswith(f"The log of the run says why:\n\n- [{TOKMAN}]({URL}/{TOKMAN})")
