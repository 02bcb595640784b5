"""Wishes: what a person asks of a proposal, as they typed it, and what they mean by it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator

from flows.ways.errors import UsageError
from reconcile.render.markdown import shorten
from reconcile.selection import Wishes
from state.ids import Frozen, RepositoryName, Sha
from state.policy import Policy
from state.proposal import PinError, SourceCommit, parse_pins, resolve_repository

FindCommits = Callable[[RepositoryName, str], Awaitable[tuple[SourceCommit, ...]]]
"""Finds the commits that an abbreviated or full sha names."""


class ProposeRequest(Frozen):
    """What a person asks for, as they typed it."""

    pins: tuple[str, ...] = ()
    """``packit-service=1787687aba71``: this commit, whatever the rule."""
    hold: tuple[str, ...] = ()
    """Repositories to leave where the file has them."""
    only: tuple[str, ...] = ()
    """Repositories besides which everything stays where the file has it; none means all."""
    even_if_failing: bool = False
    """Whether a draft is proposed where validation does not pass."""


async def resolve_wishes(request: ProposeRequest, policy: Policy, find_commits: FindCommits) -> Wishes:
    """Find what the person means.

    Raises:
        UsageError: Carries everything that means nothing, or contradicts itself.
    """
    fleet, problems = policy.repositories.keys(), list[str]()

    def resolve(names: Iterable[str]) -> Iterator[RepositoryName]:
        for name in names:
            try:
                yield resolve_repository(name, fleet)
            except PinError as error:
                problems.extend(error.problems)

    hold, only = frozenset(resolve(request.hold)), frozenset(resolve(request.only))
    asked: dict[RepositoryName, str] = {}
    try:
        asked = parse_pins(request.pins, fleet)
    except PinError as error:
        problems.extend(error.problems)
    pins: dict[RepositoryName, Sha] = {}
    found = await asyncio.gather(*(find_commits(name, sha) for name, sha in asked.items()))
    for (name, sha), commits in zip(asked.items(), found, strict=True):
        if len(commits) == 1:
            pins[name] = commits[0].sha
        else:
            problems.append(_describe_unclear(name, sha, commits))
    problems += (f"{name} is pinned and held at once: drop one" for name in sorted(asked.keys() & hold))
    if only:
        others = sorted((asked.keys() | hold) - only)
        problems += (
            f"{name} is not among those that may change: add it to --only, or drop it" for name in others
        )
    if problems:
        raise UsageError(tuple(problems))
    return Wishes(pins, hold, only)


def _describe_unclear(name: RepositoryName, sha: str, commits: tuple[SourceCommit, ...]) -> str:
    if not commits:
        return f"{name} has no commit {sha}: write the sha of a commit that was pushed there"
    found = ", ".join(f"{commit.sha} ({shorten(commit.headline, 60)})" for commit in commits)
    return f"{sha} means more than one commit of {name}: write more digits of one of {found}"
