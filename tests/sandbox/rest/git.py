"""The git database: refs, branches, commits, trees, comparisons."""

from base64 import encodebytes
from datetime import datetime
from itertools import islice
from typing import Any

import pygit2

from tests.sandbox import gitops
from tests.sandbox.errors import NotFound, Unprocessable
from tests.sandbox.model import Account
from tests.sandbox.repository import HEADS, RefUpdate, Repository
from tests.sandbox.rest.routing import Answer, RestCall, Router

router = Router()
REPOSITORY = "/repos/{owner}/{repo}"
COMPARE_LIMIT = 250
HISTORY_LIMIT = 10_000


def commit_named(call: RestCall, name: str) -> str:
    """Resolve a ref or sha, or raise what GitHub says of one that is missing or ambiguous."""
    sha = call.repository.resolve(name)
    if sha is None:
        raise Unprocessable(f"No commit found for SHA: {name}")
    return sha


@router.add("GET", f"{REPOSITORY}/commits")
def list_commits(call: RestCall) -> Answer:
    repository, query = call.repository, call.query
    start = repository.resolve(query.get("sha", repository.default_branch))
    if start is None:
        raise NotFound("Not Found")
    since, until = (
        datetime.fromisoformat(query[name]) if name in query else None for name in ("since", "until")
    )
    commits = gitops.history(repository.git, start, path=query.get("path"), since=since, until=until)
    return call.page(
        list(islice(commits, HISTORY_LIMIT)), lambda commit: call.shapes.commit(repository, commit)
    )


@router.add("GET", f"{REPOSITORY}/commits/{{commit_sha}}/pulls")
def list_pulls_of_commit(call: RestCall) -> Answer:
    from tests.sandbox import pulls  # noqa: PLC0415

    found = pulls.containing(call.repository, commit_named(call, call.params["commit_sha"]))
    return call.page(found, lambda pull: call.shapes.pull(pull, detailed=False))


@router.add("GET", f"{REPOSITORY}/compare/{{basehead}}")
def compare(call: RestCall) -> Answer:
    repository = call.repository
    base_name, dots, head_name = call.params["basehead"].partition("...")
    base, head = (find_side(repository, name) for name in (base_name, head_name))
    if not dots or base is None or head is None:
        raise NotFound("Not Found")
    comparison = gitops.compare(repository.git, base, head)
    commits = gitops.commits_between(repository.git, base, head)
    size = min(COMPARE_LIMIT, int(call.query.get("per_page", COMPARE_LIMIT)))
    page = max(1, int(call.query.get("page", "1")))
    shown = commits[(page - 1) * size : page * size]
    return Answer(
        call.shapes.comparison(
            repository, comparison, [call.shapes.commit(repository, each) for each in shown]
        )
    )


def find_side(repository: Repository, name: str) -> str | None:
    """Resolve one side of a comparison: a ref, a sha, or `owner:branch` of a fork."""
    owner, colon, branch = name.partition(":")
    if not colon:
        return repository.resolve(name)
    other = repository.store.network_repository(repository, owner)
    return other.branch(branch) if other else None


@router.add("GET", f"{REPOSITORY}/git/ref/{{ref}}")
def get_ref(call: RestCall) -> Answer:
    name = f"refs/{call.params['ref']}"
    sha = call.repository.ref(name)
    if sha is None:
        raise NotFound("Not Found")
    return Answer(call.shapes.git_ref(call.repository, name, sha))


@router.add("GET", f"{REPOSITORY}/git/matching-refs/{{ref}}")
def list_matching_refs(call: RestCall) -> Answer:
    prefix = f"refs/{call.params['ref']}"
    found = call.repository.refs(prefix).items()
    return call.page(list(found), lambda ref: call.shapes.git_ref(call.repository, prefix + ref[0], ref[1]))


@router.add("POST", f"{REPOSITORY}/git/refs")
def create_ref(call: RestCall) -> Answer:
    account = call.writing("contents")
    name, sha = call.required("ref", "sha")
    if call.repository.ref(name) is not None:
        raise Unprocessable("Reference already exists")
    return move(call, name, sha, account, status=201)


@router.add("PATCH", f"{REPOSITORY}/git/refs/{{ref}}")
def update_ref(call: RestCall) -> Answer:
    """Move a ref forward, or anywhere with `force`. There is no compare-and-swap here, as on GitHub."""
    account = call.writing("contents")
    (sha,) = call.required("sha")
    name = f"refs/{call.params['ref']}"
    if call.repository.ref(name) is None:
        raise Unprocessable("Reference does not exist")
    return move(call, name, sha, account, force=bool(call.json.get("force")))


def move(
    call: RestCall, name: str, sha: str, by: Account, *, force: bool = False, status: int = 200
) -> Answer:
    try:
        call.repository.update_refs([RefUpdate(name, sha, force=force)], by)
    except NotFound as error:
        raise Unprocessable("Object does not exist") from error
    except Unprocessable as error:
        if error.message.endswith("is not a fast-forward"):
            raise Unprocessable("Update is not a fast forward") from error
        raise
    return Answer(call.shapes.git_ref(call.repository, name, sha), status)


