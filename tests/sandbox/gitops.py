"""Git itself: what needs nothing but a bare repository's objects and refs.

Nothing here knows accounts, pull requests or HTTP. Refs are moved in `repository.py` alone.
"""

import heapq
import itertools
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import DeltaStatus, FileMode, MergeFavor, SortMode

ZERO = "0" * 40
FULL_SHA = 40
SHORTEST_SHA = 4
HEX = frozenset("0123456789abcdef")

GitObject = pygit2.Commit | pygit2.Tree | pygit2.Blob | pygit2.Tag


@dataclass(frozen=True)
class Comparison:
    """How `head` stands to `base`: `ahead` commits of its own, `behind` commits that it lacks."""

    base: str
    head: str
    ahead: int
    behind: int
    merge_base: str | None

    @property
    def status(self) -> str:
        if self.ahead and self.behind:
            return "DIVERGED"
        if self.ahead:
            return "AHEAD"
        return "BEHIND" if self.behind else "IDENTICAL"


@dataclass(frozen=True)
class FileChange:
    path: str
    previous_path: str | None
    status: str
    additions: int
    deletions: int
    blob: str
    patch: str


def is_hex(text: str) -> bool:
    return bool(text) and HEX.issuperset(text)


def find_object(repo: pygit2.Repository, sha: str | pygit2.Oid) -> GitObject | None:
    """Look an object up by its full sha; also one that no ref reaches."""
    if isinstance(sha, str) and (len(sha) != FULL_SHA or not is_hex(sha)):
        return None
    # pygit2's stubs have it that a commit is no object.
    return cast("GitObject | None", repo.get(sha))


def find_commit(repo: pygit2.Repository, sha: str) -> pygit2.Commit | None:
    found = find_object(repo, sha)
    return found if isinstance(found, pygit2.Commit) else None


def expand_sha(repo: pygit2.Repository, prefix: str) -> str | None:
    """Complete an abbreviated commit sha; None when none or several have it."""
    if not SHORTEST_SHA <= len(prefix) <= FULL_SHA or not is_hex(prefix):
        return None
    try:
        found = cast("GitObject", repo.revparse_single(prefix))
    except (KeyError, ValueError):
        return None
    return str(found.id) if isinstance(found, pygit2.Commit) else None


def signature(name: str, email: str, at: datetime) -> pygit2.Signature:
    offset = at.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return pygit2.Signature(name, email, int(at.timestamp()), minutes)


def signed_at(who: pygit2.Signature) -> datetime:
    return datetime.fromtimestamp(who.time, UTC)


def edit_tree(
    repo: pygit2.Repository, tree: pygit2.Tree | None, changes: Mapping[str, bytes | None]
) -> pygit2.Oid:
    """Write `tree` with files set, or deleted where the content is None. Emptied folders go away.

    Raises:
        KeyError: a file to delete is not there.
    """
    builder = repo.TreeBuilder(tree) if tree is not None else repo.TreeBuilder()
    folders: dict[str, dict[str, bytes | None]] = {}
    for path, content in changes.items():
        name, _, rest = path.partition("/")
        if rest:
            folders.setdefault(name, {})[rest] = content
        elif content is not None:
            old = builder.get(name)
            mode = old.filemode if isinstance(old, pygit2.Blob) else FileMode.BLOB
            builder.insert(name, repo.create_blob(content), mode)
        elif builder.get(name) is None:
            raise KeyError(path)
        else:
            builder.remove(name)
    for name, inner in folders.items():
        child = builder.get(name)
        edited = edit_tree(repo, child if isinstance(child, pygit2.Tree) else None, inner)
        written = find_object(repo, edited)
        if isinstance(written, pygit2.Tree) and len(written):
            builder.insert(name, edited, FileMode.TREE)
        else:
            builder.remove(name)
    return builder.write()


def read_file(commit: pygit2.Commit, path: str) -> pygit2.Tree | pygit2.Blob | None:
    """Find the blob or tree at `path`."""
    if not path.strip("/"):
        return commit.tree
    try:
        return commit.tree[path.strip("/")]
    except KeyError:
        return None


def compare(repo: pygit2.Repository, base: str, head: str) -> Comparison:
    ahead, behind = repo.ahead_behind(pygit2.Oid(hex=head), pygit2.Oid(hex=base))
    merge_base = repo.merge_base(pygit2.Oid(hex=base), pygit2.Oid(hex=head))
    return Comparison(base, head, ahead, behind, str(merge_base) if merge_base else None)


