"""Recorded moves decided again, one after another, by merged pull requests, and carried out by the product.

All is as in production but GitHub, which is the sandbox: the documents in a repository, approval by that repository's
history, the adapter, the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from flows.ways.reconcile import plain_steps, reconcile
from reconcile.apply import Clock
from reconcile.github.client import GitHub, connect
from reconcile.github.settings import GitHubSettings, TokenCredentials
from reconcile.observed import Accepted
from reconcile.planned import Hold, Wait
from reconcile.report import News, RunReport
from state.document import DesiredState
from state.ids import Sha
from state.ledger import parse_ledger
from state.yaml_io import dump_desired
from tests.fakes import FakeClock
from tests.replay.histories import rebuild
from tests.replay.moves import ORDER, Record, Recording
from tests.sandbox import Repository, Sandbox
from tests.sandbox.fleet import policy_text

OWNER = "packit"


class Verdict(NamedTuple):
    """What became of one recorded target; shas are the recorded ones."""

    record: int
    repository: str
    target: Sha
    code: str
    """``moved``, ``no-op``, or why it is held or waits."""
    live: Sha
    """Where the branch stood afterwards, as git says."""


@dataclass(frozen=True)
class Replay:
    """One pass through a whole recording."""

    verdicts: tuple[Verdict, ...]
    proved: dict[str, Sha]
    """By repository, where the ledger has it in the end."""


async def replay(
    recording: Recording, directory: Path, *, off_branch: Mapping[str, frozenset[Sha]]
) -> Replay:
    """Start where the first record left production, and decide each later record in turn.

    Args:
        recording: What to replay.
        directory: Where to put the repositories.
        off_branch: By repository, targets that exist on no branch.
    """
    start, *later = recording.records
    production = {
        name: _Rebuilt(
            rebuild(
                graph,
                directory / OWNER / f"{name}.git",
                stable=start.targets[name],
                off_branch=off_branch.get(name, frozenset()),
            )
        )
        for name, graph in recording.graphs.items()
    }
    clock = FakeClock(start.at.astimezone(UTC))
    with Sandbox.running(directory, clock=clock.now) as sandbox:
        settings = GitHubSettings(
            url=sandbox.url,
            credentials=TokenCredentials(token=SecretStr(sandbox.tokens["stablehand-bot"])),
            seconds_between_writes=0,
        )
        release = sandbox.store.create_repository(f"{OWNER}/release-state")
        after = {
            f"{OWNER}/{name}": [f"{OWNER}/{each}" for each in ORDER.get(name, ())] for name in production
        }
        policy = policy_text(after, candidate="head", approval="{pull_request: required, reviews: 1}")
        files = {"release-policy.yaml": policy, "release-state.yaml": _document(start, production)}
        release.commit("main", files, "Start from what is live")
        async with connect(settings, repository=release.full_name) as github:
            await _reconcile(github, clock)
            verdicts: list[Verdict] = []
            for number, record in enumerate(later, 1):
                clock.time = record.at.astimezone(UTC)
                _decide(release, number, _document(record, production))
                report = await _reconcile(github, clock)
                verdicts += _verdicts(number, record, report, sandbox, production)
            text = (await github.load_release_state()).ledger_text
    assert text is not None
    proved = parse_ledger(text).proved
    return Replay(
        tuple(verdicts),
        {name: each.recorded(proved[f"{OWNER}/{name}"].sha) for name, each in production.items()},
    )


class _Rebuilt:
    """The shas of a repository, recorded and rebuilt. A commit that was not rebuilt keeps its own."""

    def __init__(self, by_recorded: Mapping[Sha, Sha]) -> None:
        self._by_recorded = by_recorded
        self._by_rebuilt = {rebuilt: recorded for recorded, rebuilt in by_recorded.items()}

    def rebuilt(self, recorded: Sha) -> Sha:
        return self._by_recorded.get(recorded, recorded)

    def recorded(self, rebuilt: Sha) -> Sha:
        return self._by_rebuilt[rebuilt]


def _document(record: Record, production: Mapping[str, _Rebuilt]) -> str:
    targets = {f"{OWNER}/{name}": production[name].rebuilt(sha) for name, sha in record.targets.items()}
    return dump_desired(DesiredState(version=1, ref="stable", targets=targets))


def _decide(release: Repository, number: int, document: str) -> None:
    """Propose, review and merge a document, as people do; one that changes nothing is no decision."""
    branch = f"release-{number}"
    before = release.commit_at(release.rev_parse("main")).tree
    after = release.commit_at(
        release.commit(branch, {"release-state.yaml": document}, f"Release {number}")
    ).tree
    if before.id != after.id:
        pull = release.open_pull_request(f"Release {number}", "", branch, "main", "alice")
        release.review(pull.number, "bob")
        release.merge(pull.number, "bob")
    release.delete_branch(branch)


async def _reconcile(github: GitHub, clock: FakeClock) -> RunReport:
    async def notify(accepted: Accepted, news: News) -> bool:
        return True

    own = Clock(clock.now, clock.sleep)
    return await reconcile(plain_steps(github, own, notify), clock=own, run="replay")


def _verdicts(
    number: int,
    record: Record,
    report: RunReport,
    sandbox: Sandbox,
    production: Mapping[str, _Rebuilt],
) -> list[Verdict]:
    moved = {each.repository for each in report.moved}
    codes = {
        item.repository: "moved"
        if item.repository in moved
        else item.code
        if isinstance(item, Hold | Wait)
        else item.kind
        for item in report.items
    }
    return [
        Verdict(
            number,
            name,
            target,
            codes[f"{OWNER}/{name}"],
            production[name].recorded(sandbox.store.repository(f"{OWNER}/{name}").rev_parse("stable")),
        )
        for name, target in record.targets.items()
    ]
