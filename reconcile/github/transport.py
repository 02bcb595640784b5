"""The way to GitHub: one place that sends, waits, repeats, counts, and says what went wrong in our own errors.

Reads are repeated while that may help; writes are sent once, and their doubtful answers are the caller's to settle.
Nothing here knows what is asked. No message carries a token or a body of unknown length.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import githubkit
import httpx
import jwt
import stamina
from githubkit.exception import GitHubException, RateLimitExceeded, RequestError, RequestFailed
from githubkit.response import Response
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from reconcile.errors import (
    ForbiddenError,
    MissingError,
    RateLimitedError,
    ReconcileError,
    RejectedError,
    StaleHeadError,
    TransientError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconcile.ports import Budget

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_UNTOLD_PAUSE = timedelta(seconds=60)
"""What GitHub advises where a limit's answer does not say how long to wait."""
_LONGEST_QUOTE = 300
_CHECK_ADDRESS = "Check that STABLEHAND_GITHUB_URL is the address of GitHub's API."
_GRANT = "Give the account the right to it; the README lists what it needs."
_retrying = stamina.AsyncRetryingCaller(attempts=4, timeout=90.0, wait_initial=0.5, wait_max=8.0)


class TooSlowError(UnreachableError):
    """GitHub did not answer in time, or gave up: asking for less at once may help."""


class Node(BaseModel):
    """A part of an answer: names in GitHub's spelling, what nobody asked for is left out."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


class Problem(Node):
    """An entry of a GraphQL answer's ``errors``."""

    type: str | None = None
    message: str = ""
    path: tuple[str | int, ...] = ()

    @property
    def quote(self) -> str:
        """GitHub's words, of bounded length."""
        return self.message[:_LONGEST_QUOTE]

    @property
    def is_rate_limit(self) -> bool:
        return self.type in {"RATE_LIMIT", "RATE_LIMITED"} or _speaks_of_rate_limit(self.message)

    @property
    def is_absence(self) -> bool:
        """Whether null is the true answer: there is no such thing.

        What has no type and concerns a comparison is a commit that cannot be compared: GitHub does not document it.
        """
        return self.type == "NOT_FOUND" or (
            self.type is None and self.path[-1:] == ("compare",) and not self.is_slowness
        )

    @property
    def is_slowness(self) -> bool:
        return self.type in {"RESOURCE_LIMITS_EXCEEDED", "SERVICE_UNAVAILABLE", "TIMEOUT"} or (
            "something went wrong" in self.message.lower() or "timed out" in self.message.lower()
        )


class _Envelope(Node):
    data: dict[str, Any] | None = None
    errors: tuple[Problem, ...] = ()


class Answer(NamedTuple):
    """What a mutation was answered, nothing judged yet but a limit or a lack of scopes."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...]


@dataclass
class Requests:
    """How many requests were sent, repetitions included."""

    reads: int = 0
    writes: int = 0


class Pace:
    """Lets one write at a time through, and keeps the advised pause from the end of one to the next."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._ended: float | None = None

    async def __aenter__(self) -> None:
        await self._turn.acquire()
        try:
            if self._ended is not None and (rest := self._ended + self._seconds - self._clock()) > 0:
                await self._sleep(rest)
        except BaseException:
            self._turn.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = self._clock()
        self._turn.release()


