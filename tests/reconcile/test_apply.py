"""Apply: what becomes of an update under everything that can go wrong with it.

Every test ends in the same question: is what is said what happened, and is nobody's commit gone?
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

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
from reconcile.cost import BATCH_SIZE, wave_points
from reconcile.errors import (
    ForbiddenError,
    RateLimitedError,
    ReconcileError,
    RejectedError,
    UnauthorizedError,
    UnreachableError,
)
from reconcile.observe import wanted_of
from reconcile.observed import Accepted
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.ports import Budget, RefUpdate, Refusal, UpdateAnswer
from state.ids import ZERO_SHA, RepositoryName, Sha
from state.ledger import Ledger
from tests.builders import LIVE, NOW, OGR, TARGET, accepted, policy, sha
from tests.fakes import FakeGitHub, FakeRepository, Fault

FOREIGN, OLD = sha("f"), sha("e")


def repository(name: RepositoryName = OGR, *, live: Sha | None = LIVE) -> FakeRepository:
    """Make a repository whose history is OLD, LIVE, TARGET, with its ref on one of them."""
    refs = {"main": TARGET} | ({"stable": live} if live else {})
    return FakeRepository(name, parents={OLD: (), LIVE: (OLD,), TARGET: (LIVE,)}, refs=refs)


def fleet(count: int) -> FakeGitHub:
    return FakeGitHub(*(repository(f"packit/r{number:02}") for number in range(count)))


async def plan_for(github: FakeGitHub, given: Accepted) -> Plan:
    found = await github.observe_fleet(wanted_of(given.desired), ref="stable", branches=("main",))
    github.requests.clear()
    return plan(given.model_copy(update={"version": github.version}), found, now=NOW)


async def planned(github: FakeGitHub, target: Sha = TARGET, **sections: Any) -> Plan:
    """Plan the whole fleet to one target; every repository may move."""
    made = await plan_for(github, accepted(dict.fromkeys(github.repositories, target), **sections))
    assert len(made.actions) == len(github.repositories)
    return made


async def applied(github: FakeGitHub, made: Plan) -> Sequence[Outcome]:
    outcomes = await apply_actions(made, made.actions, github.tools)
    assert [action.repository for action in made.actions] == [outcome.repository for outcome in outcomes]
    assert all(github.live(each.repository) == each.after for each in outcomes if isinstance(each, Moved))
    return outcomes


async def apply_one(github: FakeGitHub) -> Outcome:
    (outcome,) = await applied(github, await planned(github))
    return outcome


def pushes(commit: Sha, *onto: Sha, name: RepositoryName = OGR) -> Callable[[FakeGitHub], None]:
    return lambda github: github.push(name, commit, onto=onto)


async def test_plain_acceptance() -> None:
    """What is accepted has moved: one look at the documents, one request, no reading, no waiting."""
    github = fleet(3)
    outcomes = await applied(github, await planned(github))
    assert [Moved] * 3 == [type(outcome) for outcome in outcomes]
    assert ["observe_version", "update_refs"] == github.requests
    assert [] == github.clock.slept


async def test_outcome_says_what_moved_and_when() -> None:
    """An outcome carries what reports and the ledger need."""
    outcome = await apply_one(FakeGitHub(repository("Packit/OGR")))
    assert outcome == Moved(
        repository=OGR,
        name="Packit/OGR",
        url="https://github.example/Packit/OGR",
        before=LIVE,
        after=TARGET,
        at=NOW,
    )


@pytest.mark.parametrize(
    ("live", "target", "is_forced", "kind"),
    [
        (LIVE, TARGET, False, None),
        (None, TARGET, False, None),
        (TARGET, LIVE, True, "rewind"),
        (FOREIGN, TARGET, True, "force"),
    ],
)
async def test_every_update_is_compare_and_swap(
    live: Sha | None,
    target: Sha,
    is_forced: bool,  # noqa: FBT001 (a truth table)
    kind: str | None,
) -> None:
    """An update is sent with what the plan saw as its precondition, and forced under a permit only."""
    github = FakeGitHub(repository(live=live if live != FOREIGN else OLD))
    if live == FOREIGN:
        github.push(OGR, FOREIGN, onto=(OLD,))
    permits = {OGR: {kind: {"from": live, "to": target, "reason": "rollback"}}} if kind else {}
    (outcome,) = await applied(github, await planned(github, target, permits=permits))
    assert isinstance(outcome, Moved)
    assert github.sent == [
        (
            RefUpdate(
                repository=OGR,
                repository_id=f"id of {OGR}",
                ref="stable",
                before=live,
                after=target,
                force=is_forced,
            ),
        )
    ]


@pytest.mark.parametrize(
    ("expected", "requests", "faults"),
    [
        (Moved, 1, []),
        (Moved, 1, ["lost after"]),
        (Moved, 2, ["lost before"]),
        (Moved, 2, ["unexplained"]),
        (Moved, 2, ["lost before", "lost after"]),
        (Moved, 3, ["lost before", "unexplained"]),
        (Failed, 3, ["lost before", "unexplained", "lost before"]),
        (Failed, 3, ["unexplained", "unexplained", "unexplained"]),
        (Refused, 1, ["protected"]),
        (Refused, 2, ["lost before", "workflows-permission"]),
        (Refused, 3, ["unexplained", "unexplained", "no-permission"]),
    ],
)
async def test_answers(expected: type[Outcome], requests: int, faults: list[Fault]) -> None:
    """What is lost or unexplained is read, and sent again at most twice; a refusal is not argued with."""
    github = FakeGitHub(repository())
    github.faults[OGR].extend(faults)
    assert expected is type(await apply_one(github))
    assert requests == github.requests.count("update_refs")
    assert (TARGET if expected is Moved else LIVE) == github.live(OGR)


@pytest.mark.parametrize("code", ["protected", "workflows-permission", "no-permission"])
async def test_refusal_is_told_with_its_remedy(code: Refusal) -> None:
    """A refusal keeps its code, and says what to do and what GitHub said."""
    github = FakeGitHub(repository())
    github.faults[OGR].append(code)
    outcome = await apply_one(github)
    assert isinstance(outcome, Refused)
    assert code == outcome.code
    assert f"GitHub said: fake {code}" in outcome.sentence


@pytest.mark.parametrize(
    ("expected", "found", "meanwhile"),
    [
        (MovedMeanwhile, FOREIGN, pushes(FOREIGN, LIVE)),
        (MovedMeanwhile, FOREIGN, pushes(FOREIGN, TARGET)),
        (MovedMeanwhile, FOREIGN, pushes(FOREIGN, OLD)),
        (MovedMeanwhile, OLD, pushes(OLD)),
        (MovedMeanwhile, None, lambda github: github.delete_ref(OGR)),
        (Moved, TARGET, pushes(TARGET)),
    ],
)
@pytest.mark.parametrize("fault", [None, "lost before", "unexplained", "protected"])
async def test_somebody_was_first(
    expected: type[Outcome], found: Sha | None, meanwhile: Callable[[FakeGitHub], None], fault: Fault | None
) -> None:
    """Whatever the answer says, where the ref stands decides; what somebody else put there stays."""
    github = FakeGitHub(repository())
    github.faults[OGR].append(fault)
    github.meanwhile.extend([None, lambda: meanwhile(github)])
    made = await planned_before(github)
    (outcome,) = await applied(github, made)
    assert expected is type(outcome)
    assert not isinstance(outcome, MovedMeanwhile) or outcome.found == found
    assert found == github.live(OGR)
    assert ["observe_version", "update_refs", "observe_refs"] == github.requests


async def planned_before(github: FakeGitHub) -> Plan:
    """Plan before anything happens that a test has queued."""
    queued = list(github.meanwhile)
    github.meanwhile.clear()
    made = await planned(github)
    github.meanwhile.extend(queued)
    return made


async def test_somebody_created_it_first() -> None:
    """A ref that must not exist and does is somebody's; also when it stands where ours would."""
    for commit, expected in ((OLD, MovedMeanwhile), (TARGET, Moved)):
        github = FakeGitHub(repository(live=None))
        made = await planned(github)
        github.push(OGR, commit)
        (outcome,) = await applied(github, made)
        assert expected is type(outcome)
        assert commit == github.live(OGR)


