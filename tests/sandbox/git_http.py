"""`git clone` and `git push` over HTTP, by git's own `http-backend`.

A push is served under the store's lock, and what it moved is handed on to the repository afterwards, as if it had
come through the API. Protected branches are refused by git itself, through the `update` hook beside this file.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.sandbox.api import HttpRequest
from tests.sandbox.model import Account, Permission
from tests.sandbox.repository import HEADS, Repository
from tests.sandbox.store import Store

HOOKS = Path(__file__).parent / "git_hooks"
CHUNK = 65_536


@dataclass(frozen=True)
class CgiAnswer:
    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes]


def is_push(request: HttpRequest) -> bool:
    return request.path == "/git-receive-pack" or b"service=git-receive-pack" in request.query


def refused_refs(store: Store, repository: Repository, account: Account | None) -> list[str]:
    """List the refs that the account may not move; `*` for every one."""
    if account is None or repository.archived or store.permission(account, repository) < Permission.WRITE:
        return ["*"]
    return [HEADS + name for name, allowed in repository.protections.items() if account.login not in allowed]


def environment(
    store: Store, repository: Repository, account: Account | None, request: HttpRequest
) -> dict[str, str]:
    settings = {
        "core.hooksPath": str(HOOKS),
        "http.receivepack": "true",
        # Any object can be fetched by its sha, as on GitHub, also a fork's.
        "uploadpack.allowAnySHA1InWant": "true",
        "uploadpack.allowFilter": "true",
        # What pull requests stand at can be fetched, and is GitHub's alone to move.
        "receive.hideRefs": "refs/pull",
        "receive.autogc": "false",
        "safe.directory": "*",
    }
    config = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (key, value) in enumerate(settings.items()):
        config |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return {
        "PATH": os.environ["PATH"],
        **config,
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(repository.path),
        "PATH_INFO": request.path,
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query.decode(),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_USER": account.login if account else "",
        "REMOTE_ADDR": "127.0.0.1",
        "SANDBOX_REFUSED_REFS": "\n".join(refused_refs(store, repository, account)),
    }


def serve(store: Store, repository: Repository, account: Account | None, request: HttpRequest) -> CgiAnswer:
    """Run one request, whose path is what follows `OWNER/NAME.git`."""
    env = environment(store, repository, account, request)
    if request.method == "POST" and request.path == "/git-receive-pack":
        assert account is not None, "a push without an account is refused before"
        with store.lock:
            before = all_refs(repository)
            answer = run(env, request.body)
            chunks = list(answer.chunks)
            after = all_refs(repository)
            moves = {
                name: (before.get(name), after.get(name))
                for name in sorted(before | after)
                if before.get(name) != after.get(name)
            }
            repository.pushed(moves, account)
        return CgiAnswer(answer.status, answer.headers, iter(chunks))
    return run(env, request.body)


def all_refs(repository: Repository) -> dict[str, str]:
    return {f"refs/{name}": sha for name, sha in repository.refs("refs/").items()}


def run(env: Mapping[str, str], body: bytes) -> CgiAnswer:
    with tempfile.TemporaryFile() as request:
        request.write(body)
        request.seek(0)
        process = subprocess.Popen(
            ["git", "http-backend"], env=dict(env), stdin=request, stdout=subprocess.PIPE
        )
    assert process.stdout is not None
    status, headers = 200, {}
    for line in iter(process.stdout.readline, b""):
        name, colon, value = line.decode().strip().partition(":")
        if not colon:
            break
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name.lower()] = value.strip()
    return CgiAnswer(status, headers, read(process, process.stdout))


def read(process: "subprocess.Popen[bytes]", output: IO[bytes]) -> Iterator[bytes]:
    with process, output:
        while chunk := output.read(CHUNK):
            yield chunk
