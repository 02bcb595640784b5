"""The proposal's branch and pull request, and the comment: written once, rewritten only where they differ."""

import pytest

from reconcile.errors import MissingError, RejectedError, StaleHeadError
from reconcile.github.client import GitHub
from reconcile.observed import OpenPullRequest, PullRequest
from tests.reconcile.github.conftest import Connect
from tests.sandbox import Repository, Sandbox

BRANCH = "stablehand/proposal"
MARKER = "<!-- stablehand:plan -->"


async def propose(
    github: GitHub, state: Repository, *, expected: str | None = None, text: str = "desired: 2\n"
) -> str:
    return await github.store_branch(
        BRANCH,
        base=state.rev_parse("main"),
        expected_head=expected,
        text=text,
        headline="Move 3 of 8",
        body="Because stage is green.",
    )


async def open_pull_request(
    github: GitHub, *, number: int | None = None, title: str = "Move", body: str = "Why\n"
) -> PullRequest:
    return await github.ensure_pull_request(
        number=number, head_branch=BRANCH, title=title, body=body, is_draft=False
    )


async def test_the_branch_is_its_base_and_one_commit(github: GitHub, state: Repository) -> None:
    base = state.rev_parse("main")

    head = await propose(github, state)

    assert head == state.branch(BRANCH) == await github.load_branch(BRANCH)
    commit = state.commit_at(head)
    assert [base] == [str(parent) for parent in commit.parent_ids]
    assert "Move 3 of 8\n\nBecause stage is green." == commit.message
    found = await github.load_documents(head)
    assert ("desired: 2\n", "policy: 1\n") == (found.desired_text, found.policy_text)


async def test_rebuilding_keeps_the_pull_request_open(github: GitHub, state: Repository) -> None:
    """The branch never stands at its base, which would close the pull request for good."""
    first = await propose(github, state)
    pull = await open_pull_request(github)
    state.commit("main", {"README.md": "Hello\n"}, "Explain")

    second = await propose(github, state, expected=first, text="desired: 3\n")

    found = await github.load_pull_request(pull.number)
    assert ("open", second) == (found.state, found.head)
    assert [second] == [commit.sha for commit in await github.list_branch_commits(BRANCH)]


async def test_somebody_elses_commit_is_not_lost(github: GitHub, state: Repository) -> None:
    head = await propose(github, state)
    edited = state.commit(BRANCH, {"release-state.yaml": "desired: 7\n"}, "Edit", author="bob")

    for expected in (head, None):
        with pytest.raises(StaleHeadError, match=BRANCH):
            await propose(github, state, expected=expected)

    assert edited == state.branch(BRANCH)


async def test_nothing_is_built_on_an_unknown_commit(github: GitHub, state: Repository) -> None:
    """It would be a commit that deletes every other file."""
    with pytest.raises(MissingError, match="d" * 40):
        await github.store_branch(
            BRANCH, base="d" * 40, expected_head=None, text="", headline="Move", body=""
        )

    assert 0 == github.requests.writes


async def test_a_branch_of_before_the_run_died_is_found(
    github: GitHub, sandbox: Sandbox, state: Repository
) -> None:
    """The answer was lost, the move was made: that is success."""
    sandbox.faults.cut(happens=True, containing="updateRefs")

    assert await propose(github, state) == state.branch(BRANCH)


async def test_who_made_the_commits(github: GitHub, state: Repository) -> None:
    head = await propose(github, state)
    state.commit(BRANCH, {"release-state.yaml": "desired: 3\n"}, "Edit", author="bob")

    found = await github.list_branch_commits(BRANCH)

    assert [(head, "stablehand-bot"), (state.rev_parse(BRANCH), "bob")] == [(c.sha, c.author) for c in found]
    assert "stablehand-bot" == await github.load_login()


async def test_amending_makes_it_ones_own(github: GitHub, sandbox: Sandbox, state: Repository) -> None:
    """Git keeps the author then: only the committer tells that a person had a hand in it."""
    bot, bob = sandbox.store.account("stablehand-bot"), sandbox.store.account("bob")
    head = state.commit_at(await propose(github, state))
    amended = state.write_tree_commit(
        [state.rev_parse("main")], head.tree.id, "Mine", author=bot, at=sandbox.store.clock(), committer=bob
    )
    state.push(BRANCH, amended, by="bob", force=True)

    assert [(amended, "bob")] == [(c.sha, c.author) for c in await github.list_branch_commits(BRANCH)]


async def test_a_branch_that_is_not_there_has_no_commits(github: GitHub, state: Repository) -> None:
    assert await github.load_branch(BRANCH) is None
    assert () == await github.list_branch_commits(BRANCH)


