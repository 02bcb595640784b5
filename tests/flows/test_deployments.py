"""The deployments as they are registered, and the forms that people fill in. Needs no Prefect server."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger, ResourceSpecification
from prefect.utilities.callables import parameter_schema
from pydantic import SecretStr

from flows.check_release import check_release
from flows.deployments import make_deployments
from flows.propose_release import propose_release
from flows.reconcile_release import reconcile_release
from flows.settings import Settings

SETTINGS = Settings(
    repository="packit/release-state",
    token=SecretStr("a token"),
    propose_schedule="15 6 * * 2",
    propose_zone="Europe/Prague",
    resync=timedelta(minutes=20),
)


async def deployments() -> dict[str, RunnerDeployment]:
    return {each.name: each for each in await make_deployments(SETTINGS)}


async def test_runs_find_their_flow_by_module() -> None:
    """A file entrypoint would put flows/ first on the path, and hide the packages that are named like its files."""
    assert {
        "propose": "flows.propose_release.propose_release",
        "propose-on-hand-back": "flows.propose_release.propose_release",
        "check-on-pull-request": "flows.check_release.check_release",
        "check-open": "flows.check_release.check_release",
        "reconcile-on-merge": "flows.reconcile_release.reconcile_release",
        "resync": "flows.reconcile_release.reconcile_release",
        "rollback": "flows.rollback_release.rollback_release",
    } == {name: each.entrypoint for name, each in (await deployments()).items()}


@pytest.mark.parametrize(
    ("name", "event", "parameters"),
    [
        (
            "propose-on-hand-back",
            "stablehand.proposal.labelled",
            {"label": "{{ event.payload.label }}"},
        ),
        (
            "check-on-pull-request",
            "stablehand.pull-request.changed",
            {"pull_request": "{{ event.payload.number }}"},
        ),
        (
            "reconcile-on-merge",
            "stablehand.release-state.pushed",
            {"reason": "push", "commit": "{{ event.payload.commit }}"},
        ),
    ],
)
async def test_an_event_of_the_release_state_starts_a_run(
    name: str, event: str, parameters: dict[str, str]
) -> None:
    """The trigger listens to this repository's events only, and passes on what names the run."""
    (trigger,) = (await deployments())[name].triggers
    assert isinstance(trigger, DeploymentEventTrigger)
    assert {event} == trigger.expect
    match = ResourceSpecification.model_validate(
        {"prefect.resource.id": "stablehand.repository.packit.release-state"}
    )
    assert match == trigger.match
    assert parameters == trigger.parameters


async def test_schedules_are_those_of_the_settings() -> None:
    """Proposals come by the calendar, in a zone; the resync comes by the clock and says that it is one."""
    made = await deployments()
    assert made["propose"].schedules
    proposing = made["propose"].schedules[0].schedule
    assert isinstance(proposing, CronSchedule)
    assert ("15 6 * * 2", "Europe/Prague") == (proposing.cron, proposing.timezone)
    assert timedelta(minutes=20) == interval_of(made["resync"])
    assert {"reason": "resync"} == made["resync"].parameters


async def test_what_is_open_is_checked_by_the_clock() -> None:
    """Without a number, so all of it; a second run of the same minute would only repeat the first."""
    check_open = (await deployments())["check-open"]
    assert timedelta(minutes=15) == interval_of(check_open)
    assert {} == check_open.parameters
    assert isinstance(check_open.concurrency_options, ConcurrencyOptions)
    assert (1, "CANCEL_NEW") == (
        check_open.concurrency_limit,
        check_open.concurrency_options.collision_strategy.value,
    )


def interval_of(deployment: RunnerDeployment) -> timedelta:
    assert deployment.schedules
    schedule = deployment.schedules[0].schedule
    assert isinstance(schedule, IntervalSchedule)
    return schedule.interval


async def test_starting_resumes_what_stopping_paused() -> None:
    """Registering a deployment says that it is not paused, instead of saying nothing."""
    assert {False} == {each.paused for each in (await deployments()).values()}


@pytest.mark.parametrize("flow", [propose_release, check_release, reconcile_release])
def test_every_parameter_says_what_it_is(flow: Flow[..., Any]) -> None:
    """The form in Prefect shows a description at each field, which comes from the docstring."""
    schema = parameter_schema(flow).model_dump()
    assert [] == [name for name, field in schema["properties"].items() if not field.get("description")]


def test_pins_are_rows_and_reasons_a_choice() -> None:
    """People add rows and choose from a list; nobody writes JSON into a box."""
    pins = parameter_schema(propose_release).model_dump()["properties"]["pins"]
    reason = parameter_schema(reconcile_release).model_dump()["properties"]["reason"]
    assert ("array", {"type": "string"}) == (pins["type"], pins["items"])
    assert ["by hand", "push", "resync"] == reason["enum"]


@pytest.mark.parametrize("module", ["flows.cli", "flows.connect", "flows.notify", "flows.ways.reconcile"])
def test_what_runs_without_prefect_does_not_load_it(module: str) -> None:
    """The command answers fast, and works where no Prefect server is."""
    program = f"import sys, {module}; sys.exit('prefect' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode
