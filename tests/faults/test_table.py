"""Every fault on every request that a run sends: how the run ends, and that the next one mends it."""

from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest

from reconcile.errors import (
    ForbiddenError,
    RateLimitedError,
    ReconcileError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconcile.report import Result
from tests.faults.conftest import MakeWorld
from tests.faults.world import Hook, Moment, World, request_name
from tests.sandbox import Fault, Faults
from tests.sandbox.faults import Request

TABLE = """
                      502-  502+  cut-  cut+  slow- slow+ null  html  403   401   lim1  lim?  lim2  hour  stale down
load release state    ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
load changes          ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
load documents        ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
find fork point       ok    ok    ok    ok    ok    ok    odd   odd   deny  token ok    ok    odd   limit ok    away
load reviews          ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
observe fleet         ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
store intents         ok    ok    ok    ok    ok    ok    ok    ok    deny  token ok    ok    ok    limit -     away
fence                 ok    ok    ok    ok    ok    ok    ok    fail  fail  token ok    ok    ok    wait  ok    away
update two refs       ok    ok    ok    ok    ok    ok    ok    ok    fail  token ok    ok    ok    wait  -     away
update one ref        ok    ok    ok    ok    ok    ok    ok    ok    fail  token ok    ok    ok    wait  -     away
observe refs          ok    ok    ok    ok    ok    ok    ok    ok    ok    token ok    ok    ok    ok    ok    away
load again            ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
observe again         ok    ok    ok    ok    ok    ok    ok    odd   deny  token ok    ok    ok    limit ok    away
find comment          ok    ok    ok    ok    ok    ok    ok    ok    ok    token ok    ok    ok    ok    ok    away
write comment         ok    ok    ok    ok    ok    ok    ok    ok    ok    token ok    ok    ok    ok    -     away
find status           ok    ok    ok    ok    ok    ok    ok    ok    ok    token ok    ok    ok    ok    ok    away
write status          ok    ok    ok    ok    ok    ok    ok    ok    ok    token ok    ok    ok    ok    -     away
store outcome         ok    ok    ok    ok    ok    ok    ok    ok    deny  token ok    ok    ok    limit -     away
make the first tree   ok    ok    ok    ok    ok    ok    ok    ok    deny  token ok    ok    ok    limit -     away
make the first commit ok    ok    ok    ok    ok    ok    ok    ok    deny  token ok    ok    ok    limit -     away
find ledger branch    ok    ok    ok    ok    ok    ok    ok    ok    deny  token ok    ok    ok    limit ok    away
make ledger branch    ok    ok    ok    ok    ok    ok    ok    ok    deny  token ok    ok    ok    limit -     away
"""
"""How the run ends whose request is hit; the next one ends converged, always. Columns are in FAULTS, words in ENDS."""

REQUESTS = {
    "load release state": ("ReleaseState", 1),
    "load changes": ("History", 1),
    "load documents": ("Documents", 1),
    "find fork point": ("GET compare", 1),
    "load reviews": ("Merged", 1),
    "observe fleet": ("Fleet", 1),
    "store intents": ("Commit", 1),
    "fence": ("Version", 1),
    "update two refs": ("UpdateRefs", 1),
    "update one ref": ("UpdateRefs", 2),
    "observe refs": ("Refs", 1),
    "load again": ("ReleaseState", 2),
    "observe again": ("Fleet", 2),
    "find comment": ("Comments", 1),
    "write comment": ("AddComment", 1),
    "find status": ("Status", 1),
    "write status": ("POST statuses", 1),
    "store outcome": ("Commit", 2),
    "make the first tree": ("POST trees", 1),
    "make the first commit": ("POST commits", 1),
    "find ledger branch": ("Branch", 1),
    "make ledger branch": ("BeginLedger", 1),
}
"""What a row is about: the request's name, and which of this name in the run."""
ENDS: dict[str, Result | type[ReconcileError]] = {
    "ok": Result.CONVERGED,
    "wait": Result.WAITING,
    "fail": Result.FAILED,
    "away": UnreachableError,
    "limit": RateLimitedError,
    "token": UnauthorizedError,
    "deny": ForbiddenError,
    "odd": UnexpectedAnswerError,
}
QUICK = {"store intents", "fence", "update two refs", "store outcome"}
"""Rows that are always tried; the others take a minute."""


WRONG = '{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}'
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800"}
"""The hourly limit, to be granted anew much later than a run waits for."""
FAULTS: dict[str, Callable[..., Fault]] = {
    "502-": partial(Faults.bad_gateway, happens=False),
    "502+": partial(Faults.bad_gateway, happens=True),
    "cut-": partial(Faults.cut, happens=False),
    "cut+": partial(Faults.cut, happens=True),
    "null": partial(Faults.refuse, status=200, body=WRONG),
    "html": Faults.html,
    "403": partial(Faults.refuse, status=403, body='{"message": "Forbidden"}'),
    "lim1": partial(Faults.rate_limited, retry_after=1),
    "lim?": partial(Faults.rate_limited, status=429),
    "lim2": partial(Faults.rate_limited, status=200),
    "hour": partial(Faults.refuse, status=403, body='{"message": "API rate limit exceeded"}', headers=SPENT),
    "stale": lambda faults, **match: faults.add(Fault(stale=True, **match)),
}
"""Strike once. "-": before the effect, "+": after it; "lim": the secondary limit, as GitHub says it."""
FOR_GOOD: dict[str, Callable[..., Fault]] = {
    "401": partial(Faults.refuse, status=401, body='{"message": "Bad credentials"}'),
    "down": partial(Faults.bad_gateway, happens=False),
}
"""Strike this request and all that follow: a token that expires midway, GitHub going away."""


def strike(world: World, fault: str, name: str, number: int) -> Hook | None:
    """Let a fault strike the n-th request of this name, in the sandbox or on the way to it."""
    if fault in FOR_GOOD:
        FOR_GOOD[fault](world.sandbox.faults, where=from_here_on(name, number), times=None)
    elif fault in FAULTS:
        FAULTS[fault](world.sandbox.faults, where=is_named(name), after=number - 1)
    else:
        return losing_patience("before" if fault == "slow-" else "after", name, number)
    return None


def is_named(name: str) -> Callable[[Request], bool]:
    return lambda request: request_name(request.method, request.path, request.body) == name


def from_here_on(name: str, number: int) -> Callable[[Request], bool]:
    is_here, seen = is_named(name), 0

    def where(request: Request) -> bool:
        nonlocal seen
        seen += is_here(request)
        return seen >= number

    return where


def losing_patience(moment: Moment, name: str, number: int) -> Hook:
    """Time out as the client does, with the request carried out ("after") or not."""
    seen = 0

    async def hook(now: Moment, each: str) -> None:
        nonlocal seen
        seen += (now, each) == (moment, name)
        if (now, each, seen) == (moment, name, number):
            raise httpx.ReadTimeout("no answer in time")

    return hook


def cells() -> Iterator[object]:
    """Read the table."""
    head, *rows = TABLE.strip("\n").splitlines()
    for row in rows:
        request, ends = row[:22].strip(), row[22:].split()
        marks = () if request in QUICK else (pytest.mark.slow,)
        for fault, end in zip(head.split(), ends, strict=True):
            if end != "-":
                yield pytest.param(request, fault, end, id=f"{request}, {fault}", marks=marks)


@pytest.mark.parametrize(("request_", "fault", "end"), list(cells()))
async def test_table(make_world: MakeWorld, request_: str, fault: str, end: str) -> None:
    """The run ends as the table says; nothing moved twice, nothing unrecorded, and the next run converges."""
    name, number = REQUESTS[request_]
    is_first = request_ in {
        "make the first tree",
        "make the first commit",
        "find ledger branch",
        "make ledger branch",
    }
    world = make_world(is_begun=not is_first)
    world.merge(world.at(3))
    if request_ == "observe refs":  # which is asked only after a doubtful answer
        world.sandbox.faults.bad_gateway(happens=True, where=is_named("UpdateRefs"))
    hook = strike(world, fault, name, number)
    found: Result | ReconcileError
    try:
        found = (await world.run(hook=hook)).result
    except ReconcileError as error:
        found = error
    expected = ENDS[end]
    assert found is expected if isinstance(expected, Result) else isinstance(found, expected)
    assert all(rule.seen > rule.after for rule in world.sandbox.faults.rules), "the fault struck nothing"
    world.sandbox.faults.clear()
    assert (await world.run(name="next")).result is Result.CONVERGED
    assert world.at(3) == world.stables()
    assert ["success"] == [status.state for status in world.state.latest_statuses(world.head)]
    assert 3 == len(world.moves())
    world.audit()
    world.audit_record()
