"""What was reported on commits, and what is reported there."""

from datetime import UTC, datetime

import pytest

from reconcile.errors import MissingError
from reconcile.github.client import GitHub
from reconcile.observed import CommitStatus
from tests.reconcile.github.conftest import RELEASE_STATE
from tests.sandbox import Repository, Sandbox
from tests.sandbox.model import RequiredCheck as SandboxRequiredCheck

HELLO = "packit/hello-world"
STAGE, PRODUCTION = "packit-as-a-service-stg", "packit-as-a-service"
STARTED = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def hello(sandbox: Sandbox) -> Repository:
    made = sandbox.store.create_repository(HELLO)
    made.commit("main", {"README.md": "Hello\n"}, "Start")
    for name in ("stg", "prod"):
        made.commit(name, {"README.md": f"{name}\n"}, f"Trigger {name}", author="packit-bot")
        made.open_pull_request(f"Basic test case ({name}): build", "", name, "main", "packit-bot")
    return made


async def test_the_app_tells_runs_of_one_name_apart(github: GitHub, hello: Repository) -> None:
    """Stage and production post under the same names."""
    head = hello.rev_parse("stg")
    hello.add_check_run(head, STAGE, "rpm-build:fedora", started_at=STARTED)
    hello.add_check_run(head, PRODUCTION, "rpm-build:fedora", conclusion="failure", started_at=STARTED)
    hello.add_check_run(head, STAGE, "tests", status="in_progress", started_at=STARTED)

    found = {pull.title: pull for pull in await github.observe_validation(HELLO)}

    stage = found["Basic test case (stg): build"]
    assert (1, head, "packit-bot") == (stage.number, stage.head, stage.author)
    assert {
        (29_180, STAGE, "Packit-as-a-Service-stg", "rpm-build:fedora", "completed", "success", STARTED),
        (29_076, PRODUCTION, "Packit-as-a-Service", "rpm-build:fedora", "completed", "failure", STARTED),
        (29_180, STAGE, "Packit-as-a-Service-stg", "tests", "in_progress", None, STARTED),
    } == {
        (run.app_id, run.app_slug, run.app_name, run.name, run.status, run.conclusion, run.started_at)
        for run in stage.check_runs
    }
    assert () == found["Basic test case (prod): build"].check_runs


async def test_only_the_newest_commit_and_open_pull_requests_count(github: GitHub, hello: Repository) -> None:
    hello.add_check_run(hello.rev_parse("stg"), STAGE, "tests", conclusion="failure")
    newest = hello.commit("stg", {"README.md": "again\n"}, "Trigger again", author="packit-bot")
    hello.close(2, "packit-bot")

    (found,) = await github.observe_validation(HELLO)

    assert (newest, ()) == (found.head, found.check_runs)


async def test_a_failure_among_very_many_runs_is_seen(github: GitHub, hello: Repository) -> None:
    """What does not fit into one answer is read whole: the rest might hold the failure."""
    head = hello.rev_parse("stg")
    hello.add_check_run(head, STAGE, "tests", conclusion="failure")
    for n in range(120):
        hello.add_check_run(head, STAGE, f"rpm-build:{n}")

    found = next(pull for pull in await github.observe_validation(HELLO) if pull.head == head)

    assert 121 == len(found.check_runs)
    assert ["tests"] == [run.name for run in found.check_runs if run.conclusion == "failure"]


async def test_more_pull_requests_than_a_page(github: GitHub, hello: Repository) -> None:
    for n in range(30):
        hello.commit(f"test-{n}", {"README.md": f"{n}\n"}, "Trigger")
        hello.open_pull_request(f"Test {n}", "", f"test-{n}", "main", "packit-bot")

    assert 32 == len(await github.observe_validation(HELLO))


async def test_a_validation_repository_that_is_not_there(github: GitHub) -> None:
    with pytest.raises(MissingError, match="packit/nothing") as raised:
        await github.observe_validation("packit/nothing")

    assert "STABLEHAND_REPOSITORY" not in str(raised.value)


async def test_signals_are_check_runs_and_statuses(
    github: GitHub, sandbox: Sandbox, state: Repository, hello: Repository
) -> None:
    """Of each context the newest status; a run that has not started is one that others wait for."""
    head = hello.rev_parse("main")
    hello.add_check_run(head, STAGE, "build", started_at=STARTED)
    hello.add_check_run(head, STAGE, "lint", conclusion="neutral", started_at=STARTED)
    hello.add_check_run(head, STAGE, "tests", status="in_progress", started_at=STARTED)
    hello.add_check_run(head, STAGE, "deploy", status="queued")
    hello.add_status(head, "image", "pending", at=STARTED)
    hello.add_status(head, "image", "success", at=STARTED)
    hello.add_status(head, "docs", "error", at=STARTED)
    sandbox.requests.reset()

    found = await github.observe_signals(
        {HELLO: head, RELEASE_STATE: state.rev_parse("main"), "packit/gone": head}
    )

    apps = ("29180", STAGE, "Packit-as-a-Service-stg")
    assert {
        ("check_run", "build", apps, "success", STARTED),
        ("check_run", "lint", apps, "failure", STARTED),
        ("check_run", "tests", apps, "pending", STARTED),
        ("check_run", "deploy", apps, "pending", None),
        ("status", "image", (), "success", STARTED),
        ("status", "docs", (), "failure", STARTED),
    } == {(each.kind, each.name, each.apps, each.state, each.started_at) for each in found[HELLO]}
    assert () == found[RELEASE_STATE]
    assert "packit/gone" not in found
    assert 1 == sandbox.requests.total