async def test_repository_vanished() -> None:
    """A repository that is gone has not stayed where the plan saw it."""
    github = FakeGitHub(repository())
    made = await planned(github)
    del github.repositories[OGR]
    (outcome,) = await apply_actions(made, made.actions, github.tools)
    assert isinstance(outcome, MovedMeanwhile)
    assert outcome.found is None


async def test_pushed_upon_before_it_was_confirmed() -> None:
    """Ours was carried out, its answer lost, and somebody built on it: theirs stands."""
    github = FakeGitHub(repository())
    github.faults[OGR].append("lost after")
    made = await planned(github)
    github.meanwhile.extend([None, None, lambda: github.push(OGR, FOREIGN, onto=(TARGET,))])
    (outcome,) = await applied(github, made)
    assert isinstance(outcome, MovedMeanwhile)
    assert outcome.found == github.live(OGR) == FOREIGN


@pytest.mark.parametrize("stale", [1, 2, 3])
async def test_stale_reads(stale: int) -> None:
    """A read that still shows the old place is repeated before anything is sent again."""
    github = FakeGitHub(repository())
    made = await planned(github)
    github.faults[OGR].append("lost after")
    github.stale_reads[OGR] = stale
    (outcome,) = await applied(github, made)
    assert isinstance(outcome, Moved)
    assert 1 == github.requests.count("update_refs")
    assert 1 + stale == github.requests.count("observe_refs")


