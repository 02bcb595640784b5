"""Laws of the plan, whatever the fleet and the documents look like."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconcile.observe import wanted_of
from reconcile.observed import Observed
from reconcile.plan import plan
from reconcile.planned import Create, FastForward, Force, Hold, NoOp, Plan, Rewind, Wait
from state.document import Permits
from state.ids import ZERO_SHA
from state.ledger import Ledger, SpentPermit
from state.policy import Freeze, Window
from tests.properties.strategies import GATES, World, freezes, windows, worlds


def observe(world: World) -> Observed:
    desired, policy = world.accepted.desired, world.accepted.policy
    return asyncio.run(
        world.github.observe_fleet(
            wanted_of(desired), ref=desired.ref, branches=policy.moves.allowed_branches
        )
    )


def plan_world(world: World) -> Plan:
    return plan(world.accepted, observe(world), now=world.now)


def moved(made: Plan) -> set[str]:
    return {action.repository for action in made.actions}


def changed(world: World, document: str, **fields: Any) -> World:
    """Change fields of the policy or the desired state, as another decision would."""
    model = getattr(world.accepted, document).model_copy(update=fields)
    return world._replace(accepted=world.accepted.model_copy(update={document: model}))


@given(worlds(), st.randoms(use_true_random=False))
def test_blind_to_the_order_of_its_inputs(world: World, random: Any) -> None:
    """The same facts in another order give the same bytes."""

    def shuffled(mapping: dict[str, Any]) -> dict[str, Any]:
        return dict(random.sample([*mapping.items()], len(mapping)))

    first = plan_world(world)
    desired, policy = world.accepted.desired, world.accepted.policy
    other = changed(world, "policy", repositories=shuffled(policy.repositories))
    other = changed(
        other,
        "desired",
        **{key: shuffled(getattr(desired, key)) for key in ("targets", "holds", "permits")},
    )
    found = observe(world)
    again = plan(
        other.accepted, found.model_copy(update={"repositories": shuffled(found.repositories)}), now=world.now
    )
    assert first.model_dump_json() == again.model_dump_json()
    assert first.digest == again.digest


@given(worlds())
def test_survives_json(world: World) -> None:
    """A plan that was stored as JSON is the same plan, with the same digest."""
    made = plan_world(world)
    read = Plan.model_validate_json(made.model_dump_json())
    assert made == read
    assert made.digest == read.digest


@given(worlds())
def test_one_item_a_target(world: World) -> None:
    """Every target has exactly one item; what the policy names besides is reported."""
    made = plan_world(world)
    targets, named = world.accepted.desired.targets, world.accepted.policy.repositories
    assert sorted(targets) == sorted(item.repository for item in made.items)
    assert sorted(named.keys() - targets.keys()) == list(made.unnamed)
    assert all(item.target == targets[item.repository] for item in made.items)


@given(worlds())
def test_converged_fleet_gives_no_actions(world: World) -> None:
    """When every ref is at its target there is nothing to do, whatever the gates, holds and rights are.

    A line that nobody approved is shown all the same: it may hide one that has not been carried out.
    """
    for name, target in world.accepted.desired.targets.items():
        world.github.push(name, target)
    made = plan_world(world)
    assert world.accepted.unapproved.keys() == {hold.repository for hold in made.holds}
    assert () == made.actions
    assert made.is_converged or made.holds


@given(worlds())
def test_no_commit_leaves_without_its_permit(world: World) -> None:
    """Only an unspent permit of exactly this way takes commits off a ref; anything else adds to it."""
    ledger = world.accepted.ledger
    for action in plan_world(world).actions:
        repository = world.github.repositories[action.repository]
        live = world.github.live(action.repository)
        assert live == action.live
        if isinstance(action, FastForward | Create):
            assert repository.commits_of(live) <= repository.commits_of(action.target)
            continue
        permits = world.accepted.desired.permits[action.repository]
        permit = permits.rewind if isinstance(action, Rewind) else permits.force
        assert isinstance(action, Rewind | Force)
        assert permit is not None
        assert (live, action.target) == (permit.from_, permit.to)
        assert action.is_permitted
        assert ledger is not None
        assert not ledger.has_spent(action.repository, permit.from_, permit.to)


@given(worlds())
def test_little_without_a_ledger(world: World) -> None:
    """Without a ledger nothing but fast-forwards moves."""
    world = world._replace(accepted=world.accepted.model_copy(update={"ledger": None}))
    assert all(isinstance(action, FastForward) for action in plan_world(world).actions)


@given(worlds())
def test_nothing_stops_what_a_person_held(world: World) -> None:
    """Held and unapproved repositories never move."""
    stopped = world.accepted.desired.holds.keys() | world.accepted.unapproved.keys()
    assert moved(plan_world(world)).isdisjoint(stopped)


@given(worlds())
def test_order_is_kept(world: World) -> None:
    """An action stands in a later wave than everything it comes after, and behind nothing that is stuck."""
    made = plan_world(world)
    items = {item.repository: item for item in made.items}
    edges = {name: each.after for name, each in world.accepted.policy.repositories.items()}
    for action in made.actions:
        for name in edges[action.repository]:
            before = items.get(name)
            assert not isinstance(before, Hold | Wait)
            if before is not None and not isinstance(before, NoOp):
                assert before.wave < action.wave
                assert name in action.after


@given(worlds(is_limited=False), freezes)
def test_a_freeze_adds_no_action(world: World, freeze: Freeze) -> None:
    """Another freeze can only stop moves."""
    frozen = changed(world, "policy", freezes=(*world.accepted.policy.freezes, freeze))
    assert moved(plan_world(frozen)) <= moved(plan_world(world))


@given(worlds(is_limited=False), windows, windows)
def test_a_window_less_adds_no_action(world: World, kept: Window, closed: Window) -> None:
    """Closing one of several windows can only stop moves. Without any window there is no such gate."""
    fewer, more = changed(world, "policy", windows=(kept,)), changed(world, "policy", windows=(kept, closed))
    assert moved(plan_world(fewer)) <= moved(plan_world(more))


@given(worlds(is_limited=False), st.sampled_from(GATES))
def test_despite_removes_no_action(world: World, gate: str) -> None:
    """A permit that overrides one gate more can only let more move."""
    wider = {
        name: Permits.model_construct(
            **{
                kind: permit.model_copy(update={"despite": (*permit.despite, gate)})
                for kind, permit in ((kind, getattr(permits, kind)) for kind in Permits.model_fields)
                if permit
            }
        )
        for name, permits in world.accepted.desired.permits.items()
    }
    assert moved(plan_world(world)) <= moved(plan_world(changed(world, "desired", permits=wider)))


@given(worlds(is_limited=False))
def test_limits_stop_all_or_nothing(world: World) -> None:
    """A limit of repositories leaves a plan as it is, or stops all of its moves and nothing else."""
    free = plan_world(world)
    limits = world.accepted.policy.limits.model_copy(update={"repositories": 1})
    limited = plan_world(changed(world, "policy", limits=limits))
    if len(free.actions) <= 1:
        assert free == limited
    else:
        assert not limited.actions
        assert free.waits == limited.waits
        assert moved(free) == {hold.repository for hold in limited.holds if hold.code == "limit-exceeded"}


@given(worlds(is_gated=False))
def test_a_spent_permit_allows_nothing(world: World) -> None:
    """Once the ledger has what a plan did under permits, no plan does it under them again."""
    spent = tuple(
        SpentPermit(repository=each.repository, from_=each.live or ZERO_SHA, to=each.target)
        for each in plan_world(world).actions
        if each.is_permitted
    )
    ledger = (world.accepted.ledger or Ledger()).model_copy(update={"spent": spent})
    after = world._replace(accepted=world.accepted.model_copy(update={"ledger": ledger}))
    again = {action.repository for action in plan_world(after).actions if action.is_permitted}
    assert again.isdisjoint(each.repository for each in spent)
