"""Text from outside shows as what it is, wherever it stands."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconcile.render.markdown import anchor, drop_empty_columns, escape, link, shorten, table
from tests.reconcile.render.reading import active, flatten, links, parser, shown

HOSTILE = (
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<img src=x onerror=alert(1)>",
    "<!-- gone",
    "<details open>",
    "a | b | c",
    "\\| a \\\\| b",
    "`code` ``more``",
    "**bold** _it_ ~~s~~",
    "@alice and @packit/maintainers",
    "fixes #12, packit/ogr#3 and GH-7",
    "https://evil.example www.evil.example",
    "HTTPS://evil.example //evil.example",
    "someone@evil.example mailto:someone@evil.example",
    "# heading",
    "1. list",
    "- [x] done",
    "+ list",
    "> quote",
    "=====",
    ":---",
    "    code",
    "first\n\nsecond",
    "first\r\nsecond",
    "&lt;b&gt; &#64;alice &commat;alice",
    "$x$ $$y$$",
    "\u202egnp.exe",
    "a\u200bb\u2060c\ufeff",
    "\u0000\u0007\u001b[31m",
    "\u2028line",
    "[ref]: https://evil.example",
    "[^1]: note",
)
texts = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="|`*_~<>[]()!#@&;:/\\-+=.$ \n\t\r1aw\u200b\u202e", max_size=60),
    st.sampled_from(HOSTILE),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_stays_text(text: str) -> None:
    """Nothing that a title can hold becomes a link, an image, HTML, code or emphasis."""
    assert set() == active(escape(text))


@given(texts)
@example("www.www.example.com")
@example("://")
@example("@@a")
@example("##1")
def test_text_is_one_paragraph_of_text(text: str) -> None:
    """At the start of a line, too, no text is anything but words."""
    escaped = escape(text)
    kinds = {token.type for token in flatten(escaped)}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@given(texts, st.integers(min_value=1, max_value=200))
def test_the_reader_sees_the_text(text: str, limit: int) -> None:
    """What is shown is the text, on one line and cut to the limit; no sign of the escaping is seen."""
    assert shorten(text, limit) == shown(escape(text, limit))
    assert len(shorten(text, limit)) <= limit


@given(texts)
def test_nothing_invisible_is_left(text: str) -> None:
    """No control, no mark that reorders, no character without a shape."""
    assert {"Cc", "Cf", "Cs"}.isdisjoint({unicodedata.category(char) for char in shorten(text, 100)})


@given(texts)
def test_nobody_is_mentioned_and_nothing_referenced(text: str) -> None:
    """GitHub looks for these in what has been rendered, where no escape is left to stop it: a gap is."""
    rendered = "".join(token.content for token in flatten(escape(text)) if token.type.startswith("text"))
    assert not re.search(r"@\w|#\d|GH-\d|://|www\.", rendered, re.IGNORECASE)


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=5))
def test_a_table_keeps_its_cells(rows: list[tuple[str, str, str]]) -> None:
    """Whatever stands in the cells, there are as many rows and columns, and nothing active in them."""
    lines = table(("a", "b", "c"), [[escape(cell) for cell in row] for row in rows])
    tokens = parser().parse("\n".join(lines))
    kinds = [token.type for token in tokens]
    assert (1, len(rows) + 1) == (kinds.count("table_open"), kinds.count("tr_open"))
    assert (3, 3 * len(rows)) == (kinds.count("th_open"), kinds.count("td_open"))
    assert set() == active("\n".join(lines))
    # Nothing stands outside the table either.
    assert ("table_open", "table_close") == (kinds[0], kinds[-1])


@given(texts)
def test_cells_show_their_text(text: str) -> None:
    """Text in a cell is the same as outside."""
    lines = table(("head",), [[escape(text)]])
    assert f"head{shorten(text, 100)}" == shown("\n".join(lines))


@given(texts)
def test_a_link_leads_where_it_says(text: str) -> None:
    """Of a link's text nothing but text is left, and it leads to its own address alone."""
    made = link(f"x{text}", "https://github.example/packit/ogr/pull/1")
    assert ["https://github.example/packit/ogr/pull/1"] == links(made)
    assert {"link_open"} == active(made)


@given(st.text(max_size=80).map(lambda rest: f"https://github.example/{rest}"))
def test_an_address_does_not_break_out(url: str) -> None:
    """Whatever an address holds, it is one link or none."""
    made = link("text", url)
    assert made == "text" or (1 == len(links(made)) and "text" == shown(made))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://[broken",
        "https://github.example/a b",
        "https://github.example/\nx",
        "ftp://github.example",
    ],
)
def test_what_is_no_web_address_is_no_link(url: str | None) -> None:
    """Only http and https lead anywhere."""
    assert "text" == link("text", url)


def test_an_address_keeps_its_meaning() -> None:
    """Query, fragment and percent signs stay; what would end the link is encoded."""
    assert "[x](https://a.example/b?c=d&e=%20f#g%29)" == anchor("x", "https://a.example/b?c=d&e=%20f#g)")


@pytest.mark.parametrize(
    ("expected", "text", "limit"),
    [
        ("abc", "abc", 3),
        ("ab…", "abcd", 3),
        ("a…", "a bcd", 3),
        ("a b", " a \n\t b ", 5),
        ("", "\u200b\u202e", 5),
    ],
)
def test_shorten(expected: str, text: str, limit: int) -> None:
    """One line, at most as long as asked, with a mark where something is missing."""
    assert expected == shorten(text, limit)


def test_columns_that_say_nothing_are_dropped() -> None:
    """Below the head, that is; a column with one cell stays."""
    assert [("a", "c"), ("1", ""), ("", "2")] == drop_empty_columns(
        [("a", "b", "c"), ("1", "", ""), ("", "", "2")]
    )
