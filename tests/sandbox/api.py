"""The API as one function of a request: credentials, limits, conditional requests, then GraphQL or REST.

Knows nothing of sockets; `server.py` calls it in a worker thread and applies the faults around it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from itertools import count
from typing import Any

from tests.sandbox import graphql
from tests.sandbox.credentials import app_of_jwt, is_jwt, token_in
from tests.sandbox.errors import BadCredentials, NotFound, Refusal
from tests.sandbox.faults import Request
from tests.sandbox.graphql import execution
from tests.sandbox.metering import RateLimits, RequestLog
from tests.sandbox.model import Account, App
from tests.sandbox.rest.routing import Answer, Moved, RestCall, Route, Router, modules, parse_query
from tests.sandbox.rest.shapes import Shapes
from tests.sandbox.store import Store

DOCUMENTATION = "https://docs.github.com/rest"
ANONYMOUS = ""
OLDEST_VERSION = "2022-11-28"
# What version 2026-03-10 has taken out of the answers.
REMOVED = frozenset({"assignee", "has_downloads", "merge_commit_sha"})


@dataclass(frozen=True)
class HttpRequest:
    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes

    @property
    def version(self) -> str:
        """The version of the API that the client speaks: a date, which compares as text."""
        return self.headers.get("x-github-api-version", OLDEST_VERSION)


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Identity:
    account: Account | None = None
    app: App | None = None


class Api:
    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.url = url
        self.shapes = Shapes(store, url)
        self.limits = RateLimits(store.clock)
        self.log = RequestLog()
        self.router = Router()
        for router in modules():
            self.router.include(router)
        self._request_ids = count(1)

    def identify(self, headers: Mapping[str, str]) -> Identity:
        token = token_in(headers.get("authorization"))
        if token is None:
            return Identity()
        if is_jwt(token):
            return Identity(app=app_of_jwt(token, self.store.apps, self.store.clock()))
        return Identity(self.store.account(self.store.credentials.login(token)))

    def describe(self, request: HttpRequest) -> Request:
        """Say what kind of request this is, for the log and the faults."""
        try:
            account = self.identify(request.headers).account
        except BadCredentials:
            account = None
        if request.path == "/graphql":
            kind = f"graphql:{graphql_kind(request.body)}"
        else:
            found = self.router.find(request.method, self._named(request.path))
            kind = found[0].kind if found else f"rest:{request.method} ?"
        text = request.body.decode("utf-8", "replace")
        return Request(kind, request.method, request.path, text, account.login if account else None)

    def _named(self, path: str) -> str:
        """Turn `/repositories/ID/…` into `/repos/OWNER/NAME/…`."""
        if not path.startswith("/repositories/"):
            return path
        number, slash, rest = path.removeprefix("/repositories/").partition("/")
        try:
            repository = self.store.repository_by_id(int(number))
        except (NotFound, ValueError):
            return path
        return f"/repos/{repository.full_name}{slash}{rest}"

    def answer(self, request: HttpRequest, *, stale: bool = False) -> HttpAnswer:
        """Do what the request asks, under the store's lock."""
        number = next(self._request_ids)
        request_id = f"{number:04X}:{number * 2_654_435_761 % 2**32:08X}"
        with self.store.viewing(stale=stale):
            headers = {
                "date": format_datetime(self.store.clock(), usegmt=True),
                "server": "github.com",
                "x-github-request-id": request_id,
                "x-github-media-type": "github.v3; format=json",
                "content-type": "application/json; charset=utf-8",
            }
            is_graphql = request.path == "/graphql"
            answer = self._graphql(request, request_id) if is_graphql else self._rest(request)
        headers |= answer.headers
        body = b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False).encode()
        if answer.status in (204, 304):
            del headers["content-type"]
            body = b""
        return HttpAnswer(answer.status, headers, body)

    def _graphql(self, request: HttpRequest, request_id: str) -> Answer:
        try:
            account = self.identify(request.headers).account
        except BadCredentials as error:
            return refusal(error)
        if account is None:
            return Answer({"message": "This endpoint requires you to be authenticated."}, 401)
        body = parse_json(request.body)
        if request.method != "POST" or body is None:
            return Answer({"message": "Problems parsing JSON", "documentation_url": DOCUMENTATION}, 400)
        if not isinstance(body.get("query"), str):
            return Answer(
                {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
            )
        operation = execution.read_operation(body)
        if isinstance(operation, tuple):
            return Answer({"errors": [execution.render_error(error, request_id) for error in operation]})
        cost = operation.cost
        limit = self.limits.state(account.login, "graphql")
        if limit.remaining < cost.points:
            message = f"API rate limit exceeded for {account.login}."
            return Answer({"errors": [{"type": "RATE_LIMITED", "message": message}]}, headers=limit.headers)
        limit = self.limits.spend(account.login, "graphql", cost.points, node_count=cost.nodes)
        call = graphql.Call(self.store, account, self.url, request_id, limit)
        return Answer(execution.execute(call, operation), headers=limit.headers)

    def _rest(self, request: HttpRequest) -> Answer:
        try:
            identity = self.identify(request.headers)
        except BadCredentials as error:
            return refusal(error)
        who = identity.account.login if identity.account else ANONYMOUS
        if request.path == "/rate_limit":
            return self._rate_limits(who)
        limit = self.limits.state(who, "core")
        if limit.remaining == 0:
            message = f"API rate limit exceeded for {who or 'your address'}."
            return Answer({"message": message, "documentation_url": DOCUMENTATION}, 403, limit.headers)
        answer = self._call(request, identity)
        if request.method == "GET" and answer.status == 200:
            answer = conditional(request, answer)
        limit = self.limits.spend(who, "core", 0 if answer.status == 304 else 1)
        return Answer(answer.body, answer.status, {**limit.headers, **answer.headers})

    def _call(self, request: HttpRequest, identity: Identity) -> Answer:
        path = self._named(request.path)
        found = self.router.find(request.method, path)
        if found is None:
            return refusal(NotFound("Not Found"))
        route, params = found
        body = (
            parse_json(request.body, "labels" if path.endswith("/labels") else None) if request.body else {}
        )
        if body is None:
            return Answer({"message": "Problems parsing JSON", "documentation_url": DOCUMENTATION}, 400)
        call = RestCall(
            self.store,
            self.shapes,
            identity.account,
            identity.app,
            request.method,
            request.path,
            params,
            parse_query(request.query),
            body,
            request.version,
        )
        try:
            answer = route.endpoint(call)
        except Moved as moved:
            return self._redirect(request, route, params, moved)
        except Refusal as error:
            return refusal(error)
        return replace(answer, body=without_removed(answer.body)) if call.version >= "2026-03-10" else answer

    def _redirect(
        self, request: HttpRequest, route: Route, params: Mapping[str, str], moved: Moved
    ) -> Answer:
        old = f"/repos/{params['owner']}/{params['repo']}"
        rest = request.path[len(old) :]
        location = f"{self.url}/repositories/{moved.repository.database_id}{rest}"
        if request.query:
            location += f"?{request.query.decode()}"
        body = {"message": "Moved Permanently", "url": location, "documentation_url": DOCUMENTATION}
        return Answer(body, 301 if route.method == "GET" else 307, {"location": location})

    def _rate_limits(self, who: str) -> Answer:
        """Say all limits; asking costs nothing."""

        def shape(resource: str) -> dict[str, Any]:
            state = self.limits.state(who, resource)
            reset = int(state.reset_at.timestamp())
            return {"limit": state.limit, "used": state.used, "remaining": state.remaining, "reset": reset}

        resources = {resource: shape(resource) for resource in ("core", "graphql", "search")}
        return Answer(
            {"resources": resources, "rate": resources["core"]},
            headers=self.limits.state(who, "core").headers,
        )


def graphql_kind(body: bytes) -> str:
    parsed = parse_json(body)
    if parsed is None or not isinstance(parsed.get("query"), str):
        return "query"
    operation = execution.read_operation(parsed)
    return "mutation" if isinstance(operation, execution.Operation) and operation.is_mutation else "query"


def parse_json(body: bytes, listed: str | None = None) -> dict[str, Any] | None:
    """Read an object; where a list may come alone, it is what an object has under the name."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    if listed and isinstance(parsed, list):
        return {listed: parsed}
    return parsed if isinstance(parsed, dict) else None


def without_removed(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: without_removed(value) for name, value in body.items() if name not in REMOVED}
    return [without_removed(each) for each in body] if isinstance(body, list) else body


def refusal(error: Refusal) -> Answer:
    body: dict[str, Any] = {"message": error.message}
    if error.errors:
        body["errors"] = error.errors
    return Answer({**body, "documentation_url": DOCUMENTATION, "status": str(error.status)}, error.status)


def conditional(request: HttpRequest, answer: Answer) -> Answer:
    """Give the answer its ETag, or 304 to who has it already."""
    digest = hashlib.sha256(json.dumps(answer.body, sort_keys=True).encode()).hexdigest()
    etag = f'W/"{digest}"'
    headers = {**answer.headers, "etag": etag, "cache-control": "private, max-age=60, s-maxage=60"}
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    if etag in known or etag.removeprefix("W/") in known:
        return Answer(None, 304, headers)
    return Answer(answer.body, answer.status, headers)
