"""How the pages turn what people wrote into HTML, and patches into rows."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.pages import diffs, markup, views

SHA = "d35040ffe9045b614ee3f1ce558f6e4714197596"


def render(text: str) -> str:
    return markup.render(
        text,
        known={"alice"}.__contains__,
        resolve=lambda repository, reference: f"/{repository or 'here/it'}/{reference.lstrip('#')}",
    ).strip()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a<br>\nb</p>"),
        ("README.md", "<p>README.md</p>"),
        ("~~a~~", "<p><s>a</s></p>"),
        (
            "https://a.example/b",
            '<p><a href="https://a.example/b" rel="nofollow">https://a.example/b</a></p>',
        ),
        ("<!-- stablehand:plan -->\nx", "<p>x</p>"),
    ],
)
def test_markdown_is_githubs(text: str, html: str) -> None:
    assert render(text).strip() == html


def test_tables_task_lists_alerts_and_details_are_rendered() -> None:
    html = render(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n\n> [!WARNING]\n> careful\n\n"
        "<details open><summary>more</summary>\n\n**bold**\n\n</details>\n\n```yaml\na: 1\n```"
    )

    for shown in (
        '<td align="right">2</td>',
        '<input disabled="" type="checkbox" checked="">',
        '<div class="markdown-alert markdown-alert-warning">',
        '<details open=""><summary>more</summary>',
        "<strong>bold</strong>",
        '<span class="nt">a</span>',
    ):
        assert shown in html


@pytest.mark.parametrize(
    "text",
    ["@alice", "(@alice)", r"\@alice", "&#64;alice", "**@alice**", "@alice's", "<summary>@alice</summary>"],
)
def test_mentions_are_found_however_they_are_escaped(text: str) -> None:
    """GitHub looks for mentions in the rendered text: neither a backslash nor an entity prevents one."""
    assert '<span class="mention">@alice</span>' in render(text)


@pytest.mark.parametrize(
    "text",
    [
        "`@alice`",
        "```\n@alice\n```",
        "@\u200balice",
        "@<!-- -->alice",
        "x@alice",
        "@alice/team",
        "@bob",
        "[@alice](/x)",
    ],
)
def test_code_links_and_parted_names_mention_nobody(text: str) -> None:
    assert "mention" not in render(text)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("#12", '<a href="/here/it/12">#12</a>'),
        ("(#12)", '(<a href="/here/it/12">#12</a>)'),
        ("packit/ogr#12", '<a href="/packit/ogr/12">packit/ogr#12</a>'),
        (SHA, f'<a href="/here/it/{SHA}"><code>d35040f</code></a>'),
        (f"packit/ogr@{SHA}", f'<a href="/packit/ogr/{SHA}">packit/ogr@<code>d35040f</code></a>'),
    ],
)
def test_references_are_linked(text: str, link: str) -> None:
    assert render(text) == f"<p>{link}</p>"


@pytest.mark.parametrize("text", ["`#12`", "a#12", "#12a", "#\u200b12", f"`{SHA}`", f"{SHA}0", "&#38;"])
def test_what_is_no_reference_is_not_linked(text: str) -> None:
    assert "<a" not in render(text)


def test_rows_are_numbered_and_the_changed_part_is_marked() -> None:
    """A line and its edited version differ in the marked part only, also beside lines that are new."""
    rows = diffs.rows(
        "@@ -3,3 +3,4 @@ x\n same\n-  b: 123\n+  a: 000\n+  b: 145\n end\n\\ No newline at end of file"
    )

    assert [(row.kind, row.old, row.new, row.parts) for row in rows] == [
        ("hunk", None, None, ("", "", "@@ -3,3 +3,4 @@ x")),
        ("same", 3, 3, ("", "", "same")),
        ("removed", 4, None, ("  b: 1", "23", "")),
        ("added", None, 4, ("", "", "  a: 000")),
        ("added", None, 5, ("  b: 1", "45", "")),
        ("same", 5, 6, ("", "", "end")),
        ("remark", None, None, ("", "", "No newline at end of file")),
    ]


def test_no_patch_has_no_rows() -> None:
    assert diffs.rows("") == []


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=9), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=40), "40 d ago"),
    ],
)
def test_ages_are_said_in_the_unit_that_matters(past: timedelta, said: str) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)

    assert views.ago(now - past, now) == said
