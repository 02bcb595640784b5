"""The runbook has a section for every code, outcome, error and exit status, and for nothing else."""

import ast
from typing import get_args

import pytest

from flows.cli import Exit
from flows.ways.check import CheckReport
from flows.ways.propose import ProposeAction
from reconcile.apply import Outcome
from reconcile.planned import HoldCode, WaitCode
from reconcile.report import Result
from tests.docs.pages import ROOT, RUNBOOK
from tests.docs.test_readme import INTERRUPTED

OUTCOMES = get_args(get_args(Outcome)[0])


@pytest.mark.parametrize(
    ("section", "codes"),
    [
        ("Holds", get_args(HoldCode)),
        ("Waits", get_args(WaitCode)),
        ("Outcomes", [outcome.model_fields["kind"].default for outcome in OUTCOMES]),
        ("Results", list(Result)),
        ("Proposals", get_args(ProposeAction)),
        ("Checks", get_args(CheckReport.model_fields["state"].annotation)),
    ],
)
def test_every_code_has_its_section(section: str, codes: list[str]) -> None:
    assert set(codes) == {code for heading in RUNBOOK.below(section) for code in heading.codes}


def test_every_error_has_its_section() -> None:
    """Those that others are derived from are explained together, before the sections."""
    errors = _errors()
    bases = {base for parents in errors.values() for base in parents}
    documented = {code for heading in RUNBOOK.below("Errors") for code in heading.codes}
    assert set() == documented - errors.keys()
    assert set() == errors.keys() - bases - documented
    assert set() == errors.keys() - set(RUNBOOK.codes)


def _errors() -> dict[str, set[str]]:
    """Find every class of error in the code, with what it is derived from; private ones never reach a person."""
    classes = [
        node
        for package in ("flows", "reconcile", "state")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error") and not node.name.startswith("_")
    ]
    assert classes
    return {node.name: {base.id for base in node.bases if isinstance(base, ast.Name)} for node in classes}


def test_every_exit_status_has_its_section() -> None:
    expected = [f"Exit status {status}" for status in (*map(int, Exit), INTERRUPTED)]
    assert expected == [heading.title for heading in RUNBOOK.below("Exit statuses")]
