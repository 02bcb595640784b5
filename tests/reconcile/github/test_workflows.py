"""Dispatching a workflow, and finding out whether it was."""

from datetime import timedelta

import pytest

from reconcile.errors import ForbiddenError, MissingError, UnreachableError
from reconcile.github.client import GitHub
from tests.reconcile.github.conftest import Connect
from tests.sandbox import Repository, Sandbox

OGR = "packit/ogr"
WORKFLOW = "rebuild.yml"


@pytest.fixture
def built(ogr: Repository) -> Repository:
    """`packit/ogr` with a workflow on stable."""
    ogr.commit("stable", {f".github/workflows/{WORKFLOW}": "on: workflow_dispatch\n"}, "Rebuild by hand")
    return ogr


async def test_a_dispatch_is_found_again(github: GitHub, sandbox: Sandbox, built: Repository) -> None:
    """From its second on, on its branch, of its workflow."""
    now = sandbox.store.clock()

    assert not await github.find_dispatch(OGR, WORKFLOW, ref="stable", since=now)
    await github.dispatch(OGR, WORKFLOW, ref="stable")

    assert await github.find_dispatch(OGR, WORKFLOW, ref="stable", since=now)
    assert not await github.find_dispatch(OGR, WORKFLOW, ref="main", since=now)
    assert not await github.find_dispatch(OGR, WORKFLOW, ref="stable", since=now + timedelta(hours=1))
    assert [built.rev_parse("stable")] == [run.sha for run in built.workflow_runs]


async def test_a_lost_dispatch_is_not_sent_again(github: GitHub, sandbox: Sandbox, built: Repository) -> None:
    sandbox.faults.bad_gateway(happens=True, kind="rest:POST")

    with pytest.raises(UnreachableError):
        await github.dispatch(OGR, WORKFLOW, ref="stable")

    assert 1 == len(built.workflow_runs)


async def test_a_workflow_that_is_not_there(github: GitHub, built: Repository) -> None:
    with pytest.raises(MissingError):
        await github.dispatch(OGR, "other.yml", ref="stable")


async def test_a_stranger_may_not_dispatch(connect_as: Connect, built: Repository) -> None:
    async with connect_as("mallory") as github:
        with pytest.raises(ForbiddenError):
            await github.dispatch(OGR, WORKFLOW, ref="stable")
