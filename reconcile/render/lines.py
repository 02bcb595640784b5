"""Notes on the lines that a pull request changes: what each line does, and decisions that one click commits.

What belongs elsewhere in the file is offered where what that changes lies in the diff; otherwise it is shown to be
copied.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconcile.observed import PERMIT_KINDS, LineNote, Observed
from reconcile.planned import Hold, Item, NoOp, Plan
from reconcile.render.check import Located
from reconcile.render.markdown import anchor, code, escape
from reconcile.render.plan import SENTENCE_LIMIT, render_way, rows_of
from reconcile.render.suggestions import Block, ChangedFile, added_lines, fenced, suggest
from reconcile.selection import going_out
from state.document import DesiredState, Permit, Permits
from state.document import Hold as DesiredHold
from state.ids import ZERO_SHA, Frozen, RepositoryName, Sha, abbreviate
from state.proposal import SourceCommit, SourceHistory
from state.yaml_io import STATE_PATH, edit_desired, locate, parse_desired

MOST_NOTES = 20
"""More than these nobody reads; the comment below has everything."""
_ALONE = re.compile(r"\s*[\w./\"'-]+\s*:\s*[\"']?[0-9A-Fa-f]{40}[\"']?\s*(?:#.*)?")
"""A target with a line to itself, which can go without taking anything along."""
_OVERRIDDEN = {"limit-exceeded", "not-ready-in-time"}
_PERMITTED = {"rewind-needs-permit", "diverged", "moved-by-hand", *_OVERRIDDEN}
"""What a permit answers; of some codes it says that it overrides them."""


class Green(Frozen):
    """An earlier commit whose checks passed, and what stays behind when it is taken instead."""

    commit: SourceCommit
    left: tuple[SourceCommit, ...]


def render_problem_notes(
    problems: Iterable[Located],
    shown: Mapping[str, frozenset[int]],
    mended: Mapping[tuple[str, int], str],
) -> tuple[LineNote, ...]:
    """Put what is wrong on its lines, as far as the diff shows them; all of one line in one note.

    Args:
        problems: What is wrong.
        shown: By file, the lines that the diff shows.
        mended: By file and line, the line as it should be, where that is known.
    """
    lines: dict[tuple[str, int], list[str]] = {}
    for problem in problems:
        if problem.line in shown.get(problem.file, frozenset()):
            lines.setdefault((problem.file, problem.line), []).append(
                f"- {escape(problem.message, SENTENCE_LIMIT)}"
            )
    for place, line in mended.items():
        if place in lines:
            lines[place] += ["", fenced("suggestion", [line])]
    return tuple(
        LineNote(path=path, first=line, last=line, body="\n".join(said))
        for (path, line), said in sorted(lines.items())[:MOST_NOTES]
    )


class Foresight(NamedTuple):
    """What merging would do, and what is known about what it takes out."""

    planned: Plan
    observed: Observed
    histories: Mapping[RepositoryName, SourceHistory] = {}
    """What waits, of those whose lines are changed."""
    greens: Mapping[RepositoryName, Green] = {}
    """What could be taken instead."""


def render_line_notes(
    file: ChangedFile, before: DesiredState, foresight: Foresight, *, number: int, now: datetime
) -> tuple[LineNote, ...]:
    """Say on each changed target what it does, what is in its way, and offer the other decisions.

    Args:
        file: Both versions.
        before: What the branch began with.
        foresight: What merging would do.
        number: The pull request's, which a permit and a hold name as their reason.
        now: What is skipped is skipped until the end of the week of this moment.
    """
    shown, notes = file.shown, list[LineNote]()
    hold = DesiredHold(reason=f"skipped in the review of #{number}", until=_next_monday(now))
    skips = dict[Item, Block]()
    for item in sorted(foresight.planned.items, key=_weight):
        name = item.repository
        if len(notes) >= MOST_NOTES or before.targets.get(name) == item.target:
            continue
        place = locate(file.after, ("targets", name))
        if place is None or place[0] not in shown:
            continue
        said = [_what(item, foresight.histories.get(name))]
        if isinstance(item, Hold):
            said.append(f"Held (`{item.code}`). {escape(item.sentence, SENTENCE_LIMIT)}")
        said += _other_targets(file.after, place, before, item, foresight.greens.get(name))
        last = before.targets.get(name)
        if last and not isinstance(item, NoOp | Hold):
            offer = _hold(file.after, shown, item, last, hold)
            if isinstance(offer, Block):
                skips[item] = offer
            else:
                said.append(f"{_not_before(hold)}: take it back, and add its hold.\n\n{offer}")
        permit, copied = _permit(file, shown, item, foresight.observed, number=number, now=now)
        notes.append(
            LineNote(path=STATE_PATH, first=place[0], last=place[0], body="\n\n".join((*said, *copied)))
        )
        notes += permit
    together = tuple(_render_skips(skips, hold))
    return (*notes[: MOST_NOTES - len(together)], *together)


def _weight(item: Item) -> tuple[bool, int, str]:
    """Order by what a reviewer must see first: what is held, then what moves most."""
    return not isinstance(item, Hold), -getattr(item, "commits", 0), item.repository


def _what(item: Item, history: SourceHistory | None) -> str:
    (row,) = rows_of([item])
    going = going_out(history, item)
    parts = [render_way(row)]
    if row.commits:
        parts.append(f"{row.commits} commit{'' if row.commits == 1 else 's'}")
    if going:
        oldest = min(commit.landed_at for commit in going).astimezone(UTC)
        parts.append(f"the oldest waits since {oldest:%Y-%m-%d}")
    if row.what not in {"fast-forward", "in place"} and not isinstance(item, Hold):
        parts.append(escape(row.what))
    return " · ".join(parts)


def _other_targets(
    text: str, place: tuple[int, int], before: DesiredState, item: Item, green: Green | None
) -> Iterator[str]:
    """Offer to leave the repository where it is, and to take an earlier commit."""
    line, column = text.splitlines()[place[0] - 1], place[1]
    last = before.targets.get(item.repository)
    if last and (block := _with_target(line, column, item.target, last)):
        yield f"Not this time, leave it at {code(abbreviate(last))}; the next proposal offers it again:\n\n{block}"
    elif not last and _ALONE.fullmatch(line):
        yield f"Not this time, leave it out:\n\n{fenced('suggestion', [])}"
    if green and (block := _with_target(line, column, item.target, green.commit.sha)):
        behind = ", ".join(_name(commit) for commit in green.left)
        yield (
            f"Take {code(abbreviate(green.commit.sha))} instead, the newest before it whose checks passed; "
            f"without {behind}:\n\n{block}"
        )


def _with_target(line: str, column: int, current: Sha, wanted: Sha) -> str | None:
    """Suggest a line with another sha from a column on; none where it does not have the one that it should there.

    Two repositories of one line may have the same.
    """
    start = line.lower().find(current, column - 1)
    if start < 0:
        return None
    return fenced("suggestion", [line[:start] + wanted + line[start + len(current) :]])


def _next_monday(now: datetime) -> datetime:
    today = now.astimezone(UTC).date()
    return datetime.combine(today + timedelta(days=7 - today.weekday()), time(), ZoneInfo("UTC"))


def _hold(text: str, shown: frozenset[int], item: Item, last: Sha, hold: DesiredHold) -> Block | str:
    """Offer a hold as a suggestion, or else to be copied.

    It stands far from the target that it goes with, and no suggestion reaches from one to the other: the line is taken
    back by its own note, unless it is among those that this one replaces.
    """
    desired = parse_desired(text)
    held = desired.model_copy(update={"holds": {**desired.holds, item.repository: hold}})
    edited = edit_desired(text, held)
    block = suggest(text, edited, shown)
    if block is None:
        return fenced("yaml", list(added_lines(text, edited)))
    place = locate(text, ("targets", item.repository))
    if place and block.first <= place[0] <= block.last:
        back = held.model_copy(update={"targets": {**held.targets, item.repository: last}})
        return suggest(text, edit_desired(text, back), shown) or block
    return block


def _render_skips(skips: Mapping[Item, Block], hold: DesiredHold) -> Iterator[LineNote]:
    """Offer holds where holds stand, side by side: all of them change the same lines."""
    said = (
        f"{_not_before(hold)}: take a repository's line back, and add its hold here, both in one commit as a batch. "
        "Under the hold alone it does not move either, but what comes after it waits."
    )
    for first, last in sorted({(block.first, block.last) for block in skips.values()}):
        blocks = [
            f"{escape(item.name)}:\n\n{block.text}"
            for item, block in skips.items()
            if (block.first, block.last) == (first, last)
        ]
        yield LineNote(path=STATE_PATH, first=first, last=last, body="\n\n".join((said, *blocks)))


def _not_before(hold: DesiredHold) -> str:
    return f"Not before {hold.until:%a %Y-%m-%d}, when a proposal offers to lift the hold"


def _permit(
    file: ChangedFile, shown: frozenset[int], item: Item, observed: Observed, *, number: int, now: datetime
) -> tuple[Sequence[LineNote], Sequence[str]]:
    """Offer the permit that a hold asks for: as a note of its own, or to be copied.

    One that counts for this way already gets what it lacks and keeps what it has: of two gates that are overridden one
    after the other, the second would bring the first back.
    """
    known = observed.repositories.get(item.repository)
    kind = PERMIT_KINDS.get(known.target.relation) if known and known.target else None
    if not isinstance(item, Hold) or item.code not in _PERMITTED or not known or not kind:
        return (), ()
    desired = parse_desired(file.after)
    others = desired.permits.get(item.repository, Permits.model_construct())
    permit = Permit.model_validate(
        {
            "from": known.live or ZERO_SHA,
            "to": item.target,
            "reason": f"agreed on in the review of #{number}",
        }
    )
    there = dict(others.named()).get(kind)
    if there and _way(there) == _way(permit) and (there.until is None or now < there.until):
        permit = there
    if item.code in _OVERRIDDEN:
        permit = permit.model_copy(update={"despite": (*permit.despite, item.code)})
    permits = {**desired.permits, item.repository: others.model_copy(update={kind: permit})}
    edited = edit_desired(file.after, desired.model_copy(update={"permits": permits}))
    wish = "To permit exactly this, once"
    if block := suggest(file.after, edited, shown):
        body = f"{escape(item.name)}. {wish}:\n\n{block.text}"
        return (LineNote(path=STATE_PATH, first=block.first, last=block.last, body=body),), ()
    return (), (f"{wish}, add:\n\n{fenced('yaml', list(added_lines(file.after, edited)))}",)


def _way(permit: Permit) -> tuple[Sha, Sha]:
    return permit.from_, permit.to


def _name(commit: SourceCommit) -> str:
    merged = commit.pull_request
    title = merged.title if merged else commit.headline
    name = anchor(f"#{merged.number}", merged.url) if merged else code(abbreviate(commit.sha))
    return f"{name} {escape(title)}"
