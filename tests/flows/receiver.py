"""A local HTTP server that notes what it is sent: it stands for a chat, or for Sentry's address of envelopes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sentry_sdk.envelope import Envelope


@dataclass
class Receiver:
    """What came, and what is answered."""

    port: int
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where Apprise posts JSON, with a password that nobody may see."""
        return f"json://robot:hunter2@127.0.0.1:{self.port}/"

    @property
    def dsn(self) -> str:
        return f"http://a1b2c3:hunter2@127.0.0.1:{self.port}/1"

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What Apprise has posted."""
        return [json.loads(body) for body in self.bodies]

    @property
    def items(self) -> list[dict[str, Any]]:
        """What the envelopes of Sentry's SDK hold."""
        envelopes = [Envelope.deserialize(body) for body in self.bodies]
        return [json.loads(item.get_bytes()) for envelope in envelopes for item in envelope.items]


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.headers.append(dict(self.headers))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_port)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
