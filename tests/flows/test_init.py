"""Init: the first files of a release-state repository, from a fleet that is there already."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML

from flows.ways.check_file import check_file
from flows.ways.errors import UsageError
from flows.ways.init import (
    BRANCH,
    WORKFLOW,
    InitReport,
    InitRequest,
    draft_files,
    offer_draft,
    parse_request,
    store_draft,
)
from flows.ways.reconcile import plain_steps, reconcile, survey, system_clock
from reconcile.errors import MissingError, StaleHeadError
from reconcile.github.client import GitHub, connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.report import News, Result
from state.yaml_io import POLICY_PATH, STATE_PATH
from tests.sandbox import Repository, Sandbox, gitops
from tests.sandbox.fleet import PROJECTS, make_project

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HERE = "packit/release-state"
ALL = InitRequest(owner="packit")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Packit's eight repositories, of which ogr has no stable, and a release-state repository with a readme."""
    with Sandbox.running(tmp_path / "repositories", clock=lambda: NOW) as running:
        for project in PROJECTS:
            make_project(running.store, project, NOW)
        running.store.create_repository(HERE).commit("main", {"README.md": "# Ours\n"}, "Start")
        yield running


@pytest.fixture
async def github(sandbox: Sandbox) -> AsyncIterator[GitHub]:
    settings = GitHubSettings(
        url=sandbox.url,
        credentials=TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"])),
        seconds_between_writes=0,
    )
    async with connect(settings, repository=HERE) as client:
        yield client


async def write(github: GitHub, directory: Path, request: InitRequest = ALL) -> InitReport:
    return store_draft(directory, await draft_files(github, request, repository=HERE))


def release_state(sandbox: Sandbox) -> Repository:
    return sandbox.store.repository(HERE)


def file_on(sandbox: Sandbox, branch: str, path: str) -> str:
    repository = release_state(sandbox)
    blob = gitops.read_file(repository.commit_at(repository.rev_parse(branch)), path)
    assert blob
    return bytes(getattr(blob, "data")).decode()  # noqa: B009 (pygit2 has no type for it)


@pytest.mark.parametrize(
    ("request_", "moving"),
    [
        (ALL, 7),
        (InitRequest(repositories=tuple(f"packit/{each.name}" for each in PROJECTS)), 7),
        (InitRequest(repositories=("packit/tokman",)), 1),
    ],
    ids=["an owner", "all eight by name", "one repository"],
)
async def test_the_first_plan_is_empty(
    sandbox: Sandbox, github: GitHub, request_: InitRequest, moving: int
) -> None:
    """Offered, merged, planned, reconciled: nothing has moved, and the ledger has begun."""
    report = await offer_draft(github, request_)
    assert report.pull_request
    before = {name: sandbox.store.repository(name).branch("stable") for name in report.repositories}
    release_state(sandbox).merge(report.pull_request.number, "alice")

    _, plan = await survey(github, clock=system_clock())
    assert ["no-op"] * moving == [item.kind for item in plan.items]

    async def notify(accepted: Accepted, news: News) -> bool:
        pytest.fail(f"Nothing is in the way: {news}")

    ran = await reconcile(plain_steps(github, system_clock(), notify), clock=system_clock(), run="test")
    assert (Result.CONVERGED, ()) == (ran.result, ran.moved)
    assert before == {name: sandbox.store.repository(name).branch("stable") for name in report.repositories}


async def test_what_lies_in_a_directory(github: GitHub, tmp_path: Path) -> None:
    """Both documents are in order, and editors find their schemas."""
    report = await write(github, tmp_path / "new" / "one")
    directory = tmp_path / "new" / "one"
    for document in (STATE_PATH, POLICY_PATH):
        assert [] == [each for each in check_file(directory / document) if each.severity == "error"]
        first, _, _ = (directory / document).read_text().partition("\n")
        prefix, _, schema = first.partition("=")
        assert "# yaml-language-server: $schema" == prefix
        assert (directory / schema).is_file()
    assert set(report.written) == {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    }


async def test_one_that_has_no_such_branch_gets_no_target(github: GitHub, tmp_path: Path) -> None:
    named = InitRequest(repositories=("packit/ogr", "packit/tokman"))
    report = await write(github, tmp_path, named)
    assert ("packit/ogr",) == report.without_ref
    assert "packit/ogr" not in (tmp_path / STATE_PATH).read_text()
    assert "packit/ogr: {}" in (tmp_path / POLICY_PATH).read_text()


