"""Collecting: sources stand side by side, each with its own time; and other distributions bring theirs."""

import asyncio
import importlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import stamina
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from flows.evidence.collection import collect
from flows.evidence.installed import check_sources
from flows.ways.check_file import check_file
from reconcile.errors import MissingError, UnreachableError
from reconcile.observed import ValidationPullRequest
from state.evidence import Evidence, Validation, Verdict
from state.ids import RepositoryName
from state.policy import Policy
from state.yaml_io import parse_policy
from tests.builders import NOW
from tests.docs.pages import Page
from tests.flows.evidence import serving
from tests.flows.release import FakeRelease, check_run, pull_request
from tests.sandbox.stage import Stage

PASS, FAIL, NONE = Verdict.PASS, Verdict.FAIL, Verdict.NO_EVIDENCE
HEAD = "version: 1\nrepositories: {packit/ogr: {}}\nvalidation:\n"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


def policy(*entries: str) -> Policy:
    return parse_policy(HEAD + "".join(f"  - {entry}\n" for entry in entries))


def check_runs(name: str = "hello-world", **rest: str) -> str:
    settings = {
        "repository": f"packit/{name}",
        "app": "packit-stg",
        "pull_requests": "'*'",
        "authors": "packit-bot",
    }
    return f"check_runs: {{{', '.join(f'{key}: {value}' for key, value in (settings | rest).items())}}}"


class Reader(FakeRelease):
    """Answers for each validation repository with pull requests, an error, or never."""

    def __init__(self, **answers: tuple[ValidationPullRequest, ...] | Exception | None) -> None:
        super().__init__()
        self.answers = answers

    async def observe_validation(self, repository: RepositoryName) -> tuple[ValidationPullRequest, ...]:
        match self.answers[repository.partition("/")[2]]:
            case None:
                await asyncio.Event().wait()
                raise AssertionError
            case Exception() as error:
                raise error
            case answer:
                return answer


PASSED = (pull_request(1, check_run(started_at=NOW - timedelta(hours=1))),)


async def test_sources_stand_side_by_side() -> None:
    """One that breaks is no evidence, and says why; the others count, in the policy's order."""
    github = Reader(a=PASSED, b=UnreachableError("It is down."), c=MissingError("None."))

    found = await collect(policy(*map(check_runs, "abc")), github, now=NOW)

    assert [PASS, NONE, NONE] == [each.verdict for each in found.evidence]
    assert "It could not be read: It is down." == found.evidence[1].sentence
    assert "check runs of packit-stg in packit/b" == found.evidence[1].source
    assert NONE is found.verdict


