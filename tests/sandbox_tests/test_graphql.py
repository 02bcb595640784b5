"""GraphQL answers as GitHub's does: whole schema, partial answers, pages, and how a ref stands to a commit."""

from pathlib import Path

import pygit2
import pytest
from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    visit,
)

from tests.sandbox import Repository, Sandbox, threads
from tests.sandbox.graphql.execution import schema
from tests.sandbox.model import RequiredCheck
from tests.sandbox_tests.conftest import Clock, Query

EVERYTHING = (Path(__file__).parent / "everything.graphql").read_text()
OBSERVE = """
query($head: String!, $ref: String = "refs/heads/main") {
  repository(owner: "packit", name: "ogr") {
    ref(qualifiedName: $ref) {
      compare(headRef: $head) { status aheadBy behindBy commits(first: 10) { totalCount nodes { oid } } }
    }
  }
}
"""


@pytest.fixture
def busy(repository: Repository) -> Repository:
    """One of everything: branches, a tag, an open pull request with a review, checks, a status."""
    head = repository.rev_parse("main")
    repository.commit("feature", {"README.md": "three\n"}, "Change\n\nBecause", author="bob")
    repository.open_pull_request("Change", "why", "feature", "main", "bob", labels=["proposal"])
    repository.review(1, "alice")
    alice, pull = repository.store.account("alice"), repository.pulls[1]
    threads.start(pull, alice, "", [threads.Draft("README.md", 1, 1, "why?")], pull.head_oid)
    threads.reply(pull, pull.threads[0], alice, "ah")
    repository.comment(1, "stablehand-bot", "plan")
    repository.protect_branch("main", allow={"alice", "stablehand-bot"})
    repository.required_contexts["main"] = ("ci",)
    repository.required_checks["main"] = (RequiredCheck("tests", 29_180),)
    repository.deploy(head, "staging")
    repository.add_status(head, "ci", "success")
    repository.add_check_run(head, "packit-as-a-service-stg", "rpm-build")
    return repository


