"""Files by path: reading, and editing one as a person does in the browser."""

import binascii
from base64 import b64decode

import pygit2

from tests.sandbox import gitops, rules
from tests.sandbox.errors import Conflict, NotFound, Unprocessable
from tests.sandbox.repository import HEADS
from tests.sandbox.rest.routing import Answer, RestCall, Router

router = Router()
CONTENTS = "/repos/{owner}/{repo}/contents/{path}"


@router.add("GET", CONTENTS)
def get_contents(call: RestCall) -> Answer:
    repository, path = call.repository, call.params["path"]
    ref = call.query.get("ref", repository.default_branch)
    sha = repository.resolve(ref)
    entry = gitops.read_file(repository.commit_at(sha), path) if sha else None
    if entry is None:
        raise NotFound(f"No commit found for the ref {ref}" if sha is None else "Not Found")
    if isinstance(entry, pygit2.Tree):
        return Answer([call.shapes.content(repository, ref, f"{path}/{each.name}", each) for each in entry])
    return Answer(call.shapes.content(repository, ref, path, entry))


@router.add("PUT", CONTENTS)
def put_contents(call: RestCall) -> Answer:
    """Write one file in a commit of its own; `sha` is the blob that it replaces."""
    account, repository, path = call.writing("contents"), call.repository, call.params["path"]
    message, content = call.required("message", "content")
    branch = call.json.get("branch") or repository.default_branch
    head = repository.branch(branch)
    if head is None and repository.refs():
        raise NotFound(f"Branch {branch} not found")
    entry = gitops.read_file(repository.commit_at(head), path) if head else None
    given = call.json.get("sha")
    if entry is not None and given is None:
        raise Unprocessable("""Invalid request.\n\n"sha" wasn't supplied.""")
    if given is not None and (entry is None or str(entry.id) != given):
        raise Conflict(f"{path} does not match {given}")
    try:
        changes = {path: b64decode(content, validate=False)}
    except binascii.Error as error:
        raise Unprocessable("content is not valid Base64") from error
    parents = [head] if head else []
    sha = repository.write_commit(
        parents, changes, message, author=account, at=call.store.clock(), by_web=True
    )
    rules.check_push(repository, account, HEADS + branch, head, sha)
    repository._move({HEADS + branch: sha}, account)
    commit = repository.commit_at(sha)
    written = gitops.read_file(commit, path)
    assert written is not None
    shape = call.shapes.content(repository, branch, path, written)
    del shape["content"], shape["encoding"]
    return Answer(
        {"content": shape, "commit": call.shapes.git_commit(repository, commit)}, 200 if entry else 201
    )
