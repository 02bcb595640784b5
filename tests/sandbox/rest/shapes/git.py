"""Commits, refs, trees and files."""

from base64 import encodebytes
from dataclasses import dataclass

import pygit2

from tests.sandbox import gitops
from tests.sandbox.model import Activity
from tests.sandbox.repository import WEB_FLOW, Repository
from tests.sandbox.rest.shapes.accounts import AccountShapes, Json, stamp


@dataclass(frozen=True)
class GitShapes(AccountShapes):
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
