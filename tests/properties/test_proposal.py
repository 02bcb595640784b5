"""A person's commit on the proposal's branch survives whatever runs and people do around it, unless they give it up."""

from datetime import timedelta
from random import Random

import pytest

from reconcile.errors import ReconcileError
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.ids import Sha
from tests.flows.release import FakeRelease
from tests.flows.test_propose import (
    HAND_BACK,
    NEW,
    NEWER,
    OGR,
    OLD,
    PACKIT,
    START,
    fleet,
    run,
    validate,
    with_target,
)

TARGETS = (OLD, NEW, NEWER)
STEPS = 8
"""Runs and deeds of people in one history."""
_QUICK = 12
"""How many histories are tried every time."""


class People:
    """Does at random what people do, also in the middle of a run, and remembers which commits must survive."""

    def __init__(self, github: FakeRelease, random: Random) -> None:
        self.github, self.random = github, random
        self.kept: list[Sha] = []
        github.meanwhile.extend(self.maybe for _ in range(2_000))

    def maybe(self) -> None:
        if self.random.random() < 0.05:
            self.act()

    def act(self) -> None:
        deeds = (self.push, self.push, self.decide, self.close, self.hand_back, self.revalidate)
        self.random.choice(deeds)()

    def push(self) -> None:
        """Edit the branch of the open pull request, as its page lets one; under the label it is given up at once."""
        if not (number := self.open_number()):
            return
        is_given_up = HAND_BACK in self.github.pulls[number].labels
        text = with_target(self.random.choice((OGR, PACKIT)), self.random.choice(TARGETS))
        head = self.github.edit(PROPOSAL_BRANCH, by=self.random.choice(("alice", "bob")), desired_text=text)
        if not is_given_up:
            self.kept.append(head)

    def decide(self) -> None:
        self.github.commit_documents(desired_text=f"# {self.random.random()}\n{START}")

    def close(self) -> None:
        """Closing hands the branch back."""
        if number := self.open_number():
            self.github.close(number)
            self.kept.clear()

    def hand_back(self) -> None:
        """So does the label, until the run takes it off."""
        if number := self.open_number():
            self.github.label(number, HAND_BACK)
            self.kept.clear()

    def revalidate(self) -> None:
        self.github.clock.time += timedelta(hours=self.random.choice((1, 30)))
        validate(self.github, self.random.choice(("success", "success", "failure")))

    def open_number(self) -> int | None:
        return next((each.number for each in self.github.pulls.values() if each.state == "open"), None)


def on_branch(github: FakeRelease) -> set[Sha]:
    commit, found = github.branches.get(PROPOSAL_BRANCH), set[Sha]()
    while commit in github.commits:
        assert commit
        found.add(commit)
        commit = github.commits[commit].parent
    return found


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= _QUICK)) for seed in range(100)]
)
async def test_a_persons_commit_survives(seed: int) -> None:
    """Whatever the order: pushes between any two requests of a run, decisions, closing, labels, failures."""
    random = Random(seed)  # (an example, not a secret)
    github = fleet()
    people = People(github, random)
    for _ in range(STEPS):
        if random.random() < 0.5:
            people.act()
        try:
            await run(github, even_if_failing=random.random() < 0.3)
        except ReconcileError:  # somebody was faster; the next run goes on
            continue
        finally:
            assert set(people.kept) <= on_branch(github), "a person's commit is gone"
