"""What the pages show, gathered from the store's records: checks, a timeline, branches, the file to edit.

Nothing here changes anything, and nothing knows HTTP. Call it under the store's lock.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import pygit2

from tests.sandbox import gitops, threads
from tests.sandbox.errors import NotFound
from tests.sandbox.gitops import ZERO, FileChange
from tests.sandbox.model import (
    Account,
    Activity,
    CheckRun,
    Comment,
    PullRequest,
    Review,
    ReviewThread,
    Status,
)
from tests.sandbox.repository import HEADS, Repository

COMMITS_SHOWN = 250
RELEASE_BRANCH = "stable"

Outcome = Literal["success", "failure", "pending", "neutral"]
STATUS_OUTCOMES: Mapping[str, Outcome] = {"success": "success", "pending": "pending"}
RUN_OUTCOMES: Mapping[str | None, Outcome] = {
    "success": "success",
    "neutral": "neutral",
    "skipped": "neutral",
}


@dataclass(frozen=True)
class Check:
    """A commit status or a check run: both answer the same question."""

    name: str
    source: str
    outcome: Outcome
    word: str
    description: str
    url: str | None = None
    report: str = ""
    annotations: tuple[Mapping[str, Any], ...] = ()


def checks(repository: Repository, sha: str) -> list[Check]:
    """List the newest of each name, failures first."""
    found = [
        *map(check_of_status, repository.latest_statuses(sha)),
        *map(check_of_run, repository.check_runs(sha)),
    ]
    order = ("failure", "pending", "success", "neutral")
    return sorted(found, key=lambda check: (order.index(check.outcome), check.name))


def check_of_status(status: Status) -> Check:
    outcome = STATUS_OUTCOMES.get(status.state, "failure")
    description = status.description or ""
    return Check(
        status.context, status.creator.rest_login, outcome, status.state, description, status.target_url
    )


def check_of_run(run: CheckRun) -> Check:
    done = run.status == "completed"
    output = run.output
    return Check(
        run.name,
        run.app.name,
        RUN_OUTCOMES.get(run.conclusion, "failure") if done else "pending",
        (run.conclusion if done else run.status.replace("_", " ")) or "",
        output.get("title") or "",
        run.details_url,
        "\n\n".join(part for part in (output.get("summary"), output.get("text")) if part),
        tuple(output.get("annotations", ())),
    )


def verdict(found: Iterable[Check]) -> tuple[Outcome, str]:
    """Sum checks up as the box above the Merge button does."""
    outcomes = [check.outcome for check in found]
    if not outcomes:
        return "neutral", "No checks yet"
    if failed := outcomes.count("failure"):
        return "failure", f"{failed} of {len(outcomes)} checks failed" if len(
            outcomes
        ) > 1 else "The check failed"
    if "pending" in outcomes:
        return "pending", "Checks have not finished yet"
    return "success", "All checks have passed"


def annotations(found: Iterable[Check]) -> dict[tuple[str, int], list[Mapping[str, Any]]]:
    """Sort annotations by the path and the last line that they are about, where a diff shows them."""
    by_line: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for check in found:
        for each in check.annotations:
            by_line.setdefault((each["path"], each["end_line"]), []).append(each)
    return by_line


@dataclass(frozen=True)
class Discussion:
    """A thread on lines of the diff, with those lines as they are."""

    thread: ReviewThread
    lines: tuple[str, ...]


def threads_by_line(pull: PullRequest) -> dict[tuple[str, int], list[Discussion]]:
    """Sort the threads that are not outdated by the path and the last line that they are about."""
    by_line: dict[tuple[str, int], list[Discussion]] = {}
    for thread in pull.threads:
        if at := threads.position(pull, thread):
            lines = threads.lines_at(pull, pull.head_oid, thread.path)[at[0] - 1 : at[1]]
            found = Discussion(thread, tuple(line.rstrip("\r\n") for line in lines))
            by_line.setdefault((thread.path, at[1]), []).append(found)
    return by_line


@dataclass(frozen=True)
class Event:
    """One entry of a pull request's timeline; `commits` are what a push brought."""

    kind: Literal["comment", "review", "push", "force_push", "merged", "closed"]
    at: datetime
    actor: Account | None = None
    order: int = 0
    comment: Comment | None = None
    review: Review | None = None
    commits: tuple[pygit2.Commit, ...] = ()


def timeline(pull: PullRequest) -> list[Event]:
    events = [
        Event("comment", each.created_at, each.author, each.database_id, comment=each)
        for each in pull.comments
    ]
    events += [
        Event("review", each.submitted_at, each.author, each.database_id, review=each)
        for each in pull.reviews
    ]
    events += pushes(pull)
    last = max((event.order for event in events), default=0) + 1
    if pull.merged_at:
        events.append(Event("merged", pull.merged_at, pull.merged_by, last))
    elif pull.closed_at:
        events.append(Event("closed", pull.closed_at, order=last))
    return sorted(events, key=lambda event: (event.at, event.order))


