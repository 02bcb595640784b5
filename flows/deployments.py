"""Every deployment, once: which flow runs when, woken by what.

By module entrypoints, so a run finds its flow wherever the package is installed. Each registration brings the
deployment's schedule and triggers up to date; a person's pause of it ends there.
"""

from datetime import timedelta
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.check_release import check_release
from flows.propose_release import propose_release
from flows.reconcile_release import reconcile_release
from flows.rollback_release import rollback_release
from flows.settings import Settings
from flows.triggers import PROPOSAL_LABELLED, PULL_REQUEST_CHANGED, RELEASE_STATE_PUSHED, resource_id

RESYNC = "resync"
"""The deployment that needs no trigger."""
_CHECK_EVERY = timedelta(minutes=15)
"""How long a check may say what has ceased to be so. Merging on it moves nothing that the rules of the moment hold."""
_ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
"""For what another run does as well: a second one of the same minute ends at once."""


async def make_deployments(settings: Settings) -> tuple[RunnerDeployment, ...]:
    """Make the deployments of an installation; registering them is the caller's."""
    return (
        await _deployment(
            propose_release,
            settings,
            name="propose",
            description="Validates stage and opens or refreshes the pull request. Run it by hand with pins.",
            schedule=Cron(settings.propose_schedule, timezone=settings.propose_zone),
            concurrency_limit=_ONE_AT_A_TIME,
        ),
        await _deployment(
            propose_release,
            settings,
            name="propose-on-hand-back",
            description="Proposes anew when somebody hands the proposal's branch back by its label.",
            # Without a limit: the run for another label, which ends at once, would cancel this one.
            triggers=[_trigger(settings, PROPOSAL_LABELLED, label="{{ event.payload.label }}")],
        ),
        await _deployment(
            check_release,
            settings,
            name="check-on-pull-request",
            description="Shows on a pull request what merging it would do.",
            triggers=[
                _trigger(settings, PULL_REQUEST_CHANGED, pull_request="{{ event.payload.number }}"),
            ],
        ),
        await _deployment(
            check_release,
            settings,
            name="check-open",
            description="Checks what is open again: evidence runs out, windows close, a webhook is lost.",
            schedule=Interval(_CHECK_EVERY),
            concurrency_limit=_ONE_AT_A_TIME,
        ),
        await _deployment(
            reconcile_release,
            settings,
            name="reconcile-on-merge",
            description="Moves the refs when the release state has a new commit. Run it by hand at any time.",
            triggers=[
                _trigger(settings, RELEASE_STATE_PUSHED, reason="push", commit="{{ event.payload.commit }}"),
            ],
        ),
        await _deployment(
            rollback_release,
            settings,
            name="rollback",
            description="Opens a pull request that goes back to an earlier decision. Run it by hand.",
        ),
        await _deployment(
            reconcile_release,
            settings,
            name=RESYNC,
            description="Makes good what no trigger told, and goes on with what waited.",
            parameters={"reason": RESYNC},
            schedule=Interval(settings.resync),
            concurrency_limit=_ONE_AT_A_TIME,
        ),
    )


async def _deployment(
    flow: Flow[..., Any],
    settings: Settings,
    *,
    name: str,
    description: str,
    parameters: dict[str, Any] | None = None,
    schedule: Schedule | None = None,
    triggers: list[DeploymentEventTrigger] | None = None,
    concurrency_limit: ConcurrencyLimitConfig | None = None,
) -> RunnerDeployment:
    return await flow.ato_deployment(
        name=name,
        description=description,
        parameters=parameters,
        schedule=schedule,
        triggers=list(triggers or ()),
        concurrency_limit=concurrency_limit,
        tags=[settings.repository],
        paused=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _trigger(settings: Settings, event: str, **parameters: str) -> DeploymentEventTrigger:
    """Start a run for every such event of the release-state repository, with parameters from its payload."""
    return DeploymentEventTrigger(
        name=f"{event} of {settings.repository}",
        expect={event},
        match={"prefect.resource.id": resource_id(settings.repository)},
        parameters=dict(parameters),
    )
