"""One suite over the fake and over the adapter on real git repositories, so that the fake cannot lie.

Every test here says something about a port, and runs against both of its implementations.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Literal, Protocol

import pytest
import stamina
from pydantic import SecretStr

from reconcile import ports
from reconcile.errors import MissingError, RejectedError, StaleHeadError, UnreachableError
from reconcile.github.client import connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Activity, ObservedRepository, ObservedTarget, Relation, Signal, Wanted
from state.ids import Sha
from tests.fakes import FakeGitHub, FakeRepository
from tests.sandbox import Sandbox

OGR, PACKIT = "packit/ogr", "packit/packit"
UNKNOWN = "d" * 40
WORKFLOW = "rebuild.yml"


class Ports(
    ports.ReleaseStateReader,
    ports.FleetReader,
    ports.RefWriter,
    ports.LedgerWriter,
    ports.WorkflowDispatcher,
    ports.DeploymentReader,
    ports.DeploymentWriter,
    Protocol,
): ...


class World(Protocol):
    """What a test does to GitHub, other than through the ports."""

    github: Ports

    def commit(self, repository: str, *parents: Sha) -> Sha:
        """Make a commit in a repository, and the repository where it is missing."""

    def point(self, repository: str, branch: str, commit: Sha) -> None:
        """Put a branch anywhere, as alice."""

    def say(self, repository: str, commit: Sha, context: str, state: Literal["success", "pending"]) -> None:
        """Post a status on a commit."""

    def add_workflow(self, repository: str) -> None:
        """Put the workflow onto stable."""

    def now(self) -> datetime: ...

    def archive(self, repository: str) -> None: ...

    def lose_answers(self, repository: str, *, happens: bool) -> None:
        """Lose the answer to the next update, with or without its effect."""

    def lose_success(self) -> None:
        """Lose the next word on a deployment before it has come to GitHub."""

    def commit_documents(self, *, desired: str | None = None, policy: str | None = None) -> Sha:
        """Push straight to the default branch of the release-state repository."""


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeGitHub()
        self.github: Ports = self.fake
        self._serial = count(1)

    def commit(self, repository: str, *parents: Sha) -> Sha:
        made = self.fake.repositories.setdefault(repository, FakeRepository(repository, {}, {}))
        sha = f"{next(self._serial):040x}"
        made.parents[sha] = parents
        return sha

    def point(self, repository: str, branch: str, commit: Sha) -> None:
        self.fake.push(repository, commit, ref=branch)
        self.fake.activity[repository] = Activity(actor="alice", at=self.now())

    def say(self, repository: str, commit: Sha, context: str, state: Literal["success", "pending"]) -> None:
        signal = Signal(kind="status", name=context, state=state, started_at=self.now())
        self.fake.signals[repository, commit].append(signal)

    def add_workflow(self, repository: str) -> None:
        """Nothing to do: the fake takes every workflow for granted."""

    def now(self) -> datetime:
        return self.fake.clock.now()

    def archive(self, repository: str) -> None:
        self.fake.repositories[repository].is_archived = True

    def lose_answers(self, repository: str, *, happens: bool) -> None:
        self.fake.faults[repository].append("lost after" if happens else "lost before")

    def lose_success(self) -> None:
        self.fake.errors["report_deployment"].append(UnreachableError("connection reset"))

    def commit_documents(self, *, desired: str | None = None, policy: str | None = None) -> Sha:
        return self.fake.commit_documents(desired_text=desired, policy_text=policy)


class SandboxWorld:
    def __init__(self, sandbox: Sandbox, github: Ports) -> None:
        self.github = github
        self._sandbox = sandbox
        self._state = sandbox.store.create_repository("packit/release-state")
        self._serial = count(1)
        self.commit_documents(desired="", policy="")

    def commit(self, repository: str, *parents: Sha) -> Sha:
        store = self._sandbox.store
        known = {each.full_name for each in store.repositories()}
        made = store.repository(repository) if repository in known else store.create_repository(repository)
        n = next(self._serial)
        return made.write_commit(
            parents, {f"{n}.txt": f"{n}\n"}, f"Commit {n}", author=store.account("alice"), at=store.clock()
        )

    def point(self, repository: str, branch: str, commit: Sha) -> None:
        self._sandbox.store.repository(repository).push(branch, commit, by="alice", force=True)

    def say(self, repository: str, commit: Sha, context: str, state: Literal["success", "pending"]) -> None:
        self._sandbox.store.repository(repository).add_status(commit, context, state)

    def add_workflow(self, repository: str) -> None:
        files = {f".github/workflows/{WORKFLOW}": "on: workflow_dispatch\n"}
        self._sandbox.store.repository(repository).commit("stable", files, "Rebuild by hand")

    def now(self) -> datetime:
        return self._sandbox.store.clock()

    def archive(self, repository: str) -> None:
        self._sandbox.store.archive_repository(repository)

    def lose_answers(self, repository: str, *, happens: bool) -> None:
        node_id = self._sandbox.store.repository(repository).node_id
        self._sandbox.faults.cut(happens=happens, kind="graphql:mutation", containing=node_id)

    def lose_success(self) -> None:
        self._sandbox.faults.cut(
            happens=False, kind="rest:POST", where=lambda it: it.path.endswith("/statuses")
        )

    def commit_documents(self, *, desired: str | None = None, policy: str | None = None) -> Sha:
        given = {"release-state.yaml": desired, "release-policy.yaml": policy}
        files = {path: text for path, text in given.items() if text is not None}
        return self._state.commit("main", files, "Change")


@asynccontextmanager
async def sandbox_world(directory: Path) -> AsyncIterator[World]:
    with Sandbox.running(directory) as sandbox, stamina.set_testing(True, attempts=10, cap=True):
        settings = GitHubSettings(
            url=sandbox.url,
            credentials=TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"])),
            seconds_between_writes=0,
        )
        async with connect(settings, repository="packit/release-state") as github:
            yield SandboxWorld(sandbox, github)


@pytest.fixture(params=["fake", "adapter"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
    else:
        async with sandbox_world(tmp_path) as made:
            yield made


async def observe(world: World, target: Sha, *ancestors: Sha) -> ObservedRepository:
    wanted = {OGR: Wanted(target=target, ancestors=ancestors)}
    observed = await world.github.observe_fleet(wanted, ref="stable", branches=["release", "main"])
    return observed.repositories[OGR]


async def observe_target(world: World, target: Sha, *ancestors: Sha) -> ObservedTarget:
    found = (await observe(world, target, *ancestors)).target
    assert found is not None
    return found


async def update(
    world: World, before: Sha | None, after: Sha, *, repository: str = OGR, force: bool = False
) -> ports.UpdateAnswer:
    (answer,) = await world.github.update_refs(
        [await make_update(world, before, after, repository=repository, force=force)]
    )
    return answer


async def make_update(
    world: World, before: Sha | None, after: Sha, *, repository: str = OGR, force: bool = False
) -> ports.RefUpdate:
    observed = await world.github.observe_fleet(
        {repository: Wanted(target=after)}, ref="stable", branches=["main"]
    )
    return ports.RefUpdate(
        repository=repository,
        repository_id=observed.repositories[repository].id,
        ref="stable",
        before=before,
        after=after,
        force=force,
    )


async def live(world: World, repository: str = OGR) -> Sha | None:
    return (await world.github.observe_refs([repository], "stable"))[repository]


def chain(world: World, length: int = 3, *, repository: str = OGR) -> list[Sha]:
    """Make commits in a row, main at the last and stable at the first."""
    made: list[Sha] = []
    for _ in range(length):
        made.append(world.commit(repository, *made[-1:]))
    world.point(repository, "main", made[-1])
    world.point(repository, "stable", made[0])
    return made


# Observing


@pytest.mark.parametrize(
    ("standing", "target", "relation", "ahead", "behind"),
    [
        (0, 2, Relation.FAST_FORWARD, 2, 0),
        (2, 0, Relation.REWIND, 0, 2),
        (1, 1, Relation.IDENTICAL, 0, 0),
    ],
)
async def test_relations(
    world: World, standing: int, target: int, *, relation: Relation, ahead: int, behind: int
) -> None:
    made = chain(world)
    world.point(OGR, "stable", made[standing])

    found = await observe(world, made[target])

    assert found.target is not None
    assert made[standing] == found.live
    assert (relation, ahead, behind) == (found.target.relation, found.target.ahead, found.target.behind)


async def test_a_ref_to_create(world: World) -> None:
    first = world.commit(OGR)
    world.point(OGR, "main", first)

    found = await observe(world, first)

    assert found.target is not None
    assert (None, Relation.CREATE, 0, 0) == (
        found.live,
        found.target.relation,
        found.target.ahead,
        found.target.behind,
    )


async def test_a_hotfix_diverges(world: World) -> None:
    made = chain(world)
    world.point(OGR, "stable", world.commit(OGR, made[0]))

    found = await observe_target(world, made[2])

    assert (Relation.DIVERGED, 2, 1) == (found.relation, found.ahead, found.behind)


async def test_the_first_of_the_branches_that_contain_it(world: World) -> None:
    made = chain(world)
    aside = world.commit(OGR, made[0])
    world.point(OGR, "release", made[1])

    assert "release" == (await observe_target(world, made[1])).on_branch
    assert "main" == (await observe_target(world, made[2])).on_branch
    assert (await observe_target(world, aside)).on_branch is None


async def test_what_a_target_contains(world: World) -> None:
    made = chain(world)

    found = await observe_target(world, made[1], made[2], made[0], made[1], UNKNOWN)

    assert (made[0], made[1]) == found.contains


async def test_an_unknown_target(world: World) -> None:
    made = chain(world)

    found = await observe(world, UNKNOWN)

    assert (made[0], None) == (found.live, found.target)


async def test_what_does_not_exist_is_left_out(world: World) -> None:
    made = chain(world)
    wanted = {OGR: Wanted(target=made[0]), "packit/gone": Wanted(target=made[0])}

    observed = await world.github.observe_fleet(wanted, ref="stable", branches=[])

    assert {OGR} == observed.repositories.keys()
    assert {OGR: made[0]} == await world.github.observe_refs(wanted, "stable")
    assert {OGR: None} == await world.github.observe_refs(wanted, "nightly")


async def test_an_archived_repository(world: World) -> None:
    made = chain(world)
    before = await observe(world, made[0])
    world.archive(OGR)

    assert [False, True] == [before.is_archived, (await observe(world, made[0])).is_archived]


# Moving


async def test_a_move_forward(world: World) -> None:
    made = chain(world)

    answer = await update(world, made[0], made[2])

    assert ("accepted", made[2]) == (answer.status, await live(world))


async def test_creating(world: World) -> None:
    first = world.commit(OGR)
    world.point(OGR, "main", first)

    answer = await update(world, None, first)

    assert ("accepted", first) == (answer.status, await live(world))


async def test_creating_what_is_there(world: World) -> None:
    made = chain(world)

    answer = await update(world, None, made[2])

    assert ("rejected", None, made[0]) == (answer.status, answer.refusal, await live(world))


@pytest.mark.parametrize("force", [False, True])
async def test_a_lost_race(world: World, *, force: bool) -> None:
    """Nothing but where the ref stands tells that somebody else was faster."""
    made = chain(world)
    theirs = world.commit(OGR, made[0])
    prepared = await make_update(world, made[0], made[2], force=force)
    world.point(OGR, "stable", theirs)

    (answer,) = await world.github.update_refs([prepared])

    assert ("rejected", None, theirs) == (answer.status, answer.refusal, await live(world))


async def test_only_force_takes_commits_off(world: World) -> None:
    made = chain(world)
    world.point(OGR, "stable", made[2])

    refused = await update(world, made[2], made[0])
    assert ("rejected", None, made[2]) == (refused.status, refused.refusal, await live(world))

    forced = await update(world, made[2], made[0], force=True)
    assert ("accepted", made[0]) == (forced.status, await live(world))


async def test_moving_to_where_it_is(world: World) -> None:
    made = chain(world)

    assert "accepted" == (await update(world, made[0], made[0])).status


async def test_an_archived_repository_does_not_move(world: World) -> None:
    made = chain(world)
    world.archive(OGR)

    answer = await update(world, made[0], made[2])

    assert ("rejected", made[0]) == (answer.status, await live(world))


async def test_one_failure_of_several_is_its_own(world: World) -> None:
    ours, others = chain(world), chain(world, repository=PACKIT)
    updates = [
        await make_update(world, ours[1], ours[2]),
        await make_update(world, others[0], others[2], repository=PACKIT),
    ]

    answers = await world.github.update_refs(updates)

    assert ["rejected", "accepted"] == [answer.status for answer in answers]
    assert (ours[0], others[2]) == (await live(world), await live(world, PACKIT))


@pytest.mark.parametrize("happens", [False, True])
async def test_a_lost_answer(world: World, *, happens: bool) -> None:
    made = chain(world)
    prepared = await make_update(world, made[0], made[2])
    world.lose_answers(OGR, happens=happens)

    (answer,) = await world.github.update_refs([prepared])

    assert ("lost", None) == (answer.status, answer.refusal)
    assert made[2 if happens else 0] == await live(world)


# What is said about commits and refs


async def test_what_is_said_of_a_commit(world: World) -> None:
    """In whatever repository it is asked for; of what does not exist nothing is said."""
    made = chain(world)
    before = world.now()
    world.say(OGR, made[1], "image", "success")
    world.say(OGR, made[1], "docs", "pending")

    found = await world.github.observe_signals({OGR: made[1], "packit/gone": made[1]})

    assert {OGR} == found.keys()
    assert [("status", "docs", "pending"), ("status", "image", "success")] == sorted(
        (each.kind, each.name, each.state) for each in found[OGR]
    )
    assert all(each.started_at and each.started_at >= before for each in found[OGR])
    assert {OGR: ()} == await world.github.observe_signals({OGR: made[2]})
    assert {} == await world.github.observe_signals({OGR: UNKNOWN})


async def test_who_moved_a_ref(world: World) -> None:
    chain(world)

    found = await world.github.observe_activity([OGR, "packit/gone"], ref="stable")

    assert {OGR: "alice"} == {name: each.actor for name, each in found.items()}
    assert found[OGR].at <= world.now()


# Dispatching


async def test_a_dispatch_is_found_again(world: World) -> None:
    """On its branch, of its workflow, from its moment on."""
    chain(world)
    world.add_workflow(OGR)
    now = world.now()

    assert not await world.github.find_dispatch(OGR, WORKFLOW, ref="stable", since=now)
    await world.github.dispatch(OGR, WORKFLOW, ref="stable")

    assert await world.github.find_dispatch(OGR, WORKFLOW, ref="stable", since=now)
    assert not await world.github.find_dispatch(OGR, WORKFLOW, ref="main", since=now)
    assert not await world.github.find_dispatch(
        OGR, WORKFLOW, ref="stable", since=world.now() + timedelta(hours=1)
    )


async def test_what_does_not_exist_cannot_be_dispatched(world: World) -> None:
    with pytest.raises(MissingError):
        await world.github.dispatch("packit/gone", WORKFLOW, ref="stable")


# Deployments


def shown(sha: Sha, moved_at: datetime, repository: str = OGR) -> ports.MoveDeployment:
    return ports.MoveDeployment(
        repository=repository,
        sha=sha,
        moved_at=moved_at,
        environment="production",
        description="Moved stable",
        url="https://github.example/packit/release-state/pull/1",
    )


async def observe_deployments(
    world: World, environment: str = "production"
) -> list[tuple[Sha, str, datetime | None]]:
    found = await world.github.observe_deployments([OGR], environment)
    return [(each.sha, each.state, each.moved_at) for each in found[OGR]]


async def test_a_move_is_shown_as_a_deployment(world: World) -> None:
    """It is found by its move, also where the same commit has been shown before; in its environment alone."""
    made = chain(world)
    first = world.now() - timedelta(days=1, microseconds=7)
    second = first + timedelta(microseconds=1)

    await world.github.store_deployment(shown(made[0], first), begun=None)
    await world.github.store_deployment(shown(made[0], second), begun=None)

    assert [(made[0], "success", second), (made[0], "success", first)] == await observe_deployments(world)
    assert [] == await observe_deployments(world, "staging")


async def test_a_deployment_that_was_begun_is_completed(world: World) -> None:
    made, move = chain(world), world.now()
    world.lose_success()
    with pytest.raises(UnreachableError):
        await world.github.store_deployment(shown(made[0], move), begun=None)
    assert [(made[0], "created", move)] == await observe_deployments(world)
    (begun,) = (await world.github.observe_deployments([OGR], "production"))[OGR]

    await world.github.store_deployment(shown(made[0], move), begun=begun.id)

    assert [(made[0], "success", move)] == await observe_deployments(world)


async def test_what_does_not_exist_cannot_be_shown(world: World) -> None:
    chain(world)

    with pytest.raises(MissingError):
        await world.github.store_deployment(shown(UNKNOWN, world.now(), "packit/gone"), begun=None)
    with pytest.raises(RejectedError):
        await world.github.store_deployment(shown(UNKNOWN, world.now()), begun=None)
    assert [] == await observe_deployments(world)


# The release state


async def test_documents_and_versions(world: World) -> None:
    before = await world.github.observe_version()
    head = world.commit_documents(desired="desired: 2\n", policy="policy: 2\n")

    found = await world.github.load_release_state()

    assert (head, "desired: 2\n", "policy: 2\n") == (
        found.documents.commit,
        found.documents.desired_text,
        found.documents.policy_text,
    )
    assert found.version == await world.github.observe_version()
    assert head == found.version.commit
    assert before.blobs != found.version.blobs


async def test_the_same_text_is_the_same_blob(world: World) -> None:
    world.commit_documents(desired="desired: 2\n")
    first = await world.github.observe_version()
    world.commit_documents(desired="desired: 3\n")
    world.commit_documents(desired="desired: 2\n")
    second = await world.github.observe_version()

    assert first.blobs == second.blobs
    assert first.commit != second.commit


async def test_direct_pushes_are_changes_without_a_pull_request(world: World) -> None:
    since = world.commit_documents(desired="desired: 1\n")
    second = world.commit_documents(desired="desired: 2\n")
    third = world.commit_documents(policy="policy: 2\n")

    changes = await world.github.load_changes(since, third)

    assert changes is not None
    assert [(second, None), (third, None)] == [(each.commit, each.pull_request) for each in changes]
    assert ["desired: 1\n", "desired: 2\n"] == [each.before.desired_text for each in changes]
    assert [since, second] == [each.before.commit for each in changes]
    assert () == await world.github.load_changes(third, third)
    assert await world.github.load_changes(UNKNOWN, third) is None


async def test_the_ledger_is_a_chain(world: World) -> None:
    assert (await world.github.load_release_state()).ledger_head is None

    first = await world.github.store_ledger("1\n", expected_head=None, message="Begin")
    second = await world.github.store_ledger("2\n", expected_head=first, message="Record")

    found = await world.github.load_release_state()
    assert (second, "2\n") == (found.ledger_head, found.ledger_text)


async def test_of_two_ledger_writers_one_starts_over(world: World) -> None:
    first = await world.github.store_ledger("1\n", expected_head=None, message="Begin")
    await world.github.store_ledger("2\n", expected_head=first, message="Record")

    for expected in (None, first):
        with pytest.raises(StaleHeadError):
            await world.github.store_ledger("3\n", expected_head=expected, message="Record")

    assert "2\n" == (await world.github.load_release_state()).ledger_text
