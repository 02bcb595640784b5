"""Propose and check against a GitHub with real repositories: what the fakes promise, the adapter keeps."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
import pytest
from pydantic import SecretStr

from flows.ways import check, propose
from flows.ways.rolling import hands_back
from reconcile.apply import Clock
from reconcile.github.client import GitHub, connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.github.webhooks import Labelled, PullRequestChanged, parse_delivery
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.yaml_io import POLICY_PATH, STATE_PATH, parse_desired
from tests.flows.receiver import receiving
from tests.sandbox import Sandbox, gitops, pulls, threads
from tests.sandbox.fleet import Fleet, make_fleet, make_packit_fleet
from tests.sandbox.metering import is_read

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW, sleep=asyncio.sleep)
RELEASE_STATE = "packit/release-state"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path / "repositories", clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def fleet(sandbox: Sandbox) -> Fleet:
    return make_packit_fleet(sandbox.store, NOW)


@pytest.fixture
async def github(sandbox: Sandbox, fleet: Fleet) -> AsyncIterator[GitHub]:
    credentials = TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"]))
    settings = GitHubSettings(url=sandbox.url, credentials=credentials, seconds_between_writes=0)
    async with connect(settings, repository=RELEASE_STATE) as client:
        yield client


async def run(github: GitHub, *pins: str) -> propose.ProposeReport:
    request = propose.ProposeRequest(pins=pins)
    return await propose.propose(propose.plain_steps(github, CLOCK), request, clock=CLOCK)


def file_on(fleet: Fleet, branch: str, path: str = STATE_PATH) -> str:
    commit = fleet.release_state.commit_at(fleet.release_state.rev_parse(branch))
    blob = gitops.read_file(commit, path)
    assert isinstance(blob, pygit2.Blob)
    return blob.data.decode()


def writes(sandbox: Sandbox) -> int:
    return sum(count for kind, count in sandbox.requests.counts.items() if not is_read(kind))


async def test_a_day_with_the_proposal(sandbox: Sandbox, fleet: Fleet, github: GitHub) -> None:
    """Proposed, found unchanged, edited by a person, refreshed around their edit, and checked all the way."""
    opened = await run(github)
    assert ("opened", "#1 opened: 6 of 8 move.") == (opened.action, opened.sentence)
    assert opened.pull_request
    sandbox.requests.reset()
    assert "unchanged" == (await run(github)).action
    assert 0 == writes(sandbox)

    checked = await check.check(check.plain_steps(github), 1, clock=CLOCK)
    assert ("success", "6 of 8 move") == (checked.state, checked.description)

    service = sandbox.store.repository("packit/packit-service")
    text = file_on(fleet, PROPOSAL_BRANCH)
    proposed = parse_desired(text).targets["packit/packit-service"]
    edited = text.replace(proposed, service.rev_parse("main"))
    fleet.release_state.commit(
        PROPOSAL_BRANCH, {"release-state.yaml": edited}, "Take the newest", author="alice"
    )
    refreshed = await run(github)
    assert "refreshed" == refreshed.action
    assert edited == file_on(fleet, PROPOSAL_BRANCH)
    assert refreshed.body
    assert "as alice left it" in refreshed.body
    checked = await check.check(check.plain_steps(github), 1, clock=CLOCK)
    assert ("success", fleet.release_state.rev_parse(PROPOSAL_BRANCH)) == (checked.state, checked.commit)
    sandbox.requests.reset()
    await check.check(check.plain_steps(github), 1, clock=CLOCK)
    assert 0 == writes(sandbox)


async def test_an_abbreviated_pin(sandbox: Sandbox, fleet: Fleet, github: GitHub) -> None:
    """Ten digits of a commit are enough, and what they mean stands in the file in full."""
    head = sandbox.store.repository("packit/packit").rev_parse("main")
    await run(github, f"packit={head[:10]}")
    assert head == parse_desired(file_on(fleet, PROPOSAL_BRANCH)).targets["packit/packit"]


async def test_a_branch_that_is_behind(fleet: Fleet, github: GitHub) -> None:
    """A pull request for the readme stays one while the release state moves on under it."""
    fleet.release_state.commit("alice/readme", {"README.md": "# News\n"}, "Tell more", author="alice")
    number = fleet.release_state.open_pull_request("Tell more", "", "alice/readme", "main", "alice").number
    text = file_on(fleet, "main").replace("ref: stable", "ref: stable   # the branch")
    fleet.release_state.commit("main", {"release-state.yaml": text}, "Explain", author="bob")
    report = await check.check(check.plain_steps(github), number, clock=CLOCK)
    assert ("success", "Does not change the release state.") == (report.state, report.description)


async def test_a_strangers_pull_request(sandbox: Sandbox, fleet: Fleet, github: GitHub) -> None:
    """A fork's is parsed, its status says so, and no repository of the fleet is read for it."""
    fork = fleet.release_state.fork("mallory")
    text = file_on(fleet, "main").replace("ref: stable", "ref: stable   # mine now")
    fork.commit("main", {"release-state.yaml": text}, "Mine", author="mallory")
    number = fleet.release_state.open_pull_request("Mine", "", "mallory:main", "main", "mallory").number
    report = await check.check(check.plain_steps(github), number, clock=CLOCK)
    assert ("pending", None) == (report.state, report.plan)


