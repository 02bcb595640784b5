"""The web pages, as a browser without scripts would use them."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import httpx
import pygit2
import pytest

from tests.sandbox import Permission, Repository, Sandbox, threads
from tests.sandbox.model import PullRequest
from tests.sandbox_tests.conftest import Clock

FILE = "release-state.yaml"
BEFORE = "version: 1\nref: stable\ntargets:\n  packit/ogr: aaaa   # the library\n"
PROPOSED = BEFORE.replace("aaaa", "bbbb")
PAGE = "/packit/release-state/pull/1"

Browser = Callable[[str], httpx.Client]


@pytest.fixture
def release_state(sandbox: Sandbox) -> Repository:
    made = sandbox.store.create_repository("packit/release-state")
    made.commit("main", {FILE: BEFORE, "README.md": "one\n"}, "Start")
    made.commit("stablehand/proposal", {FILE: PROPOSED}, "Propose one move", author="stablehand-bot")
    return made


@pytest.fixture
def pull(release_state: Repository) -> PullRequest:
    return release_state.open_pull_request(
        "Move stable: ogr",
        "One moves.",
        "stablehand/proposal",
        "main",
        "stablehand-bot",
        labels=["stablehand"],
    )


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[Browser]:
    """Give a browser that acts as a person."""
    made: list[httpx.Client] = []

    def browse(person: str) -> httpx.Client:
        client = httpx.Client(base_url=sandbox.url, follow_redirects=True)
        client.post("/-/person", data={"login": person})
        made.append(client)
        return client

    yield browse
    for client in made:
        client.close()


def typed(page: httpx.Response) -> str:
    """Read the editor's text as a browser does: without the newline that follows the tag."""
    match = re.search(r'<textarea name="text"[^>]*>\n?(.*?)</textarea>', page.text, re.DOTALL)
    assert match, page.text
    return unescape(match[1])


def hidden(page: httpx.Response, name: str) -> str:
    match = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page.text)
    assert match, page.text
    return unescape(match[1])


def problem(page: httpx.Response) -> str:
    """Read the message on top of a page, without its tags."""
    match = re.search(r'<p class="problem" role="alert">(.*?)</p>', page.text, re.DOTALL)
    assert match, page.text
    return unescape(re.sub("<[^>]+>", "", match[1]))


def edit(page: httpx.Response, text: str, **fields: str) -> dict[str, str]:
    """Fill the editor in as a browser submits it: lines end in CR LF."""
    return {
        "action": "commit",
        "path": FILE,
        "blob": hidden(page, "blob"),
        "text": text.replace("\n", "\r\n"),
        "message": "",
        **fields,
    }


def content(commit: pygit2.Commit) -> str:
    blob = commit.tree[FILE]
    assert isinstance(blob, pygit2.Blob)
    return blob.data.decode()


# Reading


def test_index_shows_how_far_each_repository_is_ahead(
    sandbox: Sandbox, repository: Repository, browser: Browser
) -> None:
    """Every repository is listed with its stable and default branches; one without stable says so."""
    sandbox.store.create_repository("packit/empty")
    first = str(repository.commit_at(repository.rev_parse("main")).parent_ids[0])
    repository.push("stable", first, by="alice")

    text = browser("alice").get("/").text

    assert first[:7] in text
    assert repository.rev_parse("main")[:7] in text
    assert '<a href="/packit/ogr/compare/stable...main">1 commit</a>' in text
    assert "packit/empty" in text


