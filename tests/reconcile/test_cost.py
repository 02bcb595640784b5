"""What a plan costs: requests, time, and the question whether GitHub's budget lasts to the end of a wave."""

from datetime import timedelta

import pytest

from reconcile.apply import Skipped, apply_actions
from reconcile.cost import BATCH_SIZE, Cost, estimate, estimate_duration, wave_points
from reconcile.observe import observe
from reconcile.observed import Relation
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.ports import Budget
from reconcile.report import Result, RunReport
from state.document import Hold
from state.ids import RepositoryName
from state.ledger import Ledger, Proof
from state.policy import Policy, Window
from tests.builders import (
    LIVE,
    NOW,
    TARGET,
    accepted,
    observed,
    observed_repository,
    observed_target,
    policy,
)
from tests.fakes import FakeGitHub, FakeRepository

NAMES = ("a/a", "b/b", "c/c")


async def world(
    *names: RepositoryName, live: str = LIVE, **after: tuple[str, ...]
) -> tuple[FakeGitHub, Plan]:
    """Make a fleet in which everything moves, and plan it."""
    github = FakeGitHub(
        *(
            FakeRepository(name, parents={LIVE: (), TARGET: (LIVE,)}, refs={"main": TARGET, "stable": live})
            for name in names
        )
    )
    edges = {f"{name}/{name}": tuple(f"{each}/{each}" for each in first) for name, first in after.items()}
    given = accepted(dict.fromkeys(names, TARGET), under=policy(*names, after=edges))
    github.commit_documents(desired_text="", policy_text="")
    given = given.model_copy(update={"version": github.version})
    return github, plan(given, await observe(github, given), now=NOW)


async def test_in_place_costs_nothing() -> None:
    """A converged fleet needs nothing beyond the plan."""
    _, current = await world(*NAMES, live=TARGET)
    assert Cost(reads=0, writes=0, seconds=0) == estimate(current)


async def test_every_wave_costs_a_fence_and_an_update() -> None:
    """In order, three moves are three waves; side by side they travel in one request."""
    _, together = await world(*NAMES)
    _, in_order = await world(*NAMES, b=("a",), c=("b",))
    assert (2, 2) == (
        estimate(in_order).reads - estimate(together).reads,
        estimate(in_order).writes - estimate(together).writes,
    )


async def test_writes_take_their_time() -> None:
    """A second from one write to the next is the least that a plan takes."""
    _, current = await world(*NAMES)
    assert estimate(current).seconds >= estimate(current).writes - 1


def ordered(**repositories: dict[str, object]) -> Policy:
    """Make a policy of ``a/a``, ``b/b``, ``c/c`` with these rules."""
    named = {f"{name}/{name}": rules for name, rules in repositories.items()}
    return Policy.model_validate({"version": 1, "repositories": named})


def duration(
    under: Policy, *in_place: RepositoryName, ledger: Ledger | None = None, **rest: object
) -> timedelta:
    """Estimate a plan in which everything moves but what is in place, without the seconds that requests take."""
    names = tuple(under.repositories)
    fleet = observed(
        *(
            observed_repository(
                name, live=TARGET, target=observed_target(relation=Relation.IDENTICAL, ahead=0)
            )
            if name in in_place
            else observed_repository(name)
            for name in names
        )
    )
    given = accepted(dict.fromkeys(names, TARGET), under=under, ledger=ledger or Ledger(), **rest)  # type: ignore[arg-type]  # sections of the document
    current = plan(given, fleet, now=NOW)
    return estimate_duration(current, under, now=NOW) - timedelta(seconds=estimate(current).seconds)


BUILT: dict[str, object] = {"ready": {"statuses": {"contexts": ["build"]}, "within": "60m"}}
AFTER_A: dict[str, object] = {"after": "a/a"}
AFTER_B: dict[str, object] = {"after": "b/b"}


@pytest.mark.parametrize(
    ("minutes", "under", "in_place"),
    [
        pytest.param(0, ordered(a={}, b=AFTER_A), (), id="order alone takes no time"),
        pytest.param(0, ordered(a=BUILT, b={}), (), id="nothing waits for the build"),
        pytest.param(60, ordered(a=BUILT, b=AFTER_A), (), id="a build comes first"),
        pytest.param(120, ordered(a=BUILT, b=AFTER_A | BUILT, c=AFTER_B), (), id="one build after the other"),
        pytest.param(60, ordered(a=BUILT, b=BUILT, c={"after": ["a/a", "b/b"]}), (), id="side by side"),
        pytest.param(60, ordered(a=BUILT, b=AFTER_A, c=AFTER_B), ("b/b",), id="through one that stays"),
        pytest.param(0, ordered(a=BUILT, b=AFTER_A), ("b/b",), id="what waits for it stays"),
        pytest.param(60, ordered(a=BUILT, b=AFTER_A | {"rebuild": "images.yml"}), ("b/b",), id="a rebuild"),
        pytest.param(0, ordered(a=BUILT, b=AFTER_A), ("a/a", "b/b"), id="all in place"),
    ],
)
def test_the_longest_way_through_the_order(
    minutes: int, under: Policy, in_place: tuple[RepositoryName, ...]
) -> None:
    """Builds that something waits for count, one after the other where they must."""
    assert timedelta(minutes=minutes) == duration(under, *in_place)


