"""Reading Markdown as GitHub does, as far as tests need it."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_ACTIVE = {
    "link_open",
    "image",
    "html_inline",
    "html_block",
    "code_inline",
    "em_open",
    "strong_open",
    "s_open",
}


def parser() -> MarkdownIt:
    """Make a reader with GitHub's extensions. A bare domain is no link there, which the preset would make it."""
    made = MarkdownIt("gfm-like")
    assert made.linkify is not None
    made.linkify.set({"fuzzy_link": False})
    return made


def flatten(markdown: str) -> Iterator[Token]:
    """Yield every token, those within lines too."""
    for token in parser().parse(markdown):
        yield token
        yield from token.children or ()


def types_of(markdown: str) -> set[str]:
    return {token.type for token in flatten(markdown)}


def active(markdown: str) -> set[str]:
    """Name what does more than show text."""
    return types_of(markdown) & _ACTIVE


def shown(markdown: str) -> str:
    """Return the text that a reader sees, without the invisible gaps."""
    texts = (
        token.content for token in flatten(markdown) if token.type in {"text", "text_special", "code_inline"}
    )
    return "".join(texts).replace("\u200b", "")


def links(markdown: str) -> list[str]:
    return [str(token.attrs["href"]) for token in flatten(markdown) if token.type == "link_open"]
