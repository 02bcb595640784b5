"""The way to GitHub: what is repeated, what is not, and what a person is told."""

import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from reconcile.errors import (
    ForbiddenError,
    RateLimitedError,
    ReconcileError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconcile.github.client import GitHub, connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.github.transport import Pace, TooSlowError, read_in_batches, together
from reconcile.ports import RefUpdate

SECRET = "ghp_never_to_be_seen"
VIEWER = httpx.Response(200, json={"data": {"viewer": {"login": "stablehand[bot]"}}})
HTML = "<html><body>" + "unicorn " * 1000 + "</body></html>"
SHA = "1" * 40

Reply = httpx.Response | Exception


class Script(httpx.MockTransport):
    """Answers requests in order; the last answer stays."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []
        super().__init__(self._reply)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)


@asynccontextmanager
async def connected(script: Script, *, url: str = "https://api.github.test") -> AsyncIterator[GitHub]:
    settings = GitHubSettings(
        url=url, credentials=TokenCredentials(token=SecretStr(SECRET)), seconds_between_writes=0
    )
    async with connect(settings, repository="packit/release-state", transport=script) as github:
        yield github


def update(name: str = "packit/ogr") -> RefUpdate:
    return RefUpdate(
        repository=name, repository_id=f"id of {name}", ref="stable", before=None, after=SHA, force=False
    )


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500, text="oops"),
        httpx.Response(502, html=HTML),
        httpx.Response(504),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.ReadError("reset"),
        httpx.Response(429, headers={"retry-after": "5"}),
        httpx.Response(403, json={"message": "You have exceeded a secondary rate limit."}),
        httpx.Response(
            200, json={"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
        ),
        httpx.Response(
            200, json={"errors": [{"message": "Something went wrong while executing your query."}]}
        ),
    ],
    ids=lambda trouble: type(trouble).__name__ if isinstance(trouble, Exception) else str(trouble),
)
async def test_reads_are_repeated(trouble: Reply) -> None:
    """Trouble that may pass is not the caller's, who sees an answer, and the true count of requests."""
    script = Script(trouble, trouble, VIEWER)

    async with connected(script) as github:
        assert "stablehand" == await github.load_login()

    assert 3 == len(script.requests) == github.requests.reads


async def test_reads_are_not_repeated_for_ever() -> None:
    script = Script(httpx.Response(500))

    async with connected(script) as github:
        with pytest.raises(UnreachableError):
            await github.load_login()

    assert 4 == len(script.requests)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"retry-after": "600"}, timedelta(minutes=10)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4000000000"}, timedelta(days=365)),
    ],
    ids=["retry-after", "reset"],
)
async def test_a_long_pause_is_the_callers(headers: dict[str, str], told: timedelta) -> None:
    """Nobody sleeps for ten minutes in here: the error says how long GitHub wants to be left alone."""
    script = Script(httpx.Response(403, headers=headers, json={"message": "API rate limit exceeded"}))

    async with connected(script) as github:
        with pytest.raises(RateLimitedError) as raised:
            await github.load_login()

    assert raised.value.retry_after is not None
    assert told <= raised.value.retry_after
    assert 1 == len(script.requests)


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (httpx.Response(401, json={"message": "Bad credentials"}), UnauthorizedError, "STABLEHAND_TOKEN"),
        (httpx.Response(403, json={"message": "Resource not accessible"}), ForbiddenError, "ABCD:1"),
        (httpx.Response(404, json={"message": "Not Found"}), UnexpectedAnswerError, "Check that STABLEHAND_GITHUB_URL"),
        (httpx.Response(200, html=HTML), UnexpectedAnswerError, "STABLEHAND_GITHUB_URL"),
        (httpx.Response(200, json={"hello": "world"}), UnexpectedAnswerError, "neither data nor errors"),
        (httpx.Response(200, json={"data": {"viewer": {}}}), UnexpectedAnswerError, "viewer.login"),
        (httpx.Response(200, json={"data": None, "errors": [{"message": "syntax"}]}), UnexpectedAnswerError, "syntax"),
        (
            httpx.Response(200, json={"errors": [{"type": "INSUFFICIENT_SCOPES", "message": "no read:org"}]}),
            ForbiddenError,
            "no read:org",
        ),
        (httpx.ConnectError("refused"), UnreachableError, "STABLEHAND_GITHUB_URL"),
        (httpx.Response(502, html=HTML), TooSlowError, "502"),
    ],
    ids=[
        "unauthorized", "forbidden", "not-found", "html", "no-data", "misshapen", "invalid", "scopes", "refused",
        "bad-gateway",
    ],
)  # fmt: skip
async def test_errors_say_what_was_found_and_what_to_do(
    answer: Reply, expected: type[ReconcileError], words: str
) -> None:
    """A message names the address, the request and a remedy; never the token, and no body of unknown length."""
    if isinstance(answer, httpx.Response):
        answer.headers["x-github-request-id"] = "ABCD:1"

    async with connected(Script(answer)) as github:
        with pytest.raises(expected) as raised:
            await github.load_login()

    message = str(raised.value)
    assert words in message
    assert "https://api.github.test" in message
    assert len(message) < 700
    assert SECRET not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500),
        httpx.Response(502, html=HTML),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(200, html=HTML),
        httpx.Response(200, json={"errors": [{"message": "Something went wrong while executing your query."}]}),
    ],
    ids=["500", "502", "timeout", "cut", "html", "no path"],
)  # fmt: skip
async def test_a_write_is_sent_once(trouble: Reply) -> None:
    """Whether a lost one was carried out is for the caller to find out, of every ref in it."""
    script = Script(trouble)

    async with connected(script) as github:
        answers = await github.update_refs([update(), update("packit/packit")])

    assert ["lost", "lost"] == [answer.status for answer in answers]
    assert 1 == len(script.requests) == github.requests.writes


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(403, headers={"retry-after": "3"}), RateLimitedError),
        (httpx.Response(429), RateLimitedError),
        (
            httpx.Response(
                200,
                json={"data": {"u0": None}, "errors": [{"message": "You have exceeded a secondary rate limit."}]},
            ),
            RateLimitedError,
        ),
        (httpx.Response(401), UnauthorizedError),
        (httpx.Response(403, json={"message": "Your IP is not allowed"}), ForbiddenError),
        (
            httpx.Response(200, json={"errors": [{"type": "INSUFFICIENT_SCOPES", "message": "repo"}]}),
            ForbiddenError,
        ),
    ],
    ids=["secondary", "429", "secondary by GraphQL", "unauthorized", "forbidden", "scopes"],
)  # fmt: skip
async def test_a_write_refused_as_a_whole_raises(answer: Reply, expected: type[ReconcileError]) -> None:
    """Nothing was carried out, so there is nothing to find out."""
    async with connected(Script(answer)) as github:
        with pytest.raises(expected):
            await github.update_refs([update()])


