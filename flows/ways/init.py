"""Init: the first files of a release-state repository, made from where the refs are now. Overwrites no file.

The documents ask for what is live, so the first plan is empty: adopting stablehand moves nothing.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template
from typing import Protocol

from pydantic import ValidationError

from flows.ways.errors import UsageError
from flows.ways.offer import GitHubPorts as OfferPorts
from flows.ways.offer import Offer, make_offer
from reconcile.observed import PullRequest
from reconcile.ports import FleetFinder, FoundRepository, ReleaseStateReader
from reconcile.render.markdown import escape
from state.document import DesiredState
from state.ids import BranchName, Frozen, RepositoryName
from state.policy import Moves, Policy, RepositoryPolicy, Reviewer
from state.schema import SchemaKind, dump_schema
from state.yaml_io import POLICY_PATH, STATE_PATH, dump_desired, dump_policy, parse_desired, parse_policy

BRANCH = "stablehand/init"
WORKFLOW = ".github/workflows/check-documents.yml"
_TEMPLATES = Path(__file__).parents[1] / "templates"
_SCHEMAS: dict[str, SchemaKind] = {
    "schemas/release-state.schema.json": "release-state",
    "schemas/release-policy.schema.json": "release-policy",
}
_SHOWN = 10


class InitRequest(Frozen):
    """What a person asks for."""

    owner: str | None = None
    """Whose repositories: all that have the ref and are not archived."""
    repositories: tuple[RepositoryName, ...] = ()
    """Or these, whether they have the ref or not."""
    ref: BranchName = "stable"
    """The branch to govern."""
    source: BranchName = "main"
    """The branch that proposals come from."""
    code_owners: tuple[Reviewer, ...] = ()
    """Who has to review a change of the policy: logins, and teams as organization/team."""


class Draft(Frozen):
    """The files, by path, and what they are about."""

    files: dict[str, str]
    repositories: tuple[RepositoryName, ...]
    without_ref: tuple[RepositoryName, ...]
    """Those among them that have no such branch yet, so there is no target to write."""
    without_source: tuple[RepositoryName, ...]
    """Those among them without the branch that proposals come from."""


class InitReport(Frozen):
    """What was made."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    """Files that were there already, and are as they were."""
    repositories: tuple[RepositoryName, ...]
    without_ref: tuple[RepositoryName, ...]
    without_source: tuple[RepositoryName, ...]
    pull_request: PullRequest | None = None


class GitHubPorts(FleetFinder, OfferPorts, ReleaseStateReader, Protocol):
    """All that init needs of GitHub."""


def parse_request(
    names: Sequence[str], *, ref: str, source: str, code_owners: Sequence[str] = ()
) -> InitRequest:
    """Read what a person wrote.

    Raises:
        UsageError: It is neither one owner nor repositories, or something in it is no name.
    """
    owners = [name for name in names if "/" not in name]
    if owners and len(names) > 1:
        raise UsageError((f"{owners[0]} is an owner: name one owner alone, or repositories as owner/name.",))
    if ref == source:
        raise UsageError((f"--ref and --source are both {ref}: proposals come from one and move the other.",))
    try:
        return InitRequest.model_validate(
            {
                "owner": owners[0] if owners else None,
                "repositories": () if owners else tuple(names),
                "ref": ref,
                "source": source,
                "code_owners": tuple(each.removeprefix("@") for each in code_owners),
            }
        )
    except ValidationError as error:
        problems = (
            str(each["msg"]).removeprefix("Value error, ") for each in error.errors(include_url=False)
        )
        raise UsageError(tuple(f"{problem}." for problem in problems)) from error


async def draft_files(
    github: FleetFinder, request: InitRequest, *, repository: RepositoryName, branch: BranchName = "main"
) -> Draft:
    """Look at the fleet, and write what its documents should be.

    Args:
        github: Looks at the fleet.
        request: What is asked for.
        repository: The release-state repository, which is not part of the fleet.
        branch: Its default branch.

    Raises:
        UsageError: There is nothing to govern, or a repository that is named cannot be.
        ReconcileError: GitHub could not be read.
    """
    found = await _find(github, request, repository)
    desired = DesiredState(
        version=1, ref=request.ref, targets={each.name: each.live for each in found if each.live}
    )
    policy = Policy(
        version=1,
        source=request.source,
        # Nothing validates yet, and without validation nothing validated is ever proposed.
        candidate="head",
        repositories={each.name: RepositoryPolicy() for each in found},
        moves=Moves(allowed_branches=(request.source,)),
    )
    files = {
        STATE_PATH: _fill(STATE_PATH, document=dump_desired(desired).rstrip()),
        POLICY_PATH: _fill(POLICY_PATH, document=dump_policy(policy).rstrip()),
        **{path: dump_schema(kind) for path, kind in _SCHEMAS.items()},
        "README.md": _fill("README.md", ref=request.ref),
        ".github/CODEOWNERS": _fill("CODEOWNERS", owners=_owners(request.code_owners)),
        WORKFLOW: _fill("check-documents.yml", branch=branch),
    }
    assert (desired, policy) == (parse_desired(files[STATE_PATH]), parse_policy(files[POLICY_PATH]))
    return Draft(
        files=files,
        repositories=tuple(each.name for each in found),
        without_ref=tuple(each.name for each in found if each.live is None),
        without_source=tuple(each.name for each in found if each.source is None),
    )


async def offer_draft(github: GitHubPorts, request: InitRequest) -> InitReport:
    """Offer the files as a pull request to the release-state repository.

    Raises:
        UsageError: It has a document already, or there is nothing to govern.
        StaleHeadError: The branch of the pull request has somebody else's commits, or is being moved.
        ReconcileError: GitHub could not be read or written.
    """
    version = await github.observe_version()
    draft = await draft_files(github, request, repository=version.repository.lower(), branch=version.branch)
    there = await github.find_files(version.commit, tuple(draft.files))
    files = _new_files(draft, there, where=version.repository)
    names = ", ".join(escape(name) for name in draft.repositories[:_SHOWN])
    more = f" and {len(draft.repositories) - _SHOWN} more" if len(draft.repositories) > _SHOWN else ""
    pull_request = await make_offer(
        github,
        Offer(
            branch=BRANCH,
            base=version.commit,
            files=files,
            title=f"Govern {request.ref} of {_count(len(draft.repositories))}",
            body=(
                f"The documents ask for what is live in {names}{more}, so merging this moves nothing. "
                "The first `stablehand reconcile` after it adopts them and begins the ledger."
            ),
        ),
    )
    return _report(draft, files, pull_request)


def store_draft(directory: Path, draft: Draft) -> InitReport:
    """Write the files into a directory, which is made where it is missing.

    Raises:
        UsageError: A document is there already, or the directory cannot be written.
    """
    there = frozenset(path for path in draft.files if (directory / path).exists())
    files = _new_files(draft, there, where=str(directory))
    try:
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            # Exclusively: what somebody wrote since the look is not overwritten either.
            with (directory / path).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError((f"{error.filename or directory} cannot be written: {error.strerror}.",)) from error
    return _report(draft, files, None)


async def _find(
    github: FleetFinder, request: InitRequest, repository: RepositoryName
) -> tuple[FoundRepository, ...]:
    if request.owner:
        owned = await github.list_repositories(request.owner, ref=request.ref, source=request.source)
        found = [each for each in owned if each.live and not each.is_archived and each.name != repository]
        if not found:
            sentence = (
                f"None of the {len(owned)} repositories of {request.owner} that this account may see has a branch "
                f"{request.ref}: make it where you deploy from, or name another one with --ref."
            )
            raise UsageError((sentence,))
        return tuple(found)
    named = await github.find_repositories(request.repositories, ref=request.ref, source=request.source)
    problems = [
        f"{name} does not exist, or this account may not see it: check its name and the account's rights."
        for name in request.repositories
        if name not in named
    ]
    problems += [
        f"{each.name} is archived, so nothing of it can move." for each in named.values() if each.is_archived
    ]
    # Under its old name a renamed repository answers too; it is governed under the one that it has.
    by_name = {each.name: each for each in named.values()}
    if problems:
        raise UsageError(tuple(problems))
    return tuple(by_name.values())


def _new_files(draft: Draft, there: Iterable[str], *, where: str) -> dict[str, str]:
    """Leave out what is there already; a document that is there has been decided on."""
    known = frozenset(there)
    if documents := [path for path in (STATE_PATH, POLICY_PATH) if path in known]:
        raise UsageError(
            (
                f"{where} has {' and '.join(documents)} already, which init does not overwrite: edit it instead.",
            )
        )
    return {path: text for path, text in draft.files.items() if path not in known}


def _report(draft: Draft, files: dict[str, str], pull_request: PullRequest | None) -> InitReport:
    return InitReport(
        written=tuple(files),
        kept=tuple(path for path in draft.files if path not in files),
        repositories=draft.repositories,
        without_ref=draft.without_ref,
        without_source=draft.without_source,
        pull_request=pull_request,
    )


def _count(repositories: int) -> str:
    return "1 repository" if repositories == 1 else f"{repositories} repositories"


def _owners(code_owners: Sequence[Reviewer]) -> str:
    if not code_owners:
        return "# /release-policy.yaml  @organization/team\n# /.github/            @organization/team"
    owners = " ".join(f"@{each}" for each in code_owners)
    return f"/release-policy.yaml  {owners}\n/.github/             {owners}"


def _fill(template: str, **values: str) -> str:
    return Template((_TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)
