"""What may be proposed: candidates, chosen from what waits on the source branch.

Pure: histories and validation in, one choice per repository out, with the reason for what it leaves behind. What a
person asks for instead (pins) is parsed here too; resolving an abbreviated sha takes GitHub, and is the caller's.
"""

import difflib
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from state.errors import StateError
from state.evidence import ReportedSha
from state.ids import ABBREVIATED_SHA, BranchName, Frozen, RepositoryName, Sha, abbreviate

_MINUTE = timedelta(minutes=1)
_SHOWN_NAMES = 10
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LONGEST_NOTE = 4_000
_NO_NOTE = {"", "-", "n/a", "na", "none", "nothing"}
"""What people leave in a template when there is nothing to tell."""


class MergedPullRequest(Frozen):
    """The pull request that brought a commit to the source branch. Title and author come from outside."""

    number: int
    title: str
    url: str
    author: str
    merged_at: datetime
    body: str = Field("", exclude=True, repr=False)
    """Long, and read for its release note alone: no record of a run carries it."""
    outsider_id: str | None = Field(None, exclude=True)
    """GitHub's id of the author, where they are a person whom GitHub does not count among the repository's own."""


class SourceCommit(Frozen):
    """One first-parent commit of the source branch: a state that the branch was in."""

    sha: Sha
    committed_at: datetime
    headline: str
    author: str
    pull_request: MergedPullRequest | None = None

    @property
    def landed_at(self) -> datetime:
        """When the branch came to it: the merge where there was one, otherwise the commit itself."""
        return self.pull_request.merged_at if self.pull_request else self.committed_at


class SourceHistory(Frozen):
    """What waits in one repository: first parents of the source branch, newest first, without what is out."""

    repository: RepositoryName
    url: str
    source: BranchName
    out: Sha | None
    """Where the governed ref stands."""
    head: Sha | None
    """Where the source branch stands; none where there is no such branch."""
    waiting: tuple[SourceCommit, ...]
    is_complete: bool
    """False where more commits wait than were read."""


class LeftBehind(Frozen):
    """A commit that waits and is not proposed."""

    commit: SourceCommit
    reason: str


class Candidate(Frozen):
    """What is proposed for one repository."""

    repository: RepositoryName
    sha: Sha | None
    """Never older than what is out; none where nothing is out and nothing may go out yet."""
    rule: str
    """How it was chosen: ``validated``, ``head``, ``pinned``, or why it stays."""
    left_behind: tuple[LeftBehind, ...] = ()
    """What is newer, newest first."""


class PinError(StateError):
    """What a person asked for does not name one repository and one commit; carries every problem at once."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def choose_candidate(
    history: SourceHistory,
    *,
    rule: Literal["validated", "head"],
    build_time: timedelta,
    validation_began_at: datetime | None,
    runs: Sequence[ReportedSha] = (),
    refused: Mapping[Sha, str] | None = None,
) -> Candidate:
    """Choose what may be proposed for one repository.

    A commit is on stage only with every commit before it. So under ``validated`` the choice is the newest commit
    that landed in time *and has nothing before it that landed too late*: a skewed clock lets nothing slip in. Where
    its own checks refuse that commit, the newest older one that they do not refuse.

    Args:
        history: What waits.
        rule: The policy's.
        build_time: How long stage takes to run what has landed.
        validation_began_at: When the oldest of the evidence began; none where there is no evidence.
        runs: What stage itself reports, where it does; the oldest counts where it reports more than one. It
            replaces the guess by ``build_time``; still, a commit that landed after validation began was not
            validated, whatever stage runs by now.
        refused: Commits whose own checks are not green, each with what is wrong.
    """
    if rule == "head":
        return _take_green(history, 0, rule, refused or {}, lambda _: "")
    if validation_began_at is None:
        return _take(history, len(history.waiting), rule, lambda _: "no validation covers it")
    reported = {sha: _position(history, sha) for sha in runs}
    oldest = max(reported, key=lambda sha: reported[sha], default=None)
    cut_off = validation_began_at - (build_time if oldest is None else timedelta(0))
    newest_on_stage = reported[oldest] if oldest else 0
    chosen = max(min(newest_on_stage, len(history.waiting)), _newest_in_time(history.waiting, cut_off))

    def explain(index: int) -> str:
        landed_at = history.waiting[index].landed_at
        if landed_at > validation_began_at:
            return "merged after validation began"
        if oldest and index < newest_on_stage:
            is_known = newest_on_stage < len(history.waiting) or _is_named(history.out, oldest)
            what = "which is older" if is_known else "which does not wait here"
            return f"stage runs {abbreviate(oldest)}, {what}"
        if landed_at > cut_off:
            minutes = (validation_began_at - landed_at) // _MINUTE
            return f"merged {minutes} min before validation began; a build takes {build_time // _MINUTE} min"
        return "stands on a commit that was merged too late for validation"

    return _take_green(history, chosen, rule, refused or {}, explain)


def _position(history: SourceHistory, reported: ReportedSha) -> int:
    """Find what stage reports among what waits; past the end where it is not newer than what is out, or unknown.

    Of two commits that an abbreviation fits it is the older one: nothing slips in.
    """
    fitting = (index for index, commit in enumerate(history.waiting) if commit.sha.startswith(reported))
    return max(fitting, default=len(history.waiting))


def _is_named(sha: Sha | None, reported: ReportedSha) -> bool:
    return sha is not None and sha.startswith(reported)


def _take_green(
    history: SourceHistory, index: int, rule: str, refused: Mapping[Sha, str], explain: Callable[[int], str]
) -> Candidate:
    """Propose the newest commit from an index on that its own checks do not refuse."""
    older = (i for i in range(index, len(history.waiting)) if history.waiting[i].sha not in refused)
    green = next(older, len(history.waiting))
    taken = _take(
        history, green, rule, lambda i: explain(i) if i < index else refused[history.waiting[i].sha]
    )
    if index < green == len(history.waiting):
        return taken.model_copy(update={"rule": "nothing newer passed its own checks"})
    return taken


def _newest_in_time(waiting: tuple[SourceCommit, ...], cut_off: datetime) -> int:
    """Find the newest commit that landed by the cut-off with all before it; past the end where there is none."""
    late = [index for index, commit in enumerate(waiting) if commit.landed_at > cut_off]
    return late[-1] + 1 if late else 0


def _take(history: SourceHistory, index: int, rule: str, explain: Callable[[int], str]) -> Candidate:
    """Propose the waiting commit at an index, or to stay where the index is past the end."""
    stays = index == len(history.waiting)
    return Candidate(
        repository=history.repository,
        sha=history.out if stays else history.waiting[index].sha,
        rule=rule if not stays else "nothing newer was validated" if history.waiting else "nothing waits",
        left_behind=tuple(
            LeftBehind(commit=commit, reason=explain(newer))
            for newer, commit in enumerate(history.waiting[:index])
        ),
    )


def pin_candidate(history: SourceHistory, sha: Sha) -> Candidate:
    """Propose the commit that a person asked for, whatever the rule; whether it may go out is the plan's to say."""
    newer = itertools.takewhile(lambda commit: commit.sha != sha, history.waiting)
    is_known = sha == history.out or any(commit.sha == sha for commit in history.waiting)
    return Candidate(
        repository=history.repository,
        sha=sha,
        rule="pinned",
        left_behind=tuple(
            LeftBehind(commit=commit, reason=f"newer than the pinned {abbreviate(sha)}")
            for commit in (newer if is_known else ())
        ),
    )