def pushes(pull: PullRequest) -> Iterator[Event]:
    """Give what was pushed to the head branch while the pull request was open."""
    for move in pull.head_repository.activity:
        is_ours = move.ref == HEADS + pull.head_ref and move.database_id > pull.database_id
        if not is_ours or (pull.closed_at and move.at > pull.closed_at) or ZERO in (move.before, move.after):
            continue
        yield push(pull.head_repository, move)


def push(repository: Repository, move: Activity) -> Event:
    brought = gitops.commits_between(repository.git, move.before, move.after)
    kind: Literal["push", "force_push"] = "force_push" if move.kind == "force_push" else "push"
    return Event(kind, move.at, move.actor, move.database_id, commits=tuple(brought[-COMMITS_SHOWN:]))


@dataclass(frozen=True)
class Branch:
    """A branch beside the default one."""

    name: str
    sha: str
    ahead: int
    behind: int
    committed_at: datetime


def branches(repository: Repository) -> list[Branch]:
    """List branches, the default one first."""
    default = repository.branch(repository.default_branch)
    found = []
    for name, sha in repository.refs().items():
        comparison = gitops.compare(repository.git, default or sha, sha)
        committed_at = gitops.signed_at(repository.commit_at(sha).committer)
        found.append(Branch(name, sha, comparison.ahead, comparison.behind, committed_at))
    return sorted(found, key=lambda branch: (branch.name != repository.default_branch, branch.name))


@dataclass(frozen=True)
class Standing:
    """One repository in the list of all; `waiting` is None where either branch is missing."""

    repository: Repository
    default: str | None
    released: str | None
    waiting: int | None
    pulls: int


def standing(repository: Repository) -> Standing:
    default, released = repository.branch(repository.default_branch), repository.branch(RELEASE_BRANCH)
    waiting = gitops.compare(repository.git, released, default).ahead if default and released else None
    return Standing(repository, default, released, waiting, len(open_pulls(repository)))


def open_pulls(repository: Repository) -> list[PullRequest]:
    return [pull for pull in reversed(repository.pulls.values()) if pull.is_open]


@dataclass(frozen=True)
class Comparison:
    """What `head` brings over its merge base with `base`, and by how much it lacks what `base` has."""

    base: str
    head: str
    ahead: int
    behind: int
    commits: list[pygit2.Commit]
    files: list[FileChange]


def compare(repository: Repository, basehead: str) -> Comparison:
    """Read `base...head`, each a branch, a tag or a sha.

    Raises:
        NotFound: either is unknown.
    """
    base, dots, head = basehead.partition("...")
    base_sha, head_sha = repository.resolve(base), repository.resolve(head or repository.default_branch)
    if not dots or base_sha is None or head_sha is None:
        missing = head if base_sha else base
        raise NotFound(f"There is nothing to compare: {repository.full_name} has no {missing}")
    between = gitops.compare(repository.git, base_sha, head_sha)
    commits = gitops.commits_between(repository.git, base_sha, head_sha)
    files = gitops.changed_files(repository.git, between.merge_base, head_sha)
    return Comparison(base, head, between.ahead, between.behind, commits[-COMMITS_SHOWN:], files)


@dataclass(frozen=True)
class File:
    """A text file; `branch` is None where it cannot be committed to: at a sha or a tag."""

    repository: Repository
    ref: str
    branch: str | None
    path: str
    blob: str
    text: str


def file_at(repository: Repository, ref: str, path: str) -> File | None:
    """Find a text file; None for what is missing, a folder, or not UTF-8."""
    sha = repository.resolve(ref)
    entry = gitops.read_file(repository.commit_at(sha), path) if sha else None
    if not isinstance(entry, pygit2.Blob):
        return None
    try:
        text = entry.data.decode()
    except UnicodeDecodeError:
        return None
    return File(repository, ref, ref if repository.branch(ref) else None, path, str(entry.id), text)


def find_file(repository: Repository, ref_and_path: str) -> File:
    """Find a file by `ref/path`, where either may have slashes."""
    parts = ref_and_path.split("/")
    for split in range(1, len(parts)):
        if found := file_at(repository, "/".join(parts[:split]), "/".join(parts[split:])):
            return found
    raise NotFound(f"{repository.full_name} has no text file {ref_and_path}")


def editable(pull: PullRequest, files: Iterable[FileChange], wanted: str | None) -> list[File]:
    """List what a person may edit: the wanted file, then what the pull request changes."""
    if not pull.is_open or pull.head_repository.branch(pull.head_ref) is None:
        return []
    paths = [wanted, *(each.path for each in files)]
    found = (file_at(pull.head_repository, pull.head_ref, path) for path in dict.fromkeys(paths) if path)
    return [file for file in found if file]


def ago(at: datetime, now: datetime) -> str:
    """Say how long ago, in the one unit that matters."""
    past = now - at
    if past < timedelta(seconds=10):
        return "just now"
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if count := int(past.total_seconds()) // seconds:
            return f"{count} {unit} ago"
    return f"{int(past.total_seconds())} s ago"