async def test_opening_twice_opens_once(github: GitHub, state: Repository) -> None:
    head = await propose(github, state)
    opened = await open_pull_request(github)
    writes = github.requests.writes

    again = await open_pull_request(github)

    assert opened == again == await github.find_pull_request(BRANCH)
    assert writes == github.requests.writes
    assert ("open", "main", BRANCH, head, "stablehand-bot", False) == (
        opened.state, opened.base, opened.head_branch, opened.head, opened.author, opened.is_from_fork,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "body", "writes"),
    [("Move", "Why\n", 0), ("Move", "Why\r\n", 0), ("Move on", "Why\n", 1), ("Move", "Why not\n", 1)],
)
async def test_only_what_differs_is_written(
    github: GitHub, state: Repository, title: str, body: str, writes: int
) -> None:
    """The browser's line ends are no difference."""
    await propose(github, state)
    pull = await open_pull_request(github)
    before = github.requests.writes

    updated = await open_pull_request(github, number=pull.number, title=title, body=body)

    assert writes == github.requests.writes - before
    assert title == updated.title


async def test_a_fork_has_no_say_in_what_our_branch_is(
    github: GitHub, sandbox: Sandbox, state: Repository
) -> None:
    fork = sandbox.store.fork(state, "mallory")
    fork.commit(BRANCH, {"release-state.yaml": "desired: 9\n"}, "Mine", author="mallory")
    theirs = state.open_pull_request("Take mine", "", f"mallory:{BRANCH}", "main", "mallory")

    assert await github.find_pull_request(BRANCH) is None
    assert (await github.load_pull_request(theirs.number)).is_from_fork


async def test_only_pull_requests_into_the_default_branch_are_listed(
    github: GitHub, state: Repository
) -> None:
    """With what they change since they began, whatever the default branch has got meanwhile."""
    state.push("other", state.rev_parse("main"), by="alice")
    state.commit("work", {"a": "1\n"}, "Work")
    state.commit("idea", {"b": "1\n"}, "Idea")
    state.open_pull_request("Into other", "", "work", "other", "alice")
    into_main = state.open_pull_request("Into main", "", "work", "main", "alice")
    closed = state.open_pull_request("Not now", "", "idea", "main", "alice")
    state.close(closed.number, "alice")
    state.commit("main", {"c": "1\n"}, "Meanwhile")

    assert (
        OpenPullRequest(number=into_main.number, paths=frozenset({"a"}), has_status=False),
    ) == await github.observe_open("stablehand/plan")


async def test_a_status_counts_on_the_newest_commit(github: GitHub, state: Repository) -> None:
    """Of its context alone; another commit has none yet."""
    head = state.commit("work", {"a": "1\n"}, "Work")
    state.open_pull_request("Work", "", "work", "main", "alice")

    async def has_status() -> bool:
        (found,) = await github.observe_open("stablehand/plan")
        return found.has_status

    for context, expected in (("another", False), ("stablehand/plan", True)):
        await github.ensure_status(head, context=context, state="pending", description="", url=None)
        assert expected == await has_status()
    state.commit("work", {"a": "2\n"}, "More work")
    assert not await has_status()


async def test_more_files_than_a_page_has(github: GitHub, state: Repository) -> None:
    """Then it is not known what is changed, and any file may be."""
    state.commit("work", {f"file-{n:03}": "1\n" for n in range(101)}, "Work")
    state.open_pull_request("Work", "", "work", "main", "alice")
    (found,) = await github.observe_open("stablehand/plan")
    assert found.paths is None


async def test_many_open_pull_requests(github: GitHub, state: Repository) -> None:
    """One request for twenty-five, oldest first."""
    for n in range(26):
        state.commit(f"work-{n}", {"a": f"{n}\n"}, "Work")
        state.open_pull_request("Work", "", f"work-{n}", "main", "alice")
    before = github.requests.reads
    found = await github.observe_open("stablehand/plan")
    assert list(range(1, 27)) == [each.number for each in found]
    assert 2 == github.requests.reads - before


async def test_a_merged_pull_request_names_its_merge(github: GitHub, state: Repository) -> None:
    await propose(github, state)
    pull = await open_pull_request(github)
    merged = state.merge(pull.number, "bob", "squash")

    found = await github.load_pull_request(pull.number)

    assert ("merged", merged) == (found.state, found.merge_commit)
    assert await github.find_pull_request(BRANCH) is None


async def test_an_unknown_pull_request(github: GitHub, state: Repository) -> None:
    with pytest.raises(MissingError, match="#404"):
        await github.load_pull_request(404)
    with pytest.raises(MissingError, match="#404"):
        await github.ensure_comment(404, marker=MARKER, body="")


async def test_the_comment_is_written_once_and_rewritten_on_change(github: GitHub, state: Repository) -> None:
    await propose(github, state)
    number = (await open_pull_request(github)).number
    before = github.requests.writes

    urls = [
        await github.ensure_comment(number, marker=MARKER, body=text) for text in ("one", "one", "two", "two")
    ]

    assert 1 == len(set(urls))
    assert 2 == github.requests.writes - before
    assert [f"two\n\n{MARKER}"] == [comment.body for comment in state.pull(number).comments]


