"""What a run did, and what it comes to. Values, for whoever tells people about it."""

from enum import StrEnum

from reconcile.apply import Failed, Moved, Outcome, Refused, Skipped
from reconcile.planned import Action, Hold, Item, Plan, Wait
from state.ids import Frozen, RepositoryName


class Result(StrEnum):
    """What the fleet is like after a run, worst first."""

    FAILED = "failed"
    """Something that should have moved did not; the next run tries again, and somebody should look."""
    HELD = "held"
    """A person is needed."""
    WAITING = "waiting"
    """Goes on by itself."""
    CONVERGED = "converged"


class RunReport(Frozen):
    """One run of reconcile: what it moved or tried to, and the plan that was made afterwards as proof."""

    plan: Plan
    """The last plan, of the fleet as the run left it."""
    outcomes: tuple[Outcome, ...] = ()
    """What became of each action, the last try of each."""
    rebuilt: tuple[RepositoryName, ...] = ()
    """Repositories whose rebuild is under way."""
    not_rebuilt: dict[RepositoryName, str] = {}
    """Repositories whose rebuild could not be asked for, with what was found."""
    not_deployed: tuple[RepositoryName, ...] = ()
    """Moved repositories that GitHub will not have shown as deployments. It changes nothing of what the run came to."""
    rounds: int = 1
    """How often it observed and planned."""

    @property
    def moved(self) -> tuple[Moved, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Moved))

    @property
    def items(self) -> tuple[Item, ...]:
        """The last plan's items, with the holds and waits that only trying has shown."""
        outcomes = {outcome.repository: outcome for outcome in self.outcomes}
        return tuple(
            _shown(item, outcomes.get(item.repository)) if isinstance(item, Action) else item
            for item in self.plan.items
        )

    @property
    def result(self) -> Result:
        """Say what it comes to. An action that is still to be done counts as failed, whatever the reason."""
        items = self.items
        stuck = {item.repository for item in items if isinstance(item, Hold | Wait)} | _failed(self.outcomes)
        todo = [item for item in items if isinstance(item, Action) and not stuck.intersection(item.after)]
        if todo or self.not_rebuilt:
            return Result.FAILED
        if any(isinstance(item, Hold) for item in items):
            return Result.HELD
        return Result.CONVERGED if all(item.kind == "no-op" for item in items) else Result.WAITING

    @property
    def causes(self) -> dict[str, str]:
        """Name what a person should hear about, each cause by a key that changes when the cause does."""
        held = {
            f"{item.repository} {item.code} {item.target}": f"{item.name}: {item.sentence}"
            for item in self.items
            if isinstance(item, Hold)
        }
        failed = {
            f"{outcome.repository} failed {outcome.after}": f"{outcome.name}: {outcome.sentence}"
            for outcome in self.outcomes
            if isinstance(outcome, Failed)
        }
        unbuilt = {
            f"{name} rebuild failed": f"{name}: the rebuild could not be asked for: {why}"
            for name, why in self.not_rebuilt.items()
        }
        return dict(sorted((held | failed | unbuilt).items()))


class News(Frozen):
    """What changed for people since they were last told."""

    begun: dict[str, str]
    """Causes that are new, with their sentences."""
    ended: tuple[str, ...]
    """Causes that stand no longer."""
    standing: int
    """How many stand by now, the new ones included."""

    @property
    def is_news(self) -> bool:
        return bool(self.begun or self.ended)


def news_since(notified: tuple[str, ...], causes: dict[str, str]) -> News:
    """Compare what stands with what people know."""
    return News(
        begun={key: sentence for key, sentence in causes.items() if key not in notified},
        ended=tuple(key for key in notified if key not in causes),
        standing=len(causes),
    )


def _failed(outcomes: tuple[Outcome, ...]) -> set[RepositoryName]:
    return {outcome.repository for outcome in outcomes if isinstance(outcome, Failed)}


def _shown(action: Action, outcome: Outcome | None) -> Item:
    """Show a move that was refused or put off as the hold or wait that it is."""
    match outcome:
        case Refused(code=code, sentence=sentence):
            return action.hold(code, sentence)
        case Skipped(code="rate-limit", sentence=sentence, until=until):
            return action.wait("rate-limit", sentence, until)
        case _:
            return action
