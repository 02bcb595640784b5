"""The release-state repository's files, read in one request and written by compare-and-swap."""

import pytest

from reconcile.errors import ForbiddenError, MissingError, RejectedError, StaleHeadError, UnreachableError
from reconcile.github.client import GitHub
from tests.reconcile.github.conftest import Connect
from tests.sandbox import Repository, Sandbox

LEDGER = "stablehand/ledger"


async def test_documents_and_ledger_come_in_one_request(
    github: GitHub, sandbox: Sandbox, state: Repository
) -> None:
    head = state.rev_parse("main")
    ledger = await github.store_ledger('{"version": 1}\n', expected_head=None, message="Begin")
    sandbox.requests.reset()

    found = await github.load_release_state()

    assert 1 == sandbox.requests.total
    assert (head, "desired: 1\n", "policy: 1\n") == (
        found.documents.commit, found.documents.desired_text, found.documents.policy_text,
    )  # fmt: skip
    assert (ledger, '{"version": 1}\n') == (found.ledger_head, found.ledger_text)
    assert ("packit/release-state", "main", head) == (
        found.version.repository, found.version.branch, found.version.commit,
    )  # fmt: skip
    assert state.node_id == found.repository_id
    assert found.version == await github.observe_version()


async def test_the_version_changes_with_a_document_alone(github: GitHub, state: Repository) -> None:
    before = await github.observe_version()
    state.commit("main", {"README.md": "Hello\n"}, "Say hello")
    same = await github.observe_version()
    state.commit("main", {"release-state.yaml": "desired: 2\n"}, "Move")
    other = await github.observe_version()

    assert before.blobs == same.blobs != other.blobs
    assert before.commit != same.commit


async def test_missing_files_are_none(github: GitHub, sandbox: Sandbox) -> None:
    empty = sandbox.store.create_repository("packit/release-state")
    empty.commit("main", {"release-state.yaml/a": "a folder of that name\n"}, "Start")

    found = await github.load_release_state()

    assert (None, None) == (found.documents.desired_text, found.documents.policy_text)
    assert (None, None) == (found.ledger_head, found.ledger_text)


async def test_a_repository_without_commits_says_what_to_push(github: GitHub, sandbox: Sandbox) -> None:
    sandbox.store.create_repository("packit/release-state")

    for read in (github.load_release_state, github.observe_version):
        with pytest.raises(MissingError, match=r"push release-state\.yaml"):
            await read()


async def test_a_missing_repository_names_the_setting(github: GitHub) -> None:
    with pytest.raises(MissingError, match="STABLEHAND_REPOSITORY"):
        await github.load_release_state()


async def test_a_document_that_graphql_cuts_short_is_read_whole(github: GitHub, state: Repository) -> None:
    text = "# a long comment\n" * 60_000
    state.commit("main", {"release-state.yaml": text}, "Explain at length")

    assert text == (await github.load_release_state()).documents.desired_text


async def test_a_document_that_is_not_utf8_is_left_to_the_parser(github: GitHub, state: Repository) -> None:
    state.commit("main", {"release-state.yaml": b"version: 1 # caf\xe9\x00\n"}, "Latin")

    text = (await github.load_release_state()).documents.desired_text

    assert text is not None
    assert "�" in text


async def test_documents_of_an_earlier_commit(github: GitHub, state: Repository) -> None:
    first = state.rev_parse("main")
    state.commit("main", {"release-state.yaml": "desired: 2\n"}, "Move")

    found = await github.load_documents(first)

    assert (first, "desired: 1\n", "policy: 1\n") == (found.commit, found.desired_text, found.policy_text)


async def test_documents_of_an_unknown_commit(github: GitHub, state: Repository) -> None:
    with pytest.raises(MissingError, match="d" * 40):
        await github.load_documents("d" * 40)


async def test_the_ledger_has_a_history_of_its_own(github: GitHub, state: Repository) -> None:
    """No document is on its branch, so nobody can merge it by mistake."""
    first = await github.store_ledger("1\n", expected_head=None, message="Begin\n\nWhy")
    second = await github.store_ledger("2\n", expected_head=first, message="Record\n\nRun 7")

    assert second == state.branch(LEDGER)
    commit = state.commit_at(second)
    assert ("Record\n\nRun 7", [first]) == (commit.message.rstrip(), [str(p) for p in commit.parent_ids])
    assert [] == list(state.commit_at(first).parent_ids)
    assert ["ledger.json"] == [entry.name for entry in commit.tree]


async def test_of_two_writers_one_starts_over(github: GitHub, state: Repository) -> None:
    first = await github.store_ledger("1\n", expected_head=None, message="Begin")
    second = await github.store_ledger("2\n", expected_head=first, message="Record")

    for expected in (None, first):
        with pytest.raises(StaleHeadError):
            await github.store_ledger("3\n", expected_head=expected, message="Record")

    assert second == state.branch(LEDGER)


@pytest.mark.parametrize("happens", [False, True])
async def test_a_lost_answer_to_the_first_ledger_is_settled(
    github: GitHub, sandbox: Sandbox, state: Repository, *, happens: bool
) -> None:
    """Where the branch stands tells what became of it."""
    sandbox.faults.bad_gateway(happens=happens, containing="updateRefs")

    if happens:
        head = await github.store_ledger("1\n", expected_head=None, message="Begin")
        assert head == state.branch(LEDGER)
    else:
        with pytest.raises(UnreachableError):
            await github.store_ledger("1\n", expected_head=None, message="Begin")
        assert state.branch(LEDGER) is None


async def test_a_protected_ledger_needs_a_person(github: GitHub, state: Repository) -> None:
    state.protect_branch(LEDGER)

    with pytest.raises(RejectedError, match="stablehand/ledger"):
        await github.store_ledger("1\n", expected_head=None, message="Begin")


async def test_a_reader_may_not_write_the_ledger(connect_as: Connect, state: Repository) -> None:
    async with connect_as("mallory") as github:
        with pytest.raises(ForbiddenError):
            await github.store_ledger("1\n", expected_head=None, message="Begin")
