"""The fleet's refs, observed and moved, against real git repositories."""

import pytest

from reconcile.github.client import GitHub
from reconcile.observed import Relation, Wanted
from reconcile.ports import RefUpdate
from tests.reconcile.github.conftest import Connect, commits
from tests.sandbox import Permission, Repository, Sandbox
from tests.sandbox.faults import Fault

OGR = "packit/ogr"
UNKNOWN = "d" * 40


def update(repository: Repository, before: str | None, after: str, *, force: bool = False) -> RefUpdate:
    return RefUpdate(
        repository=repository.full_name.lower(),
        repository_id=repository.node_id,
        ref="stable",
        before=before,
        after=after,
        force=force,
    )


async def observe(github: GitHub, target: str, *ancestors: str) -> object:
    wanted = {OGR: Wanted(target=target, ancestors=ancestors)}
    observed = await github.observe_fleet(wanted, ref="stable", branches=["release", "main"])
    return observed.repositories[OGR].target


@pytest.mark.parametrize(
    ("live", "target", "expected"),
    [
        (0, 2, (Relation.FAST_FORWARD, 2, 0)),
        (2, 1, (Relation.REWIND, 0, 1)),
        (1, 1, (Relation.IDENTICAL, 0, 0)),
        (None, 1, (Relation.CREATE, 0, 0)),
    ],
)
async def test_relations_along_main(
    github: GitHub,
    ogr: Repository,
    live: int | None,
    target: int,
    expected: tuple[Relation, int, int],
) -> None:
    """The ref is the base: ahead is what the target has and the ref lacks."""
    chain = commits(ogr)
    if live is None:
        ogr.delete_branch("stable")
    else:
        ogr.push("stable", chain[live], by="alice", force=True)

    observed = await github.observe_fleet(
        {OGR: Wanted(target=chain[target])}, ref="stable", branches=["main"]
    )

    found = observed.repositories[OGR]
    assert found.target is not None
    assert (None if live is None else chain[live]) == found.live
    assert expected == (found.target.relation, found.target.ahead, found.target.behind)
    assert "main" == found.target.on_branch
    assert f"Commit {target}" == found.target.headline


async def test_a_diverged_target(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)
    hotfix = ogr.commit("hotfix", {"fix": "1\n"}, "Fix", parents=[chain[0]])
    ogr.push("stable", hotfix, by="alice", force=True)

    observed = await github.observe_fleet({OGR: Wanted(target=chain[2])}, ref="stable", branches=["main"])

    target = observed.repositories[OGR].target
    assert target
    assert (Relation.DIVERGED, 2, 1) == (target.relation, target.ahead, target.behind)


