"""What merging a branch would make of the file: its own changes, on what the base has decided since."""

import pytest

from reconcile.foresight import assume_merged, merge_desired
from reconcile.observed import Documents, ReleaseState
from state.document import DesiredState, Hold
from state.ledger import Ledger, LedgerError
from tests.builders import desired, policy, proved, sha, version

A, B, C = sha("a"), sha("b"), sha("c")
HOLD = Hold(reason="waits for somebody")


@pytest.mark.parametrize(
    ("expected", "fork_point", "base", "head"),
    [
        ({"o/a": A}, {"o/a": A}, {"o/a": A}, {"o/a": A}),
        ({"o/a": B}, {"o/a": A}, {"o/a": A}, {"o/a": B}),
        ({"o/a": B}, {"o/a": A}, {"o/a": B}, {"o/a": A}),
        ({"o/a": C}, {"o/a": A}, {"o/a": B}, {"o/a": C}),
        ({"o/a": B, "o/b": B}, {"o/a": A, "o/b": A}, {"o/a": B, "o/b": A}, {"o/a": A, "o/b": B}),
        ({}, {"o/a": A}, {"o/a": A}, {}),
        ({}, {"o/a": A}, {}, {"o/a": A}),
        ({"o/a": A, "o/b": B}, {}, {"o/a": A}, {"o/b": B}),
    ],
)
def test_each_repository_is_merged_by_itself(
    expected: dict[str, str], fork_point: dict[str, str], base: dict[str, str], head: dict[str, str]
) -> None:
    """Who changed a line since the branch began has it; where both did, the branch shows what it asks for."""
    assert expected == merge_desired(desired(fork_point), desired(base), desired(head)).targets


def test_every_section_is_merged() -> None:
    """Holds as well as targets, and the ref."""
    fork_point = desired({"o/a": A})
    base = desired({"o/a": A}, holds={"o/a": HOLD})
    head = DesiredState(version=1, ref="production", targets={"o/a": B})
    merged = merge_desired(fork_point, base, head)
    assert ("production", {"o/a": B}, {"o/a": HOLD}) == (merged.ref, merged.targets, merged.holds)


def release_state(ledger_text: str | None) -> ReleaseState:
    return ReleaseState(
        repository_id="id",
        version=version(),
        documents=Documents(commit=sha("c"), desired_text="", policy_text=""),
        ledger_head=None,
        ledger_text=ledger_text,
    )


def test_the_ledger_counts() -> None:
    """What is proved and spent is so before the merge and after."""
    ledger = proved()
    accepted = assume_merged(release_state(ledger.model_dump_json()), desired(), policy())
    assert ledger == accepted.ledger


def test_a_missing_ledger_is_begun() -> None:
    """The first run after the merge writes one and goes on, so nothing is held for want of it."""
    assert Ledger() == assume_merged(release_state(None), desired(), policy()).ledger


def test_a_broken_ledger_is_an_error() -> None:
    """A plan without it would promise what no run does."""
    with pytest.raises(LedgerError):
        assume_merged(release_state("{"), desired(), policy())
