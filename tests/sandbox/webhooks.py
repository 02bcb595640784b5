"""Webhooks: what happened becomes a signed request to whoever subscribed, from a thread of its own.

The payload is made at once, under the store's lock; delivering it never keeps a request waiting.
"""

import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from queue import Queue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.sandbox import gitops
from tests.sandbox.gitops import ZERO
from tests.sandbox.model import Account, Delivery, Hook, Label
from tests.sandbox.repository import HEADS, Repository
from tests.sandbox.rest.shapes import Json, Shapes, stamp
from tests.sandbox.store import Store

TIMEOUT = 10.0
COMMITS_IN_PUSH = 2048


class Webhooks:
    """Subscribes to a store's events; delivers them while entered as a context."""

    def __init__(self, store: Store, shapes: Shapes) -> None:
        self._shapes = shapes
        self._store = store
        self._queue: Queue[tuple[Hook, Delivery] | None] = Queue()
        self._thread = Thread(target=self._deliver_all, name="sandbox webhooks", daemon=True)
        store.listeners.append(self.announce)
        store.redeliver = self.redeliver

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._queue.put(None)
        self._thread.join()

    def announce(
        self, event: str, repository: Repository, actor: Account, details: Mapping[str, Any]
    ) -> None:
        hooks = [details["hook"]] if event == "ping" else list(repository.hooks.values())
        wanted = [
            hook for hook in hooks if hook.active and (event == "ping" or {event, "*"} & set(hook.events))
        ]
        if not wanted:
            return
        payload = {
            **payload_of(self._shapes, event, repository, actor, details),
            "repository": self._repository(event, repository),
            "sender": self._shapes.user(actor),
        }
        for hook in wanted:
            delivery = Delivery(self._store.next_id(), str(uuid4()), event, payload, self._store.clock())
            hook.deliveries.append(delivery)
            self._queue.put((hook, delivery))

    def _repository(self, event: str, repository: Repository) -> Json:
        shape = self._shapes.repository(repository)
        if event == "push":
            # Only here GitHub gives these times in seconds.
            pushed = repository.activity[-1].at if repository.activity else repository.created_at
            shape |= {
                "created_at": int(repository.created_at.timestamp()),
                "pushed_at": int(pushed.timestamp()),
            }
            shape |= {"stargazers": 0, "master_branch": repository.default_branch}
        return shape

    def redeliver(self, hook: Hook, delivery: Delivery) -> None:
        """Send a payload once more, under the same delivery id, as GitHub does."""
        again = Delivery(
            self._store.next_id(),
            delivery.guid,
            delivery.event,
            delivery.payload,
            self._store.clock(),
            redelivery=True,
        )
        hook.deliveries.append(again)
        self._queue.put((hook, again))

    def settle(self, timeout: float) -> None:
        """Wait until what is queued now has been tried."""
        done = Event()

        def wait() -> None:
            self._queue.join()
            done.set()

        Thread(target=wait, daemon=True).start()
        if not done.wait(timeout):
            raise TimeoutError(f"Webhooks were still under way after {timeout} s")

    def _deliver_all(self) -> None:
        # Receivers are on this machine, without TLS; loading certificates would cost more than all deliveries.
        with httpx.Client(
            timeout=TIMEOUT, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ) as client:
            while (item := self._queue.get()) is not None:
                deliver(client, *item)
                self._queue.task_done()
        self._queue.task_done()


def deliver(client: httpx.Client, hook: Hook, delivery: Delivery) -> None:
    """Post one payload; whatever goes wrong is recorded with the delivery."""
    body = json.dumps(delivery.payload).encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/sandbox",
        "x-github-event": delivery.event,
        "x-github-delivery": delivery.guid,
        "x-github-hook-id": str(hook.database_id),
        "x-github-hook-installation-target-type": "repository",
    }
    if hook.secret:
        digest = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
        headers["x-hub-signature-256"] = f"sha256={digest}"
    try:
        delivery.status = client.post(hook.url, content=body, headers=headers).status_code
    except httpx.HTTPError as error:
        delivery.error = f"{type(error).__name__}: {error}"