async def test_what_a_repository_is(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    """Names are spelt as GitHub does; the id tells a renamed repository from another one."""
    head = commits(ogr)[-1]
    sandbox.store.rename_repository("packit/ogr", "packit/ogr-ng")
    sandbox.store.archive_repository("packit/ogr-ng")

    observed = await github.observe_fleet(
        {OGR: Wanted(target=head), "packit/gone": Wanted(target=head)}, ref="stable", branches=["main"]
    )

    (found,) = observed.repositories.values()
    assert (ogr.node_id, "packit/ogr-ng", True) == (found.id, found.name, found.is_archived)


@pytest.mark.parametrize(
    ("login", "right"), [("alice", "WRITE"), ("mallory", "READ"), ("stablehand-bot", None)]
)
async def test_rights_of_the_account(
    connect_as: Connect, ogr: Repository, login: str, right: str | None
) -> None:
    """GitHub does not tell an app its own."""
    async with connect_as(login) as github:
        observed = await github.observe_fleet({OGR: Wanted(target=UNKNOWN)}, ref="stable", branches=["main"])

    assert right == observed.repositories[OGR].permission


async def test_the_first_branch_that_contains_the_target_wins(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)
    ogr.push("release", chain[1], by="alice")
    wanted = {OGR: Wanted(target=chain[1])}

    for branches, expected in ((["main", "release"], "main"), (["release", "main"], "release"), ([], None)):
        observed = await github.observe_fleet(wanted, ref="stable", branches=branches)
        assert expected == getattr(observed.repositories[OGR].target, "on_branch", "no target")


async def test_a_tag_of_the_same_name_is_not_the_branch(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)
    ogr.tag("stable", chain[2])

    assert {OGR: chain[0]} == await github.observe_refs([OGR], "stable")


async def test_a_commit_of_a_fork_is_on_no_branch(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    """GitHub shows a fork's commits under the parent's name too."""
    fork = sandbox.store.fork(ogr, "mallory")
    impostor = fork.commit("main", {"evil": "1\n"}, "Looks fine", author="mallory")

    observed = await github.observe_fleet({OGR: Wanted(target=impostor)}, ref="stable", branches=["main"])

    target = observed.repositories[OGR].target
    assert target is None or target.on_branch is None


@pytest.mark.parametrize("kind", ["unknown", "tree", "blob"])
async def test_what_is_no_commit_is_no_target(github: GitHub, ogr: Repository, kind: str) -> None:
    tree = ogr.commit_at(commits(ogr)[0]).tree
    oid = {"unknown": UNKNOWN, "tree": str(tree.id), "blob": str(tree["README.md"].id)}[kind]

    assert await observe(github, oid) is None


async def test_one_bad_target_spoils_no_other(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    other = sandbox.store.create_repository("packit/packit")
    head = other.commit("main", {"a": "1\n"}, "One")

    observed = await github.observe_fleet(
        {OGR: Wanted(target=UNKNOWN), "packit/packit": Wanted(target=head)}, ref="stable", branches=["main"]
    )

    assert observed.repositories[OGR].target is None
    assert observed.repositories["packit/packit"].target


async def test_contained_commits(github: GitHub, ogr: Repository) -> None:
    """Of the commits asked about: an ancestor, the target itself, a later one, one that nobody knows."""
    chain = commits(ogr)
    ogr.push("stable", chain[2], by="alice")

    target = await observe(github, chain[1], chain[0], chain[1], chain[2], UNKNOWN)

    assert (chain[0], chain[1]) == getattr(target, "contains", None)


async def test_nothing_more_is_asked_about_what_is_out_already(
    github: GitHub, sandbox: Sandbox, ogr: Repository
) -> None:
    await observe(github, commits(ogr)[0], UNKNOWN)

    assert {"graphql:query": 1} == dict(sandbox.requests.counts)


async def test_a_fleet_takes_one_request_for_fifty(github: GitHub, sandbox: Sandbox) -> None:
    names = [f"fleet/r{n}" for n in range(51)]
    for name in names:
        sandbox.store.create_repository(name).commit("main", {"a": "1\n"}, "One")
    sandbox.requests.reset()

    standing = await github.observe_refs(names, "stable")

    assert dict.fromkeys(names) == standing
    assert 2 == sandbox.requests.total


async def test_a_batch_that_times_out_is_halved(github: GitHub, sandbox: Sandbox) -> None:
    names = [f"fleet/r{n}" for n in range(4)]
    for name in names:
        sandbox.store.create_repository(name).commit("main", {"a": "1\n"}, "One")
    sandbox.faults.bad_gateway(happens=False, kind="graphql:query", times=1)
    sandbox.requests.reset()

    assert dict.fromkeys(names) == await github.observe_refs(names, "stable")
    assert 3 == sandbox.requests.total


async def test_an_unexplained_error_is_not_taken_for_an_answer(
    github: GitHub, sandbox: Sandbox, ogr: Repository
) -> None:
    """A repository that GitHub failed to answer about is not one that does not exist."""
    sandbox.faults.partial("r0")

    assert {OGR: commits(ogr)[0]} == await github.observe_refs([OGR], "stable")


async def test_who_moved_a_ref_last(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    ogr.commit("stable", {"fix": "1\n"}, "Fix", author="bob", at=sandbox.store.clock())
    ogr.commit("main", {"a": "1\n"}, "Elsewhere", author="alice")
    sandbox.store.create_repository("packit/empty")

    found = await github.observe_activity([OGR, "packit/empty", "packit/gone"], ref="stable")

    assert {OGR: "bob"} == {name: activity.actor for name, activity in found.items()}


async def test_an_update_moves_the_ref(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)

    (answer,) = await github.update_refs([update(ogr, chain[0], chain[2])])

    assert "accepted" == answer.status
    assert chain[2] == ogr.branch("stable")


async def test_an_update_creates_the_ref(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)
    ogr.delete_branch("stable")

    (created,) = await github.update_refs([update(ogr, None, chain[2])])
    (again,) = await github.update_refs([update(ogr, None, chain[1])])

    assert ("accepted", "rejected") == (created.status, again.status)
    assert chain[2] == ogr.branch("stable")


async def test_a_lost_race_loses_nobodys_commit(github: GitHub, ogr: Repository) -> None:
    """Also under force: what is compared is where the ref was, not whether it may be overwritten."""
    chain = commits(ogr)
    hotfix = ogr.commit("stable", {"fix": "1\n"}, "Fix", author="bob")

    answers = [
        (await github.update_refs([update(ogr, chain[0], chain[2], force=force)]))[0]
        for force in (False, True)
    ]

    assert [("rejected", None)] * 2 == [(answer.status, answer.refusal) for answer in answers]
    assert hotfix == ogr.branch("stable")


async def test_only_force_takes_commits_off(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)
    ogr.push("stable", chain[2], by="alice")

    (refused,) = await github.update_refs([update(ogr, chain[2], chain[0])])
    (forced,) = await github.update_refs([update(ogr, chain[2], chain[0], force=True)])

    assert ("rejected", "accepted") == (refused.status, forced.status)


async def test_each_of_several_updates_stands_for_itself(
    github: GitHub, sandbox: Sandbox, ogr: Repository
) -> None:
    other = sandbox.store.create_repository("packit/packit")
    first, second = (other.commit("main", {"a": f"{n}\n"}, "Commit") for n in range(2))
    other.push("stable", first, by="alice")
    chain = commits(ogr)

    answers = await github.update_refs([update(ogr, chain[1], chain[2]), update(other, first, second)])

    assert ["rejected", "accepted"] == [answer.status for answer in answers]
    assert (chain[0], second) == (ogr.branch("stable"), other.branch("stable"))
    assert 1 == github.requests.writes


async def test_a_protected_branch(github: GitHub, ogr: Repository) -> None:
    chain = commits(ogr)
    ogr.protect_branch("stable", allow={"alice"})

    (answer,) = await github.update_refs([update(ogr, chain[0], chain[2])])

    assert ("rejected", "protected") == (answer.status, answer.refusal)


async def test_a_stranger_may_not_move_it(connect_as: Connect, sandbox: Sandbox, ogr: Repository) -> None:
    chain = commits(ogr)
    sandbox.store.grant("mallory", ogr, Permission.READ)

    async with connect_as("mallory") as github:
        (answer,) = await github.update_refs([update(ogr, chain[0], chain[2])])

    assert ("rejected", "no-permission") == (answer.status, answer.refusal)


async def test_commits_that_change_workflows(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    rights = dict(sandbox.store.app("stablehand-bot").permissions)
    del rights["workflows"]
    sandbox.store.change_app("stablehand-bot", permissions=rights)
    head = ogr.commit("main", {".github/workflows/x.yml": "on: push\n"}, "Build")

    (answer,) = await github.update_refs([update(ogr, commits(ogr)[0], head)])

    # GitHub may name the workflow, or only the right that lacks.
    assert "rejected" == answer.status
    assert answer.refusal in {"workflows-permission", "no-permission"}


@pytest.mark.parametrize("happens", [False, True])
@pytest.mark.parametrize("fault", ["bad gateway", "cut"])
async def test_a_lost_answer_says_nothing(
    github: GitHub, sandbox: Sandbox, ogr: Repository, fault: str, *, happens: bool
) -> None:
    """The same answer, whether the ref moved or not: only reading it again tells."""
    chain = commits(ogr)
    strike = sandbox.faults.bad_gateway if fault == "bad gateway" else sandbox.faults.cut
    strike(happens=happens, kind="graphql:mutation")

    (answer,) = await github.update_refs([update(ogr, chain[0], chain[2])])

    assert "lost" == answer.status
    assert (chain[2] if happens else chain[0]) == (await github.observe_refs([OGR], "stable"))[OGR]
    assert 1 == github.requests.writes


async def test_nothing_is_asked_for_nothing(github: GitHub, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(cut=True, times=None))

    assert () == await github.update_refs([])
    assert {} == await github.observe_refs([], "stable")
    assert {} == (await github.observe_fleet({}, ref="stable", branches=["main"])).repositories
