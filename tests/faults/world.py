"""A fleet in the sandbox, the people around it, and runs of the real reconciler over a line that a test may cut.

`World.audit` states what must hold whatever happened: it reads git, GitHub's own record of who moved which ref, and
what was sent, and believes nothing that the reconciler says about itself.
"""

import json
import re
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal, NamedTuple

import httpx
import pygit2
from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile
from reconcile.apply import Clock
from reconcile.github.client import connect
from reconcile.github.contents import LEDGER_BRANCH
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.report import News, Result, RunReport
from state.document import DesiredState
from state.ids import Sha
from state.ledger import LEDGER_PATH, AcceptedCommit, Ledger, Proof, dump_ledger, parse_ledger
from state.yaml_io import POLICY_PATH, STATE_PATH, dump_desired
from tests.sandbox import Repository, Sandbox
from tests.sandbox.fleet import policy_text
from tests.sandbox.gitops import first_parents, is_ancestor

BOT = "stablehand-bot"
LENGTH = 4
STABLE = "refs/heads/stable"
Moment = Literal["before", "after"]
Hook = Callable[[Moment, str], Awaitable[None]]
"""Called around each request of a run with the request's name; what it raises becomes of the request."""


class Killed(BaseException):
    """The process is no more: nothing of it runs from here on."""


class Time:
    """A clock that passes a second whenever somebody looks, and that sleeps without waiting."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def request_name(method: str, path: str, body: str) -> str:
    """Name a request by what it is for: a GraphQL operation's name, or a REST method and its subject."""
    if path == "/graphql":
        operation = re.search(r"(?:query|mutation) (\w+)", body)
        assert operation, "every GraphQL text of ours has a name"
        return "BeginLedger" if operation[1] == "UpdateRefs" and LEDGER_BRANCH in body else operation[1]
    subject = path.split("/")[4:]
    return f"{method} {subject[1] if subject[0] in {'git', 'issues'} else subject[0]}"


def before_request(name: str, number: int, deed: Callable[[], object]) -> Hook:
    """Let somebody do something before the n-th request of this name, counted from 1."""
    seen = 0

    async def hook(moment: Moment, each: str) -> None:
        nonlocal seen
        if (moment, each) == ("before", name):
            seen += 1
            if seen == number:
                deed()

    return hook


def killing(number: int, moment: Moment) -> Hook:
    """Kill the run at its n-th request, before it is sent, or when the next answer comes."""
    seen, is_dead = 0, False

    async def hook(now: Moment, name: str) -> None:
        nonlocal seen, is_dead
        seen += now == "before"
        is_dead = is_dead or (now == moment and seen >= number)
        if is_dead:
            raise Killed

    return hook


class Decision(NamedTuple):
    """What the documents of one commit ask for, and what of it people have approved."""

    targets: Mapping[str, Sha]
    approved: Mapping[str, Sha]
    permits: Mapping[str, tuple[Sha, Sha]]


class Sent(NamedTuple):
    """One update of a governed ref, as it left the reconciler."""

    repository: str
    before: Sha
    after: Sha
    force: bool
    fence: Sha
    """The commit of the documents that the same run had read just before; "" where it had not."""


class Line(httpx.AsyncBaseTransport):
    """What one run's requests travel over."""

    def __init__(self, world: "World", hook: Hook | None) -> None:
        self.names: list[str] = []
        self._world = world
        self._hook = hook
        self._fence: Sha = ""
        # A bare TLS context: the usual one takes longer to make than a run needs, and nothing here is encrypted.
        self._way = httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = (await request.aread()).decode()
        name = request_name(request.method, request.url.path, body)
        if self._hook:
            await self._hook("before", name)
        self.names.append(name)
        if name == "UpdateRefs":
            self._world.sent.extend(self._updates(json.loads(body)["variables"]))
        self._fence = ""
        try:
            response = await self._way.handle_async_request(request)
            content = await response.aread()
        finally:
            if self._hook:
                await self._hook("after", name)
        if name == "Version" and response.status_code == httpx.codes.OK and content.startswith(b'{"data": {'):
            found = json.loads(content)["data"]["repository"]
            self._fence = found["defaultBranchRef"]["target"]["oid"]
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    async def aclose(self) -> None:
        await self._way.aclose()

    def _updates(self, variables: Mapping[str, Any]) -> list[Sent]:
        return [
            Sent(
                self._world.names[each["repositoryId"]],
                update["beforeOid"],
                update["afterOid"],
                update["force"],
                self._fence,
            )
            for each in variables.values()
            for update in each["refUpdates"]
        ]


