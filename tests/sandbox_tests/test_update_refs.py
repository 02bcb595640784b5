"""`updateRefs` is GitHub's: compare-and-swap, all or nothing, and silent about why a swap failed."""

import pytest

from tests.sandbox import Permission, Repository, Sandbox
from tests.sandbox_tests.conftest import Client, Query

ZERO = "0" * 40
UPDATE = """
mutation($repository: ID!, $updates: [RefUpdate!]!) {
  updateRefs(input: {repositoryId: $repository, refUpdates: $updates, clientMutationId: "m"}) { clientMutationId }
}
"""


def update(name: str, after: str, before: str | None = None, **more: object) -> dict[str, object]:
    return {"name": name, "afterOid": after, "beforeOid": before, **more}


def test_zero_before_creates(repository: Repository, graph: Query) -> None:
    """An all-zero `beforeOid` says that the ref must not exist yet."""
    sha = repository.rev_parse("main")

    answer = graph(UPDATE, repository=repository.node_id, updates=[update("refs/heads/stable", sha, ZERO)])

    assert {"updateRefs": {"clientMutationId": "m"}} == answer
    assert sha == repository.branch("stable")


@pytest.mark.parametrize("before", [ZERO, "main~1"], ids=["must not exist", "elsewhere"])
def test_stale_before_is_refused_without_a_reason(repository: Repository, query: Query, before: str) -> None:
    """A failed compare-and-swap is HTTP 200 and an error that has neither type nor code."""
    main = repository.rev_parse("main")
    expected = before if before == ZERO else str(repository.commit_at(main).parent_ids[0])

    answer = query(UPDATE, repository=repository.node_id, updates=[update("refs/heads/main", main, expected)])

    (error,) = answer["errors"]
    assert {"path", "locations", "message"} == set(error)
    assert ["updateRefs"] == error["path"]
    assert {"updateRefs": None} == answer["data"]


def test_without_before_there_is_no_compare_and_swap(repository: Repository, graph: Query) -> None:
    first = str(repository.commit_at(repository.rev_parse("main")).parent_ids[0])
    repository.push("stable", first, by="alice")

    graph(
        UPDATE,
        repository=repository.node_id,
        updates=[update("refs/heads/stable", repository.rev_parse("main"))],
    )

    assert repository.branch("main") == repository.branch("stable")


def test_one_stale_update_stops_all_of_one_mutation(repository: Repository, query: Query) -> None:
    main = repository.rev_parse("main")

    answer = query(
        UPDATE,
        repository=repository.node_id,
        updates=[update("refs/heads/one", main, ZERO), update("refs/heads/main", main, ZERO)],
    )

    assert answer["errors"]
    assert {"main": main} == repository.refs()


def test_aliased_mutations_fail_each_by_itself(repository: Repository, query: Query) -> None:
    """Top-level mutations run one after another: what succeeds before or after a failure stays."""
    main = repository.rev_parse("main")
    document = """
    mutation($r: ID!, $new: [RefUpdate!]!, $stale: [RefUpdate!]!, $last: [RefUpdate!]!) {
      first: updateRefs(input: {repositoryId: $r, refUpdates: $new}) { clientMutationId }
      second: updateRefs(input: {repositoryId: $r, refUpdates: $stale}) { clientMutationId }
      third: updateRefs(input: {repositoryId: $r, refUpdates: $last}) { clientMutationId }
    }
    """

    answer = query(
        document,
        r=repository.node_id,
        new=[update("refs/heads/a", main, ZERO)],
        stale=[update("refs/heads/a", main, ZERO)],
        last=[update("refs/heads/b", main, ZERO)],
    )

    assert [["second"]] == [error["path"] for error in answer["errors"]]
    assert answer["data"]["first"] is not None
    assert answer["data"]["second"] is None
    assert {"a", "b", "main"} == set(repository.refs())