class SelectedFields(Visitor):
    """Collects `Type.field` for every field that a document asks for."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self.types.get_parent_type()
        assert parent is not None
        self.found.add(f"{parent.name}.{node.name.value}")


def test_the_document_has_every_field_of_the_schema() -> None:
    """What follows would prove little if the document left fields out."""
    types = TypeInfo(schema())
    visitor = SelectedFields(types)
    visit(parse(EVERYTHING), TypeInfoVisitor(types, visitor))
    fields = {
        f"{name}.{field}"
        for name, kind in schema().type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        for field in kind.fields
    }
    through_interfaces = {
        f"{name}.{field}"
        for name, kind in schema().type_map.items()
        if isinstance(kind, GraphQLObjectType)
        for interface in kind.interfaces
        if isinstance(interface, GraphQLInterfaceType)
        for field in interface.fields
        if f"{interface.name}.{field}" in visitor.found
    }

    assert set() == fields - visitor.found - through_interfaces


def test_every_field_is_answered(sandbox: Sandbox, busy: Repository, query: Query) -> None:
    """Every resolver is there: nothing of the schema ends in an error."""
    thread = busy.pulls[1].threads[0]
    pull, bot = busy.pulls[1].node_id, sandbox.store.account("stablehand-bot").node_id
    tag = busy.git.create_tag(
        "annotated",
        pygit2.Oid(hex=busy.rev_parse("main")),
        pygit2.enums.ObjectType.COMMIT,
        busy.commit_at(busy.rev_parse("main")).author,
        "Message",
    )

    for name, variables in (
        ("Everything", {"head": busy.rev_parse("main"), "pull": pull, "bot": bot}),
        ("Tag", {"oid": str(tag)}),
        (
            "Mutate",
            {
                "repository": busy.node_id,
                "pull": pull,
                "head": busy.rev_parse("main"),
                "feature": busy.rev_parse("feature"),
                "label": busy.pulls[1].labels[0].node_id,
                "thread": thread.node_id,
                "comment": thread.comment_id(thread.comments[0]),
            },
        ),
    ):
        answer = query(EVERYTHING, operation=name, **variables)

        assert "errors" not in answer, answer["errors"]
        assert None not in [answer["data"][key] for key in answer["data"]]


def test_unknown_repositories_leave_the_others_alone(repository: Repository, query: Query) -> None:
    answer = query(
        '{ a: repository(owner: "x", name: "y") { id } b: repository(owner: "Packit", name: "OGR") { id } }'
    )

    (error,) = answer["errors"]
    assert {"a": None, "b": {"id": repository.node_id}} == answer["data"]
    assert ["a"] == error["path"]
    assert "NOT_FOUND" == error["type"]
    assert "Could not resolve to a Repository with the name 'x/y'." == error["message"]


def test_renamed_repositories_answer_under_both_names(
    sandbox: Sandbox, repository: Repository, graph: Query
) -> None:
    sandbox.store.rename_repository("packit/ogr", "packit/forges")
    document = (
        'query($name: String!) { repository(owner: "packit", name: $name) { databaseId nameWithOwner } }'
    )

    answers = [graph(document, name=name)["repository"] for name in ("ogr", "forges")]

    assert [{"databaseId": repository.database_id, "nameWithOwner": "packit/forges"}] * 2 == answers


def test_the_ref_is_the_base_of_a_comparison(repository: Repository, graph: Query) -> None:
    """AHEAD says that the head has commits that the ref lacks."""
    main = repository.rev_parse("main")
    first = str(repository.commit_at(main).parent_ids[0])
    feature = repository.commit("feature", {"x": "1"}, "More", parents=[first])
    newer = repository.commit("newer", {"x": "1"}, "More", parents=[main])

    found = {
        name: graph(OBSERVE, head=head)["repository"]["ref"]["compare"]
        for name, head in {"same": "main", "older": first, "newer": newer, "side": feature}.items()
    }

    assert {"same": "IDENTICAL", "older": "BEHIND", "newer": "AHEAD", "side": "DIVERGED"} == {
        name: each["status"] for name, each in found.items()
    }
    assert (1, 1) == (found["side"]["aheadBy"], found["side"]["behindBy"])
    assert [{"oid": newer}] == found["newer"]["commits"]["nodes"]
    assert 0 == found["older"]["commits"]["totalCount"]


def test_an_unknown_head_is_an_error_and_null(repository: Repository, query: Query) -> None:
    answer = query(OBSERVE, head="1" * 40)

    assert "NOT_FOUND" == answer["errors"][0]["type"]
    assert {"ref": {"compare": None}} == answer["data"]["repository"]


def test_a_missing_ref_is_null_without_an_error(repository: Repository, graph: Query) -> None:
    assert {"ref": None} == graph(OBSERVE, head="main", ref="refs/heads/stable")["repository"]


def test_commits_of_a_fork_are_readable_through_the_parent(repository: Repository, graph: Query) -> None:
    """Impostor commits: readable by sha, yet on no branch of the parent."""
    sha = repository.fork("mallory").commit("main", {"x": "1"}, "Impostor", author="mallory")
    document = """
    query($oid: GitObjectID!) { repository(owner: "packit", name: "ogr") { object(oid: $oid) { oid } } }
    """

    assert sha == graph(document, oid=sha)["repository"]["object"]["oid"]
    assert "AHEAD" == graph(OBSERVE, head=sha)["repository"]["ref"]["compare"]["status"]


HISTORY = """
query($first: Int, $last: Int, $after: String, $path: String) {
  repository(owner: "packit", name: "ogr") { ref(qualifiedName: "main") { target { ... on Commit {
    history(first: $first, after: $after, last: $last, path: $path) {
      totalCount pageInfo { hasNextPage endCursor } nodes { messageHeadline }
    }
  } } } }
}
"""


def history(answer: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = answer["repository"]["ref"]["target"]["history"]  # type: ignore[index]
    return found


def test_pages_follow_one_another(repository: Repository, graph: Query) -> None:
    first = history(graph(HISTORY, first=1))
    second = history(graph(HISTORY, first=1, after=first["pageInfo"]["endCursor"]))  # type: ignore[index]

    assert [{"messageHeadline": "Second"}] == first["nodes"]
    assert [{"messageHeadline": "First"}] == second["nodes"]
    assert [True, False] == [each["pageInfo"]["hasNextPage"] for each in (first, second)]  # type: ignore[index]
    assert 2 == first["totalCount"]


def test_history_of_a_path_leaves_merges_out(repository: Repository, clock: Clock, graph: Query) -> None:
    """As `git log PATH` does: the merge of a pull request is not in the history of the file that it changed."""
    clock.advance(minutes=1)
    repository.commit("feature", {"other": "x"}, "Other")
    clock.advance(minutes=1)
    repository.merge(repository.open_pull_request("Other", "", "feature", "main", "alice").number, "bob")

    assert [{"messageHeadline": "Other"}] == history(graph(HISTORY, first=10, path="other"))["nodes"]
    assert 4 == history(graph(HISTORY, first=10))["totalCount"]


@pytest.mark.parametrize(
    ("bounds", "kind"), [({}, "MISSING_PAGINATION_BOUNDARIES"), ({"first": 101}, "EXCESSIVE_PAGINATION")]
)
def test_pages_need_a_size_within_limits(
    repository: Repository, query: Query, bounds: dict[str, int], kind: str
) -> None:
    document = HISTORY.replace("totalCount pageInfo { hasNextPage endCursor } ", "")

    assert kind == query(document, **bounds)["errors"][0]["type"]


def test_large_texts_are_cut(repository: Repository, graph: Query) -> None:
    repository.commit("main", {"large": "x" * 600_000}, "Large")
    document = """
    { repository(owner: "packit", name: "ogr") {
      object(expression: "main:large") { ... on Blob { byteSize isTruncated text } }
    } }
    """

    blob = graph(document)["repository"]["object"]

    assert (600_000, True, 512_000) == (blob["byteSize"], blob["isTruncated"], len(blob["text"]))


COMMIT = """
mutation($head: GitObjectID!, $branch: String = "main", $deletions: [FileDeletion!] = []) {
  createCommitOnBranch(input: {
    branch: {repositoryNameWithOwner: "packit/ogr", branchName: $branch}, expectedHeadOid: $head,
    message: {headline: "Edit"}, fileChanges: {additions: [{path: "a/b", contents: "aGk="}], deletions: $deletions}
  }) { commit { oid signature { isValid } author { user { login } } } }
}
"""


def test_a_commit_on_a_branch_is_signed_by_github(repository: Repository, graph: Query) -> None:
    commit = graph(COMMIT, head=repository.rev_parse("main"))["createCommitOnBranch"]["commit"]

    assert commit["oid"] == repository.branch("main")
    assert {"isValid": True} == commit["signature"]
    assert "stablehand-bot[bot]" == commit["author"]["user"]["login"]


def test_a_commit_on_another_head_is_stale(repository: Repository, query: Query) -> None:
    old = str(repository.commit_at(repository.rev_parse("main")).parent_ids[0])

    (error,) = query(COMMIT, head=old)["errors"]

    assert "STALE_DATA" == error["type"]
    assert error["message"].startswith(f'Expected branch to point to "{old}"')


def test_deleting_a_file_that_is_not_there_is_refused(repository: Repository, query: Query) -> None:
    answer = query(COMMIT, head=repository.rev_parse("main"), deletions=[{"path": "nowhere"}])

    assert "nowhere" in answer["errors"][0]["message"]


def test_a_bot_has_two_logins(sandbox: Sandbox, repository: Repository, graph: Query) -> None:
    """Where the schema says Actor it goes by its slug, where it says User with the suffix that REST shows."""
    repository.commit("feature", {"x": "1"}, "x", author="stablehand-bot")
    repository.open_pull_request("T", "", "feature", "main", "stablehand-bot")
    document = """
    { viewer { login }
      repository(owner: "packit", name: "ogr") { pullRequest(number: 1) { author { __typename login } } } }
    """

    answer = graph(document)

    assert "stablehand-bot[bot]" == answer["viewer"]["login"]
    assert {"__typename": "Bot", "login": "stablehand-bot"} == answer["repository"]["pullRequest"]["author"]


def test_costs_grow_with_nested_pages(repository: Repository, graph: Query) -> None:
    """A hundred pull requests with labels each: 101 connections, which is one point; with two such fields, two."""
    document = """
    { rateLimit { cost nodeCount } repository(owner: "packit", name: "ogr") {
      pullRequests(first: 100) { nodes { labels(first: 10) { totalCount } reviews(first: 10) { totalCount } } } } }
    """

    assert {"cost": 2, "nodeCount": 2100} == graph(document)["rateLimit"]


def test_an_unknown_field_is_an_error_without_data(query: Query) -> None:
    answer = query("{ nonsense }")

    assert "data" not in answer
    assert "nonsense" in answer["errors"][0]["message"]
