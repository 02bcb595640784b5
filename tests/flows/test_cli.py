"""The command: its exit statuses, its JSON, what it prints where, and what it does not import."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from flows import terminal
from flows.cli import Exit, app, main
from reconcile.cost import wave_points
from tests.flows.installation import COMMAND, Installation
from tests.flows.world import BOT, NAMES, OGR, PACKIT, POLICY, RELEASE_STATE, TOKMAN, World

HEAD_POLICY = f"{POLICY}candidate: head\n"
VALIDATED_POLICY = f"""\
{POLICY}validation:
  - check_runs:
      repository: packit/hello-world
      app: packit-as-a-service-stg
      pull_requests: "*"
      authors: [packit-bot]
"""
FROZEN_POLICY = f"""\
{POLICY}freezes: [{{name: "spring", from: 2026-02-01T00:00, until: 2026-04-01T08:00, zone: UTC}}]
"""
COMMANDS = tuple(getattr(get_command(app), "commands"))  # noqa: B009 (typer's group has no public type for it)

Prepare = Callable[[Installation], object]


# Exit statuses


def decide(installation: Installation) -> None:
    world = installation.world
    world.merge(world.at(2))


def hold(installation: Installation) -> None:
    world = installation.world
    world.merge(world.at(2), holds={name: {"reason": "not yet"} for name in NAMES})


def freeze(installation: Installation) -> None:
    installation.world.commit(policy=FROZEN_POLICY)
    decide(installation)


def converge(installation: Installation) -> None:
    decide(installation)
    installation.run("reconcile")


def run_short(installation: Installation) -> None:
    """Leave the account too few points to move anything."""
    converge(installation)
    world = installation.world
    world.merge(world.at(3))
    limits = world.sandbox.api.limits
    limits.limit = limits.state(BOT, "graphql").used + 9 + wave_points(2, fleet=3) - 1


def fail_for_good(installation: Installation) -> None:
    """Let every update of a ref come to nothing, without a reason."""
    converge(installation)
    world = installation.world
    world.merge(world.at(3, OGR))
    problem = {"message": "Something went wrong while executing your query.", "path": ["u0"]}
    answer = json.dumps({"data": {"u0": None}, "errors": [problem]})
    world.sandbox.faults.refuse(200, answer, containing="mutation UpdateRefs", times=None)


def move_by_hand(installation: Installation) -> None:
    converge(installation)
    installation.world.push(TOKMAN, installation.world.commits[TOKMAN][4])


def validate(conclusion: str | None) -> Prepare:
    def prepare(installation: Installation) -> None:
        world = installation.world
        world.commit(policy=VALIDATED_POLICY)
        hello = world.sandbox.store.create_repository("packit/hello-world")
        hello.commit("main", {"README.md": "hello\n"}, "Start")
        sha = hello.commit("test", {"hello.spec": "Name: hello\n"}, "Test", author="packit-bot")
        hello.open_pull_request("Basic test case", "", "test", "main", "packit-bot")
        if conclusion:
            hello.add_check_run(sha, "packit-as-a-service-stg", "rpm-build", conclusion=conclusion)

    return prepare


def choose_head(installation: Installation) -> None:
    installation.world.commit(policy=HEAD_POLICY)


ENDS: dict[str, tuple[Prepare, tuple[str, ...], Exit]] = {
    "plan: something moves": (decide, ("plan",), Exit.DONE),
    "plan: held": (hold, ("plan",), Exit.HELD),
    "plan: waits": (freeze, ("plan",), Exit.WAITING),
    "status: in place": (converge, ("status",), Exit.DONE),
    "status: held": (hold, ("status",), Exit.HELD),
    "reconcile: converged": (decide, ("reconcile",), Exit.DONE),
    "reconcile: held": (hold, ("reconcile",), Exit.HELD),
    "reconcile: waiting": (freeze, ("reconcile",), Exit.WAITING),
    "reconcile: rate limit": (run_short, ("reconcile",), Exit.WAITING),
    "reconcile: failed": (fail_for_good, ("reconcile",), Exit.FAILURE),
    "why: in place": (converge, ("why", "tokman"), Exit.DONE),
    "why: held": (move_by_hand, ("why", "tokman"), Exit.HELD),
    "why: waits": (freeze, ("why", "tokman"), Exit.WAITING),
    "log": (converge, ("log",), Exit.DONE),
    "adopt": (move_by_hand, ("adopt", "tokman"), Exit.DONE),
    "restore": (move_by_hand, ("restore", "tokman"), Exit.DONE),
    "propose: opened": (choose_head, ("propose",), Exit.DONE),
    "propose: validation failed": (validate("failure"), ("propose",), Exit.VALIDATION_FAILED),
    "propose: no evidence": (validate(None), ("propose",), Exit.NO_EVIDENCE),
    "check: in order": (
        lambda each: write(each, "version: 1\nref: stable\ntargets: {}\n"),
        ("check", "a.yaml"),
        Exit.DONE,
    ),
    "check: mistakes": (lambda each: write(each, "version: 3\n"), ("check", "a.yaml"), Exit.USAGE),
    "check: no such file": (lambda _: None, ("check", "a.yaml"), Exit.USAGE),
    "schema": (lambda _: None, ("schema", "release-state"), Exit.DONE),
    "no such command": (lambda _: None, ("plann",), Exit.USAGE),
}


def write(installation: Installation, text: str) -> None:
    (installation.directory / "a.yaml").write_text(text)


@pytest.mark.parametrize("case", ENDS)
def test_exit_status(case: str, installation: Installation) -> None:
    prepare, arguments, status = ENDS[case]
    prepare(installation)
    ran = installation.run(*arguments)
    assert status == ran.status, ran


# JSON


SHAPES: dict[str, tuple[Prepare, tuple[str, ...], Callable[[World, Any], bool]]] = {
    "plan": (
        decide,
        ("plan",),
        lambda world, got: (
            got["cost"] == {"reads": 6, "writes": 6, "seconds": 10}
            and [item["target"] for item in got["items"]]
            == [world.commits[name][2] for name in (OGR, TOKMAN, PACKIT)]
        ),
    ),
    "reconcile": (decide, ("reconcile",), lambda world, got: got["result"] == "converged"),
    "status": (converge, ("status",), lambda world, got: len(got["ledger"]["moves"]) == len(NAMES)),
    "why": (move_by_hand, ("why", "tokman"), lambda world, got: got["reasons"][0]["code"] == "moved-by-hand"),
    "log": (converge, ("log",), lambda world, got: len(got["moves"]) == len(NAMES)),
    "adopt": (move_by_hand, ("adopt", "tokman"), lambda world, got: got["number"] in world.state.pulls),
    "restore": (move_by_hand, ("restore", "tokman"), lambda world, got: got["number"] in world.state.pulls),
    "propose": (choose_head, ("propose",), lambda world, got: got["action"] == "opened"),
    "check": (
        lambda each: write(each, "version: 3\n"),
        ("check", "a.yaml"),
        lambda world, got: bool(got["findings"]),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_json(name: str, installation: Installation) -> None:
    """One JSON object and nothing else, with the exit status of the same command without it."""
    prepare, arguments, fits = SHAPES[name]
    prepare(installation)
    ran = installation.run(*arguments, "--json")
    assert fits(installation.world, json.loads(ran.out)), ran.out
    if name not in {"reconcile", "propose"}:
        assert installation.run(*arguments).status == ran.status


# What is printed where


def test_a_pipe_gets_lines_with_tabs(installation: Installation) -> None:
    """Every column keeps its place, for `cut` and its like; there is no header."""
    decide(installation)
    first, *_, last, cost = installation.run("plan").lines
    world = installation.world
    before, after = world.commits[OGR][0][:7], world.commits[OGR][2][:7]
    assert [OGR, before, after, "2", "fast-forward", ""] == first.split("\t")
    assert f"3 of 3 move ({RELEASE_STATE} at {world.state.rev_parse('main')[:7]})" == last
    assert "Carrying it out takes about 12 requests and 10 s." == cost


def test_a_converged_fleet_costs_nothing_more(installation: Installation) -> None:
    converge(installation)
    assert "nothing to do, 3 of 3 in place" in installation.run("plan").lines[-1]


def test_what_the_account_has_left_is_said_when_it_is_not_enough(installation: Installation) -> None:
    run_short(installation)
    assert "GitHub grants this account" in installation.run("plan").lines[-1]


def test_a_terminal_gets_a_table(installation: Installation) -> None:
    """With a header, aligned, without the columns that are empty, and without the tabs of a pipe."""
    decide(installation)
    out = in_terminal(installation, "plan")
    assert "repository" in out
    assert "fast-forward" in out
    assert "why" not in out
    assert "\t" not in out


def in_terminal(installation: Installation, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    with installation.start(*arguments, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 65536):
                printed += chunk
        except OSError:  # as Linux says that the other end is closed
            pass
        finally:
            os.close(ours)
        assert 0 == process.wait()
    return printed.decode()


def test_a_reader_who_goes_changes_nothing(installation: Installation) -> None:
    """`stablehand plan | head -0`: no traceback, and the exit status of the plan."""
    hold(installation)
    reading, writing = os.pipe()
    os.close(reading)
    with installation.start("plan", stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        _, err = process.communicate()
    assert Exit.HELD == process.returncode
    assert "Error" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_result_that_cannot_be_printed_is_a_failure(installation: Installation) -> None:
    """`stablehand plan > file` on a full disk: an empty file must not look like a plan in which nothing moves."""
    with (
        Path("/dev/full").open("w") as full,
        installation.start("plan", stdout=full, stderr=subprocess.PIPE) as process,
    ):
        _, err = process.communicate()
    assert Exit.FAILURE == process.returncode
    assert (
        "stablehand: What came of it could not be printed: No space left on device." == err.splitlines()[-1]
    )


@pytest.mark.parametrize("closed", [1, 2])
def test_closed_streams_change_nothing(closed: int, installation: Installation) -> None:
    """`stablehand plan >&-`, as some supervisors start what they supervise."""
    hold(installation)
    command = ("sh", "-c", f'exec "$@" {closed}>&-', "sh", *COMMAND, "plan")
    ran = subprocess.run(
        command, cwd=installation.directory, env=installation.environment, capture_output=True, check=False
    )
    assert Exit.HELD == ran.returncode
    assert b"Error" not in ran.stderr


def test_an_interruption_before_there_is_anything_to_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal, "prepare", interrupt)
    with pytest.raises(SystemExit) as ended:
        main()
    assert 130 == ended.value.code


def test_a_terminal_without_the_character_shows_a_question_mark(installation: Installation) -> None:
    hold(installation)
    installation.settings["PYTHONIOENCODING"] = "ascii"
    with installation.start("plan", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, _ = process.communicate()
    assert Exit.HELD == process.returncode
    assert "0 of 3 move ? 3 held" in out


def test_an_interrupted_run_says_what_stays(installation: Installation) -> None:
    """Ctrl-C while GitHub is slow to answer: one sentence, exit status 130."""
    sandbox = installation.world.sandbox
    sandbox.faults.slow(60, times=None)
    with installation.start("reconcile", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not sandbox.requests.total:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert ("", 130) == (out, process.returncode)
    assert "stablehand: interrupted. What is done stays done; run it again to go on." == err.splitlines()[-1]
    assert "Traceback" not in err


# Help, and what is not imported


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(name: str, installation: Installation) -> None:
    ran = installation.run(name, "--help")
    assert Exit.DONE == ran.status
    assert f"stablehand {name}" in ran.out.partition("Example")[2]


def test_help_has_the_exit_statuses(installation: Installation) -> None:
    out = installation.run("--help").out
    assert all(f"{status.value} " in out.partition("Exit status:")[2] for status in Exit)


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("--help",), {"prefect", "githubkit", "sentry_sdk", "apprise"}),
        (("schema", "release-policy"), {"prefect", "githubkit", "sentry_sdk", "apprise"}),
        (("check", "a.yaml"), {"prefect", "githubkit", "sentry_sdk", "apprise"}),
        (("plan",), {"prefect", "sentry_sdk", "apprise"}),
        (("status",), {"prefect", "sentry_sdk", "apprise"}),
        (("why", "ogr"), {"prefect", "sentry_sdk", "apprise"}),
        (("log",), {"prefect", "sentry_sdk", "apprise"}),
    ],
)
def test_a_command_imports_what_it_needs(
    arguments: tuple[str, ...], absent: set[str], installation: Installation
) -> None:
    """Prefect alone takes longer to import than the command takes to answer."""
    write(installation, "version: 1\nref: stable\ntargets: {}\n")
    program = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    ran = subprocess.run(
        [COMMAND[0], "-c", program + COMMAND[2], *arguments],
        cwd=installation.directory,
        env=dict(installation.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in ran.stderr.split()}
    assert "typer" in imported
    assert set() == absent & imported
