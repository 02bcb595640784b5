"""`python -m tests.sandbox` says where it is, and ends when told to."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox import Sandbox
from tests.sandbox.__main__ import main


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.sandbox", *arguments]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, sent: signal.Signals) -> None:
    with subprocess.Popen(
        command("--repositories", str(tmp_path)), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        url = said[0].split()[1]
        answer = httpx.get(f"{url}/rate_limit")
        process.send_signal(sent)

    assert 200 == answer.status_code
    assert 0 == process.returncode


def test_a_port_in_use_is_one_sentence(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = sandbox.url.rpartition(":")[2]

    assert 1 == main(["--repositories", str(tmp_path), "--port", port])
    assert f"Port {port} is in use: choose another with --port\n" == capsys.readouterr().err


def test_a_missing_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["--repositories", str(tmp_path / "nowhere")])
    assert "is not a folder" in capsys.readouterr().err
