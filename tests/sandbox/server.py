"""The sandbox as a server: sockets, threads, faults, git over HTTP, and the web pages."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from types import MappingProxyType
from typing import Any

import uvicorn
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.sandbox import git_http, pages
from tests.sandbox.api import Api, HttpAnswer, HttpRequest
from tests.sandbox.errors import BadCredentials, NotFound
from tests.sandbox.faults import Fault, Faults, Request
from tests.sandbox.metering import RequestLog
from tests.sandbox.model import Permission
from tests.sandbox.store import Store, utc_now
from tests.sandbox.webhooks import Webhooks

GIT = re.compile(r"/([^/]+/[^/]+?)(?:\.git(/.*)|(/info/refs|/git-(?:upload|receive)-pack))")
"""Where git asks: OWNER/NAME with or without its suffix, and what is asked of it."""
API_ROOTS = ("repos", "repositories", "graphql", "user", "users", "rate_limit", "app")
ADDRESS = "127.0.0.1"


class Sandbox:
    """A running sandbox. `url` serves REST at `/repos/…`, `/graphql`, git at `/OWNER/NAME.git`, and web pages."""

    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.url = url
        self.faults = Faults()
        self.api = Api(store, url)
        self.webhooks = Webhooks(store, self.api.shapes)
        self.transports: dict[tuple[str, int], asyncio.BaseTransport] = {}
        self.pages: ASGIApp = pages.application(self.api)

    @property
    def requests(self) -> RequestLog:
        return self.api.log

    @property
    def tokens(self) -> Mapping[str, str]:
        """Map each login to its token."""
        accounts = self.store.accounts.items()
        return MappingProxyType(
            {
                login: self.store.credentials.token(login, is_bot=bool(account.app))
                for login, account in accounts
            }
        )

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until every webhook so far has been delivered, or has failed to be."""
        self.webhooks.settle(timeout)

    @classmethod
    @contextmanager
    def running(
        cls, directory: Path, *, port: int = 0, clock: Callable[[], datetime] = utc_now
    ) -> Iterator["Sandbox"]:
        """Serve the repositories DIRECTORY/OWNER/NAME.git on a port of this machine, until the block ends.

        Raises:
            OSError: the port is taken.
        """
        # With its protocol named, asyncio sets TCP_NODELAY: else every answer waits 40 ms for a delayed ACK.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((ADDRESS, port))
            # From here on clients may connect; they wait until the thread accepts.
            listener.listen(128)
            sandbox = cls(Store(directory, clock=clock), f"http://{ADDRESS}:{listener.getsockname()[1]}")
            server = QuietServer(sandbox)
            thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox")
            thread.start()
            try:
                with sandbox.webhooks:
                    yield sandbox
            finally:
                server.stop()
                thread.join()

    # One request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        root = scope["path"].split("/")[1]
        if GIT.fullmatch(scope["path"]):
            await self._git(scope, receive, send)
        elif root in API_ROOTS:
            await self._api(scope, receive, send)
        else:
            self.requests.add("page")
            await self.pages(scope, receive, send)

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        if request.method == "HEAD":
            # The server that this runs in leaves the body out.
            request = replace(request, method="GET")
        description = self.api.describe(request)
        self.requests.add(description.kind)
        faults = list(self.faults.striking(description))
        await self._delay(faults)
        for fault in faults:
            if not fault.happens and await self._replace(fault, scope, send):
                return
        stale = any(fault.stale for fault in faults)
        answer = await run_in_threadpool(self.api.answer, request, stale=stale)
        for fault in faults:
            if await self._replace(fault, scope, send):
                return
            answer = fault.changed(answer)
        await respond(send, answer)

    async def _delay(self, faults: list[Fault]) -> None:
        seconds = self.faults.latency + sum(fault.latency for fault in faults)
        if seconds:
            await asyncio.sleep(seconds)

    async def _replace(self, fault: Fault, scope: Scope, send: Send) -> bool:
        """Answer what the fault says, or hang up; tell whether it was one of these."""
        if fault.cut:
            host, port = scope["client"]
            transport = self.transports[host, port]
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
            # Let the protocol see the lost connection before this coroutine ends without an answer.
            await asyncio.sleep(0)
            return True
        if fault.reply is not None:
            headers = {"content-type": "application/json; charset=utf-8", **fault.reply.headers}
            await respond(send, HttpAnswer(fault.reply.status, headers, fault.reply.body.encode()))
            return True
        return False

    async def _git(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        description = Request("git", request.method, request.path, "", None)
        self.requests.add(description.kind)
        faults = list(self.faults.striking(description))
        await self._delay(faults)
        for fault in faults:
            if await self._replace(fault, scope, send):
                return
        found = GIT.fullmatch(request.path)
        assert found, "others are not handed on to git"
        name, request = found[1], replace(request, path=found[2] or found[3])
        challenge = {"www-authenticate": 'Basic realm="GitHub"', "content-type": "text/plain"}
        try:
            account = self.api.identify(request.headers).account
            repository = self.store.repository(name)
        except BadCredentials:
            await respond(send, HttpAnswer(401, challenge, b"Invalid username or token\n"))
            return
        except NotFound:
            await respond(send, HttpAnswer(404, {"content-type": "text/plain"}, b"Repository not found.\n"))
            return
        if git_http.is_push(request):
            if account is None:
                await respond(send, HttpAnswer(401, challenge, b"Who are you?\n"))
                return
            if repository.archived or self.store.permission(account, repository) < Permission.WRITE:
                denied = f"Permission to {repository.full_name} denied to {account.login}.\n"
                await respond(send, HttpAnswer(403, {"content-type": "text/plain"}, denied.encode()))
                return
        answer = await run_in_threadpool(git_http.serve, self.store, repository, account, request)
        await begin(send, answer.status, answer.headers)
        async for chunk in iterate_in_threadpool(answer.chunks):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def read_request(scope: Scope, receive: Receive) -> HttpRequest:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return HttpRequest(scope["method"], scope["path"], scope["query_string"], headers, bytes(body))


async def begin(send: Send, status: int, headers: Mapping[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def respond(send: Send, answer: HttpAnswer) -> None:
    headers = (
        answer.headers
        if answer.status == 304
        else {**answer.headers, "content-length": str(len(answer.body))}
    )
    if answer.status == 204:
        headers.pop("content-length")
    await begin(send, answer.status, headers)
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


class QuietServer(uvicorn.Server):
    """uvicorn without logs, signals and ticks: it stops at once when told so, not at the next tick."""

    def __init__(self, sandbox: Sandbox) -> None:
        class Protocol(H11Protocol):
            """Remembers the connection of each client, so that a fault can cut it."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a TCP server's
                sandbox.transports[transport.get_extra_info("peername")] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                sandbox.transports.pop(self.client or ("", 0), None)
                super().connection_lost(exc)

        config = uvicorn.Config(
            sandbox,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
        )
        super().__init__(config)
        self._sandbox = sandbox
        self._stopping = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    async def main_loop(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        if self._stopping.is_set():
            return
        await self._wake.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up at once: whoever stops a sandbox waits for no client."""
        for server in self.servers:
            server.close()
        for transport in list(self._sandbox.transports.values()):
            transport.close()

    def stop(self) -> None:
        """Stop from another thread."""
        self._stopping.set()
        if self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)


__all__: list[Any] = ["Sandbox"]
