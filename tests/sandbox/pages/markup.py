r"""Markdown as GitHub shows it: rendered, references linked, sanitised.

Mentions and references are found as GitHub finds them, in the text that is left after Markdown and HTML
entities have been read. So `\@alice` and `&#64;alice` do mention alice here too, and a text that would
ping somebody on GitHub is seen to do so.
"""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from typing import cast

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

# What a reference links to: given owner/name or "", and `#12` or a sha. None leaves the text as it stands.
Resolver = Callable[[str, str], str | None]
# Whether somebody is called so.
Known = Callable[[str], bool]

REFERENCE = re.compile(
    r"""
    (?<![\w/@`-]) @ (?P<login>[A-Za-z0-9](?:-?[A-Za-z0-9])*) (?![\w/-])
    | (?<![\w/.@\#-]) (?:(?P<repository>[\w.-]+/[\w.-]+) (?=[@\#]))?
      (?: \#(?P<number>\d+) | @?(?P<sha>[0-9a-f]{40}) ) (?!\w)
    """,
    re.VERBOSE,
)

LITERAL = ("a", "code", "pre")

TAGS = {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "input", "ins", "kbd", "li", "ol", "p", "pre", "q",
    "s", "samp", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "tt", "ul", "var",
}  # fmt: skip
ATTRIBUTES = {
    "*": {"title"},
    "a": {"href"},
    "details": {"open"},
    "div": {"align"},
    "img": {"src", "alt", "width", "height", "align"},
    "li": {"value"},
    "ol": {"start"},
    "p": {"align"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
}
ALERTS = ("note", "tip", "important", "warning", "caution")
CLASSES = {
    "div": {"markdown-alert", *(f"markdown-alert-{kind}" for kind in ALERTS)},
    "li": {"task-list-item"},
    "p": {"markdown-alert-title"},
    "span": {name for name in STANDARD_TYPES.values() if name},
    "ul": {"contains-task-list"},
}  # fmt: skip


def align(state: StateCore) -> None:
    """Say alignment as GitHub does, by attribute: a `style` would be sanitised away."""
    for token in state.tokens:
        style = token.attrs.pop("style", None)
        if isinstance(style, str):
            token.attrs["align"] = style.removeprefix("text-align:")


class References(HTMLParser):
    """Links what plain text refers to, not in links or code, and lets a wide table scroll by itself."""

    def __init__(self, known: Known, resolve: Resolver) -> None:
        super().__init__()
        self.known, self.resolve = known, resolve
        self.written: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.depth += tag in LITERAL
        self.written.append('<div class="scroll">' if tag == "table" else "")
        self.written.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in LITERAL
        self.written.append(f"</{tag}></div>" if tag == "table" else f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.written.append(escape(data, quote=False) if self.depth else self.linked(data))

    def linked(self, text: str) -> str:
        done, at = "", 0
        for match in REFERENCE.finditer(text):
            if link := self.link(match):
                done += escape(text[at : match.start()], quote=False) + link
                at = match.end()
        return done + escape(text[at:], quote=False)

    def link(self, match: re.Match[str]) -> str | None:
        if login := match["login"]:
            return f'<span class="mention">@{login}</span>' if self.known(login) else None
        repository, number, sha = match["repository"] or "", match["number"], match["sha"]
        target = self.resolve(repository, f"#{number}" if number else sha)
        if target is None:
            return None
        name = f"{repository}@" if repository else ""
        label = f"{repository}#{number}" if number else f"{name}<code>{sha[:7]}</code>"
        return f'<a href="{escape(target)}">{label}</a>'


def coloured(code: str, language: str, _attributes: str) -> str:
    """Highlight a fenced block; an empty answer leaves it plain."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return cast("str", highlight(code, lexer, HtmlFormatter(nowrap=True)))


def parser() -> MarkdownIt:
    # GitHub's own autolinks: linkify's guesses would make links of file names (README.md is a host in Moldova).
    markdown = MarkdownIt("gfm-like2", {"linkify": False, "breaks": True, "highlight": coloured})
    markdown.disable("linkify").use(gfm_autolink_plugin)
    markdown.core.ruler.push("align", align)
    return markdown


PARSER = parser()
SANITIZER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style", "textarea", "title"},
    attributes=ATTRIBUTES,
    allowed_classes=CLASSES,
    tag_attribute_values={"input": {"type": {"checkbox"}, "checked": {""}, "disabled": {""}}},
    set_tag_attribute_values={"input": {"disabled": "", "type": "checkbox"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow",
    # Left to be dropped by `References`: until then they part texts, so that `@<!-- -->alice` mentions nobody.
    strip_comments=False,
)


def render(
    text: str, *, known: Known = lambda _login: False, resolve: Resolver = lambda *_reference: None
) -> Markup:
    """Render what somebody wrote; the result is safe to put into a page."""
    references = References(known, resolve)
    references.feed(SANITIZER.clean(PARSER.render(text)))
    references.close()
    # Safe: sanitised, and every text since escaped again.
    return Markup("".join(references.written))
