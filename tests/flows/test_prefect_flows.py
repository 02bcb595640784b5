"""The flows as Prefect runs them, against a sandbox: what people see of a run, and what its caller gets."""

import asyncio
import gc
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import get_client, tags
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Crashed
from prefect.testing.utilities import prefect_test_harness
from prefect.variables import Variable

from flows import endings, propose_release, reconcile_release, runs
from flows.check_release import check_release
from flows.ways.errors import UsageError
from flows.ways.propose import ProposeRequest
from reconcile.errors import UnauthorizedError
from reconcile.report import Result
from tests.flows.receiver import receiving
from tests.sandbox import Sandbox
from tests.sandbox.fleet import CHECKS, STAGE, Fleet, make_packit_fleet

pytestmark = [
    pytest.mark.slow,
    # Prefect's services of the process keep connections until the process ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    # Apprise imports all of its plugins at once, and one of them a module that Python 3.13 has no more.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def _prefect() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=90):
        yield
    gc.collect()  # here, where what is said of those connections is ignored, and not in somebody else's test


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _prefect: None) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path) as sandbox:
        monkeypatch.setenv("STABLEHAND_GITHUB_URL", sandbox.url)
        monkeypatch.setenv("STABLEHAND_REPOSITORY", "packit/release-state")
        monkeypatch.setenv("STABLEHAND_TOKEN", sandbox.tokens["stablehand-bot"])
        yield sandbox


@pytest.fixture(autouse=True)
async def _nobody_knows(_prefect: None) -> None:
    """Let no test remember what another has told people."""
    for flow in ("reconcile-release", "propose-release"):
        await Variable.aunset(f"{flow}-packit-release-state")


@pytest.fixture
def fleet(sandbox: Sandbox) -> Fleet:
    return make_packit_fleet(sandbox.store, datetime.now(UTC).replace(microsecond=0))


async def newest_run() -> FlowRun:
    async with get_client() as client:
        (run,) = await client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
    return run


async def task_runs(run: FlowRun) -> dict[str, str | None]:
    """Map the names of a run's tasks to the names of their states."""
    async with get_client() as client:
        found = await client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
    return {each.name: each.state_name for each in found}


async def artifacts(run: FlowRun) -> dict[str | None, Any]:
    """Map the keys of a run's artifacts to what they hold."""
    async with get_client() as client:
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        )
    return {each.key: each.data for each in found}


async def test_a_day_in_prefect(sandbox: Sandbox, fleet: Fleet) -> None:
    """Adopt, propose, check, merge, reconcile: every run is named after what happened, and shows it."""
    adopted = await reconcile_release.run_in_prefect()
    assert Result.CONVERGED == adopted.result
    commit = fleet.release_state.rev_parse("main")[:7]
    run = await newest_run()
    assert (f"reconcile {commit} · all in place", "Converged") == (run.name, run.state_name)
    assert ["packit/release-state"] == run.tags

    proposed = await propose_release.run_in_prefect(ProposeRequest())
    assert proposed.pull_request
    run = await newest_run()
    assert ("propose · #1 opened · 6 of 8 move", "Opened") == (run.name, run.state_name)
    shown = await artifacts(run)
    assert {
        f"packit-release-state-{kind}" for kind in ("evidence", "proposal", "pull-request")
    } == shown.keys()
    assert proposed.pull_request.url in shown["packit-release-state-pull-request"]

    await propose_release.propose_release(label="release")
    assert ("propose · not handed back", "Not asked") == (
        (await newest_run()).name,
        (await newest_run()).state_name,
    )
    await propose_release.propose_release(label="Stablehand/Rebuild")
    assert "Unchanged" == (await newest_run()).state_name

    await check_release(1)
    run = await newest_run()
    assert ("check #1 · 6 of 8 move", "Passed") == (run.name, run.state_name)

    fleet.release_state.commit("readme", {"README.md": "Read me\n"}, "Say more", author="alice")
    fleet.release_state.open_pull_request("Say more", "", "readme", "main", "alice")
    for passed in (2, 1):  # the second has its status then, and changes no document
        await check_release()
        run = await newest_run()
        assert (f"check what is open · {passed} passed", "Checked") == (run.name, run.state_name)
    rows = json.loads((await artifacts(run))["packit-release-state-open"])
    assert [("#1", "Passed", "6 of 8 move")] == [tuple(row.values()) for row in rows]
    assert "#1: look for green commits" in (await task_runs(run))
    await asyncio.to_thread(fleet.release_state.merge, 1, "alice")
    before = {each.full_name: each.branch("stable") for each in fleet.repositories}
    report = await reconcile_release.run_in_prefect()
    assert (Result.CONVERGED, 6) == (report.result, len(report.moved))
    run = await newest_run()
    assert "· 6 moved" in run.name
    tasks = await task_runs(run)
    for moved in report.moved:
        live = before[moved.repository]
        assert "Moved" == tasks[f"{moved.name} {live[:7] if live else 'new'} → {moved.after[:7]}"]
    assert 6 == sum(state == "Moved" for state in tasks.values())
    assert {"packit-release-state-plan", "packit-release-state-outcome"} == (await artifacts(run)).keys()