async def test_a_source_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not answer has said nothing, and keeps nobody waiting."""
    limits: list[float] = []

    def timeout(seconds: float) -> asyncio.Timeout:
        limits.append(seconds)
        return asyncio.timeout_at(0 if seconds == 5 else None)

    monkeypatch.setattr("flows.evidence.collection.asyncio.timeout", timeout)
    github = Reader(a=PASSED, b=None)

    found = await collect(policy(check_runs("a"), check_runs("b", time_limit="5s")), github, now=NOW)

    assert [PASS, NONE] == [each.verdict for each in found.evidence]
    assert "It did not answer within 5 seconds." == found.evidence[1].sentence
    assert [60, 5] == limits


async def test_a_silent_stage_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.evidence.collection.asyncio.timeout", lambda _: asyncio.timeout_at(0))
    stage = Stage(is_silent=True)

    found = await collect(
        policy("http: {url: https://stage.example/api/system}"),
        FakeRelease(),
        now=NOW,
        transport=serving(stage.app),
    )

    assert "It did not answer within 60 seconds." == found.evidence[0].sentence


async def test_a_bug_is_not_evidence() -> None:
    """Only what is known to go wrong is caught."""
    with pytest.raises(ZeroDivisionError):
        await collect(policy(check_runs("a")), Reader(a=ZeroDivisionError()), now=NOW)


async def test_each_kind_of_evidence_expires_by_its_own_setting() -> None:
    """The first of them to expire ends the validation; the oldest dates it."""
    github = Reader(a=PASSED)

    found = await collect(
        policy(check_runs("a", max_age="2h"), "http: {url: https://stage.example/api/system, max_age: 30m}"),
        github,
        now=NOW,
        transport=serving(Stage().app),
    )

    assert [NOW + timedelta(hours=1), NOW + timedelta(minutes=30)] == [
        each.expires_at for each in found.evidence
    ]
    assert (NOW + timedelta(minutes=30), NOW - timedelta(hours=1)) == (found.expires_at, found.began_at)


async def test_own_checks_are_not_asked_here() -> None:
    """There are no candidates yet."""
    assert () == (await collect(policy("own_checks:"), FakeRelease(), now=NOW)).evidence


# Sources of other distributions.


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a distribution with a source: a module, and metadata with its entry point, on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    modules = set(sys.modules)

    def make(
        module: str,
        code: str,
        *,
        name: str = "weather",
        value: str | None = None,
        distribution: str | None = None,
    ) -> None:
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        called = distribution or module.replace("_", "-")
        metadata = tmp_path / f"{called.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {called}\nVersion: 1.0\n")
        entry = f"{name} = {value or f'{module}:SOURCE'}"
        (metadata / "entry_points.txt").write_text(f"[stablehand.evidence]\n{entry}\n")
        importlib.invalidate_caches()

    yield make
    for added in set(sys.modules) - modules:
        del sys.modules[added]


def weather_station(beaufort: object) -> Starlette:
    async def answer(_: Request) -> JSONResponse:
        return JSONResponse({"beaufort": beaufort})

    return Starlette(routes=[Route("/brno", answer)])


def documented(language: str) -> str:
    """Read the worked example."""
    (text,) = Page("docs/evidence.md").blocks(language)
    return text


async def ask_weather(beaufort: object, settings: str = "station: https://weather.example/brno") -> Evidence:
    found: Validation = await collect(
        policy(f"weather: {{{settings}}}"),
        FakeRelease(),
        now=NOW,
        transport=serving(weather_station(beaufort)),
    )
    return found.evidence[0]


async def test_the_worked_example_is_a_source(install: Callable[..., None]) -> None:
    install("stablehand_weather", documented("python"))

    calm, storm = await ask_weather(3), await ask_weather("9")

    assert (PASS, "The wind blows with 3 Beaufort.") == (calm.verdict, calm.sentence)
    assert (FAIL, "weather at https://weather.example/brno") == (storm.verdict, storm.source)
    assert NOW + timedelta(hours=24) == calm.expires_at
    assert FAIL is (await ask_weather(3, "station: https://weather.example/brno, at_most: '2'")).verdict
    assert NONE is (await ask_weather("calm")).verdict


def build(project: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (wheel,) = (project / "dist").iterdir()
    return wheel


@pytest.mark.slow
async def test_the_worked_example_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built by its own pyproject.toml, and unpacked as pip would."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "stablehand_weather.py").write_text(documented("python"))
    (project / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n{documented("toml")}'
    )
    site = tmp_path / "site"
    zipfile.ZipFile(build(project)).extractall(site)
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()

    assert PASS is (await ask_weather(3)).verdict

    monkeypatch.delitem(sys.modules, "stablehand_weather")


def findings(*entries: str) -> list[str]:
    return [each.message for each in check_sources(policy(*entries))]


async def test_an_unknown_source_is_an_error_that_lists_the_installed(install: Callable[..., None]) -> None:
    """Nothing is proposed on its silence, and the check says where it stands."""
    install("stablehand_weather", documented("python"))
    expected = (
        "there is no source of evidence `weathers`: did you mean `weather`? Installed here: check_runs, deployments, "
        "http, own_checks, sentry, weather. A source of another distribution must be installed where stablehand runs"
    )

    assert [expected] == findings("weather: {station: https://weather.example}", "weathers: {}")
    assert [("validation", 1, "weathers")] == [
        each.path for each in check_sources(policy("own_checks:", "weathers: {}"))
    ]
    found = await collect(policy("weathers: {}"), FakeRelease(), now=NOW)
    assert (NONE, f"It cannot be asked: {expected}.") == (
        found.evidence[0].verdict,
        found.evidence[0].sentence,
    )


async def test_what_a_source_does_not_understand_is_an_error(
    install: Callable[..., None], tmp_path: Path
) -> None:
    """With the line at which it stands."""
    install("stablehand_weather", documented("python"))
    document = tmp_path / "release-policy.yaml"
    document.write_text(HEAD + "  - weather:\n      at_most: gale\n      max_ages: 2h\n")

    assert [
        (4, "`station` is missing: add a line station: …"),
        (5, "`at_most` needs a whole number, not `gale`: write digits"),
        (
            6,
            "unknown key `max_ages`: did you mean `max_age`? Allowed here: time_limit, max_age, station, at_most",
        ),
    ] == sorted((each.line, each.message) for each in check_file(document))
    found = await collect(parse_policy(document.read_text()), FakeRelease(), now=NOW)
    assert NONE is found.verdict
    assert found.evidence[0].sentence.startswith("Its settings are wrong: ")


def test_two_of_one_name(install: Callable[..., None]) -> None:
    """Which of them counts must not hang on the order of installation."""
    install("weather_one", documented("python"))
    install("weather_two", documented("python"))

    assert ["`weather` is a source of weather-one and weather-two: uninstall all but one"] == findings(
        "weather: {}"
    )


@pytest.mark.parametrize(
    ("expected", "code", "value"),
    [
        ("cannot be loaded (ModuleNotFoundError: No module named 'meteo'): mend its", "import meteo", None),
        ("cannot be loaded (AttributeError: ", "", None),
        ("is no SourceKind: it was made for something else", "SOURCE = 1", None),
    ],
)
def test_a_source_that_cannot_be_used(
    install: Callable[..., None], expected: str, code: str, value: str | None
) -> None:
    install("broken_weather", code, value=value)

    (found,) = findings("weather: {}")

    assert f"`weather` of broken-weather {expected}" in found


def test_a_built_in_source_cannot_be_replaced(install: Callable[..., None]) -> None:
    install("stablehand_weather", documented("python"), name="own_checks")

    assert [] == findings("own_checks:")


async def test_a_source_may_fail_as_ours_do(install: Callable[..., None]) -> None:
    """A ReconcileError of theirs is no evidence; so is a station that is not there."""
    install("stablehand_weather", documented("python"))

    found = await collect(
        policy("weather: {station: https://weather.example/brno}"),
        FakeRelease(),
        now=NOW,
        transport=serving(None),
    )

    assert (
        "It could not be read: weather.example cannot be reached (ConnectError)."
        == found.evidence[0].sentence
    )
