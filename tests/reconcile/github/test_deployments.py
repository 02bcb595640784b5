"""What was deployed to an environment, as GitHub was told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconcile.errors import ForbiddenError
from reconcile.github.client import GitHub
from reconcile.observed import Deployment
from reconcile.ports import MoveDeployment
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
        (second, "created", 5),
        (second, "running", 4),
        (second, "failed", 3),
        (first, "success", 1),
        (first, "inactive", 0),
    ] == [(each.sha, each.state, (each.at - AT) // timedelta(hours=1)) for each in found[OGR]]
    oldest = found[OGR][-1]
    assert Deployment(id=oldest.id, sha=first, state="inactive", at=AT, url="https://ci.example/1") == oldest
    assert () == found[RELEASE_STATE]
    assert "packit/gone" not in found
    assert 1 == sandbox.requests.total


def shown(commit: str, environment: str = "production") -> MoveDeployment:
    return MoveDeployment(
        repository=OGR,
        sha=commit,
        moved_at=AT,
        environment=environment,
        description=f"Moved {'stable' * 30}",
        url="https://github.example/packit/release-state/pull/42",
    )


async def test_what_is_out_needs_no_check_and_no_merge(github: GitHub, ogr: Repository) -> None:
    """It is made for the very commit, by a task of its own, and whoever looks at it finds the decision."""
    await github.store_deployment(shown(ogr.rev_parse("stable")), begun=None)

    (made,) = ogr.deployments
    assert (ogr.rev_parse("stable"), "stablehand", {"moved_at": "2026-11-23T04:00:00+00:00"}) == (
        made.sha,
        made.task,
        made.payload,
    )
    assert made.description
    assert made.latest_status
    assert 140 == len(made.description) == len(made.latest_status.description)
    assert "https://github.example/packit/release-state/pull/42" == made.latest_status.log_url


@pytest.mark.parametrize(("environment", "earlier"), [("production", "success"), ("staging", "inactive")])
async def test_github_knows_production_by_its_name(
    github: GitHub, ogr: Repository, environment: str, earlier: str
) -> None:
    """There an earlier success stays one; elsewhere the later takes its place."""
    for branch in ("stable", "main"):
        await github.store_deployment(shown(ogr.rev_parse(branch), environment), begun=None)

    found = await github.observe_deployments([OGR], environment)

    assert ["success", earlier] == [each.state for each in found[OGR]]


@pytest.mark.parametrize(
    ("task", "payload", "moved_at"),
    [
        ("stablehand", {"moved_at": "2026-11-23T04:00:00+00:00"}, AT),
        ("stablehand", json.dumps({"moved_at": "2026-11-23T04:00:00.000000Z"}), AT),
        ("deploy", {"moved_at": "2026-11-23T04:00:00+00:00"}, None),
        ("stablehand", {"moved_at": "2026-99"}, None),
        ("stablehand", {"moved_at": "0001-01-01T00:00:00+10:00"}, None),
        ("stablehand", "nothing", None),
    ],
)
async def test_only_our_own_show_a_move(
    github: GitHub, ogr: Repository, task: str, payload: object, moved_at: datetime | None
) -> None:
    """However often the payload was encoded, and whatever others have put there."""
    by = ogr.store.account("stablehand-bot")
    ogr.create_deployment(ogr.rev_parse("main"), "production", by=by, task=task, payload=payload)

    found = await github.observe_deployments([OGR], "production")

    assert [moved_at] == [each.moved_at for each in found[OGR]]


async def test_what_one_may_not_see_is_left_out(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    app = sandbox.store.app("stablehand-bot")
    permissions = {name: right for name, right in app.permissions.items() if name != "deployments"}
    sandbox.store.change_app("stablehand-bot", permissions=permissions)

    assert {} == await github.observe_deployments([OGR, OGR], "production")
    with pytest.raises(ForbiddenError, match="the README lists what it needs"):
        await github.store_deployment(shown(ogr.rev_parse("main")), begun=None)
