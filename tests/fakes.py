"""A GitHub in memory, behind the ports that planning and applying use.

Relations come from small commit graphs, and updates are compare-and-swap as GitHub's are, so a test that passes
here says something. It behaves until it is told not to: faults, errors, stale reads and other people's deeds are
queued by the test, and each happens once.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

from reconcile.apply import Clock, Tools
from reconcile.errors import MissingError, ReconcileError, RejectedError, StaleHeadError
from reconcile.observed import (
    Activity,
    Deployment,
    DocumentChange,
    Documents,
    DocumentVersion,
    MergedChange,
    Observed,
    ObservedRepository,
    ObservedTarget,
    Permission,
    Relation,
    ReleaseState,
    Signal,
    Wanted,
)
from reconcile.ports import Budget, MoveDeployment, RefUpdate, Refusal, UpdateAnswer
from state.ids import BranchName, RepositoryName, Sha

Fault = Literal["lost before", "lost after", "unexplained"] | Refusal
"""What goes wrong with one update: its answer is lost before or after the effect, or it is turned down."""

_START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_GENERIC = "Something went wrong while executing your query."


@dataclass
class FakeClock:
    """Passes only when somebody sleeps."""

    time: datetime = _START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


@dataclass
class FakeRepository:
    """One repository: a commit graph and branches on it."""

    name: str
    parents: dict[Sha, tuple[Sha, ...]]
    refs: dict[BranchName, Sha]
    committed_at: dict[Sha, datetime] = field(default_factory=dict)
    is_archived: bool = False
    permission: Permission | None = "WRITE"

    @property
    def id(self) -> str:
        return f"id of {self.name.lower()}"

    def commits_of(self, commit: Sha | None) -> frozenset[Sha]:
        """Return a commit with everything that it is built on."""
        found: set[Sha] = set()
        waiting = [commit] if commit else []
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += self.parents[current]
        return frozenset(found)

    def observe_target(
        self, wanted: Wanted, ref: BranchName, branches: Sequence[BranchName]
    ) -> ObservedTarget | None:
        if wanted.target not in self.parents:
            return None
        live = self.refs.get(ref)
        mine, theirs = self.commits_of(wanted.target), self.commits_of(live)
        return ObservedTarget(
            sha=wanted.target,
            committed_at=self.committed_at.get(wanted.target, _START - timedelta(days=1)),
            headline=f"Commit {wanted.target[:7]}",
            relation=_relation(mine, theirs),
            ahead=len(mine - theirs) if live else 0,
            behind=len(theirs - mine),
            on_branch=next(
                (name for name in branches if wanted.target in self.commits_of(self.refs.get(name))), None
            ),
            contains=tuple(commit for commit in wanted.ancestors if commit in mine),
        )


def _relation(mine: frozenset[Sha], theirs: frozenset[Sha]) -> Relation:
    if not theirs:
        return Relation.CREATE
    if mine == theirs:
        return Relation.IDENTICAL
    if mine > theirs:
        return Relation.FAST_FORWARD
    return Relation.REWIND if mine < theirs else Relation.DIVERGED


@dataclass(frozen=True)
class Effect:
    """A ref that an update moved."""

    repository: RepositoryName
    before: Sha | None
    after: Sha


@dataclass(frozen=True)
class Dispatch:
    """A workflow that was asked to run."""

    repository: RepositoryName
    workflow: str
    ref: BranchName
    at: datetime


class FakeGitHub:
    """Implements all that reconcile needs, but for its report on the release state.

    Everything public may be set and read by a test.
    """

    def __init__(self, *repositories: FakeRepository) -> None:
        self.clock = FakeClock()
        self.repositories = {each.name.lower(): each for each in repositories}
        self.meanwhile: deque[Callable[[], object] | None] = deque()
        """What others do: one is taken before each request, and called."""
        self.errors: defaultdict[str, deque[ReconcileError | None]] = defaultdict(deque)
        """By method, what its next calls raise, before any effect."""
        self.faults: defaultdict[RepositoryName, deque[Fault | None]] = defaultdict(deque)
        """By repository, what goes wrong with its next updates."""
        self.stale_reads: defaultdict[RepositoryName, int] = defaultdict(int)
        """By repository, how many of the next reads of its refs show them before their last change."""
        self.times_out_after: int | None = None
        """So many updates of a request are carried out before the server gives up, and all answers are lost."""
        self.signals: defaultdict[tuple[RepositoryName, Sha], list[Signal]] = defaultdict(list)
        """By repository and commit, what is said about it."""
        self.activity: dict[RepositoryName, Activity] = {}
        """By repository, who moved its ref last; set by the test that asks for it."""
        self.granted: Budget | None = None
        """What GitHub still grants; the test that sets it spends it."""
        self.dispatched: list[Dispatch] = []
        self.deployments: dict[tuple[RepositoryName, str], tuple[Deployment, ...]] = {}
        """By repository and environment, newest first."""
        self.requests: list[str] = []
        self.sent: list[tuple[RefUpdate, ...]] = []
        self.effects: list[Effect] = []
        self.history = [Documents(commit=_digest("start"), desired_text="", policy_text="")]
        """The default branch of the release-state repository, oldest first."""
        self.merged: dict[Sha, MergedChange] = {}
        """By commit of the default branch, the pull request that it is the result of."""
        self.ledger: list[tuple[Sha, str]] = []
        """The ledger's branch, oldest first."""
        self._before: dict[tuple[RepositoryName, BranchName], Sha | None] = {}

    @property
    def tools(self) -> Tools:
        clock = Clock(self.clock.now, self.clock.sleep)
        return Tools(state=self, fleet=self, writer=self, budget=self, clock=clock)

    def push(
        self, repository: RepositoryName, commit: Sha, *, onto: Iterable[Sha] = (), ref: BranchName = "stable"
    ) -> None:
        """Move a ref as another person would, forced or not; ``onto`` are the parents of a new commit."""
        found = self.repositories[repository]
        found.parents.setdefault(commit, tuple(onto))
        self._set(repository, ref, commit)

    def delete_ref(self, repository: RepositoryName, ref: BranchName = "stable") -> None:
        self._set(repository, ref, None)

    def commit_documents(
        self,
        *,
        desired_text: str | None = None,
        policy_text: str | None = None,
        pull_request: MergedChange | None = None,
    ) -> Sha:
        """Put a commit on the default branch; a document that is not given stays as it was."""
        last = self.history[-1]
        commit = _digest(f"{len(self.history)} after {last.commit}")
        self.history.append(
            Documents(
                commit=commit,
                desired_text=last.desired_text if desired_text is None else desired_text,
                policy_text=last.policy_text if policy_text is None else policy_text,
            )
        )
        if pull_request:
            self.merged[commit] = pull_request
        return commit

    def live(self, repository: RepositoryName, ref: BranchName = "stable") -> Sha | None:
        """Say where a ref really stands; not a request."""
        return self.repositories[repository].refs.get(ref)

    @property
    def version(self) -> DocumentVersion:
        """Say which documents the default branch really holds; not a request."""
        head = self.history[-1]
        return DocumentVersion(
            repository="packit/release-state",
            url="https://github.example/packit/release-state",
            branch="main",
            commit=head.commit,
            desired_blob=_blob(head.desired_text),
            policy_blob=_blob(head.policy_text),
        )

    def budget(self) -> Budget | None:
        return self.granted

    async def load_release_state(self) -> ReleaseState:
        self._request("load_release_state")
        head, text = self.ledger[-1] if self.ledger else (None, None)
        return ReleaseState(
            repository_id="id of the release state",
            version=self.version,
            documents=self.history[-1],
            ledger_head=head,
            ledger_text=text,
        )

    async def load_changes(self, since: Sha, until: Sha) -> tuple[DocumentChange, ...] | None:
        self._request("load_changes")
        commits = [each.commit for each in self.history]
        if since not in commits:
            return None
        walked = self.history[commits.index(since) : commits.index(until) + 1]
        return tuple(
            DocumentChange(
                commit=after.commit, before=before, after=after, pull_request=self.merged.get(after.commit)
            )
            for before, after in pairwise(walked)
            if (before.desired_text, before.policy_text) != (after.desired_text, after.policy_text)
        )

    async def observe_version(self) -> DocumentVersion:
        self._request("observe_version")
        return self.version

    async def observe_fleet(
        self, wanted: Mapping[RepositoryName, Wanted], *, ref: BranchName, branches: Sequence[BranchName]
    ) -> Observed:
        self._request("observe_fleet")
        found: dict[RepositoryName, ObservedRepository] = {}
        for name in wanted.keys() & self.repositories.keys():
            # Computed from one reading: what is stale is stale as a whole.
            seen = replace(self.repositories[name], refs=dict(self.repositories[name].refs))
            live = self._read(name, ref)
            if live is None:
                seen.refs.pop(ref, None)
            else:
                seen.refs[ref] = live
            found[name] = ObservedRepository(
                id=seen.id,
                name=seen.name,
                url=f"https://github.example/{seen.name}",
                is_archived=seen.is_archived,
                permission=seen.permission,
                live=live,
                target=seen.observe_target(wanted[name], ref, branches),
            )
        return Observed(at=self.clock.now(), repositories=found)

    async def observe_refs(
        self, repositories: Collection[RepositoryName], ref: BranchName
    ) -> Mapping[RepositoryName, Sha | None]:
        self._request("observe_refs")
        return {name: self._read(name, ref) for name in repositories if name in self.repositories}

    async def observe_signals(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, tuple[Signal, ...]]:
        self._request("observe_signals")
        return {
            name: tuple(self.signals[name, commit])
            for name, commit in commits.items()
            if name in self.repositories and commit in self.repositories[name].parents
        }

    async def observe_activity(
        self, repositories: Collection[RepositoryName], *, ref: BranchName
    ) -> Mapping[RepositoryName, Activity]:
        self._request("observe_activity")
        return {name: self.activity[name] for name in repositories if name in self.activity}

    async def find_dispatch(
        self, repository: RepositoryName, workflow: str, *, ref: BranchName, since: datetime
    ) -> bool:
        self._request("find_dispatch")
        return any(
            (each.repository, each.workflow, each.ref) == (repository, workflow, ref) and each.at >= since
            for each in self.dispatched
        )

    async def dispatch(self, repository: RepositoryName, workflow: str, *, ref: BranchName) -> None:
        self._request("dispatch")
        if repository not in self.repositories:
            raise MissingError(f"There is no {repository}.")
        self.dispatched.append(Dispatch(repository, workflow, ref, self.clock.now()))

    async def observe_deployments(
        self, repositories: Collection[RepositoryName], environment: str
    ) -> Mapping[RepositoryName, tuple[Deployment, ...]]:
        self._request("observe_deployments")
        return {name: self.deployments.get((name, environment), ()) for name in repositories}

    async def store_deployment(self, move: MoveDeployment, *, begun: int | None) -> None:
        """Two requests, as on GitHub; the second, ``report_deployment``, may fail by itself."""
        where = (move.repository, move.environment)
        if begun is None:
            self._request("store_deployment")
            if move.repository not in self.repositories:
                raise MissingError(f"There is no {move.repository}.")
            if move.sha not in self.repositories[move.repository].parents:
                raise RejectedError(f"{move.repository} has no {move.sha}.")
            begun = sum(map(len, self.deployments.values())) + 1
            made = Deployment(
                id=begun,
                sha=move.sha,
                state="created",
                at=self.clock.now(),
                url=None,
                moved_at=move.moved_at,
            )
            self.deployments[where] = (made, *self.deployments.get(where, ()))
        self._request("report_deployment")
        self.deployments[where] = tuple(
            each.model_copy(update={"state": "success", "url": move.url}) if each.id == begun else each
            for each in self.deployments[where]
        )

    async def update_refs(self, updates: Sequence[RefUpdate]) -> Sequence[UpdateAnswer]:
        self._request("update_refs")
        self.sent.append(tuple(updates))
        if self.times_out_after is not None and len(updates) > self.times_out_after:
            for update in updates[: self.times_out_after]:
                self._update(update)
            return [UpdateAnswer(status="lost", message="502 Bad Gateway") for _ in updates]
        return [self._update(update) for update in updates]

    async def store_ledger(self, text: str, *, expected_head: Sha | None, message: str) -> Sha:
        self._request("store_ledger")
        head = self.ledger[-1][0] if self.ledger else None
        if head != expected_head:
            raise StaleHeadError(f"The ledger is at {head}, not at {expected_head}.")
        self.ledger.append((_digest(f"{head} {message} {text}"), text))
        return self.ledger[-1][0]

    def _request(self, method: str) -> None:
        self.requests.append(method)
        if self.meanwhile and (deed := self.meanwhile.popleft()):
            deed()
        if self.errors[method] and (error := self.errors[method].popleft()):
            raise error

    def _read(self, name: RepositoryName, ref: BranchName) -> Sha | None:
        if self.stale_reads[name]:
            self.stale_reads[name] -= 1
            return self._before.get((name, ref), self.live(name, ref))
        return self.live(name, ref)

    def _set(self, name: RepositoryName, ref: BranchName, commit: Sha | None) -> None:
        refs = self.repositories[name].refs
        self._before[name, ref] = refs.get(ref)
        if commit is None:
            del refs[ref]
        else:
            refs[ref] = commit

    def _update(self, update: RefUpdate) -> UpdateAnswer:
        faults = self.faults[update.repository]
        match faults.popleft() if faults else None:
            case None:
                return self._swap(update)
            case "lost before":
                return UpdateAnswer(status="lost", message="connection reset")
            case "lost after":
                self._swap(update)
                return UpdateAnswer(status="lost", message="connection reset")
            case "unexplained":
                return UpdateAnswer(status="rejected", message=_GENERIC)
            case refusal:
                return UpdateAnswer(status="rejected", refusal=refusal, message=f"fake {refusal}")

    def _swap(self, update: RefUpdate) -> UpdateAnswer:
        repository = self.repositories.get(update.repository)
        if repository is None or repository.id != update.repository_id:
            return UpdateAnswer(status="rejected", message="Could not resolve to a node.")
        if repository.permission in {"READ", "TRIAGE"} or repository.is_archived:
            return UpdateAnswer(status="rejected", refusal="no-permission", message="fake no-permission")
        live = repository.refs.get(update.ref)
        is_fast_forward = live is None or live in repository.commits_of(update.after)
        if live != update.before or not (update.force or is_fast_forward):
            # GitHub gives no code and no reason for either.
            return UpdateAnswer(status="rejected", message=_GENERIC)
        self._set(update.repository, update.ref, update.after)
        self.effects.append(Effect(update.repository, update.before, update.after))
        return UpdateAnswer(status="accepted")


def _digest(text: str) -> Sha:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _blob(text: str | None) -> Sha | None:
    """Name a text as git would."""
    return None if text is None else _digest(f"blob {len(text.encode())}\0{text}")
