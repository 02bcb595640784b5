"""Deployments of the fleet: what runs in an environment, as far as GitHub was told."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.github import queries
from reconcile.github.subject import Subject, batch_variables
from reconcile.github.transport import Node, read_in_batches
from reconcile.observed import Deployment
from state.ids import RepositoryName, Sha

_BATCH = 50
_NEWEST = 10
"""Deployments read of one repository: the last success stands behind failures, and seldom behind more than these."""
_STATES: Mapping[str, Literal["success", "failed", "inactive"]] = {
    "SUCCESS": "success",
    "ERROR": "failed",
    "FAILURE": "failed",
    "INACTIVE": "inactive",
}
"""Everything else has not come to its end."""


class _Status(Node):
    state: str
    created_at: datetime
    log_url: str | None


class _Deployment(Node):
    commit_oid: Sha
    created_at: datetime
    latest_status: _Status | None

    @property
    def value(self) -> Deployment:
        status = self.latest_status
        return Deployment(
            sha=self.commit_oid,
            state=_STATES.get(status.state, "running") if status else "running",
            at=status.created_at if status else self.created_at,
            url=status.log_url if status else None,
        )


class _Deployed(Node):
    newest: tuple[_Deployment, ...] = Field(validation_alias=AliasPath("deployments", "nodes"))


_DEPLOYED: TypeAdapter[dict[str, _Deployed | None]] = TypeAdapter(dict[str, _Deployed | None])


class Deployments(Subject):
    """Deployments that somebody else makes and reports."""

    async def observe_deployments(
        self, repositories: Collection[RepositoryName], environment: str
    ) -> Mapping[RepositoryName, tuple[Deployment, ...]]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, _Deployed]:
            found = await self._transport.query(
                queries.deployments(len(batch), _NEWEST),
                batch_variables(batch) | {"environment": environment},
                _DEPLOYED,
                batch=len(batch),
            )
            return {name: deployed for i, name in enumerate(batch) if (deployed := found.get(f"r{i}"))}

        found = await read_in_batches(repositories, _BATCH, read)
        return {name: tuple(each.value for each in deployed.newest) for name, deployed in found.items()}
