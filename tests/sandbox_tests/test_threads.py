"""Comments on lines of a diff: where they may stand, what becomes of them, and the changes that they suggest."""

import pytest

from tests.sandbox import Repository, Sandbox, threads
from tests.sandbox.errors import Unprocessable
from tests.sandbox.model import PullRequest
from tests.sandbox.threads import Draft

FILE = "state.yaml"
LINES = [f"line {number}" for number in range(1, 21)]


def text(**changed: str) -> str:
    return "".join(f"{changed.get(f'l{number}', line)}\n" for number, line in enumerate(LINES, 1))


@pytest.fixture
def pull(repository: Repository) -> PullRequest:
    """Line 10 of 20 is changed."""
    repository.commit("main", {FILE: text()}, "Start")
    repository.commit("edit", {FILE: text(l10="ten")}, "Edit", author="bob")
    return repository.open_pull_request("Edit", "", "edit", "main", "bob")


def start(pull: PullRequest, line: int, body: str = "why?", *, first: int | None = None) -> None:
    bot = pull.repository.store.account("stablehand-bot")
    threads.start(pull, bot, "", [Draft(FILE, first or line, line, body)], pull.head_oid)


def test_only_what_the_diff_shows_can_be_commented_on(pull: PullRequest) -> None:
    """The changed lines and three around them."""
    assert set(range(7, 14)) == threads.shown_lines(pull, FILE)
    start(pull, 7)
    for first, last in ((6, 6), (14, 14), (6, 8), (11, 10)):
        with pytest.raises(Unprocessable, match="part of the diff"):
            start(pull, last, first=first)
    assert 1 == len(pull.threads)


def test_a_thread_follows_its_lines(pull: PullRequest) -> None:
    """What is put before them moves it; what changes them leaves it behind."""
    start(pull, 11, first=10)
    pull.repository.commit("edit", {FILE: "zero\n" + text(l10="ten")}, "More", author="bob")
    assert (11, 12) == threads.position(pull, pull.threads[0])
    pull.repository.commit("edit", {FILE: text(l10="10")}, "Again", author="bob")
    assert threads.position(pull, pull.threads[0]) is None


def test_a_suggestion_replaces_exactly_its_lines(pull: PullRequest) -> None:
    start(pull, 11, "Either\n```suggestion\nX\n```\nor none\n````suggestion\n````\n", first=10)
    (thread,) = pull.threads
    assert [None, ["X"], None, []] == [part.lines for part in threads.parts(thread.comments[0].body)]
    assert text(l10="X").replace("line 11\n", "") == threads.suggested_text(pull, thread, 0)
    assert text(l10="X").replace("X\nline 11\n", "") == threads.suggested_text(pull, thread, 1)
    for number in (-1, 2):
        with pytest.raises(Unprocessable, match="outdated"):
            threads.suggested_text(pull, thread, number)


def test_with_its_last_comment_a_thread_is_gone(pull: PullRequest, sandbox: Sandbox) -> None:
    """And with its last thread a review that said nothing else."""
    start(pull, 10)
    (thread,) = pull.threads
    answer = threads.reply(pull, thread, sandbox.store.account("alice"), "because")
    threads.delete_comment(pull, thread, thread.comments[0])
    assert [answer] == thread.comments
    threads.delete_comment(pull, thread, answer)
    assert ([], []) == (pull.threads, pull.reviews)
