"""Workflows of the fleet: dispatching one, and finding out whether that has happened."""

from datetime import UTC, datetime

from reconcile.github.subject import HEADS, Subject
from state.ids import BranchName, RepositoryName


class Workflows(Subject):
    """Dispatched workflows."""

    async def find_dispatch(
        self, repository: RepositoryName, workflow: str, *, ref: BranchName, since: datetime
    ) -> bool:
        owner, name = repository.split("/")
        runs = await self._transport.read(
            lambda: self._transport.rest.actions.async_list_workflow_runs(
                owner,
                name,
                workflow,
                branch=ref,
                event="workflow_dispatch",
                created=f">={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                per_page=1,
            )
        )
        return runs.total_count > 0

    async def dispatch(self, repository: RepositoryName, workflow: str, *, ref: BranchName) -> None:
        owner, name = repository.split("/")
        # What is answered depends on the version of the API, and is not needed: the run is looked for.
        await self._transport.write(
            lambda: self._transport.rest.actions.async_create_workflow_dispatch(
                owner, name, workflow, ref=HEADS + ref
            )
        )