@router.add("DELETE", f"{REPOSITORY}/git/refs/{{ref}}")
def delete_ref(call: RestCall) -> Answer:
    account, name = call.writing("contents"), f"refs/{call.params['ref']}"
    if call.repository.ref(name) is None:
        raise Unprocessable("Reference does not exist")
    call.repository.update_refs([RefUpdate(name, gitops.ZERO)], account)
    return Answer(status=204)


@router.add("GET", f"{REPOSITORY}/branches")
def list_branches(call: RestCall) -> Answer:
    repository = call.repository
    return call.page(list(repository.refs(HEADS).items()), lambda ref: call.shapes.branch(repository, *ref))


@router.add("GET", f"{REPOSITORY}/branches/{{branch}}")
def get_branch(call: RestCall) -> Answer:
    repository, name = call.repository, call.params["branch"]
    sha = repository.branch(name)
    if sha is None:
        raise NotFound("Branch not found")
    shape = call.shapes.branch(repository, name, sha)
    shape["commit"] = call.shapes.commit(repository, repository.commit_at(sha))
    page, api = (
        f"{call.shapes.page(repository)}/tree/{name}",
        f"{call.shapes.api(repository)}/branches/{name}",
    )
    return Answer(shape | {"_links": {"html": page, "self": api}})


@router.add("GET", f"{REPOSITORY}/git/commits/{{commit_sha}}")
def get_git_commit(call: RestCall) -> Answer:
    commit = call.repository.find_commit(call.params["commit_sha"])
    if commit is None:
        raise NotFound("Not Found")
    return Answer(call.shapes.git_commit(call.repository, commit))


@router.add("POST", f"{REPOSITORY}/git/commits")
def create_commit(call: RestCall) -> Answer:
    """Write a commit that no ref has yet; without `parents` a root."""
    account, repository = call.writing("contents"), call.repository
    message, tree_sha = call.required("message", "tree")
    tree = repository.git.get(tree_sha)
    if not isinstance(tree, pygit2.Tree):
        raise Unprocessable("Tree SHA does not exist")
    parents: list[str] = call.json.get("parents") or []
    if any(repository.find_commit(parent) is None for parent in parents):
        raise Unprocessable("Parent SHA does not exist or is not a commit object")
    author, given = None, call.json.get("author")
    if given:
        at = datetime.fromisoformat(given["date"]) if "date" in given else call.store.clock()
        author = gitops.signature(given["name"], given["email"], at)
    # Only commits of bots without an author of their own are signed by GitHub.
    sha = repository.write_tree_commit(
        parents, tree.id, message, author=author or account, at=call.store.clock(), by_web=not given
    )
    return Answer(call.shapes.git_commit(repository, repository.commit_at(sha)), 201)


@router.add("GET", f"{REPOSITORY}/git/trees/{{ref}}")
def get_tree(call: RestCall) -> Answer:
    repository, name = call.repository, call.params["ref"]
    found = gitops.find_object(repository.git, name)
    if not isinstance(found, pygit2.Tree):
        sha = repository.resolve(name)
        if sha is None:
            raise NotFound("Not Found")
        found = repository.commit_at(sha).tree
    return Answer(call.shapes.tree(repository, found))


@router.add("POST", f"{REPOSITORY}/git/trees")
def create_tree(call: RestCall) -> Answer:
    """Write a tree from `content` or `sha` of each path, on top of `base_tree`."""
    call.writing("contents")
    git = call.repository.git
    (entries,) = call.required("tree")
    base = gitops.find_object(git, call.json["base_tree"]) if call.json.get("base_tree") else None
    if isinstance(base, pygit2.Commit):
        base = base.tree
    changes = {entry["path"]: blob_of(git, entry) for entry in entries}
    try:
        written = gitops.edit_tree(git, base if isinstance(base, pygit2.Tree) else None, changes)
    except KeyError as error:
        raise Unprocessable("GitRPC::BadObjectState") from error
    tree = git[written]
    assert isinstance(tree, pygit2.Tree)
    return Answer(call.shapes.tree(call.repository, tree), 201)


def blob_of(git: pygit2.Repository, entry: dict[str, Any]) -> bytes | None:
    """Read what an entry of a new tree says; a null sha deletes the path."""
    if "content" in entry:
        return str(entry["content"]).encode()
    if entry.get("sha") is None:
        return None
    blob = git.get(entry["sha"])
    if not isinstance(blob, pygit2.Blob):
        raise Unprocessable("tree.sha is not a valid blob")
    return blob.data


@router.add("GET", f"{REPOSITORY}/git/blobs/{{file_sha}}")
def get_blob(call: RestCall) -> Answer:
    """Give a blob whole, whatever its size."""
    found = gitops.find_object(call.repository.git, call.params["file_sha"])
    if not isinstance(found, pygit2.Blob):
        raise NotFound("Not Found")
    sha = str(found.id)
    return Answer(
        {
            "sha": sha,
            "node_id": f"B_{sha}",
            "size": found.size,
            "url": f"{call.shapes.api(call.repository)}/git/blobs/{sha}",
            "content": encodebytes(found.data).decode(),
            "encoding": "base64",
        }
    )
