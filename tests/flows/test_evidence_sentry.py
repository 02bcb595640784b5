"""Sentry as evidence: what is new since the last move, told by answers of the shape that Sentry gives."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import stamina
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from flows.evidence.sentry import SOURCE
from flows.evidence.source import SourceError
from reconcile.errors import RateLimitedError, UnreachableError
from state.evidence import Evidence, Verdict
from state.sources import Sentry
from tests.builders import NOW
from tests.flows.evidence import around
from tests.sandbox.sentry import Issue, SentryServer

MOVED = NOW - timedelta(days=3)
PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.fixture(autouse=True)
def _installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Configure an installation, and wait for nothing."""
    monkeypatch.setenv("STABLEHAND_REPOSITORY", "packit/release-state")
    monkeypatch.setenv("STABLEHAND_TOKEN", "github-token")
    monkeypatch.setenv("STABLEHAND_SENTRY_URL", "https://sentry.example")
    monkeypatch.setenv("STABLEHAND_SENTRY_TOKEN", "sentry-token")
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def sentry() -> SentryServer:
    return SentryServer()


def issue(
    number: int = 1, *, hours: float = 1, title: str = "ValueError: no such build", **rest: object
) -> Issue:
    """Make an issue that was first seen so many hours after the last move."""
    return Issue(number, title, MOVED + timedelta(hours=hours), **rest)  # type: ignore[arg-type]  # by name


async def ask(sentry: SentryServer, **rest: object) -> Evidence:
    fields = {"organization": "example", "project": "packit-service", "environment": "stg"}
    surroundings = around(app=sentry.app, last_moved_at=MOVED)
    return await SOURCE.observe(Sentry.model_validate(fields | rest), surroundings)


async def test_nothing_new_is_a_pass(sentry: SentryServer) -> None:
    found = await ask(sentry)

    assert (PASS, "0 new issues since 2026-02-27 10:00 UTC.") == (found.verdict, found.sentence)
    assert (NOW, NOW + timedelta(hours=24)) == (found.began_at, found.expires_at)
    assert "Sentry issues of example/packit-service in stg" == found.source


async def test_new_issues_fail_and_are_shown(sentry: SentryServer) -> None:
    """Those with most events first, each with its count and address."""
    sentry.issues = [issue(1), issue(2, title="KeyError: 'x'", events=42)]

    found = await ask(sentry)

    assert FAIL is found.verdict
    assert (
        "2 new issues since 2026-02-27 10:00 UTC; at most 0 would pass: PACKIT-SERVICE-2, PACKIT-SERVICE-1."
        == found.sentence
    )
    assert [
        (
            "PACKIT-SERVICE-2 KeyError: 'x' (42 events)",
            "https://sentry.example/organizations/example/issues/2/",
        ),
        (
            "PACKIT-SERVICE-1 ValueError: no such build (1 event)",
            "https://sentry.example/organizations/example/issues/1/",
        ),
    ] == [(link.text, link.url) for link in found.links]


@pytest.mark.parametrize("ignores_queries", [False, True])
@pytest.mark.parametrize(
    ("expected", "rest"),
    [
        (PASS, {"hours": -1}),
        (PASS, {"hours": 0}),
        (FAIL, {"hours": 0.01}),
        (PASS, {"level": "warning"}),
        (FAIL, {"level": "fatal"}),
        (PASS, {"status": "resolved"}),
        (PASS, {"status": "ignored"}),
    ],
)
async def test_what_counts(
    sentry: SentryServer,
    expected: Verdict,
    rest: dict[str, object],
    ignores_queries: bool,  # noqa: FBT001
) -> None:
    """Unresolved, of the level, first seen since: also where the server does not understand the question."""
    sentry.ignores_queries = ignores_queries
    sentry.issues = [issue(**rest)]  # type: ignore[arg-type]  # by name

    assert expected is (await ask(sentry)).verdict


@pytest.mark.parametrize("rest", [{"environment": "prod"}, {"project": "dashboard"}])
async def test_other_environments_and_projects_are_not_asked_for(
    sentry: SentryServer, rest: dict[str, object]
) -> None:
    sentry.issues = [issue(**rest)]  # type: ignore[arg-type]  # by name

    assert PASS is (await ask(sentry)).verdict


@pytest.mark.parametrize(
    ("expected", "new_since"),
    [(FAIL, "last-move"), (FAIL, "72h"), (PASS, "24h"), (PASS, "2026-03-01T00:00 UTC")],
)
async def test_since_when_issues_are_new(sentry: SentryServer, expected: Verdict, new_since: str) -> None:
    """The last move, a duration, or a moment."""
    sentry.issues = [issue()]

    assert expected is (await ask(sentry, new_since=new_since)).verdict


@pytest.mark.parametrize(
    ("expected", "ignore"),
    [
        (PASS, "ValueError: *"),
        (PASS, ["x", "PACKIT-SERVICE-1"]),
        (FAIL, "ValueError"),
        (FAIL, "PACKIT-SERVICE-?1"),
    ],
)
async def test_noise_is_ignored(sentry: SentryServer, expected: Verdict, ignore: object) -> None:
    """By title or short id; the sentence says how much was."""
    sentry.issues = [issue()]

    found = await ask(sentry, ignore=ignore)

    assert expected is found.verdict
    assert (expected is PASS) == (", 1 ignored" in found.sentence)