def payload_of(
    shapes: Shapes, event: str, repository: Repository, actor: Account, details: Mapping[str, Any]
) -> Json:
    match event:
        case "push":
            return push_payload(shapes, repository, actor, **details)
        case "pull_request":
            return pull_request_payload(shapes, **details)
        case "pull_request_review":
            pull = details["pull"]
            review = shapes.review(pull, details["review"])
            # In webhooks the state is in small letters, unlike everywhere else.
            review |= {"state": review["state"].lower(), "updated_at": review["submitted_at"]}
            return {
                "action": "submitted",
                "review": review,
                "pull_request": shapes.pull(pull, detailed=False),
            }
        case "issue_comment":
            pull, comment = details["pull"], details["comment"]
            return {
                "action": "created",
                "issue": shapes.issue(pull),
                "comment": shapes.comment(pull, comment),
            }
        case "status":
            return status_payload(shapes, repository, **details)
        case "check_run":
            run = details["check_run"]
            suite = shapes.check_suite(repository, run)
            return {
                "action": details["action"],
                "check_run": shapes.check_run(repository, run) | {"check_suite": suite},
            }
        case "ping":
            hook = shapes.hook(repository, details["hook"])
            return {"zen": "Anything added dilutes everything else.", "hook_id": hook["id"], "hook": hook}
    raise ValueError(f"There is no event {event}")


def push_payload(
    shapes: Shapes, repository: Repository, actor: Account, *, ref: str, before: str, after: str, forced: bool
) -> Json:
    page = shapes.page(repository)
    commits: list[Json] = []
    if after != ZERO and ref.startswith(HEADS):
        base = before if before != ZERO else repository.branch(repository.default_branch)
        known = base if base and base != after and repository.find_commit(base) else None
        between = gitops.commits_between(repository.git, known, after) if known else []
        commits = [push_commit(shapes, repository, str(each.id)) for each in between[-COMMITS_IN_PUSH:]]
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "base_ref": None,
        "compare": f"{page}/compare/{before[:12]}...{after[:12]}",
        "created": before == ZERO,
        "deleted": after == ZERO,
        "forced": forced,
        "commits": commits,
        "head_commit": push_commit(shapes, repository, after) if after != ZERO else None,
        "pusher": {"name": actor.rest_login, "email": actor.email},
    }


def push_commit(shapes: Shapes, repository: Repository, sha: str) -> Json:
    commit = repository.commit_at(sha)
    base = str(commit.parent_ids[0]) if commit.parent_ids else None
    files = gitops.changed_files(repository.git, base, sha)
    return {
        "id": sha,
        "tree_id": str(commit.tree_id),
        "distinct": True,
        "message": commit.message,
        "timestamp": stamp(gitops.signed_at(commit.committer)),
        "url": f"{shapes.page(repository)}/commit/{sha}",
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
        "added": [each.path for each in files if each.status == "added"],
        "removed": [each.path for each in files if each.status == "removed"],
        "modified": [each.path for each in files if each.status not in ("added", "removed")],
    }


def pull_request_payload(
    shapes: Shapes, *, action: str, pull: Any, label: Label | None = None, **details: Any
) -> Json:
    if label:
        details["label"] = shapes.label(pull.repository, label)
    return {"action": action, "number": pull.number, "pull_request": shapes.pull(pull), **details}


def status_payload(shapes: Shapes, repository: Repository, *, sha: str, status: Any) -> Json:
    shape = shapes.status(repository, sha, status)
    return {
        "id": shape["id"],
        "sha": sha,
        "name": repository.full_name,
        "avatar_url": shape["avatar_url"],
        "target_url": shape["target_url"],
        "context": shape["context"],
        "description": shape["description"],
        "state": shape["state"],
        "commit": shapes.commit(repository, repository.commit_at(sha)),
        "branches": [
            {
                "name": name,
                "commit": {"sha": head, "url": f"{shapes.api(repository)}/commits/{head}"},
                "protected": False,
            }
            for name, head in repository.refs().items()
            if head == sha
        ],
        "created_at": shape["created_at"],
        "updated_at": shape["updated_at"],
    }