async def test_held_is_neither_green_nor_a_crash(sandbox: Sandbox, fleet: Fleet) -> None:
    """A run that needs a person ends cancelled under the name Held, and its caller still gets the report."""
    await reconcile_release.run_in_prefect()
    dashboard = sandbox.store.repository("packit/dashboard")
    proved = dashboard.rev_parse("stable")
    older = dashboard.commit_at(proved).parents[0]
    dashboard.push("stable", str(older.id), by="alice", force=True)

    report = await reconcile_release.run_in_prefect()
    assert Result.HELD == report.result
    run = await newest_run()
    assert ("CANCELLED", "Held") == (run.state_type, run.state_name)
    assert "· 1 held" in run.name
    (row,) = json.loads((await artifacts(run))["packit-release-state-outcome"])
    assert ("packit/dashboard", "held: moved-by-hand", proved[:7]) == (
        row["Repository"],
        row["What"],
        row["To"],
    )


async def test_an_error_is_a_sentence_and_reaches_the_caller(
    sandbox: Sandbox, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails with what is wrong and what to do; the command raises the same error."""
    monkeypatch.setenv("STABLEHAND_TOKEN", "ghs_nobody")
    with pytest.raises(UnauthorizedError) as caught:
        await reconcile_release.run_in_prefect()
    run = await newest_run()
    assert ("FAILED", str(caught.value)) == (run.state_type, run.state and run.state.message)


async def test_a_wrong_request_reaches_the_caller(sandbox: Sandbox, fleet: Fleet) -> None:
    """What was typed wrong is said in the terminal, whichever way it runs."""
    with pytest.raises(UsageError):
        await propose_release.run_in_prefect(ProposeRequest(only=("no-such-repository",)))


async def test_a_resync_gives_way_and_a_push_waits_its_turn(sandbox: Sandbox, fleet: Fleet) -> None:
    """Both are runs of one flow under one limit; a resync would only repeat what the other does."""
    async with runs.turn("packit/release-state", gives_way=False):
        state = await reconcile_release.reconcile_release("resync", return_state=True)
        assert ("CANCELLED", "Gave way") == (state.type, state.name)
        waiting = asyncio.ensure_future(reconcile_release.reconcile_release("push", return_state=True))
        done, _ = await asyncio.wait({waiting}, timeout=3)
        assert not done
    assert "Converged" == (await waiting).name


@pytest.mark.timeout(300)
async def test_a_schedule_tells_people_once(
    sandbox: Sandbox, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That validation fails, and that it is over; the monitor hears of each run, and a person's own run is silent."""
    assert fleet.hello_world
    validated = fleet.hello_world.rev_parse("test-stg-builds")
    await reconcile_release.run_in_prefect()

    async def propose(*, is_scheduled: bool) -> FlowRun:
        with tags(*(["auto-scheduled"] if is_scheduled else [])):
            await propose_release.run_in_prefect(ProposeRequest())
        return await newest_run()

    with receiving() as chat, receiving() as sentry:
        monkeypatch.setenv("STABLEHAND_NOTIFY_URLS", chat.address)
        monkeypatch.setenv("STABLEHAND_SENTRY_DSN", sentry.dsn)
        fleet.hello_world.add_check_run(validated, STAGE, CHECKS[0], conclusion="failure")
        await propose(is_scheduled=False)
        assert ([], []) == (chat.notes, sentry.items)

        first = await propose(is_scheduled=True)
        assert "Not proposed" == first.state_name
        (note,) = chat.notes
        assert "stablehand: validation says fail (packit/release-state)" == note["title"]
        assert str(first.id) in note["message"]
        began, message, ended = sentry.items
        assert ("in_progress", "ok") == (began["status"], ended["status"])
        assert str(first.id) == message["tags"]["flow_run"]

        await propose(is_scheduled=True)
        assert (1, 5) == (len(chat.notes), len(sentry.items))

        fleet.hello_world.add_check_run(validated, STAGE, CHECKS[0], conclusion="success")
        await propose(is_scheduled=True)
        assert "stablehand: validation passes again (packit/release-state)" == chat.notes[1]["title"]

        with tags("auto-scheduled"):
            await reconcile_release.reconcile_release("resync", return_state=True)
        began, ended = sentry.items[-2:]
        assert ("resync-packit-release-state", "ok") == (began["monitor_slug"], ended["status"])
        monkeypatch.setenv("STABLEHAND_TOKEN", "ghs_nobody")
        with tags("auto-scheduled"):
            await reconcile_release.reconcile_release("resync", return_state=True)
        assert "error" == sentry.items[-1]["status"]


@pytest.mark.timeout(300)
async def test_what_ends_runs_is_told_once_and_so_is_its_end(
    sandbox: Sandbox, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cause, although neither GitHub nor the ledger can be read. Nobody hears of a person's own run."""

    async def resync(token: str, *marks: str) -> None:
        monkeypatch.setenv("STABLEHAND_TOKEN", token)
        with tags(*marks):
            await reconcile_release.reconcile_release("resync", return_state=True)

    good, wrong = sandbox.tokens["stablehand-bot"], "ghs_nobody"
    with receiving() as chat, receiving() as sentry:
        monkeypatch.setenv("STABLEHAND_NOTIFY_URLS", chat.address)
        await resync(wrong)
        assert [] == chat.notes

        chat.status = 500
        await resync(wrong, "auto-scheduled")
        chat.status = 200
        monkeypatch.setenv("STABLEHAND_SENTRY_DSN", sentry.dsn)
        for _ in range(2):
            await resync(wrong, "auto-scheduled")
        unheard, heard = chat.notes
        assert unheard == heard | {"message": unheard["message"]}
        assert "stablehand: reconcile-release fails (packit/release-state)" == heard["title"]
        assert "reconcile-release ended with UnauthorizedError: " in heard["message"]
        assert wrong not in heard["message"]
        (message,) = (item for item in sentry.items if "fingerprint" in item)
        assert ["run", "packit/release-state", "reconcile-release UnauthorizedError"] == message[
            "fingerprint"
        ]

        run = (await newest_run()).model_copy(update={"tags": ["auto-scheduled"]})
        for _ in range(2):
            await endings.tell_of_crash(reconcile_release.reconcile_release, run, Crashed(message="Killed."))
        *_, crashed = chat.notes
        assert [
            "reconcile-release ended with Crashed: Killed.",
            "reconcile-release ends no longer with UnauthorizedError.",
        ] == crashed["message"].splitlines()[:2]

        async with runs.turn("packit/release-state", gives_way=False):
            await resync(good, "auto-scheduled")
        assert 3 == len(chat.notes)
        for _ in range(2):
            await resync(good, "auto-scheduled")
        *_, over = chat.notes
        assert 4 == len(chat.notes)
        assert "stablehand: reconcile-release runs again (packit/release-state)" == over["title"]


async def test_a_mistake_of_ours_is_told_without_its_text(
    sandbox: Sandbox, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what an exception's text holds. The run ends with it, and its log has it."""

    def break_down(*_: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr(propose_release, "plain_steps", break_down)
    with receiving() as chat, tags("auto-scheduled"):
        monkeypatch.setenv("STABLEHAND_NOTIFY_URLS", chat.address)
        with pytest.raises(KeyError):
            await propose_release.propose_release()
        (note,) = chat.notes
    assert "propose-release ended with KeyError: a mistake in stablehand." in note["message"]
    assert "hunter2" not in note["message"]


async def test_a_run_that_was_not_asked_is_no_end_of_a_failure(
    sandbox: Sandbox, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tried nothing, so people who know of the failure are not told that runs do their work again."""
    with receiving() as chat, tags("auto-scheduled"):
        monkeypatch.setenv("STABLEHAND_NOTIFY_URLS", chat.address)
        with monkeypatch.context() as wrong:
            wrong.setenv("STABLEHAND_TOKEN", "ghs_nobody")
            await propose_release.propose_release(return_state=True)
        await propose_release.propose_release(label="release")
        assert "Not asked" == (await newest_run()).state_name
        assert ["stablehand: propose-release fails (packit/release-state)"] == [
            each["title"] for each in chat.notes
        ]


@pytest.mark.parametrize(
    ("made_by", "expected"),
    [("AUTOMATION", True), ("SCHEDULE", True), ("DEPLOYMENT", False), (None, False)],
)
def test_whose_runs_nobody_looks_at(made_by: str | None, *, expected: bool) -> None:
    """Those of a schedule, which Prefect tags, and of an event; not those that a person starts."""
    run = FlowRun.model_validate(
        {
            "flow_id": uuid4(),
            "created_by": {"type": made_by} if made_by else None,
            "tags": ["auto-scheduled"] if made_by == "SCHEDULE" else [],
        }
    )
    assert expected == runs.is_unattended(run)