async def test_staler_than_patience() -> None:
    """A read that stays stale makes the update be sent again, where compare-and-swap makes it harmless."""
    github = FakeGitHub(repository())
    made = await planned(github)
    github.faults[OGR].append("lost after")
    github.stale_reads[OGR] = 5
    (outcome,) = await applied(github, made)
    assert isinstance(outcome, Moved)
    assert 2 == github.requests.count("update_refs")
    assert 1 == len(github.effects)


async def test_lost_one_is_given_its_time() -> None:
    """A ref is not read while the server may still be at work on its update."""
    github = FakeGitHub(repository())
    made = await planned(github)
    github.faults[OGR].append("lost after")
    sent_at: list[datetime] = []
    github.meanwhile.extend([None, lambda: sent_at.append(github.clock.now())])
    (outcome,) = await applied(github, made)
    assert isinstance(outcome, Moved)
    assert outcome.at - sent_at[0] > timedelta(seconds=10)


@pytest.mark.parametrize(
    "faults", [["lost before"] * 3, ["unexplained"] * 3, ["lost before", "unexplained", "lost after"]]
)
async def test_nothing_is_sent_again_unread(faults: list[Fault]) -> None:
    """Between two requests that move one ref, the ref was read and the documents looked at."""
    github = FakeGitHub(repository())
    github.faults[OGR].extend(faults)
    await apply_one(github)
    sends = [index for index, method in enumerate(github.requests) if method == "update_refs"]
    assert 3 == len(sends)
    for first, second in pairwise(sends):
        between = github.requests[first:second]
        assert {"observe_refs", "observe_version"} <= set(between)
        assert "observe_version" == between[-1]


async def test_batches() -> None:
    """Updates travel in small requests, in the plan's order."""
    github = fleet(2 * BATCH_SIZE + 5)
    outcomes = await applied(github, await planned(github))
    assert {Moved} == {type(outcome) for outcome in outcomes}
    assert [BATCH_SIZE, BATCH_SIZE, 5] == [len(updates) for updates in github.sent]
    assert sorted(github.repositories) == [update.repository for updates in github.sent for update in updates]


async def test_batches_halve() -> None:
    """What was too much for one request is sent in halves, without what was carried out of it."""
    github = fleet(BATCH_SIZE)
    github.times_out_after = 4
    outcomes = await applied(github, await planned(github))
    assert {Moved} == {type(outcome) for outcome in outcomes}
    assert [10, 5, 1, 1] == [len(updates) for updates in github.sent]
    assert BATCH_SIZE == len(github.effects)


async def test_one_that_fails_concerns_no_other() -> None:
    """In one request, each update has its own outcome."""
    github = fleet(4)
    github.faults["packit/r00"].append("protected")
    github.faults["packit/r01"].extend(["unexplained"] * 3)
    made = await planned(github)
    github.push("packit/r02", FOREIGN, onto=(LIVE,))
    outcomes = await applied(github, made)
    assert [Refused, Failed, MovedMeanwhile, Moved] == [type(outcome) for outcome in outcomes]


async def test_nothing_to_do() -> None:
    """No action makes no request."""
    github = fleet(1)
    made = await planned(github)
    assert () == await apply_actions(made, (), github.tools)
    assert [] == github.requests


