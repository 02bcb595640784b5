"""What wakes a flow from outside: GitHub's webhooks, received here and told to Prefect as events.

Deployments are triggered by the events (`flows.deployments`). An event carries what names a run, and nothing that
decides: flows read the state anew. A delivery that is lost is made good by the resync.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never
from uuid import NAMESPACE_URL, uuid5

import httpx
from prefect.events import Event, Resource
from prefect.events.clients import get_events_client
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from websockets.exceptions import WebSocketException

from reconcile.errors import UnexpectedAnswerError
from reconcile.github.webhooks import (
    Labelled,
    Notice,
    PullRequestChanged,
    Pushed,
    is_signed,
    parse_delivery,
)
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.ids import RepositoryName

PATH = "/webhook"
RELEASE_STATE_PUSHED = "stablehand.release-state.pushed"
PULL_REQUEST_CHANGED = "stablehand.pull-request.changed"
PROPOSAL_LABELLED = "stablehand.proposal.labelled"

_LARGEST_BODY = 4 * 1024 * 1024
"""A push of two thousand commits, the most that GitHub lists, is smaller."""
_READ_SECONDS = 10
_EMIT_SECONDS = 5
"""GitHub gives up on a delivery after ten."""
_DELIVERIES = uuid5(NAMESPACE_URL, "https://docs.github.com/webhooks#x-github-delivery")

Emit = Callable[[Event], Awaitable[None]]
"""Hands an event over; returns when it was taken, raises `UndeliveredError` when it was not."""


class UndeliveredError(Exception):
    """Prefect did not take an event."""


def resource_id(repository: RepositoryName) -> str:
    """Name the release-state repository as Prefect's events and triggers do."""
    return f"stablehand.repository.{repository.replace('/', '.')}"


def receiver(repository: RepositoryName, secret: SecretStr, emit: Emit) -> Starlette:
    """Make the application that GitHub's webhook of the release-state repository is pointed at.

    Answers 202 to what was handed to Prefect, 204 to what nobody acts on, and 503 when Prefect does not take it,
    so that GitHub's list of deliveries shows it and offers to send it again.
    """

    async def receive(request: Request) -> Response:
        body = await _read(request)
        if isinstance(body, Response):
            return body
        if not is_signed(body, request.headers.get("x-hub-signature-256"), secret):
            return PlainTextResponse("The signature is not that of this body and the shared secret.", 401)
        if not request.headers.get("content-type", "").startswith("application/json"):
            return PlainTextResponse("Set the webhook's content type to application/json.", 415)
        delivery = request.headers.get("x-github-delivery")
        if not delivery:
            return PlainTextResponse("X-GitHub-Delivery is missing.", 400)
        try:
            notice = parse_delivery(request.headers.get("x-github-event", ""), body)
        except UnexpectedAnswerError as error:
            return PlainTextResponse(str(error), 400)
        if notice is None or not _concerns(notice, repository):
            return Response(status_code=204)
        try:
            await emit(_event(notice, delivery))
        except UndeliveredError as error:
            return PlainTextResponse(f"{error} Send it again, or wait for the next resync.", 503)
        return PlainTextResponse("Taken.", 202)

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])


async def emit_to_prefect(event: Event) -> None:
    """Send one event to the Prefect server of ``PREFECT_API_URL`` and wait until it has it.

    Raises:
        UndeliveredError: It does not answer.
    """
    try:
        async with (
            asyncio.timeout(_EMIT_SECONDS),
            get_events_client(reconnection_attempts=0, checkpoint_every=1) as client,
        ):
            await client.emit(event)
    except (OSError, TimeoutError, WebSocketException, httpx.HTTPError) as error:
        raise UndeliveredError(f"Prefect did not take the event ({type(error).__name__}).") from error


async def _read(request: Request) -> bytes | Response:
    """Read the body, at most so much and so long that it may still be GitHub's; otherwise the answer to it."""
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    return PlainTextResponse(f"At most {_LARGEST_BODY} bytes.", 413)
    except TimeoutError:
        return PlainTextResponse(f"The body did not come within {_READ_SECONDS} seconds.", 408)
    except ClientDisconnect:
        return Response(status_code=400)  # for nobody: who asked has gone
    return bytes(body)


def _concerns(notice: Notice, repository: RepositoryName) -> bool:
    """Leave other repositories alone, and labels on what is no proposal; which label counts, the policy says."""
    is_elsewhere = isinstance(notice, Labelled) and notice.branch != PROPOSAL_BRANCH
    return notice.repository == repository and not is_elsewhere


def _event(notice: Notice, delivery: str) -> Event:
    """Tell a notice as an event. The same delivery, sent again, is the same event, and starts no second run."""
    payload: dict[str, str | int]
    match notice:
        case Pushed(commit=commit):
            name, payload = RELEASE_STATE_PUSHED, {"commit": commit}
        case PullRequestChanged(number=number):
            name, payload = PULL_REQUEST_CHANGED, {"number": number}
        case Labelled(label=label):
            name, payload = PROPOSAL_LABELLED, {"label": label}
        case _:
            assert_never(notice)
    return Event(
        id=uuid5(_DELIVERIES, delivery),
        event=name,
        resource=Resource(
            {
                "prefect.resource.id": resource_id(notice.repository),
                "prefect.resource.name": notice.repository,
            }
        ),
        payload=payload,
    )
