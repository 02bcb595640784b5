"""What `stablehand serve` says when it cannot start. That it serves is shown in test_prefect_installation.py."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import serve as serving
from flows.serve import serve
from flows.settings import SettingsError, load_settings
from reconcile.errors import UnreachableError


@pytest.fixture(autouse=True)
def _installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STABLEHAND_REPOSITORY", "packit/release-state")
    monkeypatch.setenv("STABLEHAND_TOKEN", "a-token")
    for name, value in serving._ENVIRONMENT.items():  # restored afterwards, whatever serve sets
        monkeypatch.setenv(name, value)


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_without_a_server_it_says_how_to_start_one() -> None:
    """Prefect would start a temporary one, in which nothing is scheduled for long."""
    with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(SettingsError) as caught:
        await serve()
    assert "prefect server start" in str(caught.value)


async def test_a_server_that_does_not_answer_is_named() -> None:
    """One sentence instead of a traceback of connection errors."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}), pytest.raises(UnreachableError) as caught:
            await serve()
    assert url in str(caught.value)


def test_a_port_in_use_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the port and the variable that gives another."""
    monkeypatch.setenv("STABLEHAND_WEBHOOK_SECRET", "a secret")
    with taken_port() as port:
        monkeypatch.setenv("STABLEHAND_WEBHOOK_PORT", str(port))
        settings = load_settings()
        assert settings.webhook_secret
        with (
            pytest.raises(SettingsError) as caught,
            serving._receiving(settings, settings.webhook_secret),
        ):
            pass
    assert f"port {port}" in str(caught.value)
    assert "STABLEHAND_WEBHOOK_PORT" in str(caught.value)
