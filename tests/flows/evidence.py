"""What sources of evidence are handed in tests: a fake GitHub, and servers in memory instead of the network."""

from datetime import datetime

import httpx
from starlette.types import ASGIApp

from flows.evidence.source import Surroundings
from state.ids import RepositoryName
from tests.builders import NOW
from tests.flows.release import FakeRelease


def around(
    github: FakeRelease | None = None,
    app: ASGIApp | None = None,
    *,
    now: datetime = NOW,
    last_moved_at: datetime | None = None,
    fleet: tuple[RepositoryName, ...] = ("packit/ogr",),
) -> Surroundings:
    """Surround a source. Without a server whatever it asks for on the web is refused."""
    return Surroundings(
        github=github or FakeRelease(),
        http=httpx.AsyncClient(transport=serving(app)),
        now=now,
        last_moved_at=last_moved_at,
        fleet=fleet,
    )


def serving(app: ASGIApp | None) -> httpx.AsyncBaseTransport:
    return httpx.ASGITransport(app) if app else httpx.MockTransport(_refuse)


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)
