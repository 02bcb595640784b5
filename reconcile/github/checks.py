"""Check runs and statuses: what others reported on commits, and the one status that we report."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Literal

from githubkit.utils import UNSET
from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import MissingError
from reconcile.github import queries
from reconcile.github.subject import (
    HEADS,
    Login,
    PageInfo,
    Subject,
    batch_variables,
    fit_description,
    plain_login,
)
from reconcile.github.transport import Node, read_in_batches, together
from reconcile.observed import (
    CheckRun,
    CommitChecks,
    CommitStatus,
    RequiredCheck,
    Signal,
    ValidationPullRequest,
)
from state.ids import BranchName, RepositoryName, Sha

if TYPE_CHECKING:
    from githubkit_schemas.latest.models import ReposOwnerRepoCommitsRefCheckRunsGetResponse200

_CHECK_RUNS = 100
"""Check runs on a page of REST's."""
_STATUSES = 100
"""Statuses on a page of REST's."""
_STATUS_PAGES = 10
"""GitHub takes a thousand statuses of one context on a commit, and no more."""
_PROTECTED_BATCH = 50
_SIGNALS_BATCH = 10
"""Commits in one query: twenty suites of fifty check runs each, at the most."""
_PAGES = 8
"""Two hundred open pull requests, the last changed first: validation that nobody touched for longer is stale anyway."""


class _App(Node):
    database_id: int | None
    slug: str
    name: str


class _CheckRun(Node):
    name: str
    status: str
    conclusion: str | None
    started_at: datetime | None
    url: str


class _Suite(Node):
    app: _App | None
    runs: tuple[_CheckRun, ...] = Field((), validation_alias=AliasPath("checkRuns", "nodes"))
    has_more: bool = Field(default=False, validation_alias=AliasPath("checkRuns", "pageInfo", "hasNextPage"))


class _Commit(Node):
    oid: Sha
    suites: tuple[_Suite, ...] = Field((), validation_alias=AliasPath("checkSuites", "nodes"))
    has_more: bool = Field(
        default=False, validation_alias=AliasPath("checkSuites", "pageInfo", "hasNextPage")
    )

    @property
    def is_whole(self) -> bool:
        return not self.has_more and not any(suite.has_more for suite in self.suites)


class _Head(Node):
    commit: _Commit


class _Label(Node):
    name: str


class _PullRequest(Node):
    number: int
    title: str
    url: str
    head_ref_name: str
    author: Login | None
    labels: tuple[_Label, ...] = Field((), validation_alias=AliasPath("labels", "nodes"))
    heads: tuple[_Head, ...] = Field(validation_alias=AliasPath("commits", "nodes"))


class _Validation(Node):
    nodes: tuple[_PullRequest, ...] = Field(validation_alias=AliasPath("pullRequests", "nodes"))
    page: PageInfo = Field(validation_alias=AliasPath("pullRequests", "pageInfo"))


class _StatusContext(Node):
    context: str
    state: Literal["ERROR", "EXPECTED", "FAILURE", "PENDING", "SUCCESS"]
    created_at: datetime
    target_url: str | None


class _Signalled(_Commit):
    statuses: tuple[_StatusContext, ...] = Field((), validation_alias=AliasPath("status", "contexts"))


class _SignalledObject(Node):
    commit: _Signalled | None = Field(validation_alias="object")


class _RequiredCheck(Node):
    context: str
    integration_id: int | None


class _Rule(Node):
    required: tuple[_RequiredCheck, ...] = Field(
        (), validation_alias=AliasPath("parameters", "requiredStatusChecks")
    )
    """Empty for rules of other kinds."""


class _Protected(Node):
    contexts: tuple[str | None, ...] | None = Field(
        None, validation_alias=AliasPath("ref", "refUpdateRule", "requiredStatusCheckContexts")
    )
    rules: tuple[_Rule, ...] = Field((), validation_alias=AliasPath("ref", "rules", "nodes"))


class _Status(Node):
    state: str
    description: str | None
    target_url: str | None


class _Statuses(Node):
    oid: Sha | None = Field(None, validation_alias=AliasPath("object", "oid"))
    """None where there is no such commit."""
    status: _Status | None = Field(None, validation_alias=AliasPath("object", "status", "context"))


