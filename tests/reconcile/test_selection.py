"""Which lines a proposal changes."""

from datetime import UTC, datetime

import pytest

from reconcile.observed import Observed
from reconcile.plan import plan
from reconcile.selection import Selection, Wishes, narrow, select
from state.document import Hold
from state.ids import RepositoryName, Sha
from state.proposal import Candidate, SourceCommit, SourceHistory
from tests.builders import NOW, OGR, accepted, desired, observed_repository, observed_target, sha

OUT, OLD, NEW, ELSEWHERE = sha("a"), sha("b"), sha("c"), sha("f")
NOTHING = Wishes({}, frozenset(), frozenset())


def history(out: Sha | None = OUT) -> SourceHistory:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    waiting = tuple(
        SourceCommit(sha=each, committed_at=at, headline="x", author="alice") for each in (NEW, OLD)
    )
    return SourceHistory(
        repository=OGR, url="", source="main", out=out, head=NEW, waiting=waiting, is_complete=True
    )


def chosen(
    candidate: Sha | None,
    current: Sha | None,
    wishes: Wishes = NOTHING,
    *,
    out: Sha | None = OUT,
    is_held: bool = False,
) -> tuple[Sha | None, list[str]]:
    """Select for one repository: its new target, and the reasons for leaving it."""
    document = desired(
        {OGR: current} if current else {}, holds={OGR: Hold(reason="a reason")} if is_held else {}
    )
    selection = select(
        document,
        [OGR],
        {OGR: history(out)},
        [Candidate(repository=OGR, sha=candidate, rule="validated")],
        wishes,
    )
    return selection.targets.get(OGR), [each.reason for each in selection.left_out]


@pytest.mark.parametrize(
    ("expected", "candidate", "current"),
    [
        (OLD, OLD, OUT),
        (NEW, NEW, OUT),
        (NEW, NEW, OLD),
        (None, OLD, OLD),
        (None, OLD, NEW),
        (None, OUT, OLD),
        (None, OUT, ELSEWHERE),
        (NEW, NEW, ELSEWHERE),
        (OUT, OUT, None),
        (NEW, NEW, None),
    ],
)
def test_only_what_is_newer(expected: Sha | None, candidate: Sha, current: Sha | None) -> None:
    """A candidate goes in where it is newer than the file, which may ask for what is not out yet, or names nothing."""
    assert (expected, []) == chosen(candidate, current)


def test_nothing_to_begin_with() -> None:
    """A repository without a ref and without a candidate is told; one that the file names is not news."""
    target, reasons = chosen(None, None, out=None)
    assert target is None
    assert ["nothing is out and nothing may go out yet: validated"] == reasons
    assert (None, []) == chosen(None, OLD, out=None)


@pytest.mark.parametrize(
    ("expected", "wishes", "is_held"),
    [
        ("left where the file has it, as asked for", Wishes({}, frozenset({OGR}), frozenset()), False),
        ("left where the file has it, as asked for", Wishes({}, frozenset(), frozenset({"o/other"})), False),
        ("held in the file: a reason", NOTHING, True),
    ],
)
def test_what_is_left_has_a_reason(expected: str, wishes: Wishes, is_held: bool) -> None:  # noqa: FBT001 (a column)
    """Said only where there was something to leave."""
    assert (None, [expected]) == chosen(NEW, OUT, wishes, is_held=is_held)
    assert (None, []) == chosen(OUT, OUT, wishes, is_held=is_held)


def test_a_pin_wins() -> None:
    """Over the rule, over a hold in the file, and also where it is older."""
    pins: dict[RepositoryName, Sha] = {OGR: OUT}
    assert (OUT, []) == chosen(NEW, NEW, Wishes(pins, frozenset(), frozenset({OGR})), is_held=True)


def test_what_github_does_not_have_is_told() -> None:
    """A name of the policy without a repository behind it."""
    selection = select(desired({}), ["o/gone"], {}, [], NOTHING)
    assert ["there is no such repository, or the account may not see it"] == [
        each.reason for each in selection.left_out
    ]


@pytest.mark.parametrize("is_pinned", [False, True])
def test_what_would_be_held_goes_unless_it_was_asked_for(is_pinned: bool) -> None:  # noqa: FBT001 (a column)
    """A person sees the hold of their own pin; a rule proposes nothing in vain."""
    observed = Observed(
        at=NOW, repositories={OGR: observed_repository(target=observed_target(NEW, on_branch=None))}
    )
    planned = plan(accepted({OGR: NEW}), observed, now=NOW)
    wishes = Wishes({OGR: NEW} if is_pinned else {}, frozenset(), frozenset())
    selection = narrow(Selection({OGR: NEW}, ()), planned, wishes)
    if is_pinned:
        assert ({OGR: NEW}, ()) == selection
    else:
        assert {} == selection.targets
        assert "would be held (not-on-source)" in selection.left_out[0].reason
