"""Check the documents as they are written: without the network, without a ref, without Prefect."""

from pathlib import Path
from typing import Literal, NamedTuple

from flows.evidence.installed import check_sources
from state.document import DesiredState
from state.errors import DocumentError, Problem, where
from state.ids import Frozen
from state.invariants import Finding, check_policy, check_together
from state.policy import Policy
from state.yaml_io import POLICY_PATH, STATE_PATH, locate, parse_desired, parse_policy


class LocatedFinding(Frozen):
    """Something that does not fit, and where it stands; lines and columns count from 1, 0 is the whole document."""

    severity: Literal["error", "note"]
    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{where(self.file, self.line, self.column)}: {self.severity}: {self.message}"


class Texts(NamedTuple):
    """Both documents as they are written; none for one that is not there."""

    desired: str | None
    policy: str | None
    desired_file: str = STATE_PATH
    policy_file: str = POLICY_PATH


class Parsed(NamedTuple):
    """Both documents as far as they could be read, with what is wrong in them."""

    desired: DesiredState | None
    policy: Policy | None
    findings: tuple[LocatedFinding, ...]


def parse_texts(texts: Texts) -> Parsed:
    """Read the documents that there are."""
    findings: list[LocatedFinding] = []
    desired: DesiredState | None = None
    policy: Policy | None = None
    try:
        desired = None if texts.desired is None else parse_desired(texts.desired, file=texts.desired_file)
    except DocumentError as error:
        findings += map(_of_problem, error.problems)
    try:
        policy = None if texts.policy is None else parse_policy(texts.policy, file=texts.policy_file)
    except DocumentError as error:
        findings += map(_of_problem, error.problems)
    return Parsed(desired, policy, tuple(findings))


def check_documents(
    desired: DesiredState | None, policy: Policy | None, texts: Texts
) -> tuple[LocatedFinding, ...]:
    """Find what does not fit within the policy and between both documents, and where it stands in the texts.

    What the policy tells sources of evidence that are not built in is judged by those that are installed here.
    """
    if policy is None:
        return ()
    found = check_policy(policy) + check_sources(policy)
    found += check_together(desired, policy) if desired else ()
    return tuple(locate_finding(each, texts) for each in found)


def locate_finding(finding: Finding, texts: Texts) -> LocatedFinding:
    """Say where in the texts a finding stands."""
    file, text = (
        (texts.policy_file, texts.policy)
        if finding.document == "policy"
        else (texts.desired_file, texts.desired)
    )
    line, column = locate(text or "", finding.path) or (0, 0)
    return LocatedFinding(
        severity=finding.severity, file=file, line=line, column=column, message=finding.message
    )


def check_file(path: Path) -> tuple[LocatedFinding, ...]:
    """Check a document on disk, together with the other one where that lies beside it."""
    text = _read(path)
    if isinstance(text, LocatedFinding):
        return (text,)
    is_policy = _is_policy(path, text)
    other_path = path.with_name(STATE_PATH if is_policy else POLICY_PATH)
    other = _read(other_path) if other_path.is_file() else None
    if isinstance(other, LocatedFinding):
        return (other,)
    texts = (
        Texts(other, text, str(other_path), str(path))
        if is_policy
        else Texts(text, other, str(path), str(other_path))
    )
    parsed = parse_texts(texts)
    return (*parsed.findings, *check_documents(parsed.desired, parsed.policy, texts))


def _read(path: Path) -> str | LocatedFinding:
    try:
        # Line ends are the document's own, and stay.
        return path.read_bytes().decode()
    except OSError as error:
        message = f"it cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        message = f"it is not UTF-8 text (byte {error.start}): save it as UTF-8"
    return LocatedFinding(severity="error", file=str(path), line=0, column=0, message=message)


def _is_policy(path: Path, text: str) -> bool:
    """Tell the documents apart by what they name, and by their own name where neither is there to see."""
    names_fleet, names_targets = locate(text, ("repositories",)), locate(text, ("targets",))
    if bool(names_fleet) != bool(names_targets):
        return names_fleet is not None
    return path.name == POLICY_PATH


def _of_problem(problem: Problem) -> LocatedFinding:
    return LocatedFinding(severity="error", **dict(problem))
