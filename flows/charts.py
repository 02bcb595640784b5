"""Charts of a history, as SVG to stand in a page. The only module that knows matplotlib, which is an optional extra.

Imported only where charts are asked for: it takes half a second, and need not be installed.
"""

from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

from flows.ways.errors import UsageError
from state.history import History, Release, Week

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORWARD, BACK, BY_HAND = "#2f6f9f", "#c8553d", "#e0a83c"
"""The colours of what moved forward, what went back, and what was moved by hand."""
_INK, _FAINT = "#39424e", "#d9dee4"
_DAY = timedelta(days=1)
_REPOSITORIES = 20
"""Bars that can still be read."""


def draw_history(history: History) -> tuple[str, ...]:
    """Draw what moved each week, how long changes waited, and how the repositories compare, each as one SVG.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise UsageError(
            ("Charts need matplotlib: pip install 'stablehand[charts]', or leave out --html.",)
        ) from error
    style = mpl.rc_context(
        {
            "svg.fonttype": "none",  # text stays text: the page's reader can find and copy it
            "font.family": "sans-serif",
            "font.size": 9.5,
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "axes.edgecolor": _FAINT,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "text.parse_math": False,  # a name is a name
        }
    )
    with style:
        return (_draw_weeks(history), _draw_lead_times(history), _draw_repositories(history))


def _draw_weeks(history: History) -> str:
    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    figure = Figure(figsize=(5.4, 2.8), layout="constrained")
    axes = figure.add_subplot()
    weeks = history.figures.weeks
    bottom = [0] * len(weeks)
    for label, colour, counts in (
        ("forward", FORWARD, [week.forward for week in weeks]),
        ("back", BACK, [week.back for week in weeks]),
        ("by hand", BY_HAND, [week.by_hand for week in weeks]),
    ):
        if any(counts) or label == "forward":
            axes.bar(range(len(weeks)), counts, bottom=bottom, color=colour, width=0.72, label=label)
        bottom = [below + count for below, count in zip(bottom, counts, strict=True)]
    _name_weeks(axes, weeks)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.set_ylim(0, max(max(bottom, default=0) * 1.15, 1))
    axes.set_ylabel("moves")
    axes.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.16), borderaxespad=0)
    return _finish(figure, axes, "weeks")


def _draw_lead_times(history: History) -> str:
    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)

    figure = Figure(figsize=(5.4, 2.8), layout="constrained")
    axes = figure.add_subplot()
    weeks = history.figures.weeks
    points = [_point(release, weeks) for release in history.releases]
    spread = [(x, wait / _DAY) for x, waits in points for wait in waits]
    axes.scatter(
        [x for x, _ in spread],
        [y for _, y in spread],
        s=14,
        color=FORWARD,
        alpha=0.35,
        linewidths=0,
        label="a change",
    )
    medians = [(i, week.lead_time.median / _DAY) for i, week in enumerate(weeks) if week.lead_time]
    axes.plot(
        [i for i, _ in medians],
        [y for _, y in medians],
        color=_INK,
        linewidth=1.6,
        marker="o",
        markersize=4,
        label="median of the week",
    )
    if whole := history.figures.lead_time:
        axes.axhline(whole.p90 / _DAY, color=BACK, linewidth=1, linestyle=(0, (4, 3)), label="nine of ten")
    _name_weeks(axes, weeks)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("days")
    axes.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.16), borderaxespad=0)
    return _finish(figure, axes, "lead times")


def _draw_repositories(history: History) -> str:
    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    shown = history.figures.repositories[:_REPOSITORIES]
    figure = Figure(figsize=(7.2, 0.9 + 0.3 * max(len(shown), 1)), layout="constrained")
    axes = figure.add_subplot()
    waits = [each.lead_time.median / _DAY if each.lead_time else 0.0 for each in shown]
    bars = axes.barh(range(len(shown)), waits, color=FORWARD, height=0.62)
    labels = [
        f"{wait:.1f} d · {each.changes} changes, {each.moves} moves"
        if each.lead_time
        else f"{each.moves} moves"
        for each, wait in zip(shown, waits, strict=True)
    ]
    axes.bar_label(bars, labels=labels, padding=5, color=_INK, fontsize=9)
    axes.set_yticks(range(len(shown)), [each.repository for each in shown])
    axes.invert_yaxis()
    # Room for the labels, which stand behind the longest bar too.
    axes.set_xlim(0, max(waits, default=0) * 1.8 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.set_xlabel("days a change waits, median")
    return _finish(figure, axes, "repositories", grid="x")


def _point(release: Release, weeks: Sequence[Week]) -> tuple[float, tuple[timedelta, ...]]:
    """Place a move on the axis of weeks, whose marks stand in the middle of each."""
    return (release.at - weeks[0].monday) / timedelta(weeks=1) - 0.5, release.lead_times


def _name_weeks(axes: "Axes", weeks: Sequence[Week]) -> None:
    step = max(1, -(-len(weeks) // 9))
    axes.set_xticks(range(0, len(weeks), step), [f"{week.monday:%d %b}" for week in weeks[::step]])
    axes.set_xlim(-0.6, max(len(weeks) - 0.4, 0.6))


def _finish(figure: "Figure", axes: "Axes", name: str, *, grid: str = "y") -> str:
    """Take away what carries no meaning, and write the SVG alone, the same for the same history."""
    import matplotlib as mpl  # noqa: PLC0415 (an extra)

    for side in ("top", "right", "left" if grid == "y" else "bottom"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y" if grid == "y" else "x", color=_FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6)
    written = StringIO()
    # Several stand in one page: the salt keeps the names of their parts apart.
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]