_SIGNALS: TypeAdapter[dict[str, _SignalledObject | None]] = TypeAdapter(dict[str, _SignalledObject | None])
_PROTECTED: TypeAdapter[dict[str, _Protected | None]] = TypeAdapter(dict[str, _Protected | None])
_STATUS_STATES: Mapping[str, Literal["success", "pending", "failure"]] = {
    "ERROR": "failure",
    "EXPECTED": "pending",
    "FAILURE": "failure",
    "PENDING": "pending",
    "SUCCESS": "success",
}


class Checks(Subject):
    """Check runs and statuses."""

    async def observe_validation(self, repository: RepositoryName) -> tuple[ValidationPullRequest, ...]:
        found: list[_PullRequest] = []
        page = PageInfo(has_next_page=True)
        for _ in range(_PAGES):
            part = await self._ask_of(repository, queries.VALIDATION, _Validation, after=page.end_cursor)
            found += part.nodes
            page = part.page
            if not page.has_next_page:
                break
        return tuple(
            await together(
                self._validation(repository, pull_request, head.commit)
                for pull_request in found
                for head in pull_request.heads
            )
        )

    async def observe_signals(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, tuple[Signal, ...]]:
        found = await self._read_signalled(commits)
        signals = await together(self._signals(name, commit) for name, commit in found.items())
        return dict(zip(found, signals, strict=True))

    async def observe_checks(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, CommitChecks]:
        found = await self._read_signalled(commits)
        runs = await together(self._check_runs(name, commit) for name, commit in found.items())
        return {
            name: CommitChecks(check_runs=tuple(own), statuses=tuple(map(_commit_status, commit.statuses)))
            for (name, commit), own in zip(found.items(), runs, strict=True)
        }

    async def list_statuses(self, repository: RepositoryName, commit: Sha) -> tuple[CommitStatus, ...]:
        owner, name = repository.split("/")
        found: list[CommitStatus] = []
        for page in range(1, _STATUS_PAGES + 1):
            listed = await self._transport.read(
                partial(
                    self._transport.rest.repos.async_list_commit_statuses_for_ref,
                    owner,
                    name,
                    commit,
                    per_page=_STATUSES,
                    page=page,
                )
            )
            found += (
                CommitStatus.model_validate(
                    {
                        "context": each.context,
                        "state": _STATUS_STATES[each.state.upper()],
                        "posted_at": each.created_at,
                        "url": each.target_url,
                    }
                )
                for each in listed
            )
            if len(listed) < _STATUSES:
                break
        return tuple(found)

    async def observe_required_checks(
        self, repositories: Collection[RepositoryName], branch: BranchName
    ) -> Mapping[RepositoryName, tuple[RequiredCheck, ...]]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, _Protected]:
            found = await self._transport.query(
                queries.required_checks(len(batch)),
                batch_variables(batch) | {"branch": HEADS + branch},
                _PROTECTED,
                batch=len(batch),
            )
            return {name: protected for i, name in enumerate(batch) if (protected := found.get(f"r{i}"))}

        found = await read_in_batches(repositories, _PROTECTED_BATCH, read)
        return {name: _required_checks(protected) for name, protected in found.items()}

    async def ensure_status(
        self,
        commit: Sha,
        *,
        context: str,
        state: Literal["success", "failure", "pending", "error"],
        description: str,
        url: str | None,
    ) -> None:
        found = await self._ask(queries.STATUS, _Statuses, commit=commit, context=context)
        if found.oid is None:
            raise MissingError(f"{self._repository} has no commit {commit} to post a status on.")
        shown = fit_description(description)
        posted = found.status
        if posted and (posted.state.lower(), posted.description or "", posted.target_url) == (
            state,
            shown,
            url,
        ):
            return
        rest = self._transport.rest.repos
        await self._transport.create(
            lambda: rest.async_create_commit_status(
                self._owner,
                self._name,
                commit,
                state=state,
                context=context,
                description=shown,
                target_url=url or UNSET,
            )
        )

    async def _validation(
        self, repository: RepositoryName, pull_request: _PullRequest, commit: _Commit
    ) -> ValidationPullRequest:
        return ValidationPullRequest(
            number=pull_request.number,
            title=pull_request.title,
            url=pull_request.url,
            author=plain_login(pull_request.author),
            head=commit.oid,
            head_branch=pull_request.head_ref_name,
            labels=tuple(label.name for label in pull_request.labels),
            check_runs=tuple(await self._check_runs(repository, commit)),
        )

    async def _read_signalled(
        self, commits: Mapping[RepositoryName, Sha]
    ) -> Mapping[RepositoryName, _Signalled]:
        async def read(batch: Sequence[RepositoryName]) -> Mapping[RepositoryName, _Signalled]:
            found = await self._transport.query(
                queries.signals(len(batch)),
                batch_variables(batch) | {f"commit{i}": commits[name] for i, name in enumerate(batch)},
                _SIGNALS,
                batch=len(batch),
            )
            return {
                name: commit
                for i, name in enumerate(batch)
                if (object_ := found.get(f"r{i}")) and (commit := object_.commit)
            }

        return await read_in_batches(commits, _SIGNALS_BATCH, read)

    async def _signals(self, repository: RepositoryName, commit: _Signalled) -> tuple[Signal, ...]:
        runs = await self._check_runs(repository, commit)
        return (
            *(_signal(run) for run in runs if run.started_at or run.status != "completed"),
            *(
                Signal(
                    kind="status",
                    name=status.context,
                    state=_STATUS_STATES[status.state],
                    started_at=status.created_at,
                )
                for status in commit.statuses
            ),
        )

    async def _check_runs(self, repository: RepositoryName, commit: _Commit) -> Sequence[CheckRun]:
        """List a commit's check runs, read whole by REST where they did not fit: the rest might hold a failure."""
        if commit.is_whole:
            return _check_runs(commit)
        return await self._read_check_runs(repository, commit.oid)

    async def _read_check_runs(self, repository: RepositoryName, commit: Sha) -> Sequence[CheckRun]:
        first = await self._check_run_page(repository, commit, 1)
        last = ceil(first.total_count / _CHECK_RUNS)
        others = await together(self._check_run_page(repository, commit, page) for page in range(2, last + 1))
        return [
            CheckRun(
                name=run.name,
                app_id=run.app.id,
                app_slug=run.app.slug or "",
                app_name=run.app.name,
                status=run.status,
                conclusion=run.conclusion,
                started_at=run.started_at,
                url=run.html_url,
            )
            for page in (first, *others)
            for run in page.check_runs
            if run.app
        ]

    async def _check_run_page(
        self, repository: RepositoryName, commit: Sha, page: int
    ) -> "ReposOwnerRepoCommitsRefCheckRunsGetResponse200":
        owner, name = repository.split("/")
        return await self._transport.read(
            lambda: self._transport.rest.checks.async_list_for_ref(
                owner, name, commit, per_page=_CHECK_RUNS, page=page
            )
        )


