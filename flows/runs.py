"""What every flow does with its own run in Prefect: its name, its tasks, its turn and its end.

A run's name is all that the list of runs shows, so in the end it says what happened. Held is neither green nor a
crash; what comes nearest in Prefect is a cancelled state under a name of our own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from prefect import Flow, State, Task, get_client, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, concurrency
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.utilities.urls import url_for

from reconcile.errors import TransientError
from state.ids import RepositoryName

P = ParamSpec("P")
R = TypeVar("R")

_LEASE_SECONDS = 60
"""How long a run that was killed keeps its turn; a living one renews it."""
_LOOK_SECONDS = 3.0
"""How long a run that gives way looks whether it is its turn."""


class OccupiedError(Exception):
    """Another run has the turn, and this one gives way."""


class NotAskedError(Exception):
    """What woke this run asks for nothing."""


async def rename(name: str) -> None:
    """Give this flow run another name."""
    async with get_client() as client:
        await client.update_flow_run(flow_run.id, name=name)


def this() -> tuple[Flow[..., Any], FlowRun]:
    """Give the flow and the run that this is called in."""
    context = FlowRunContext.get()
    assert context, "only flows call this"
    assert context.flow, "a run is one of a flow"
    assert context.flow_run, "a run is known to the server"
    return context.flow, context.flow_run


def address(run: FlowRun) -> str:
    """Say where a run can be looked at: its page, or its id where the server has none."""
    return url_for(run) or f"flow run {run.id}"


def is_scheduled(run: FlowRun) -> bool:
    """Say whether a schedule made a run, so that it is known when it was due."""
    return "auto-scheduled" in run.tags


def is_unattended(run: FlowRun) -> bool:
    """Say whether a schedule or an event made a run, so that nobody looks at what comes of it."""
    is_triggered = run.created_by is not None and run.created_by.type == "AUTOMATION"
    return is_triggered or is_scheduled(run)


def reading(step: Callable[P, Awaitable[R]], name: str) -> Callable[P, Awaitable[R]]:
    """Make a task of a step that only reads: it is tried again while that may help."""
    return task(
        name=name,
        task_run_name=name,
        cache_policy=NO_CACHE,
        retries=2,
        retry_delay_seconds=[5, 30],
        retry_jitter_factor=0.5,
        retry_condition_fn=_is_transient,
    )(step)


def writing(step: Callable[P, Awaitable[R]], name: str) -> Callable[P, Awaitable[R]]:
    """Make a task of a step that writes: it is never repeated blindly."""
    return task(name=name, task_run_name=name, cache_policy=NO_CACHE)(step)


async def _is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(await state.aresult(raise_on_failure=False), TransientError)


@asynccontextmanager
async def turn(repository: RepositoryName, *, gives_way: bool) -> AsyncIterator[None]:
    """Run while no other run for the same release state does, whichever deployment it is of.

    For order in what people see, not for safety: compare-and-swap and the ledger carry that. So a turn that is
    lost on the way stops nothing.

    Args:
        repository: The release-state repository.
        gives_way: Whether to leave when another run has the turn, instead of waiting for it.

    Raises:
        OccupiedError: Another run has the turn.
    """
    name = f"stablehand-reconcile-{slug(repository)}"
    await _ensure_limit(name)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(
                concurrency(
                    name,
                    timeout_seconds=_LOOK_SECONDS if gives_way else None,
                    lease_duration=_LEASE_SECONDS,
                    raise_on_lease_renewal_failure=False,
                )
            )
        except AcquireConcurrencySlotTimeoutError as error:
            raise OccupiedError("Another run is at work, and this one gives way.") from error
        yield


async def _ensure_limit(name: str) -> None:
    """Create the limit where it is missing; one that a person has changed stays as it is."""
    async with get_client() as client:
        try:
            await client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            try:
                await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))
            except ObjectAlreadyExists:
                return


def failed(error: Exception) -> State[Any]:
    """End a run with an error that has a sentence for people, so without a traceback."""
    return Failed(message=str(error), data=error)


async def result_of(state: State[Any]) -> Any:  # noqa: ANN401 (what the flow put there)
    """Take out of a run's end state what the flow put there.

    Raises:
        Exception: What the flow ended with, where that is an error.
    """
    result = await state.aresult(raise_on_failure=False)
    if isinstance(result, Exception):
        raise result
    return result


def slug(repository: RepositoryName) -> str:
    """Spell a repository with the letters that keys and names in Prefect may have."""
    return "".join(letter if letter.isalnum() else "-" for letter in repository)
