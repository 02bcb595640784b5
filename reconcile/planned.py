"""The plan as a value: one item a repository, each an action, a hold, a wait, or nothing to do.

Holds no rule: `reconcile.plan` makes it, `reconcile.apply` carries it out, `reconcile.render` shows it.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from reconcile.observed import DocumentVersion
from state.document import Overridable
from state.ids import BranchName, Frozen, RepositoryName, Sha

HoldCode = Literal[
    "stale-document",
    "not-approved",
    "held",
    "not-in-policy",
    "repository-missing",
    "renamed",
    "archived",
    "no-permission",
    "unknown-commit",
    "not-on-source",
    "blocked",
    "permit-spent",
    "moved-by-hand",
    "rewind-needs-permit",
    "diverged",
    "create-refused",
    "ledger-missing",
    "limit-exceeded",
    "not-ready-in-time",
    "protected",
    "workflows-permission",
]
WaitCode = Literal["frozen", "outside-window", "soaking", "after", "rate-limit"]


class GovernedRef(Frozen):
    """The ref of one repository: where it stands, and where the document wants it."""

    repository: RepositoryName
    name: str
    """As GitHub spells it, where it is known."""
    url: str | None
    live: Sha | None
    """None where it does not exist."""
    target: Sha

    def hold(self, code: HoldCode, sentence: str) -> "Hold":
        """Say that a person is needed."""
        return Hold(**self._fields(), code=code, sentence=sentence)

    def wait(self, code: WaitCode, sentence: str, until: datetime | None = None) -> "Wait":
        """Say that it goes on by itself."""
        return Wait(**self._fields(), code=code, sentence=sentence, until=until)

    def _fields(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in GovernedRef.model_fields}


class NoOp(GovernedRef):
    """The ref is where the document wants it."""

    kind: Literal["no-op"] = "no-op"


class Hold(GovernedRef):
    """A person is needed."""

    kind: Literal["hold"] = "hold"
    code: HoldCode
    sentence: str


class Wait(GovernedRef):
    """Goes on by itself."""

    kind: Literal["wait"] = "wait"
    code: WaitCode
    sentence: str
    until: datetime | None = None
    """When it ends, where a clock decides."""


class _Move(GovernedRef):
    repository_id: str
    commits: int
    """Commits that go out with it; for a rewind, that are taken back."""
    wave: int
    """Counted from 1; repositories of one wave may move together."""
    is_permitted: bool = False
    """Whether it rests on a permit, which it then spends."""
    despite: tuple[Overridable, ...] = ()
    """What its permit overrides."""
    after: tuple[RepositoryName, ...] = ()
    """Those of this plan's actions that must have moved first."""


class Create(_Move):
    """The ref does not exist, and must still not exist when it is made."""

    kind: Literal["create"] = "create"


class FastForward(_Move):
    """The target descends from the ref."""

    kind: Literal["fast-forward"] = "fast-forward"


class Rewind(_Move):
    """The target is an ancestor of the ref; a permit names exactly this."""

    kind: Literal["rewind"] = "rewind"


class Force(_Move):
    """The target and the ref have diverged; a permit names exactly this."""

    kind: Literal["force"] = "force"


Action = Create | FastForward | Rewind | Force
"""One ref move. Its precondition is ``live``: the ref must still be there."""

Item = Annotated[NoOp | Hold | Wait | Create | FastForward | Rewind | Force, Field(discriminator="kind")]


class Rebuild(Frozen):
    """Something that a repository is built from has moved and is ready, and it has not: its workflow has to run."""

    repository: RepositoryName
    name: str
    workflow: str
    since: datetime
    """When the last of what it comes after moved; a run dispatched later than this is enough."""
    because: tuple[RepositoryName, ...]
    """What has moved since it was last built."""


class Plan(Frozen):
    """One item a repository, in the order in which they may move; the same input gives the same bytes."""

    version: DocumentVersion
    ref: BranchName
    observed_at: datetime
    items: tuple[Item, ...]
    rebuilds: tuple[Rebuild, ...] = ()
    unnamed: tuple[RepositoryName, ...] = ()
    """Repositories of the policy that the document does not name: left alone, and reported."""

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(item for item in self.items if isinstance(item, Action))

    @property
    def holds(self) -> tuple[Hold, ...]:
        return tuple(item for item in self.items if isinstance(item, Hold))

    @property
    def waits(self) -> tuple[Wait, ...]:
        return tuple(item for item in self.items if isinstance(item, Wait))

    @property
    def is_converged(self) -> bool:
        """Say whether there is nothing to do and nothing in the way."""
        return not self.rebuilds and all(isinstance(item, NoOp) for item in self.items)

    @property
    def digest(self) -> str:
        """Identify the plan by what it does: the moment of observation does not count."""
        return hashlib.sha256(self.model_dump_json(exclude={"observed_at"}).encode()).hexdigest()