class Transport:
    """Sends requests through githubkit, by GraphQL and by REST."""

    def __init__(self, api: githubkit.GitHub[Any], *, url: str, pace: Pace) -> None:
        self.rest = api.rest
        self.requests = Requests()
        self.budget: Budget | None = None
        """What GraphQL's newest answer said is left of the hourly limit."""
        self._api = api
        self._url = url
        # GitHub Enterprise Server has GraphQL beside /api/v3, not under it.
        self._graphql_url = f"{url.removesuffix('/v3') if url.endswith('/api/v3') else url}/graphql"
        self._pace = pace

    async def query(
        self,
        text: str,
        variables: Mapping[str, object],
        shape: TypeAdapter[T],
        *,
        batch: int = 0,
    ) -> T:
        """Ask by GraphQL. What does not exist is null in the answer.

        Repeated while that may help. Of a ``batch`` of so many aliases, one that is forbidden is null too, whole, and
        spoils no other; slowness is raised at once, for the caller to ask for less, unless it is of one alone.

        Raises:
            TransientError: Nothing usable came, also after repeating.
            StallError: GitHub refuses, or is not GitHub.
        """

        async def ask() -> T:
            self.requests.reads += 1
            response = await self._graphql(text, variables)
            envelope = self._envelope(response)
            data = envelope.data
            for problem in envelope.errors:
                if batch and data and problem.type == "FORBIDDEN" and problem.path:
                    data[str(problem.path[0])] = None
                elif data is None or not problem.is_absence:
                    raise self._refusal(problem, response)
            return self._parse(shape, data, response)

        return await _retrying(_is_worth_repeating_at_once if batch > 1 else _is_worth_repeating, ask)

    async def mutate(self, text: str, variables: Mapping[str, object]) -> Answer:
        """Send mutations by GraphQL, once, and hand back what was answered to each.

        Raises:
            RateLimitedError: GitHub asked for a pause, and carried out nothing.
            ForbiddenError: The token lacks a scope; nothing was carried out.
            UnreachableError, UnexpectedAnswerError: Whether anything was carried out is unknown.
        """
        async with self._pace:
            self.requests.writes += 1
            response = await self._graphql(text, variables)
        envelope = self._envelope(response)
        data = envelope.data or {}
        if not any(data.values()):
            for problem in envelope.errors:
                if problem.is_rate_limit or problem.type == "INSUFFICIENT_SCOPES":
                    raise self._refusal(problem, response)
        return Answer(data, envelope.errors)

    async def execute(self, text: str, variables: Mapping[str, object], shape: TypeAdapter[T]) -> T:
        """Send one mutation, once, and return what it gave.

        Raises:
            StaleHeadError: The branch was not where it was expected.
            UnreachableError, UnexpectedAnswerError: Whether it was carried out is unknown.
            StallError: GitHub refused it.
        """
        answer = await self.mutate(text, variables)
        for problem in answer.problems:
            raise _refused(problem)
        return self._parse(shape, answer.data, None)

    async def read(self, call: Callable[[], Awaitable[Response[T]]]) -> T:
        """Ask by REST; repeated while that may help.

        Raises:
            MissingError: Not found.
            RejectedError: GitHub cannot make sense of what was asked for.
        """

        async def ask() -> T:
            self.requests.reads += 1
            return self._parsed(await self._send(call))

        return await _retrying(_is_worth_repeating, ask)

    async def create(self, call: Callable[[], Awaitable[Response[T]]]) -> T:
        """Send a write by REST, once, and read what it made."""
        return self._parsed(await self.write(call))

    async def write(self, call: Callable[[], Awaitable[Response[T]]]) -> Response[T]:
        """Send a write by REST, once. Never a ref update: REST has no compare-and-swap."""
        async with self._pace:
            self.requests.writes += 1
            return await self._send(call)

    async def _graphql(self, text: str, variables: Mapping[str, object]) -> Response[Any]:
        return await self._send(
            lambda: self._api.arequest(
                "POST", self._graphql_url, json={"query": text, "variables": dict(variables)}
            )
        )

    async def _send(self, call: Callable[[], Awaitable[Response[T]]]) -> Response[T]:
        try:
            response = await call()
        except GitHubException as error:
            if isinstance(error, RequestFailed):
                self._remember_budget(error.response.headers)
            raise self._translate(error) from error
        self._remember_budget(response.headers)
        return response

    def _remember_budget(self, headers: httpx.Headers) -> None:
        remaining, reset = headers.get("x-ratelimit-remaining", ""), headers.get("x-ratelimit-reset", "")
        is_told = remaining.isdecimal() and reset.isdecimal()
        if is_told and headers.get("x-ratelimit-resource") == "graphql":
            resets_at = datetime.fromtimestamp(int(reset), tz=UTC)
            self.budget = Budget(remaining=int(remaining), resets_at=resets_at)

    def _envelope(self, response: Response[Any]) -> _Envelope:
        envelope = self._parse(TypeAdapter(_Envelope), response.content, response)
        if envelope.data is None and not envelope.errors:
            raise UnexpectedAnswerError(
                f"{self._describe(response.raw_response)} has neither data nor errors."
            )
        return envelope

    def _parsed(self, response: Response[T]) -> T:
        try:
            return response.parsed_data
        except ValidationError as error:
            raise self._unexpected(error, response) from error

    def _parse(self, shape: TypeAdapter[T], content: object, response: Response[Any] | None) -> T:
        try:
            return (
                shape.validate_json(content) if isinstance(content, bytes) else shape.validate_python(content)
            )
        except ValidationError as error:
            raise self._unexpected(error, response) from error

    def _unexpected(self, error: ValidationError, response: Response[Any] | None) -> UnexpectedAnswerError:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        what = self._describe(response.raw_response) if response else f"An answer of GitHub at {self._url}"
        return UnexpectedAnswerError(
            f"{what} is not what GitHub documents, at {where}: {first['msg'][:_LONGEST_QUOTE]}. {_CHECK_ADDRESS}"
        )

    def _describe(self, response: httpx.Response) -> str:
        request_id = response.headers.get("x-github-request-id")
        return (
            f"GitHub's answer to {response.request.method} {response.request.url.path} at {self._url} "
            f"({response.status_code}{f', request {request_id}' if request_id else ''})"
        )

    def _refusal(self, problem: Problem, response: Response[Any]) -> ReconcileError:
        """Say what a problem of a query means."""
        what = f"{self._describe(response.raw_response)}: {problem.quote}"
        if problem.is_rate_limit:
            return _limited(what, response.headers)
        if problem.type in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
            return ForbiddenError(f"{what.rstrip('.')}. {_GRANT}")
        if problem.is_absence:
            return MissingError(what)
        return TooSlowError(what) if problem.is_slowness else UnexpectedAnswerError(what)

    def _translate(self, error: GitHubException) -> ReconcileError:
        """Say what a failed request means, in our own errors."""
        if isinstance(error, RequestFailed):
            return self._failed(error)
        cause = error.exc if isinstance(error, RequestError) else error
        if isinstance(cause, RequestFailed | jwt.PyJWTError):
            # The app's own request for a token, which githubkit sends inside authentication.
            found = (
                f"{cause.response.status_code} {_message(cause.response.raw_response)}"
                if isinstance(cause, RequestFailed)
                else f"the key cannot be used: {type(cause).__name__}"
            )
            return UnauthorizedError(
                f"GitHub at {self._url} gives the app no token: check the app's id, its installation "
                f"and its private key. ({found})"
            )
        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
            return UnreachableError(
                f"Nothing answers at {self._url}: check STABLEHAND_GITHUB_URL and the network."
            )
        if isinstance(cause, httpx.TimeoutException):
            return TooSlowError(f"GitHub at {self._url} did not answer in time.")
        if isinstance(cause, httpx.HTTPError):
            return UnreachableError(f"The connection to GitHub at {self._url} broke: {type(cause).__name__}.")
        raise cause

    def _failed(self, error: RequestFailed) -> ReconcileError:
        response = error.response.raw_response
        message = _message(response)
        what = f"{self._describe(response)}: {(message or response.reason_phrase).rstrip('.')}."
        match response.status_code:
            case 401:
                return UnauthorizedError(
                    f"GitHub at {self._url} does not accept the token: check STABLEHAND_TOKEN, or the app's id, "
                    "installation and private key."
                )
            case 429:
                return _limited(what, response.headers)
            case 403 if isinstance(error, RateLimitExceeded) or _speaks_of_rate_limit(message):
                return _limited(what, response.headers)
            case 403 | 451:
                return ForbiddenError(f"{what.rstrip('.')}. {_GRANT}")
            # GraphQL has one address, and says in its answers what does not exist.
            case 404 | 410 if str(response.request.url) != self._graphql_url:
                return MissingError(what)
            case 409 | 422:
                return RejectedError(what)
            case 408 | 502 | 504:
                return TooSlowError(what)
            case status if status >= httpx.codes.INTERNAL_SERVER_ERROR:
                return UnreachableError(what)
            case _:
                return UnexpectedAnswerError(f"{what.rstrip('.')}. {_CHECK_ADDRESS}")


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Wait for reads side by side; the first failure stops the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise failure


