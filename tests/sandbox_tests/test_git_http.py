"""Real git clones and pushes, and everything else follows as if the API had been used."""

import subprocess
from pathlib import Path

import pytest

from tests.sandbox import Repository, Sandbox


def git(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    settings = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com", "-c", "credential.helper="]
    return subprocess.run(
        ["git", *settings, *command],
        cwd=folder,
        check=check,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"},
    )


def clone(sandbox: Sandbox, folder: Path, login: str = "alice") -> Path:
    host = sandbox.url.removeprefix("http://")
    git(folder, "clone", "--quiet", f"http://{login}:{sandbox.tokens[login]}@{host}/packit/ogr.git", "clone")
    git(folder / "clone", "commit", "--quiet", "--allow-empty", "--message", "By hand")
    return folder / "clone"


def test_a_clone_has_the_commits(sandbox: Sandbox, repository: Repository, tmp_path: Path) -> None:
    head = git(clone(sandbox, tmp_path), "rev-parse", "HEAD~1").stdout.strip()

    assert repository.branch("main") == head
    assert sandbox.requests.counts["git"] > 0


def test_a_push_is_followed(sandbox: Sandbox, repository: Repository, tmp_path: Path) -> None:
    """Activity, pull requests and stale reads know of it."""
    repository.commit("feature", {"x": "1"}, "One", author="bob")
    pull = repository.open_pull_request("T", "", "feature", "main", "bob")
    working = clone(sandbox, tmp_path)
    git(working, "checkout", "--quiet", "feature")
    git(working, "commit", "--quiet", "--allow-empty", "--message", "Two")

    git(working, "push", "--quiet", "origin", "feature")

    head = git(working, "rev-parse", "HEAD").stdout.strip()
    assert head == repository.branch("feature") == pull.head_oid
    assert ("refs/heads/feature", "alice") == (
        repository.activity[-1].ref,
        repository.activity[-1].actor.login,
    )


def test_protection_holds_for_git_too(sandbox: Sandbox, repository: Repository, tmp_path: Path) -> None:
    repository.protect_branch("main", allow={"bob"})
    working = clone(sandbox, tmp_path)

    done = git(working, "push", "origin", "main:main", "main:other", check=False)

    assert done.returncode
    assert "Protected branch update failed for refs/heads/main" in done.stderr
    assert repository.branch("other") == git(working, "rev-parse", "HEAD").stdout.strip()


@pytest.mark.parametrize("login", ["mallory", None])
def test_strangers_read_only(
    sandbox: Sandbox, repository: Repository, tmp_path: Path, login: str | None
) -> None:
    working = clone(sandbox, tmp_path)
    host = sandbox.url.removeprefix("http://")
    who = f"{login}:{sandbox.tokens[login]}@" if login else ""

    done = git(working, "push", f"http://{who}{host}/packit/ogr.git", "main", check=False)

    assert done.returncode
    assert repository.branch("main") != git(working, "rev-parse", "HEAD").stdout.strip()


def test_what_a_pull_request_stands_at_is_not_pushed(
    sandbox: Sandbox, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("feature", {"x": "1"}, "One")
    pull = repository.open_pull_request("T", "", "feature", "main", "bob")
    working = clone(sandbox, tmp_path)

    done = git(working, "push", "origin", f"main:refs/pull/{pull.number}/head", check=False)

    assert "deny updating a hidden ref" in done.stderr
    git(working, "fetch", "--quiet", "origin", f"refs/pull/{pull.number}/head")
    assert pull.head_oid == git(working, "rev-parse", "FETCH_HEAD").stdout.strip()


def test_an_address_without_suffix_and_a_partial_clone(
    sandbox: Sandbox, repository: Repository, tmp_path: Path
) -> None:
    done = git(tmp_path, "clone", "--filter=blob:none", f"{sandbox.url}/packit/ogr", "partial")

    assert "filtering not recognized" not in done.stderr
    assert repository.branch("main") == git(tmp_path / "partial", "rev-parse", "HEAD").stdout.strip()


def test_a_commit_of_a_fork_can_be_fetched_by_sha(
    sandbox: Sandbox, repository: Repository, tmp_path: Path
) -> None:
    sha = repository.fork("mallory").commit("main", {"x": "1"}, "Impostor", author="mallory")
    working = clone(sandbox, tmp_path)

    git(working, "fetch", "--quiet", "origin", sha)

    assert sha == git(working, "rev-parse", "FETCH_HEAD").stdout.strip()


def test_a_folder_of_repositories_is_served_as_it_is(
    sandbox: Sandbox, repository: Repository, tmp_path: Path
) -> None:
    """Ids do not depend on the run, refs may be packed, and numbers of pull requests go on."""
    repository.commit("feature", {"x": "1"}, "One")
    repository.open_pull_request("T", "", "feature", "main", "bob")
    git(repository.path, "gc", "--quiet")

    with Sandbox.running(sandbox.store.directory) as other:
        again = other.store.repository("packit/ogr")

        assert repository.database_id == again.database_id
        assert repository.refs() == again.refs()
        assert 2 == again.next_number()