class TestDocuments:
    """The documents are looked at before every request that moves something."""

    async def test_changed_before(self) -> None:
        """Nothing is sent under a document that is not the newest."""
        github = fleet(2)
        made = await planned(github)
        github.commit_documents(desired_text="another decision")
        outcomes = await applied(github, made)
        assert ["stale-document"] * 2 == [
            outcome.code for outcome in outcomes if isinstance(outcome, Skipped)
        ]
        assert ([], []) == (github.sent, github.effects)

    async def test_policy_changed(self) -> None:
        """A changed policy is a changed decision."""
        github = fleet(1)
        made = await planned(github)
        github.commit_documents(policy_text="another rule")
        (outcome,) = await applied(github, made)
        assert isinstance(outcome, Skipped)

    async def test_changed_between_batches(self) -> None:
        """What has moved is said to have; the rest is left to a new plan."""
        github = fleet(BATCH_SIZE + 2)
        made = await planned(github)
        github.meanwhile.extend([None, None, partial(github.commit_documents, desired_text="another")])
        outcomes = await applied(github, made)
        assert [Moved] * BATCH_SIZE + [Skipped] * 2 == [type(outcome) for outcome in outcomes]

    async def test_changed_before_a_second_try(self) -> None:
        """A lost update is not sent again under a document that changed meanwhile."""
        github = fleet(1)
        made = await planned(github)
        github.faults["packit/r00"].append("lost before")
        github.meanwhile.extend([None, None, None, partial(github.commit_documents, desired_text="another")])
        await applied(github, made)
        assert 1 == len(github.sent)

    async def test_unrelated_commit(self) -> None:
        """A commit that leaves both documents alone changes no decision."""
        github = fleet(1)
        made = await planned(github)
        github.commit_documents()
        (outcome,) = await applied(github, made)
        assert isinstance(outcome, Moved)


class TestRequestsThatFail:
    """An error that is not about one update."""

    @pytest.mark.parametrize("error", [UnreachableError("no answer"), ForbiddenError("no")])
    @pytest.mark.parametrize("method", ["observe_version", "update_refs"])
    async def test_one_batch(self, method: str, error: ReconcileError) -> None:
        """A batch that could not be sent fails with the reason; the others go on."""
        github = fleet(BATCH_SIZE + 1)
        made = await planned(github)
        github.errors[method].append(error)
        outcomes = await applied(github, made)
        assert [Failed] * BATCH_SIZE + [Moved] == [type(outcome) for outcome in outcomes]
        assert isinstance(outcomes[0], Failed)
        assert str(error) in outcomes[0].sentence

    @pytest.mark.parametrize("method", ["observe_version", "update_refs"])
    async def test_unknown_account(self, method: str) -> None:
        """Not known at all, nothing more is sent."""
        github = fleet(2 * BATCH_SIZE)
        made = await planned(github)
        github.errors[method].append(UnauthorizedError("who?"))
        outcomes = await applied(github, made)
        assert {Failed} == {type(outcome) for outcome in outcomes}
        assert method == github.requests[-1]

    @pytest.mark.parametrize("method", ["observe_version", "update_refs"])
    async def test_short_pause(self, method: str) -> None:
        """A pause of up to a minute is sat out, and the same batch sent again."""
        github = fleet(2 * BATCH_SIZE)
        made = await planned(github)
        github.errors[method].append(RateLimitedError("slow down", retry_after=timedelta(minutes=1)))
        outcomes = await applied(github, made)
        assert {Moved} == {type(outcome) for outcome in outcomes}
        assert [60.0] == github.clock.slept
        assert "observe_refs" not in github.requests

    @pytest.mark.parametrize(
        ("pause", "until"),
        [
            (timedelta(seconds=61), NOW + timedelta(seconds=61)),
            (timedelta(hours=1), NOW + timedelta(hours=1)),
            (None, None),
        ],
    )
    @pytest.mark.parametrize("method", ["observe_version", "update_refs"])
    async def test_long_pause(self, method: str, pause: timedelta | None, until: datetime | None) -> None:
        """Nothing more is sent; the rest waits for the run after the pause, which needs nobody."""
        github = fleet(2 * BATCH_SIZE)
        made = await planned(github)
        github.errors[method].append(RateLimitedError("slow down.", retry_after=pause))
        outcomes = await applied(github, made)
        assert method == github.requests[-1]
        for outcome in outcomes:
            assert isinstance(outcome, Skipped)
            assert ("rate-limit", "slow down. The first run after that pause goes on.", until) == (
                outcome.code,
                outcome.sentence,
                outcome.until,
            )

    async def test_pause_after_pause(self) -> None:
        """The third of them in a row is one too many; what moved before has moved."""
        github = fleet(2 * BATCH_SIZE)
        made = await planned(github)
        short = RateLimitedError("slow down.", retry_after=timedelta(seconds=5))
        github.errors["update_refs"].extend([None, short, short, short])
        outcomes = await applied(github, made)
        assert [Moved] * BATCH_SIZE + [Skipped] * BATCH_SIZE == [type(outcome) for outcome in outcomes]
        assert [5.0, 5.0] == github.clock.slept

    async def test_reading_again_fails(self) -> None:
        """What was accepted is not doubted because another's ref cannot be read; that one is not sent again."""
        github = fleet(2)
        made = await planned(github)
        github.faults["packit/r00"].append("lost after")
        github.errors["observe_refs"].extend([UnreachableError("no answer")] * 4)
        outcomes = await applied(github, made)
        assert [Failed, Moved] == [type(outcome) for outcome in outcomes]
        assert 1 == len(github.sent)
        assert isinstance(outcomes[0], Failed)
        assert "could not be read" in outcomes[0].sentence

    async def test_reading_again_succeeds_later(self) -> None:
        """One failed read is not the last word."""
        github = fleet(1)
        made = await planned(github)
        github.faults["packit/r00"].append("lost after")
        github.errors["observe_refs"].append(UnreachableError("no answer"))
        (outcome,) = await applied(github, made)
        assert isinstance(outcome, Moved)

    async def test_retry_whose_request_is_refused(self) -> None:
        """A second try that GitHub refuses as a whole fails with that reason."""
        github = fleet(1)
        made = await planned(github)
        github.faults["packit/r00"].append("lost before")
        github.errors["update_refs"].extend([None, RejectedError("too complex")])
        (outcome,) = await applied(github, made)
        assert isinstance(outcome, Failed)
        assert "too complex" in outcome.sentence