def test_pull_request_says_what_a_reviewer_needs(
    release_state: Repository, pull: PullRequest, browser: Browser
) -> None:
    """State, author, label, checks with descriptions, annotations on their lines, and the diff are shown."""
    release_state.add_status(pull.head_oid, "stablehand/plan", "success", description="1 of 1 moves")
    note = {
        "path": FILE,
        "start_line": 4,
        "end_line": 4,
        "annotation_level": "warning",
        "message": "21 commits",
    }
    output = {"title": "One line", "summary": "**bold**", "annotations": [note]}
    release_state.add_check_run(pull.head_oid, "stablehand-bot", "lines", conclusion="failure", output=output)

    text = browser("alice").get(PAGE).text

    for shown in (
        '<span class="state state-open">Open</span>',
        "<strong>stablehand-bot</strong> wants to merge 1 commit",
        '<span class="pill">stablehand</span>',
        "1 of 1 moves",
        "1 of 2 checks failed",
        "<strong>bold</strong>",
        "<pre>  packit/ogr: <mark>bbbb</mark>   # the library</pre>",
    ):
        assert shown in text
    assert re.search(r'class="note".*?21 commits', text, re.DOTALL)


def test_hostile_title_body_and_file_cannot_inject(release_state: Repository, browser: Browser) -> None:
    """What strangers write stays text, and the browser is told to run no script but the page's own."""
    script = "<script>alert(1)</script>"
    release_state.commit("evil", {FILE: f"</textarea>{script}\n"}, f"{script} evil")
    form = "<form action=/><input name=action></form>"
    body = f"{script}\n\n<img src=x onerror=alert(1)> <a href='javascript:alert(1)'>a</a>\n\n{form}"
    pull = release_state.open_pull_request(f"{script}x", body, "evil", "main", "mallory")
    release_state.comment(pull.number, "mallory", script)

    page = browser("alice").get(f"/packit/release-state/pull/{pull.number}")

    assert page.text.count("<script") == 1  # the page's own
    assert "onerror" not in page.text
    assert "javascript:" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert typed(page) == f"</textarea>{script}\n"
    assert '<input name="action"' not in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/packit/ogr",
        "/packit/ogr/commits/main",
        "/packit/ogr/commit/{head}",
        "/packit/ogr/compare/{parent}...{head}",
        "/packit/ogr/compare/topic/one...main",
        "/packit/ogr/compare/{head}...{parent}",
        "/packit/ogr/blob/main/README.md",
        "/packit/ogr/blob/topic/one/README.md",
    ],
)
def test_addresses_that_bodies_link_to_work(repository: Repository, browser: Browser, path: str) -> None:
    """The addresses are GitHub's, also for branches with a slash in their name."""
    head = repository.rev_parse("main")
    parent = str(repository.commit_at(head).parent_ids[0])
    repository.push("topic/one", parent, by="alice")

    assert browser("alice").get(path.format(head=head, parent=parent)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/packit/none",
        "/nowhere",
        "/packit/ogr/pull/7",
        "/packit/ogr/commit/0000000",
        "/packit/ogr/compare/main...none",
        "/packit/ogr/blob/main/none",
    ],
)
def test_what_is_not_there_is_said_on_a_page(repository: Repository, browser: Browser, path: str) -> None:
    page = browser("alice").get(path)

    assert page.status_code == 404
    assert problem(page)


def test_what_a_person_may_not_see_is_not_there(
    sandbox: Sandbox, repository: Repository, browser: Browser
) -> None:
    sandbox.store.grant("mallory", repository, Permission.NONE)
    client = browser("mallory")

    assert client.get("/packit/ogr").status_code == 404
    assert "packit/ogr" not in client.get("/").text


def test_link_to_edit_leads_to_the_pull_request(pull: PullRequest, browser: Browser) -> None:
    """GitHub's address of the editor opens the editor where the plan of the edit will be shown."""
    page = browser("alice").get(f"/packit/release-state/edit/stablehand/proposal/{FILE}")

    assert (page.url.path, page.url.fragment) == (PAGE, "edit")
    assert typed(page) == PROPOSED


# Acting