def _check_runs(commit: _Commit) -> Sequence[CheckRun]:
    """Flatten a commit's suites. What an app left behind that is gone cannot be anybody's evidence."""
    return [
        CheckRun(
            name=run.name,
            app_id=suite.app.database_id or 0,
            app_slug=suite.app.slug,
            app_name=suite.app.name,
            status=run.status.lower(),
            conclusion=run.conclusion.lower() if run.conclusion else None,
            started_at=run.started_at,
            url=run.url,
        )
        for suite in commit.suites
        if suite.app
        for run in suite.runs
    ]


def _commit_status(status: _StatusContext) -> CommitStatus:
    return CommitStatus(
        context=status.context,
        state=_STATUS_STATES[status.state],
        posted_at=status.created_at,
        url=status.target_url,
    )


def _required_checks(protected: _Protected) -> tuple[RequiredCheck, ...]:
    """Collect what rulesets and the branch's own rule require; the latter tells no app."""
    by_rules = (
        RequiredCheck(name=each.context, app_id=each.integration_id)
        for rule in protected.rules
        for each in rule.required
    )
    by_branch = (RequiredCheck(name=context) for context in protected.contexts or () if context)
    return tuple(dict.fromkeys((*by_rules, *by_branch)))


def _signal(run: CheckRun) -> Signal:
    return Signal(
        kind="check_run",
        name=run.name,
        apps=(str(run.app_id), run.app_slug, run.app_name),
        state="pending"
        if run.status != "completed"
        else "success"
        if run.conclusion == "success"
        else "failure",
        started_at=run.started_at,
    )
