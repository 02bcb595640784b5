"""Apply: carry out a plan's actions, wave by wave, and say what became of each. Decides nothing.

A ref moves by compare-and-swap only. GitHub answers a lost race, a rule's refusal and its own trouble in ways that
cannot be told apart safely, so after anything but a plain acceptance the ref is read again, and where it stands
says what happened. Never deletes a ref, and never sends an update again before its ref was read, but for one that
GitHub put off: then it has carried out nothing.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Literal, NamedTuple, TypedDict

from pydantic import Field

from reconcile.cost import BATCH_SIZE, wave_points
from reconcile.errors import RateLimitedError, ReconcileError, StaleDocumentError, UnauthorizedError
from reconcile.planned import Action, Force, Plan, Rewind
from reconcile.ports import (
    Budget,
    BudgetReader,
    FleetReader,
    RefUpdate,
    Refusal,
    RefWriter,
    ReleaseStateReader,
    UpdateAnswer,
)
from state.ids import BranchName, Frozen, RepositoryName, Sha, abbreviate

LOST_AFTER_SECONDS = 11.0
"""GitHub ends a GraphQL request after ten seconds; before that a lost one may still be at work."""
_STALE_READ_SECONDS = (1.0, 3.0, 8.0)
"""Pauses before reading a ref again that seems not to have moved: GitHub may serve an old answer for a while."""
_ATTEMPTS = 3
"""How often an update is sent whose ref was read in between and stands where the plan saw it."""


class _Outcome(Frozen):
    repository: RepositoryName
    name: str
    url: str | None
    before: Sha | None
    after: Sha


class Moved(_Outcome):
    """The ref is at its target."""

    kind: Literal["moved"] = "moved"
    at: datetime


class Refused(_Outcome):
    """A rule of the repository or a right that lacks; a person is needed."""

    kind: Literal["refused"] = "refused"
    code: Refusal
    sentence: str


class MovedMeanwhile(_Outcome):
    """Somebody else moved the ref after the plan saw it; theirs stands, and a new plan decides."""

    kind: Literal["moved-meanwhile"] = "moved-meanwhile"
    found: Sha | None


class Failed(_Outcome):
    """Not known to have moved, and not known why; the next run looks, and tries again."""

    kind: Literal["failed"] = "failed"
    sentence: str


class Skipped(_Outcome):
    """Not tried, or not again.

    ``after``: what comes first did not move; ``stale-document``: the decision changed; ``rate-limit``: what GitHub
    grants within the hour does not last to the end of the wave, or GitHub asks for a long pause.
    """

    kind: Literal["skipped"] = "skipped"
    code: Literal["after", "stale-document", "rate-limit"]
    sentence: str
    until: datetime | None = None
    """When it may be tried again, where that is known."""


Outcome = Annotated[Moved | Refused | MovedMeanwhile | Failed | Skipped, Field(discriminator="kind")]


class Clock(NamedTuple):
    """Time, as far as applying needs it."""

    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    """Takes seconds."""


class Tools(NamedTuple):
    """The hands of apply: what reads, what writes, and the time between."""

    state: ReleaseStateReader
    fleet: FleetReader
    writer: RefWriter
    budget: BudgetReader
    clock: Clock


class Wave(NamedTuple):
    """What of a wave is to be tried, and what is not."""

    actions: tuple[Action, ...]
    skipped: tuple[Skipped, ...]


def split_wave(plan: Plan, wave: int, outcomes: Mapping[RepositoryName, Outcome]) -> Wave:
    """Leave out of a wave what comes after anything that has not moved; everything else goes on."""
    actions, skipped = [], []
    for action in (action for action in plan.actions if action.wave == wave):
        stuck = [name for name in action.after if not isinstance(outcomes.get(name), Moved)]
        if stuck:
            sentence = f"{', '.join(stuck)} comes first and did not move."
            skipped.append(Skipped(**_of(action), code="after", sentence=sentence))
        else:
            actions.append(action)
    return Wave(tuple(actions), tuple(skipped))


async def apply_actions(plan: Plan, actions: Sequence[Action], tools: Tools) -> tuple[Outcome, ...]:
    """Move the refs of actions that may move together, and return one outcome each, in their order.

    Raises nothing of ours: what cannot go on is the outcome of what it stopped, so that what did move is known.
    Applying again what has moved is the same as applying once. Begins nothing that GitHub's hourly budget would end
    half-way.
    """
    if short := _shortage(plan, actions, tools.budget.budget(), tools.clock.now()):
        return short
    outcomes: dict[RepositoryName, Outcome] = {}
    attempts: Counter[RepositoryName] = Counter()
    queue = deque(_batches(actions, BATCH_SIZE))
    while queue:
        batch = queue.popleft()
        try:
            await _fence(plan, tools.state)
            answers = await tools.writer.update_refs([_update(action, plan.ref) for action in batch])
        except StaleDocumentError as stale:
            outcomes |= {
                action.repository: Skipped(**_of(action), code="stale-document", sentence=str(stale))
                for action in chain(batch, *queue)
            }
            break
        except RateLimitedError as error:
            attempts.update(action.repository for action in batch)
            if error.pause is None or max(attempts[action.repository] for action in batch) >= _ATTEMPTS:
                outcomes |= _put_off(chain(batch, *queue), error, tools.clock.now())
                break
            await tools.clock.sleep(error.pause)
            queue.appendleft(batch)
            continue
        except UnauthorizedError as error:  # about every request, not about this one
            outcomes |= {
                action.repository: Failed(**_of(action), sentence=str(error))
                for action in chain(batch, *queue)
            }
            break
        except ReconcileError as error:
            outcomes |= {action.repository: Failed(**_of(action), sentence=str(error)) for action in batch}
            continue
        settled = await _settle(dict(zip(batch, answers, strict=True)), plan.ref, tools)
        outcomes |= {outcome.repository: outcome for outcome in settled.outcomes}
        attempts.update(action.repository for action in batch)
        again = [action for action in settled.unmoved if attempts[action.repository] < _ATTEMPTS]
        queue.extendleft(reversed([*_batches(again, max(1, len(batch) // 2))]))
    return tuple(outcomes[action.repository] for action in actions)


def _shortage(
    plan: Plan, actions: Sequence[Action], budget: Budget | None, now: datetime
) -> tuple[Skipped, ...]:
    """Leave out all of a wave when the budget does not last to its end; nothing otherwise."""
    needed = wave_points(len(actions), fleet=len(plan.items))
    if budget is None or budget.resets_at <= now or budget.remaining >= needed:
        return ()
    sentence = (
        f"GitHub grants this account {budget.remaining} more points until "
        f"{budget.resets_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, and these moves may take {needed}. "
        "None of them was tried; the first run after that goes on."
    )
    return tuple(
        Skipped(**_of(action), code="rate-limit", sentence=sentence, until=budget.resets_at)
        for action in actions
    )


def _put_off(
    actions: Iterable[Action], error: RateLimitedError, now: datetime
) -> Mapping[RepositoryName, Skipped]:
    """Leave the rest to a later run, which GitHub lets do more."""
    until = now + error.retry_after if error.retry_after else None
    sentence = f"{error} The first run after that pause goes on."
    return {
        action.repository: Skipped(**_of(action), code="rate-limit", sentence=sentence, until=until)
        for action in actions
    }


async def _fence(plan: Plan, state: ReleaseStateReader) -> None:
    """Refuse to go on when either document changed since the plan: an old decision never wins."""
    current = await state.observe_version()
    if current.blobs != plan.version.blobs:
        raise StaleDocumentError(
            f"The documents changed on {current.branch} ({abbreviate(current.commit)}) while those of "
            f"{abbreviate(plan.version.commit)} were being applied; a new plan decides."
        )


class _Settled(NamedTuple):
    outcomes: tuple[Outcome, ...]
    unmoved: tuple[Action, ...]
    """Failed, but read since and found where the plan saw them: these may be sent again."""


async def _settle(answers: Mapping[Action, UpdateAnswer], ref: BranchName, tools: Tools) -> _Settled:
    """Say what became of updates that were sent, reading again each ref that was not plainly accepted."""
    settled: list[Outcome] = [
        Moved(**_of(action), at=tools.clock.now())
        for action, answer in answers.items()
        if answer.status == "accepted"
    ]
    doubtful = {action: answer for action, answer in answers.items() if answer.status != "accepted"}
    if any(answer.status == "lost" for answer in doubtful.values()):
        await tools.clock.sleep(LOST_AFTER_SECONDS)
    unread: ReconcileError | None = None
    for pause in (0.0, *_STALE_READ_SECONDS):
        if not doubtful:
            break
        if pause:
            await tools.clock.sleep(pause)
        try:
            standing = await tools.fleet.observe_refs([action.repository for action in doubtful], ref)
        except ReconcileError as error:
            unread = error
            continue
        unread = None
        for action, answer in tuple(doubtful.items()):
            if outcome := _classify(action, answer, standing, tools.clock.now()):
                settled.append(outcome)
                del doubtful[action]
    why = (
        f"GitHub did not confirm the move, and the ref could not be read again: {unread} First, GitHub said: "
        if unread
        else "The ref did not move, and GitHub did not say why: "
    )
    settled += [Failed(**_of(action), sentence=why + answer.message) for action, answer in doubtful.items()]
    return _Settled(tuple(settled), () if unread else tuple(doubtful))


def _classify(
    action: Action, answer: UpdateAnswer, standing: Mapping[RepositoryName, Sha | None], now: datetime
) -> Outcome | None:
    """Tell by where the ref stands what an update did; none while it stands where the plan saw it."""
    found = standing.get(action.repository)
    if found == action.target:
        return Moved(**_of(action), at=now)
    if found != action.live or action.repository not in standing:
        return MovedMeanwhile(**_of(action), found=found)
    if answer.refusal:
        return Refused(
            **_of(action), code=answer.refusal, sentence=_REMEDIES[answer.refusal] + answer.message
        )
    return None


_REMEDIES: Mapping[Refusal, str] = {
    "protected": "A branch rule refused the move. Let the account bypass it, or change the rule. GitHub said: ",
    "workflows-permission": "The commits change workflows, and the account may not. "
    "Grant it the workflows permission. GitHub said: ",
    "no-permission": "The account may not move this branch. Grant it write access to contents. GitHub said: ",
}


def _update(action: Action, ref: BranchName) -> RefUpdate:
    return RefUpdate(
        repository=action.repository,
        repository_id=action.repository_id,
        ref=ref,
        before=action.live,
        after=action.target,
        force=isinstance(action, Rewind | Force),
    )


class _Fields(TypedDict):
    repository: RepositoryName
    name: str
    url: str | None
    before: Sha | None
    after: Sha


def _of(action: Action) -> _Fields:
    return _Fields(
        repository=action.repository,
        name=action.name,
        url=action.url,
        before=action.live,
        after=action.target,
    )


def _batches(actions: Sequence[Action], size: int) -> Iterator[tuple[Action, ...]]:
    for start in range(0, len(actions), size):
        yield tuple(actions[start : start + size])
