"""GitHub's deployments as evidence of what stage runs."""

from typing import Literal

import pytest

from flows.evidence.deployments import SOURCE
from reconcile.observed import Deployment
from state.evidence import Evidence, Verdict
from state.sources import Deployments
from tests.builders import NOW, sha
from tests.flows.evidence import around
from tests.flows.release import FakeRelease

PASS, FAIL, NONE = Verdict.PASS, Verdict.FAIL, Verdict.NO_EVIDENCE
FLEET = ("packit/ogr", "packit/packit")
State = Literal["created", "success", "failed", "running", "inactive"]


def deployment(state: State, digits: str = "a") -> Deployment:
    url = f"https://ci.example/{digits}"
    return Deployment(id=1, sha=sha(digits), state=state, at=NOW, url=url)


async def ask(*of_packit: Deployment, **rest: object) -> Evidence:
    """Ask about two repositories, of which ogr is deployed."""
    github = FakeRelease()
    github.deployments["packit/ogr", "staging"] = (deployment("success", "0"),)
    github.deployments["packit/packit", "staging"] = of_packit
    settings = Deployments.model_validate({"environment": "staging", **rest})
    return await SOURCE.observe(settings, around(github, fleet=FLEET))


@pytest.mark.parametrize(
    ("expected", "states"),
    [
        (PASS, ["success"]),
        (PASS, ["failed", "running", "success", "inactive"]),
        (NONE, []),
        (NONE, ["created"]),
        (NONE, ["running"]),
        (NONE, ["inactive"]),
        (FAIL, ["failed"]),
        (FAIL, ["running", "failed", "failed"]),
    ],
)
async def test_the_latest_success_counts(expected: Verdict, states: list[State]) -> None:
    """A deployment that failed leaves what ran before it running; without any success, nothing runs."""
    assert expected is (await ask(*map(deployment, states))).verdict


async def test_it_says_what_stage_runs() -> None:
    found = await ask(deployment("failed", "c"), deployment("success", "b"), deployment("inactive", "a"))

    assert {"packit/ogr": sha("0"), "packit/packit": sha("b")} == found.runs
    assert "All 2 repositories are deployed." == found.sentence
    assert (NOW, ["packit/ogr 0000000", "packit/packit bbbbbbb"]) == (
        found.began_at,
        [link.text for link in found.links],
    )


async def test_what_is_missing_is_named() -> None:
    assert "Nothing was deployed successfully of packit/packit." == (await ask()).sentence
    assert "Of packit/packit every deployment failed." == (await ask(deployment("failed"))).sentence


async def test_only_some_repositories_may_be_asked_about() -> None:
    found = await ask(repositories="packit/ogr")

    assert (PASS, {"packit/ogr": sha("0")}) == (found.verdict, found.runs)


async def test_another_environment() -> None:
    assert NONE is (await ask(deployment("success"), environment="prod")).verdict
