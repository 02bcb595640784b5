"""Who may move which ref: rights, protection, archives, and the special permission for workflow files."""

from typing import TYPE_CHECKING

import pygit2

from tests.sandbox import gitops
from tests.sandbox.errors import Forbidden, Protected
from tests.sandbox.model import Account, Permission

if TYPE_CHECKING:
    from tests.sandbox.repository import Repository

WORKFLOWS = ".github/workflows"


def check_push(
    repository: "Repository", account: Account, ref: str, before: str | None, after: str | None
) -> None:
    """Raise what GitHub answers when `account` may not move this ref from `before` to `after`."""
    repository.store.require(account, repository, Permission.WRITE, app_permission="contents")
    if repository.archived:
        raise Forbidden("Repository was archived so is read-only.")
    allowed = repository.protections.get(ref.removeprefix("refs/heads/"))
    if allowed is not None and account.login not in allowed:
        raise Protected(
            f"Protected branch update failed for {ref}. You're not authorized to push to this branch."
        )
    if account.app and account.app.permissions.get("workflows") != "write" and after:
        changed = changed_workflow(repository, before or repository.branch(repository.default_branch), after)
        if changed:
            raise Forbidden(
                f"refusing to allow a GitHub App to create or update workflow `{changed}` "
                "without `workflows` permission"
            )


def changed_workflow(repository: "Repository", before: str | None, after: str) -> str | None:
    """Find a workflow file that is not the same in two commits."""

    def workflows(sha: str | None) -> dict[str, str]:
        folder = gitops.read_file(repository.commit_at(sha), WORKFLOWS) if sha else None
        entries = folder if isinstance(folder, pygit2.Tree) else ()
        return {str(entry.name): str(entry.id) for entry in entries}

    old, new = workflows(before), workflows(after)
    changed = sorted(name for name in old | new if old.get(name) != new.get(name))
    return f"{WORKFLOWS}/{changed[0]}" if changed else None
