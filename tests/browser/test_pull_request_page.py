"""A person's work on a proposal, in a real browser: read, edit, approve, merge."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.sandbox import Sandbox
from tests.sandbox.model import PullRequest

pytestmark = pytest.mark.browser

FILE = "release-state.yaml"
BEFORE = "version: 1\nref: stable\ntargets:\n  packit/ogr: {ogr}   # the library\n  packit/packit: {packit}\n"
OLD, NEW, EDITED = "a" * 40, "b" * 40, "c" * 40
BODY = """\
**2 of 2 move · stage green since 2026-11-23 04:12 UTC**

| repository | from → to | commits | pull requests | oldest waiting |
| --- | --- | ---: | --- | --- |
| packit/ogr | [`aaaaaaa → bbbbbbb`]({compare}) | 5 | {pulls} | 2026-11-06 |
| packit/packit | `aaaaaaa → bbbbbbb` | 16 | {pulls} | 2026-11-08 |

<details><summary>Waiting commits</summary>

```text
{commits}
```

</details>
""".format(
    compare="/packit/release-state/compare/main...stablehand/proposal",
    pulls="#105 Fix the parsing of srpm builds, and say in the release notes what has changed (alice)",
    commits="\n".join(f"{number:040x} Sort the imports" for number in range(30)),
)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.running(tmp_path / "repositories") as running:
        yield running


@pytest.fixture
def pull(sandbox: Sandbox, page: Page) -> PullRequest:
    """A proposal by the bot, opened in the browser."""
    repository = sandbox.store.create_repository("packit/release-state")
    repository.commit("main", {FILE: BEFORE.format(ogr=OLD, packit=OLD)}, "Start")
    repository.commit(
        "stablehand/proposal",
        {FILE: BEFORE.format(ogr=NEW, packit=NEW)},
        "Propose 2 moves",
        author="stablehand-bot",
    )
    pull = repository.open_pull_request(
        "Move stable: packit, ogr", BODY, "stablehand/proposal", "main", "stablehand-bot"
    )
    page.goto(f"{sandbox.url}/packit/release-state/pull/{pull.number}")
    return pull


def editor(page: Page) -> Locator:
    return page.get_by_label(f"Content of {FILE}")


def test_edit_approve_and_merge(page: Page, pull: PullRequest) -> None:
    """What a release engineer does: takes one repository back, sees the commit, approves, merges."""
    edited = BEFORE.format(ogr=EDITED, packit=NEW)
    editor(page).fill(edited)
    page.get_by_label("Commit message").fill("Take an older ogr")
    page.get_by_role("button", name="Commit changes").click()

    expect(page.locator("#conversation")).to_contain_text("alice pushed 1 commit")
    expect(page.locator("#files")).to_contain_text(EDITED)
    commit = pull.repository.commit_at(pull.head_oid)
    assert (commit.author.name, commit.message) == ("Alice", "Take an older ogr")

    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#conversation")).to_contain_text(re.compile(r"alice\s+approved"))

    page.get_by_label("How to merge").select_option("squash")
    page.get_by_role("button", name="Merge pull request").click()
    expect(page.locator("#head")).to_contain_text("Merged")
    expect(editor(page)).to_have_count(0)
    merged = pull.repository.commit_at(pull.repository.rev_parse("main"))
    assert pull.merge_commit == str(merged.id)
    assert merged.tree == pull.repository.commit_at(pull.head_oid).tree


def test_page_follows_what_happens_elsewhere(page: Page, pull: PullRequest) -> None:
    """Checks, comments and commits by others appear by themselves; what is open stays open."""
    repository = pull.repository
    page.get_by_text("Waiting commits").click()

    repository.add_status(pull.head_oid, "stablehand/plan", "success", description="2 of 2 move")
    repository.comment(pull.number, "stablehand-bot", "The **plan**")

    expect(page.locator("#checks")).to_contain_text("2 of 2 move")
    expect(page.locator("#conversation strong")).to_have_text("plan")

    repository.commit(
        "stablehand/proposal", {FILE: BEFORE.format(ogr=OLD, packit=NEW)}, "By bob", author="bob"
    )

    expect(page.locator("#commits")).to_contain_text("By bob")
    expect(editor(page)).to_have_value(BEFORE.format(ogr=OLD, packit=NEW))
    expect(page.locator("#description details")).to_have_attribute("open", "")


def test_page_leaves_alone_what_is_being_typed(page: Page, pull: PullRequest) -> None:
    """Somebody else's commit does not take a person's text away; the page says that it is outdated."""
    page.get_by_label("Comment", exact=True).fill("I think")
    editor(page).fill("mine\n")

    pull.repository.commit(
        "stablehand/proposal", {FILE: BEFORE.format(ogr=OLD, packit=NEW)}, "By bob", author="bob"
    )

    expect(page.locator("#commits")).to_contain_text("By bob")
    expect(page.get_by_text("The file has changed on the branch since you began")).to_be_visible()
    expect(editor(page)).to_have_value("mine\n")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("I think")


def test_stranger_sees_why_the_page_refuses(page: Page, pull: PullRequest) -> None:
    page.get_by_label("acting as").select_option("mallory")
    expect(page.get_by_text("Respond as mallory")).to_be_visible()

    page.get_by_role("button", name="Merge pull request").click()

    expect(page.get_by_role("alert")).to_contain_text("Must have push access to repository")
    assert pull.is_open


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_nothing_is_wider_than_the_screen(page: Page, pull: PullRequest, width: int) -> None:
    """A wide table or a long line of code scrolls by itself."""
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_text("Waiting commits").click()

    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    assert overflow == 0
