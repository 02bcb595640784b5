"""Pull requests: opening, following branches, reviewing, merging.

Functions over the records of `model.py`; they ask for no rights (the API does, before it calls them).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import pygit2

from tests.sandbox import gitops
from tests.sandbox.errors import Conflict, NotMergeable, Unprocessable, invalid
from tests.sandbox.model import Account, BaseChange, Comment, Permission, PullRequest, Review

if TYPE_CHECKING:
    from tests.sandbox.repository import Repository

BODY_LIMIT = 65_536


def check_body(resource: str, body: str) -> None:
    if len(body) > BODY_LIMIT:
        raise invalid(resource, "body", f"body is too long (maximum is {BODY_LIMIT} characters)")


def open_pull(
    repo: "Repository",
    title: str,
    body: str,
    *,
    head: str,
    base: str,
    by: Account,
    draft: bool = False,
    at: datetime | None = None,
) -> PullRequest:
    owner, _, branch = head.rpartition(":")
    source = repo.store.network_repository(repo, owner) if owner and owner != repo.owner else repo
    head_oid = source.branch(branch) if source else None
    base_oid = repo.branch(base)
    if source is None or head_oid is None:
        raise Unprocessable(
            "Validation Failed", errors=[{"resource": "PullRequest", "field": "head", "code": "invalid"}]
        )
    if base_oid is None:
        raise Unprocessable(
            "Validation Failed", errors=[{"resource": "PullRequest", "field": "base", "code": "invalid"}]
        )
    if any(
        pull.is_open and (pull.head_repository, pull.head_ref, pull.base_ref) == (source, branch, base)
        for pull in repo.pulls.values()
    ):
        message = f"A pull request already exists for {source.owner}:{branch}."
        raise Unprocessable(
            "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom", "message": message}]
        )
    if gitops.compare(repo.git, base_oid, head_oid).ahead == 0:
        message = f"No commits between {base} and {head}"
        raise Unprocessable(
            "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom", "message": message}]
        )
    check_body("Issue", body)
    now = at or repo.store.clock()
    pull = PullRequest(
        repo, repo.store.next_id(), repo.next_number(), title, body, by, source, branch, head_oid, base, base_oid,
        now, now, draft,
    )  # fmt: skip
    repo.pulls[pull.number] = pull
    _point_head(pull)
    _announce(pull, by, "opened")
    return pull


def _point_head(pull: PullRequest) -> None:
    pull.repository.git.references.create(f"refs/pull/{pull.number}/head", pull.head_oid, force=True)


def _announce(pull: PullRequest, by: Account, action: str, **details: object) -> None:
    pull.repository.store.announce("pull_request", pull.repository, by, action=action, pull=pull, **details)


def commits(pull: PullRequest) -> list[pygit2.Commit]:
    """List the commits that the pull request brings, oldest first."""
    base = pull.base_oid if pull.is_merged else pull.repository.branch(pull.base_ref) or pull.base_oid
    return gitops.commits_between(pull.repository.git, base, pull.head_oid)


def files(pull: PullRequest) -> list[gitops.FileChange]:
    """List what changes between the merge base and the head."""
    base = pull.base_oid if pull.is_merged else pull.repository.branch(pull.base_ref) or pull.base_oid
    fork_point = gitops.compare(pull.repository.git, base, pull.head_oid).merge_base
    return gitops.changed_files(pull.repository.git, fork_point, pull.head_oid)


def is_mergeable(pull: PullRequest) -> bool:
    base = pull.repository.branch(pull.base_ref)
    return base is not None and gitops.merged_tree(pull.repository.git, base, pull.head_oid) is not None


def follow_branch(
    repo: "Repository",
    branch: str,
    before: str | None,
    after: str | None,
    *,
    by: Account,
    now: datetime,
    merging: PullRequest | None = None,
) -> None:
    """Update the pull requests from and into a branch that has moved."""
    network = [repo, *repo.store.forks(repo), *([repo.parent] if repo.parent else [])]
    for pull in [each for other in network for each in other.pulls.values() if each.is_open]:
        if pull is merging:
            continue
        if pull.repository is repo and pull.base_ref == branch:
            _follow_base(pull, before, after, by, now)
        elif pull.head_repository is repo and pull.head_ref == branch:
            _follow_head(pull, after, by, now)


def _follow_head(pull: PullRequest, after: str | None, by: Account, now: datetime) -> None:
    if after is None:
        set_open(pull, by, is_open=False, at=now)
        return
    base = pull.repository.branch(pull.base_ref) or pull.base_oid
    before, pull.head_oid, pull.base_oid, pull.updated_at = pull.head_oid, after, base, now
    _point_head(pull)
    _announce(pull, by, "synchronize", before=before, after=after)
    if gitops.compare(pull.repository.git, base, after).ahead == 0:
        # A head without a commit of its own closes its pull request: nothing would be left to merge.
        set_open(pull, by, is_open=False, at=now)


def _follow_base(
    pull: PullRequest, before: str | None, after: str | None, by: Account, now: datetime
) -> None:
    git = pull.repository.git
    if before and after and not gitops.is_ancestor(git, before, after):
        event = BaseChange(pull.repository.store.next_id(), "BaseRefForcePushedEvent", by, now)
        pull.base_changes.append(event)
    if after is None:
        set_open(pull, by, is_open=False, at=now)
    elif gitops.is_ancestor(git, pull.head_oid, after) and not (
        before and gitops.is_ancestor(git, pull.head_oid, before)
    ):
        # Pushed to the base by hand: GitHub calls the pull request merged, by the commit that brought it.
        brought = pull.head_oid
        for commit in gitops.first_parents(pull.repository.commit_at(after), limit=1000):
            if any(gitops.is_ancestor(git, pull.head_oid, str(parent)) for parent in commit.parent_ids[:1]):
                continue
            brought = str(commit.id)
            break
        _mark_merged(pull, by, brought, before or pull.base_oid, now)


def _mark_merged(pull: PullRequest, by: Account, commit: str, base: str, now: datetime) -> None:
    pull.merge_commit, pull.merged_by, pull.base_oid = commit, by, base
    pull.merged_at = pull.closed_at = pull.updated_at = now
    _announce(pull, by, "closed")


def merge(
    pull: PullRequest,
    by: Account,
    method: Literal["merge", "squash", "rebase"] = "merge",
    *,
    expected_head: str | None = None,
    title: str | None = None,
    message: str | None = None,
    at: datetime | None = None,
) -> str:
    """Merge as one of GitHub's three methods does, and give the sha that the base branch got."""
    repo = pull.repository
    if not pull.is_open or pull.draft:
        raise NotMergeable(
            "Pull Request is not mergeable" if not pull.draft else "Pull Request is still a draft"
        )
    if expected_head is not None and expected_head != pull.head_oid:
        raise Conflict("Head branch was modified. Review and try the merge again.")
    base = repo.branch(pull.base_ref)
    tree = gitops.merged_tree(repo.git, base, pull.head_oid) if base else None
    if base is None or tree is None:
        raise NotMergeable("Pull Request is not mergeable")
    now = at or repo.store.clock()
    if method == "rebase":
        sha = _rebase(pull, base, by, now)
    elif method == "squash":
        text = f"{title or f'{pull.title} (#{pull.number})'}\n\n{message or pull.body}".strip()
        sha = repo.write_tree_commit([base], tree, text, author=pull.author, at=now)
    else:
        headline = (
            title or f"Merge pull request #{pull.number} from {pull.head_repository.owner}/{pull.head_ref}"
        )
        text = f"{headline}\n\n{message or pull.title}"
        sha = repo.write_tree_commit([base, pull.head_oid], tree, text, author=by, at=now)
    repo._move({f"refs/heads/{pull.base_ref}": sha}, by, at=now, merging=pull)
    _mark_merged(pull, by, sha, base, now)
    return sha