async def test_a_status_is_posted_once_and_again_on_change(github: GitHub, state: Repository) -> None:
    head = state.rev_parse("main")

    for description in ("3 moves", "3 moves", "4 moves"):
        await github.ensure_status(
            head,
            context="stablehand/plan",
            state="success",
            description=description,
            url="https://x.example/",
        )

    assert ["4 moves", "3 moves"] == [status.description for status in state.statuses(head)]
    assert 2 == github.requests.writes


async def test_a_status_of_another_context_is_not_ours(github: GitHub, state: Repository) -> None:
    head = state.rev_parse("main")
    state.add_status(head, "ci", "success", description="3 moves")

    await github.ensure_status(
        head, context="stablehand/plan", state="success", description="3 moves", url=None
    )

    assert ["stablehand/plan", "ci"] == [status.context for status in state.statuses(head)]


async def test_a_long_description_is_cut_and_still_compared(github: GitHub, state: Repository) -> None:
    head = state.rev_parse("main")

    for _ in range(2):
        await github.ensure_status(
            head, context="stablehand/plan", state="failure", description="x" * 200, url=None
        )

    (status,) = state.statuses(head)
    assert "x" * 139 + "…" == status.description


async def test_a_status_on_nothing(github: GitHub, state: Repository) -> None:
    with pytest.raises(MissingError, match="d" * 40):
        await github.ensure_status("d" * 40, context="c", state="success", description="", url=None)


async def test_checks_are_read_whole(github: GitHub, sandbox: Sandbox, hello: Repository) -> None:
    """Runs with their conclusions, and the newest status of each context; of many commits in one request."""
    head = hello.rev_parse("main")
    hello.add_check_run(head, STAGE, "tests", conclusion="skipped", started_at=STARTED)
    hello.add_status(head, "image", "pending", at=STARTED)
    hello.add_status(head, "image", "error", target_url="https://ci.example/1", at=STARTED)
    sandbox.requests.reset()

    found = await github.observe_checks({HELLO: head, "packit/gone": head})

    assert {HELLO} == set(found)
    assert [("tests", "skipped")] == [(run.name, run.conclusion) for run in found[HELLO].check_runs]
    assert [
        CommitStatus(context="image", state="failure", posted_at=STARTED, url="https://ci.example/1")
    ] == list(found[HELLO].statuses)
    assert 1 == sandbox.requests.total


async def test_every_post_of_a_status_is_listed(github: GitHub, hello: Repository) -> None:
    """Newest first, over as many pages as there are."""
    head = hello.rev_parse("main")
    hello.add_status(head, "image", "pending", at=STARTED)
    for _ in range(100):
        hello.add_status(head, "docs", "success", at=STARTED)

    found = await github.list_statuses(HELLO, head)

    assert [("docs", "success")] * 100 + [("image", "pending")] == [
        (each.context, each.state) for each in found
    ]
    assert STARTED == found[0].posted_at


async def test_required_checks_come_from_rulesets_and_from_the_branchs_own_rule(
    github: GitHub, sandbox: Sandbox, state: Repository, hello: Repository
) -> None:
    hello.required_checks["main"] = (SandboxRequiredCheck("tests", 29_180), SandboxRequiredCheck("lint"))
    hello.required_contexts["main"] = ("image", "lint")
    hello.protect_branch("main", allow={"alice"})
    sandbox.requests.reset()

    found = await github.observe_required_checks((HELLO, RELEASE_STATE, "packit/gone"), "main")

    assert [("tests", 29_180), ("lint", None), ("image", None)] == [
        (each.name, each.app_id) for each in found[HELLO]
    ]
    assert () == found[RELEASE_STATE]
    assert "packit/gone" not in found
    assert 1 == sandbox.requests.total
    assert () == (await github.observe_required_checks((HELLO,), "nowhere"))[HELLO]


async def test_pull_requests_have_labels_and_a_branch(github: GitHub, hello: Repository) -> None:
    hello.commit("labelled", {"README.md": "x\n"}, "Trigger")
    hello.open_pull_request("Test", "", "labelled", "main", "packit-bot", labels=["stage", "Slow"])

    found = next(each for each in await github.observe_validation(HELLO) if each.title == "Test")

    assert ("labelled", ("stage", "Slow")) == (found.head_branch, found.labels)
