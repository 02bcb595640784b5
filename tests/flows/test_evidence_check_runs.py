"""Check runs and statuses as evidence: only a pass is a pass. What is missing, old or still running is none."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from flows.evidence.check_runs import SOURCE
from flows.evidence.source import SourceError
from reconcile.observed import CheckRun, CommitChecks, CommitStatus, ValidationPullRequest
from state.evidence import Evidence, Verdict
from state.sources import CheckRuns
from tests.builders import sha
from tests.fakes import FakeRepository
from tests.flows.evidence import around
from tests.flows.release import FakeRelease, check_run, pull_request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEGAN = datetime(2026, 3, 2, 4, 3, tzinfo=UTC)
STAGE = {"app": "packit-as-a-service-stg", "app_id": 29180, "app_name": "Packit-as-a-Service-stg"}
PASS, FAIL, NONE = Verdict.PASS, Verdict.FAIL, Verdict.NO_EVIDENCE


def source(**rest: object) -> CheckRuns:
    fields: dict[str, object] = {
        "repository": "packit/hello-world",
        "app": "packit-as-a-service-stg",
        "pull_requests": "Basic test case (stg)*",
        "authors": ["packit-bot"],
        "at_least": 1,
    }
    return CheckRuns.model_validate(fields | rest)


def run(
    name: str = "rpm-build",
    conclusion: str | None = "success",
    *,
    hours: float = 0,
    started_at: datetime | None = BEGAN,
    **rest: object,
) -> CheckRun:
    """Make a run of stage's app, so many hours after validation began."""
    at = started_at and started_at + timedelta(hours=hours)
    status = "completed" if conclusion else "in_progress"
    return check_run(name, conclusion, started_at=at, **{"status": status, **STAGE, **rest})  # type: ignore[arg-type]  # by name


def ask(settings: CheckRuns, github: FakeRelease, *, last_moved_at: datetime | None = None) -> Evidence:
    async def observe() -> Evidence:
        return await SOURCE.observe(settings, around(github, now=NOW, last_moved_at=last_moved_at))

    return asyncio.run(observe())


def evidence(*pull_requests: ValidationPullRequest, **rest: object) -> Evidence:
    github = FakeRelease()
    github.validation = pull_requests
    return ask(source(**rest), github)


def verdict(*pull_requests: ValidationPullRequest, **rest: object) -> Verdict:
    return evidence(*pull_requests, **rest).verdict


