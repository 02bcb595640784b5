"""What GitHub's words to a refused ref update mean, where they leave no doubt."""

import re

from reconcile.github.transport import Problem
from reconcile.ports import Refusal

# The order tells: a workflow's refusal mentions permissions too.
_WORDS: tuple[tuple[Refusal, re.Pattern[str]], ...] = (
    (
        "workflows-permission",
        re.compile(
            r"refusing to allow .*workflow|without [`'\"]?workflows?[`'\"]? (?:permission|scope)",
            re.IGNORECASE,
        ),
    ),
    (
        "protected",
        re.compile(
            r"protected (?:branch|ref)|branch protection|repository rule|GH006|GH013|"
            r"changes must be made through a pull request",
            re.IGNORECASE,
        ),
    ),
    (
        "no-permission",
        re.compile(
            r"resource not accessible|does not have the correct permissions to execute", re.IGNORECASE
        ),
    ),
)


def recognise(problem: Problem) -> Refusal | None:
    """Recognise a rule or a missing right; none for words that may stand for a lost race or for trouble."""
    for refusal, words in _WORDS:
        if words.search(problem.message):
            return refusal
    return "no-permission" if problem.type == "FORBIDDEN" else None