async def read_in_batches(
    items: Collection[K], size: int, read: Callable[[Sequence[K]], Coroutine[Any, Any, Mapping[K, V]]]
) -> dict[K, V]:
    """Read many things, a batch a request, side by side; a batch that is too much for GitHub is halved.

    The halves follow each other: a server that is too slow already is not helped by more at once.
    """

    async def read_or_halve(batch: Sequence[K]) -> Mapping[K, V]:
        try:
            return await read(batch)
        except TooSlowError:
            if len(batch) == 1:
                raise
            middle = len(batch) // 2
            return {**await read_or_halve(batch[:middle]), **await read_or_halve(batch[middle:])}

    ordered = tuple(items)
    batches = (ordered[start : start + size] for start in range(0, len(ordered), size))
    return {
        item: value
        for part in await together(read_or_halve(b) for b in batches)
        for item, value in part.items()
    }


def _refused(problem: Problem) -> ReconcileError:
    """Say what it means that a single mutation was refused."""
    what = f"GitHub refused {'.'.join(str(part) for part in problem.path) or 'a mutation'}: {problem.quote}"
    if problem.is_rate_limit:
        return RateLimitedError(what, retry_after=_UNTOLD_PAUSE)
    match problem.type:
        case "STALE_DATA":
            return StaleHeadError(what)
        case "NOT_FOUND":
            return MissingError(what)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return ForbiddenError(f"{what.rstrip('.')}. {_GRANT}")
        case _ if problem.is_slowness:
            return UnreachableError(what)
        case _:
            return RejectedError(what)