def _rebase(pull: PullRequest, base: str, by: Account, now: datetime) -> str:
    repo, onto = pull.repository, base
    for commit in gitops.commits_between(repo.git, base, pull.head_oid):
        if len(commit.parent_ids) > 1:
            continue
        tree = gitops.replayed_tree(repo.git, onto, commit)
        if tree is None:
            raise NotMergeable("This branch can't be rebased")
        onto = repo.write_tree_commit(
            [onto], tree, commit.message, author=commit.author, at=now, committer=by
        )
        pull.rebased.append(onto)
    return onto


def review(
    pull: PullRequest,
    by: Account,
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED"],
    body: str,
    *,
    commit: str | None = None,
) -> Review:
    if state != "COMMENTED" and by == pull.author:
        deed = "approve" if state == "APPROVED" else "request changes on"
        raise Unprocessable(
            "Unprocessable Entity", errors=[{"message": f"Can not {deed} your own pull request"}]
        )
    check_body("PullRequestReview", body)
    store = pull.repository.store
    made = Review(store.next_id(), by, state, body, commit or pull.head_oid, store.clock())
    pull.reviews.append(made)
    pull.reviewers = [each for each in pull.reviewers if each != by]
    store.announce("pull_request_review", pull.repository, by, action="submitted", pull=pull, review=made)
    return made


