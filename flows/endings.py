"""How runs end that nobody looks at: Sentry expects those of a schedule, and people hear of what cannot do its work.

Once a flow and cause, and once when it is over. What people know of it is a variable in Prefect, one a flow, since the
ledger cannot be asked where GitHub is what fails (ADR 12). Whoever deletes it has them told once more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled, Completed
from prefect.variables import Variable

from flows import notify, runs
from flows.notify import Ending
from flows.sentry import Monitor, MonitoredRun, checked_in
from flows.settings import Settings, load_settings
from flows.ways.errors import UsageError
from reconcile.errors import ReconcileError
from state.errors import StateError


async def watched(
    settings: Settings, monitor: Callable[[Settings], Monitor], body: Callable[[], Awaitable[State[Any]]]
) -> State[Any]:
    """Do what the run is for, and see to it that somebody hears of it if that cannot be done.

    An error of ours is the run's end, with its sentence. Any other is a mistake: Prefect shows where it was made.
    """
    flow, run = runs.this()

    async def note(ending: Ending | None) -> None:
        if runs.is_unattended(run):
            await note_ending(settings, flow.name, run, ending)

    async with _monitored(settings, monitor, run) as check_in:
        try:
            state = await body()
        # Neither knows whether the work can be done.
        except runs.OccupiedError as error:
            check_in.is_well = True
            return Cancelled(name="Gave way", message=str(error))
        except runs.NotAskedError as error:
            check_in.is_well = True
            return Completed(name="Not asked", message=str(error))
        except (ReconcileError, StateError, UsageError) as error:
            await note(Ending(type(error).__name__, str(error)))
            return runs.failed(error)
        except Exception as error:
            # Its text may hold anything, what is secret too.
            await note(Ending(type(error).__name__, "a mistake in stablehand. The run's log shows where."))
            raise
        check_in.is_well = not state.is_failed()
    await note(None)
    return state


async def tell_of_crash(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell people that a run was killed: a hook of Prefect's, which `serve` calls when the run's process is gone."""
    if runs.is_unattended(flow_run):
        ending = Ending("Crashed", state.message or "its process is gone.")
        await note_ending(load_settings(), flow.name, flow_run, ending)


async def note_ending(settings: Settings, flow: str, run: FlowRun, ending: Ending | None) -> None:
    """Tell people how runs of a flow end by now, unless they know, and remember that they do.

    In this order, and only if it reached somebody: rather twice than never. None is a run that did its work.
    """
    name = f"{flow}-{runs.slug(settings.repository)}"
    told, cause = await Variable.aget(name), ending.cause if ending else None
    if cause == told:
        return
    said_by = notify.FlowRun(str(run.id), runs.address(run))
    before = str(told) if told else None
    if not await notify.notify_ending(settings, flow, ending, before=before, run=said_by):
        return
    if cause is None:
        await Variable.aunset(name)
    else:
        await Variable.aset(name, cause, tags=[settings.repository], overwrite=True)


@asynccontextmanager
async def _monitored(
    settings: Settings, monitor: Callable[[Settings], Monitor], run: FlowRun
) -> AsyncIterator[MonitoredRun]:
    if not runs.is_scheduled(run):
        yield MonitoredRun()
        return
    async with checked_in(settings, monitor(settings)) as check_in:
        yield check_in
