"""Strategies: small fleets with histories, documents about them, and what other people do meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from hypothesis import strategies as st

from reconcile.observed import Accepted
from state.document import Hold, Permit, Permits
from state.ids import ZERO_SHA, RepositoryName, Sha
from state.ledger import Ledger, Proof, SpentPermit
from state.policy import Freeze, Limits, Moves, Policy, Window
from tests.builders import accepted, policy
from tests.fakes import FakeGitHub, FakeRepository, Fault

NAMES: tuple[RepositoryName, ...] = ("packit/a", "packit/b", "packit/c", "packit/d")
COMMITS: tuple[Sha, ...] = tuple(f"{number:x}" * 40 for number in range(1, 7))
HISTORIES: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((), (0,), (1,), (2,), (3,), (4,)),  # a line
    ((), (0,), (1,), (1,), (2,), (3,)),  # two branches
    ((), (0,), (0,), (1, 2), (3,), (3,)),  # a merge, and two branches after it
    ((), (0,), (), (2,), (1, 3), (4,)),  # two roots that are joined
    ((), (), (0,), (1,), (2,), (3,)),  # two that have nothing in common
)
"""By commit, in the order of ``COMMITS``, the places of its parents."""
UNKNOWN: Sha = "f" * 40
GATES = ("frozen", "outside-window", "soaking")

_A_YEAR = datetime(2026, 3, 1, tzinfo=UTC), 312
"""Both days on which clocks change in Prague, and a year's end; with its length in days."""

moments = st.integers(0, _A_YEAR[1] * 96).map(lambda quarters: _A_YEAR[0] + timedelta(minutes=15) * quarters)

windows = st.builds(
    Window.model_validate,
    st.fixed_dictionaries(
        {
            "days": st.sampled_from(["Mon-Thu", "Fri", "Sat, Sun", "Mon-Sun"]),
            "from": st.sampled_from(["00:00", "02:30", "08:00", "22:00"]),
            "until": st.sampled_from(["00:00", "02:45", "06:00", "16:00"]),
            "zone": st.sampled_from(["Europe/Prague", "UTC", "America/New_York"]),
        }
    ),
)

freezes = st.builds(
    lambda day, length, zone: Freeze.model_validate(
        {
            "name": "quiet",
            # At noon: a local time that clocks go forward over is refused.
            "from": (_A_YEAR[0] + timedelta(day, hours=12)).replace(tzinfo=None),
            "until": (_A_YEAR[0] + timedelta(day + length, hours=12)).replace(tzinfo=None),
            "zone": zone,
        }
    ),
    st.integers(0, _A_YEAR[1]),
    st.integers(1, 100),
    st.sampled_from(["Europe/Prague", "UTC"]),
)


class World(NamedTuple):
    """A fleet, a document about it, and the moment."""

    github: FakeGitHub
    accepted: Accepted
    now: datetime


@st.composite
def repositories(draw: st.DrawFn, name: RepositoryName) -> FakeRepository:
    """Draw a history, a ref somewhere on it or nowhere, and now and then a right that is missing."""
    history = draw(st.sampled_from(HISTORIES))
    parents = {
        commit: tuple(COMMITS[place] for place in places)
        for commit, places in zip(COMMITS, history, strict=True)
    }
    live = draw(st.sampled_from((*COMMITS, None)))
    return FakeRepository(
        name,
        parents=parents,
        refs={"main": COMMITS[-1], "next": COMMITS[-2]} | ({"stable": live} if live else {}),
        permission=draw(st.sampled_from(["WRITE"] * 8 + ["READ", None])),
    )


orders = st.sampled_from(
    [
        {},
        {NAMES[1]: NAMES[:1]},
        {NAMES[1]: NAMES[:1], NAMES[2]: NAMES[1:2], NAMES[3]: NAMES[2:3]},
        {NAMES[1]: NAMES[:1], NAMES[2]: NAMES[:1], NAMES[3]: NAMES[1:3]},
        {NAMES[0]: NAMES[2:]},
    ]
)
"""What comes after what, without circles."""


