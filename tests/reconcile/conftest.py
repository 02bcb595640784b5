"""A machine that is not in Greenwich."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the machine into another zone: what says UTC has to mean it."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()
