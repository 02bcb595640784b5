"""A history as one page that needs nothing else: no network, no script. Words and logins from outside are escaped.

The charts are drawn elsewhere and handed in as SVG; what the page says in words it says without them too.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from state.history import Decided, HandMove, History, LeadTime
from state.ids import Sha, abbreviate

_PAGE = Path(__file__).with_name("history.html")
_TITLES = (
    ("What moved", "Moves of each week, from Monday."),
    ("How long changes waited", "From their merge until they first went out, by the day they did."),
    ("Repositories", "The median wait of a change, the busiest repositories first."),
)
_ROWS = 200
"""Decisions, and moves by hand, that the page lists."""
_NAMES = 4
_HOURS_UNTIL = timedelta(days=2)
"""Waits that are better said in hours."""


def render_history(history: History, charts: Sequence[str]) -> str:
    """Render the page.

    Args:
        history: What it is about.
        charts: The SVGs of `flows.charts`, in its order. They are trusted.
    """
    figures = "".join(
        f'<figure role="img" aria-label="{escape(title)}"><figcaption><h2>{escape(title)}</h2>'
        f"<p>{escape(sentence)}</p></figcaption>{chart}</figure>"
        for (title, sentence), chart in zip(_TITLES, charts, strict=True)
    )
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{history.repository}: releases"),
        repository=_anchor(history.repository, history.url),
        ref=escape(history.ref),
        period=escape(describe_period(history)),
        numbers="".join(_number(*each) for each in _numbers(history)),
        charts=figures,
        decisions=_table(
            ("accepted", "decision", "opened by", "merged by", "approved by", "moved"),
            map(_decision, history.decisions[:_ROWS]),
            empty="No decision moved anything.",
            left_out=len(history.decisions) - _ROWS,
        ),
        by_hand=_table(
            ("when", "repository", "by", "from", "to"),
            map(_hand_move, reversed(history.by_hand[-_ROWS:])),
            empty="None is known.",
            left_out=len(history.by_hand) - _ROWS,
        ),
        notes="".join(f"<p>{escape(note)}</p>" for note in describe_gaps(history)),
    )


def describe_period(history: History) -> str:
    """Say from when to when."""
    return f"{history.since:%Y-%m-%d} to {history.until:%Y-%m-%d}"


def describe_gaps(history: History) -> tuple[str, ...]:
    """Say what is not known, one sentence each."""
    gaps = []
    if history.untold:
        shown = ", ".join(history.untold[:_NAMES])
        more = f" and {len(history.untold) - _NAMES} more" if len(history.untold) > _NAMES else ""
        gaps.append(
            f"Who moved {history.ref} by hand cannot be known of {shown}{more}: this account may not read their "
            "activity, or GitHub does not tell as far back."
        )
    if any(each.direction == "unknown" for each in history.releases):
        gaps.append("What some moves took out is not known any more: their repositories or commits are gone.")
    if not history.is_complete:
        gaps.append("The ledger has older entries of this time than were read: ask for a shorter time.")
    return tuple(gaps)


def describe_wait(wait: timedelta) -> str:
    """Say how long, in hours or days."""
    if wait < _HOURS_UNTIL:
        return f"{wait / timedelta(hours=1):.0f} h"
    return f"{wait / timedelta(days=1):.1f} days"


def describe_share(share: float) -> str:
    """Say a part of a whole in per cent; little is not said to be nothing."""
    return "under 1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"  # noqa: PLR2004 (one per cent)


def _numbers(history: History) -> Iterator[tuple[str, str, str]]:
    """List the headline figures: the figure, what it is, and what it rests on."""
    figures, lead = history.figures, history.figures.lead_time
    yield (
        f"{figures.moves:,}",
        "moves",
        f"{figures.moves_per_week:.1f} a week, by {figures.decisions:,} decisions",
    )
    yield _wait(lead, "median"), "from merge to release, median", f"{lead.changes if lead else 0:,} changes"
    yield _wait(lead, "p90"), "for nine of ten changes", "or less"
    yield (
        describe_share(figures.rollback_share),
        "rolled back",
        f"{figures.rollbacks:,} of {figures.moves:,} moves",
    )
    known = "at least " if history.untold else ""
    yield (
        describe_share(figures.by_hand_share),
        "moved by hand",
        f"{known}{figures.by_hand:,} of {figures.moves + figures.by_hand:,}",
    )


def _wait(lead: LeadTime | None, which: str) -> str:
    if lead is None:
        return "none"
    return describe_wait(lead.median if which == "median" else lead.p90)


def _number(figure: str, what: str, basis: str) -> str:
    return f"<li><strong>{escape(figure)}</strong> <span>{escape(what)}</span> <small>{escape(basis)}</small></li>"


def _decision(each: Decided) -> Iterator[str]:
    name = f"#{each.pull_request}" if each.pull_request else abbreviate(each.commit)
    yield _time(each.at)
    yield f"{_anchor(name, each.url)} {escape(each.title or '')}"
    yield escape(each.author or "")
    yield escape(each.merged_by or "")
    yield escape(", ".join(each.approvers))
    yield escape(", ".join(each.repositories[:_NAMES])) + (
        f" and {len(each.repositories) - _NAMES} more" if len(each.repositories) > _NAMES else ""
    )


def _hand_move(each: HandMove) -> Iterator[str]:
    yield _time(each.at)
    yield escape(each.repository)
    yield escape(each.actor or "unknown")
    yield _sha(each.before)
    yield _sha(each.after)


def _table(head: Sequence[str], rows: Iterable[Iterable[str]], *, empty: str, left_out: int) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return f"<p>{escape(empty)}</p>"
    more = f"<p>… and {left_out:,} earlier ones.</p>" if left_out > 0 else ""
    titles = "".join(f"<th>{escape(each)}</th>" for each in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>{more}"


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M}</time>'


def _sha(commit: Sha | None) -> str:
    return f"<code>{abbreviate(commit)}</code>" if commit else "nothing"


def _anchor(text: str, url: str | None) -> str:
    """Link to an address; only web addresses become links."""
    if url is None or urlsplit(url).scheme not in {"http", "https"}:
        return escape(text)
    return f'<a href="{escape(url)}">{escape(text)}</a>'
