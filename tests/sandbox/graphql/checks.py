"""Statuses, check suites and check runs of a commit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from tests.sandbox.graphql.connections import Connection
from tests.sandbox.graphql.nodes import ActorNode, page_of
from tests.sandbox.model import App, CheckRun, Status

if TYPE_CHECKING:
    from tests.sandbox.graphql import commits

# From bad to good: what a commit, or a suite, is as a whole is the first of these that anything of it is.
STATES = ("ERROR", "FAILURE", "PENDING", "EXPECTED", "SUCCESS")
STATUSES = ("IN_PROGRESS", "QUEUED", "COMPLETED")
CONCLUSIONS = (
    "FAILURE", "TIMED_OUT", "CANCELLED", "ACTION_REQUIRED", "STARTUP_FAILURE", "STALE", "SUCCESS", "NEUTRAL", "SKIPPED",
)  # fmt: skip
PASSING = ("success", "neutral", "skipped")


def worst(states: Iterable[str]) -> str:
    return min(states, key=STATES.index)


@dataclass(frozen=True)
class StatusNode:
    commit: "commits.CommitNode"
    statuses: list[Status]
    typename: ClassVar[str] = "Status"

    @property
    def id(self) -> str:
        return f"ST_{self.commit.id}"

    @property
    def state(self) -> str:
        state = worst(status.state.upper() for status in self.statuses)
        return "FAILURE" if state == "ERROR" else state

    @property
    def contexts(self) -> list["StatusContextNode"]:
        return [StatusContextNode(self.commit, status) for status in self.statuses]

    def context(self, name: str) -> "StatusContextNode | None":
        return next((each for each in self.contexts if each.record.context == name), None)


@dataclass(frozen=True)
class StatusContextNode:
    commit: "commits.CommitNode"
    record: Status
    typename: ClassVar[str] = "StatusContext"

    @property
    def id(self) -> str:
        return self.record.node_id

    @property
    def state(self) -> str:
        return self.record.state.upper()

    @property
    def creator(self) -> ActorNode:
        return ActorNode(self.commit.call, self.record.creator)


@dataclass(frozen=True)
class RollupNode:
    commit: "commits.CommitNode"
    statuses: list[Status]
    runs: list[CheckRun]
    typename: ClassVar[str] = "StatusCheckRollup"

    @property
    def id(self) -> str:
        return f"SCR_{self.commit.id}"

    @property
    def state(self) -> str:
        states = [status.state.upper() for status in self.statuses]
        for run in self.runs:
            done = "SUCCESS" if run.conclusion in PASSING else "FAILURE"
            states.append(done if run.status == "completed" else "PENDING")
        return worst(states)

    def contexts(self, **page: Any) -> Connection["CheckRunNode | StatusContextNode"]:
        suites = {suite.database_id: suite for suite in suites_of(self.commit)}
        runs = (CheckRunNode(suites[run.suite_id], run) for run in self.runs)
        statuses = (StatusContextNode(self.commit, status) for status in self.statuses)
        return page_of("contexts", [*runs, *statuses], page)


def suites_of(commit: "commits.CommitNode") -> list["CheckSuiteNode"]:
    """Group a commit's runs, also those that a later one has replaced, oldest first."""
    suites: dict[int, list[CheckRun]] = {}
    for run in reversed(commit.in_repository.check_runs(commit.oid, latest=False)):
        suites.setdefault(run.suite_id, []).append(run)
    return [CheckSuiteNode(commit, database_id, runs) for database_id, runs in suites.items()]


@dataclass(frozen=True)
class AppNode:
    record: App
    typename: ClassVar[str] = "App"

    @property
    def id(self) -> str:
        return self.record.node_id

    @property
    def database_id(self) -> int:
        return self.record.database_id


@dataclass(frozen=True)
class CheckSuiteNode:
    commit: "commits.CommitNode"
    database_id: int
    runs: list[CheckRun]
    typename: ClassVar[str] = "CheckSuite"

    @property
    def id(self) -> str:
        return f"CS_{self.database_id}"

    @property
    def app(self) -> AppNode:
        return AppNode(self.runs[0].app)

    @property
    def _latest(self) -> dict[str, CheckRun]:
        return {run.name: run for run in self.runs}

    @property
    def status(self) -> str:
        statuses = {run.status.upper() for run in self._latest.values()}
        return next((status for status in STATUSES if status in statuses), "QUEUED")

    @property
    def conclusion(self) -> str | None:
        if self.status != "COMPLETED":
            return None
        conclusions = {(run.conclusion or "").upper() for run in self._latest.values()}
        return next((each for each in CONCLUSIONS if each in conclusions), None)

    @property
    def created_at(self) -> datetime:
        return min(run.created_at for run in self.runs)

    @property
    def updated_at(self) -> datetime:
        return max(run.completed_at or run.started_at or run.created_at for run in self.runs)

    def check_runs(self, filter_by: dict[str, Any] | None = None, **page: Any) -> Connection["CheckRunNode"]:
        wanted = filter_by or {}
        statuses = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
        runs = list(self._latest.values()) if wanted.get("check_type") == "LATEST" else self.runs
        found = (
            CheckRunNode(self, run)
            for run in runs
            if wanted.get("app_id") in (None, run.app.database_id)
            and wanted.get("check_name") in (None, run.name)
            and (statuses is None or run.status.upper() in statuses)
            and (not wanted.get("conclusions") or (run.conclusion or "").upper() in wanted["conclusions"])
        )
        return page_of("checkRuns", found, page)


@dataclass(frozen=True)
class CheckRunNode:
    check_suite: CheckSuiteNode
    record: CheckRun
    typename: ClassVar[str] = "CheckRun"

    @property
    def id(self) -> str:
        return self.record.node_id

    @property
    def status(self) -> str:
        return self.record.status.upper()

    @property
    def conclusion(self) -> str | None:
        return self.record.conclusion.upper() if self.record.conclusion else None

    @property
    def url(self) -> str:
        return f"{self.check_suite.commit.repository.url}/runs/{self.record.database_id}"

    @property
    def title(self) -> str | None:
        return self.record.output.get("title")

    @property
    def summary(self) -> str | None:
        return self.record.output.get("summary")

    @property
    def text(self) -> str | None:
        return self.record.output.get("text")