async def test_answers_are_told_apart_by_alias() -> None:
    """Of several updates in one request each is judged by itself."""
    answer = {
        "data": {"u0": {"clientMutationId": None}, "u1": None, "u2": None},
        "errors": [
            {"path": ["u1"], "message": "Something went wrong while executing your query."},
            {"path": ["u2"], "type": "FORBIDDEN", "message": "Resource not accessible by integration"},
        ],
    }

    async with connected(Script(httpx.Response(200, json=answer))) as github:
        answers = await github.update_refs([update(f"packit/{n}") for n in range(4)])

    assert [("accepted", None), ("rejected", None), ("rejected", "no-permission"), ("lost", None)] == [
        (answer.status, answer.refusal) for answer in answers
    ]


async def test_what_is_forbidden_of_one_repository_spoils_no_other() -> None:
    """Not even where only a part of it is: without its ref it would look as if there were none."""
    answer = {
        "data": {"r0": {"on0": None}, "r1": {"on0": {"target": {"oid": SHA}}}},
        "errors": [{"path": ["r0", "on0"], "type": "FORBIDDEN", "message": "Resource not accessible"}],
    }

    async with connected(Script(httpx.Response(200, json=answer))) as github:
        assert {"packit/packit": SHA} == await github.observe_refs(["packit/ogr", "packit/packit"], "stable")


