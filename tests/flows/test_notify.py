"""What people are told of a run of reconcile: each cause once, its end once, and nothing that is secret."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from flows.notify import notify_news
from flows.settings import Settings
from reconcile.report import Result, RunReport
from tests.flows.receiver import Receiver, receiving
from tests.flows.world import OGR, RELEASE_STATE, TOKMAN, World

SECRETS = ("hunter2", "a1b2c3", "the-token")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def settings(**rest: object) -> Settings:
    return Settings.model_validate({"repository": RELEASE_STATE, "token": "the-token", **rest})


async def run(world: World, where: Settings) -> RunReport:
    return await world.reconcile(notify=partial(notify_news, where))


def hold(world: World, *names: str) -> None:
    """Decide that everything moves but these."""
    world.merge(world.at(2), holds={name: {"reason": "not yet"} for name in names})


async def test_each_cause_is_told_once_and_so_is_its_end(world: World, receiver: Receiver) -> None:
    """Silent while it stands; another cause is another message, and so is the end of the first."""
    chat = settings(notify_urls=receiver.address)
    hold(world, TOKMAN)
    assert Result.HELD == (await run(world, chat)).result
    await run(world, chat)
    assert [f"stablehand: 1 to look at ({RELEASE_STATE} {world.state.rev_parse('main')[:7]})"] == [
        note["title"] for note in receiver.notes
    ]
    assert "packit/tokman: Held in the document: not yet." in receiver.notes[0]["message"]
    hold(world, TOKMAN, OGR)
    world.push(OGR, world.commits[OGR][3])
    await run(world, chat)
    assert "packit/ogr: Held in the document" in receiver.notes[1]["message"]
    assert "packit/tokman" not in receiver.notes[1]["message"]
    world.push(OGR, world.commits[OGR][2])
    world.merge({}, holds={})
    assert Result.CONVERGED == (await run(world, chat)).result
    await run(world, chat)
    *_, over = receiver.notes
    assert 3 == len(receiver.notes)
    assert over["title"].startswith("stablehand: nothing stands in the way")
    assert ["Over: packit/ogr held", "Over: packit/tokman held"] == [
        line.rpartition(" ")[0] for line in over["message"].splitlines()
    ]


async def test_an_end_among_others_is_not_the_end(world: World, receiver: Receiver) -> None:
    """Nothing stands in the way only when nothing does."""
    chat = settings(notify_urls=receiver.address)
    hold(world, TOKMAN, OGR)
    await run(world, chat)
    world.merge({}, holds={TOKMAN: {"reason": "not yet"}})
    await run(world, chat)
    where = f"({RELEASE_STATE} {world.state.rev_parse('main')[:7]})"
    assert f"stablehand: 1 over, 1 still to look at {where}" == receiver.notes[-1]["title"]
    assert "packit/tokman" not in receiver.notes[-1]["message"]


@pytest.mark.parametrize("broken", [("chat",), ("sentry",), ("chat", "sentry")])
async def test_what_reached_nobody_is_told_by_the_next_run(
    world: World, receiver: Receiver, broken: tuple[str, ...]
) -> None:
    """Its beginning and its end; one that took it is enough, so that nobody is told over and over."""
    with receiving() as other:
        receiver.status, other.status = (500 if each in broken else 200 for each in ("chat", "sentry"))
        both = settings(notify_urls=receiver.address, sentry_dsn=other.dsn)
        repeats = 2 if len(broken) == 2 else 1
        hold(world, TOKMAN)
        for _ in range(2):
            await run(world, both)
        assert (repeats, repeats) == (len(receiver.bodies), len(other.bodies))
        receiver.status = other.status = 200
        for _ in range(2):
            await run(world, both)
        receiver.status, other.status = (500 if each in broken else 200 for each in ("chat", "sentry"))
        world.merge({}, holds={})
        for _ in range(2):
            await run(world, both)
        receiver.status = other.status = 200
        await run(world, both)
        told = len(receiver.bodies)
        await run(world, both)
        assert told == len(receiver.bodies)
        assert receiver.notes[-1]["title"].startswith("stablehand: nothing stands in the way")
        assert ("info", "over") == (other.items[-1]["level"], other.items[-1]["fingerprint"][-1])


async def test_without_an_address_nobody_counts_as_told(world: World, receiver: Receiver) -> None:
    """Who gives one later is told of what stands."""
    hold(world, TOKMAN)
    await run(world, settings())
    assert () == world.ledger.notified
    await run(world, settings(notify_urls=receiver.address))
    (note,) = receiver.notes
    assert "packit/tokman: Held in the document" in note["message"]


async def test_sentry_groups_by_cause(world: World, receiver: Receiver) -> None:
    """One event a cause, under a fingerprint that a second installation does not share."""
    hold(world, OGR, TOKMAN)
    await run(world, settings(sentry_dsn=receiver.dsn))
    assert 2 == len(receiver.items)
    for event, name in zip(receiver.items, (OGR, TOKMAN), strict=True):
        assert "warning" == event["level"]
        assert RELEASE_STATE in event["fingerprint"]
        assert any(name in part for part in event["fingerprint"])


async def test_nothing_to_tell_sends_nothing(world: World, receiver: Receiver) -> None:
    world.merge(world.at(2))
    await run(world, settings(notify_urls=receiver.address, sentry_dsn=receiver.dsn))
    assert [] == receiver.bodies


@pytest.mark.parametrize("trouble", ["refused", "nobody", "nonsense"])
async def test_what_cannot_be_told_fails_no_run(
    trouble: str, world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The run ends as it would have, what moved is recorded, and the log shows no secret."""
    where = settings(notify_urls=receiver.address, sentry_dsn=receiver.dsn)
    match trouble:
        case "refused":
            receiver.status = 500
        case "nobody":
            with receiving() as gone:
                where = settings(notify_urls=gone.address, sentry_dsn=gone.dsn)
        case "nonsense":
            where = settings(notify_urls="nonsense://hunter2", sentry_dsn="hunter2")
    hold(world, TOKMAN)
    report = await run(world, where)
    assert (Result.HELD, 2) == (report.result, len(world.ledger.moves))
    assert caplog.records
    for secret in SECRETS:
        assert secret not in caplog.text


async def test_no_secret_is_told(world: World, receiver: Receiver) -> None:
    """Neither the account's token nor what the other notifier is reached by."""
    hold(world, TOKMAN)
    await run(world, settings(notify_urls=receiver.address, sentry_dsn=receiver.dsn))
    told = json.dumps([body.decode() for body in receiver.bodies])
    assert all(secret not in told for secret in ("the-token", "hunter2"))


async def test_nobody_is_called_by_what_is_quoted(world: World, receiver: Receiver) -> None:
    """A reason, a title, a name: chats act on mentions wherever they stand."""
    reason = "ask @everyone, <!channel> and <@U1> or a@example.org"
    world.merge(world.at(2), holds={TOKMAN: {"reason": reason}})
    await run(world, settings(notify_urls=receiver.address))
    told = receiver.notes[-1]["message"]
    assert "ask @\u200beveryone, <\u200b!channel> and <\u200b@\u200bU1> or a@\u200bexample.org" in told