@pytest.mark.parametrize("force", [False, True])
def test_only_force_moves_backwards(repository: Repository, query: Query, *, force: bool) -> None:
    main = repository.rev_parse("main")
    first = str(repository.commit_at(main).parent_ids[0])

    answer = query(
        UPDATE, repository=repository.node_id, updates=[update("refs/heads/main", first, main, force=force)]
    )

    assert force is ("errors" not in answer)
    assert (first if force else main) == repository.branch("main")


@pytest.mark.parametrize("name", ["main", "heads/main", "refs/pull/1/head", "refs/heads/a..b"])
def test_only_full_names_of_branches_and_tags_are_taken(
    repository: Repository, query: Query, name: str
) -> None:
    answer = query(
        UPDATE, repository=repository.node_id, updates=[update(name, repository.rev_parse("main"))]
    )

    assert "not a valid ref name" in answer["errors"][0]["message"]


def test_an_unknown_commit_is_refused(repository: Repository, query: Query) -> None:
    answer = query(
        UPDATE, repository=repository.node_id, updates=[update("refs/heads/stable", "1" * 40, ZERO)]
    )

    assert answer["errors"]
    assert repository.branch("stable") is None


def test_a_commit_of_a_fork_only_is_taken(repository: Repository, graph: Query) -> None:
    """Forks share objects with their parent: GitHub does not keep their commits out."""
    sha = repository.fork("mallory").commit("main", {"x": "1"}, "Impostor", author="mallory")

    graph(UPDATE, repository=repository.node_id, updates=[update("refs/heads/stable", sha, ZERO)])

    assert sha == repository.branch("stable")


def test_protection_refuses_with_its_own_type(repository: Repository, query: Query) -> None:
    repository.protect_branch("stable", allow={"alice"})
    updates = [update("refs/heads/stable", repository.rev_parse("main"), ZERO)]

    refused = query(UPDATE, repository=repository.node_id, updates=updates)
    allowed = query(UPDATE, repository=repository.node_id, updates=updates, by="alice")

    assert "BRANCH_PROTECTION_RULE_VIOLATION" == refused["errors"][0]["type"]
    assert "errors" not in allowed


def test_a_stranger_is_forbidden(repository: Repository, query: Query) -> None:
    updates = [update("refs/heads/stable", repository.rev_parse("main"), ZERO)]

    answer = query(UPDATE, repository=repository.node_id, updates=updates, by="mallory")

    assert "FORBIDDEN" == answer["errors"][0]["type"]
    assert "mallory does not have the correct permissions" in answer["errors"][0]["message"]


def test_an_invisible_repository_does_not_exist(
    sandbox: Sandbox, repository: Repository, query: Query
) -> None:
    sandbox.store.grant("mallory", repository, Permission.NONE)

    answer = query(UPDATE, repository=repository.node_id, updates=[], by="mallory")

    assert "NOT_FOUND" == answer["errors"][0]["type"]


def test_workflow_files_need_their_own_permission(
    sandbox: Sandbox, repository: Repository, query: Query
) -> None:
    permissions = dict(sandbox.store.app("stablehand-bot").permissions)
    del permissions["workflows"]
    sandbox.store.change_app("stablehand-bot", permissions=permissions)
    before = repository.rev_parse("main")
    repository.push("stable", before, by="alice")
    after = repository.commit("main", {".github/workflows/ci.yml": "on: push\n"}, "CI")

    answer = query(
        UPDATE, repository=repository.node_id, updates=[update("refs/heads/stable", after, before)]
    )

    assert "without `workflows` permission" in answer["errors"][0]["message"]
    assert before == repository.branch("stable")


def test_an_archived_repository_is_read_only(sandbox: Sandbox, repository: Repository, query: Query) -> None:
    sandbox.store.archive_repository("packit/ogr")
    updates = [update("refs/heads/stable", repository.rev_parse("main"), ZERO)]

    answer = query(UPDATE, repository=repository.node_id, updates=updates)

    assert "archived" in answer["errors"][0]["message"]


def test_without_a_token_there_is_no_graphql(client: Client) -> None:
    answer = client(None).post("/graphql", json={"query": "{viewer{login}}"})

    assert 401 == answer.status_code