def _is_worth_repeating(error: Exception) -> bool | float:
    """Say whether a read may succeed when sent again, and after how many seconds where GitHub says so."""
    if isinstance(error, RateLimitedError):
        return False if error.pause is None else error.pause
    return isinstance(error, TransientError)


def _is_worth_repeating_at_once(error: Exception) -> bool | float:
    """Say the same of a read that may be divided instead."""
    return False if isinstance(error, TooSlowError) else _is_worth_repeating(error)


def _limited(what: str, headers: httpx.Headers) -> RateLimitedError:
    pause = _pause(headers)
    until = datetime.now(UTC) + pause
    return RateLimitedError(
        f"{what.rstrip('.')}. It asks for a pause until {until:%H:%M:%S} UTC.", retry_after=pause
    )


def _pause(headers: httpx.Headers) -> timedelta:
    """Read how long GitHub wants to be left alone."""
    if (seconds := headers.get("retry-after", "")).isdecimal():
        return timedelta(seconds=int(seconds))
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdecimal():
        reset = datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), tz=UTC)
        return max(reset - datetime.now(UTC), timedelta())
    return _UNTOLD_PAUSE


def _speaks_of_rate_limit(message: str) -> bool:
    lowered = message.lower()
    return "secondary rate limit" in lowered or "rate limit exceeded" in lowered


class _Message(Node):
    message: str = ""


def _message(response: httpx.Response) -> str:
    """Read GitHub's own words from an error's body; nothing of a body that is not GitHub's."""
    try:
        return _Message.model_validate_json(response.content).message[:_LONGEST_QUOTE]
    except ValidationError:
        return ""
