"""What was deployed to an environment, as GitHub was told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconcile.github.client import GitHub
from reconcile.observed import Deployment
from tests.reconcile.github.conftest import RELEASE_STATE
from tests.sandbox import Repository, Sandbox

OGR = "packit/ogr"
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


async def test_the_newest_come_first(
    github: GitHub, sandbox: Sandbox, state: Repository, ogr: Repository
) -> None:
    """Of each what became of it; of many repositories in one request."""
    first, second = ogr.rev_parse("stable"), ogr.rev_parse("main")
    reports: list[tuple[str, str, Any]] = [
        (first, "staging", "SUCCESS"),
        (first, "staging", "SUCCESS"),
        (second, "production", "SUCCESS"),
        (second, "staging", "FAILURE"),
        (second, "staging", "IN_PROGRESS"),
        (second, "staging", None),
    ]
    for hour, (commit, environment, reported) in enumerate(reports):
        ogr.deploy(
            commit, environment, reported, at=AT + timedelta(hours=hour), log_url="https://ci.example/1"
        )
    sandbox.requests.reset()

    found = await github.observe_deployments((OGR, RELEASE_STATE, "packit/gone"), "staging")

    assert [
        (second, "running", 5),
        (second, "running", 4),
        (second, "failed", 3),
        (first, "success", 1),
        (first, "inactive", 0),
    ] == [(each.sha, each.state, (each.at - AT) // timedelta(hours=1)) for each in found[OGR]]
    assert Deployment(sha=first, state="inactive", at=AT, url="https://ci.example/1") == found[OGR][-1]
    assert () == found[RELEASE_STATE]
    assert "packit/gone" not in found
    assert 1 == sandbox.requests.total
