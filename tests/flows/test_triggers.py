"""The webhook receiver: what it takes for GitHub's, what it tells Prefect, and what it leaves alone."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.events import Event
from pydantic import SecretStr

from flows.triggers import PATH, UndeliveredError, receiver, resource_id
from tests.builders import sha

SECRET = "a shared secret"
REPOSITORY = "packit/release-state"
PUSH = {
    "ref": "refs/heads/main",
    "after": sha("a"),
    "deleted": False,
    "repository": {"full_name": "Packit/release-state", "default_branch": "main"},
}
PULL_REQUEST = {
    "action": "synchronize",
    "number": 7,
    "pull_request": {"head": {"ref": "stablehand/proposal"}},
    "repository": {"full_name": "Packit/release-state", "default_branch": "main"},
}
LABELED = {"action": "labeled", "label": {"name": "stablehand/rebuild"}}


class Webhook:
    """GitHub's side: delivers to the receiver, and keeps what the receiver told Prefect."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_prefect_down = False
        app = receiver(REPOSITORY, SecretStr(SECRET), self.emit)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://receiver.example"
        )

    async def emit(self, event: Event) -> None:
        if self.is_prefect_down:
            raise UndeliveredError("Prefect did not take the event (ConnectError).")
        self.events.append(event)

    async def deliver(
        self,
        event: str,
        payload: Mapping[str, Any] | bytes,
        *,
        delivery: str | None = None,
        signature: str | None = None,
        without: tuple[str, ...] = (),
        **headers: str,
    ) -> int:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signed = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        sent = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": delivery or str(uuid4()),
            "x-hub-signature-256": signature or signed,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.client.post(
            PATH, content=body, headers=[(name, value) for name, value in sent.items() if name not in without]
        )
        return response.status_code


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    webhook = Webhook()
    async with webhook.client:
        yield webhook


async def test_a_push_of_the_default_branch_becomes_an_event(webhook: Webhook) -> None:
    """The event names the repository and the commit, and nothing else."""
    assert await webhook.deliver("push", PUSH) == 202
    (event,) = webhook.events
    assert event.event == "stablehand.release-state.pushed"
    assert event.resource.id == "stablehand.repository.packit.release-state" == resource_id(REPOSITORY)
    assert event.payload == {"commit": sha("a")}


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize"])
async def test_a_pull_request_with_other_commits_becomes_an_event(webhook: Webhook, action: str) -> None:
    """What changes the documents that a pull request proposes wakes the check."""
    assert await webhook.deliver("pull_request", PULL_REQUEST | {"action": action}) == 202
    (event,) = webhook.events
    assert (event.event, event.payload) == ("stablehand.pull-request.changed", {"number": 7})


@pytest.mark.parametrize(
    "changes", [{"base": {"ref": {"from": "main"}}}, {"body": {"from": "old"}, "title": {"from": "old"}}]
)
async def test_an_edit_that_the_check_rests_on_wakes_it(webhook: Webhook, changes: dict[str, Any]) -> None:
    """The base decides by which policy it is judged, the proposal's text until when its evidence counts."""
    edited = PULL_REQUEST | {"action": "edited", "changes": changes}
    assert await webhook.deliver("pull_request", edited) == 202
    (event,) = webhook.events
    assert (event.event, event.payload) == ("stablehand.pull-request.changed", {"number": 7})


async def test_a_label_on_the_proposal_becomes_an_event(webhook: Webhook) -> None:
    """Which label it is, is said; whether it asks for anything is for the policy."""
    assert await webhook.deliver("pull_request", PULL_REQUEST | LABELED) == 202
    (event,) = webhook.events
    assert (event.event, event.payload) == ("stablehand.proposal.labelled", {"label": "stablehand/rebuild"})


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("push", PUSH | {"ref": "refs/heads/stablehand/ledger"}),
        ("push", PUSH | {"ref": "refs/heads/main/main"}),
        ("push", PUSH | {"ref": "refs/tags/main"}),
        ("push", PUSH | {"deleted": True, "after": "0" * 40}),
        ("push", PUSH | {"repository": {"full_name": "packit/ogr", "default_branch": "main"}}),
        ("pull_request", PULL_REQUEST | {"action": "closed"}),
        ("pull_request", PULL_REQUEST | {"action": "ready_for_review"}),
        ("pull_request", PULL_REQUEST | LABELED | {"action": "unlabeled"}),
        ("pull_request", PULL_REQUEST | LABELED | {"pull_request": {"head": {"ref": "alice/edit"}}}),
        ("pull_request", PULL_REQUEST | {"action": "edited", "changes": {"title": {"from": "old"}}}),
        ("ping", {"zen": "Keep it logically awesome.", "hook_id": 1}),
        ("star", {"anything": []}),
    ],
)
async def test_what_nobody_acts_on_is_left_alone(
    webhook: Webhook, event: str, payload: dict[str, Any]
) -> None:
    """Other branches, tags, repositories, actions and events are answered with 204 and start nothing."""
    assert await webhook.deliver(event, payload) == 204
    assert webhook.events == []


