"""What the demo asks of the Prefect server, over its REST API as any client would."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict

_TRIES = 10
_TERMINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class RunState(BaseModel):
    """What a flow run has come to."""

    model_config = ConfigDict(frozen=True)

    type: str
    name: str
    message: str | None


class FlowRun(BaseModel):
    """A flow run, as far as it is shown."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    state: RunState | None
    parameters: dict[str, Any]

    @property
    def is_over(self) -> bool:
        return self.state is not None and self.state.type in _TERMINAL

    @property
    def has_begun(self) -> bool:
        return self.is_over or (self.state is not None and self.state.type == "RUNNING")


class Prefect:
    """A Prefect server."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def is_up(self) -> bool:
        try:
            return (await self._client.get(f"{self.url}/api/health")).is_success
        except httpx.TransportError:
            return False

    async def run_deployment(self, name: str) -> str:
        """Ask for a run of a deployment, as the button in the UI does; return its id."""
        deployment = await self._send("GET", f"/deployments/name/{name}")
        key = {"idempotency_key": str(uuid4())}
        run = await self._send("POST", f"/deployments/{deployment['id']}/create_flow_run", key)
        return str(run["id"])

    async def flow_runs(self) -> list[FlowRun]:
        """List the newest runs that have begun, the oldest of them first."""
        body = {
            "sort": "START_TIME_DESC",
            "limit": 100,
            "flow_runs": {"state": {"type": {"any_": ["RUNNING", *sorted(_TERMINAL)]}}},
        }
        runs = await self._send("POST", "/flow_runs/filter", body)
        return [FlowRun.model_validate(run) for run in reversed(runs)]

    async def _send(self, method: str, path: str, body: object = None) -> Any:
        for _ in range(_TRIES):
            response = await self._client.request(method, f"{self.url}/api{path}", json=body)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(1)  # SQLite was busy; Prefect's own client tries again too
        response.raise_for_status()
        return response.json()


class Watch:
    """Says of every flow run when it starts and when it ends, once each."""

    def __init__(self, prefect: Prefect, say: Callable[[FlowRun], None]) -> None:
        self._prefect = prefect
        self._say = say
        self._said: set[tuple[str, bool]] = set()

    async def look(self) -> list[FlowRun]:
        """Look once, say what is new, and return all runs."""
        runs = await self._prefect.flow_runs()
        for run in runs:
            if (run.id, run.is_over) not in self._said:
                self._said.add((run.id, run.is_over))
                self._say(run)
        return runs
