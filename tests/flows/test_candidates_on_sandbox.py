"""What is proposed of histories as people make them, judged by git itself.

Merge commits, squashes, rebases and direct pushes; refs on the source branch, on a branch that was merged into it, or
with a fix of their own. The plan is what GitHub shows; what it should be is read from the bare repositories.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.ways.propose import ProposeReport, ProposeRequest, plain_steps, propose
from reconcile.apply import Clock
from reconcile.github.client import connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from state.ids import Sha
from tests.sandbox import Repository, Sandbox, gitops
from tests.sandbox.fleet import STAGE, make_hello_world, make_release_state, policy_text

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BEGAN = NOW - timedelta(hours=5) + timedelta(minutes=2)
"""When the first check of the sandbox's hello-world began."""
BUILD_TIME = timedelta(minutes=60)
CLOCK = Clock(now=lambda: NOW, sleep=asyncio.sleep)
NAMES = ("acme/anvil", "acme/Rocket.skates", "looney/tnt", "looney/glue")


@dataclass
class Made:
    """A repository, and what its making knows that git does not."""

    repository: Repository
    landed: dict[Sha, datetime] = field(default_factory=dict)
    green: set[Sha] = field(default_factory=set)

    @property
    def chain(self) -> list[Sha]:
        """The states of the source branch, newest first."""
        head = self.repository.commit_at(self.repository.rev_parse("main"))
        return [str(commit.id) for commit in gitops.first_parents(head, 1_000)]

    def contains(self, commit: Sha, other: Sha) -> bool:
        return commit == other or self.repository.git.descendant_of(commit, other)

    def waiting(self) -> list[Sha]:
        out = self.repository.branch("stable")
        return [sha for sha in self.chain if out is None or not self.contains(out, sha)]

    def expected(self, *, is_green: bool) -> Sha | None:
        """Find the newest state that was there in time, with all before it, and is green where that is asked for."""
        left = self.waiting()
        while left and max(self.landed[sha] for sha in left) > BEGAN - BUILD_TIME:
            left.pop(0)
        return next((sha for sha in left if not is_green or sha in self.green), None)


def make_history(sandbox: Sandbox, name: str, chance: random.Random) -> Made:
    """Make a dozen changes in the two days around the validation, and put stable somewhere."""
    made = Made(sandbox.store.create_repository(name))
    repository = made.repository
    moments = sorted(NOW - timedelta(minutes=chance.randrange(10, 48 * 60)) for _ in range(12))
    sides: list[Sha] = []
    for number, at in enumerate(moments):
        known = set(made.chain) if made.landed else set()
        how = chance.choice(("push", "merge", "squash", "rebase")) if number else "push"
        if how == "push":
            repository.commit("main", {f"{number}": ""}, f"Change {number}", at=at)
        else:
            # Written long before: what counts is when it landed.
            for part in range(chance.randrange(1, 4)):
                written = at - timedelta(days=3) + timedelta(hours=part)
                side = repository.commit(f"work-{number}", {f"{number}-{part}": ""}, "Work", at=written)
            pull = repository.open_pull_request(f"Change {number}", "", f"work-{number}", "main", "bob")
            repository.merge(pull.number, "alice", how, at=at)  # type: ignore[arg-type]  # one of its literals
            sides += [side] if how == "merge" else []
        made.landed |= {sha: at for sha in made.chain if sha not in known}
    for sha in made.chain:
        conclusion = chance.choice(("success", "success", "failure", None))
        if conclusion:
            repository.add_check_run(sha, STAGE, "ci", conclusion=conclusion, started_at=made.landed[sha])
        made.green |= {sha} if conclusion == "success" else set()
    put_stable(repository, made.chain, sides, chance)
    return made


def put_stable(repository: Repository, chain: list[Sha], sides: list[Sha], chance: random.Random) -> None:
    where = chance.choice(("behind", "behind", "side", "fixed", "even", "none"))
    if where == "none":
        return
    at = chain[0] if where == "even" else chance.choice(chain[3:])
    if where == "side" and sides:
        at = chance.choice(sides)
    repository.push("stable", at, by="alice")
    if where == "fixed":
        repository.commit("stable", {"fix": ""}, "Fix on stable alone")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path / "repositories", clock=lambda: NOW) as running:
        yield running


async def run(sandbox: Sandbox, made: list[Made], *sources: str, pins: tuple[str, ...] = ()) -> ProposeReport:
    hello_world = make_hello_world(sandbox.store, NOW)
    checked = (
        f"check_runs: {{repository: {hello_world.full_name}, app: {STAGE}, authors: packit-bot, at_least: 2, "
        'pull_requests: "Basic test case (stg)*"}'
    )
    policy = policy_text(dict.fromkeys(NAMES, ()), candidate="validated", validation=(checked, *sources))
    make_release_state(sandbox.store, "acme/releases", [each.repository for each in made], policy, NOW)
    credentials = TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"]))
    settings = GitHubSettings(url=sandbox.url, credentials=credentials, seconds_between_writes=0)
    async with connect(settings, repository="acme/releases") as github:
        return await propose(plain_steps(github, CLOCK), ProposeRequest(pins=pins), clock=CLOCK)


@pytest.mark.parametrize("is_green", [False, True], ids=["by time", "and green"])
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_proposed_is_what_git_says(sandbox: Sandbox, seed: int, is_green: bool) -> None:  # noqa: FBT001 (a case)
    """The newest state that was there in time and is green; never without what is out; all else with its reason."""
    chance = random.Random(seed)
    made = {name.lower(): make_history(sandbox, name, chance) for name in NAMES}
    report = await run(sandbox, list(made.values()), *(("own_checks: {names: ci}",) if is_green else ()))
    assert report.plan
    planned = {item.repository: item for item in report.plan.items}
    left_out = {each.repository: each.reason for each in report.left_out}
    for name, each in made.items():
        out, expected = each.repository.branch("stable"), each.expected(is_green=is_green)
        if name in left_out:
            assert expected is None or (out and not each.contains(expected, out)), (name, left_out[name])
            assert out is None or planned[name].target == out
            continue
        item = planned[name]
        assert (expected or out) == item.target
        assert out is None or each.contains(item.target, out)
        after = each.waiting()
        left = after[: after.index(item.target) if item.target in after else len(after)]
        (candidate,) = (found for found in report.candidates if found.repository == name)
        assert left == [behind.commit.sha for behind in candidate.left_behind]
        assert all(behind.reason for behind in candidate.left_behind)
        if report.body:
            assert_listed(report.body.partition("### Left behind")[2].partition("###")[0], each, left)


def assert_listed(text: str, made: Made, commits: list[Sha]) -> None:
    """Say whether a text names every commit: by its pull request, or by itself."""
    pulls = made.repository.pulls.values()
    for sha in commits:
        brought = next((pull for pull in pulls if sha in (pull.merge_commit, *pull.rebased)), None)
        named = f"{made.repository.full_name}/pull/{brought.number})" if brought else f"`{sha[:7]}`"
        assert named in text, sha


async def test_a_pin_alone_goes_back(sandbox: Sandbox) -> None:
    """What is out is older only where a person asks for it, and then a permit is asked of them."""
    chance = random.Random(7)
    made = [make_history(sandbox, name, chance) for name in NAMES]
    first = made[0].chain[-1]
    made[0].repository.push("stable", made[0].chain[2], by="alice", force=True)
    report = await run(sandbox, made, pins=(f"anvil={first[:12]}",))
    assert report.plan
    assert [(first, "rewind-needs-permit")] == [
        (hold.target, hold.code) for hold in report.plan.holds if hold.repository == "acme/anvil"
    ]
