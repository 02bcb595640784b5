"""Which waiting commit is proposed, and why newer ones are not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from state.ids import Sha
from state.proposal import (
    Candidate,
    MergedPullRequest,
    SourceCommit,
    SourceHistory,
    choose_candidate,
    pin_candidate,
    read_release_note,
)

BEGAN = datetime(2026, 11, 23, 4, tzinfo=UTC)
OUT = "0" * 39 + "1"


def sha(letter: str) -> Sha:
    return letter * 40


def commit(letter: str, minutes: int) -> SourceCommit:
    """Make a commit that landed so many minutes before validation began."""
    merged_at = BEGAN - timedelta(minutes=minutes)
    return SourceCommit(
        sha=sha(letter),
        committed_at=BEGAN,  # rebased and squashed commits are dated at any time: the merge counts
        headline=f"Commit {letter}",
        author="ann",
        pull_request=MergedPullRequest(number=1, title="", url="", author="ann", merged_at=merged_at),
    )


def history(*landed: int, out: Sha | None = OUT) -> SourceHistory:
    """Make a chain, newest first, of commits a, b, c, … that landed so many minutes before validation began."""
    waiting = tuple(commit(letter, minutes) for letter, minutes in zip("abcdef", landed, strict=False))
    return SourceHistory(
        repository="packit/ogr",
        url="https://github.com/packit/ogr",
        source="main",
        out=out,
        head=waiting[0].sha if waiting else out,
        waiting=waiting,
        is_complete=True,
    )


def choose(
    of: SourceHistory,
    *,
    rule: Literal["validated", "head"] = "validated",
    began: datetime | None = BEGAN,
    runs: Sequence[str] = (),
    refused: Mapping[Sha, str] | None = None,
) -> Candidate:
    return choose_candidate(
        of,
        rule=rule,
        build_time=timedelta(minutes=60),
        validation_began_at=began,
        runs=runs,
        refused=refused,
    )


def left_behind(candidate: Candidate) -> list[tuple[str, str]]:
    return [(each.commit.sha[0], each.reason) for each in candidate.left_behind]


@pytest.mark.parametrize(
    ("expected", "landed"),
    [
        ("a", (60,)),
        ("a", (61, 300)),
        ("b", (59, 60)),
        ("c", (-5, 12, 90)),
        (OUT, (59,)),
        (OUT, (-5, 12)),
        (OUT, ()),
    ],
)
def test_validated(expected: str, landed: tuple[int, ...]) -> None:
    """The newest commit that a build could finish before validation began; what is out if there is none."""
    assert (expected if expected == OUT else sha(expected)) == choose(history(*landed)).sha


def test_skewed_clocks() -> None:
    """A commit is on stage only with all before it: one that landed too late holds back what stands on it."""
    candidate = choose(history(90, 30, 120))

    assert sha("c") == candidate.sha
    assert [
        ("a", "stands on a commit that was merged too late for validation"),
        ("b", "merged 30 min before validation began; a build takes 60 min"),
    ] == left_behind(candidate)


def test_reasons() -> None:
    """Everything newer is listed, newest first, with its own reason."""
    candidate = choose(history(-5, 12, 90))

    assert "validated" == candidate.rule
    assert [
        ("a", "merged after validation began"),
        ("b", "merged 12 min before validation began; a build takes 60 min"),
    ] == left_behind(candidate)


def test_nothing_validated_and_nothing_out() -> None:
    """There is no candidate where the ref does not exist and nothing was validated."""
    candidate = choose(history(10, out=None))

    assert candidate.sha is None
    assert "nothing newer was validated" == candidate.rule


def test_no_validation() -> None:
    """Silence is no pass: without evidence everything stays behind, whatever stage runs."""
    candidate = choose(history(90, 120), began=None, runs=[sha("a")])

    assert OUT == candidate.sha
    assert [("a", "no validation covers it"), ("b", "no validation covers it")] == left_behind(candidate)


@pytest.mark.parametrize(
    ("expected", "runs"),
    [("a", "a"), ("b", "b"), ("c", "c")],
)
def test_stage_says_what_it_runs(expected: str, runs: str) -> None:
    """What stage reports is more than a guess by build time, in both directions."""
    candidate = choose(history(10, 70, 80), runs=[sha(runs)])

    assert sha(expected) == candidate.sha
    assert {f"stage runs {runs * 7}, which is older"} >= {reason for _, reason in left_behind(candidate)}


def test_stage_runs_what_is_out() -> None:
    """Then nothing newer was validated."""
    assert OUT == choose(history(70, 80), runs=[OUT]).sha


def test_stage_has_moved_on_since() -> None:
    """What landed after validation began was not validated, though stage runs it by now."""
    candidate = choose(history(-5, 10), runs=[sha("a")])

    assert sha("b") == candidate.sha
    assert [("a", "merged after validation began")] == left_behind(candidate)


def test_stage_runs_something_else() -> None:
    """Stage that runs none of what waits has validated none of it, whatever the time would let one guess."""
    candidate = choose(history(10, 70), runs=[sha("f")])

    assert OUT == candidate.sha
    assert {"stage runs fffffff, which does not wait here"} == {
        reason for _, reason in left_behind(candidate)
    }


@pytest.mark.parametrize(
    ("expected", "runs"), [(sha("b"), "bbbbbbb"), (sha("b"), "b" * 12), (OUT, OUT[:12]), (OUT, "fffffff")]
)
def test_stage_abbreviates(expected: Sha, runs: str) -> None:
    """What waits resolves the abbreviation."""
    assert expected == choose(history(10, 70, 80), runs=[runs]).sha


def test_an_ambiguous_abbreviation_is_the_older_commit() -> None:
    """Of two commits that it fits, taking the newer one might let something slip in."""
    of = history(70, 80, 90)
    twins = ("b" * 39 + "1", "b" * 39 + "2")
    waiting = tuple(
        commit.model_copy(update={"sha": twin}) for commit, twin in zip(of.waiting, twins, strict=False)
    )

    assert twins[1] == choose(of.model_copy(update={"waiting": waiting}), runs=["b" * 7]).sha


def test_sources_that_disagree_on_what_stage_runs() -> None:
    """A deployment that is half-finished runs both; the older one was validated everywhere."""
    assert sha("c") == choose(history(10, 70, 80), runs=[sha("a"), sha("c"), sha("b")]).sha
    assert OUT == choose(history(10, 70, 80), runs=[sha("a"), sha("f")]).sha


def test_the_newest_green_commit() -> None:
    """Where its own checks refuse the commit that stage validated, the next older one takes its place."""
    candidate = choose(
        history(10, 70, 80, 90), refused={sha("a"): "red", sha("b"): "tests failed", sha("c"): "tests failed"}
    )

    assert (sha("d"), "validated") == (candidate.sha, candidate.rule)
    assert [
        ("a", "merged 10 min before validation began; a build takes 60 min"),
        ("b", "tests failed"),
        ("c", "tests failed"),
    ] == left_behind(candidate)


@pytest.mark.parametrize("rule", ["validated", "head"])
def test_nothing_green_waits(rule: Literal["validated", "head"]) -> None:
    """Then it stays where it is; what is out is never refused."""
    candidate = choose(history(70, 80), rule=rule, refused={sha("a"): "red", sha("b"): "red", OUT: "red"})

    assert (OUT, "nothing newer passed its own checks") == (candidate.sha, candidate.rule)
    assert [("a", "red"), ("b", "red")] == left_behind(candidate)


@pytest.mark.parametrize(("expected", "landed"), [(sha("a"), (-5, 12)), (OUT, ())])
def test_head(expected: Sha, landed: tuple[int, ...]) -> None:
    """The newest there is, validation or not; never older than what is out."""
    candidate = choose(history(*landed), rule="head", began=None)

    assert expected == candidate.sha
    assert [] == left_behind(candidate)


def test_pin() -> None:
    """A pin goes before the rule; what is newer is left behind for it."""
    candidate = pin_candidate(history(90, 120), sha("b"))

    assert (sha("b"), "pinned") == (candidate.sha, candidate.rule)
    assert [("a", "newer than the pinned bbbbbbb")] == left_behind(candidate)


def test_pin_to_what_is_out() -> None:
    """Then everything that waits is newer."""
    assert 2 == len(pin_candidate(history(90, 120), OUT).left_behind)


def test_pin_to_elsewhere() -> None:
    """Of a commit that does not wait nothing is known to be newer; whether it may go out is the plan's to say."""
    assert () == pin_candidate(history(90, 120), sha("f")).left_behind


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        ("It works again.", "Hello\n\nRELEASE NOTES BEGIN\n\nIt works\nagain.\n\nRELEASE NOTES END\nBye"),
        ("one", "RELEASE NOTES BEGINoneRELEASE NOTES END RELEASE NOTES BEGIN two RELEASE NOTES END"),
        ("a", "RELEASE NOTES BEGIN <!-- write\nhere --> a RELEASE NOTES END"),
        (None, "RELEASE NOTES BEGIN\n\nN/A\n\nRELEASE NOTES END"),
        (None, "RELEASE NOTES BEGIN _None._ RELEASE NOTES END"),
        (None, "RELEASE NOTES BEGIN\n\nRELEASE NOTES END"),
        (None, "RELEASE NOTES BEGIN It works"),
        (None, "RELEASE NOTES END It works RELEASE NOTES BEGIN"),
        (None, ""),
    ],
)
def test_release_notes(expected: str | None, body: str) -> None:
    """What stands between the two lines, as one line; a template that nobody filled in is no note."""
    assert expected == read_release_note(body, "RELEASE NOTES BEGIN", "RELEASE NOTES END")


def test_a_long_description_is_read_at_once() -> None:
    """Strangers write descriptions; whatever is in them, reading takes no longer than their length."""
    body = "RELEASE NOTES BEGIN" * 3000 + "<!--" * 5000 + "RELEASE NOTES END"
    assert read_release_note(body, "RELEASE NOTES BEGIN", "RELEASE NOTES END")