def test_edit_is_committed_as_the_person(
    sandbox: Sandbox, release_state: Repository, pull: PullRequest, browser: Browser
) -> None:
    """A commit lands on the head branch, changing nothing but what was typed, and is announced like any push."""
    announced: list[str] = []
    sandbox.store.listeners.append(
        lambda event, _repository, actor, details: announced.append(
            f"{event} {details.get('action', '')} by {actor.login}"
        )
    )
    client, before = browser("bob"), pull.head_oid
    edited = PROPOSED.replace("bbbb", "cccc")

    page = client.post(PAGE, data=edit(client.get(PAGE), edited, message="Hold ogr back"))

    commit = release_state.commit_at(pull.head_oid)
    assert page.status_code == 200
    assert [str(parent) for parent in commit.parent_ids] == [before]
    assert (commit.author.name, commit.message) == ("Bob", "Hold ogr back")
    assert content(commit) == edited
    assert {"push  by bob", "pull_request synchronize by bob"} <= set(announced)
    assert "pushed 1 commit" in page.text


def test_edit_of_a_file_on_a_branch_needs_no_pull_request(
    release_state: Repository, browser: Browser
) -> None:
    client = browser("alice")
    address = f"/packit/release-state/blob/main/{FILE}"

    client.post(address, data=edit(client.get(address), PROPOSED))

    tip = release_state.commit_at(release_state.rev_parse("main"))
    assert tip.message == f"Update {FILE}"
    assert content(tip) == PROPOSED


def test_edit_of_an_outdated_text_is_refused_and_kept(
    release_state: Repository, pull: PullRequest, browser: Browser
) -> None:
    """Nobody's commit is overwritten, and nobody types anything twice."""
    client = browser("alice")
    seen = client.get(PAGE)
    theirs = release_state.commit("stablehand/proposal", {FILE: BEFORE}, "By somebody else", author="bob")

    page = client.post(PAGE, data=edit(seen, "mine\n"))

    assert page.status_code == 409
    assert "does not match" in problem(page)
    assert typed(page) == "mine\n"
    assert pull.head_oid == theirs


def test_edit_that_changes_nothing_commits_nothing(pull: PullRequest, browser: Browser) -> None:
    client, before = browser("alice"), pull.head_oid

    page = client.post(PAGE, data=edit(client.get(PAGE), PROPOSED))

    assert "nothing to commit" in problem(page)
    assert pull.head_oid == before


@pytest.mark.parametrize("body", [b"", b"action=fly", b"action=commit", b"action=commit&path=%00", b"\xff"])
def test_form_that_no_page_has_is_refused(pull: PullRequest, browser: Browser, body: bytes) -> None:
    page = browser("alice").post(PAGE, content=body)

    assert page.status_code == 422
    assert problem(page)


def test_reviews_and_comments_are_said_with_their_person(pull: PullRequest, browser: Browser) -> None:
    client = browser("bob")

    client.post(PAGE, data={"action": "comment", "body": "Why **now**?", "head": pull.head_oid})
    page = client.post(PAGE, data={"action": "approve", "body": "", "head": pull.head_oid})

    assert "<strong>now</strong>" in page.text
    assert [(each.author.login, each.state) for each in pull.reviews] == [("bob", "APPROVED")]


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_merge_by_each_of_the_methods(
    release_state: Repository, pull: PullRequest, browser: Browser, method: str, parents: int
) -> None:
    client = browser("alice")

    page = client.post(
        PAGE, data={"action": "merge", "method": method, "head": hidden(client.get(PAGE), "head")}
    )

    tip = release_state.commit_at(release_state.rev_parse("main"))
    assert (pull.state, pull.merge_commit) == ("MERGED", str(tip.id))
    assert len(tip.parent_ids) == parents
    assert '<span class="state state-merged">Merged</span>' in page.text


def test_merge_of_another_head_than_was_seen_is_refused(
    release_state: Repository, pull: PullRequest, browser: Browser
) -> None:
    client = browser("alice")
    seen = hidden(client.get(PAGE), "head")
    release_state.commit("stablehand/proposal", {FILE: BEFORE + "#\n"}, "Meanwhile", author="bob")

    page = client.post(PAGE, data={"action": "merge", "head": seen})

    assert page.status_code == 409
    assert "Head branch was modified" in problem(page)
    assert pull.is_open