def is_ancestor(repo: pygit2.Repository, ancestor: str, descendant: str) -> bool:
    """Tell whether `descendant` is or contains `ancestor`."""
    return ancestor == descendant or bool(
        repo.descendant_of(pygit2.Oid(hex=descendant), pygit2.Oid(hex=ancestor))
    )


def commits_between(repo: pygit2.Repository, base: str | None, head: str) -> list[pygit2.Commit]:
    """List what `head` has and `base` has not, parents before children."""
    walker = repo.walk(pygit2.Oid(hex=head), SortMode.TOPOLOGICAL | SortMode.REVERSE)
    if base is not None:
        walker.hide(pygit2.Oid(hex=base))
    return list(walker)


def history(
    repo: pygit2.Repository,
    head: str,
    *,
    path: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[pygit2.Commit]:
    """Walk back from `head`, newest first; with `path` simplified as `git log` does."""
    if path is not None:
        command = ["git", "-C", repo.path, "log", "--format=%H", head, "--", path]
        log = subprocess.run(command, check=True, capture_output=True, text=True)
        commits: Iterator[pygit2.Commit] = filter(
            None, (find_commit(repo, sha) for sha in log.stdout.split())
        )
    else:
        commits = _walk_by_time(repo, head)
    for commit in commits:
        at = datetime.fromtimestamp(commit.commit_time, UTC)
        if (since is None or at >= since) and (until is None or at <= until):
            yield commit


def _walk_by_time(repo: pygit2.Repository, head: str) -> Iterator[pygit2.Commit]:
    """Walk newest first as git does, lazily: no commit before the child that led to it, also in the same second."""
    start = cast("pygit2.Commit", repo[head])
    seen, count = {start.id}, itertools.count()
    waiting = [(-start.commit_time, next(count), start)]
    while waiting:
        _, _, commit = heapq.heappop(waiting)
        yield commit
        for parent in commit.parents:
            if parent.id not in seen:
                seen.add(parent.id)
                heapq.heappush(waiting, (-parent.commit_time, next(count), parent))


def first_parents(commit: pygit2.Commit, limit: int) -> Iterator[pygit2.Commit]:
    def walk() -> Iterator[pygit2.Commit]:
        at = commit
        while True:
            yield at
            if not at.parent_ids:
                return
            at = at.parents[0]

    return islice(walk(), limit)


def merged_tree(repo: pygit2.Repository, ours: str, theirs: str) -> pygit2.Oid | None:
    """Write the tree that merging gives; None on conflicts."""
    index = repo.merge_commits(ours, theirs, favor=MergeFavor.NORMAL)
    return None if index.conflicts is not None else index.write_tree(repo)


def replayed_tree(repo: pygit2.Repository, onto: str, commit: pygit2.Commit) -> pygit2.Oid | None:
    """Write the tree of `commit` cherry-picked onto another; None on conflicts."""
    parent = commit.parents[0].tree if commit.parent_ids else repo[repo.TreeBuilder().write()]
    index = repo.merge_trees(parent, repo[onto].peel(pygit2.Tree), commit.tree)  # type: ignore[arg-type]  # all are trees
    return None if index.conflicts is not None else index.write_tree(repo)


STATUSES = {
    DeltaStatus.ADDED: "added",
    DeltaStatus.DELETED: "removed",
    DeltaStatus.MODIFIED: "modified",
    DeltaStatus.RENAMED: "renamed",
    DeltaStatus.TYPECHANGE: "changed",
}


def changed_files(repo: pygit2.Repository, base: str | None, head: str) -> list[FileChange]:
    """Diff the trees of two commits (or of a root commit against nothing)."""
    after = find_commit(repo, head)
    assert after is not None
    before = find_commit(repo, base) if base else None
    diff = before.tree.diff_to_tree(after.tree) if before else after.tree.diff_to_tree(swap=True)
    diff.find_similar()
    changes = []
    for patch in diff:
        assert patch is not None
        delta = patch.delta
        status = STATUSES.get(delta.status, "changed")
        _, additions, deletions = patch.line_stats
        text = "" if delta.is_binary else hunks(patch.text or "")
        side = delta.old_file if status == "removed" else delta.new_file
        previous = delta.old_file.path if status == "renamed" else None
        changes.append(FileChange(side.path, previous, status, additions, deletions, str(side.id), text))
    return changes


def hunks(patch: str) -> str:
    """Cut a patch down to what GitHub sends: from the first @@ on."""
    start = patch.find("@@ ")
    return patch[start:].rstrip("\n") if start >= 0 else ""


def init_bare(path: Path, default_branch: str) -> pygit2.Repository:
    return pygit2.init_repository(str(path), bare=True, initial_head=default_branch)
