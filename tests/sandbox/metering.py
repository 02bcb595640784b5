"""What requests cost: counts for tests and benchmarks, and GitHub's hourly limits."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

READ_POINTS, WRITE_POINTS = 1, 5
HOUR = timedelta(hours=1)
READS = ("graphql:query", "rest:GET")


def is_read(kind: str) -> bool:
    return kind.startswith(READS)


@dataclass
class RequestLog:
    """How many requests came, by kind, and their points on the secondary limit (1 a read, 5 a write)."""

    counts: Counter[str] = field(default_factory=Counter)
    points: int = 0

    @property
    def total(self) -> int:
        return self.counts.total()

    def add(self, kind: str) -> None:
        self.counts[kind] += 1
        if kind.startswith(("graphql:", "rest:")):
            self.points += READ_POINTS if is_read(kind) else WRITE_POINTS

    def reset(self) -> None:
        self.counts.clear()
        self.points = 0


@dataclass(frozen=True)
class RateLimit:
    """One account's primary limit on one resource, as the headers and `rateLimit` say it."""

    resource: str
    limit: int
    used: int
    reset_at: datetime
    cost: int = 0
    node_count: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-reset": str(int(self.reset_at.timestamp())),
            "x-ratelimit-resource": self.resource,
        }


class RateLimits:
    """Points used in the running hour, by account and resource (`core`, `graphql`)."""

    def __init__(self, clock: Callable[[], datetime], *, limit: int = 5_000) -> None:
        self.limit = limit
        self._clock = clock
        self._used: dict[tuple[str, str], tuple[int, datetime]] = {}

    def state(self, login: str, resource: str, *, cost: int = 0, node_count: int = 0) -> RateLimit:
        now = self._clock()
        used, reset_at = self._used.get((login, resource), (0, now + HOUR))
        if reset_at <= now:
            used, reset_at = 0, now + HOUR
        return RateLimit(resource, self.limit, used, reset_at, cost, node_count)

    def spend(self, login: str, resource: str, cost: int, *, node_count: int = 0) -> RateLimit:
        before = self.state(login, resource)
        self._used[login, resource] = (before.used + cost, before.reset_at)
        return self.state(login, resource, cost=cost, node_count=node_count)