@pytest.mark.parametrize(("expected", "at_most"), [(FAIL, 1), (PASS, 2), (PASS, 3)])
async def test_some_may_be_let_pass(sentry: SentryServer, expected: Verdict, at_most: int) -> None:
    """They are shown all the same."""
    sentry.issues = [issue(1), issue(2)]

    found = await ask(sentry, at_most=at_most)

    assert (expected, 2) == (found.verdict, len(found.links))


async def test_all_pages_are_read_from_the_one_address(sentry: SentryServer) -> None:
    """The cursor is taken from the answer, and where to ask is not."""
    sentry.page_size = 2
    sentry.issues = [issue(n) for n in range(5)]

    assert (await ask(sentry)).sentence.startswith("5 new issues since")
    assert [None, "0:2:0", "0:4:0"] == [each.query_params.get("cursor") for each in sentry.requests]
    assert {"sentry.example"} == {each.url.hostname for each in sentry.requests}


async def test_far_too_many_are_not_counted_to_the_end(sentry: SentryServer) -> None:
    sentry.page_size = 1
    sentry.issues = [issue(n) for n in range(30)]

    found = await ask(sentry)

    assert (FAIL, 10) == (found.verdict, len(sentry.requests))
    assert found.sentence.startswith("10 new issues or more since")


async def test_an_incomplete_count_is_no_pass(sentry: SentryServer) -> None:
    """Where the pages ended in what does not count, the rest may hold what does."""
    sentry.page_size = 1
    sentry.issues = [issue(n, title="noise") for n in range(30)]

    found = await ask(sentry, ignore="noise")

    assert Verdict.NO_EVIDENCE is found.verdict
    assert "could not be read to the end" in found.sentence


async def test_what_it_asks(sentry: SentryServer) -> None:
    """Slugs go into the query, ids beside it; the token goes into the header alone."""
    await ask(sentry)
    await ask(sentry, project="17")

    slug, number = sentry.requests
    assert ("-1", "17") == (slug.query_params["project"], number.query_params["project"])
    assert (
        "is:unresolved level:[fatal, error] firstSeen:>2026-02-27T10:00:00 project:packit-service"
        == slug.query_params["query"]
    )
    assert "project:" not in number.query_params["query"]
    assert ("2026-02-27T10:00:00", "2026-03-02T10:00:00", "stg") == tuple(
        slug.query_params[key] for key in ("start", "end", "environment")
    )
    assert "sentry-token" not in str(slug.url)


@pytest.mark.parametrize(
    "busy", [Response(status_code=429, headers={"Retry-After": "2"}), Response(status_code=502)]
)
async def test_a_busy_sentry_is_asked_again(sentry: SentryServer, busy: Response) -> None:
    sentry.answers.extend([busy, busy])

    assert PASS is (await ask(sentry)).verdict
    assert 3 == len(sentry.requests)


async def test_a_long_pause_is_not_waited_for(sentry: SentryServer) -> None:
    sentry.answers.append(Response(status_code=429, headers={"Retry-After": "600"}))

    with pytest.raises(RateLimitedError, match="asks for a pause"):
        await ask(sentry)
    assert 1 == len(sentry.requests)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("check STABLEHAND_SENTRY_TOKEN", JSONResponse({"detail": "Invalid token"}, 401)),
        ("scope event:read", JSONResponse({"detail": "You do not have permission"}, 403)),
        ("no organization example", JSONResponse({"detail": "The requested resource does not exist"}, 404)),
        ("Sentry is elsewhere", RedirectResponse("https://other.example/")),
        ("Sentry answered 400", JSONResponse({"detail": "Invalid project parameter"}, 400)),
        ("something else than expected, at 0.shortId", JSONResponse([{"title": "x"}])),
        (
            "something else than expected, at 0.firstSeen",
            JSONResponse(
                [
                    {"shortId": "P-1", "title": "x", "level": "error", "status": "unresolved"}
                    | {"permalink": None, "firstSeen": "2026-03-01T10:00:00", "count": 1}
                ]
            ),
        ),
        ("something else than expected, at the answer", JSONResponse({"issues": []})),
        ("something else than expected", PlainTextResponse("<html>Log in</html>")),
        ("larger than 5 MB", PlainTextResponse("x" * 5_000_001)),
    ],
)
async def test_an_answer_that_is_none(sentry: SentryServer, expected: str, answer: Response) -> None:
    """It says what to do, asks no other host, and shows no secret."""
    sentry.answers.append(answer)

    with pytest.raises(SourceError, match=expected) as raised:
        await ask(sentry)

    assert "sentry-token" not in str(raised.value)
    assert 1 == len(sentry.requests)


async def test_a_server_that_keeps_failing(sentry: SentryServer) -> None:
    sentry.answers.extend([Response(status_code=503)] * 3)

    with pytest.raises(SourceError, match="Sentry answered 503"):
        await ask(sentry)


async def test_a_sentry_that_is_not_there() -> None:
    settings = Sentry(organization="example", project="p", environment="stg", new_since=timedelta(days=1))

    with pytest.raises(UnreachableError, match=r"sentry\.example cannot be reached"):
        await SOURCE.observe(settings, around())


async def test_without_a_token(sentry: SentryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STABLEHAND_SENTRY_TOKEN")

    with pytest.raises(SourceError, match="STABLEHAND_SENTRY_TOKEN is not set"):
        await ask(sentry)
    assert [] == sentry.requests
