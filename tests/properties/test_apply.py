"""Laws of applying, whatever goes wrong and whoever else pushes."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconcile.apply import (
    Failed,
    Moved,
    MovedMeanwhile,
    Outcome,
    Refused,
    Skipped,
    apply_actions,
    split_wave,
)
from reconcile.observe import wanted_of
from reconcile.plan import plan
from reconcile.planned import Force, Plan, Rewind
from state.ids import RepositoryName
from tests.properties.strategies import NAMES, World, foreign, trouble, worlds


async def planned(world: World) -> Plan:
    desired = world.accepted.desired
    found = await world.github.observe_fleet(
        wanted_of(desired), ref=desired.ref, branches=world.accepted.policy.moves.allowed_branches
    )
    return plan(world.accepted, found, now=world.now)


async def apply_all(world: World, made: Plan) -> Mapping[RepositoryName, Outcome]:
    """Apply wave after wave, as a run does."""
    outcomes: dict[RepositoryName, Outcome] = {}
    for wave in sorted({action.wave for action in made.actions}):
        ready, skipped = split_wave(made, wave, outcomes)
        for outcome in (*await apply_actions(made, ready, world.github.tools), *skipped):
            assert outcome.repository not in outcomes
            outcomes[outcome.repository] = outcome
    return outcomes


@given(worlds(is_gated=False, is_limited=False), st.data())
def test_nobodys_commit_is_lost(world: World, data: st.DataObject) -> None:
    """Under any interleaving of pushes and any fault, what others pushed is still there at the end."""
    github = world.github
    made = asyncio.run(planned(world))
    data.draw(trouble(github))
    outcomes = asyncio.run(apply_all(world, made))
    actions = {action.repository: action for action in made.actions}

    assert outcomes.keys() == actions.keys()
    for effect in github.effects:
        action = actions[effect.repository]
        assert (action.live, action.target) == (effect.before, effect.after)
        commits_of = github.repositories[effect.repository].commits_of
        assert isinstance(action, Rewind | Force) or commits_of(effect.before) <= commits_of(effect.after)
    for name, repository in github.repositories.items():
        pushed = {foreign(number) for number in range(8)} & repository.parents.keys()
        assert pushed <= repository.commits_of(github.live(name))


@given(worlds(is_gated=False, is_limited=False), st.data())
def test_what_is_said_is_what_happened(world: World, data: st.DataObject) -> None:
    """Every outcome is one of five, and none claims what the refs do not show."""
    github = world.github
    made = asyncio.run(planned(world))
    before = {name: github.live(name) for name in NAMES}
    data.draw(trouble(github))
    outcomes = asyncio.run(apply_all(world, made))
    carried = {effect.repository for effect in github.effects}
    for name, outcome in outcomes.items():
        match outcome:
            case Moved():
                assert outcome.after in github.repositories[name].commits_of(github.live(name))
            case MovedMeanwhile():
                assert outcome.found not in {outcome.before, outcome.after}
                assert github.live(name) != before[name]
            case Refused() | Failed():
                assert name not in carried
            case Skipped():
                # Carried out, its answer lost, every read stale, and then the decision changed: a new plan sees it.
                assert name not in carried or outcome.code == "stale-document"


@given(worlds(is_gated=False, is_limited=False), st.data())
def test_nothing_is_sent_again_unread(world: World, data: st.DataObject) -> None:
    """Between two requests that move refs, the documents are looked at, and a repeated one's ref is read."""
    made = asyncio.run(planned(world))
    data.draw(trouble(world.github))
    world.github.requests.clear()
    asyncio.run(apply_all(world, made))
    sent = iter(world.github.sent)
    unread: set[RepositoryName] = set()
    for previous, method in pairwise(["", *world.github.requests]):
        match method:
            case "observe_refs":
                unread.clear()
            case "update_refs":
                names = {update.repository for update in next(sent)}
                assert previous == "observe_version"
                assert unread.isdisjoint(names)
                unread |= names


@given(worlds(is_gated=False, is_limited=False))
def test_undisturbed_everything_moves(world: World) -> None:
    """Without trouble every action moves, in order, and a fresh plan has no actions left."""
    made = asyncio.run(planned(world))
    outcomes = asyncio.run(apply_all(world, made))
    assert all(isinstance(outcome, Moved) for outcome in outcomes.values())
    waves = {action.repository: action.wave for action in made.actions}
    moved_in = [waves[effect.repository] for effect in world.github.effects]
    assert sorted(waves.values()) == moved_in
    assert asyncio.run(planned(world)).actions == ()


@given(worlds(is_gated=False, is_limited=False), st.data())
def test_twice_is_once(world: World, data: st.DataObject) -> None:
    """Applying a plan again, after whatever befell it, adds nothing to what is out where it had moved."""
    made = asyncio.run(planned(world))
    data.draw(trouble(world.github))
    first = asyncio.run(apply_all(world, made))
    world.github.meanwhile.clear()
    world.github.faults.clear()
    world.github.stale_reads.clear()
    settled = {name: world.github.live(name) for name, outcome in first.items() if isinstance(outcome, Moved)}
    effects = [effect for effect in world.github.effects if effect.repository in settled]
    asyncio.run(apply_all(world, made))
    assert settled == {name: world.github.live(name) for name in settled}
    assert effects == [effect for effect in world.github.effects if effect.repository in settled]
