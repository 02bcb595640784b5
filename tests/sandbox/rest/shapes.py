"""The JSON of GitHub's REST objects, shared by the answers and the webhooks."""

from base64 import encodebytes
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pygit2

from tests.sandbox import gitops, pulls
from tests.sandbox.model import (
    Account,
    Activity,
    App,
    CheckRun,
    Comment,
    Delivery,
    Hook,
    Label,
    Permission,
    PullRequest,
    Review,
    Status,
    WorkflowRun,
)
from tests.sandbox.repository import WEB_FLOW, Repository
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
class Shapes:
    """`url` is the sandbox's own: root of the API as well as of the pages that `html_url` names."""

    store: Store
    url: str

    # Accounts

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

    # Repositories and git

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
            right = self.store.permission(viewer, repository)
            shape["permissions"] = {
                "admin": right >= Permission.ADMIN,
                "maintain": right >= Permission.MAINTAIN,
                "push": right >= Permission.WRITE,
                "triage": right >= Permission.TRIAGE,
                "pull": right >= Permission.READ,
            }
        return shape

    def git_actor(self, who: pygit2.Signature) -> Json:
        return {"name": who.name, "email": who.email, "date": stamp(gitops.signed_at(who))}

    def verification(self, commit: pygit2.Commit) -> Json:
        verified = commit.committer.email == WEB_FLOW[1]
        return {
            "verified": verified,
            "reason": "valid" if verified else "unsigned",
            "signature": "-----BEGIN PGP SIGNATURE-----" if verified else None,
            "payload": "" if verified else None,
            "verified_at": stamp(gitops.signed_at(commit.committer)) if verified else None,
        }

    def parents(self, repository: Repository, commit: pygit2.Commit, kind: str = "commits") -> list[Json]:
        api, page = self.api(repository), self.page(repository)
        return [
            {"sha": str(sha), "url": f"{api}/{kind}/{sha}", "html_url": f"{page}/commit/{sha}"}
            for sha in commit.parent_ids
        ]

    def git_commit(self, repository: Repository, commit: pygit2.Commit) -> Json:
        """Give a commit of the git database."""
        api = self.api(repository)
        return {
            "sha": str(commit.id),
            "node_id": f"C_{repository.database_id}_{commit.id}",
            "url": f"{api}/git/commits/{commit.id}",
            "html_url": f"{self.page(repository)}/commit/{commit.id}",
            "author": self.git_actor(commit.author),
            "committer": self.git_actor(commit.committer),
            "message": commit.message,
            "tree": {"sha": str(commit.tree_id), "url": f"{api}/git/trees/{commit.tree_id}"},
            "parents": self.parents(repository, commit, "git/commits"),
            "verification": self.verification(commit),
        }

    def commit(self, repository: Repository, commit: pygit2.Commit, *, detailed: bool = False) -> Json:
        """Give a commit as the repository's page shows it; `detailed` adds its files."""
        api = self.api(repository)
        author, committer = (
            self.store.account_by_email(who.email) for who in (commit.author, commit.committer)
        )
        git = self.git_commit(repository, commit)
        shape: Json = {
            "sha": git["sha"],
            "node_id": git["node_id"],
            "url": f"{api}/commits/{commit.id}",
            "html_url": git["html_url"],
            "comments_url": f"{api}/commits/{commit.id}/comments",
            "commit": {
                "url": git["url"],
                "author": git["author"],
                "committer": git["committer"],
                "message": commit.message,
                "tree": git["tree"],
                "comment_count": 0,
                "verification": git["verification"],
            },
            "author": self.user(author) if author else None,
            "committer": self.user(committer) if committer else None,
            "parents": self.parents(repository, commit),
        }
        if detailed:
            base = str(commit.parent_ids[0]) if commit.parent_ids else None
            files = gitops.changed_files(repository.git, base, str(commit.id))
            added, deleted = sum(each.additions for each in files), sum(each.deletions for each in files)
            shape["stats"] = {"additions": added, "deletions": deleted, "total": added + deleted}
            shape["files"] = [self.file_change(repository, each, str(commit.id)) for each in files]
        return shape

    def file_change(self, repository: Repository, change: gitops.FileChange, sha: str) -> Json:
        page = self.page(repository)
        shape: Json = {
            "sha": change.blob,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{page}/blob/{sha}/{change.path}",
            "raw_url": f"{page}/raw/{sha}/{change.path}",
            "contents_url": f"{self.api(repository)}/contents/{change.path}?ref={sha}",
        }
        if change.patch:
            shape["patch"] = change.patch
        if change.previous_path:
            shape["previous_filename"] = change.previous_path
        return shape

    def comparison(self, repository: Repository, comparison: gitops.Comparison, commits: list[Json]) -> Json:
        api, page = self.api(repository), self.page(repository)
        basehead = f"{comparison.base}...{comparison.head}"
        base = self.commit(repository, repository.commit_at(comparison.base))
        merge_base = comparison.merge_base
        changes = (
            gitops.changed_files(repository.git, merge_base, comparison.head) if comparison.ahead else []
        )
        return {
            "url": f"{api}/compare/{basehead}",
            "html_url": f"{page}/compare/{basehead}",
            "permalink_url": f"{page}/compare/{basehead}",
            "diff_url": f"{page}/compare/{basehead}.diff",
            "patch_url": f"{page}/compare/{basehead}.patch",
            "base_commit": base,
            "merge_base_commit": self.commit(repository, repository.commit_at(merge_base))
            if merge_base
            else base,
            "status": comparison.status.lower(),
            "ahead_by": comparison.ahead,
            "behind_by": comparison.behind,
            "total_commits": comparison.ahead,
            "commits": commits,
            "files": [self.file_change(repository, each, comparison.head) for each in changes],
        }

    def git_ref(self, repository: Repository, name: str, sha: str) -> Json:
        api = self.api(repository)
        kind = repository.git[sha].type_str
        return {
            "ref": name,
            "node_id": f"REF_{repository.database_id}_{name}",
            "url": f"{api}/git/{name}",
            "object": {"sha": sha, "type": kind, "url": f"{api}/git/{kind}s/{sha}"},
        }

    def branch(self, repository: Repository, name: str, sha: str) -> Json:
        api = self.api(repository)
        return {
            "name": name,
            "commit": {"sha": sha, "url": f"{api}/commits/{sha}"},
            "protected": name in repository.protections,
            "protection": {"enabled": name in repository.protections},
            "protection_url": f"{api}/branches/{name}/protection",
        }

    def tree(self, repository: Repository, tree: pygit2.Tree) -> Json:
        api = self.api(repository)
        return {
            "sha": str(tree.id),
            "url": f"{api}/git/trees/{tree.id}",
            "truncated": False,
            "tree": [
                {
                    "path": str(entry.name),
                    "mode": f"{int(entry.filemode or 0):06o}",
                    "type": entry.type_str,
                    "sha": str(entry.id),
                    "url": f"{api}/git/{entry.type_str}s/{entry.id}",
                    **({"size": entry.size} if isinstance(entry, pygit2.Blob) else {}),
                }
                for entry in tree
            ],
        }

    def content(self, repository: Repository, ref: str, path: str, entry: pygit2.Object) -> Json:
        """Give a file, with its content, or a folder's entry."""
        api, page = self.api(repository), self.page(repository)
        url, kind = f"{api}/contents/{path}?ref={ref}", "file" if isinstance(entry, pygit2.Blob) else "dir"
        git_url = f"{api}/git/{entry.type_str}s/{entry.id}"
        html = f"{page}/{'blob' if kind == 'file' else 'tree'}/{ref}/{path}"
        return {
            "type": kind,
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": str(entry.id),
            "size": entry.size if isinstance(entry, pygit2.Blob) else 0,
            "url": url,
            "git_url": git_url,
            "html_url": html,
            "download_url": f"{page}/raw/{ref}/{path}" if kind == "file" else None,
            "_links": {"self": url, "git": git_url, "html": html},
        } | (
            {"encoding": "base64", "content": encodebytes(entry.data).decode()}
            if isinstance(entry, pygit2.Blob)
            else {}
        )

    def activity(self, repository: Repository, activity: Activity) -> Json:
        return {
            "id": activity.database_id,
            "node_id": f"PSH_{activity.database_id}",
            "before": activity.before,
            "after": activity.after,
            "ref": activity.ref,
            "timestamp": stamp(activity.at),
            "activity_type": activity.kind,
            "actor": self.user(activity.actor),
        }

    # Pull requests

    def label(self, repository: Repository, label: Label) -> Json:
        return {
            "id": label.database_id,
            "node_id": label.node_id,
            "url": f"{self.api(repository)}/labels/{label.name}",
            "name": label.name,
            "description": label.description,
            "color": label.color,
            "default": False,
            "archived_at": None,
            "archived_by": None,
        }

    def pull(self, pull: PullRequest, *, detailed: bool = True) -> Json:
        """Give a pull request; lists leave the details out."""
        repository, number = pull.repository, pull.number
        api, page = self.api(repository), self.page(repository)
        links = {
            "self": f"{api}/pulls/{number}",
            "html": f"{page}/pull/{number}",
            "issue": f"{api}/issues/{number}",
            "comments": f"{api}/issues/{number}/comments",
            "review_comments": f"{api}/pulls/{number}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "commits": f"{api}/pulls/{number}/commits",
            "statuses": f"{api}/statuses/{pull.head_oid}",
        }
        sides = {
            name: {
                "label": f"{side.owner}:{ref}",
                "ref": ref,
                "sha": sha,
                "user": self.owner(side),
                "repo": self.repository(side),
            }
            for name, side, ref, sha in (
                ("head", pull.head_repository, pull.head_ref, pull.head_oid),
                ("base", repository, pull.base_ref, pull.base_oid),
            )
        }
        shape: Json = {
            "id": pull.database_id,
            "node_id": pull.node_id,
            "number": number,
            "url": links["self"],
            "html_url": links["html"],
            "diff_url": f"{links['html']}.diff",
            "patch_url": f"{links['html']}.patch",
            **{f"{name}_url": link for name, link in links.items() if name not in ("self", "html")},
            "state": "open" if pull.is_open else "closed",
            "locked": False,
            "active_lock_reason": None,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body or None,
            "labels": [self.label(repository, label) for label in pull.labels],
            "milestone": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "draft": pull.draft,
            "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at),
            "closed_at": stamp(pull.closed_at),
            "merged_at": stamp(pull.merged_at),
            "merge_commit_sha": pull.merge_commit,
            "author_association": pulls.association(repository, pull.author),
            "auto_merge": None,
            **sides,
            "_links": {name: {"href": link} for name, link in links.items()},
        }
        return shape | self._pull_details(pull) if detailed else shape

    def _pull_details(self, pull: PullRequest) -> Json:
        changes = pulls.files(pull)
        mergeable = pulls.is_mergeable(pull) if pull.is_open else None
        return {
            "merged": pull.is_merged,
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": {True: "clean", False: "dirty", None: "unknown"}[mergeable],
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": len(pulls.commits(pull)),
            "additions": sum(change.additions for change in changes),
            "deletions": sum(change.deletions for change in changes),
            "changed_files": len(changes),
        }

    def issue(self, pull: PullRequest) -> Json:
        """Give a pull request as the issue that it is too."""
        repository, shape = pull.repository, self.pull(pull, detailed=False)
        api = f"{self.api(repository)}/issues/{pull.number}"
        kept = (
            "id", "node_id", "number", "state", "locked", "active_lock_reason", "title", "user", "body", "labels",
            "milestone", "assignee", "assignees", "created_at", "updated_at", "closed_at", "author_association",
            "html_url", "draft",
        )  # fmt: skip
        return {name: shape[name] for name in kept} | {
            "url": api,
            "repository_url": self.api(repository),
            "labels_url": f"{api}/labels{{/name}}",
            "comments_url": f"{api}/comments",
            "events_url": f"{api}/events",
            "timeline_url": f"{api}/timeline",
            "comments": len(pull.comments),
            "pull_request": {
                name: shape[name] for name in ("url", "html_url", "diff_url", "patch_url", "merged_at")
            },
            "reactions": self.reactions(f"{api}/reactions"),
            "performed_via_github_app": None,
            "state_reason": None,
        }

    def reactions(self, url: str) -> Json:
        kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
        return {"url": url, "total_count": 0, **dict.fromkeys(kinds, 0)}

    def comment(self, pull: PullRequest, comment: Comment) -> Json:
        api = self.api(pull.repository)
        url = f"{api}/issues/comments/{comment.database_id}"
        return {
            "id": comment.database_id,
            "node_id": comment.node_id,
            "url": url,
            "html_url": f"{self.page(pull.repository)}/pull/{pull.number}#issuecomment-{comment.database_id}",
            "issue_url": f"{api}/issues/{pull.number}",
            "user": self.user(comment.author),
            "body": comment.body,
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
            "author_association": pulls.association(pull.repository, comment.author),
            "reactions": self.reactions(f"{url}/reactions"),
            "performed_via_github_app": self.app(comment.author.app) if comment.author.app else None,
        }

    def review(self, pull: PullRequest, review: Review) -> Json:
        page = f"{self.page(pull.repository)}/pull/{pull.number}#pullrequestreview-{review.database_id}"
        api = f"{self.api(pull.repository)}/pulls/{pull.number}"
        return {
            "id": review.database_id,
            "node_id": review.node_id,
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": api,
            "author_association": pulls.association(pull.repository, review.author),
            "_links": {"html": {"href": page}, "pull_request": {"href": api}},
            "submitted_at": stamp(review.submitted_at),
            "commit_id": review.commit,
        }

    # Statuses, check runs, workflows, hooks

    def status(self, repository: Repository, sha: str, status: Status) -> Json:
        return {
            "url": f"{self.api(repository)}/statuses/{sha}",
            "avatar_url": f"{self.url}/avatars/{status.creator.database_id}",
            "id": status.database_id,
            "node_id": status.node_id,
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "creator": self.user(status.creator),
        }

    def combined_status(self, repository: Repository, sha: str, statuses: list[Status]) -> Json:
        api = self.api(repository)
        states = {status.state for status in statuses}
        state = (
            "failure" if states & {"failure", "error"} else "pending" if states != {"success"} else "success"
        )
        return {
            "state": state,
            "statuses": [
                {
                    name: value
                    for name, value in self.status(repository, sha, each).items()
                    if name != "creator"
                }
                for each in statuses
            ],
            "sha": sha,
            "total_count": len(statuses),
            "repository": self.repository(repository),
            "commit_url": f"{api}/commits/{sha}",
            "url": f"{api}/commits/{sha}/status",
        }

    def check_run(self, repository: Repository, run: CheckRun) -> Json:
        api = self.api(repository)
        url = f"{api}/check-runs/{run.database_id}"
        html = f"{self.page(repository)}/runs/{run.database_id}"
        return {
            "id": run.database_id,
            "name": run.name,
            "node_id": run.node_id,
            "head_sha": run.sha,
            "external_id": run.external_id,
            "url": url,
            "html_url": html,
            "details_url": run.details_url or html,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": stamp(run.started_at),
            "completed_at": stamp(run.completed_at),
            "output": {
                "title": run.output.get("title"),
                "summary": run.output.get("summary"),
                "text": run.output.get("text"),
                "annotations_count": len(run.output.get("annotations", ())),
                "annotations_url": f"{url}/annotations",
            },
            "check_suite": {"id": run.suite_id},
            "app": self.app(run.app),
            "pull_requests": [],
        }

    def check_suite(self, repository: Repository, run: CheckRun) -> Json:
        """Give the suite of a run, as the webhook of the run shows it."""
        return {
            "id": run.suite_id,
            "node_id": f"CS_{run.suite_id}",
            "head_branch": None,
            "head_sha": run.sha,
            "status": run.status,
            "conclusion": run.conclusion,
            "url": f"{self.api(repository)}/check-suites/{run.suite_id}",
            "before": None,
            "after": None,
            "pull_requests": [],
            "app": self.app(run.app),
            "created_at": stamp(run.created_at),
            "updated_at": stamp(run.completed_at or run.started_at or run.created_at),
        }

    def workflow_run(self, repository: Repository, run: WorkflowRun) -> Json:
        api = f"{self.api(repository)}/actions"
        url = f"{api}/runs/{run.database_id}"
        head = repository.commit_at(run.sha)
        git = self.git_commit(repository, head)
        return {
            "id": run.database_id,
            "name": run.workflow,
            "node_id": f"WFR_{run.database_id}",
            "head_branch": run.ref,
            "head_sha": run.sha,
            "path": f".github/workflows/{run.workflow}",
            "display_title": run.workflow,
            "run_number": run.database_id,
            "event": "workflow_dispatch",
            "status": "queued",
            "conclusion": None,
            "workflow_id": run.workflow_id,
            "check_suite_id": run.database_id,
            "check_suite_node_id": f"CS_{run.database_id}",
            "url": url,
            "html_url": f"{self.page(repository)}/actions/runs/{run.database_id}",
            "pull_requests": [],
            "created_at": stamp(run.created_at),
            "updated_at": stamp(run.created_at),
            "run_started_at": stamp(run.created_at),
            "actor": self.user(run.actor),
            "triggering_actor": self.user(run.actor),
            **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")},
            "check_suite_url": f"{self.api(repository)}/check-suites/{run.database_id}",
            "workflow_url": f"{api}/workflows/{run.workflow_id}",
            "head_commit": {
                "id": run.sha,
                "tree_id": git["tree"]["sha"],
                "message": head.message,
                "timestamp": git["author"]["date"],
                "author": {"name": head.author.name, "email": head.author.email},
                "committer": {"name": head.committer.name, "email": head.committer.email},
            },
            "repository": self.repository(repository),
            "head_repository": self.repository(repository),
        }

    def hook(self, repository: Repository, hook: Hook) -> Json:
        url = f"{self.api(repository)}/hooks/{hook.database_id}"
        last = hook.deliveries[-1] if hook.deliveries else None
        return {
            "type": "Repository",
            "id": hook.database_id,
            "name": "web",
            "active": hook.active,
            "events": list(hook.events),
            "config": {
                "url": hook.url,
                "content_type": hook.content_type,
                "insecure_ssl": "0",
                **({"secret": "********"} if hook.secret else {}),
            },
            "created_at": stamp(hook.created_at),
            "updated_at": stamp(hook.created_at),
            "url": url,
            "test_url": f"{url}/test",
            "ping_url": f"{url}/pings",
            "deliveries_url": f"{url}/deliveries",
            "last_response": {
                "code": last.status if last else None,
                "status": "unused" if last is None else "active" if last.status else "misconfigured",
                "message": last.error if last else None,
            },
        }

    def delivery(self, delivery: Delivery) -> Json:
        return {
            "id": delivery.database_id,
            "guid": delivery.guid,
            "delivered_at": stamp(delivery.at),
            "redelivery": delivery.redelivery,
            "duration": 0.0,
            "status": delivery.error or "OK",
            "status_code": delivery.status or 0,
            "event": delivery.event,
            "action": delivery.payload.get("action"),
            "installation_id": None,
            "repository_id": delivery.payload["repository"]["id"],
            "throttled_at": None,
        }
