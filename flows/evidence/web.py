"""Asking other addresses than GitHub's: bounded in size, repeated while that may help, redirected nowhere."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple, TypeVar

import httpx
import stamina
from pydantic import TypeAdapter, ValidationError

from flows.evidence.source import SourceError
from reconcile.errors import RateLimitedError, TransientError, UnreachableError

_LARGEST = 5_000_000
"""Bytes of an answer; a hundred of Sentry's issues take a tenth of it."""
_LONGEST_PAUSE = timedelta(seconds=30)
"""A longer pause than this outlasts a source's time."""
_UNTOLD_PAUSE = timedelta(seconds=5)
_DIGITS = 9
"""Of a pause, in seconds; what has more is longer than anybody counts."""
_LAST_PORT = 65_535

T = TypeVar("T")
_retrying = stamina.AsyncRetryingCaller(attempts=3, timeout=45.0, wait_initial=0.5, wait_max=5.0)


class Answer(NamedTuple):
    """What an address answered, whatever the status."""

    status: int
    content: bytes
    next_page: Mapping[str, str]
    """The parameters of its ``Link`` to the next page; empty where there is none."""

    def parse(self, shape: TypeAdapter[T]) -> T:
        """Read the body as JSON of a shape.

        Raises:
            SourceError: It is none.
        """
        try:
            return shape.validate_json(self.content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise SourceError(
                f"It answered something else than expected, at {where}: {first['msg']}."
            ) from error


async def fetch(
    client: httpx.AsyncClient,
    url: str,
    *,
    params: Mapping[str, str | list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask by GET. What breaks on the way is tried again; so is a server that is busy, until its last answer counts.

    Raises:
        TransientError: No answer came, or it asks for a longer pause than there is time for.
        SourceError: The answer is too large, or nothing can be at this address.
    """
    address = _parse_address(url)
    try:
        return await _retrying(
            _is_worth_repeating, _fetch_once, client, address, params=params, headers=headers
        )
    except _BusyError as busy:
        return busy.answer


def _parse_address(url: str) -> httpx.URL:
    """Read an address as what sends to it does, which is stricter than the policy, and raises whatever it likes."""
    try:
        address = httpx.URL(url)
        host, port = address.host, address.port
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SourceError(f"There is no such address: {error}.") from error
    if port and port > _LAST_PORT:
        raise SourceError(f"There is no port {port} of {host}: {_LAST_PORT} is the last.")
    return address


class _BusyError(TransientError):
    """An answer that a moment later may be another."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"It answered {answer.status}.")


async def _fetch_once(
    client: httpx.AsyncClient,
    address: httpx.URL,
    *,
    params: Mapping[str, str | list[str]] | None,
    headers: Mapping[str, str] | None,
) -> Answer:
    content = bytearray()
    host = address.host
    try:
        async with client.stream(
            "GET", address, params=params, headers=headers, follow_redirects=False
        ) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST:
                    raise SourceError(f"The answer of {host} is larger than {_LARGEST // 1_000_000} MB.")
    except httpx.TimeoutException as error:
        raise UnreachableError(f"{host} did not answer in time.") from error
    except httpx.HTTPError as error:
        raise UnreachableError(f"{host} cannot be reached ({type(error).__name__}).") from error
    answer = Answer(response.status_code, bytes(content), response.links.get("next", {}))
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        pause = response.headers.get("retry-after", "")
        raise RateLimitedError(
            f"{host} asks for a pause.",
            retry_after=timedelta(seconds=int(pause[:_DIGITS])) if pause.isdecimal() else _UNTOLD_PAUSE,
        )
    if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _BusyError(answer)
    return answer


def _is_worth_repeating(error: Exception) -> bool | float:
    """Say whether the same request may be answered otherwise, and after how many seconds where that is known."""
    if isinstance(error, RateLimitedError):
        pause = error.retry_after or _UNTOLD_PAUSE
        return pause.total_seconds() if pause <= _LONGEST_PAUSE else False
    return isinstance(error, TransientError)
