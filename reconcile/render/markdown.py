"""GitHub's Markdown, written so that text from outside stays text.

Titles, names and answers come from people whom nobody knows. Everything of theirs goes through `escape` or `link`,
and what they return is never escaped again. Two of GitHub's habits cannot be escaped away, since they look at the
text *after* Markdown has been rendered: mentions and references (github/markup#1168). An invisible space breaks them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlsplit

TITLE_LIMIT = 100
"""Enough of a title, a name or a sentence to know it again."""

_GAP = "&#8203;"
_CUT = "…"
# Letters and marks stay; what shows nothing, or changes how the rest is read, goes.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BLANK = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"}
"""Letters and marks by their category that show nothing either."""
_MEANINGFUL = str.maketrans({char: f"&#{ord(char)};" for char in r"&<>[]*_~`|\$"})
_AT_START = re.compile(r"^(?:[#+=:-]|\d{1,9}[.)])")
_TRIGGERS = re.compile(r"@|#(?=\d)|GH-(?=\d)|/(?=/)|www(?=\.)", re.IGNORECASE)
# Kept as they are in an address; everything else is percent-encoded, `%` aside, which is so already.
_SAFE_IN_URL = "/:?#@!&+,=%~-._"


def escape(text: str, limit: int = TITLE_LIMIT) -> str:
    """Make one line of text show as what it is, and as nothing else, anywhere in a document.

    Args:
        text: Somebody else's words.
        limit: The most characters that are shown, the mark of a cut among them.
    """
    shown = shorten(text, limit)
    # In the order in which nothing breaks what an earlier step has written.
    escaped = _TRIGGERS.sub(lambda match: f"{match[0]}\0", shown).translate(_MEANINGFUL)
    return _AT_START.sub(_as_entity, escaped).replace("\0", _GAP)


def shorten(text: str, limit: int) -> str:
    """Bring text to one visible line of at most ``limit`` characters. It is not escaped."""
    line = " ".join("".join(map(_visible, text)).split())
    return line if len(line) <= limit else line[: limit - len(_CUT)].rstrip() + _CUT


def link(text: str, url: str | None, limit: int = TITLE_LIMIT) -> str:
    """Link a text to an address; the address is somebody else's word too."""
    return anchor(escape(text, limit), url)


def anchor(markdown: str, url: str | None) -> str:
    """Link what is Markdown already. Only web addresses become links."""
    if not markdown or url is None or not _is_web_address(url):
        return markdown
    return f"[{markdown}]({quote(url, safe=_SAFE_IN_URL)})"


def code(text: str) -> str:
    """Show what this program itself wrote, such as a sha, in fixed width. Not for text from outside."""
    assert "`" not in text
    return f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Lay out lines of a table; the cells are Markdown, one line each."""
    return (_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows))


def drop_empty_columns(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Leave out the columns that say nothing below the head, which is the first row."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return list(zip(*columns, strict=True))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _as_entity(match: re.Match[str]) -> str:
    """Write the last character, which makes a heading, a list or the like at the start of a line, as an entity."""
    return f"{match[0][:-1]}&#{ord(match[0][-1])};"


def _visible(char: str) -> str:
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) in _INVISIBLE or char in _BLANK else char


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable() and " " not in url
