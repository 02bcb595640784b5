"""Which lines a proposal changes."""

from datetime import UTC, datetime, timedelta

import pytest

from reconcile.observed import Observed
from reconcile.plan import plan
from reconcile.selection import (
    Selection,
    Wishes,
    amend,
    going_out,
    is_worth_proposing,
    narrow,
    select,
    spent_permits,
)
from state.document import DesiredState, Hold, Permit, Permits
from state.ids import RepositoryName, Sha
from state.ledger import Ledger, SpentPermit
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
        now=NOW,
    )
    return selection.targets.get(OGR), [each.reason for each in selection.left_out]


def test_a_repository_without_the_source_branch_is_named() -> None:
    """It would otherwise stay where it is for ever, and nobody would hear of it."""
    without = history().model_copy(update={"head": None, "waiting": ()})
    stays = Candidate(repository=OGR, sha=OUT, rule="nothing waits")
    selection = select(desired({OGR: OUT}), [OGR], {OGR: without}, [stays], NOTHING, now=NOW)
    assert ["it has no branch main, which proposals come from"] == [
        each.reason for each in selection.left_out
    ]
    assert {} == selection.targets


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
    selection = select(desired({}), ["o/gone"], {}, [], NOTHING, now=NOW)
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
        assert ({OGR: NEW}, ()) == (selection.targets, selection.left_out)
    else:
        assert {} == selection.targets
        assert "would be held (not-on-source)" in selection.left_out[0].reason


def held(until: timedelta | None, *, target: Sha = OUT) -> DesiredState:
    hold = Hold(reason="a reason", until=None if until is None else NOW + until)
    return desired({OGR: target}, holds={OGR: hold})


def select_held(document: DesiredState, wishes: Wishes = NOTHING) -> Selection:
    candidate = Candidate(repository=OGR, sha=NEW, rule="validated")
    return select(document, [OGR], {OGR: history()}, [candidate], wishes, now=NOW)


@pytest.mark.parametrize(
    ("is_lifted", "until", "wishes"),
    [
        (True, timedelta(0), NOTHING),
        (True, -timedelta(days=9), NOTHING),
        (False, timedelta(seconds=1), NOTHING),
        (False, None, NOTHING),
        (False, -timedelta(1), Wishes({}, frozenset({OGR}), frozenset())),
        (False, -timedelta(1), Wishes({}, frozenset(), frozenset({"o/other"}))),
    ],
)
def test_a_hold_that_has_run_out_is_offered_to_be_lifted(
    is_lifted: bool,  # noqa: FBT001 (a column)
    until: timedelta | None,
    wishes: Wishes,
) -> None:
    """Together with what waits behind it; not where somebody wants the repository left alone."""
    document = held(until)
    selection = select_held(document, wishes)
    amended = amend(document, selection, ())
    assert (is_lifted, is_lifted) == (OGR in selection.lifted, OGR in selection.targets)
    assert ({} if is_lifted else document.holds) == amended.holds


def test_lifting_alone_is_worth_a_proposal_where_it_moves_something() -> None:
    """A decision that the hold kept back goes out with it; an empty hold is no reason for a pull request."""
    document = held(-timedelta(1), target=NEW)
    selection = select_held(document)
    amended = amend(document, selection, ())

    def is_worth(live: Sha) -> bool:
        target = observed_target(NEW)
        observed = Observed(at=NOW, repositories={OGR: observed_repository(live=live, target=target)})
        planned = plan(accepted(amended.targets), observed, now=NOW)
        return is_worth_proposing(document, selection, planned)

    assert {} == selection.targets
    assert (True, False) == (is_worth(OUT), is_worth(NEW))


def test_used_permits_go_and_others_stay() -> None:
    """Each by itself: what is left of a repository's permits stays, and an empty entry does not."""
    used = Permit(from_=NEW, to=OUT, reason="rollback")
    other = Permit(from_=OUT, to=OLD, reason="rollback")
    document = desired(
        {OGR: OUT, "o/b": OUT, "o/c": OUT},
        permits={
            OGR: Permits(rewind=used),
            "o/b": Permits(rewind=used, force=other),
            "o/c": Permits(rewind=used),
        },
    )
    ledger = Ledger(
        spent=tuple(SpentPermit(repository=name, from_=NEW, to=OUT) for name in (OGR, "o/b", "o/gone"))
    )
    spent = spent_permits(document, ledger)
    assert (("o/b", "rewind"), (OGR, "rewind")) == spent
    amended = amend(document, Selection({}, ()), spent)
    assert {"o/b": Permits(force=other), "o/c": Permits(rewind=used)} == amended.permits
    planned = plan(accepted({OGR: OUT}), Observed(at=NOW, repositories={}), now=NOW)
    assert not is_worth_proposing(document, Selection({}, ()), planned)


@pytest.mark.parametrize(
    ("expected", "live", "target"),
    [([NEW, OLD], OUT, NEW), ([OLD], OUT, OLD), ([], OUT, ELSEWHERE), ([], ELSEWHERE, NEW), ([], None, NEW)],
)
def test_what_goes_out(expected: list[Sha], live: Sha | None, target: Sha) -> None:
    """The waiting commits up to the target; nothing is guessed of a target or a ref that is elsewhere."""
    observed = Observed(
        at=NOW, repositories={OGR: observed_repository(live=live, target=observed_target(target))}
    )
    (item,) = plan(accepted({OGR: target}), observed, now=NOW).items
    assert expected == [commit.sha for commit in going_out(history(), item)]
    assert () == going_out(None, item)
