"""Measurements as values, and what they are held to."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from math import ceil

from state.ids import Frozen

PRODUCT, SCRIPT, GIT = "stablehand", "a script over REST", "git fetch and git push"
EMPTY_FLOW, FLOW = "an empty flow", "reconcile-release"
COMMAND_SECONDS = {
    "stablehand --help": 0.4,
    "stablehand schema release-state": 0.6,
    "stablehand check release-state.yaml": 1.0,
    "stablehand plan": 2.0,
}
_BATCH = 50


class Job(StrEnum):
    NOTHING = "nothing to do"
    EVERYTHING = "every repository moves"
    EIGHT = "eight repositories move"
    FLOW = "nothing to do, as a Prefect flow"
    COMMAND = "a command, cold"


class Measurement(Frozen):
    """One job, done in one way."""

    job: Job
    way: str
    repositories: int
    measured: int
    """On how many of them: a baseline that takes too long is measured on a part."""
    seconds: float
    cpu_seconds: float | None = None
    """Of the client."""
    memory_mib: float | None = None
    moved_seconds: float | None = None
    """Until the last ref had moved."""
    requests: int | None = None
    over_limits: int | None = None
    """Requests beyond GitHub's secondary limits. The baseline is let through; the product would be refused."""

    @property
    def seconds_each(self) -> float:
        return self.seconds / self.measured

    @property
    def requests_each(self) -> float:
        assert self.requests is not None
        return self.requests / self.measured


class Goal(Frozen):
    """Something that a measurement is held to."""

    what: str
    bound: str
    found: str
    is_met: bool


class Results(Frozen):
    """One whole run."""

    at: datetime
    machine: str
    latency_seconds: float
    measurements: tuple[Measurement, ...]
    goals: tuple[Goal, ...]


def judge(measurements: Iterable[Measurement]) -> Iterator[Goal]:
    """Hold measurements to their goals, as far as there are any."""
    found = {(each.job, each.way, each.repositories): each for each in measurements}
    for (job, way, count), each in found.items():
        if way == PRODUCT and job is Job.NOTHING:
            yield from _judge_nothing(each, found.get((job, SCRIPT, count)))
            if smaller := found.get((job, way, count // 10)):
                yield _judge_growth(smaller, each)
        if way == PRODUCT and job is Job.EVERYTHING:
            yield from _judge_everything(each, found[job, SCRIPT, count])
        if way == FLOW:
            above = each.seconds - found[job, EMPTY_FLOW, count].seconds
            yield _at_most(f"{job}, {count:,}: above an empty flow", above, 1.5, "s")
        if way in COMMAND_SECONDS:
            yield _at_most(way, each.seconds, COMMAND_SECONDS[way], "s")


def _judge_nothing(product: Measurement, script: Measurement | None) -> Iterator[Goal]:
    count, what = product.repositories, f"{product.job}, {product.repositories:,}"
    assert product.requests is not None
    assert product.memory_mib is not None
    yield _at_most(f"{what}: requests", product.requests, ceil(count / _BATCH) + 5, "")
    if count == 1_000 and script:
        yield _at_least(f"{what}: fewer requests", script.requests_each / product.requests_each, 100, "times")
        yield _at_least(f"{what}: faster", script.seconds_each / product.seconds_each, 30, "times")
    if count == 10_000:
        yield _at_most(f"{what}: memory", product.memory_mib, 300, "MiB")


def _judge_growth(small: Measurement, large: Measurement) -> Goal:
    """Hold the client's own time to linear growth. What passes on the clock is the sandbox's, which answers in turn."""
    assert small.cpu_seconds
    assert large.cpu_seconds
    times = large.cpu_seconds / small.cpu_seconds
    what = f"{large.job}: client's CPU for {large.repositories:,} beside {small.repositories:,}"
    return _at_most(what, times, 12, "times")


def _judge_everything(product: Measurement, script: Measurement) -> Iterator[Goal]:
    count, what = product.repositories, f"{product.job}, {product.repositories:,}"
    assert product.over_limits is not None
    yield _at_most(f"{what}: over a secondary limit", product.over_limits, 0, "requests")
    if count == 1_000:
        yield _at_least(f"{what}: faster", script.seconds_each / product.seconds_each, 10, "times")


def _at_most(what: str, found: float, bound: float, unit: str) -> Goal:
    return Goal(
        what=what,
        bound=f"at most {bound:,} {unit}".strip(),
        found=_number(found, unit),
        is_met=found <= bound,
    )


def _at_least(what: str, found: float, bound: float, unit: str) -> Goal:
    return Goal(
        what=what, bound=f"at least {bound:,} {unit}", found=_number(found, unit), is_met=found >= bound
    )


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}".strip() if value >= 100 or value == int(value) else f"{value:.1f} {unit}"
