"""Comparing with a golden file. ``STABLEHAND_WRITE_GOLDEN=1`` writes them; their diff is then reviewed."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Say whether a text is what the golden file of this name has."""
    path = _FOLDER / name
    if os.environ.get("STABLEHAND_WRITE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n"
