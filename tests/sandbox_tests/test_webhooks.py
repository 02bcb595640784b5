"""Webhooks arrive signed, with the payloads of GitHub, and keep no request waiting."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from githubkit.webhooks import verify
from githubkit_schemas.latest import models
from pydantic import BaseModel

from tests.sandbox import Repository, Sandbox
from tests.sandbox_tests.conftest import Client

SECRET = "hush"


class Inbox:
    """An HTTP server that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                inbox.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def events(self) -> list[str]:
        return [headers["x-github-event"] for headers, _ in self.received]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def model_of(event: str, action: str | None) -> type[BaseModel]:
    """Find the one model of an event: githubkit's `parse` builds those of all its actions, which takes seconds."""
    name = "".join(part.capitalize() for part in f"webhook_{event}_{action or ''}".split("_"))
    found: type[BaseModel] = getattr(models, name)
    return found


def test_every_event_parses_with_githubs_models(
    sandbox: Sandbox, repository: Repository, inbox: Inbox
) -> None:
    repository.add_hook(inbox.url, events=["*"], secret=SECRET)
    sha = repository.commit("feature", {"x": "1"}, "One", author="bob")
    repository.open_pull_request("T", "", "feature", "main", "bob")
    repository.commit("feature", {"x": "2"}, "Two", author="bob", parents=[sha])
    repository.review(1, "alice")
    repository.comment(1, "alice", "hello")
    repository.add_status(sha, "ci", "success")
    repository.add_check_run(sha, "packit-as-a-service", "rpm-build")
    repository.close(1, "bob")
    repository.delete_branch("feature")
    repository.tag("v1", repository.rev_parse("main"))
    sandbox.settle()

    for headers, body in inbox.received:
        model_of(headers["x-github-event"], json.loads(body).get("action")).model_validate_json(body)
    assert [
        "ping", "push", "pull_request", "push", "pull_request", "pull_request_review", "issue_comment", "status",
        "check_run", "pull_request", "push", "push",
    ] == inbox.events  # fmt: skip


def test_each_label_that_comes_or_goes_is_told(
    sandbox: Sandbox, repository: Repository, inbox: Inbox, client: Client
) -> None:
    """One event a label, with the label; none for one that is there already."""
    repository.commit("feature", {"x": "1"}, "One", author="bob")
    repository.open_pull_request("T", "", "feature", "main", "bob", labels=["old"])
    repository.add_hook(inbox.url, events=["pull_request"])
    client().put("/repos/packit/ogr/issues/1/labels", json={"labels": ["new", "old", "newer"]})
    client().delete("/repos/packit/ogr/issues/1/labels/old")
    sandbox.settle()

    told = [json.loads(body) for headers, body in inbox.received if headers["x-github-event"] != "ping"]
    assert [("labeled", "new"), ("labeled", "newer"), ("unlabeled", "old")] == [
        (each["action"], each["label"]["name"]) for each in told
    ]
    for each in told:
        model_of("pull_request", each["action"]).model_validate(each)


def test_signatures_are_githubs(sandbox: Sandbox, repository: Repository, inbox: Inbox) -> None:
    repository.add_hook(inbox.url, events=["push"], secret=SECRET)
    repository.commit("main", {"x": "1"}, "One")
    sandbox.settle()

    headers, body = inbox.received[-1]

    assert verify(SECRET, body, headers["x-hub-signature-256"])
    assert (
        f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
        == headers["x-hub-signature-256"]
    )


def test_only_what_was_asked_for_is_sent(sandbox: Sandbox, repository: Repository, inbox: Inbox) -> None:
    repository.add_hook(inbox.url, events=["status"])
    repository.commit("main", {"x": "1"}, "One")
    repository.add_status(repository.rev_parse("main"), "ci", "success")
    sandbox.settle()

    assert ["ping", "status"] == inbox.events
    assert "x-hub-signature-256" not in inbox.received[0][0]


def test_redelivery_keeps_the_delivery_id(
    sandbox: Sandbox, repository: Repository, inbox: Inbox, client: Client
) -> None:
    hook = repository.add_hook(inbox.url, events=["push"])
    repository.commit("main", {"x": "1"}, "One")
    sandbox.settle()
    url = f"/repos/packit/ogr/hooks/{hook.database_id}/deliveries"
    newest = client().get(url).json()[0]

    assert 202 == client().post(f"{url}/{newest['id']}/attempts").status_code
    sandbox.settle()

    assert ["ping", "push", "push"] == inbox.events
    assert 1 == len({headers["x-github-delivery"] for headers, _ in inbox.received[1:]})
    assert [True, False, False] == [each["redelivery"] for each in client().get(url).json()]


def test_a_receiver_that_is_away_is_recorded(sandbox: Sandbox, repository: Repository, inbox: Inbox) -> None:
    inbox.server.socket.close()
    hook = repository.add_hook(inbox.url.replace("127.0.0.1", "127.0.0.2"))
    sandbox.settle()

    (delivery,) = hook.deliveries
    assert delivery.status is None
    assert "ConnectError" in (delivery.error or "")
