"""People, faults and the reconciler in any order: what must never happen never does, and in the end all is well."""

import asyncio
from itertools import count
from pathlib import Path

import pytest
import stamina
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reconcile.errors import ReconcileError
from reconcile.report import Result, RunReport
from tests.faults.test_table import FAULTS, FOR_GOOD, REQUESTS, strike
from tests.faults.turns import Turns
from tests.faults.world import LENGTH, Hook, Killed, Moment, Time, World, killing
from tests.sandbox import Sandbox

ORDER = {"a": (), "b": ("a",), "c": ()}
_owners = count(1)

names = st.sampled_from(sorted(ORDER))
numbers = st.integers(0, LENGTH - 1)


class Machine(RuleBasedStateMachine):
    """A small fleet in a real sandbox, and everything that may happen around it."""

    sandbox: Sandbox
    time: Time

    @initialize(is_begun=st.booleans())
    def begin(self, is_begun: bool) -> None:  # noqa: FBT001 (Hypothesis gives it by name)
        self.world = World(self.sandbox, f"machine-{next(_owners)}", self.time, ORDER, is_begun=is_begun)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.sandbox.faults.clear()
            self.ends_well()

    # People

    @rule(name=names, number=numbers)
    def merge(self, name: str, number: int) -> None:
        """Decide anew about one repository, without any exception."""
        self.world.merge(self.world.at(number, name))

    @rule(number=numbers)
    def merge_all(self, number: int) -> None:
        self.world.merge(self.world.at(number))

    @rule(name=names, number=numbers)
    def permit(self, name: str, number: int) -> None:
        """Decide to go from where it is to wherever, whatever is lost by that."""
        live = self.world.stables()[self.world.full(name)]
        target = self.world.at(number, name)
        if live and live not in target.values():
            self.world.merge(target, permits={each: (live, sha) for each, sha in target.items()})

    @rule()
    def revert(self) -> None:
        """Merge the targets of the decision before."""
        self.world.revert()

    @precondition(lambda self: self.world.ledgers())  # before, the first run adopts what it finds
    @rule(name=names, number=numbers)
    def edit(self, name: str, number: int) -> None:
        """Push a decision past everybody."""
        self.world.edit(self.world.at(number, name))

    @rule(name=names)
    def push(self, name: str) -> None:
        """Put a commit of one's own on top of a governed ref."""
        self.world.push(name)

    @rule(name=names, number=numbers)
    def force_push(self, name: str, number: int) -> None:
        """Replace what a governed ref has by a commit of one's own."""
        self.world.push(name, onto=self.world.at(number, name)[self.world.full(name)])

    @rule(name=names, number=numbers)
    def force_back(self, name: str, number: int) -> None:
        """Move a governed ref by hand."""
        self.world.advance(name, number, force=True)

    # The reconciler

    @rule()
    def run(self) -> None:
        self.attempt()

    @rule(
        fault=st.sampled_from([*FAULTS, *FOR_GOOD, "slow-", "slow+"]),
        request_=st.sampled_from(sorted(REQUESTS)),
    )
    def run_with_a_fault(self, fault: str, request_: str) -> None:
        if (request_, fault) == ("fence", "stale"):
            return  # that GitHub itself does not know the newest decision yet is nobody's to see
        self.attempt(strike(self.world, fault, *REQUESTS[request_]))
        self.sandbox.faults.clear()

    @rule(number=st.integers(1, 25), moment=st.sampled_from(["before", "after"]))
    def run_and_be_killed(self, number: int, moment: Moment) -> None:
        self.attempt(killing(number, moment))

    @rule(seed=st.integers(0, 2**16), data=st.data())
    def run_two_at_once(self, seed: int, data: st.DataObject) -> None:
        """In any interleaving, with people who act in between."""
        world = self.world
        deeds = [
            *[None] * data.draw(st.integers(0, 20)),
            lambda: world.merge(world.at(seed % LENGTH)),
            *[None] * data.draw(st.integers(0, 20)),
            lambda: world.push("a"),
        ]
        turns = Turns(seed, deeds if seed % 3 else ())
        for end in asyncio.run(
            turns.play([world.run(hook=turns.hook, name=name) for name in ("one", "other")])
        ):
            assert isinstance(end, RunReport | ReconcileError), end

    def attempt(self, hook: Hook | None = None) -> RunReport | None:
        try:
            return asyncio.run(self.world.run(hook=hook))
        except (ReconcileError, Killed):
            return None

    # The laws

    @invariant()
    def nothing_is_lost(self) -> None:
        """No foreign commit, no decision, no exception beyond its words."""
        if hasattr(self, "world"):
            self.world.audit()

    def ends_well(self) -> None:
        """When the faults stop, two runs converge or hold with a reason, and a third finds nothing to do."""
        world = self.world
        self.attempt()
        report = asyncio.run(world.run())
        assert report.result in {Result.CONVERGED, Result.HELD}, report
        live, decision = world.stables(), world.decision
        stuck = {item.repository: item.code for item in report.items if item.kind in {"hold", "wait"}}
        for name, target in decision.targets.items():
            assert (live[name] == target) == (name not in stuck), (name, stuck)
            assert name in stuck or decision.approved[name] == target
        moves = world.moves()
        again = asyncio.run(world.run())
        assert (report.result, moves) == (again.result, world.moves())
        world.audit()


def explore(directory: Path, examples: int, steps: int) -> None:
    Machine.time = Time()
    with (
        Sandbox.running(directory, clock=Machine.time) as sandbox,
        stamina.set_testing(True, attempts=10, cap=True),
    ):
        Machine.sandbox = sandbox
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                suppress_health_check=list(HealthCheck),  # a server with git behind it is slow
                deadline=None,
                print_blob=True,
            ),
        )


def test_a_little(tmp_path: Path) -> None:
    explore(tmp_path, 12, 8)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_much(tmp_path: Path) -> None:
    explore(tmp_path, 150, 20)