async def test_an_old_validation(fleet: Fleet, github: GitHub) -> None:
    """A day later the same check runs are no evidence any more."""
    late = Clock(now=lambda: NOW + timedelta(days=1), sleep=asyncio.sleep)
    report = await propose.propose(propose.plain_steps(github, late), propose.ProposeRequest(), clock=late)
    assert ("not-proposed", None) == (report.action, report.pull_request)
    assert "shows nothing that counts" in report.sentence


async def test_one_click_leaves_a_repository_out(sandbox: Sandbox, fleet: Fleet, github: GitHub) -> None:
    """The notes on the proposal's lines are taken by GitHub as they are, and their suggestions are good files."""
    await run(github)
    await check.check(check.plain_steps(github), 1, clock=CLOCK)
    pull = fleet.release_state.pull(1)
    before = parse_desired(file_on(fleet, "main")).targets
    assert 7 == len(pull.threads), "one a line, and one to hold any of them"
    for _ in range(6):
        thread = next(each for each in pull.threads if threads.position(pull, each))
        text = threads.suggested_text(pull, thread, 0)
        fleet.release_state.commit(
            PROPOSAL_BRANCH, {"release-state.yaml": text}, "Apply suggestion", author="alice"
        )
        await check.check(check.plain_steps(github), 1, clock=CLOCK)
    proposed = parse_desired(file_on(fleet, PROPOSAL_BRANCH)).targets
    assert before == {name: sha for name, sha in proposed.items() if name in before}
    assert [] == [thread for thread in pull.threads if threads.position(pull, thread) is None]


async def test_the_checks_of_what_is_proposed_are_not_asked_again(
    sandbox: Sandbox, fleet: Fleet, github: GitHub
) -> None:
    """A check that finds its own work done only reads, and not much."""
    await run(github)
    await check.check(check.plain_steps(github), 1, clock=CLOCK)
    sandbox.requests.reset()
    await check.check(check.plain_steps(github), 1, clock=CLOCK)
    assert 0 == writes(sandbox)
    assert 20 >= sandbox.requests.total


async def test_what_is_written_here_wakes_nobody_for_ever(
    sandbox: Sandbox, fleet: Fleet, github: GitHub
) -> None:
    """GitHub tells it all back by webhook; to follow that comes to an end, also when a person hands the branch back."""
    policy = file_on(fleet, "main", POLICY_PATH)
    fleet.release_state.commit(
        "main", {POLICY_PATH: f"{policy}proposal: {{labels: release}}\n"}, "Label", author="bob"
    )
    with receiving() as told:
        fleet.release_state.add_hook(f"http://127.0.0.1:{told.port}/", events=["*"])

        async def follow() -> list[str]:
            """Do what each delivery asks for, and what those ask for that this brings; name it all."""
            done = list[str]()
            sandbox.settle()
            while told.bodies and len(done) < 20:
                event = told.headers.pop(0)["x-github-event"]
                notice = parse_delivery(event, told.bodies.pop(0))
                if isinstance(notice, PullRequestChanged):
                    await check.check(check.plain_steps(github), notice.number, clock=CLOCK)
                    done.append("check")
                elif isinstance(notice, Labelled) and hands_back(
                    await github.load_release_state(), notice.label
                ):
                    done.append((await run(github)).action)
                sandbox.settle()
            return done

        await run(github)
        assert ["check"] == await follow()
        fleet.release_state.commit(PROPOSAL_BRANCH, {"note": "Mine\n"}, "Note", author="alice")
        pulls.set_labels(fleet.release_state.pull(1), sandbox.store.account("alice"), ["stablehand/rebuild"])
        done = await follow()
    assert (1, "check") == (done.count("updated"), done[-1])
    assert 6 > len(done)


@pytest.mark.slow
async def test_a_fleet_of_three_hundred(sandbox: Sandbox) -> None:
    """Five thousand waiting commits take few requests to read, and fit into one body."""
    made = make_fleet(sandbox.store, NOW, 300, ahead=17, commits=18)
    credentials = TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"]))
    settings = GitHubSettings(url=sandbox.url, credentials=credentials, seconds_between_writes=0)
    async with connect(settings, repository="fleet/release-state") as client:
        sandbox.requests.reset()
        report = await run(client)
        assert ("opened", "#1 opened: 300 of 300 move.") == (report.action, report.sentence)
        assert 60 >= sandbox.requests.total, sandbox.requests.counts
        body = made.release_state.pull(1).body
        assert 65_536 >= len(body)
        assert body.startswith("300 of 300 move · **nothing validates this**")
        sandbox.requests.reset()
        await check.check(check.plain_steps(client), 1, clock=CLOCK)
        assert 60 >= sandbox.requests.total, sandbox.requests.counts
        assert 20 == len(made.release_state.pull(1).threads)
        sandbox.requests.reset()
        assert "unchanged" == (await run(client)).action
        assert 0 == writes(sandbox)