async def test_a_stranger_with_the_marker_is_not_us(github: GitHub, state: Repository) -> None:
    await propose(github, state)
    number = (await open_pull_request(github)).number
    state.comment(number, "mallory", f"{MARKER}\nall is well")

    await github.ensure_comment(number, marker=MARKER, body="it is not")

    assert ["mallory", "stablehand-bot"] == [each.author.login for each in state.pull(number).comments]


async def test_a_body_that_is_too_long_needs_a_person(github: GitHub, state: Repository) -> None:
    await propose(github, state)
    number = (await open_pull_request(github)).number

    with pytest.raises(RejectedError):
        await github.ensure_comment(number, marker=MARKER, body="x" * 65_536)


async def test_a_person_can_run_it_too(connect_as: Connect, state: Repository) -> None:
    """With a token of one's own the commits are one's own."""
    async with connect_as("alice") as github:
        await propose(github, state)

        assert "alice" == await github.load_login()
        assert ["alice"] == [commit.author for commit in await github.list_branch_commits(BRANCH)]


async def test_drafts(github: GitHub, state: Repository) -> None:
    """Written only where it is otherwise."""
    await propose(github, state)
    number = (await open_pull_request(github)).number
    before = github.requests.writes
    for is_draft in (False, True, True, False):
        await github.ensure_draft(number, is_draft=is_draft)
        assert is_draft == (await github.load_pull_request(number)).is_draft
    assert 2 == github.requests.writes - before


async def test_attention_is_asked_for_once(github: GitHub, state: Repository) -> None:
    """Labels, reviewers and assignees that are missing are added, in one request each; twice writes once."""
    await propose(github, state)
    number = (await open_pull_request(github)).number
    for expected in (3, 0):
        before = github.requests.writes
        refused = await github.ensure_attention(
            number, labels=["release", "stable"], reviewers=["alice", "bob"], assignees=["alice"]
        )
        assert ((), expected) == (refused, github.requests.writes - before)
    pull = state.pull(number)
    assert ["release", "stable"] == [label.name for label in pull.labels]
    assert (["alice", "bob"], ["alice"]) == (
        [each.login for each in pull.reviewers],
        [each.login for each in pull.assignees],
    )


async def test_whoever_has_reviewed_is_not_asked_again(github: GitHub, state: Repository) -> None:
    """GitHub takes a reviewer off the list of those who are asked."""
    await propose(github, state)
    number = (await open_pull_request(github)).number
    state.review(number, "alice")
    before = github.requests.writes
    await github.ensure_attention(number, labels=[], reviewers=["Alice"], assignees=[])
    assert 0 == github.requests.writes - before


async def test_whom_github_does_not_take_is_said(github: GitHub, state: Repository) -> None:
    """One who cannot be asked keeps nobody else from being asked."""
    await propose(github, state)
    number = (await open_pull_request(github)).number
    refused = await github.ensure_attention(
        number, labels=[], reviewers=["mallory", "bob", "packit/team"], assignees=["mallory", "bob"]
    )
    assert ["mallory cannot be asked", "packit/team cannot be", "mallory cannot be assigned"] == [
        sentence[: len(expected)]
        for sentence, expected in zip(
            refused,
            ["mallory cannot be asked", "packit/team cannot be", "mallory cannot be assigned"],
            strict=True,
        )
    ]
    pull = state.pull(number)
    assert (["bob"], ["bob"]) == (
        [each.login for each in pull.reviewers],
        [each.login for each in pull.assignees],
    )


async def test_nothing_asked_sends_nothing(github: GitHub, state: Repository) -> None:
    """Not even a read."""
    before = (github.requests.reads, github.requests.writes)
    assert () == await github.ensure_attention(404, labels=[], reviewers=[], assignees=[])
    assert before == (github.requests.reads, github.requests.writes)


async def test_a_label_comes_off(github: GitHub, state: Repository) -> None:
    """Done already is success."""
    await propose(github, state)
    number = (await open_pull_request(github)).number
    await github.ensure_attention(number, labels=["stablehand/rebuild", "keep"], reviewers=[], assignees=[])
    for _ in range(2):
        await github.remove_label(number, "stablehand/rebuild")
    assert ("keep",) == (await github.load_pull_request(number)).labels


async def test_closing(github: GitHub, state: Repository) -> None:
    """Once."""
    await propose(github, state)
    number = (await open_pull_request(github)).number
    before = github.requests.writes
    for _ in range(2):
        await github.close_pull_request(number)
    assert ("closed", 1) == (
        (await github.load_pull_request(number)).state,
        github.requests.writes - before,
    )


async def test_a_strangers_branch_may_have_any_name(github: GitHub, state: Repository) -> None:
    """In a fork anybody names it, as git allows and documents do not."""
    fork = state.fork("mallory")
    fork.commit("-sta\u200bble", {"release-state.yaml": "desired: 2\n"}, "Try", author="mallory")
    pull = state.open_pull_request("Try", "", "mallory:-sta\u200bble", "main", "mallory")

    found = await github.load_pull_request(pull.number)

    assert "-sta\u200bble" == found.head_branch