@st.composite
def policies(draw: st.DrawFn, *, is_limited: bool = True, is_gated: bool = True) -> Policy:
    limits = st.builds(
        Limits, repositories=st.sampled_from([None, 1, 2]), commits_per_repository=st.sampled_from([None, 3])
    )
    gates = {
        "windows": tuple(draw(st.lists(windows, max_size=2))),
        "freezes": tuple(draw(st.lists(freezes, max_size=2))),
        "soak": timedelta(hours=draw(st.sampled_from([0, 0, 36]))),
    }
    return policy(
        *NAMES,
        after=draw(orders),
        limits=draw(limits) if is_limited else Limits(),
        moves=Moves(
            create=draw(st.sampled_from(["allow", "allow", "refuse"])),
            allowed_branches=draw(st.sampled_from([("main", "next"), ("main", "next"), ("main",)])),
        ),
        **gates if is_gated else {},
    )


@st.composite
def permits(draw: st.DrawFn, live: Sha | None, target: Sha) -> Permits:
    """Draw permits for this very way, or for one near it."""
    permit = Permit(
        from_=draw(st.sampled_from([live or ZERO_SHA] * 3 + [COMMITS[0]])),
        to=target,
        reason="rollback of #1",
        despite=tuple(sorted(draw(st.sets(st.sampled_from(GATES))))),
    )
    kinds = draw(st.sampled_from([("rewind", "force", "move")] * 3 + [("rewind",), ("force",), ("move",)]))
    return Permits.model_validate(dict.fromkeys(kinds, permit))


@st.composite
def ledgers(draw: st.DrawFn, targets: dict[RepositoryName, Sha], github: FakeGitHub) -> Ledger:
    some = st.sets(st.sampled_from(NAMES), max_size=2)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Ledger(
        proved={name: Proof(sha=targets[name], at=at) for name in draw(some) if name in targets},
        spent=tuple(
            SpentPermit(repository=name, from_=github.live(name) or ZERO_SHA, to=targets[name])
            for name in sorted(draw(some))
            if name in targets
        ),
    )


@st.composite
def worlds(draw: st.DrawFn, *, is_limited: bool = True, is_gated: bool = True) -> World:
    """Draw a fleet and a document about most of it, with every kind of exception in it."""
    github = FakeGitHub(*(draw(repositories(name)) for name in NAMES))
    github.clock.time = now = draw(moments)
    named = draw(st.sampled_from([NAMES, NAMES, NAMES[1:], NAMES[:1]]))
    targets = {name: draw(st.sampled_from((*COMMITS * 3, UNKNOWN))) for name in named}
    excepted = draw(st.sampled_from([named, named, named[:1], ()]))
    held, unapproved = draw(st.sampled_from([((), ())] * 4 + [(named[:1], ()), ((), named[-1:])]))
    given = accepted(
        targets,
        under=draw(policies(is_limited=is_limited, is_gated=is_gated)),
        ledger=draw(st.one_of(ledgers(targets, github), st.just(Ledger()), st.just(Ledger()), st.none())),
        unapproved=dict.fromkeys(unapproved, "pushed without a pull request"),
        holds=dict.fromkeys(held, Hold(reason="waits for the login page")),
        permits={name: draw(permits(github.live(name), targets[name])) for name in excepted},
    )
    return World(github, given.model_copy(update={"version": github.version}), now)


faults: st.SearchStrategy[Fault | None] = st.sampled_from(
    [None, None, "lost before", "lost after", "unexplained", "protected", "workflows-permission"]
)


@st.composite
def trouble(draw: st.DrawFn, github: FakeGitHub) -> None:
    """Queue faults, stale reads and other people's pushes on a fleet. Nobody but us takes commits off a ref."""
    for name in NAMES:
        found: list[Fault | None] = draw(st.lists(faults, max_size=3))
        github.faults[name].extend(found)
        github.stale_reads[name] = draw(st.integers(0, 4))
    for number in range(draw(st.integers(0, 8))):
        github.meanwhile.append(draw(st.one_of(st.none(), deeds(github, number))))
    github.times_out_after = draw(st.sampled_from([None, None, 1, 2]))


def deeds(github: FakeGitHub, number: int) -> st.SearchStrategy[Callable[[], object]]:
    """Choose what somebody does before a request: push a commit onto a ref, or change a document."""
    return st.one_of(
        st.sampled_from(NAMES).map(lambda name: partial(push_onto, github, name, foreign(number))),
        st.just(partial(github.commit_documents, desired_text=f"decision {number}")),
        st.just(partial(github.commit_documents)),
    )


def foreign(number: int) -> Sha:
    """Name somebody's commit."""
    return f"{number:x}".rjust(40, "a")


def push_onto(github: FakeGitHub, name: RepositoryName, commit: Sha) -> None:
    """Push one new commit on top of whatever stands there."""
    live = github.live(name)
    github.push(name, commit, onto=(live,) if live else ())