def test_a_build_that_has_begun_counts_with_what_is_left_of_it() -> None:
    """The first moved forty minutes ago."""
    under, moved_at = ordered(a=BUILT, b=AFTER_A), NOW - timedelta(minutes=40)
    ledger = Ledger(proved={"a/a": Proof(sha=TARGET, at=moved_at, moved_at=moved_at)})
    assert timedelta(minutes=20) == duration(under, "a/a", ledger=ledger)


def test_what_is_held_up_is_not_waited_for() -> None:
    """How long a person takes nobody knows; how long a window stays closed the plan says for itself."""
    under = ordered(a=BUILT, b=AFTER_A | BUILT, c=AFTER_B)
    assert timedelta(0) == duration(under, holds={"a/a": Hold(reason="broken")})
    assert timedelta(0) == duration(under, holds={"b/b": Hold(reason="broken")})
    friday = Window.model_validate({"days": "Fri", "from": "08:00", "until": "16:00", "zone": "UTC"})
    assert timedelta(0) == duration(under.model_copy(update={"windows": (friday,)}))


async def test_requests_take_time_too() -> None:
    """A plan without any build takes as long as its requests."""
    _, current = await world(*NAMES)
    assert timedelta(seconds=estimate(current).seconds) == estimate_duration(current, policy(*NAMES), now=NOW)


async def test_showing_moves_costs_two_writes_each() -> None:
    """And one look at what is shown already."""
    _, current = await world(*NAMES)
    plain, shown = estimate(current), estimate(current, shows_moves=True)
    assert (1, 2 * len(NAMES)) == (shown.reads - plain.reads, shown.writes - plain.writes)


@pytest.mark.parametrize(("moves", "more"), [(1, 0), (BATCH_SIZE, 0), (BATCH_SIZE + 1, 2)])
def test_a_batch_costs_as_much_as_one(moves: int, more: int) -> None:
    """So many moves as fit into one request cost no more than one."""
    assert more == wave_points(moves, fleet=20) - wave_points(1, fleet=20)


async def test_a_wave_that_the_budget_does_not_last_for_is_not_begun() -> None:
    """Nothing is sent, and each move says until when."""
    github, current = await world(*NAMES)
    resets_at = github.clock.now() + timedelta(minutes=20)
    github.granted = Budget(remaining=wave_points(3, fleet=3) - 1, resets_at=resets_at)
    github.requests.clear()
    outcomes = await apply_actions(current, current.actions, github.tools)
    assert [] == github.requests
    for outcome in outcomes:
        assert isinstance(outcome, Skipped)
        assert ("rate-limit", resets_at) == (outcome.code, outcome.until)
        assert "until 2026-03-02 10:20 UTC" in outcome.sentence


@pytest.mark.parametrize("budget", ["none", "enough", "over"])
async def test_a_budget_that_lasts_holds_nothing_up(budget: str) -> None:
    """Neither does one that GitHub has not spoken of, or whose hour is over."""
    github, current = await world(*NAMES)
    now = github.clock.now()
    github.granted = {
        "none": None,
        "enough": Budget(remaining=wave_points(3, fleet=3), resets_at=now + timedelta(hours=1)),
        "over": Budget(remaining=0, resets_at=now),
    }[budget]
    await apply_actions(current, current.actions, github.tools)
    assert 3 == len(github.effects)


async def test_what_was_put_off_waits() -> None:
    """With what comes after it: nobody is needed, and nothing has failed."""
    github, current = await world(*NAMES, b=("a",))
    resets_at = github.clock.now() + timedelta(minutes=20)
    github.granted = Budget(remaining=0, resets_at=resets_at)
    first = [action for action in current.actions if action.wave == 1]
    report = RunReport(plan=current, outcomes=await apply_actions(current, first, github.tools))
    assert Result.WAITING == report.result
    assert {} == report.causes
    assert [("a/a", "rate-limit", resets_at), ("c/c", "rate-limit", resets_at)] == [
        (item.repository, item.code, item.until) for item in report.items if item.kind == "wait"
    ]
