"""What goes wrong on demand: rules that a test switches on, each matched against every request."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.sandbox.metering import is_read

if TYPE_CHECKING:
    from tests.sandbox.api import HttpAnswer


@dataclass(frozen=True)
class Request:
    """What a rule may look at. `kind` is the one that `RequestLog` counts under."""

    kind: str
    method: str
    path: str
    body: str
    login: str | None


@dataclass(frozen=True)
class Reply:
    """What goes to the client instead of the answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """One rule.

    It applies to requests of this `kind` (a prefix; empty: all) whose body contains `containing` and that `where`
    accepts: the first `after` of them pass, the next `times` (None: all) are hit.

    Attributes:
        latency: Seconds to wait before anything else.
        stale: The request reads refs as they were before each repository's last write.
        happens: Whether the request takes effect before `reply` or `cut` replaces its answer.
        cut: The connection is closed without an answer.
        reply: What is answered in place of the true answer.
        change: What becomes of a true JSON answer.
    """

    kind: str = ""
    containing: str = ""
    where: Callable[[Request], bool] = lambda request: True
    after: int = 0
    times: int | None = 1
    latency: float = 0.0
    stale: bool = False
    happens: bool = False
    cut: bool = False
    reply: Reply | None = None
    change: Callable[[Any], Any] | None = None
    seen: int = 0

    def strikes(self, request: Request) -> bool:
        if not (
            request.kind.startswith(self.kind) and self.containing in request.body and self.where(request)
        ):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)

    def changed(self, answer: "HttpAnswer") -> "HttpAnswer":
        """Apply `change` to a JSON answer."""
        if self.change is None:
            return answer
        return replace(answer, body=json.dumps(self.change(json.loads(answer.body))).encode())


class Faults:
    """The rules in force. Every method that adds one returns it; keywords are the fields of `Fault`."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self.latency = 0.0

    def add(self, fault: Fault) -> Fault:
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules.clear()
        self.latency = 0.0

    def striking(self, request: Request) -> Iterator[Fault]:
        for fault in self.rules:
            if fault.strikes(request):
                yield fault

    def slow(self, seconds: float, **match: Any) -> Fault:
        return self.add(Fault(latency=seconds, **match))

    def refuse(
        self, status: int, body: str = "", *, headers: Mapping[str, str] | None = None, **match: Any
    ) -> Fault:
        """Answer `status` and do nothing."""
        return self.add(Fault(reply=Reply(status, body, headers or {}), **match))

    def bad_gateway(self, *, happens: bool, **match: Any) -> Fault:
        """Answer 502, before or after the effect."""
        return self.add(Fault(reply=html(502, "502 Bad Gateway"), happens=happens, **match))

    def cut(self, *, happens: bool, **match: Any) -> Fault:
        """Close the connection, before or after the effect."""
        return self.add(Fault(cut=True, happens=happens, **match))

    def html(self, **match: Any) -> Fault:
        """Answer 200 with a page instead of JSON, and do nothing."""
        return self.add(Fault(reply=html(200, "Unicorn!"), **match))

    def rate_limited(self, *, status: int = 403, retry_after: int | None = None, **match: Any) -> Fault:
        """Hit the secondary limit; with status 200 as GraphQL may say it."""
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        entry = f'{{"message": "{message}"}}'
        body = f'{{"data": null, "errors": [{entry}]}}' if status == 200 else entry
        return self.refuse(status, body, headers=headers, **match)

    def partial(self, alias: str, **match: Any) -> Fault:
        """Lose one alias of a GraphQL answer to an unexplained error."""

        def lose(answer: dict[str, Any]) -> dict[str, Any]:
            error = {"message": "Something went wrong while executing your query.", "path": [alias]}
            return {"data": {**answer["data"], alias: None}, "errors": [*answer.get("errors", ()), error]}

        return self.add(Fault(change=lose, **match))

    def stale_reads(self, times: int, **match: Any) -> Fault:
        """Let the next reads see refs as they were before the last write."""
        return self.add(Fault(stale=True, times=times, where=lambda request: is_read(request.kind), **match))


def html(status: int, text: str) -> Reply:
    page = f"<!DOCTYPE html><html><body><p>{text}</p></body></html>"
    return Reply(status, page, {"content-type": "text/html; charset=utf-8"})
