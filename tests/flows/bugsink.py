"""A real server that takes the events of Sentry's SDK: Bugsink, in an environment of its own, with SQLite."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import httpx

VERSION = "2.6.1"

_CONFIGURATION = """\
from pathlib import Path

from bugsink.settings.default import *

HERE = Path(__file__).parent
SECRET_KEY = "of a server that lives as long as a test, and serves this machine alone"
DATABASES["default"]["NAME"] = HERE / "db.sqlite3"
DATABASES["snappea"]["NAME"] = HERE / "snappea.sqlite3"
SNAPPEA = {{"TASK_ALWAYS_EAGER": True}}
ALLOWED_HOSTS = ["127.0.0.1"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
BUGSINK = {{
    "BASE_URL": "http://127.0.0.1:{port}",
    "SINGLE_USER": True,
    "SINGLE_TEAM": True,
    "PHONEHOME": False,
    "INGEST_STORE_BASE_DIR": HERE / "ingest",
}}
"""
_INSTALLATION_SECONDS = 300
_START_SECONDS = 60


class NotInstalledError(Exception):
    """Bugsink cannot be had here."""


@dataclass(frozen=True)
class Bugsink:
    """A server with one project."""

    dsn: str
    _client: httpx.Client
    _project: int

    @property
    def issues(self) -> list[dict[str, Any]]:
        """What the server has made of the events, the issue that began last first."""
        return self._list("issues", project=self._project)

    def events(self, issue: str) -> list[dict[str, Any]]:
        """What was sent, of one issue."""
        listed = self._list("events", issue=issue)
        return [
            self._client.get(f"events/{event['id']}/").raise_for_status().json()["data"] for event in listed
        ]

    def _list(self, what: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self._client.get(f"{what}/", params=query).raise_for_status().json()["results"]
        )
        return found


def install(folder: Path) -> Path:
    """Install Bugsink there, once, and return its environment.

    Raises:
        NotInstalledError: The package or its dependencies cannot be had.
    """
    environment, stamp = (
        folder / f"python{sys.version_info.major}.{sys.version_info.minor}",
        folder / "installed",
    )
    if stamp.exists() and stamp.read_text() == environment.name:
        return environment
    python = str(environment / "bin" / "python")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"bugsink=={VERSION}"],
    ):
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=_INSTALLATION_SECONDS, check=True)
        except subprocess.CalledProcessError as error:
            raise NotInstalledError(
                f"Bugsink {VERSION} cannot be installed: {error.stderr[-2000:]}"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise NotInstalledError(f"Bugsink {VERSION} cannot be installed: it takes too long") from error
    stamp.write_text(environment.name)
    return environment


@contextmanager
def serving(environment: Path, home: Path) -> Iterator[Bugsink]:
    """Serve in a new home until the block ends."""
    programs = environment / "bin"
    variables = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(home),
        "DJANGO_SETTINGS_MODULE": "bugsink_conf",
    }
    with create_server(("127.0.0.1", 0)) as socket, (home / "log").open("wb") as log:
        address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        (home / "bugsink_conf.py").write_text(_CONFIGURATION.format(port=socket.getsockname()[1]))

        def manage(*arguments: str) -> str:
            command = [str(programs / "bugsink-manage"), *arguments]
            return subprocess.run(
                command, env=variables, cwd=home, check=True, stdout=subprocess.PIPE, stderr=log, text=True
            ).stdout.strip()

        manage("migrate")
        token = manage("create_auth_token")
        server = subprocess.Popen(
            [programs / "gunicorn", "--bind", f"fd://{socket.fileno()}", "--threads", "2", "bugsink.wsgi"],
            env=variables,
            cwd=home,
            stdout=log,
            stderr=log,
            pass_fds=[socket.fileno()],
        )
        try:
            with httpx.Client(
                base_url=f"{address}/api/canonical/0/",
                headers={"Authorization": f"Bearer {token}"},
                # The socket listens before the server does: the first answer comes when it has started.
                timeout=_START_SECONDS,
            ) as client:
                yield _with_project(client)
        finally:
            server.terminate()
            server.wait()


def _with_project(client: httpx.Client) -> Bugsink:
    team = client.post("teams/", json={"name": "Team"}).raise_for_status().json()["id"]
    made = client.post("projects/", json={"team": team, "name": "stablehand"}).raise_for_status().json()
    project = client.get(f"projects/{made['id']}/").raise_for_status().json()
    return Bugsink(project["dsn"], client, project["id"])
