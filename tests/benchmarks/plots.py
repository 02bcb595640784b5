"""Results as plots, in SVG that is the same for the same results."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from tests.benchmarks.results import PRODUCT, SCRIPT, Job, Measurement

_COLOURS = {PRODUCT: "#1f6feb", SCRIPT: "#9a6700"}


def draw(measurements: Sequence[Measurement], directory: Path) -> None:
    """Write ``nothing-to-do.svg`` and ``everything-moves.svg``."""
    mpl.rcParams.update({"svg.hashsalt": "stablehand", "svg.fonttype": "none", "font.family": "sans-serif"})
    nothing = [each for each in measurements if each.job is Job.NOTHING]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    seconds, requests, memory = figure.subplots(1, 3)
    _curve(seconds, "seconds", nothing, lambda each: each.seconds)
    _curve(requests, "requests", nothing, lambda each: each.requests)
    _curve(memory, "MiB of the client", nothing, lambda each: each.memory_mib)
    memory.set_yscale("linear")
    memory.set_ylim(bottom=0)
    figure.legend(*seconds.get_legend_handles_labels(), frameon=False, loc="outside upper left", ncols=2)
    _save(figure, directory / "nothing-to-do.svg")
    everything = [each for each in measurements if each.job is Job.EVERYTHING]
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    _curve(axes, "seconds", everything, lambda each: each.seconds)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside upper left", ncols=2)
    _save(figure, directory / "everything-moves.svg")


def _curve(
    axes: Axes, label: str, measurements: Sequence[Measurement], value: Callable[[Measurement], float | None]
) -> None:
    """Draw one curve a way. Only what was measured on the whole fleet: no point is reckoned from a part."""
    for way, colour in _COLOURS.items():
        points = [
            (each.repositories, found)
            for each in measurements
            if each.way == way and each.measured == each.repositories and (found := value(each)) is not None
        ]
        axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=way)
    axes.set(xscale="log", yscale="log", xlabel="repositories", ylabel=label)
    counts = sorted({each.repositories for each in measurements})
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.grid(visible=True, which="major", color="#d0d7de", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