async def test_one_that_proposals_cannot_come_from_is_named(github: GitHub, tmp_path: Path) -> None:
    """Branches of other names, such as master, are common; a policy has one source."""
    named = InitRequest(repositories=("packit/ogr", "packit/tokman"), source="trunk")
    assert ("packit/ogr", "packit/tokman") == (await write(github, tmp_path / "a", named)).without_source
    assert () == (await write(github, tmp_path / "b")).without_source


async def test_archived_ones_are_left_out(sandbox: Sandbox, github: GitHub, tmp_path: Path) -> None:
    sandbox.store.archive_repository("packit/tokman")
    assert "packit/tokman" not in (await write(github, tmp_path)).repositories
    with pytest.raises(UsageError, match="packit/tokman is archived"):
        await write(github, tmp_path, InitRequest(repositories=("packit/tokman",)))


async def test_what_is_there_is_not_overwritten(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    report = await write(github, tmp_path)
    assert ("README.md",) == report.kept
    assert "mine" == (tmp_path / "README.md").read_text()
    with pytest.raises(UsageError, match=r"has release-state.yaml and release-policy.yaml already"):
        await write(github, tmp_path)


async def test_a_repository_with_documents_is_refused(sandbox: Sandbox, github: GitHub) -> None:
    release_state(sandbox).commit("main", {POLICY_PATH: "version: 1\nrepositories: {}\n"}, "Policy")
    with pytest.raises(UsageError, match=r"packit/release-state has release-policy.yaml already"):
        await offer_draft(github, ALL)
    assert None is release_state(sandbox).branch(BRANCH)


async def test_the_pull_request(sandbox: Sandbox, github: GitHub) -> None:
    """It keeps the readme, runs the same again without a change, and leaves alone what a person added."""
    report = await offer_draft(github, ALL)
    assert report.pull_request
    assert ("README.md",) == report.kept
    assert "# Ours\n" == file_on(sandbox, BRANCH, "README.md")
    assert "Govern stable of 7 repositories" == report.pull_request.title
    again = await offer_draft(github, ALL)
    assert again.pull_request
    assert report.pull_request.number == again.pull_request.number
    release_state(sandbox).commit(BRANCH, {POLICY_PATH: "mine"}, "Mine", author="alice")
    with pytest.raises(StaleHeadError, match="commits of somebody else"):
        await offer_draft(github, ALL)


async def test_who_owns_the_policy(github: GitHub) -> None:
    request = parse_request(["packit"], ref="stable", source="main", code_owners=["@packit/leads", "alice"])
    draft = await draft_files(github, request, repository=HERE)
    assert "\n/release-policy.yaml  @packit/leads @alice\n" in draft.files[".github/CODEOWNERS"]
    without = (await draft_files(github, ALL, repository=HERE)).files[".github/CODEOWNERS"]
    assert [] == [line for line in without.splitlines() if not line.startswith("#")]


async def test_the_workflow(github: GitHub) -> None:
    """It reads, and nothing of a pull request becomes part of a script."""
    text = (await draft_files(github, ALL, repository=HERE, branch="trunk")).files[WORKFLOW]
    workflow = YAML(typ="safe", pure=True).load(text)
    assert {"contents": "read"} == workflow["permissions"]
    assert ["trunk"] == workflow["on"]["push"]["branches"]
    runs = [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    assert ["stablehand check release-state.yaml", "stablehand check release-policy.yaml"] == runs[1:]
    assert "${{" not in "".join(runs)


async def test_what_cannot_be(github: GitHub, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no account or organization nobody"):
        await write(github, tmp_path, InitRequest(owner="nobody"))
    with pytest.raises(
        UsageError, match="repositories of packit that this account may see has a branch prod"
    ):
        await write(github, tmp_path, InitRequest(owner="packit", ref="prod"))
    with pytest.raises(UsageError, match="packit/nothing does not exist"):
        await write(github, tmp_path, InitRequest(repositories=("packit/nothing", "packit/tokman")))
    assert not (tmp_path / STATE_PATH).exists()


@pytest.mark.parametrize(
    ("names", "rest", "problem"),
    [
        (["packit", "packit/ogr"], {}, "packit is an owner: name one owner alone"),
        (["packit/ogr/x"], {}, "is not a repository: write owner/name"),
        (["packit"], {"ref": "main"}, "both main"),
        (["packit"], {"ref": "a b"}, "is not a branch name"),
        (["packit"], {"code_owners": ["a b"]}, "is not a reviewer"),
    ],
)
def test_what_a_person_may_have_meant(names: list[str], rest: dict[str, str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_request(names, **{"ref": "stable", "source": "main", **rest})
