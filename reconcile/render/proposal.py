"""The proposal: title and body of the pull request that people review, edit and merge.

Ages in it are as of its writing, coarse, and where a moment matters stand beside it. Every run writes the body that
it would write now, if that is another one: an old age on the line that decides misleads whoever decides by it, and an
expiry that is not the newest turns the check red. An edit of a body calls nobody and dismisses no review; so what
time alone changes may change the body, and never the branch.

What the tool itself reads back stands in comments at its end: what the branch was built on, and what validation said.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import assert_never

from reconcile.cost import estimate_duration, foresee_starts
from reconcile.observed import Observed
from reconcile.planned import Create, FastForward, Force, Hold, Item, NoOp, Plan, Rewind, Wait
from reconcile.render.markdown import anchor, code, drop_empty_columns, escape, link, shorten, table
from reconcile.render.marks import Blobs, mark_built_on, mark_evidence
from reconcile.render.plan import SENTENCE_LIMIT, PlanRow, render_way, rows_of, summarize
from reconcile.render.sections import Listing, Section, lay_out
from reconcile.render.times import render_age, render_moment, render_span, render_time
from reconcile.selection import LeftOut, going_out
from reconcile.waves import predecessors
from state.document import Hold as DesiredHold
from state.document import PermitKind
from state.evidence import Evidence, Validation, Verdict
from state.ids import BranchName, Frozen, RepositoryName, Sha, abbreviate
from state.policy import Policy, ProposalPolicy
from state.proposal import Candidate, SourceCommit, SourceHistory, read_release_note
from state.yaml_io import STATE_PATH

PROPOSAL_BRANCH: BranchName = "stablehand/proposal"
"""The one branch that proposals are made on. People may push to it."""
_TITLE_LIMIT = 120
_NAMED_IN_TITLE = 8
_SHOWN_AUTHORS = 3
_SHOWN_LINKS = 10
_SHOWN_TOGETHER = 30
_NOTE_LIMIT = 300
_FOLDED_FROM = 40
"""So many lines are folded away: who wants them opens them, and who does not sees what comes below."""
_HEAD = ("repository", "from → to", "risks", "commits", "PRs", "by", "oldest waits", "note")
_VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "**failed**",
    Verdict.NO_EVIDENCE: "**no evidence**",
}


class Proposal(Frozen):
    """All that the text of a proposal is made of."""

    at: datetime
    """When it is written: ages are as of then."""
    plan: Plan
    """What merging the proposed document would do."""
    observed: Observed
    validation: Validation | None
    """None where the policy asks for none."""
    candidates: tuple[Candidate, ...]
    histories: dict[RepositoryName, SourceHistory]
    policy: Policy
    left_out: tuple[LeftOut, ...] = ()
    lifted: dict[RepositoryName, DesiredHold] = {}
    """Holds that merging lifts, since their time has passed."""
    spent: tuple[tuple[RepositoryName, PermitKind], ...] = ()
    """Used permits that merging removes."""
    risks: dict[RepositoryName, tuple[str, ...]] = {}
    """What to look at twice, a few words each."""
    editors: tuple[str, ...] = ()
    """Who else has commits on the branch: their file is left as it is."""
    notes: tuple[str, ...] = ()
    """What else to know before merging."""
    built_on: Blobs | None = None
    """The documents of the default branch that the file was made from."""

    @property
    def rules(self) -> ProposalPolicy:
        return self.policy.proposal

    @property
    def shows_owners(self) -> bool:
        """Whether names need their owners to be told apart."""
        return len({item.repository.partition("/")[0] for item in self.plan.items}) > 1

    def short(self, name: str) -> str:
        return name if self.shows_owners else name.partition("/")[2] or name


def render_title(proposal: Proposal) -> str:
    """Name what moves, in one line; what is held only where nothing moves."""
    items = proposal.plan.items
    changing = [item for item in items if not isinstance(item, NoOp | Hold)] or proposal.plan.holds
    if not changing:
        return f"Update {STATE_PATH}"
    names = [proposal.short(item.name) for item in changing]
    many = f"{len(names)} repositories: " if len(names) > _NAMED_IN_TITLE else ""
    return shorten(f"Move {proposal.plan.ref} of {many}{', '.join(names)}", _TITLE_LIMIT)


def render_body(proposal: Proposal) -> str:
    """Render what a reviewer needs, the deciding line first, always short enough for GitHub."""
    return lay_out(
        (
            Section(render_headline(proposal)),
            *_notes(proposal),
            *_moves(proposal),
            *_evidence(proposal),
            *_also(proposal),
            *_order(proposal),
            *_left(proposal),
            *_release_notes(proposal),
            *_pull_requests(proposal),
            _how_to(proposal),
            *_waiting(proposal),
            *_marks(proposal),
        )
    )


def render_closing(plan: Plan) -> str:
    """Say why a pull request is closed, and what comes next."""
    return (
        f"Closed: nothing is left in this that {plan.version.branch} does not have by now ({summarize(plan.items)}). "
        "The next proposal opens a new pull request."
    )


def render_headline(proposal: Proposal) -> str:
    """Say what decides: how many move, what validation says, what is largest, how long it takes."""
    parts = [summarize(proposal.plan.items)]
    if proposal.validation is None:
        parts.append("**nothing validates this**: the policy names no validation")
    else:
        is_passed = proposal.validation.verdict is Verdict.PASS
        parts.insert(1 if is_passed else 0, _verdict(proposal.validation, proposal.at))
    counts = {
        item.name: count
        for item in proposal.plan.items
        if not isinstance(item, NoOp) and (count := _count(proposal, item))
    }
    if counts:
        largest = max(counts, key=lambda name: counts[name])
        parts.append(f"largest: {escape(proposal.short(largest))}, {_plural(counts[largest], 'commit')}")
    if proposal.plan.actions:
        takes = estimate_duration(proposal.plan, proposal.policy, now=proposal.at)
        parts.append(f"about {render_span(max(takes, timedelta(minutes=1)))} to deploy")
    return " · ".join(parts)


def _verdict(validation: Validation, now: datetime) -> str:
    """Say what validation comes to, and how long ago the oldest of it began."""
    when = f" {render_age(validation.began_at, now)}" if validation.began_at else ""
    match validation.verdict:
        case Verdict.PASS:
            return f"stage green{when}" if when else "validation passed"
        case Verdict.FAIL:
            return f"**Validation failed**{when}"
        case Verdict.NO_EVIDENCE:
            return "**Nothing says that stage is good**"
        case _:
            assert_never(validation.verdict)


def _notes(proposal: Proposal) -> Iterator[Section]:
    if proposal.editors:
        names = ", ".join(escape(name) for name in proposal.editors)
        yield Section(
            f"> The file on this branch is as {names} left it, and is not proposed anew while their commits are on "
            f"the branch. Label this {escape(proposal.rules.hand_back)}, or close it, to have the next one start over."
        )
    for note in proposal.notes:
        yield Section(f"> {escape(note, SENTENCE_LIMIT)}")


def _evidence(proposal: Proposal) -> Iterator[Section]:
    if proposal.validation and proposal.validation.evidence:
        lines = [_evidence_line(each, proposal.at) for each in proposal.validation.evidence]
        yield Section("### Evidence", (Listing(lines),))


def _evidence_line(evidence: Evidence, now: datetime) -> str:
    said = f"- {_VERDICTS[evidence.verdict]}: {escape(evidence.source)}. {escape(evidence.sentence, SENTENCE_LIMIT)}"
    if evidence.began_at:
        said += f" Began {render_age(evidence.began_at, now)}."
    if evidence.expires_at:
        said += f" Counts until {render_moment(evidence.expires_at, now)}."
    return f"{said} {_some([link(each.text, each.url) for each in evidence.links], _SHOWN_LINKS)}".rstrip()


def _moves(proposal: Proposal) -> Iterator[Section]:
    changing = [item for item in proposal.plan.items if not isinstance(item, NoOp)]
    changing.sort(key=lambda item: _weight(proposal, item))
    if changing:
        cells = [_cells(proposal, item, row) for item, row in zip(changing, rows_of(changing), strict=True)]
        titles, *filled = drop_empty_columns((_HEAD, *cells))
        head, rule, *lines = table(titles, filled)
        yield Section("### What moves", (Listing(lines, (head, rule)),))


def _weight(proposal: Proposal, item: Item) -> tuple[bool, bool, int]:
    """Order by what to look at first: what is held, what has risks, what is large. What does not fit is cut below."""
    return (
        not isinstance(item, Hold),
        item.repository not in proposal.risks,
        -(_count(proposal, item) or 0),
    )


def _cells(proposal: Proposal, item: Item, row: PlanRow) -> tuple[str, ...]:
    going = going_out(proposal.histories.get(item.repository), item)
    count = _count(proposal, item)
    oldest = min((commit.landed_at for commit in going), default=None)
    return (
        link(proposal.short(row.name), row.url),
        render_way(row),
        "<br>".join(f"**{escape(mark)}**" for mark in proposal.risks.get(item.repository, ())),
        "" if count is None else str(count),
        str(sum(commit.pull_request is not None for commit in going) or ""),
        _authors(going),
        render_span(proposal.at - oldest) if oldest else "",
        _note(item, row),
    )


def _note(item: Item, row: PlanRow) -> str:
    """Say what is unusual about a move; what nearly every one is needs no word, and a new branch has been marked."""
    match item:
        case NoOp() | Create() | FastForward():
            return ""
        case Rewind() | Force():
            return f"**{item.kind}**"
        case Hold():
            return f"**held** ({code(item.code)}). {escape(row.why, SENTENCE_LIMIT)}"
        case Wait():
            return f"waits ({code(item.code)}). {escape(row.why, SENTENCE_LIMIT)}"
        case _:
            assert_never(item)


def _authors(going: Sequence[SourceCommit]) -> str:
    """Name who contributed, newest first, without mentioning anyone."""
    return _some(list(dict.fromkeys(escape(_author(commit)) for commit in going)), _SHOWN_AUTHORS)


def _also(proposal: Proposal) -> Iterator[Section]:
    """List what else merging decides, which the table does not show."""
    lines = [
        f"- lifts the hold of {escape(proposal.short(name))}, which ran until {_until(hold)}: "
        f"{escape(hold.reason, SENTENCE_LIMIT)}. To keep it, put its lines back."
        for name, hold in sorted(proposal.lifted.items())
    ]
    lines += [
        f"- removes the {kind} permit of {escape(proposal.short(name))}, which has been used"
        for name, kind in proposal.spent
    ]
    if lines:
        yield Section("### Merging this also", (Listing(lines),))


def _until(hold: DesiredHold) -> str:
    return render_time(hold.until) if hold.until else "now"


def _order(proposal: Proposal) -> Iterator[Section]:
    """List what moves after what, and what is built again; nothing where all of it goes at once."""
    starts = foresee_starts(proposal.plan, proposal.policy, now=proposal.at)
    items = {item.repository: item for item in proposal.plan.items}
    depths: dict[RepositoryName, int] = {}
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for name, start in starts.items():
        before = predecessors(proposal.policy, name) & depths.keys()
        depths[name] = 1 + max((depths[each] for each in before), default=0)
        groups[depths[name]].append(_start(proposal, items[name], start))
    if len(groups) > 1:
        lines = [f"{depth}. {_some(groups[depth], _SHOWN_TOGETHER)}" for depth in sorted(groups)]
        yield Section(
            "### Order", (Listing(lines),), "Each moves once what it comes after has moved and is ready."
        )


def _start(proposal: Proposal, item: Item, after: timedelta) -> str:
    said = escape(proposal.short(item.name))
    if isinstance(item, NoOp):
        said += " is built again"
    return f"{said} (after about {render_span(after)})" if after else said


def _left(proposal: Proposal) -> Iterator[Section]:
    lines = [
        f"- {escape(proposal.short(each.repository))}: {escape(each.reason, SENTENCE_LIMIT)}"
        for each in proposal.left_out
    ]
    explained = {each.repository for each in proposal.left_out}
    chosen = {candidate.repository: candidate for candidate in proposal.candidates}
    for item in (item for item in proposal.plan.items if item.repository not in explained):
        candidate, history = chosen.get(item.repository), proposal.histories.get(item.repository)
        reasons = {left.commit.sha: left.reason for left in candidate.left_behind} if candidate else {}
        for commit in _newer(history, item.target) if history else ():
            reason = reasons.get(commit.sha, "newer than what this proposes")
            lines.append(f"- {escape(proposal.short(item.name))} {_commit_line(commit)}: {escape(reason)}")
    if lines:
        yield Section("### Left behind", (Listing(lines),))


def _release_notes(proposal: Proposal) -> Iterator[Section]:
    rules, listings = proposal.rules.release_notes, []
    for item, going in _moving(proposal):
        lines = [
            f"- {escape(note, _NOTE_LIMIT)} ({anchor(f'#{merged.number}', merged.url)})"
            for commit in going
            if (merged := commit.pull_request)
            and (note := read_release_note(merged.body, rules.begin, rules.end))
        ]
        if lines:
            listings.append(Listing(lines, (f"**{escape(proposal.short(item.name))}**", "")))
    if listings:
        yield Section("### Release notes", listings)


def _pull_requests(proposal: Proposal) -> Iterator[Section]:
    listings = [
        Listing(
            [f"- {_commit_line(commit)}" for commit in going],
            (f"**{escape(proposal.short(item.name))}**", ""),
        )
        for item, going in _moving(proposal)
    ]
    if not listings:
        return
    count = sum(len(listing.lines) for listing in listings)
    if count < _FOLDED_FROM:
        yield Section("### What goes out", listings)
    else:
        summary = f"What goes out: {_plural(count, 'change')}"
        yield Section(f"<details><summary>{summary}</summary>", listings, "</details>")


def _moving(proposal: Proposal) -> Iterator[tuple[Item, tuple[SourceCommit, ...]]]:
    """Yield what is not held and takes commits out, with these."""
    for item in proposal.plan.items:
        going = going_out(proposal.histories.get(item.repository), item)
        if going and not isinstance(item, Hold):
            yield item, going


def _how_to(proposal: Proposal) -> Section:
    plan = proposal.plan
    edit = anchor(code(STATE_PATH), f"{plan.version.url}/edit/{PROPOSAL_BRANCH}/{STATE_PATH}")
    text = (
        "### To change or undo it\n\n"
        f"Edit {edit} on this branch: take a line back to leave a repository where it is, or write another full sha. "
        "The notes on the changed lines do that with one click. Every edit is planned again, shown here as a check, "
        f"and stays yours; the label **{escape(proposal.rules.hand_back)}** gives the branch back. Merging decides."
    )
    if any(action.live for action in plan.actions):
        text += (
            "\n\nTo go back after it has moved, run `stablehand rollback`, which offers it as a pull request."
        )
    # What is itself a rewind or a force goes back another way.
    if forward := next((action for action in plan.actions if isinstance(action, FastForward)), None):
        text += (
            " Or set the line to the earlier sha and permit exactly that way, here for "
            f"{escape(proposal.short(forward.name))}:\n\n"
            "```yaml\n"
            "permits:\n"
            f"  {forward.repository}:\n"
            "    rewind:\n"
            f"      from: {forward.target}\n"
            f"      to: {forward.live}\n"
            '      reason: "…"\n'
            "```"
        )
    return Section(text)


def _waiting(proposal: Proposal) -> Iterator[Section]:
    listings = [
        Listing(
            [
                f"- `{commit.sha}` {render_time(commit.landed_at)} {escape(_title(commit))}"
                for commit in history.waiting
            ]
            + ([] if history.is_complete else ["- and older ones, which were not read"]),
            (f"**{escape(proposal.short(history.repository))}**", ""),
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


def _marks(proposal: Proposal) -> Iterator[Section]:
    """Leave what the tool itself reads back."""
    if proposal.built_on:
        yield Section(mark_built_on(proposal.built_on))
    if proposal.validation:
        yield Section(mark_evidence(proposal.validation))


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
    name = anchor(f"#{merged.number}", merged.url) if merged else code(abbreviate(commit.sha))
    return f"{name} {escape(_title(commit))} ({escape(_author(commit))})"


def _title(commit: SourceCommit) -> str:
    return commit.pull_request.title if commit.pull_request else commit.headline


def _author(commit: SourceCommit) -> str:
    return commit.pull_request.author if commit.pull_request else commit.author


def _some(texts: Sequence[str], most: int) -> str:
    """Enumerate what is Markdown already, and say how much more there is."""
    shown = ", ".join(texts[:most])
    return f"{shown} and {len(texts) - most} more" if len(texts) > most else shown


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
