"""What a person may get wrong: one clear sentence each with what to do, the right exit status, nothing half-done."""

import asyncio
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from flows.cli import Exit
from reconcile.github.contents import LEDGER_BRANCH
from state.ledger import LEDGER_PATH
from state.yaml_io import POLICY_PATH, STATE_PATH
from tests.flows.installation import Installation
from tests.flows.world import BOT, NAMES, OGR, World

CIRCLE = (
    "version: 1\nrepositories: {packit/ogr: {after: packit/packit}, packit/packit: {after: packit/ogr}}\n"
)


class Mistake(NamedTuple):
    make: Callable[[Installation], object]
    status: Exit
    says: tuple[str, ...]
    """A part of each line, in order."""
    arguments: tuple[str, ...] = ("reconcile",)


def nothing(_: Installation) -> None:
    """Leave everything as it is: what is typed is wrong."""


def break_document(installation: Installation) -> None:
    broken = "version: 1\nref: stable\ntargets:\n  packit/ogr: d35040f\n  packit/packit: main\nhold: {}\n"
    installation.world.commit(desired=broken)


def break_both(installation: Installation) -> None:
    installation.world.commit(desired="version: 2\nref: stable\ntargets: {}\n", policy="version: 1\n")


def delete_document(installation: Installation) -> None:
    installation.world.state.commit("main", {STATE_PATH: None}, "Delete")


def delete_policy(installation: Installation) -> None:
    installation.world.state.commit("main", {POLICY_PATH: None}, "Delete")


def go_round_in_a_circle(installation: Installation) -> None:
    installation.world.commit(policy=CIRCLE)


def corrupt_ledger(installation: Installation) -> None:
    asyncio.run(installation.world.reconcile())
    installation.world.state.commit(
        LEDGER_BRANCH, {LEDGER_PATH: '{"version": 1, "spent": 3}'}, "Edit by hand"
    )


def use_newer_ledger(installation: Installation) -> None:
    asyncio.run(installation.world.reconcile())
    installation.world.state.commit(LEDGER_BRANCH, {LEDGER_PATH: '{"version": 2}'}, "Written by a newer one")


def name_missing_repository(installation: Installation) -> None:
    installation.settings["STABLEHAND_REPOSITORY"] = "packit/no-such"


def name_empty_repository(installation: Installation) -> None:
    installation.world.sandbox.store.create_repository("packit/empty")
    installation.settings["STABLEHAND_REPOSITORY"] = "packit/empty"


def archive(installation: Installation) -> None:
    installation.world.sandbox.store.archive_repository(installation.world.state.full_name)


def only_read(installation: Installation) -> None:
    installation.settings["STABLEHAND_TOKEN"] = installation.world.sandbox.tokens["mallory"]


def mistype_token(installation: Installation) -> None:
    installation.settings["STABLEHAND_TOKEN"] = "ghp_secret_of_nobody"


def break_token(installation: Installation) -> None:
    installation.settings["STABLEHAND_TOKEN"] = "ghp_one\nghp_two"


def ask_a_wrong_path(installation: Installation) -> None:
    installation.settings["STABLEHAND_GITHUB_URL"] += "/repos"


def ask_for_a_long_pause(installation: Installation) -> None:
    installation.world.sandbox.faults.rate_limited(times=None, retry_after=3600)


def fail_at_the_gateway(installation: Installation) -> None:
    installation.world.sandbox.faults.bad_gateway(times=None, happens=False)


def use_expired_token(installation: Installation) -> None:
    store = installation.world.sandbox.store
    expired = store.credentials.issue(BOT, expires_at=store.clock() - timedelta(seconds=1))
    installation.settings["STABLEHAND_TOKEN"] = expired


def ask_a_web_page(installation: Installation) -> None:
    installation.world.sandbox.faults.html(times=None)


def ask_nobody(installation: Installation) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        installation.settings["STABLEHAND_GITHUB_URL"] = f"http://127.0.0.1:{nobody.getsockname()[1]}"


def write_settings(*lines: str, without: tuple[str, ...] = ()) -> Callable[[Installation], None]:
    def write(installation: Installation) -> None:
        for name in without:
            del installation.settings[name]
        (installation.directory / ".env").write_text("\n".join(lines) + "\n")

    return write


def write_binary_settings(installation: Installation) -> None:
    (installation.directory / ".env").write_bytes(b"STABLEHAND_TOKEN=\xff\xfe\n")