@pytest.mark.parametrize(
    "signature",
    ["sha256=" + "0" * 64, "sha1=abc", "sha256=", "pass\u00e9", hmac.new(b"x", b"y", "sha256").hexdigest()],
)
async def test_a_wrong_signature_is_refused(webhook: Webhook, signature: str) -> None:
    """Nobody who lacks the secret starts a run, whatever the signature looks like."""
    body = json.dumps(PUSH).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"x-github-event", b"push"),
        (b"x-github-delivery", b"1"),
        (b"x-hub-signature-256", signature.encode("latin-1")),
    ]
    response = await webhook.client.post(PATH, content=body, headers=headers)
    assert response.status_code == 401
    assert webhook.events == []


async def test_a_missing_signature_is_refused(webhook: Webhook) -> None:
    """A webhook without a secret is not GitHub's."""
    assert await webhook.deliver("push", PUSH, without=("x-hub-signature-256",)) == 401


async def test_a_changed_body_is_refused(webhook: Webhook) -> None:
    """The signature is that of the body that arrived."""
    body = json.dumps(PUSH).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert await webhook.deliver("push", body + b" ", signature=signature) == 401


async def test_a_delivery_sent_again_is_the_same_event(webhook: Webhook) -> None:
    """Prefect takes an event of one id once, so a delivery that arrives twice starts one run."""
    for delivery in ("72d3162e-cc78-11e3-81ab-4c9367dc0958", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "other"):
        assert await webhook.deliver("push", PUSH, delivery=delivery) == 202
    first, again, other = (event.id for event in webhook.events)
    assert first == again
    assert first != other


async def test_a_body_beyond_the_limit_is_refused(webhook: Webhook) -> None:
    """Nobody fills the memory, not even before the signature is known."""
    assert await webhook.deliver("push", b" " * (4 * 1024 * 1024 + 1)) == 413


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"ref": "refs/heads/main"}', b"\xff"])
async def test_a_signed_body_that_is_no_delivery_is_said_to_be_so(webhook: Webhook, payload: bytes) -> None:
    """What cannot be read is an error of the sender, and not a crash."""
    assert await webhook.deliver("push", payload) == 400


async def test_a_form_is_refused_with_the_remedy(webhook: Webhook) -> None:
    """GitHub's default content type for webhooks wraps the body in a form."""
    body = b"payload=%7B%7D"
    assert await webhook.deliver("push", body, content_type="application/x-www-form-urlencoded") == 415


async def test_a_delivery_without_an_id_is_refused(webhook: Webhook) -> None:
    """Without an id a repetition could not be told from another delivery."""
    assert await webhook.deliver("push", PUSH, without=("x-github-delivery",)) == 400


async def test_what_prefect_does_not_take_is_not_called_taken(webhook: Webhook) -> None:
    """GitHub shows the delivery as failed, and can send it again."""
    webhook.is_prefect_down = True
    assert await webhook.deliver("push", PUSH) == 503


@pytest.mark.parametrize(("expected", "messages"), [(400, [{"type": "http.disconnect"}]), (408, [])])
async def test_a_body_that_does_not_come(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, expected: int, messages: list[dict[str, Any]]
) -> None:
    """Anybody can begin a delivery and go away, or dawdle: no traceback, and nothing that waits for ever."""
    monkeypatch.setattr("flows.triggers._READ_SECONDS", 0.01 if not messages else 10)
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"receiver.example")]
    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": headers}
    await receiver(REPOSITORY, SecretStr(SECRET), webhook.emit)(scope, receive, send)

    assert expected == sent[0]["status"]
    assert [] == webhook.events
