"""Pull requests, which are issues too, with their labels, comments and reviews."""

from dataclasses import dataclass

from tests.sandbox import pulls
from tests.sandbox.model import Comment, Label, PullRequest, Review
from tests.sandbox.repository import Repository
from tests.sandbox.rest.shapes.accounts import Json, stamp
from tests.sandbox.rest.shapes.git import GitShapes


@dataclass(frozen=True)
class PullShapes(GitShapes):
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
            "assignee": self.user(pull.assignees[0]) if pull.assignees else None,
            "assignees": [self.user(each) for each in pull.assignees],
            "requested_reviewers": [self.user(each) for each in pull.reviewers],
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
            "review_comments": sum(len(thread.comments) for thread in pull.threads),
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
