"""Everything the sandbox knows: accounts, Apps, repositories, behind one lock.

The lock is held for the whole of every request that the server executes, and by the deeds of `Repository`,
so that a test may act from its own thread while clients are being served.
"""

import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any

import pygit2

from tests.sandbox import gitops
from tests.sandbox.credentials import Credentials
from tests.sandbox.errors import Forbidden, NotFound, Unprocessable
from tests.sandbox.model import Account, App, Delivery, Hook, Permission
from tests.sandbox.repository import Repository

BOT_PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "actions": "write",
        "checks": "write",
        "contents": "write",
        "deployments": "write",
        "issues": "write",
        "metadata": "read",
        "pull_requests": "write",
        "repository_hooks": "write",
        "statuses": "write",
        "workflows": "write",
    }
)
CHECK_PERMISSIONS: Mapping[str, str] = MappingProxyType({"checks": "write", "metadata": "read"})

Listener = Callable[[str, Repository, Account, Mapping[str, Any]], None]


def utc_now() -> datetime:
    """Give the time as GitHub keeps it: in whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def cannot_redeliver(hook: Hook, delivery: Delivery) -> None:
    raise RuntimeError("Webhooks are delivered by a running sandbox only")


class Store:
    def __init__(self, directory: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.directory = directory
        self.clock = clock
        self.lock = RLock()
        self.is_stale = False
        self.listeners: list[Listener] = []
        self.redeliver: Callable[[Hook, Delivery], None] = cannot_redeliver
        self.credentials = Credentials(clock)
        self.apps: dict[str, App] = {}
        self.accounts: dict[str, Account] = {}
        self._ids = count(1_000_001)
        self._repositories: dict[str, Repository] = {}
        self._redirects: dict[str, int] = {}
        self._default_rights: dict[str, Permission] = {}
        self._rights: dict[tuple[int, str], Permission] = {}
        for slug, name, database_id, permissions in (
            ("stablehand-bot", "stablehand", 411_001, BOT_PERMISSIONS),
            ("packit-as-a-service", "Packit-as-a-Service", 29_076, CHECK_PERMISSIONS),
            ("packit-as-a-service-stg", "Packit-as-a-Service-stg", 29_180, CHECK_PERMISSIONS),
        ):
            self.add_app(slug, name=name, database_id=database_id, permissions=permissions)
        for login, right in (
            ("alice", Permission.WRITE),
            ("bob", Permission.WRITE),
            ("mallory", Permission.READ),
            ("packit-bot", Permission.WRITE),
        ):
            self.add_account(login, right=right)
        for path in sorted(directory.glob("*/*.git")):
            self._adopt(f"{path.parent.name}/{path.name.removesuffix('.git')}", path)

    def next_id(self) -> int:
        return next(self._ids)

    # Accounts

    def add_account(
        self, login: str, *, name: str | None = None, right: Permission = Permission.READ
    ) -> Account:
        """Add a person, with the same right in every repository (`grant` says otherwise for one)."""
        account = Account(self.next_id(), login, name or login.capitalize())
        self.accounts[login] = account
        self._default_rights[login] = right
        self.credentials.add(login, is_bot=False)
        return account

    def add_app(
        self,
        slug: str,
        *,
        name: str | None = None,
        database_id: int | None = None,
        permissions: Mapping[str, str] = BOT_PERMISSIONS,
        public_key: str | None = None,
    ) -> App:
        """Add a GitHub App and its bot account, installed everywhere."""
        app = App(database_id or self.next_id(), slug, name or slug, permissions, public_key)
        self.apps[slug] = app
        self.accounts[slug] = Account(self.next_id(), slug, f"{slug}[bot]", app)
        self._default_rights[slug] = Permission.WRITE
        self.credentials.add(slug, is_bot=True)
        return app

    def change_app(self, slug: str, **changes: Any) -> App:
        """Change an App's `permissions` or `public_key`."""
        with self.lock:
            app = replace(self.app(slug), **changes)
            self.apps[slug] = app
            self.accounts[slug] = replace(self.accounts[slug], app=app)
            return app

    def account(self, login: str | Account) -> Account:
        if isinstance(login, Account):
            return login
        if login not in self.accounts:
            raise NotFound(f"There is no account {login}")
        return self.accounts[login]

    def account_by_email(self, email: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.email == email), None)

    def app(self, slug: str) -> App:
        if slug not in self.apps:
            raise NotFound(f"There is no App {slug}")
        return self.apps[slug]

    def bot_of(self, app: App) -> Account:
        return self.accounts[app.slug]

    def grant(self, login: str, repository: Repository, permission: Permission) -> None:
        with self.lock:
            self._rights[repository.database_id, login] = permission

    def permission(self, account: Account | None, repository: Repository) -> Permission:
        if account is None:
            return Permission.READ
        if account.login == repository.owner:
            return Permission.ADMIN
        default = self._default_rights[account.login]
        return self._rights.get((repository.database_id, account.login), default)

    def require(
        self,
        account: Account | None,
        repository: Repository,
        permission: Permission,
        *,
        app_permission: str | None = None,
    ) -> Account:
        """Give the account if it has this right, and its App the permission to write; else raise as GitHub does."""
        if account is None or self.permission(account, repository) < permission:
            integration = account is not None and account.app is not None
            raise Forbidden(
                "Resource not accessible by integration"
                if integration
                else "Must have push access to repository."
            )
        if account.app and app_permission and account.app.permissions.get(app_permission) != "write":
            raise Forbidden("Resource not accessible by integration")
        return account

    # Repositories

    def create_repository(self, full_name: str, *, default_branch: str = "main") -> Repository:
        with self.lock:
            if full_name.lower() in self._repositories:
                raise Unprocessable(f"There is a repository {full_name} already")
            self._redirects.pop(full_name.lower(), None)
            path = self.directory / f"{full_name}.git"
            gitops.init_bare(path, default_branch)
            return self._adopt(full_name, path)

    def _adopt(self, full_name: str, path: Path, parent: Repository | None = None) -> Repository:
        # From the name, so that a repository keeps its id when a folder is served again.
        database_id = zlib.crc32(full_name.lower().encode()) & 0x7FFF_FFFF
        taken = {repository.database_id for repository in self._repositories.values()}
        while database_id in taken:
            database_id += 1
        git = pygit2.Repository(str(path))
        repository = Repository(self, full_name, path, git, database_id=database_id, parent=parent)
        self._repositories[full_name.lower()] = repository
        return repository

    def repositories(self) -> list[Repository]:
        return list(self._repositories.values())

    def repository(self, full_name: str, *, follow_renames: bool = True) -> Repository:
        """Find a repository in whatever case, also under a name that it had before."""
        key = full_name.lower()
        with self.lock:
            if key in self._repositories:
                return self._repositories[key]
            if follow_renames and key in self._redirects:
                return self.repository_by_id(self._redirects[key])
        raise NotFound(f"Could not resolve to a Repository with the name '{full_name}'.")

    def repository_by_id(self, database_id: int) -> Repository:
        for repository in self._repositories.values():
            if repository.database_id == database_id:
                return repository
        raise NotFound(f"Could not resolve to a Repository with the id {database_id}.")

    def rename_repository(self, old: str, new: str) -> Repository:
        """Give a repository another name, or owner; the old name goes on answering."""
        with self.lock:
            repository = self.repository(old, follow_renames=False)
            if new.lower() in self._repositories:
                raise Unprocessable(f"There is a repository {new} already")
            del self._repositories[old.lower()]
            self._redirects[old.lower()] = repository.database_id
            self._redirects.pop(new.lower(), None)
            repository.owner, repository.name = new.split("/")
            self._repositories[new.lower()] = repository
            return repository

    def archive_repository(self, full_name: str, *, archived: bool = True) -> None:
        with self.lock:
            self.repository(full_name).archived = archived

    def delete_repository(self, full_name: str) -> None:
        with self.lock:
            repository = self.repository(full_name, follow_renames=False)
            if self.forks(repository):
                raise Unprocessable(f"{full_name} has forks, which live on its objects")
            del self._repositories[full_name.lower()]
            shutil.rmtree(repository.path)

    def fork(self, repository: Repository, by: str) -> Repository:
        with self.lock:
            full_name = f"{by}/{repository.name}"
            path = self.directory / f"{full_name}.git"
            gitops.init_bare(path, repository.default_branch)
            shutil.rmtree(path / "objects")
            (path / "objects").symlink_to(repository.path.resolve() / "objects", target_is_directory=True)
            fork = self._adopt(full_name, path, parent=repository)
            for name, sha in repository.refs().items():
                fork.git.references.create(f"refs/heads/{name}", sha)
            return fork

    def forks(self, repository: Repository) -> list[Repository]:
        return [other for other in self._repositories.values() if other.parent is repository]

    def network_repository(self, repository: Repository, owner: str) -> Repository | None:
        """Find the fork of a repository, or what it is a fork of, that belongs to `owner`."""
        network = [repository, *self.forks(repository), *([repository.parent] if repository.parent else [])]
        return next((each for each in network if each.owner.lower() == owner.lower()), None)

    # Events and views

    def announce(self, event: str, repository: Repository, actor: Account, **details: Any) -> None:
        """Tell the listeners (webhooks); the details are what `webhooks.py` makes payloads of."""
        for listener in self.listeners:
            listener(event, repository, actor, details)

    @contextmanager
    def viewing(self, *, stale: bool = False) -> Iterator[None]:
        """Hold the lock, and read refs as they are, or as they were before the last write."""
        with self.lock:
            self.is_stale = stale
            try:
                yield
            finally:
                self.is_stale = False
