"""How the documents changed, and what brought each change: facts that approval is judged by."""

import pytest

from reconcile.github.client import GitHub
from reconcile.observed import DocumentChange
from tests.reconcile.github.conftest import commits
from tests.sandbox import Repository
from tests.sandbox.model import PullRequest

DESIRED = "release-state.yaml"


def propose(
    state: Repository, *texts: str, branch: str = "proposal", base: str = "main", by: str = "alice"
) -> PullRequest:
    """Open a pull request with one commit a text."""
    start = state.rev_parse("main")
    for n, text in enumerate(texts):
        parents = [start] if n == 0 else None
        state.commit(branch, {DESIRED: text}, f"Ask for {text}", author=by, parents=parents)
    return state.open_pull_request("Move", "", branch, base, by)


async def changes_since(github: GitHub, state: Repository, since: str) -> tuple[DocumentChange, ...]:
    changes = await github.load_changes(since, state.rev_parse("main"))
    assert changes is not None
    return changes


async def test_no_change_is_no_change(github: GitHub, state: Repository) -> None:
    head = state.rev_parse("main")

    assert () == await github.load_changes(head, head)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_a_merged_pull_request_is_one_change(github: GitHub, state: Repository, method: str) -> None:
    """However it was merged, and however many commits that made."""
    start = state.rev_parse("main")
    pull = propose(state, "desired: 2\n", "desired: 3\n")
    head = state.rev_parse("proposal")
    state.commit("main", {"README.md": "meanwhile\n"}, "Explain")
    state.merge(pull.number, "bob", method)  # type: ignore[arg-type]  # one of the three

    (change,) = await changes_since(github, state, start)

    assert ("desired: 1\n", "desired: 3\n") == (change.before.desired_text, change.after.desired_text)
    merged = change.pull_request
    assert merged is not None
    assert (pull.number, "main", "alice", head) == (merged.number, merged.base, merged.author, merged.head)
    assert ("alice",) == merged.contributors
    assert (start, "desired: 1\n") == (merged.before.commit, merged.before.desired_text)
    assert (head, "desired: 3\n") == (merged.after.commit, merged.after.desired_text)


async def test_a_direct_push_has_no_pull_request(github: GitHub, state: Repository) -> None:
    """Not even an open one that lists the commit too: nobody merged it."""
    start = state.rev_parse("main")
    propose(state, "desired: 2\n", "desired: 3\n")
    pushed = str(state.commit_at(state.rev_parse("proposal")).parent_ids[0])
    state.push("main", pushed, by="alice")

    (change,) = await changes_since(github, state, start)

    assert ("desired: 2\n", None) == (change.after.desired_text, change.pull_request)


async def test_changes_come_oldest_first_and_only_of_documents(github: GitHub, state: Repository) -> None:
    start = state.rev_parse("main")
    pushed = state.commit("main", {DESIRED: "desired: 2\n"}, "Push")
    state.commit("main", {"README.md": "Hello\n"}, "Explain")
    pull = propose(state, "desired: 3\n")
    merged = state.merge(pull.number, "bob", "squash")

    changes = await changes_since(github, state, start)

    assert [(pushed, None), (merged, pull.number)] == [
        (each.commit, each.pull_request.number if each.pull_request else None) for each in changes
    ]
    assert ["desired: 1\n", "desired: 2\n"] == [each.before.desired_text for each in changes]


async def test_a_direct_push_before_a_rebase_merge_stays_one(github: GitHub, state: Repository) -> None:
    start = state.rev_parse("main")
    pull = propose(state, "desired: 2\n", "desired: 3\n")
    pushed = state.commit("main", {"release-policy.yaml": "policy: 2\n"}, "Push")
    state.merge(pull.number, "bob", "rebase")

    first, second = await changes_since(github, state, start)

    assert (pushed, None) == (first.commit, first.pull_request)
    assert (pushed, "desired: 3\n") == (second.before.commit, second.after.desired_text)


async def test_a_pull_request_into_another_branch_says_so(github: GitHub, state: Repository) -> None:
    start = state.rev_parse("main")
    state.push("release", start, by="alice")
    pull = propose(state, "desired: 2\n", base="release")
    state.push("main", state.merge(pull.number, "bob", "merge"), by="alice")

    (change,) = await changes_since(github, state, start)

    assert change.pull_request is not None
    assert "release" == change.pull_request.base


async def test_reviews_say_who_what_and_of_which_head(github: GitHub, state: Repository) -> None:
    start = state.rev_parse("main")
    pull = propose(state, "desired: 2\n")
    first = state.rev_parse("proposal")
    state.review(pull.number, "bob", "CHANGES_REQUESTED")
    state.review(pull.number, "mallory", "APPROVED")
    second = state.commit("proposal", {DESIRED: "desired: 3\n"}, "Correct", author="packit-bot")
    state.review(pull.number, "bob", "APPROVED")
    state.merge(pull.number, "bob", "squash")

    (change,) = await changes_since(github, state, start)

    assert change.pull_request is not None
    assert [
        ("bob", "changes_requested", first, True),
        ("mallory", "approved", first, False),
        ("bob", "approved", second, True),
    ] == [(each.author, each.state, each.commit, each.can_write) for each in change.pull_request.reviews]
    assert ("alice", "packit-bot") == change.pull_request.contributors


async def test_a_bots_review_is_told_apart(github: GitHub, state: Repository) -> None:
    start = state.rev_parse("main")
    pull = propose(state, "desired: 2\n")
    state.review(pull.number, "stablehand-bot", "APPROVED")
    state.merge(pull.number, "bob", "squash")

    (change,) = await changes_since(github, state, start)

    assert change.pull_request is not None
    assert [("stablehand-bot", True)] == [(each.author, each.is_bot) for each in change.pull_request.reviews]


async def test_a_commit_that_is_not_behind_is_not_met(github: GitHub, state: Repository) -> None:
    """A default branch that was rewound or replaced does not come after the last accepted commit."""
    head = state.rev_parse("main")
    elsewhere = state.commit("side", {DESIRED: "desired: 9\n"}, "Elsewhere")

    assert await github.load_changes(elsewhere, head) is None
    assert await github.load_changes("d" * 40, head) is None


async def test_a_long_history_is_read_page_by_page(github: GitHub, state: Repository) -> None:
    start = state.rev_parse("main")
    for n in range(60):
        state.commit("main", {"README.md": f"{n}\n"}, "Explain")
    state.commit("main", {DESIRED: "desired: 2\n"}, "Push")

    (change,) = await changes_since(github, state, start)

    assert commits(state)[-2:] == [change.before.commit, change.after.commit]
