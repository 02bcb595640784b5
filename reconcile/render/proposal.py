"""The proposal: title and body of the pull request that people review, edit and merge.

Times in it are absolute, in UTC: an age ("5 h ago") would make every run rewrite a body in which nothing changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile

from reconcile.observed import Observed
from reconcile.plan import Action, Hold, Item, NoOp, Plan
from reconcile.render.markdown import anchor, code, drop_empty_columns, escape, link, shorten, table
from reconcile.render.plan import SENTENCE_LIMIT, PlanRow, render_way, rows_of, summarize
from reconcile.render.sections import Listing, Section, lay_out
from reconcile.selection import LeftOut
from state.evidence import Evidence, Validation, Verdict
from state.ids import BranchName, Frozen, RepositoryName, Sha, abbreviate
from state.proposal import Candidate, SourceCommit, SourceHistory
from state.yaml_io import STATE_PATH

PROPOSAL_BRANCH: BranchName = "stablehand/proposal"
"""The one branch that proposals are made on. People may push to it."""
Blobs = tuple[Sha | None, Sha | None]
"""Which contents of both documents."""
_BUILT_ON = re.compile(r"<!-- stablehand:built-on ([0-9a-f]{40}|none) ([0-9a-f]{40}|none) -->")
_TITLE_LIMIT = 120
_HEAD = ("repository", "from → to", "commits", "pull requests", "oldest waits since", "what", "why")
_VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "**failed**",
    Verdict.NO_EVIDENCE: "**no evidence**",
}


class Proposal(Frozen):
    """All that the text of a proposal is made of."""

    plan: Plan
    """What merging the proposed document would do."""
    observed: Observed
    validation: Validation | None
    """None where the policy asks for none."""
    candidates: tuple[Candidate, ...]
    histories: dict[RepositoryName, SourceHistory]
    left_out: tuple[LeftOut, ...] = ()
    editors: tuple[str, ...] = ()
    """Who else has commits on the branch: their file is left as it is."""
    notes: tuple[str, ...] = ()
    """What else to know before merging."""
    built_on: Blobs | None = None
    """The documents of the default branch that the file was made from."""


def render_title(proposal: Proposal) -> str:
    """Name what moves, in one line; what is held only where nothing moves."""
    items = proposal.plan.items
    changing = [item for item in items if not isinstance(item, NoOp | Hold)] or proposal.plan.holds
    if not changing:
        return f"Update {STATE_PATH}"
    names = [item.name for item in changing]
    if len({name.partition("/")[0] for name in names}) == 1:
        names = [name.partition("/")[2] for name in names]
    return shorten(f"Move {proposal.plan.ref} of {', '.join(names)}", _TITLE_LIMIT)


def render_body(proposal: Proposal) -> str:
    """Render what a reviewer needs, the deciding line first, always short enough for GitHub."""
    return lay_out(
        (
            Section(render_headline(proposal)),
            *_notes(proposal),
            *_evidence(proposal.validation),
            *_moves(proposal),
            *_order(proposal.plan.actions),
            *_left(proposal),
            *_pull_requests(proposal),
            _how_to(proposal.plan),
            *_waiting(proposal),
            *_built_on(proposal.built_on),
        )
    )


def read_built_on(body: str) -> Blobs | None:
    """Find in a body what its branch was built on; none where a person has taken that out."""
    found = _BUILT_ON.search(body)
    return (_blob(found[1]), _blob(found[2])) if found else None


def render_headline(proposal: Proposal) -> str:
    """Say what decides: how many move, what validation says, what is largest."""
    parts = [summarize(proposal.plan.items), _describe_verdict(proposal.validation)]
    counts = {
        item.name: count
        for item in proposal.plan.items
        if not isinstance(item, NoOp) and (count := _count(proposal, item))
    }
    if counts:
        largest = max(counts, key=lambda name: counts[name])
        parts.append(f"largest: {escape(largest)}, {_plural(counts[largest], 'commit')}")
    return " · ".join(parts)


def _describe_verdict(validation: Validation | None) -> str:
    if validation is None:
        return "**nothing validates this**: the policy names no validation"
    if validation.verdict is Verdict.PASS and validation.began_at:
        return f"validated {_time(validation.began_at)}"
    return f"validation: {_VERDICTS[validation.verdict]}"


def _notes(proposal: Proposal) -> Iterator[Section]:
    if proposal.editors:
        names = ", ".join(escape(name) for name in proposal.editors)
        yield Section(
            f"> The file on this branch is as {names} left it, and is not proposed anew while their commits are on "
            "the branch. Close this pull request to have the next proposal start over."
        )
    for note in proposal.notes:
        yield Section(f"> {escape(note, SENTENCE_LIMIT)}")


def _evidence(validation: Validation | None) -> Iterator[Section]:
    if validation and validation.evidence:
        yield Section("### Evidence", (Listing([_evidence_line(each) for each in validation.evidence]),))


def _evidence_line(evidence: Evidence) -> str:
    said = f"- {_VERDICTS[evidence.verdict]}: {escape(evidence.source)}. {escape(evidence.sentence, SENTENCE_LIMIT)}"
    if evidence.began_at:
        said += f" Began {_time(evidence.began_at)}"
        said += f", counts until {_time(evidence.expires_at)}." if evidence.expires_at else "."
    links = ", ".join(link(each.text, each.url) for each in evidence.links[:10])
    return f"{said} {links}".rstrip()


def _moves(proposal: Proposal) -> Iterator[Section]:
    changing = [item for item in proposal.plan.items if not isinstance(item, NoOp)]
    if changing:
        cells = [_cells(proposal, item, row) for item, row in zip(changing, rows_of(changing), strict=True)]
        titles, *filled = drop_empty_columns((_HEAD, *cells))
        head, rule, *lines = table(titles, filled)
        yield Section("### What moves", (Listing(lines, (head, rule)),))


def _cells(proposal: Proposal, item: Item, row: PlanRow) -> tuple[str, ...]:
    going = _going_out(proposal, item)
    count = _count(proposal, item)
    oldest = min((commit.landed_at for commit in going), default=None)
    return (
        link(row.name, row.url),
        render_way(row),
        "" if count is None else str(count),
        str(sum(commit.pull_request is not None for commit in going) or ""),
        _time(oldest) if oldest else "",
        escape(row.what),
        escape(row.why, SENTENCE_LIMIT),
    )


def _order(actions: Sequence[Action]) -> Iterator[Section]:
    waves = sorted({action.wave for action in actions})
    if len(waves) > 1:
        lines = [
            f"{wave}. {', '.join(escape(each.name) for each in actions if each.wave == wave)}"
            for wave in waves
        ]
        yield Section("### Order", (Listing(lines),), "Each group moves when the one before it has.")


def _left(proposal: Proposal) -> Iterator[Section]:
    lines = [
        f"- {escape(each.repository)}: {escape(each.reason, SENTENCE_LIMIT)}" for each in proposal.left_out
    ]
    explained = {each.repository for each in proposal.left_out}
    chosen = {candidate.repository: candidate for candidate in proposal.candidates}
    for item in (item for item in proposal.plan.items if item.repository not in explained):
        candidate, history = chosen.get(item.repository), proposal.histories.get(item.repository)
        reasons = {left.commit.sha: left.reason for left in candidate.left_behind} if candidate else {}
        for commit in _newer(history, item.target) if history else ():
            reason = reasons.get(commit.sha, "newer than what this proposes")
            lines.append(f"- {escape(item.name)} {_commit_line(commit)}: {escape(reason)}")
    if lines:
        yield Section("### Left behind", (Listing(lines),))


def _pull_requests(proposal: Proposal) -> Iterator[Section]:
    listings = [
        Listing([f"- {_commit_line(commit)}" for commit in going], (f"**{escape(item.name)}**", ""))
        for item in proposal.plan.items
        if not isinstance(item, Hold) and (going := _going_out(proposal, item))
    ]
    if listings:
        yield Section("### What goes out", listings)


def _how_to(plan: Plan) -> Section:
    edit = anchor(code(STATE_PATH), f"{plan.version.url}/edit/{PROPOSAL_BRANCH}/{STATE_PATH}")
    text = (
        "### To change or undo it\n\n"
        f"Edit {edit} on this branch: take a line back to leave a repository where it is, or write another full sha. "
        "Every edit is planned again and shown here as a check. Merging decides."
    )
    moving = next((action for action in plan.actions if action.live), None)
    if moving and moving.live:
        text += (
            "\n\nTo go back after it has moved, set the line to the earlier sha and permit exactly that way, here for "
            f"{escape(moving.name)}:\n\n"
            "```yaml\n"
            "permits:\n"
            f"  {moving.repository}:\n"
            "    rewind:\n"
            f"      from: {moving.target}\n"
            f"      to: {moving.live}\n"
            '      reason: "…"\n'
            "```"
        )
    return Section(text)


def _waiting(proposal: Proposal) -> Iterator[Section]:
    listings = [
        Listing(
            [
                f"- `{commit.sha}` {_time(commit.landed_at)} {escape(_title(commit))}"
                for commit in history.waiting
            ]
            + ([] if history.is_complete else ["- and older ones, which were not read"]),
            (f"**{escape(history.repository)}**", ""),
        )
        for _, history in sorted(proposal.histories.items())
        if history.waiting
    ]
    if listings:
        yield Section(
            "<details><summary>All waiting commits, newest first, with full shas</summary>",
            listings,
            "</details>",
        )


def _built_on(blobs: Blobs | None) -> Iterator[Section]:
    if blobs:
        yield Section(f"<!-- stablehand:built-on {blobs[0] or 'none'} {blobs[1] or 'none'} -->")


def _blob(name: str) -> Sha | None:
    return None if name == "none" else name


def _going_out(proposal: Proposal, item: Item) -> tuple[SourceCommit, ...]:
    """List the waiting commits that a move takes out, newest first; none where its target is not among them.

    What a new ref begins with is a whole history, and no news.
    """
    history = proposal.histories.get(item.repository)
    if history is None or isinstance(item, NoOp) or item.live is None or history.out != item.live:
        return ()
    shas = [commit.sha for commit in history.waiting]
    return history.waiting[shas.index(item.target) :] if item.target in shas else ()


def _newer(history: SourceHistory, target: Sha) -> tuple[SourceCommit, ...]:
    newer = tuple(takewhile(lambda commit: commit.sha != target, history.waiting))
    return newer if len(newer) < len(history.waiting) or target == history.out else ()


def _count(proposal: Proposal, item: Item) -> int | None:
    """Count the commits of a move, also of one that waits or is held; none where that is not known."""
    observed = proposal.observed.repositories.get(item.repository)
    if observed is None or observed.target is None or observed.target.sha != item.target:
        return None
    return observed.target.ahead or observed.target.behind or None


def _commit_line(commit: SourceCommit) -> str:
    """Name a commit by its pull request, or by itself, with its author but without mentioning anyone."""
    merged = commit.pull_request
    if merged is None:
        return f"{code(abbreviate(commit.sha))} {escape(commit.headline)} ({escape(commit.author)})"
    return f"{anchor(f'#{merged.number}', merged.url)} {escape(merged.title)} ({escape(merged.author)})"


def _title(commit: SourceCommit) -> str:
    return commit.pull_request.title if commit.pull_request else commit.headline


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
