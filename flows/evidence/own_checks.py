"""Evidence from the candidates' own commits: each must be green where it was built.

Unlike other sources it looks at what is proposed, not at stage. So it does not only judge: where a candidate is not
green, the newest older commit that is takes its place, and a repository without one stays where it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from flows.evidence.results import Result, enumerate_some, matches, run_results, status_results
from flows.evidence.source import no_evidence
from reconcile.errors import ReconcileError
from reconcile.observed import CheckRun, CommitChecks, RequiredCheck
from reconcile.ports import ValidationReader
from state.evidence import Evidence, Verdict
from state.ids import RepositoryName, Sha, abbreviate
from state.policy import Policy
from state.proposal import Candidate
from state.sources import OwnChecks

NAME = "own checks of the candidates"

Refused: TypeAlias = Mapping[RepositoryName, Mapping[Sha, str]]
"""Commits that are not green, each with what is wrong."""
Choose: TypeAlias = Callable[[Refused], tuple[Candidate, ...]]
"""Chooses candidates anew, none of them refused."""


class Settled(NamedTuple):
    """The candidates that remain, and what the look at them came to."""

    candidates: tuple[Candidate, ...]
    evidence: Evidence | None
    """None where the policy does not ask for it."""


async def settle(policy: Policy, choose: Choose, github: ValidationReader, *, now: datetime) -> Settled:
    """Choose until every candidate is green, or stays. What a person pinned is theirs to answer for."""
    settings = policy.own_checks
    if settings is None:
        return Settled(choose({}), None)
    try:
        async with asyncio.timeout(settings.time_limit.total_seconds()):
            return await _settle(policy, settings, choose, github, now)
    except TimeoutError:
        sentence = f"They could not be read within {settings.time_limit.total_seconds():.0f} seconds."
    except ReconcileError as error:
        sentence = f"They could not be read: {error}"
    return Settled(choose({}), no_evidence(NAME, sentence))


async def _settle(
    policy: Policy, settings: OwnChecks, choose: Choose, github: ValidationReader, now: datetime
) -> Settled:
    refused: defaultdict[RepositoryName, dict[Sha, str]] = defaultdict(dict)
    green: dict[RepositoryName, Sha] = {}
    failed: set[RepositoryName] = set()
    required: Mapping[RepositoryName, Sequence[RequiredCheck]] = {}
    while True:
        candidates = choose(refused)
        # What stays where it is, or was pinned, has another rule.
        asked = {
            each.repository: each.sha
            for each in candidates
            if each.sha and each.rule == policy.candidate and green.get(each.repository) != each.sha
        }
        if not asked:
            return Settled(candidates, _judge(settings, green, refused, failed, now))
        if not settings.names:
            unread = asked.keys() - required.keys()
            found = await github.observe_required_checks(sorted(unread), policy.source) if unread else {}
            required = {**required, **dict.fromkeys(unread, ()), **found}
        checks = await github.observe_checks(asked)
        for name, sha in asked.items():
            results = _results(settings, checks.get(name), required.get(name, ()))
            problem = _find_problem(results)
            if problem is None:
                green[name] = sha
            else:
                refused[name][sha] = problem
                if any(each.outcome == "failed" for each in results):
                    failed.add(name)


def _results(
    settings: OwnChecks, checks: CommitChecks | None, required: Sequence[RequiredCheck]
) -> tuple[Result, ...]:
    """List what counts of a commit: what the policy names, otherwise what its branch requires, otherwise everything."""
    if checks is None:
        return ()
    if required and not settings.names:
        return tuple(_required_result(settings, checks, each) for each in required)
    everything = (*_by_app(settings, checks.check_runs), *status_results(checks.statuses))
    return tuple(each for each in everything if not settings.names or matches(each.name, settings.names))


def _required_result(settings: OwnChecks, checks: CommitChecks, wanted: RequiredCheck) -> Result:
    runs = [
        run for run in checks.check_runs if run.name == wanted.name and wanted.app_id in (None, run.app_id)
    ]
    statuses = [each for each in checks.statuses if each.context == wanted.name]
    results = (*_by_app(settings, runs), *status_results(statuses))
    order = {"failed": 0, "running": 1, "passed": 2}
    worst = min(results, key=lambda each: order[each.outcome], default=None)
    return worst or Result(wanted.name, "running", "not posted", None, None)


def _by_app(settings: OwnChecks, runs: Sequence[CheckRun]) -> Iterator[Result]:
    """Judge the newest run of each name and app: two apps may use one name."""
    for app_id in {run.app_id for run in runs}:
        yield from run_results((run for run in runs if run.app_id == app_id), settings.passed)


def _find_problem(results: Sequence[Result]) -> str | None:
    """Say why a commit is not green; none where it is."""
    if not results:
        return "its own checks say nothing"
    failed = sorted(f"{each.name} ({each.says})" for each in results if each.outcome == "failed")
    if failed:
        return f"its own checks failed: {enumerate_some(failed)}"
    running = sorted(each.name for each in results if each.outcome == "running")
    return f"its own checks have not finished: {enumerate_some(running)}" if running else None


def _judge(
    settings: OwnChecks,
    green: Mapping[RepositoryName, Sha],
    refused: Refused,
    failed: set[RepositoryName],
    now: datetime,
) -> Evidence:
    """Pass where a green one is left or nothing was asked; otherwise fail if any check did."""
    stuck = sorted(refused.keys() - green.keys())
    fell_back = [f"{name} to {abbreviate(green[name])}" for name in sorted(green) if name in refused]
    parts = [
        f"{len(green)} of {len(green) + len(stuck)} candidates are green"
        if green or stuck
        else "Nothing was asked"
    ]
    if fell_back:
        parts.append(f"fell back: {enumerate_some(fell_back)}")
    if stuck:
        parts.append(f"without a green commit: {enumerate_some(stuck)}")
    unless_green = Verdict.FAIL if failed else Verdict.NO_EVIDENCE
    verdict = Verdict.PASS if green or not stuck else unless_green
    return Evidence(
        source=NAME,
        verdict=verdict,
        sentence=f"{'; '.join(parts)}.",
        # It says nothing about stage, so it dates nothing.
        began_at=None,
        expires_at=None if verdict is Verdict.NO_EVIDENCE else now + settings.max_age,
    )
