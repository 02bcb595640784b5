"""An address of stage as evidence: passing, failing, silent, half-finished, and telling what it runs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import stamina
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from flows.evidence.http import SOURCE
from flows.evidence.source import SourceError
from reconcile.errors import RateLimitedError, UnreachableError
from state.evidence import Evidence, Verdict
from state.sources import Http
from tests.builders import NOW, sha
from tests.flows.evidence import around
from tests.sandbox.stage import Stage

PASS, FAIL, NONE = Verdict.PASS, Verdict.FAIL, Verdict.NO_EVIDENCE
RUNS = {"packit/ogr": "$.ogr.commit", "packit/packit": "$.packit.commit"}


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def ask(stage: Stage, **rest: object) -> Evidence:
    settings = Http.model_validate({"url": "https://stage.example/api/system", **rest})
    return await SOURCE.observe(settings, around(app=stage.app))


async def test_a_stage_that_is_well(stage: Stage) -> None:
    found = await ask(stage, max_age="2h")

    assert (PASS, "It answered 200.") == (found.verdict, found.sentence)
    assert (NOW, NOW + timedelta(hours=2)) == (found.began_at, found.expires_at)
    assert ["https://stage.example/api/system"] == [link.url for link in found.links]
    assert "authorization" not in stage.requests[0].headers


@pytest.mark.parametrize(("expected", "status"), [(FAIL, 200), (PASS, 204)])
async def test_the_status_is_the_one_that_is_expected(stage: Stage, expected: Verdict, status: int) -> None:
    stage.answers.append(Response(status_code=status))

    assert expected is (await ask(stage, status=204)).verdict


async def test_a_redirect_is_an_answer(stage: Stage) -> None:
    """It leads to a login page more often than to a healthy stage, and is not followed."""
    stage.answers.append(RedirectResponse("https://elsewhere.example/"))

    found = await ask(stage)

    assert (FAIL, "It answered 307, not 200.") == (found.verdict, found.sentence)
    assert 1 == len(stage.requests)


async def test_a_stage_that_stumbles_once(stage: Stage) -> None:
    """A 503 that is gone a moment later was a restart; one that stays is an answer."""
    stage.answers.append(Response(status_code=503))
    assert PASS is (await ask(stage)).verdict

    stage.status = 503
    assert "It answered 503, not 200." == (await ask(stage)).sentence


@pytest.mark.parametrize(
    "url", ["https://stage.example:99999/", "https://xn--/", "https://[v1.a]/", "https://\u2024.example/"]
)
async def test_an_address_at_which_nothing_can_be(stage: Stage, url: str) -> None:
    """It passes as one in the policy, and what sends to it raises errors of many kinds."""
    with pytest.raises(SourceError, match="There is no"):
        await ask(stage, url=url)


async def test_a_pause_longer_than_any(stage: Stage) -> None:
    """No number of digits is too much."""
    stage.answers.append(Response(status_code=429, headers={"retry-after": "9" * 20}))
    with pytest.raises(RateLimitedError):
        await ask(stage)


async def test_a_stage_that_cannot_be_reached() -> None:
    with pytest.raises(UnreachableError, match=r"stage\.example cannot be reached \(ConnectError\)"):
        await SOURCE.observe(Http(url="https://stage.example/"), around())


@pytest.mark.parametrize(
    ("expected", "path", "value"),
    [
        ("It answered 200, with the expected values.", "$.status", "ok"),
        ("It answered 200, with the expected values.", "$.workers[1].busy", "true"),
        ("It answered 200, with the expected values.", "$['queue.length']", "3"),
        ("It answered 200, with the expected values.", "$.error", "null"),
        ("$.status is “ok”, not “OK”.", "$.status", "OK"),
        ("$.error is “null”, not “”.", "$.error", ""),
        ("$.workers is missing, not “2”.", "$.workers", "2"),
        ("$.workers[2] is missing, not “2”.", "$.workers[2]", "2"),
        ("$.status.code is missing, not “2”.", "$.status.code", "2"),
        ("$.status[0] is missing, not “o”.", "$.status[0]", "o"),
        ("$.nothing is missing, not “2”.", "$.nothing", "2"),
        (f"$.long is “{'x' * 60}…”, not “{'x' * 60}…”.", "$.long", "x" * 70),
    ],
)
async def test_values_are_compared_as_text(stage: Stage, expected: str, path: str, value: str) -> None:
    stage.system |= {
        "workers": [{"busy": False}, {"busy": True}],
        "queue.length": 3,
        "error": None,
        "long": "x" * 71,
    }

    found = await ask(stage, values={path: value})

    assert (expected, PASS if "expected values" in expected else FAIL) == (found.sentence, found.verdict)


async def test_values_of_no_json(stage: Stage) -> None:
    stage.answers.append(PlainTextResponse("<html>"))

    assert "Its answer is not JSON." == (await ask(stage, values={"$.status": "ok"})).sentence


async def test_stage_says_what_it_runs(stage: Stage) -> None:
    """As it abbreviates; what waits resolves that."""
    stage.runs(ogr=sha("a1"), packit=sha("b2"))

    found = await ask(stage, runs=RUNS)

    assert {"packit/ogr": "a1a1a1a", "packit/packit": "b2b2b2b"} == found.runs
    assert "It answered 200, and runs packit/ogr a1a1a1a, packit/packit b2b2b2b." == found.sentence


@pytest.mark.parametrize(
    ("expected", "system"),
    [
        ("packit/packit at $.packit.commit is missing", {}),
        ("packit/packit at $.packit.commit is “unknown”", {"packit": {"commit": "unknown"}}),
        ("packit/packit at $.packit.commit is “b2b2b2”", {"packit": {"commit": "b2b2b2"}}),
        ("packit/packit at $.packit.commit is “b2b2b2b-dirty”", {"packit": {"commit": "b2b2b2b-dirty"}}),
        ("packit/packit at $.packit.commit is “1234567”", {"packit": {"commit": 1_234_567}}),
        ("packit/packit at $.packit.commit is “null”", {"packit": {"commit": None}}),
    ],
)
async def test_a_half_finished_stage(stage: Stage, expected: str, system: dict[str, object]) -> None:
    """One that does not say of everything what it runs has said nothing that counts."""
    stage.runs(ogr=sha("a1"))
    stage.system |= system

    found = await ask(stage, runs=RUNS)

    assert (NONE, f"It does not say what it runs: {expected}.", {}) == (
        found.verdict,
        found.sentence,
        found.runs,
    )


async def test_a_stage_that_runs_something_and_says_no_json(stage: Stage) -> None:
    stage.answers.append(JSONResponse(["x"]))
    stage.answers.append(PlainTextResponse("ok"))

    assert NONE is (await ask(stage, runs=RUNS)).verdict
    assert "It does not say what it runs: its answer is not JSON." == (await ask(stage, runs=RUNS)).sentence
