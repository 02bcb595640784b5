"""Release notes: what stands between the two lines of a pull request's description."""

import pytest

from state.policy import ReleaseNotes
from state.release_notes import find_note

MARKS = ReleaseNotes()


def body(note: str) -> str:
    return f"Fixes #12.\r\n\r\nRELEASE NOTES BEGIN\r\n{note}\r\nRELEASE NOTES END\r\n\r\nMore."


def test_it_is_one_line() -> None:
    assert "Builds are retried. Once." == find_note(body("\r\nBuilds are retried.\r\n\r\n  Once.\r\n"), MARKS)


@pytest.mark.parametrize("note", ["", " \r\n ", "N/A", "none.", "_None_", "<!-- say what\nis new -->"])
def test_nothing_to_tell_is_no_note(note: str) -> None:
    assert None is find_note(body(note), MARKS)


@pytest.mark.parametrize("text", ["", "RELEASE NOTES BEGIN only", "only RELEASE NOTES END", "no marks"])
def test_without_both_lines_there_is_none(text: str) -> None:
    assert None is find_note(text, MARKS)


def test_a_comment_of_the_template_is_left_out() -> None:
    assert "Builds are retried." == find_note(body("<!-- what is\r\nnew? -->\r\nBuilds are retried."), MARKS)


def test_other_marks() -> None:
    marks = ReleaseNotes(begin="## News", end="## Details")
    assert "It is faster." == find_note("## News\nIt is faster.\n## Details\nWhy: …", marks)