async def test_what_is_forbidden_of_the_only_repository_is_said() -> None:
    answer = {
        "data": {"repository": None},
        "errors": [{"path": ["repository"], "type": "FORBIDDEN", "message": "Protected by SAML enforcement"}],
    }

    async with connected(Script(httpx.Response(200, json=answer))) as github:
        with pytest.raises(ForbiddenError, match="SAML"):
            await github.load_release_state()


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("GH006: Protected branch update failed for refs/heads/stable.", "protected"),
        ("Repository rule violations found\n\nCannot update this protected ref.", "protected"),
        ("Changes must be made through a pull request.", "protected"),
        (
            "refusing to allow a GitHub App to create or update workflow `x.yml` without `workflows` permission",
            "workflows-permission",
        ),
        ("bot does not have the correct permissions to execute `UpdateRef`", "no-permission"),
        ("Something went wrong while executing your query.", None),
        ("A ref that is not a fast forward", None),
    ],
)
async def test_refusals_are_recognised_by_their_words(message: str, refusal: str | None) -> None:
    answer = {"data": {"u0": None}, "errors": [{"path": ["u0"], "message": message}]}

    async with connected(Script(httpx.Response(200, json=answer))) as github:
        (judged,) = await github.update_refs([update()])

    assert ("rejected", refusal, message) == (judged.status, judged.refusal, judged.message)


@pytest.mark.parametrize(
    ("url", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://github.example/api/v3/", "https://github.example/api/graphql"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/graphql"),
    ],
)
async def test_graphql_has_its_own_address(url: str, graphql: str) -> None:
    """GitHub Enterprise Server has it beside the REST API, not under it."""
    script = Script(VIEWER)

    async with connected(script, url=url) as github:
        await github.load_login()

    assert [graphql] == [str(request.url) for request in script.requests]


@pytest.mark.parametrize(
    "url", ["api.github.com", "ftp://github.com", "https://me:secret@github.example", ""]
)
def test_bad_addresses_are_refused_at_once(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GitHubSettings(url=url, credentials=TokenCredentials(token=SecretStr(SECRET)))

    assert "address" in str(refused.value)
    assert SECRET not in str(refused.value)


async def test_writes_keep_their_pace() -> None:
    """A second from the end of one write to the start of the next, by a clock that nobody sets."""
    now, slept = 100.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    pace = Pace(1.0, clock=lambda: now, sleep=sleep)
    async with pace:
        now += 5  # the write itself takes long
    now += 0.25
    async with pace:
        pass
    now += 2
    async with pace:
        pass

    assert [0.75] == slept


async def test_a_failed_write_lets_the_next_one_through() -> None:
    pace = Pace(0)
    with pytest.raises(ZeroDivisionError):
        async with pace:
            raise ZeroDivisionError

    async with pace:
        pass


async def test_the_first_failure_stops_the_other_reads() -> None:
    """It is raised as itself: callers branch on classes of errors, not on groups of them."""

    async def fail() -> None:
        raise UnreachableError("down")

    async def never() -> None:
        raise AssertionError("cancelled before it ran")

    with pytest.raises(UnreachableError, match="down"):
        await together([fail(), never()])


def reader_up_to(
    most: int, seen: list[int]
) -> Callable[[Sequence[int]], Coroutine[Any, Any, Mapping[int, int]]]:
    async def read(batch: Sequence[int]) -> dict[int, int]:
        seen.append(len(batch))
        if len(batch) > most:
            raise TooSlowError("too much")
        return {item: item * item for item in batch}

    return read


async def test_a_batch_that_is_too_much_is_halved() -> None:
    seen: list[int] = []

    found = await read_in_batches(range(8), 8, reader_up_to(2, seen))

    assert {n: n * n for n in range(8)} == found
    assert [8, 4, 2, 2, 4, 2, 2] == seen


async def test_a_batch_of_one_that_is_too_much_fails() -> None:
    with pytest.raises(TooSlowError):
        await read_in_batches(range(4), 4, reader_up_to(0, []))