async def test_twice_is_once() -> None:
    """A plan that is applied again moves nothing, and says that everything is where it should be."""
    github = fleet(3)
    made = await planned(github)
    first = await applied(github, made)
    again = await applied(github, made)
    assert {Moved} == {type(outcome) for outcome in (*first, *again)}
    assert 3 == len(github.effects)


async def test_spent_rewind_is_not_repeated_on_anothers_push() -> None:
    """A forced move goes out from exactly the permitted sha, and from nothing built on it."""
    github = FakeGitHub(repository(live=TARGET))
    permits = {OGR: {"rewind": {"from": TARGET, "to": LIVE, "reason": "rollback"}}}
    made = await planned(github, LIVE, permits=permits)
    github.push(OGR, FOREIGN, onto=(TARGET,))
    (outcome,) = await applied(github, made)
    assert isinstance(outcome, MovedMeanwhile)
    assert FOREIGN == github.live(OGR)


class TestSplitWave:
    """What of a wave is tried, given what became of the waves before."""

    async def chain(self) -> tuple[FakeGitHub, Plan]:
        github = FakeGitHub(*map(repository, ("a/a", "b/b", "c/c", "d/d")))
        under = policy("a/a", "d/d", after={"b/b": ["a/a"], "c/c": ["b/b"]}).repositories
        given = accepted(
            dict.fromkeys(github.repositories, TARGET),
            under=policy("a/a").model_copy(
                update={"repositories": under | policy("a/a", "d/d").repositories}
            ),
            ledger=Ledger(),
        )
        return github, await plan_for(github, given)

    async def test_first_wave(self) -> None:
        """Nothing stands before the first wave."""
        _, made = await self.chain()
        ready, skipped = split_wave(made, 1, {})
        assert (["a/a", "d/d"], ()) == ([action.repository for action in ready], skipped)

    async def test_after_success(self) -> None:
        """A wave goes on when everything that it comes after has moved."""
        github, made = await self.chain()
        outcomes: dict[RepositoryName, Outcome] = {}
        for wave in (1, 2, 3):
            ready, skipped = split_wave(made, wave, outcomes)
            assert not skipped
            outcomes |= {each.repository: each for each in await apply_actions(made, ready, github.tools)}
        assert {Moved} == {type(outcome) for outcome in outcomes.values()}
        assert ["a/a", "d/d", "b/b", "c/c"] == [effect.repository for effect in github.effects]

    async def test_after_failure(self) -> None:
        """What comes after a repository that has not moved, near or far, is skipped, and says after which."""
        github, made = await self.chain()
        github.faults["a/a"].append("protected")
        outcomes: dict[RepositoryName, Outcome] = {}
        for wave in (1, 2, 3):
            ready, skipped = split_wave(made, wave, outcomes)
            outcomes |= {each.repository: each for each in await apply_actions(made, ready, github.tools)}
            outcomes |= {each.repository: each for each in skipped}
        assert {"a/a": Refused, "b/b": Skipped, "c/c": Skipped, "d/d": Moved} == {
            name: type(outcome) for name, outcome in outcomes.items()
        }
        assert isinstance(outcomes["c/c"], Skipped)
        assert ("after", "a/a, b/b comes first and did not move.") == (
            outcomes["c/c"].code,
            outcomes["c/c"].sentence,
        )

    async def test_not_tried_is_not_moved(self) -> None:
        """A wave whose forerunner nobody has tried does not start."""
        _, made = await self.chain()
        ready, skipped = split_wave(made, 2, {})
        assert ((), ["b/b"]) == (ready, [each.repository for each in skipped])


