"""Comments on lines of a pull request's diff, and the changes that they suggest.

A thread keeps to its lines while they stay as they were; when one of them changes it is outdated.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pygit2

from tests.sandbox import gitops, pulls
from tests.sandbox.errors import NotFound, Unprocessable
from tests.sandbox.model import Account, Comment, PullRequest, Review, ReviewThread

HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
SUGGESTION = re.compile(r"^(`{3,})suggestion[^\S\n]*\n(.*?)^\1[^\S\n]*$\n?", re.DOTALL | re.MULTILINE)
COMMENTS = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Draft:
    """A thread to begin: on the lines from `first` to `last` of the new version of a file."""

    path: str
    first: int
    last: int
    body: str


class Part(NamedTuple):
    """A piece of a comment: text, or the lines that it suggests instead of those that it is about."""

    text: str
    lines: list[str] | None = None


def shown_lines(pull: PullRequest, path: str) -> set[int]:
    """List the lines of a file's new version that the diff shows: only those can be commented on."""
    shown: set[int] = set()
    for change in pulls.files(pull):
        number = 0
        for row in change.patch.split("\n") if change.path == path and change.patch else ():
            if match := HUNK.match(row):
                number = int(match[1])
            elif not row.startswith(("-", "\\")):
                shown.add(number)
                number += 1
    return shown


def start(pull: PullRequest, by: Account, body: str, drafts: Sequence[Draft], commit: str | None) -> Review:
    """Comment on lines in one review; all of it is refused if one of the lines is not in the diff."""
    for draft in drafts:
        pulls.check_body("PullRequestReviewComment", draft.body)
        if draft.first > draft.last or not {draft.first, draft.last} <= shown_lines(pull, draft.path):
            raise Unprocessable("Line must be part of the diff")
    review = pulls.review(pull, by, "COMMENTED", body, commit=commit)
    store = pull.repository.store
    for draft in drafts:
        thread = ReviewThread(store.next_id(), review, draft.path, draft.first, draft.last)
        now = store.clock()
        thread.comments.append(Comment(store.next_id(), by, draft.body, now, now))
        pull.threads.append(thread)
    return review


def reply(pull: PullRequest, thread: ReviewThread, by: Account, body: str) -> Comment:
    store = pull.repository.store
    now = store.clock()
    made = Comment(store.next_id(), by, body, now, now)
    thread.comments.append(made)
    return made


def position(pull: PullRequest, thread: ReviewThread) -> tuple[int, int] | None:
    """Say on which lines of the head a thread stands now; none when they have changed since, or are not shown."""
    before = lines_at(pull, thread.review.commit, thread.path)
    after = lines_at(pull, pull.head_oid, thread.path)
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for block in matcher.get_matching_blocks():
        if block.a <= thread.first - 1 and thread.last <= block.a + block.size:
            first, last = (number + block.b - block.a for number in (thread.first, thread.last))
            return (first, last) if {first, last} <= shown_lines(pull, thread.path) else None
    return None


def lines_at(pull: PullRequest, commit: str, path: str) -> list[str]:
    blob = gitops.read_file(pull.repository.commit_at(commit), path)
    return blob.data.decode().splitlines(keepends=True) if isinstance(blob, pygit2.Blob) else []


def parts(body: str) -> list[Part]:
    """Take a comment apart into what it says and what it suggests, in order."""
    found, end = [], 0
    for match in SUGGESTION.finditer(body):
        found += [Part(body[end : match.start()]), Part(match[0], match[2].splitlines())]
        end = match.end()
    return [part for part in (*found, Part(body[end:])) if COMMENTS.sub("", part.text).strip()]


def suggested_text(pull: PullRequest, thread: ReviewThread, number: int) -> str:
    """Give the whole file as it would be with a thread's suggestion, counted from 0 over its comments."""
    at = position(pull, thread)
    suggested = [
        part.lines for each in thread.comments for part in parts(each.body) if part.lines is not None
    ]
    if at is None or not 0 <= number < len(suggested):
        raise Unprocessable("This suggestion is outdated: the lines have changed since")
    text = lines_at(pull, pull.head_oid, thread.path)
    text[at[0] - 1 : at[1]] = [f"{line}\n" for line in suggested[number]]
    return "".join(text)


def find(pull: PullRequest, thread_id: str) -> ReviewThread:
    for thread in pull.threads:
        if thread.node_id == thread_id:
            return thread
    raise NotFound(f"Could not resolve to a node with the global id of '{thread_id}'")


def delete_comment(pull: PullRequest, thread: ReviewThread, comment: Comment) -> None:
    """Delete a comment; with its last one a thread goes, and with its last thread a review that says nothing."""
    thread.comments.remove(comment)
    if not thread.comments:
        pull.threads.remove(thread)
    if not thread.review.body and all(each.review is not thread.review for each in pull.threads):
        pull.reviews.remove(thread.review)
