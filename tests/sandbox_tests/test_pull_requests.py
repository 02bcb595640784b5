"""Pull requests follow their branches and merge in GitHub's three ways."""

import pytest

from tests.sandbox import Repository, Sandbox
from tests.sandbox.errors import NotMergeable, Unprocessable
from tests.sandbox.repository import MergeMethod
from tests.sandbox_tests.conftest import Client

PULLS = "/repos/packit/ogr/pulls"


@pytest.fixture
def feature(repository: Repository) -> str:
    """Two commits on `feature`, and main one commit further."""
    repository.commit("feature", {"a": "1"}, "One", author="bob")
    sha = repository.commit(
        "feature", {"b": "1"}, "Two", author="bob", parents=[repository.rev_parse("feature")]
    )
    repository.commit("main", {"c": "1"}, "Meanwhile")
    return sha


@pytest.mark.parametrize(
    ("method", "parents", "subjects"),
    [
        ("merge", 2, ["Merge pull request #1 from packit/feature", "Meanwhile"]),
        ("squash", 1, ["Title (#1)", "Meanwhile"]),
        ("rebase", 1, ["Two", "One", "Meanwhile"]),
    ],
)
def test_each_method_leaves_its_own_history(
    repository: Repository, feature: str, method: MergeMethod, parents: int, subjects: list[str]
) -> None:
    pull = repository.open_pull_request("Title", "", "feature", "main", "bob")

    sha = repository.merge(pull.number, "alice", method)

    found: list[str] = []
    at = repository.commit_at(sha)
    assert parents == len(at.parent_ids)
    while len(found) < len(subjects):
        found.append(at.message.partition("\n")[0])
        at = at.parents[0]
    assert subjects == found
    assert (sha, "MERGED", "alice") == (
        pull.merge_commit,
        pull.state,
        pull.merged_by and pull.merged_by.login,
    )
    assert {"a", "b", "c", "README.md"} == {str(entry.name) for entry in repository.commit_at(sha).tree}


def test_conflicts_do_not_merge(repository: Repository) -> None:
    repository.commit("feature", {"README.md": "theirs\n"}, "Theirs")
    repository.commit("main", {"README.md": "ours\n"}, "Ours")
    pull = repository.open_pull_request("Title", "", "feature", "main", "bob")

    with pytest.raises(NotMergeable):
        repository.merge(pull.number, "alice")


def test_a_push_to_the_head_is_followed(repository: Repository, feature: str) -> None:
    pull = repository.open_pull_request("Title", "", "feature", "main", "bob")

    sha = repository.commit("feature", {"d": "1"}, "Three", author="bob")

    assert sha == pull.head_oid
    assert sha == repository.ref("refs/pull/1/head")


def test_a_push_to_a_fork_is_followed(repository: Repository) -> None:
    fork = repository.fork("mallory")
    fork.commit("feature", {"x": "1"}, "One", author="mallory")
    pull = repository.open_pull_request("Title", "", "mallory:feature", "main", "mallory")

    sha = fork.commit("feature", {"x": "2"}, "Two", author="mallory", parents=[fork.rev_parse("feature")])

    assert pull.is_cross_repository
    assert sha == pull.head_oid
    assert repository.merge(pull.number, "alice") == repository.branch("main")


def test_a_head_without_commits_of_its_own_closes(repository: Repository, feature: str) -> None:
    """Resetting a head to its base closes the pull request: whoever rebuilds a branch has to know."""
    pull = repository.open_pull_request("Title", "", "feature", "main", "bob")

    repository.push("feature", repository.rev_parse("main"), by="stablehand-bot", force=True)

    assert "CLOSED" == pull.state


def test_deleting_the_head_closes(repository: Repository, feature: str) -> None:
    pull = repository.open_pull_request("Title", "", "feature", "main", "bob")

    repository.delete_branch("feature")

    assert "CLOSED" == pull.state


def test_pushing_the_head_to_the_base_merges(repository: Repository) -> None:
    sha = repository.commit("feature", {"a": "1"}, "One")
    pull = repository.open_pull_request("Title", "", "feature", "main", "bob")

    repository.push("main", sha, by="alice")

    assert ("MERGED", sha) == (pull.state, pull.merge_commit)


def test_nobody_approves_their_own(repository: Repository, feature: str) -> None:
    repository.open_pull_request("Title", "", "feature", "main", "bob")

    with pytest.raises(Unprocessable):
        repository.review(1, "bob", "APPROVED")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"title": "T", "head": "nowhere", "base": "main"}, "invalid"),
        ({"title": "T", "head": "even", "base": "main"}, "No commits between main and even"),
        ({"title": "T", "head": "feature", "base": "main", "body": "x" * 65_537}, "body is too long"),
        ({"title": "", "head": "feature", "base": "main"}, "title can't be blank"),
    ],
)
def test_what_cannot_be_opened(
    repository: Repository, feature: str, client: Client, body: dict[str, str], complaint: str
) -> None:
    repository.push("even", repository.rev_parse("main"), by="alice")

    answer = client().post(PULLS, json=body)

    assert 422 == answer.status_code
    assert complaint in answer.text


def test_there_is_one_open_pull_request_for_a_head_and_base(
    repository: Repository, feature: str, client: Client
) -> None:
    asked = {"title": "T", "head": "feature", "base": "main"}

    first, second = (client().post(PULLS, json=asked) for _ in range(2))

    assert (201, 422) == (first.status_code, second.status_code)
    assert "A pull request already exists for packit:feature." in second.text


def test_a_merge_is_guarded_by_the_head(repository: Repository, feature: str, client: Client) -> None:
    repository.open_pull_request("Title", "", "feature", "main", "bob")
    alice = client("alice")

    refused = alice.put(f"{PULLS}/1/merge", json={"sha": "1" * 40})
    merged = alice.put(f"{PULLS}/1/merge", json={"sha": feature})
    again = alice.put(f"{PULLS}/1/merge", json={})

    assert (409, 200, 405) == (refused.status_code, merged.status_code, again.status_code)


def test_a_stranger_opens_but_does_not_merge(repository: Repository, feature: str, client: Client) -> None:
    mallory = client("mallory")

    opened = mallory.post(PULLS, json={"title": "T", "head": "feature", "base": "main"})

    assert 201 == opened.status_code
    assert "NONE" == opened.json()["author_association"]
    assert 403 == mallory.put(f"{PULLS}/1/merge", json={}).status_code
    assert 200 == mallory.patch(f"{PULLS}/1", json={"state": "closed"}).status_code


def test_lists_are_filtered(repository: Repository, feature: str, client: Client) -> None:
    repository.open_pull_request("Title", "", "feature", "main", "bob")
    repository.close(1, "bob")

    numbers = {
        query: [pull["number"] for pull in client().get(f"{PULLS}?{query}").json()]
        for query in ("state=open", "state=closed", "state=all&head=packit:feature", "state=all&base=stable")
    }

    assert [[], [1], [1], []] == list(numbers.values())


def test_a_protected_base_is_merged_by_the_allowed_only(
    sandbox: Sandbox, repository: Repository, feature: str, client: Client
) -> None:
    repository.protect_branch("main", allow={"alice"})
    repository.open_pull_request("Title", "", "feature", "main", "bob")

    assert 405 == client("bob").put(f"{PULLS}/1/merge", json={}).status_code
    assert 200 == client("alice").put(f"{PULLS}/1/merge", json={}).status_code
