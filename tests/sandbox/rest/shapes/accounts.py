"""Accounts, Apps and repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.model import Account, App, Permission
from tests.sandbox.repository import Repository
from tests.sandbox.store import Store

Json = dict[str, Any]

USER_LINKS = (
    "followers", "following{/other_user}", "gists{/gist_id}", "starred{/owner}{/repo}", "subscriptions", "orgs",
    "repos", "events{/privacy}", "received_events",
)  # fmt: skip
REPOSITORY_LINKS: Mapping[str, str] = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


def stamp(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


@dataclass(frozen=True)
class AccountShapes:
    """`url` is the sandbox's own: root of the API as well as of the pages that `html_url` names."""

    store: Store
    url: str

    def user(self, account: Account) -> Json:
        login, api = account.rest_login, f"{self.url}/users/{account.rest_login}"
        links = {f"{link.partition('{')[0]}_url": f"{api}/{link}" for link in USER_LINKS}
        links["organizations_url"] = links.pop("orgs_url")
        page = f"{self.url}/apps/{account.login}" if account.app else f"{self.url}/{login}"
        return {
            "login": login,
            "id": account.database_id,
            "node_id": account.node_id,
            "avatar_url": f"{self.url}/avatars/{account.database_id}",
            "gravatar_id": "",
            "url": api,
            "html_url": page,
            **links,
            "type": account.kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def profile(self, account: Account) -> Json:
        """What one's own `GET /user` adds."""
        return self.user(account) | {
            "name": account.name,
            "company": None,
            "blog": "",
            "location": None,
            "email": None,
            "hireable": None,
            "bio": None,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
        }

    def owner(self, repository: Repository) -> Json:
        """Give the owner, who is an organization unless it is an account of the store."""
        account = self.store.accounts.get(repository.owner)
        if account is not None:
            return self.user(account)
        organization = Account(repository.database_id, repository.owner, repository.owner)
        return self.user(organization) | {"type": "Organization"}

    def app(self, app: App) -> Json:
        return {
            "id": app.database_id,
            "slug": app.slug,
            "client_id": app.client_id,
            "node_id": app.node_id,
            "owner": self.user(Account(app.database_id, "packit", "packit")) | {"type": "Organization"},
            "name": app.name,
            "description": "",
            "external_url": "https://packit.dev",
            "html_url": f"{self.url}/apps/{app.slug}",
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
            "permissions": dict(app.permissions),
            "events": [],
        }

    def api(self, repository: Repository) -> str:
        return f"{self.url}/repos/{repository.full_name}"

    def page(self, repository: Repository) -> str:
        return f"{self.url}/{repository.full_name}"

    def repository(self, repository: Repository, viewer: Account | None = None) -> Json:
        """Give a repository; with a viewer, also what they may do in it."""
        api, page = self.api(repository), self.page(repository)
        pushed = repository.activity[-1].at if repository.activity else repository.created_at
        open_pulls = sum(pull.is_open for pull in repository.pulls.values())
        forks = len(self.store.forks(repository))
        shape: Json = {
            "id": repository.database_id,
            "node_id": repository.node_id,
            "name": repository.name,
            "full_name": repository.full_name,
            "private": False,
            "owner": self.owner(repository),
            "html_url": page,
            "description": None,
            "fork": repository.is_fork,
            "url": api,
            **{
                name: f"{api}/{link}"
                for name, link in REPOSITORY_LINKS.items()
            },
            "git_url": f"{page}.git",
            "ssh_url": f"{page}.git",
            "clone_url": f"{page}.git",
            "svn_url": page,
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            "forks": forks,
            "forks_count": forks,
            "network_count": forks,
            "stargazers_count": 0,
            "watchers": 0,
            "watchers_count": 0,
            "subscribers_count": 0,
            "size": 0,
            "default_branch": repository.default_branch,
            "open_issues": open_pulls,
            "open_issues_count": open_pulls,
            "is_template": False,
            "topics": [],
            "has_issues": True,
            "has_projects": False,
            "has_downloads": False,
            "has_wiki": False,
            "has_pages": False,
            "has_discussions": False,
            "archived": repository.archived,
            "disabled": False,
            "visibility": "public",
            "web_commit_signoff_required": False,
            "allow_forking": True,
            "pushed_at": stamp(pushed),
            "created_at": stamp(repository.created_at),
            "updated_at": stamp(pushed),
        }  # fmt: skip
        if repository.parent is not None:
            shape["parent"] = shape["source"] = self.repository(repository.parent)
        if viewer is not None:
            # Of an App GitHub says that it may do nothing, whatever it may do (lindell/multi-gitter, issue 224).
            right = Permission.NONE if viewer.app else self.store.permission(viewer, repository)
            shape["permissions"] = {
                "admin": right >= Permission.ADMIN,
                "maintain": right >= Permission.MAINTAIN,
                "push": right >= Permission.WRITE,
                "triage": right >= Permission.TRIAGE,
                "pull": right >= Permission.READ,
            }
        return shape
