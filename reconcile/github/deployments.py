"""Deployments of the fleet: what runs in an environment, as far as GitHub was told; and telling it what has moved."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.github import queries
from reconcile.github.subject import Subject, batch_variables, fit_description
from reconcile.github.transport import Node, read_in_batches
from reconcile.observed import Deployment
from reconcile.ports import NEWEST_DEPLOYMENTS, MoveDeployment
from state.ids import RepositoryName, Sha

_BATCH = 50
_STATES: Mapping[str, Literal["success", "failed", "inactive"]] = {
    "SUCCESS": "success",
    "ERROR": "failed",
    "FAILURE": "failed",
    "INACTIVE": "inactive",
}
"""Everything else has not come to its end."""
_TASK = "stablehand"
"""What the deployments made here are for. Not the usual ``deploy``: workflows that carry out deployments go by it."""
_MOVED_AT = re.compile(r"moved_at\W+([0-9T:.+-]+)")
"""Finds the move in a payload. GraphQL gives that as a text which has been encoded as JSON, once or twice."""


class _Status(Node):
    state: str
    created_at: datetime
    log_url: str | None


class _Deployment(Node):
    database_id: int
    commit_oid: Sha
    created_at: datetime
    task: str | None
    payload: str | None
    latest_status: _Status | None

    @property
    def value(self) -> Deployment:
        status = self.latest_status
        return Deployment(
            id=self.database_id,
            sha=self.commit_oid,
            state=_STATES.get(status.state, "running") if status else "created",
            at=status.created_at if status else self.created_at,
            url=status.log_url if status else None,
            moved_at=self._moved_at,
        )

    @property
    def _moved_at(self) -> datetime | None:
        """Read which move it shows. A payload may be anybody's, so nothing but a time counts."""
        found = _MOVED_AT.search(self.payload or "") if self.task == _TASK else None
        try:
            return datetime.fromisoformat(found[1]).astimezone(UTC) if found else None
        except (ValueError, OverflowError):  # a time at the edge of the calendar is in no other zone
            return None


class _Deployed(Node):
    newest: tuple[_Deployment, ...] = Field(validation_alias=AliasPath("deployments", "nodes"))


_DEPLOYED: TypeAdapter[dict[str, _Deployed | None]] = TypeAdapter(dict[str, _Deployed | None])


class Deployments(Subject):
    """Deployments that somebody else makes and reports, and those that show a move."""

    async def observe_deployments(
        self, repositories: Collection[RepositoryName], environment: str
    ) -> Mapping[RepositoryName, tuple[Deployment, ...]]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, _Deployed]:
            found = await self._transport.query(
                queries.deployments(len(batch), NEWEST_DEPLOYMENTS),
                batch_variables(batch) | {"environment": environment},
                _DEPLOYED,
                batch=len(batch),
            )
            return {name: deployed for i, name in enumerate(batch) if (deployed := found.get(f"r{i}"))}

        found = await read_in_batches(repositories, _BATCH, read)
        return {name: tuple(each.value for each in deployed.newest) for name, deployed in found.items()}

    async def store_deployment(self, move: MoveDeployment, *, begun: int | None) -> None:
        owner, name = move.repository.split("/")
        rest, description = self._transport.rest.repos, fit_description(move.description)
        number = begun
        if number is None:
            # Whether it is one of production is left to GitHub, which goes by the environment's name.
            made = await self._transport.create(
                lambda: rest.async_create_deployment(
                    owner,
                    name,
                    ref=move.sha,
                    task=_TASK,
                    payload={"moved_at": move.moved_at.astimezone(UTC).isoformat()},
                    environment=move.environment,
                    description=description,
                    # The commit is out already: nothing is merged into it, and no check can hold it up.
                    auto_merge=False,
                    required_contexts=[],
                    transient_environment=False,
                )
            )
            number = made.id
        await self._transport.create(
            lambda: rest.async_create_deployment_status(
                owner, name, number, state="success", description=description, log_url=move.url
            )
        )
