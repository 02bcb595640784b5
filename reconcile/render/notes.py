"""Release notes as Markdown: a post to send, grouped by repository. Text from outside stays text."""

from collections.abc import Iterator, Sequence

from reconcile.render.markdown import anchor, code, escape, link
from state.history import Decided
from state.ids import abbreviate
from state.release_notes import Change, Notes, RepositoryNotes

_NOTE_LIMIT = 1000
"""Characters of one note; longer ones are essays, and their pull request is linked."""


def render_notes(notes: Notes) -> str:
    """Write the post. What says what is new comes first; what only has a title follows it."""
    blocks = [f"# {_title(notes)}", *_intro(notes)]
    for each in notes.repositories:
        blocks += _repository(each)
    return "\n\n".join(blocks) + "\n"


def _title(notes: Notes) -> str:
    first, last = f"{notes.first:%Y-%m-%d}", f"{notes.last:%Y-%m-%d}"
    return f"What went out on {last}" if first == last else f"What went out from {first} to {last}"


def _intro(notes: Notes) -> Iterator[str]:
    changes = sum(len(each.changes) for each in notes.repositories)
    parts = [_plural(changes, "change"), "in", _plural(len(notes.repositories), "repository", "repositories")]
    decisions = ", ".join(_decision(each) for each in notes.decisions)
    yield f"{' '.join(parts)}{f', decided in {decisions}' if decisions else ''}."


def _decision(decision: Decided) -> str:
    name = f"#{decision.pull_request}" if decision.pull_request else abbreviate(decision.commit)
    by = f" (merged by {escape(decision.merged_by)})" if decision.merged_by else ""
    return f"{anchor(name, decision.url)}{by}"


def _repository(each: RepositoryNotes) -> Iterator[str]:
    yield f"## {link(each.repository, each.url)}"
    if each.before is None:
        yield f"Begins at {code(abbreviate(each.after))}."
        return
    if each.before == each.after:
        yield f"Moved, and back again to {code(abbreviate(each.after))}."
        return
    way = f"{code(abbreviate(each.before))} → {code(abbreviate(each.after))}"
    if each.url is None:
        yield f"{way}. What lies between is not known any more: the repository or a commit of it is gone."
        return
    # GitHub shows what the second has and the first lacks.
    first, second = (each.before, each.after) if each.changes else (each.after, each.before)
    yield anchor(way, f"{each.url}/compare/{first}...{second}")
    if each.changes:
        yield _list(each.changes)
    if each.taken_back:
        yield "Taken back:"
        yield _list(each.taken_back)
    if not each.is_complete:
        yield "There is more than is listed here."


def _list(changes: Sequence[Change]) -> str:
    return "\n".join(f"- {_change(each)}" for each in sorted(changes, key=lambda each: each.note is None))


def _change(change: Change) -> str:
    text = escape(change.note, _NOTE_LIMIT) if change.note else escape(change.title)
    name = f"#{change.pull_request}" if change.pull_request else abbreviate(change.sha)
    return f"{text} ({anchor(name, change.url)}, {escape(change.author)})"


def _plural(count: int, noun: str, several: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"
