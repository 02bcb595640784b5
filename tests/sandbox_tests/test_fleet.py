"""The fleets are what the demo and the benchmarks take them for."""

from datetime import timedelta
from pathlib import Path

from state.yaml_io import parse_desired, parse_policy
from tests.sandbox import Repository, gitops
from tests.sandbox.fleet import make_fleet, make_packit_fleet
from tests.sandbox.store import Store
from tests.sandbox_tests.conftest import Clock


def read(repository: Repository, path: str) -> str:
    commit = repository.commit_at(repository.rev_parse("main"))
    return bytes(commit.tree[path].data).decode()  # type: ignore[union-attr]  # the path is a file's


def waiting(repository: Repository) -> int | None:
    """Count the merges on main that stable lacks; None without a stable branch."""
    stable = repository.branch("stable")
    if stable is None:
        return None
    return sum(
        len(commit.parent_ids) > 1
        for commit in gitops.commits_between(repository.git, stable, repository.rev_parse("main"))
    )


def test_the_fleet_is_like_packits(tmp_path: Path, clock: Clock) -> None:
    fleet = make_packit_fleet(Store(tmp_path, clock=clock), clock())

    ahead = {repository.name: waiting(repository) for repository in fleet.repositories}

    assert {
        "ogr": None,
        "packit": 4,
        "sandcastle": 2,
        "packit-service": 9,
        "packit-service-fedmsg": 0,
        "packit-service-centosmsg": 1,
        "dashboard": 3,
        "tokman": 0,
    } == ahead


def test_its_documents_are_valid_and_match_the_live_refs(tmp_path: Path, clock: Clock) -> None:
    fleet = make_packit_fleet(Store(tmp_path, clock=clock), clock())

    desired = parse_desired(read(fleet.release_state, "release-state.yaml"))
    policy = parse_policy(read(fleet.release_state, "release-policy.yaml"))

    live = {repository.full_name: repository.branch("stable") for repository in fleet.repositories}
    assert {name: sha for name, sha in live.items() if sha} == dict(desired.targets)
    assert list(live) == list(policy.repositories)


def test_stage_has_passed_and_main_went_on(tmp_path: Path, clock: Clock) -> None:
    fleet = make_packit_fleet(Store(tmp_path, clock=clock), clock())
    hello_world = fleet.hello_world
    assert hello_world is not None

    runs = [
        run
        for pull in hello_world.pulls.values()
        if pull.title.startswith("Basic test case (stg)")
        for run in hello_world.check_runs(pull.head_oid)
        if run.app.slug == "packit-as-a-service-stg"
    ]
    began = min(run.started_at for run in runs if run.started_at)
    late = [
        repository.name
        for repository in fleet.repositories
        for pull in repository.pulls.values()
        if pull.merged_at and pull.merged_at > began
    ]

    assert {"success"} == {run.conclusion for run in runs}
    assert timedelta(hours=2) < clock() - began < timedelta(hours=24)
    assert ["packit", "packit-service", "packit-service"] == late


def test_a_synthetic_fleet_has_its_size(tmp_path: Path, clock: Clock) -> None:
    fleet = make_fleet(Store(tmp_path, clock=clock), clock(), 20, ahead=2, commits=4)

    found = {
        gitops.compare(each.git, each.rev_parse("stable"), each.rev_parse("main")).ahead
        for each in fleet.repositories
    }

    assert 20 == len(fleet.repositories)
    assert {2} == found
    assert 20 == len(parse_desired(read(fleet.release_state, "release-state.yaml")).targets)