def test_zero_sha_is_nobodys_target() -> None:
    """Deleting a ref cannot be asked for: git's name for no commit is refused as a target."""
    with pytest.raises(ValueError, match="forty zeros"):
        accepted({OGR: ZERO_SHA})


async def test_a_changed_document_stops_what_was_not_begun_too() -> None:
    """Every batch that is left, with what was found; what was carried out stays."""
    github = fleet(2 * BATCH_SIZE + 5)
    made = await planned(github)
    github.meanwhile.extend([None, None, lambda: github.commit_documents(desired_text="newer")])
    outcomes = await applied(github, made)
    assert [Moved] * BATCH_SIZE + [Skipped] * (BATCH_SIZE + 5) == [type(each) for each in outcomes]
    assert isinstance(outcomes[-1], Skipped)
    assert (
        f"The documents changed on main ({github.version.commit[:7]}) while those of {made.version.commit[:7]} were "
        "being applied; a new plan decides."
    ) == outcomes[-1].sentence


@pytest.mark.parametrize("error", [UnauthorizedError("who?"), UnreachableError("no answer")])
async def test_what_an_error_says_is_told_of_each_and_of_no_other(error: ReconcileError) -> None:
    """What was carried out before it stays."""
    github = fleet(2 * BATCH_SIZE)
    made = await planned(github)
    github.errors["update_refs"].extend([None, error])
    outcomes = await applied(github, made)
    assert [Moved] * BATCH_SIZE + [Failed] * BATCH_SIZE == [type(each) for each in outcomes]
    assert {str(error)} == {each.sentence for each in outcomes if isinstance(each, Failed)}


async def test_the_first_reading_does_not_wait() -> None:
    """A plain refusal is read again at once, and then in growing pauses."""
    github = FakeGitHub(repository())
    made = await planned(github)
    github.faults[OGR].extend(["unexplained"] * 3)
    (outcome,) = await applied(github, made)
    assert [1.0, 3.0, 8.0] * 3 == github.clock.slept
    assert isinstance(outcome, Failed)
    assert (
        "The ref did not move, and GitHub did not say why: Something went wrong while executing your query."
        == outcome.sentence
    )


async def test_what_is_tried_again_is_tried_alone_at_last() -> None:
    """Halves of three are ones."""
    github = fleet(3)
    github.times_out_after = 0
    await applied(github, await planned(github))
    assert [3, 1, 1, 1, 1, 1, 1] == [len(updates) for updates in github.sent]


async def test_an_answer_that_is_missing_is_a_bug() -> None:
    """A writer gives one answer an update; what became of the others would be a guess."""
    github = fleet(2)
    made = await planned(github)

    class Forgetful:
        async def update_refs(self, updates: Sequence[RefUpdate]) -> Sequence[UpdateAnswer]:
            return (await github.update_refs(updates))[1:]

    with pytest.raises(ValueError, match="argument 2 is shorter"):
        await apply_actions(made, made.actions, github.tools._replace(writer=Forgetful()))


@pytest.mark.usefixtures("_elsewhere")
async def test_why_a_wave_was_put_off() -> None:
    """In UTC, and with what would have been needed."""
    github = FakeGitHub(repository())
    made = await planned(github)
    github.granted = Budget(remaining=1, resets_at=NOW + timedelta(minutes=20))
    (outcome,) = await applied(github, made)
    assert isinstance(outcome, Skipped)
    assert (
        "GitHub grants this account 1 more points until 2026-03-02 10:20 UTC, and these moves may take "
        f"{wave_points(1, fleet=1)}. None of them was tried; the first run after that goes on."
    ) == outcome.sentence
