"""Documents on disk are checked without the network, each with the other where that lies beside it."""

from pathlib import Path

import pytest

from flows.ways.check_file import check_file
from tests.builders import sha

STATE = f"version: 1\nref: stable\ntargets:\n  packit/ogr: {sha('a')}\n"
POLICY = "version: 1\ncandidate: head\nrepositories:\n  packit/ogr: {}\n"


def found(path: Path) -> list[str]:
    return [str(each).removeprefix(f"{path.parent}/") for each in check_file(path)]


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"release-{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"release-{next(iter(texts))}.yaml"


def test_a_good_document_has_no_findings(tmp_path: Path) -> None:
    """Alone or together with the other one."""
    assert [] == found(write(tmp_path, state=STATE))
    assert [] == found(write(tmp_path, policy=POLICY))


@pytest.mark.parametrize("first", ["state", "policy"])
def test_both_are_checked_against_each_other(tmp_path: Path, first: str) -> None:
    """Whichever is named, what contradicts the other is found, in the file that has to change."""
    texts = {"state": STATE + f"  packit/tokman: {sha('b')}\n", "policy": POLICY}
    path = write(tmp_path, **{first: texts.pop(first)}, **texts)
    (line,) = found(path)
    assert line.startswith("release-state.yaml:5:18: error: packit/tokman is not in the policy")


def test_problems_come_with_their_place(tmp_path: Path) -> None:
    """Every one at once, of both files."""
    path = write(tmp_path, state=STATE.replace("stable", '""'), policy="version: 2\n")
    assert [
        "release-state.yaml:2:6: error",
        "release-policy.yaml:1:1: error",
        "release-policy.yaml:1:10: error",
    ] == [line[: line.index("error") + 5] for line in found(path)]


def test_a_note_is_no_error(tmp_path: Path) -> None:
    """What a person may want is only noted."""
    path = write(tmp_path, policy=POLICY.replace("candidate: head\n", ""))
    assert ["note"] == [each.severity for each in check_file(path)]


def test_a_file_is_known_by_what_it_says(tmp_path: Path) -> None:
    """A policy under another name is a policy."""
    path = tmp_path / "draft.yaml"
    path.write_text(POLICY, encoding="utf-8")
    assert [] == found(path)


def test_what_cannot_be_opened_is_a_finding(tmp_path: Path) -> None:
    """A missing file and one that is no text end with a sentence."""
    assert ["release-state.yaml: error: it cannot be read: No such file or directory"] == found(
        tmp_path / "release-state.yaml"
    )
    (tmp_path / "release-state.yaml").write_bytes(b"version: \xff")
    assert ["release-state.yaml: error: it is not UTF-8 text (byte 9): save it as UTF-8"] == found(
        tmp_path / "release-state.yaml"
    )