@pytest.mark.parametrize(
    "conclusion", ["failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]
)
def test_only_success_is_a_pass(conclusion: str) -> None:
    """Whatever else a run ends with is a failure; neutral too."""
    assert verdict(pull_request(1, run(), run("test", conclusion))) is FAIL


@pytest.mark.parametrize("status", ["queued", "in_progress", "waiting", "requested", "pending"])
def test_what_runs_is_no_evidence_yet(status: str) -> None:
    """Neither a pass nor a failure, whether it has begun or not."""
    assert verdict(pull_request(1, run(), run("test", None, status=status))) is NONE
    assert verdict(pull_request(1, run(), run("test", None, status=status, started_at=None))) is NONE


def test_a_failure_needs_no_patience() -> None:
    """One that has failed fails, whatever still runs."""
    assert verdict(pull_request(1, run("test", "failure"), run(conclusion=None))) is FAIL


def test_silence_is_no_pass() -> None:
    """No pull request, no run, or none that counts: no evidence."""
    assert verdict() is NONE
    assert verdict(pull_request(1)) is NONE
    assert verdict(pull_request(1, run(app="packit-as-a-service", app_id=1, app_name="Packit"))) is NONE


@pytest.mark.parametrize(
    ("expected", "hours"),
    [(PASS, 0), (PASS, -19), (NONE, -19.05), (NONE, -100), (NONE, 4.96)],
)
def test_runs_have_an_age(expected: Verdict, hours: float) -> None:
    """Runs from before `max_age`, and from after now, are not looked at."""
    assert expected is verdict(pull_request(1, run(hours=hours)), max_age="24h")


def test_an_old_failure_is_old() -> None:
    """Yesterday's failure does not fail today."""
    assert verdict(pull_request(1, run(), run("test", "failure", hours=-30))) is PASS


def test_what_github_gave_up_on_is_not_counted() -> None:
    """Its own conclusion `stale` says that the app never answered."""
    assert verdict(pull_request(1, run(), run("test", "stale"))) is PASS
    assert verdict(pull_request(1, run("test", "stale"))) is NONE


@pytest.mark.parametrize(
    ("expected", "first", "second"),
    [
        (PASS, "failure", "success"),
        (FAIL, "success", "failure"),
        (NONE, "failure", None),
    ],
)
def test_the_newest_of_a_name_counts(expected: Verdict, first: str, second: str | None) -> None:
    """A run that was started again replaces the one before, in whatever order they are listed."""
    runs = [run(conclusion=first), run(conclusion=second, hours=1)]
    assert expected is verdict(pull_request(1, *runs))
    assert expected is verdict(pull_request(1, *reversed(runs)))


def test_a_run_that_has_not_begun_is_the_newest() -> None:
    """Started again and still queued: its old result is not the answer."""
    assert verdict(pull_request(1, run(), run(conclusion=None, started_at=None, status="queued"))) is NONE


@pytest.mark.parametrize(
    ("expected", "app"),
    [
        (PASS, "29180"),
        (PASS, "packit-as-a-service-stg"),
        (PASS, "Packit-as-a-Service-stg"),
        (PASS, "PACKIT-AS-A-SERVICE-STG"),
        (NONE, "packit-as-a-service"),
        (NONE, "2918"),
        (NONE, "packit-as-a-service-*"),
    ],
)
def test_the_app_is_named_exactly(expected: Verdict, app: str) -> None:
    """By id, slug or name: production posts under the same check names."""
    assert expected is verdict(pull_request(1, run()), app=app)


@pytest.mark.parametrize(
    ("expected", "pattern", "title"),
    [
        (PASS, "Basic test case (stg)*", "Basic test case (stg): one"),
        (NONE, "Basic test case (stg)*", "Basic test case (prod): one"),
        (NONE, "Basic test case (stg)*", "basic test case (stg): one"),
        (NONE, "Basic test case (stg)", "Basic test case (stg): one"),
        (PASS, "*(stg)*", "Basic test case (stg): one"),
        (PASS, "Basic ????", "Basic test"),
        (PASS, "[stg] *", "[stg] one"),
        (NONE, "[stg] *", "s one"),
        (PASS, "a.b+c", "a.b+c"),
        (NONE, "a.b", "axb"),
        (PASS, "*", "two\nlines"),
    ],
)
def test_titles_match_a_pattern(expected: Verdict, pattern: str, title: str) -> None:
    """`*` and `?` stand for others; everything else for itself."""
    assert expected is verdict(pull_request(1, run(), title=title), pull_requests=pattern)


@pytest.mark.parametrize(
    ("expected", "listed", "author"),
    [
        (PASS, "packit-bot", "packit-bot"),
        (PASS, "Packit-Bot", "packit-BOT"),
        (PASS, "packit-bot", "packit-bot[bot]"),
        (PASS, "packit-bot[bot]", "packit-bot"),
        (NONE, "packit-bot", "packit-bot2"),
        (NONE, "packit-*", "packit-bot"),
    ],
)
def test_authors_are_listed(expected: Verdict, listed: str, author: str) -> None:
    """Anyone can open a pull request with the right title. An app's account is one under both its names."""
    assert expected is verdict(pull_request(1, run(), author=author), authors=[listed])


def test_a_strangers_pull_request_neither_passes_nor_fails() -> None:
    """It is not there."""
    assert verdict(pull_request(1, run()), pull_request(2, run("test", "failure"), author="mallory")) is PASS


def test_names_match_patterns() -> None:
    """Runs of other names do not count, whatever they end with."""
    runs = (run("rpm-build:fedora"), run("testing-farm:fedora", "failure"))
    assert verdict(pull_request(1, *runs), names=["rpm-build:*"]) is PASS
    assert verdict(pull_request(1, *runs), names=["rpm-build:*", "testing-farm:*"]) is FAIL
    assert verdict(pull_request(1, *runs), names=["copr:*"]) is NONE


@pytest.mark.parametrize(("expected", "at_least"), [(PASS, 1), (PASS, 2), (NONE, 3)])
def test_enough_must_pass(expected: Verdict, at_least: int) -> None:
    """Fewer than asked for is no evidence, not a failure; one that still runs does not spoil enough others."""
    pull_requests = (pull_request(1, run()), pull_request(2, run()), pull_request(3, run(conclusion=None)))
    assert expected is verdict(*pull_requests, at_least=at_least)


def test_evidence_dates_from_its_oldest_run() -> None:
    """What was merged after that was not validated; and it expires when that run is too old."""
    found = evidence(pull_request(1, run(hours=2), run("test", hours=1)), pull_request(2, run(hours=3)))
    assert (BEGAN + timedelta(hours=1), BEGAN + timedelta(hours=25)) == (found.began_at, found.expires_at)


def test_no_evidence_has_no_date() -> None:
    """Half of a validation dates nothing."""
    found = evidence(pull_request(1, run()), at_least=2)
    assert (None, None) == (found.began_at, found.expires_at)


@pytest.mark.parametrize(
    ("expected", "pull_requests"),
    [
        (
            "2 of 2 pull requests passed, with 3 checks.",
            [pull_request(1, run(), run("test")), pull_request(2, run())],
        ),
        (
            "1 of the 2 pull requests that are needed passed; #7 still runs rpm-build since 04:03 UTC.",
            [pull_request(1, run()), pull_request(7, run(conclusion=None))],
        ),
        (
            "0 of the 2 pull requests that are needed passed; #1, #2 shows nothing that counts.",
            [pull_request(1), pull_request(2)],
        ),
        (
            "#1 failed: rpm-build (failure), test (neutral).",
            [pull_request(1, run(conclusion="failure"), run("test", "neutral")), pull_request(2, run())],
        ),
        (
            (
                "No open pull request by packit-bot has a title like “Basic test case (stg)*”. "
                "Has validation been started?"
            ),
            [],
        ),
    ],
)
def test_sentences_say_what_was_found(expected: str, pull_requests: Sequence[ValidationPullRequest]) -> None:
    """Counts, numbers and names."""
    assert expected == evidence(*pull_requests, at_least=2).sentence


def test_what_was_looked_at_is_linked() -> None:
    """A person may see for themselves, also where it failed."""
    found = evidence(pull_request(1, run(conclusion="failure")))
    assert ["#1 Basic test case (stg): one"] == [each.text for each in found.links]


@pytest.mark.parametrize(
    ("expected", "passed", "conclusion"),
    [
        (PASS, ["success", "neutral"], "neutral"),
        (FAIL, ["success"], "neutral"),
        (FAIL, ["success", "neutral"], "skipped"),
        (FAIL, ["neutral"], "success"),
    ],
)
def test_the_policy_says_which_conclusions_pass(
    expected: Verdict, passed: list[str], conclusion: str
) -> None:
    assert expected is verdict(pull_request(1, run(conclusion=conclusion)), passed=passed)


@pytest.mark.parametrize(
    ("expected", "rest"),
    [
        (PASS, {"labels": ["stage"]}),
        (PASS, {"labels": ["other", "STAGE"]}),
        (NONE, {"labels": ["stag"]}),
        (PASS, {"head_branches": ["test/*"]}),
        (NONE, {"head_branches": ["main"]}),
        (PASS, {"head_branches": ["test/*"], "labels": "stage", "pull_requests": "Basic*"}),
        (NONE, {"head_branches": ["test/*"], "labels": "stage", "pull_requests": "Other*"}),
        (NONE, {"head_branches": ["test/*"], "authors": ["mallory"]}),
    ],
)
def test_pull_requests_are_found_by_title_label_and_branch(
    expected: Verdict, rest: dict[str, object]
) -> None:
    """All that the policy names must fit; the author always."""
    found = pull_request(1, run(), labels=["Stage"], head_branch="test/stg")
    assert expected is verdict(found, **{"pull_requests": None, **rest})


@pytest.mark.parametrize(
    ("expected", "since"),
    [
        (PASS, "6h"),
        (NONE, "4h"),
        (PASS, "2026-03-02T04:00 UTC"),
        (NONE, "2026-03-02T04:03 UTC"),
        (NONE, "2026-03-02T05:04 Europe/Prague"),
        (PASS, "last-move"),
        (PASS, "100d"),
    ],
)
def test_only_runs_after_a_given_moment_count(expected: Verdict, since: str) -> None:
    """A duration, a moment, or the last move; `max_age` holds besides."""
    github = FakeRelease()
    github.validation = (pull_request(1, run()),)
    assert expected is ask(source(since=since), github, last_moved_at=BEGAN - timedelta(minutes=1)).verdict
    assert NONE is ask(source(since=since, max_age="1h"), github, last_moved_at=BEGAN).verdict


def test_without_a_move_nothing_counts_from_the_last_one() -> None:
    with pytest.raises(SourceError, match="run stablehand reconcile once"):
        ask(source(since="last-move"), FakeRelease())


def status(
    state: Literal["success", "pending", "failure"], hours: float = 0, context: str = "stage/tests"
) -> CommitStatus:
    return CommitStatus(context=context, state=state, posted_at=BEGAN + timedelta(hours=hours), url=None)


def evidence_of_statuses(*posts: CommitStatus, **rest: object) -> Evidence:
    """Judge posts, oldest first, on a pull request that has a check run as well."""
    github = FakeRelease()
    github.validation = (pull_request(1, run("rpm-build", "failure")),)
    github.posts["packit/hello-world", github.validation[0].head] = posts[::-1]
    return ask(source(**{"app": None, "contexts": ["stage/*"], **rest}), github)


@pytest.mark.parametrize(
    ("expected", "states"),
    [
        (PASS, ["success"]),
        (FAIL, ["failure"]),
        (NONE, ["pending"]),
        (NONE, []),
        (PASS, ["failure", "success"]),
    ],
)
def test_statuses_count_by_context(
    expected: Verdict, states: list[Literal["success", "pending", "failure"]]
) -> None:
    """The newest post of a context; check runs do not count where no app is named."""
    assert expected is evidence_of_statuses(*map(status, states)).verdict


def test_statuses_of_other_contexts_do_not_count() -> None:
    assert NONE is evidence_of_statuses(status("success", context="lint")).verdict


def test_an_app_and_contexts_count_together() -> None:
    assert FAIL is evidence_of_statuses(status("success"), app="packit-as-a-service-stg").verdict


def test_a_status_began_when_it_became_pending() -> None:
    """Its newest post is the end of what it tells about; an earlier run of it is another one."""
    found = evidence_of_statuses(
        status("failure", -2), status("pending", 0), status("pending", 1), status("success", 2)
    )
    assert (PASS, BEGAN) == (found.verdict, found.began_at)
    assert (
        BEGAN + timedelta(hours=2) == evidence_of_statuses(status("failure"), status("success", 2)).began_at
    )


HEAD = sha("9")


def branch_evidence(*runs: CheckRun, posts: Sequence[CommitStatus] = (), **rest: object) -> Evidence:
    github = FakeRelease(FakeRepository("packit/hello-world", {HEAD: ()}, {"main": HEAD}))
    github.checks["packit/hello-world", HEAD] = CommitChecks(check_runs=runs, statuses=())
    github.posts["packit/hello-world", HEAD] = tuple(posts)
    settings = {"repository": "packit/hello-world", "app": "29180", "branch": "main", **rest}
    return ask(CheckRuns.model_validate(settings), github)


@pytest.mark.parametrize(
    ("expected", "runs", "at_least"),
    [
        (PASS, [run()], 1),
        (NONE, [run()], 2),
        (PASS, [run(), run("test")], 2),
        (FAIL, [run(), run("test", "failure")], 1),
        (NONE, [run(), run("test", None)], 1),
        (NONE, [], 1),
        (NONE, [run(hours=-30)], 1),
    ],
)
def test_a_branch_is_judged_by_its_head(expected: Verdict, runs: list[CheckRun], at_least: int) -> None:
    """Any failure fails; what still runs, or too few, is no evidence."""
    assert expected is branch_evidence(*runs, at_least=at_least).verdict


def test_a_branch_has_statuses_too() -> None:
    found = branch_evidence(posts=[status("success")], app=None, contexts="stage/*")
    assert (PASS, "1 check passed.", BEGAN) == (found.verdict, found.sentence, found.began_at)


def test_a_branch_that_is_not_there() -> None:
    found = branch_evidence(run(), branch="next")
    assert (NONE, "packit/hello-world has no branch next.") == (found.verdict, found.sentence)


@pytest.mark.parametrize(
    ("expected", "rest"),
    [
        ("check runs of stg in packit/hello-world", {}),
        ("check runs of stg and statuses a, b in packit/hello-world", {"contexts": ["a", "b"]}),
        (
            "check runs of stg on main of packit/hello-world",
            {"branch": "main", "pull_requests": None, "authors": []},
        ),
    ],
)
def test_it_is_named_by_what_it_looks_at(expected: str, rest: dict[str, object]) -> None:
    assert expected == SOURCE.name_of(source(**{"app": "stg", **rest}))


@pytest.mark.parametrize(
    ("expected", "rest"),
    [
        ("name an app, contexts, or both", {"app": None}),
        ("say where to look", {"pull_requests": None}),
        ("a branch has no pull requests", {"branch": "main"}),
        ("authors is missing", {"authors": []}),
    ],
)
def test_what_would_count_anything_is_refused(expected: str, rest: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=expected):
        source(**rest)
