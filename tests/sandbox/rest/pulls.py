"""Pull requests, their reviews and comments."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.sandbox import pulls
from tests.sandbox.errors import NotFound, NotMergeable, Unprocessable, invalid
from tests.sandbox.model import Comment, Permission, PullRequest
from tests.sandbox.rest.routing import Answer, RestCall, Router

router = Router()
PULLS = "/repos/{owner}/{repo}/pulls"
PULL = f"{PULLS}/{{pull_number}}"
ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"
COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"
REVIEW_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
SORTS: Mapping[str, Callable[[PullRequest], Any]] = {
    "created": lambda pull: pull.number,
    "updated": lambda pull: (pull.updated_at, pull.number),
}


@router.add("GET", PULLS)
def list_pulls(call: RestCall) -> Answer:
    state, head, base = call.query.get("state", "open"), call.query.get("head"), call.query.get("base")
    sort = call.query.get("sort", "created")
    newest_first = call.query.get("direction", "desc" if sort == "created" else "asc") == "desc"
    found = sorted(
        call.repository.pulls.values(), key=SORTS.get(sort, SORTS["created"]), reverse=newest_first
    )
    shown = [
        pull
        for pull in found
        if state in ("all", "open" if pull.is_open else "closed")
        and head in (None, f"{pull.head_repository.owner}:{pull.head_ref}")
        and base in (None, pull.base_ref)
    ]
    return call.page(shown, lambda pull: call.shapes.pull(pull, detailed=False))


@router.add("POST", PULLS)
def create_pull(call: RestCall) -> Answer:
    account = call.writing("pull_requests", Permission.READ)
    head, base = call.required("head", "base")
    if not call.json.get("title"):
        raise invalid("PullRequest", "title", "title can't be blank")
    pull = pulls.open_pull(
        call.repository,
        call.json["title"],
        call.json.get("body") or "",
        head=head,
        base=base,
        by=account,
        draft=bool(call.json.get("draft")),
    )
    return Answer(call.shapes.pull(pull), 201, {"location": call.shapes.pull(pull, detailed=False)["url"]})


@router.add("GET", PULL)
def get_pull(call: RestCall) -> Answer:
    return Answer(call.shapes.pull(call.pull()))


def own_pull(call: RestCall, name: str = "pull_number") -> PullRequest:
    """Give a pull request that the viewer may change: its own, or any with the right to push."""
    pull = call.pull(name)
    call.writing("pull_requests", Permission.READ if call.account == pull.author else Permission.WRITE)
    return pull


@router.add("PATCH", PULL)
def update_pull(call: RestCall) -> Answer:
    pull = own_pull(call)
    title, body, base, state = (call.json.get(name) for name in ("title", "body", "base", "state"))
    pulls.edit(pull, call.viewer, title=title, body=body, base=base)
    if state is not None:
        pulls.set_open(pull, call.viewer, is_open=state == "open")
    return Answer(call.shapes.pull(pull))


@router.add("POST", f"{PULL}/requested_reviewers")
def request_reviewers(call: RestCall) -> Answer:
    pull = call.pull()
    call.writing("pull_requests")
    if teams := call.json.get("team_reviewers"):
        raise Unprocessable(f"Could not resolve to a node with the slug of '{teams[0]}'")
    pulls.request_reviews(pull, call.json.get("reviewers", ()))
    return Answer(call.shapes.pull(pull, detailed=False), 201)


@router.add("POST", f"{ISSUE}/assignees")
def add_assignees(call: RestCall) -> Answer:
    pull = call.pull("issue_number")
    call.writing("issues")
    pulls.assign(pull, call.json.get("assignees", ()))
    return Answer(call.shapes.issue(pull), 201)


@router.add("GET", f"{PULL}/files")
def list_files(call: RestCall) -> Answer:
    pull = call.pull()
    shape = call.shapes.file_change
    return call.page(pulls.files(pull), lambda change: shape(pull.repository, change, pull.head_oid))


@router.add("GET", f"{PULL}/commits")
def list_commits(call: RestCall) -> Answer:
    pull = call.pull()
    return call.page(pulls.commits(pull), lambda commit: call.shapes.commit(pull.repository, commit))


@router.add("GET", f"{PULL}/reviews")
def list_reviews(call: RestCall) -> Answer:
    pull = call.pull()
    return call.page(pull.reviews, lambda review: call.shapes.review(pull, review))


@router.add("POST", f"{PULL}/reviews")
def create_review(call: RestCall) -> Answer:
    pull, event, body = call.pull(), call.json.get("event", ""), call.json.get("body") or ""
    account = call.writing("pull_requests", Permission.READ)
    if event not in REVIEW_STATES:
        raise Unprocessable(
            "Unprocessable Entity", errors=[{"message": "event must be one of the known ones"}]
        )
    if event != "APPROVE" and not body:
        raise Unprocessable("Unprocessable Entity", errors=[{"message": "body can't be blank"}])
    state = REVIEW_STATES[event]
    review = pulls.review(pull, account, state, body, commit=call.json.get("commit_id"))  # type: ignore[arg-type]  # one of the three
    return Answer(call.shapes.review(pull, review))


@router.add("PUT", f"{PULL}/merge")
def merge_pull(call: RestCall) -> Answer:
    pull = call.pull()
    account = call.writing("contents")
    allowed = call.repository.protections.get(pull.base_ref)
    if allowed is not None and account.login not in allowed:
        raise NotMergeable("You're not authorized to push to this branch.")
    method = call.json.get("merge_method", "merge")
    if method not in {"merge", "squash", "rebase"}:
        raise Unprocessable(
            "Validation Failed", errors=[{"message": "merge_method must be merge, squash or rebase"}]
        )
    sha = pulls.merge(
        pull,
        account,
        method,
        expected_head=call.json.get("sha"),
        title=call.json.get("commit_title"),
        message=call.json.get("commit_message"),
    )
    return Answer({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@router.add("GET", f"{PULL}/merge")
def is_merged(call: RestCall) -> Answer:
    if not call.pull().is_merged:
        raise NotFound("Not Found")
    return Answer(status=204)


@router.add("GET", COMMENT)
def get_comment(call: RestCall) -> Answer:
    return Answer(call.shapes.comment(*find_comment(call)))


def find_comment(call: RestCall) -> tuple[PullRequest, Comment]:
    for pull in call.repository.pulls.values():
        for comment in pull.comments:
            if str(comment.database_id) == call.params["comment_id"]:
                return pull, comment
    raise NotFound("Not Found")


def own_comment(call: RestCall) -> tuple[PullRequest, Comment]:
    pull, comment = find_comment(call)
    call.writing("issues", Permission.READ if comment.author == call.account else Permission.WRITE)
    return pull, comment


@router.add("PATCH", COMMENT)
def update_comment(call: RestCall) -> Answer:
    pull, comment = own_comment(call)
    (body,) = call.required("body")
    pulls.check_body("IssueComment", body)
    comment.body, comment.updated_at = body, call.store.clock()
    return Answer(call.shapes.comment(pull, comment))


@router.add("DELETE", COMMENT)
def delete_comment(call: RestCall) -> Answer:
    pull, comment = own_comment(call)
    pull.comments.remove(comment)
    return Answer(status=204)


@router.add("GET", ISSUE)
def get_issue(call: RestCall) -> Answer:
    return Answer(call.shapes.issue(call.pull("issue_number")))


@router.add("GET", f"{ISSUE}/comments")
def list_comments(call: RestCall) -> Answer:
    pull = call.pull("issue_number")
    return call.page(pull.comments, lambda comment: call.shapes.comment(pull, comment))


@router.add("POST", f"{ISSUE}/comments")
def create_comment(call: RestCall) -> Answer:
    pull = call.pull("issue_number")
    account = call.writing("issues", Permission.READ)
    (body,) = call.required("body")
    comment = pulls.comment(pull, account, body)
    return Answer(call.shapes.comment(pull, comment), 201)


def labels(call: RestCall, pull: PullRequest) -> Answer:
    return Answer([call.shapes.label(call.repository, label) for label in pull.labels])


@router.add("GET", f"{ISSUE}/labels")
def list_labels(call: RestCall) -> Answer:
    return labels(call, call.pull("issue_number"))


@router.add("POST", f"{ISSUE}/labels")
def add_labels(call: RestCall) -> Answer:
    pull = call.pull("issue_number")
    call.writing("issues")
    pulls.set_labels(
        pull, call.viewer, [*(label.name for label in pull.labels), *call.json.get("labels", ())]
    )
    return labels(call, pull)


@router.add("PUT", f"{ISSUE}/labels")
def set_labels(call: RestCall) -> Answer:
    pull = call.pull("issue_number")
    call.writing("issues")
    pulls.set_labels(pull, call.viewer, call.json.get("labels", ()))
    return labels(call, pull)


@router.add("DELETE", f"{ISSUE}/labels/{{name}}")
def remove_label(call: RestCall) -> Answer:
    pull, name = call.pull("issue_number"), call.params["name"].lower()
    call.writing("issues")
    kept = [label.name for label in pull.labels if label.name.lower() != name]
    if len(kept) == len(pull.labels):
        raise NotFound("Label does not exist")
    pulls.set_labels(pull, call.viewer, kept)
    return labels(call, pull)