@dataclass
class World:
    """Repositories whose stable is at the first of their commits, and the documents about them."""

    sandbox: Sandbox
    owner: str
    time: Time
    after: Mapping[str, Sequence[str]]
    """Each repository, by its short name, with those that it comes after."""
    is_begun: bool = True
    """Whether there is a ledger already, which has accepted where everything stands."""
    policy: Callable[[str], str] = str
    """What becomes of the policy before it is committed."""
    sent: list[Sent] = field(default_factory=list)
    told: list[News] = field(default_factory=list)

    def __post_init__(self) -> None:
        store = self.sandbox.store
        self.fleet = {self.full(name): store.create_repository(self.full(name)) for name in self.after}
        self.names = {repository.node_id: name for name, repository in self.fleet.items()}
        self.commits = {name: self._make_history(repository) for name, repository in self.fleet.items()}
        self.state: Repository = store.create_repository(self.full("release-state"))
        self.decisions: dict[Sha, Decision] = {}
        self.permits: Counter[tuple[str, Sha, Sha]] = Counter()
        """How often each exception was reviewed."""
        self._numbers = count(1)
        targets = {name: commits[0] for name, commits in self.commits.items()}
        after = {self.full(name): [self.full(each) for each in first] for name, first in self.after.items()}
        policy = self.policy(policy_text(after, candidate="head"))
        start = self.state.commit("main", {STATE_PATH: dumped(targets), POLICY_PATH: policy}, "Start")
        self.decisions[start] = Decision(targets, targets, {})
        if self.is_begun:
            self._begin(start, targets)

    def full(self, name: str) -> str:
        return f"{self.owner}/{name}"

    def _make_history(self, repository: Repository) -> list[Sha]:
        commits = [
            repository.commit("main", {"file": f"{number}\n"}, f"Change {number}") for number in range(LENGTH)
        ]
        repository.push("stable", commits[0], by="alice")
        return commits

    def _begin(self, commit: Sha, targets: Mapping[str, Sha]) -> None:
        tree, now = self.state.commit_at(commit).tree, self.time()
        accepted = AcceptedCommit(
            commit=commit,
            desired_blob=str(tree[STATE_PATH].id),
            policy_blob=str(tree[POLICY_PATH].id),
            at=now,
        )
        proved = {name: Proof(sha=sha, at=now) for name, sha in targets.items()}
        text = dump_ledger(Ledger(accepted=accepted, proved=proved))
        self.state.commit(LEDGER_BRANCH, {LEDGER_PATH: text}, "Begin", author=BOT, parents=[])

    # What people do

    def at(self, number: int, *names: str) -> dict[str, Sha]:
        """Name the commit of this number in each of these repositories; in all where none is named."""
        return {self.full(name): self.commits[self.full(name)][number] for name in names or self.after}

    @property
    def head(self) -> Sha:
        return self.state.rev_parse("main")

    @property
    def decision(self) -> Decision:
        return self.decisions[self.head]

    def merge(
        self, targets: Mapping[str, Sha], *, permits: Mapping[str, tuple[Sha, Sha]] | None = None
    ) -> Sha:
        """Merge a pull request that sets these targets, leaves the others, and replaces all permits."""
        last, permits = self.decision, permits or {}
        wanted = {**last.targets, **targets}
        number = next(self._numbers)
        branch = f"decision-{number}"
        self.state.commit(branch, {STATE_PATH: dumped(wanted, permits)}, f"Decide {number}")
        pull = self.state.open_pull_request(f"Decide {number}", "", branch, "main", "alice")
        merged = self.state.merge(pull.number, "bob")
        changed = {
            name
            for name in wanted
            if (wanted[name], permits.get(name)) != (last.targets[name], last.permits.get(name))
        }
        approved = {name: wanted[name] if name in changed else sha for name, sha in last.approved.items()}
        self.decisions[merged] = Decision(wanted, approved, permits)
        self.permits.update((name, *way) for name, way in permits.items() if way != last.permits.get(name))
        return merged

    def edit(self, targets: Mapping[str, Sha]) -> Sha:
        """Push new targets to the default branch, past everybody."""
        last = self.decision
        wanted = {**last.targets, **targets}
        commit = self.state.commit(
            "main", {STATE_PATH: dumped(wanted, last.permits)}, "Just do it", author="bob"
        )
        self.decisions.setdefault(commit, Decision(wanted, last.approved, last.permits))
        return commit

    def revert(self) -> Sha:
        """Merge the targets of the decision before."""
        before = self.state.commit_at(self.head).parents
        return self.merge(self.decisions[str(before[0].id)].targets if before else {})

    def advance(self, name: str, number: int, *, force: bool = False) -> None:
        """Push the commit of this number to stable, by hand."""
        name = self.full(name)
        self.fleet[name].push("stable", self.commits[name][number], by="bob", force=force)

    def push(self, name: str, *, onto: Sha | None = None) -> Sha:
        """Push a commit of one's own to a stable branch: on top of it, or by force on top of another commit."""
        repository = self.fleet[self.full(name)]
        live = repository.rev_parse("stable")
        number = next(self._numbers)
        commit = repository.write_commit(
            [onto or live],
            {f"hotfix-{number}": "now\n"},
            "Fix production",
            author=self.sandbox.store.account("bob"),
            at=self.time(),
        )
        repository.push("stable", commit, by="bob", force=onto is not None)
        return commit

    # The reconciler

    @property
    def clock(self) -> Clock:
        return Clock(now=self.time, sleep=self.time.sleep)

    async def run(self, *, hook: Hook | None = None, name: str = "run") -> RunReport:
        return (await self.run_over(Line(self, hook), name=name))[0]

    async def run_over(self, line: Line, *, name: str = "run") -> tuple[RunReport, list[str]]:
        """Run once, and tell the names of the requests too."""
        settings = GitHubSettings(
            url=self.sandbox.url,
            credentials=TokenCredentials(token=SecretStr(self.sandbox.tokens[BOT])),
            seconds_between_writes=0,
        )

        async def notify(accepted: Accepted, news: News) -> bool:
            self.told.append(news)
            return True

        async with connect(settings, repository=self.state.full_name, transport=line) as github:
            steps = plain_steps(github, self.clock, notify)
            try:
                return await reconcile(steps, clock=self.clock, run=name), line.names
            except BaseExceptionGroup as group:  # one of several reads side by side was the last
                if group.split(Killed)[1]:
                    raise
                raise Killed from group

    # What a test may look at

    def stables(self) -> dict[str, Sha | None]:
        return {name: repository.branch("stable") for name, repository in self.fleet.items()}

    def ledgers(self) -> list[Ledger]:
        """Read every ledger that was ever stored, newest first."""
        head = self.state.branch(LEDGER_BRANCH)
        commits = first_parents(self.state.commit_at(head), limit=1000) if head else ()
        return [parse_ledger(_text(commit)) for commit in commits]

    def moves(self) -> list[tuple[str, Sha, Sha]]:
        """List how the reconciler has moved governed refs, as GitHub's own record has it."""
        return [
            (name, each.before, each.after)
            for name, repository in self.fleet.items()
            for each in repository.activity
            if each.ref == STABLE and each.actor.login == BOT
        ]

    def audit(self) -> None:
        """State what holds whatever happened."""
        for sent in self.sent:
            decision = self.decisions[sent.fence]
            assert decision.approved[sent.repository] == decision.targets[sent.repository] == sent.after, sent
            assert not sent.force or decision.permits[sent.repository] == (sent.before, sent.after), sent
        moves = self.moves()
        for name, before, after in moves:
            forward = is_ancestor(self.fleet[name].git, before, after)
            assert forward or (name, before, after) in self.permits, f"{name} lost commits of {before}"
        for way in self.permits:
            assert moves.count(way) <= self.permits[way], f"{way} was moved more often than it was permitted"
        intended = {
            (each.repository, each.before, each.after) for ledger in self.ledgers() for each in ledger.intents
        }
        assert intended.issuperset(moves), "a ref moved that the ledger had not announced"

    def audit_record(self) -> None:
        """State that every move is in the ledger, once: for where nobody else touched the refs meanwhile."""
        recorded = {move for ledger in self.ledgers() for move in ledger.moves}
        assert Counter(self.moves()) == Counter(
            (each.repository, each.before, each.after) for each in recorded
        )


def dumped(targets: Mapping[str, Sha], permits: Mapping[str, tuple[Sha, Sha]] | None = None) -> str:
    """Write a document; its permits allow to take commits back along the one way that they name."""
    ways = {
        name: {"from": before, "to": after, "reason": "rollback"}
        for name, (before, after) in (permits or {}).items()
    }
    desired = {
        "version": 1,
        "ref": "stable",
        "targets": dict(targets),
        "permits": {name: {"rewind": way, "force": way} for name, way in ways.items()},
    }
    return dump_desired(DesiredState.model_validate(desired))


def _text(commit: pygit2.Commit) -> str:
    blob = commit.tree[LEDGER_PATH]
    assert isinstance(blob, pygit2.Blob)
    return blob.data.decode()


__all__: Sequence[str] = ("BOT", "Killed", "Line", "Result", "Time", "World", "dumped", "request_name")
