"""Checks beyond one value: within the policy, of both documents together, of a change.

Pure, and never raise: what does not fit is a finding with the path at which it stands. Nothing here knows a clock or
a ref, so what depends on them is the plan's to find.
"""

from graphlib import CycleError, TopologicalSorter
from typing import Literal, NamedTuple

from state.document import DesiredState
from state.ids import Frozen, RepositoryName, abbreviate
from state.policy import Policy


class Finding(Frozen):
    """Something that does not fit. An error must be mended; a note is for the person to judge."""

    severity: Literal["error", "note"]
    document: Literal["state", "policy"]
    path: tuple[str | int, ...]
    """Where it stands in the document; ``yaml_io.locate`` finds the line. Empty for the document as a whole."""
    message: str


class Documents(NamedTuple):
    """Both documents as one commit has them."""

    desired: DesiredState
    policy: Policy


def check_policy(policy: Policy) -> tuple[Finding, ...]:
    """Find what contradicts itself within the policy."""
    return (
        *_check_order(policy),
        *_check_branches(policy),
        *_check_validation(policy),
        *_check_rules(policy),
    )


def check_together(desired: DesiredState, policy: Policy) -> tuple[Finding, ...]:
    """Find what the two documents say about different things, or against each other."""
    return (*_check_fleet(desired, policy), *_check_sections(desired), *_check_exceptions(desired))


def check_change(before: Documents, after: Documents) -> tuple[Finding, ...]:
    """Refuse a change of the rules together with what they judge; comments and layout are no change."""
    if before.policy == after.policy or before.desired == after.desired:
        return ()
    message = (
        "this changes the policy and the release state at once: make two pull requests, and merge the one that the "
        "other needs first"
    )
    return (Finding(severity="error", document="policy", path=(), message=message),)


def _check_order(policy: Policy) -> list[Finding]:
    findings = [
        Finding(
            severity="error",
            document="policy",
            path=("repositories", name, "after", position),
            message=f"{earlier} is not under repositories: add it there, or remove it here",
        )
        for name, rules in policy.repositories.items()
        for position, earlier in enumerate(rules.after)
        if earlier not in policy.repositories
    ]
    return findings + [
        Finding(
            severity="error",
            document="policy",
            path=("repositories", cycle[1], "after"),
            message=f"a cycle, so none of these could ever move first: {' → '.join(cycle)}; remove one of its links",
        )
        for cycle in _find_cycles({name: set(rules.after) for name, rules in policy.repositories.items()})
    ]


def _find_cycles(after: dict[RepositoryName, set[RepositoryName]]) -> list[list[RepositoryName]]:
    """List cycles, first movers first, until breaking one link of each would leave none."""
    cycles: list[list[RepositoryName]] = []
    while True:
        try:
            TopologicalSorter(after).prepare()
        except CycleError as error:
            *links, _ = error.args[1]
            start = links.index(min(links))
            cycle = [*links[start:], *links[:start], links[start]]
            cycles.append(cycle)
            after[cycle[1]].discard(cycle[0])
        else:
            return cycles


def _check_branches(policy: Policy) -> list[Finding]:
    allowed = policy.moves.allowed_branches
    if policy.source in allowed:
        return []
    branches = " or ".join(allowed)
    message = f"proposals come from {policy.source}, but targets must be on {branches}: add {policy.source}"
    return [Finding(severity="note", document="policy", path=("moves", "allowed_branches"), message=message)]


def _check_validation(policy: Policy) -> list[Finding]:
    """Find what sources say of repositories that nobody asked about, and that own checks stand alone."""
    findings: list[Finding] = []
    for index, source in enumerate(policy.validation):
        named: list[tuple[RepositoryName, tuple[str | int, ...]]] = []
        if source.http:
            named += ((name, ("http", "runs", name)) for name in source.http.runs)
        if source.deployments:
            named += (
                (name, ("deployments", "repositories", position))
                for position, name in enumerate(source.deployments.repositories)
            )
        findings += (
            Finding(
                severity="error",
                document="policy",
                path=("validation", index, *path),
                message=f"{name} is not under repositories: add it there, or remove it here",
            )
            for name, path in named
            if name not in policy.repositories
        )
    if (
        policy.candidate == "validated"
        and policy.validation
        and all(source.own_checks for source in policy.validation)
    ):
        message = "own_checks says nothing of stage, so nothing is ever proposed: add a source or write candidate: head"
        findings.append(Finding(severity="note", document="policy", path=("candidate",), message=message))
    return findings


def _check_rules(policy: Policy) -> list[Finding]:
    findings: list[Finding] = []
    if policy.candidate == "validated" and not policy.validation:
        message = (
            "without validation nothing is ever proposed: add a source of evidence, or write candidate: head"
        )
        findings.append(Finding(severity="note", document="policy", path=("candidate",), message=message))
    if policy.approval.pull_request == "optional" and policy.approval.reviews:
        message = (
            "direct edits need no review: write pull_request: required if all changes are to be reviewed"
        )
        findings.append(
            Finding(severity="note", document="policy", path=("approval", "reviews"), message=message)
        )
    return findings


def _check_fleet(desired: DesiredState, policy: Policy) -> list[Finding]:
    findings = [
        Finding(
            severity="error",
            document="state",
            path=("targets", name),
            message=f"{name} is not in the policy, so it cannot move: add it under repositories there, or remove it",
        )
        for name in desired.targets
        if name not in policy.repositories
    ]
    findings += [
        Finding(
            severity="note",
            document="policy",
            path=("repositories", name),
            message=f"{name} has no target in the release state, so nothing of it moves",
        )
        for name in policy.repositories
        if name not in desired.targets
    ]
    if desired.ref == policy.source:
        message = f"{desired.ref} is the branch that stage is built from: name the branch that is deployed"
        findings.append(Finding(severity="error", document="state", path=("ref",), message=message))
    return findings


def _check_sections(desired: DesiredState) -> list[Finding]:
    sections = {
        "holds": tuple(desired.holds),
        "blocks": tuple(desired.blocks),
        "permits": tuple(desired.permits),
    }
    return [
        Finding(
            severity="note",
            document="state",
            path=(section, name),
            message=f"{name} has no target, so this has no effect: add one, or remove this",
        )
        for section, entries in sections.items()
        for name in entries
        if name not in desired.targets
    ]


def _check_exceptions(desired: DesiredState) -> list[Finding]:
    findings: list[Finding] = []
    for name, target in desired.targets.items():
        if target in desired.blocks.get(name, {}):
            message = (
                f"{abbreviate(target)} is blocked ({desired.blocks[name][target].reason}): choose another target, or "
                "remove the block"
            )
            findings.append(
                Finding(severity="error", document="state", path=("targets", name), message=message)
            )
        permits = desired.permits.get(name)
        for kind, permit in permits.named() if permits else []:
            if permit.to != target:
                message = f"this permits {abbreviate(permit.to)}, but the target is {abbreviate(target)}: remove one"
                findings.append(
                    Finding(
                        severity="note", document="state", path=("permits", name, kind, "to"), message=message
                    )
                )
    return findings
