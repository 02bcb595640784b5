"""Relative links lead somewhere: to files that exist, and to headings that are there."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Page, every_page


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.path)
def test_every_relative_link_and_image_resolves(page: Page) -> None:
    dead = []
    for link in page.links:
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.directory / path).resolve() if path else ROOT / page.path
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    assert [] == dead


def _anchors(target: Path) -> set[str]:
    return {heading.anchor for heading in Page(target.relative_to(ROOT).as_posix()).headings}


def test_every_image_is_used() -> None:
    used = {
        (page.directory / link).resolve() for page in every_page() for link in page.links if "://" not in link
    }
    assert set() == set((ROOT / "docs/images").iterdir()) - used