@pytest.mark.parametrize("action", ["merge", "close", "commit"])
def test_stranger_is_refused_with_the_reason(pull: PullRequest, browser: Browser, action: str) -> None:
    """The forms grant nothing that the API would not."""
    client, before = browser("mallory"), pull.head_oid
    fields = edit(client.get(PAGE), "mine\n") | {"action": action}

    page = client.post(PAGE, data=fields)

    assert page.status_code == 403
    assert "Must have push access to repository" in problem(page)
    assert (pull.state, pull.head_oid) == ("OPEN", before)


def test_author_cannot_approve(release_state: Repository, browser: Browser) -> None:
    """The reason that GitHub gives beside its message is shown too; what was typed is kept."""
    release_state.commit("topic", {FILE: PROPOSED}, "Mine")
    pull = release_state.open_pull_request("Mine", "", "topic", "main", "alice")
    address = f"/packit/release-state/pull/{pull.number}"

    page = browser("alice").post(
        address, data={"action": "approve", "body": "Fine & good", "head": pull.head_oid}
    )

    assert problem(page).endswith("Can not approve your own pull request")
    assert "Fine &amp; good</textarea>" in page.text


def test_close_and_reopen(pull: PullRequest, browser: Browser) -> None:
    client = browser("alice")

    closed = client.post(PAGE, data={"action": "close"})
    reopened = client.post(PAGE, data={"action": "reopen"})

    assert '<span class="state state-closed">Closed</span>' in closed.text
    assert 'class="card editor"' not in closed.text
    assert 'class="card editor"' in reopened.text
    assert pull.is_open


@pytest.mark.parametrize("login", ["nobody", "stablehand-bot"])
def test_cookie_that_names_no_person_is_alice(pull: PullRequest, browser: Browser, login: str) -> None:
    assert "Respond as alice" in browser(login).get(PAGE).text


@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("/packit/ogr", "/packit/ogr"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil", "/"),
    ],
)
def test_switching_the_person_leads_to_pages_of_the_sandbox_only(
    browser: Browser, back: str, location: str
) -> None:
    answer = browser("alice").post("/-/person", data={"login": "bob", "back": back}, follow_redirects=False)

    assert answer.headers["location"] == location


def test_pages_follow_the_clock_of_the_sandbox(pull: PullRequest, browser: Browser, clock: Clock) -> None:
    clock.advance(hours=5)

    assert "5 h ago</time>" in browser("alice").get(PAGE).text


def test_links_to_numbers_and_commits_work(
    release_state: Repository, repository: Repository, pull: PullRequest, browser: Browser
) -> None:
    """References in a body lead to the sandbox's own pages, in whatever repository."""
    sha = repository.rev_parse("main")
    release_state.comment(pull.number, "alice", f"See #1, packit/ogr@{sha} and packit/none#1")
    client = browser("alice")

    text = client.get(PAGE).text

    links: list[Any] = re.findall(r'<a href="(/packit/[^"]*)">(?:#1|packit/ogr@)', text)
    assert links == [PAGE, f"/packit/ogr/commit/{sha}"]
    assert all(client.get(link).status_code == 200 for link in links)


def test_a_suggestion_is_committed_with_one_click(pull: PullRequest, browser: Browser) -> None:
    """The diff shows what a comment suggests beside its line, and the button makes it a commit by the person."""
    bot = pull.repository.store.account("stablehand-bot")
    body = "Leave it:\n```suggestion\n  packit/ogr: aaaa   # the library\n```\n"
    threads.start(pull, bot, "", [threads.Draft(FILE, 4, 4, body)], pull.head_oid)
    alice = browser("alice")
    page = alice.get(PAGE).text
    assert "Commit suggestion" in page
    assert "Leave it:" in page

    thread = pull.threads[0]
    alice.post(PAGE, data={"action": "suggestion", "thread": thread.node_id, "number": "0"})

    head = pull.repository.commit_at(pull.head_oid)
    assert ("Apply suggestion from code review", "alice") == (head.message, head.author.name.lower())
    entry = head.tree[FILE]
    assert isinstance(entry, pygit2.Blob)
    assert BEFORE == entry.data.decode()
    assert "Commit suggestion" not in alice.get(PAGE).text