def read_release_note(body: str, begin: str, end: str) -> str | None:
    """Find what a pull request's description says between two lines; none where it says nothing there.

    Compares text, where a pattern could take for ever on a description that a stranger wrote to that end.
    """
    _, found, rest = body.partition(begin)
    note, is_ended, _ = rest.partition(end)
    if not found or not is_ended:
        return None
    said = " ".join(_COMMENT.sub("", note[:_LONGEST_NOTE]).split())
    return said if said.strip("_*. ").lower() not in _NO_NOTE else None


def resolve_repository(text: str, fleet: Collection[RepositoryName]) -> RepositoryName:
    """Find the repository that a person means: ``owner/name``, or a name that only one owner in the fleet has.

    Raises:
        PinError: There is none, or more than one.
    """
    wanted = text.strip().lower()
    found = sorted(each for each in fleet if wanted in (each, each.partition("/")[2]))
    if len(found) == 1:
        return found[0]
    if found:
        raise PinError((f"{text[:150]!r} means more than one repository: write one of {', '.join(found)}",))
    names = {name: each for each in sorted(fleet) for name in (each.partition("/")[2], each)}
    near = list(dict.fromkeys(names[match] for match in difflib.get_close_matches(wanted, names)))
    hint = f"did you mean {' or '.join(near)}?" if near else f"the fleet is {_enumerate(sorted(fleet))}"
    raise PinError((f"{text[:150]!r} is not a repository of the fleet: {hint}",))


def parse_pins(pins: Iterable[str], fleet: Collection[RepositoryName]) -> dict[RepositoryName, str]:
    """Read pins such as ``packit-service=1787687aba71``.

    Returns:
        A full or abbreviated sha in lower case for each repository; only GitHub can say what it abbreviates.

    Raises:
        PinError: Carries everything that is wrong with any of them.
    """
    problems: list[str] = []
    resolved: dict[RepositoryName, str] = {}
    for pin in pins:
        name, separator, commit = (part.strip() for part in pin.partition("="))
        sha = commit.lower()
        if not separator or not ABBREVIATED_SHA.fullmatch(sha):
            problems.append(
                f"{pin[:150]!r} is not a pin: write REPOSITORY=SHA, with 4 to 40 hex digits of the sha"
            )
            continue
        try:
            repository = resolve_repository(name, fleet)
        except PinError as error:
            problems += error.problems
            continue
        if resolved.setdefault(repository, sha) != sha:
            problems.append(f"{repository} is pinned twice, to {resolved[repository]} and to {sha}: keep one")
    if problems:
        raise PinError(tuple(problems))
    return resolved


def _enumerate(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN_NAMES])
    return f"{shown} and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else shown or "empty"
