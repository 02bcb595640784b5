"""One repository: a bare git repository, and what GitHub keeps beside it.

Every ref moves through `Repository._move`, so that activity, pull requests and webhooks follow whoever moved it.
Methods named like deeds of people (`commit`, `push`, `merge`) ask for no rights: tests use them to make facts.
The API asks `rules.py` first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pygit2

from tests.sandbox import gitops, pulls, rules
from tests.sandbox.errors import (
    Conflict,
    NotFound,
    StaleHead,
    StaleRef,
    Unprocessable,
    invalid,
)
from tests.sandbox.gitops import ZERO
from tests.sandbox.model import (
    Account,
    Activity,
    App,
    CheckRun,
    Comment,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    Hook,
    Label,
    PullRequest,
    RequiredCheck,
    Review,
    Status,
    WorkflowRun,
)

if TYPE_CHECKING:
    from tests.sandbox.store import Store

HEADS = "refs/heads/"
TAGS = "refs/tags/"
DESCRIPTION_LIMIT = 140
STATUSES_PER_CONTEXT = 1_000
ANNOTATIONS_PER_REQUEST = 50
WEB_FLOW = ("GitHub", "noreply@github.com")

MergeMethod = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True)
class RefUpdate:
    """`before` None: wherever it is; all zeros: it must not exist. `after` all zeros: delete it."""

    name: str
    after: str
    before: str | None = None
    force: bool = False


class Repository:
    def __init__(
        self,
        store: "Store",
        full_name: str,
        path: Path,
        git: pygit2.Repository,
        *,
        database_id: int,
        parent: "Repository | None" = None,
    ) -> None:
        self.store = store
        self.owner, self.name = full_name.split("/")
        self.path = path
        self.git = git
        self.database_id = database_id
        self.parent = parent
        self.default_branch = head_branch(git)
        self.created_at = store.clock()
        self.archived = False
        self.protections: dict[str, frozenset[str]] = {}
        self.required_contexts: dict[str, tuple[str, ...]] = {}
        """By protected branch, what its own rule requires."""
        self.required_checks: dict[str, tuple[RequiredCheck, ...]] = {}
        """By branch, what rulesets require."""
        self.deployments: list[Deployment] = []
        self.pulls: dict[int, PullRequest] = {}
        self.labels: dict[str, Label] = {}
        self.hooks: dict[int, Hook] = {}
        self.activity: list[Activity] = []
        self.workflow_runs: list[WorkflowRun] = []
        self._statuses: dict[str, list[Status]] = {}
        self._check_runs: dict[int, CheckRun] = {}
        self._suites: dict[tuple[str, int], int] = {}
        self._before_last_write: dict[str, str | None] = {}
        self._last_number = max(
            (number(ref) for ref in git.references if ref.startswith("refs/pull/")), default=0
        )

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def node_id(self) -> str:
        return f"R_{self.database_id}"

    @property
    def is_fork(self) -> bool:
        return self.parent is not None

    def __repr__(self) -> str:
        return f"<Repository {self.full_name}>"

    # Refs

    def ref(self, name: str) -> str | None:
        """Read a full ref name; in a stale view, as it was before the last write."""
        if self.store.is_stale and name in self._before_last_write:
            return self._before_last_write[name]
        try:
            return str(self.git.lookup_reference(name).resolve().target)
        except (KeyError, pygit2.InvalidSpecError):
            return None

    def refs(self, prefix: str = HEADS) -> dict[str, str]:
        """Map the rest of each name under `prefix` to its sha, sorted by name."""
        names = {name for name in self.git.references if name.startswith(prefix)}
        if self.store.is_stale:
            names |= {name for name in self._before_last_write if name.startswith(prefix)}
        found = {name.removeprefix(prefix): self.ref(name) for name in sorted(names)}
        return {name: sha for name, sha in found.items() if sha is not None}

    def branch(self, name: str) -> str | None:
        return self.ref(HEADS + name)

    def find_commit(self, sha: str) -> pygit2.Commit | None:
        return gitops.find_commit(self.git, sha.lower())

    def commit_at(self, sha: str) -> pygit2.Commit:
        found = self.find_commit(sha)
        if found is None:
            raise NotFound(f"No commit found for SHA: {sha}")
        return found

    def resolve(self, name: str) -> str | None:
        """Find a commit by branch, tag, `heads/…` or `tags/…`, full or abbreviated sha, in GitHub's order."""
        for candidate in (name, HEADS + name, TAGS + name, "refs/" + name):
            if candidate.startswith("refs/") and (target := self.ref(candidate)):
                return self._peel(target)
        if name == "HEAD":
            return self.branch(self.default_branch)
        return gitops.expand_sha(self.git, name.lower())

    def rev_parse(self, name: str) -> str:
        """As `resolve`, for tests that know it is there."""
        found = self.resolve(name)
        if found is None:
            raise NotFound(f"{self.full_name} has no {name}")
        return found

    def _peel(self, sha: str) -> str | None:
        try:
            return str(self.git[sha].peel(pygit2.Commit).id)
        except (KeyError, pygit2.InvalidSpecError):
            return None

    def update_refs(self, updates: Sequence[RefUpdate], by: Account) -> None:
        """Move several refs or none, each by compare-and-swap where it says `before`."""
        moves: dict[str, str | None] = {}
        force = False
        for update in updates:
            if update.name in moves:
                raise Unprocessable(f"Reference {update.name} was given more than once")
            before = self.ref(update.name)
            after = None if update.after == ZERO else update.after
            self._check_update(update, before, by)
            moves[update.name] = after
            force = force or update.force
        self._move(moves, by)

    def _check_update(self, update: RefUpdate, before: str | None, by: Account) -> None:
        if not update.name.startswith((HEADS, TAGS)) or not pygit2.reference_is_valid_name(update.name):
            raise Unprocessable(f"{update.name} is not a valid ref name")
        if update.before is not None and (before or ZERO) != update.before:
            raise StaleRef(f"{update.name} is at {before or ZERO}, not at {update.before}")
        if update.after == ZERO:
            if before is None:
                raise StaleRef(f"{update.name} does not exist")
            if update.name == HEADS + self.default_branch:
                raise Unprocessable("Cannot delete the default branch")
        elif (target := self.find_commit(update.after)) is None and update.name.startswith(HEADS):
            raise NotFound(f"Could not resolve to an object with the oid '{update.after}'.")
        elif (
            target and before and not update.force and not gitops.is_ancestor(self.git, before, update.after)
        ):
            raise Unprocessable(f"Update of {update.name} is not a fast-forward")
        rules.check_push(self, by, update.name, before, None if update.after == ZERO else update.after)

    def _move(
        self,
        moves: Mapping[str, str | None],
        by: Account,
        *,
        at: datetime | None = None,
        merging: PullRequest | None = None,
    ) -> None:
        """Write refs, and let everything that hangs on them follow."""
        before = {name: self.ref(name) for name in moves}
        for name, after in moves.items():
            if after is not None:
                self.git.references.create(name, after, force=True)
            elif before[name] is not None:
                self.git.references.delete(name)
        self._before_last_write = before
        self._follow_moves(
            {name: (before[name], after) for name, after in moves.items()}, by, at=at, merging=merging
        )

    def pushed(self, moves: Mapping[str, tuple[str | None, str | None]], by: Account) -> None:
        """Record what a push through git itself has moved."""
        self._before_last_write = {name: before for name, (before, _) in moves.items()}
        self._follow_moves(moves, by)

    def _follow_moves(
        self,
        moves: Mapping[str, tuple[str | None, str | None]],
        by: Account,
        *,
        at: datetime | None = None,
        merging: PullRequest | None = None,
    ) -> None:
        now = at or self.store.clock()
        for name, (old, new) in moves.items():
            if old == new:
                continue
            forced = bool(
                old and new and self.find_commit(new) and not gitops.is_ancestor(self.git, old, new)
            )
            kind: Literal["branch_creation", "branch_deletion", "push", "force_push", "pr_merge"] = (
                "branch_creation"
                if old is None
                else "branch_deletion"
                if new is None
                else "pr_merge"
                if merging
                else "force_push"
                if forced
                else "push"
            )
            self.activity.append(
                Activity(self.store.next_id(), name, old or ZERO, new or ZERO, by, now, kind)
            )
            self.store.announce(
                "push", self, by, before=old or ZERO, after=new or ZERO, ref=name, forced=forced
            )
            if name.startswith(HEADS):
                pulls.follow_branch(self, name.removeprefix(HEADS), old, new, by=by, now=now, merging=merging)

    # What people do with git

    def commit(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str,
        *,
        author: str = "alice",
        at: datetime | None = None,
        parents: Sequence[str] | None = None,
    ) -> str:
        """Commit files onto a branch and push it; a missing branch starts at the default branch, or at nothing."""
        with self.store.lock:
            account = self.store.account(author)
            tip = self.branch(branch) or self.branch(self.default_branch)
            if parents is None:
                parents = [tip] if tip else []
            when = at or self.store.clock()
            sha = self.write_commit(parents, files, message, author=account, at=when)
            self._move({HEADS + branch: sha}, account, at=when)
            return sha

    def write_commit(
        self,
        parents: Sequence[str],
        files: Mapping[str, str | bytes | None],
        message: str,
        *,
        author: Account,
        at: datetime,
        by_web: bool = False,
    ) -> str:
        """Write a commit that no branch has yet."""
        tree = self.commit_at(parents[0]).tree if parents else None
        changes = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        edited = gitops.edit_tree(self.git, tree, changes)
        return self.write_tree_commit(parents, edited, message, author=author, at=at, by_web=by_web)

    def write_tree_commit(
        self,
        parents: Sequence[str],
        tree: pygit2.Oid,
        message: str,
        *,
        author: Account | pygit2.Signature,
        at: datetime,
        by_web: bool = True,
        committer: Account | None = None,
    ) -> str:
        """Write a commit of a given tree; what the web makes is committed, and signed, by GitHub."""
        if isinstance(author, Account):
            author = gitops.signature(author.name, author.email, at)
        if committer is not None:
            signer = gitops.signature(committer.name, committer.email, at)
        else:
            signer = gitops.signature(*WEB_FLOW, at) if by_web else author
        oids = [pygit2.Oid(hex=parent) for parent in parents]
        return str(self.git.create_commit(None, author, signer, message, tree, oids))

    def push(
        self, branch: str, sha: str, *, by: str, force: bool = False, at: datetime | None = None
    ) -> None:
        """Move a branch as `git push` would; without `force` only forward."""
        with self.store.lock:
            before = self.branch(branch)
            self.commit_at(sha)
            if before and not force and not gitops.is_ancestor(self.git, before, sha):
                raise Conflict(f"{branch} would not be fast-forwarded from {before} to {sha}")
            self._move({HEADS + branch: sha}, self.store.account(by), at=at)

    def delete_branch(self, branch: str, *, by: str = "alice") -> None:
        with self.store.lock:
            if self.branch(branch) is None:
                raise NotFound(f"{self.full_name} has no branch {branch}")
            self._move({HEADS + branch: None}, self.store.account(by))

    def tag(self, name: str, sha: str, *, by: str = "alice") -> None:
        with self.store.lock:
            self._move({TAGS + name: sha}, self.store.account(by))

    def protect_branch(self, name: str, *, allow: Iterable[str] = ()) -> None:
        """Let only these logins push to a branch."""
        with self.store.lock:
            self.protections[name] = frozenset(allow)

    def commit_on_branch(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        message: str,
        *,
        expected_head: str,
        by: Account,
    ) -> str:
        """Commit through the API, onto exactly this head."""
        head = self.branch(branch)
        if head is None:
            raise NotFound(f"Could not resolve to a Branch with the name '{branch}'.")
        if head != expected_head:
            raise StaleHead(
                f'Expected branch to point to "{expected_head}" but it did not. Pull and try again.'
            )
        try:
            sha = self.write_commit([head], files, message, author=by, at=self.store.clock(), by_web=True)
        except KeyError as error:
            raise NotFound(
                f"A path was requested for deletion which does not exist: {error.args[0]}"
            ) from error
        rules.check_push(self, by, HEADS + branch, head, sha)
        self._move({HEADS + branch: sha}, by)
        return sha

    def fork(self, by: str) -> "Repository":
        """Copy the repository under another owner; both share one object store, as on GitHub."""
        return self.store.fork(self, by)

    # Pull requests

    def next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def pull(self, number: int) -> PullRequest:
        if number not in self.pulls:
            raise NotFound(f"Could not resolve to a PullRequest with the number of {number}.")
        return self.pulls[number]

    def open_pull_request(
        self,
        title: str,
        body: str,
        head: str,
        base: str,
        by: str,
        *,
        draft: bool = False,
        labels: Iterable[str] = (),
        at: datetime | None = None,
    ) -> PullRequest:
        """Open a pull request; `head` is a branch, or `owner:branch` of a fork."""
        with self.store.lock:
            account = self.store.account(by)
            pull = pulls.open_pull(self, title, body, head=head, base=base, by=account, draft=draft, at=at)
            if labels:
                pulls.set_labels(pull, pull.author, labels)
            return pull

    def review(
        self,
        number: int,
        by: str,
        state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED"] = "APPROVED",
        body: str = "",
        *,
        commit: str | None = None,
    ) -> Review:
        """Review a pull request, by default its present head."""
        with self.store.lock:
            return pulls.review(self.pull(number), self.store.account(by), state, body, commit=commit)

    def comment(self, number: int, by: str, body: str) -> Comment:
        with self.store.lock:
            return pulls.comment(self.pull(number), self.store.account(by), body)

    def merge(
        self, number: int, by: str, method: MergeMethod = "merge", *, at: datetime | None = None
    ) -> str:
        """Merge a pull request and give the sha that the base branch got."""
        with self.store.lock:
            return pulls.merge(self.pull(number), self.store.account(by), method, at=at)

    def close(self, number: int, by: str) -> None:
        """Close a pull request without merging it."""
        with self.store.lock:
            pulls.set_open(self.pull(number), self.store.account(by), is_open=False)

    def label(self, name: str) -> Label:
        """Find a label, or make it, as adding an unknown label to a pull request does."""
        return self.labels.setdefault(name.lower(), Label(self.store.next_id(), name))

    # Statuses and check runs

    def add_status(
        self,
        sha: str,
        context: str,
        state: Literal["error", "failure", "pending", "success"],
        *,
        description: str | None = None,
        target_url: str | None = None,
        by: str = "stablehand-bot",
        at: datetime | None = None,
    ) -> Status:
        with self.store.lock:
            return self.post_status(
                sha,
                context,
                state,
                description=description,
                target_url=target_url,
                by=self.store.account(by),
                at=at or self.store.clock(),
            )

    def post_status(
        self,
        sha: str,
        context: str,
        state: str,
        *,
        description: str | None,
        target_url: str | None,
        by: Account,
        at: datetime,
    ) -> Status:
        """Add a status, with GitHub's limits."""
        if self.find_commit(sha) is None:
            raise Unprocessable(f"No commit found for SHA: {sha}")
        if state not in ("error", "failure", "pending", "success"):
            raise invalid("Status", "state", "state is not included in the list")
        if description and len(description) > DESCRIPTION_LIMIT:
            limit = f"description is too long (maximum is {DESCRIPTION_LIMIT} characters)"
            raise invalid("Status", "description", limit)
        existing = self._statuses.setdefault(sha, [])
        if sum(each.context == context for each in existing) >= STATUSES_PER_CONTEXT:
            raise invalid(
                "Status", "base", "This SHA and context has reached the maximum number of statuses."
            )
        status = Status(self.store.next_id(), context, state, description, target_url, by, at)  # type: ignore[arg-type]  # checked above
        existing.append(status)
        self.store.announce("status", self, by, status=status, sha=sha)
        return status

    def statuses(self, sha: str) -> list[Status]:
        """List every status of a commit, newest first."""
        return self._statuses.get(sha, [])[::-1]

    def latest_statuses(self, sha: str) -> list[Status]:
        """List the newest status of each context, newest first."""
        latest: dict[str, Status] = {}
        for status in self.statuses(sha):
            latest.setdefault(status.context, status)
        return list(latest.values())

    def deploy(
        self,
        sha: str,
        environment: str,
        state: DeploymentState | None = "SUCCESS",
        *,
        at: datetime | None = None,
        log_url: str | None = None,
    ) -> Deployment:
        """Report a deployment by whoever deploys."""
        with self.store.lock:
            by = self.store.account("packit-bot")
            made = self.create_deployment(sha, environment, by=by, at=at)
            if state is not None:
                self.report_deployment(made.database_id, state, by=by, at=at, log_url=log_url)
            return self.deployment(made.database_id)

    def create_deployment(
        self, sha: str, environment: str, *, by: Account, at: datetime | None = None, **details: Any
    ) -> Deployment:
        """Ask for a deployment; the details are those of `Deployment`, the rest GitHub's defaults."""
        details = {"is_production": environment == "production", **details}
        made = Deployment(
            self.store.next_id(), sha, environment, at or self.store.clock(), creator=by, **details
        )
        self.deployments.append(made)
        return made

    def deployment(self, database_id: int) -> Deployment:
        for each in self.deployments:
            if each.database_id == database_id:
                return each
        raise NotFound("Not Found")

    def report_deployment(
        self,
        database_id: int,
        state: DeploymentState,
        *,
        by: Account,
        at: datetime | None = None,
        log_url: str | None = None,
        description: str = "",
        auto_inactive: bool = True,
    ) -> DeploymentStatus:
        """Say what became of a deployment.

        A success takes the place of earlier ones in its environment, unless that is transient or of production.
        """
        if len(description) > DESCRIPTION_LIMIT:
            limit = f"description is too long (maximum is {DESCRIPTION_LIMIT} characters)"
            raise invalid("DeploymentStatus", "description", limit)
        reported = self.deployment(database_id)
        status = DeploymentStatus(
            self.store.next_id(), state, at or self.store.clock(), log_url, by, description
        )
        if state == "SUCCESS" and auto_inactive:
            self.deployments = [_supersede(each, reported.environment) for each in self.deployments]
        self.deployments = [
            replace(each, latest_status=status) if each.database_id == database_id else each
            for each in self.deployments
        ]
        return status

    def add_check_run(
        self,
        sha: str,
        app: str,
        name: str,
        status: str = "completed",
        conclusion: str | None = "success",
        *,
        started_at: datetime | None = None,
        completed_at: datetime | None = None,
        details_url: str | None = None,
        external_id: str = "",
        output: dict[str, Any] | None = None,
    ) -> CheckRun:
        """Add a check run of an App, by slug."""
        with self.store.lock:
            if self.find_commit(sha) is None:
                raise Unprocessable(f"No commit found for SHA: {sha}")
            owner: App = self.store.app(app)
            suite = self._suites.setdefault((sha, owner.database_id), self.store.next_id())
            now = self.store.clock()
            run = CheckRun(
                self.store.next_id(),
                suite,
                owner,
                sha,
                name,
                now,
                status,
                conclusion if status == "completed" else None,
                started_at or (now if status != "queued" else None),
                (completed_at or now) if status == "completed" else None,
                details_url,
                external_id,
                dict(output or {}),
            )
            self._check_runs[run.database_id] = run
            self.announce_check_run(run, "completed" if status == "completed" else "created")
            return run

    def announce_check_run(self, run: CheckRun, action: str) -> None:
        self.store.announce("check_run", self, self.store.bot_of(run.app), action=action, check_run=run)

    def check_run(self, database_id: int) -> CheckRun:
        if database_id not in self._check_runs:
            raise NotFound("Not Found")
        return self._check_runs[database_id]

    def check_runs(self, sha: str, *, latest: bool = True) -> list[CheckRun]:
        """List a commit's check runs, newest first; `latest` keeps one per App and name."""
        runs = [run for run in reversed(self._check_runs.values()) if run.sha == sha]
        if not latest:
            return runs
        kept: dict[tuple[int, str], CheckRun] = {}
        for run in runs:
            kept.setdefault((run.app.database_id, run.name), run)
        return list(kept.values())

    # Workflows and hooks

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str], by: Account) -> WorkflowRun:
        """Start a workflow by hand; its file has to be on that ref."""
        sha = self.resolve(ref)
        if sha is None:
            raise Unprocessable(f"No ref found for: {ref}")
        if gitops.read_file(self.commit_at(sha), f"{rules.WORKFLOWS}/{workflow}") is None:
            raise NotFound("Not Found")
        branch = ref.removeprefix(HEADS)
        run = WorkflowRun(self.store.next_id(), workflow, branch, sha, dict(inputs), by, self.store.clock())
        self.workflow_runs.append(run)
        return run

    def add_hook(self, url: str, *, events: Iterable[str] = ("push",), secret: str | None = None) -> Hook:
        """Subscribe a URL to events ("*": all); it is pinged at once."""
        with self.store.lock:
            hook = Hook(self.store.next_id(), url, tuple(events), secret, self.store.clock())
            self.hooks[hook.database_id] = hook
            self.store.announce("ping", self, self.store.account("alice"), hook=hook)
            return hook


def head_branch(git: pygit2.Repository) -> str:
    """Read the branch that HEAD names, also when it has no commit yet."""
    target = git.lookup_reference("HEAD").target
    return str(target).removeprefix(HEADS)


def number(ref: str) -> int:
    """Read the number in `refs/pull/N/head`."""
    middle = ref.split("/")[2]
    return int(middle) if middle.isdecimal() else 0


def _supersede(deployment: Deployment, environment: str) -> Deployment:
    status = deployment.latest_status
    stays = deployment.is_transient or deployment.is_production
    if stays or deployment.environment != environment or status is None or status.state != "SUCCESS":
        return deployment
    return replace(deployment, latest_status=replace(status, state="INACTIVE"))
