"""Evidence: only a pass is a pass. What is missing, old, strange or still running is none."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from flows.evidence import collect
from flows.evidence.check_runs import judge
from reconcile.errors import MissingError, UnreachableError
from reconcile.observed import CheckRun, ValidationPullRequest
from state.evidence import Evidence, Verdict
from state.ids import RepositoryName
from state.policy import CheckRuns, Policy, RepositoryPolicy, Source
from tests.flows.release import check_run, pull_request

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


def verdict(*pull_requests: ValidationPullRequest, **rest: object) -> Verdict:
    return judge(source(**rest), pull_requests, now=NOW).verdict


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
    found = judge(
        source(),
        [pull_request(1, run(hours=2), run("test", hours=1)), pull_request(2, run(hours=3))],
        now=NOW,
    )
    assert (BEGAN + timedelta(hours=1), BEGAN + timedelta(hours=25)) == (found.began_at, found.expires_at)


def test_no_evidence_has_no_date() -> None:
    """Half of a validation dates nothing."""
    found = judge(source(at_least=2), [pull_request(1, run())], now=NOW)
    assert (None, None) == (found.began_at, found.expires_at)


@pytest.mark.parametrize(
    ("expected", "pull_requests"),
    [
        (
            "2 of 2 pull requests passed, with 3 check runs.",
            [pull_request(1, run(), run("test")), pull_request(2, run())],
        ),
        (
            "1 of the 2 pull requests that are needed passed; #7 still runs rpm-build since 04:03 UTC.",
            [pull_request(1, run()), pull_request(7, run(conclusion=None))],
        ),
        (
            "0 of the 2 pull requests that are needed passed; #1, #2 shows no runs that count.",
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
    assert expected == judge(source(at_least=2), pull_requests, now=NOW).sentence


def test_what_was_looked_at_is_linked() -> None:
    """A person may see for themselves, also where it failed."""
    found = judge(source(), [pull_request(1, run(conclusion="failure"))], now=NOW)
    assert ["#1 Basic test case (stg): one"] == [each.text for each in found.links]


class Reader:
    """Answers for each repository with pull requests, an error, or never."""

    def __init__(self, **answers: Sequence[ValidationPullRequest] | Exception | None) -> None:
        self.answers = answers

    async def observe_validation(self, repository: RepositoryName) -> tuple[ValidationPullRequest, ...]:
        match self.answers[repository.partition("/")[2]]:
            case None:
                await asyncio.Event().wait()
                raise AssertionError
            case Exception() as error:
                raise error
            case answer:
                return tuple(answer)


async def ask(reader: Reader, time_limit: timedelta = timedelta(seconds=60)) -> list[Evidence]:
    policy = Policy(
        version=1,
        repositories={"packit/ogr": RepositoryPolicy()},
        validation=tuple(Source(check_runs=source(repository=f"packit/{name}")) for name in reader.answers),
    )
    return list((await collect(policy, reader, now=NOW, time_limit=time_limit)).evidence)


async def test_sources_stand_side_by_side() -> None:
    """One that breaks is no evidence, and says why; the others count, in the policy's order."""
    found = await ask(
        Reader(a=[pull_request(1, run())], b=UnreachableError("It is down."), c=MissingError("None."))
    )
    assert [PASS, NONE, NONE] == [each.verdict for each in found]
    assert "It could not be read: It is down." == found[1].sentence
    assert "check runs of packit-as-a-service-stg in packit/b" == found[1].source


async def test_a_source_has_a_time_limit() -> None:
    """What does not answer has said nothing, and keeps nobody waiting."""
    found = await ask(Reader(a=[pull_request(1, run())], b=None), time_limit=timedelta(0))
    assert [PASS, NONE] == [each.verdict for each in found]
    assert "did not answer within" in found[1].sentence


async def test_a_bug_is_not_evidence() -> None:
    """Only what GitHub does wrong is caught."""
    with pytest.raises(ZeroDivisionError):
        await ask(Reader(a=ZeroDivisionError()))