MISTAKES = {
    "broken document": Mistake(
        break_document,
        Exit.USAGE,
        (f"{STATE_PATH}:4:", f"{STATE_PATH}:5:", f"{STATE_PATH}:6:"),
    ),
    "both documents broken": Mistake(break_both, Exit.USAGE, (STATE_PATH, POLICY_PATH)),
    "no release state": Mistake(delete_document, Exit.FAILURE, (f"has no {STATE_PATH} at",)),
    "no policy": Mistake(delete_policy, Exit.FAILURE, (f"has no {POLICY_PATH} at",)),
    "circle": Mistake(
        go_round_in_a_circle, Exit.USAGE, ("is a circle: packit/ogr → packit/packit → packit/ogr",)
    ),
    "corrupt ledger": Mistake(
        corrupt_ledger,
        Exit.FAILURE,
        ("ledger.json cannot be read at spent: Input should be a valid array. Put its branch back",),
    ),
    "newer ledger": Mistake(use_newer_ledger, Exit.FAILURE, ("ledger.json cannot be read at version",)),
    "no such release state": Mistake(
        name_missing_repository,
        Exit.FAILURE,
        ("no repository packit/no-such, or this account may not see it",),
    ),
    "empty release state": Mistake(name_empty_repository, Exit.FAILURE, ("packit/empty has no commits",)),
    "archived release state": Mistake(archive, Exit.FAILURE, ("archived",)),
    "read-only account": Mistake(only_read, Exit.FAILURE, ("Give the account the right",)),
    "wrong token": Mistake(
        mistype_token, Exit.FAILURE, ("does not accept the token: check STABLEHAND_TOKEN",)
    ),
    "expired token": Mistake(use_expired_token, Exit.FAILURE, ("does not accept the token",)),
    "two tokens": Mistake(
        break_token, Exit.USAGE, ("incomplete or wrong", "STABLEHAND_TOKEN: it has a space")
    ),
    "wrong path": Mistake(
        ask_a_wrong_path, Exit.FAILURE, ("Check that STABLEHAND_GITHUB_URL is the address",)
    ),
    "address without https": Mistake(
        write_settings("STABLEHAND_GITHUB_URL=github.example", without=("STABLEHAND_GITHUB_URL",)),
        Exit.USAGE,
        ("incomplete or wrong", "STABLEHAND_GITHUB_URL is not an address: write it in full"),
    ),
    "address with a password": Mistake(
        write_settings(
            "STABLEHAND_GITHUB_URL=https://bot:hunter2@github.example", without=("STABLEHAND_GITHUB_URL",)
        ),
        Exit.USAGE,
        (
            "incomplete or wrong",
            "STABLEHAND_GITHUB_URL: an address is shown in messages: leave out name, password",
        ),
    ),
    "address with a query": Mistake(
        write_settings(
            "STABLEHAND_GITHUB_URL=https://github.example/?key=hunter2", without=("STABLEHAND_GITHUB_URL",)
        ),
        Exit.USAGE,
        (
            "incomplete or wrong",
            "STABLEHAND_GITHUB_URL: an address is shown in messages",
        ),
    ),
    "long pause": Mistake(ask_for_a_long_pause, Exit.FAILURE, ("It asks for a pause until ",)),
    "bad gateway": Mistake(fail_at_the_gateway, Exit.FAILURE, ("(502): Bad Gateway.",)),
    "a page": Mistake(ask_a_web_page, Exit.FAILURE, ("Check that STABLEHAND_GITHUB_URL is the address",)),
    "nobody there": Mistake(ask_nobody, Exit.FAILURE, ("Nothing answers at http://127.0.0.1:",)),
    "no settings": Mistake(
        write_settings(without=("STABLEHAND_REPOSITORY", "STABLEHAND_TOKEN")),
        Exit.USAGE,
        (
            "The settings are incomplete or wrong:",
            "STABLEHAND_REPOSITORY is not set (in the environment or in .env)",
        ),
    ),
    "malformed settings": Mistake(
        write_settings(
            "STABLEHAND_REPOSITORY=release-state",
            "STABLEHAND_WEBHOOK_PORT=99999",
            "STABLEHAND_RESYNC=often",
            without=("STABLEHAND_REPOSITORY",),
        ),
        Exit.USAGE,
        ("incomplete or wrong", "STABLEHAND_REPOSITORY:", "STABLEHAND_WEBHOOK_PORT:", "STABLEHAND_RESYNC:"),
    ),
    "unreadable settings": Mistake(write_binary_settings, Exit.USAGE, (".env",)),
    "unknown repository": Mistake(
        nothing, Exit.USAGE, ("did you mean packit/tokman",), ("why", "packit/tockman")
    ),
    "unknown repository to adopt": Mistake(
        nothing, Exit.USAGE, ("did you mean packit/tokman",), ("adopt", "tockman")
    ),
    "unknown repository to restore": Mistake(
        nothing, Exit.USAGE, ("did you mean packit/tokman",), ("restore", "tockman")
    ),
    "every mistake in what is asked for": Mistake(
        nothing,
        Exit.USAGE,
        ("'ogre'", "'packet'", "'nonsense' is not a pin", "'tockman'"),
        ("propose", "nonsense", "tockman=1234567", "--hold", "ogre", "--only", "packet"),
    ),
    "nothing to adopt": Mistake(nothing, Exit.USAGE, ("where the file wants it",), ("adopt", "tokman")),
    "no Prefect": Mistake(nothing, Exit.USAGE, ("PREFECT_API_URL is not set",), ("serve",)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_in_a_sentence(name: str, installation: Installation) -> None:
    """No traceback, no secret, nothing on standard output, and nothing moved."""
    mistake, world = MISTAKES[name], installation.world
    world.merge(world.at(2, OGR))
    mistake.make(installation)
    before = state_of(world)
    ran = installation.run(*mistake.arguments)
    lines = [line for line in ran.err.splitlines() if "Trying again" not in line]
    assert len(mistake.says) == len(lines), ran.err
    for part, line in zip(mistake.says, lines, strict=True):
        assert part in line
    assert ("", mistake.status) == (ran.out, ran.status)
    assert before == state_of(world)
    assert installation.settings.get("STABLEHAND_TOKEN", "ghp") not in ran.err
    assert "hunter2" not in ran.err


def state_of(world: World) -> object:
    return (
        {name: world.live(name) for name in NAMES},
        world.state.branch(LEDGER_BRANCH),
        len(world.state.pulls),
    )


def test_a_token_may_bring_the_end_of_its_line(installation: Installation) -> None:
    """As one that was read from a file does."""
    installation.settings["STABLEHAND_TOKEN"] += "\n"
    assert Exit.DONE == installation.run("plan").status