def comment(pull: PullRequest, by: Account, body: str) -> Comment:
    check_body("IssueComment", body)
    store = pull.repository.store
    now = store.clock()
    made = Comment(store.next_id(), by, body, now, now)
    pull.comments.append(made)
    pull.updated_at = now
    store.announce("issue_comment", pull.repository, by, action="created", pull=pull, comment=made)
    return made


def edit(
    pull: PullRequest,
    by: Account,
    *,
    title: str | None = None,
    body: str | None = None,
    base: str | None = None,
) -> None:
    """Change what is given; no event when nothing changes."""
    changes: dict[str, object] = {}
    if title is not None and title != pull.title:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != pull.body:
        check_body("Issue", body)
        changes["body"] = {"from": pull.body}
        pull.body = body
    if base is not None and base != pull.base_ref:
        tip = pull.repository.branch(base)
        if tip is None:
            raise invalid("PullRequest", "base", f"Proposed base branch '{base}' was not found")
        changes["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_oid}}
        pull.base_ref, pull.base_oid = base, tip
        pull.base_changes.append(
            BaseChange(
                pull.repository.store.next_id(), "BaseRefChangedEvent", by, pull.repository.store.clock()
            )
        )
    if changes:
        pull.updated_at = pull.repository.store.clock()
        _announce(pull, by, "edited", changes=changes)


def set_open(pull: PullRequest, by: Account, *, is_open: bool, at: datetime | None = None) -> None:
    """Close or reopen; doing what is done already changes nothing."""
    if is_open == pull.is_open:
        return
    if pull.is_merged:
        raise Unprocessable("Validation Failed", errors=[{"resource": "PullRequest", "code": "invalid"}])
    now = at or pull.repository.store.clock()
    if is_open:
        head = pull.head_repository.branch(pull.head_ref)
        if head is None:
            raise invalid(
                "PullRequest", "state", f"state cannot be changed. The {pull.head_ref} branch was deleted."
            )
        pull.head_oid = head
    pull.closed_at = None if is_open else now
    pull.updated_at = now
    _announce(pull, by, "reopened" if is_open else "closed")


def set_labels(pull: PullRequest, by: Account, names: Iterable[str]) -> None:
    """Replace the labels, unknown ones being made; an event for each that comes or goes."""
    before, pull.labels = pull.labels, [pull.repository.label(name) for name in dict.fromkeys(names)]
    pull.updated_at = pull.repository.store.clock()
    for action, some, others in (("labeled", pull.labels, before), ("unlabeled", before, pull.labels)):
        for label in some:
            if label not in others:
                _announce(pull, by, action, label=label)


def request_reviews(pull: PullRequest, logins: Iterable[str]) -> None:
    """Ask people for a review; all or none, and only those who may push."""
    repo, asked = pull.repository, list[Account]()
    for login in logins:
        account = repo.store.accounts.get(login)
        if account is None or repo.store.permission(account, repo) < Permission.WRITE:
            message = "Reviews may only be requested from collaborators."
            raise Unprocessable(
                f"{message} One or more of the users or teams you specified is not a collaborator"
            )
        if account == pull.author:
            raise Unprocessable("Review cannot be requested from pull request author.")
        asked.append(account)
    pull.reviewers = list({each.login: each for each in (*pull.reviewers, *asked)}.values())


def assign(pull: PullRequest, logins: Iterable[str]) -> None:
    """Assign people; whom nobody may assign is left out without a word."""
    repo = pull.repository
    found = [
        account
        for login in logins
        if (account := repo.store.accounts.get(login))
        and repo.store.permission(account, repo) >= Permission.WRITE
    ]
    pull.assignees = list({each.login: each for each in (*pull.assignees, *found)}.values())


def set_draft(pull: PullRequest, by: Account, *, draft: bool) -> None:
    if pull.draft != draft:
        pull.draft = draft
        pull.updated_at = pull.repository.store.clock()
        _announce(pull, by, "converted_to_draft" if draft else "ready_for_review")


def containing(repo: "Repository", sha: str) -> list[PullRequest]:
    """List pull requests with this commit: also open and unrelated ones, as GitHub does."""
    return [
        pull
        for pull in repo.pulls.values()
        if sha in (pull.merge_commit, pull.head_oid, *pull.rebased)
        or any(str(commit.id) == sha for commit in commits(pull))
    ]


def association(repo: "Repository", account: Account) -> str:
    if account.login == repo.owner:
        return "OWNER"
    return "COLLABORATOR" if repo.store.permission(account, repo) >= Permission.WRITE else "NONE"
