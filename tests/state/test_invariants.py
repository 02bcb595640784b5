"""Checks beyond one value. Each case is two documents and what does not fit in them."""

import pytest

from state.document import DesiredState
from state.invariants import Documents, Finding, check_change, check_policy, check_together
from state.policy import Policy
from state.yaml_io import locate, parse_desired, parse_policy
from tests.state.examples import POLICY, STATE

A, B = "a" * 40, "b" * 40


def policy(rest: str = "candidate: head", *, repositories: str = "{x/a: , x/b: }") -> Policy:
    return parse_policy(f"version: 1\nrepositories: {repositories}\n{rest}\n")


def desired(rest: str = "", *, targets: str = f"{{x/a: {A}, x/b: {B}}}", ref: str = "stable") -> DesiredState:
    return parse_desired(f"version: 1\nref: {ref}\ntargets: {targets}\n{rest}\n")


def brief(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [
        (
            finding.severity,
            f"{finding.document}/{'.'.join(str(part) for part in finding.path)}",
            finding.message,
        )
        for finding in findings
    ]


def test_the_designs_policy_is_sound() -> None:
    """Nothing is found where nothing is wrong."""
    assert () == check_policy(parse_policy(POLICY))


@pytest.mark.parametrize(
    ("cycle", "repositories"),
    [
        ("x/a → x/a", "{x/a: {after: x/a}}"),
        ("x/a → x/b → x/a", "{x/a: {after: x/b}, x/b: {after: x/a}}"),
        (
            "x/a → x/b → x/c → x/a",
            "{x/c: {after: x/b}, x/b: {after: x/a}, x/a: {after: x/c}, x/d: {after: x/a}}",
        ),
    ],
)
def test_cycle(cycle: str, repositories: str) -> None:
    """A cycle is printed in the order in which its repositories would move."""
    (finding,) = check_policy(policy(repositories=repositories))

    assert "error" == finding.severity
    assert ("repositories", cycle.split(" → ")[1], "after") == finding.path
    assert f": {cycle};" in finding.message


def test_every_cycle() -> None:
    """Two cycles are two findings."""
    repositories = "{x/a: {after: x/b}, x/b: {after: x/a}, x/c: {after: x/d}, x/d: {after: [x/c, x/a]}}"

    assert 2 == len(check_policy(policy(repositories=repositories)))


@pytest.mark.parametrize(
    ("severity", "place", "message", "found"),
    [
        (
            "error",
            "policy/repositories.x/a.after.0",
            "x/z is not under repositories: add it there, or remove it here",
            policy(repositories="{x/a: {after: x/z}}"),
        ),
        (
            "note",
            "policy/moves.allowed_branches",
            "proposals come from main, but targets must be on release or hotfix: add main",
            policy("candidate: head\nmoves: {allowed_branches: [release, hotfix]}"),
        ),
        (
            "note",
            "policy/candidate",
            "without validation nothing is ever proposed: add a source of evidence, or write candidate: head",
            policy(""),
        ),
        (
            "note",
            "policy/candidate",
            "own_checks says nothing of stage, so nothing is ever proposed: add a source or write candidate: head",
            policy("validation: {own_checks: }"),
        ),
        (
            "error",
            "policy/validation.1.http.runs.x/z",
            "x/z is not under repositories: add it there, or remove it here",
            policy(
                "validation: [own_checks: null, http: {url: https://stage.example, runs: {x/z: $.z, x/a: $.a}}]"
            ),
        ),
        (
            "error",
            "policy/validation.0.deployments.repositories.1",
            "x/z is not under repositories: add it there, or remove it here",
            policy("validation: {deployments: {environment: stg, repositories: [x/a, x/z]}}"),
        ),
        (
            "note",
            "policy/approval.reviews",
            "direct edits need no review: write pull_request: required if all changes are to be reviewed",
            policy("candidate: head\napproval: {pull_request: optional, reviews: 1}"),
        ),
    ],
)
def test_policy(severity: str, place: str, message: str, found: Policy) -> None:
    """What contradicts itself is found where it stands."""
    assert [(severity, place, message)] == brief(check_policy(found))


def test_documents_that_fit() -> None:
    """Nothing is found where both speak of the same."""
    assert () == check_together(desired(), policy())


@pytest.mark.parametrize(
    ("severity", "place", "message", "found"),
    [
        (
            "error",
            "state/targets.x/c",
            "x/c is not in the policy, so it cannot move: add it under repositories there, or remove it",
            desired(targets=f"{{x/a: {A}, x/b: {B}, x/c: {A}}}"),
        ),
        (
            "note",
            "policy/repositories.x/b",
            "x/b has no target in the release state, so nothing of it moves",
            desired(targets=f"{{x/a: {A}}}"),
        ),
        (
            "error",
            "state/ref",
            "main is the branch that stage is built from: name the branch that is deployed",
            desired(ref="main"),
        ),
        (
            "note",
            "state/holds.x/c",
            "x/c has no target, so this has no effect: add one, or remove this",
            desired("holds: {x/c: {reason: waiting}}"),
        ),
        (
            "note",
            "state/permits.x/a.force.to",
            "this permits bbbbbbb, but the target is aaaaaaa: remove one",
            desired(f"permits: {{x/a: {{force: {{from: {A}, to: {B}, reason: hurry}}}}}}"),
        ),
        (
            "error",
            "state/targets.x/a",
            "aaaaaaa is blocked (broken): choose another target, or remove the block",
            desired(f"blocks: {{x/a: {{{A}: {{reason: broken}}}}}}"),
        ),
    ],
)
def test_together(severity: str, place: str, message: str, found: DesiredState) -> None:
    """What the documents say about different things, or against each other, is found where it stands."""
    assert [(severity, place, message)] == brief(check_together(found, policy()))


def test_findings_can_be_located() -> None:
    """The path of a finding leads to its line."""
    findings = check_together(parse_desired(STATE), parse_policy(POLICY))

    assert findings
    for finding in findings:
        assert locate(STATE if finding.document == "state" else POLICY, finding.path)


BEFORE = Documents(desired(), policy())


@pytest.mark.parametrize(
    ("is_refused", "after"),
    [
        (False, BEFORE),
        (False, Documents(desired(targets=f"{{x/a: {B}}}"), policy())),
        (False, Documents(desired(), policy("candidate: head\nsoak: 1h"))),
        (False, Documents(desired("# a comment"), policy("candidate: head\nsoak: 1h"))),
        (True, Documents(desired(targets=f"{{x/a: {B}}}"), policy("candidate: head\nsoak: 1h"))),
        (True, Documents(desired("holds: {x/a: {reason: waiting}}"), policy("candidate: head\nsoak: 1h"))),
    ],
)
def test_change(is_refused: bool, after: Documents) -> None:  # noqa: FBT001 (a column of the table)
    """Rules and what they judge do not change together."""
    assert is_refused == bool(check_change(BEFORE, after))
