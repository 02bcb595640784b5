"""The sandbox's REST answers are GitHub's: each parses with the models that githubkit makes of GitHub's schema."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from githubkit import AppInstallationAuthStrategy, GitHub, Response, TokenAuthStrategy
from githubkit_schemas.latest.types import (
    ReposOwnerRepoCheckRunsCheckRunIdPatchBodyPropOutputPropAnnotationsItemsType,
)

from tests.sandbox import Repository, Sandbox

OWNER, NAME = "packit", "ogr"
WORKFLOW = ".github/workflows/build.yml"


@dataclass(frozen=True)
class World:
    """A repository with one of everything, and clients of its accounts."""

    sandbox: Sandbox
    repository: Repository
    bot: GitHub[TokenAuthStrategy]
    alice: GitHub[TokenAuthStrategy]
    head: str
    feature: str
    pull: int
    other: int
    merged: int
    comment: int
    hook: int
    delivery: int
    check_run: int
    deployment: int


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Sandbox.running(tmp_path_factory.mktemp("repositories")) as sandbox:
        yield make_world(sandbox)


def make_world(sandbox: Sandbox) -> World:
    def client(login: str) -> GitHub[TokenAuthStrategy]:
        token = TokenAuthStrategy(sandbox.tokens[login])
        return GitHub(token, base_url=sandbox.url, auto_retry=False, http_cache=False)

    repository = sandbox.store.create_repository(f"{OWNER}/{NAME}")
    repository.commit("main", {"README.md": "one\n", "docs/a.md": "a\n", WORKFLOW: "on: push\n"}, "First")
    repository.commit("merged", {"docs/b.md": "b\n"}, "B", author="bob")
    merged = repository.open_pull_request("B", "", "merged", "main", "bob")
    repository.merge(merged.number, "alice")
    head = repository.rev_parse("main")
    feature = repository.commit("feature", {"README.md": "two\n", "docs/a.md": None}, "Change", author="bob")
    repository.commit("other", {"README.md": "three\n"}, "Other", author="bob")
    pull = repository.open_pull_request("Change", "why", "feature", "main", "bob", labels=["proposal"])
    other = repository.open_pull_request("Other", "", "other", "main", "bob", draft=True)
    repository.review(pull.number, "alice", "APPROVED", "fine")
    comment = repository.comment(pull.number, "stablehand-bot", "plan")
    repository.add_status(head, "ci", "success", description="done")
    run = repository.add_check_run(head, "stablehand-bot", "plan", output={"title": "t", "summary": "s"})
    repository.protect_branch("stable", allow={"alice"})
    # Nobody listens there: the delivery fails, and is listed as failed.
    hook = repository.add_hook("http://127.0.0.1:9/", events=["push"], secret="s")
    sandbox.settle()
    return World(
        sandbox=sandbox,
        repository=repository,
        bot=client("stablehand-bot"),
        alice=client("alice"),
        head=head,
        feature=feature,
        pull=pull.number,
        other=other.number,
        merged=merged.number,
        comment=comment.database_id,
        hook=hook.database_id,
        delivery=hook.deliveries[0].database_id,
        check_run=run.database_id,
        deployment=repository.deploy(head, "production", None).database_id,
    )


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


Call = Callable[[World], Response[Any, Any]]
ANNOTATION: ReposOwnerRepoCheckRunsCheckRunIdPatchBodyPropOutputPropAnnotationsItemsType = {
    "path": "README.md",
    "start_line": 1,
    "end_line": 1,
    "annotation_level": "notice",
    "message": "m",
}

CALLS: dict[str, Call] = {
    "users.get_authenticated": lambda w: w.alice.rest.users.get_authenticated(),
    "users.get_by_username": lambda w: w.bot.rest.users.get_by_username("alice"),
    "rate_limit.get": lambda w: w.bot.rest.rate_limit.get(),
    "repos.get": lambda w: w.bot.rest.repos.get(OWNER, NAME),
    "repos.list_commits": lambda w: w.bot.rest.repos.list_commits(OWNER, NAME, sha="main", path="docs/b.md"),
    "repos.get_commit": lambda w: w.bot.rest.repos.get_commit(OWNER, NAME, w.head[:8]),
    "repos.compare_commits": lambda w: w.bot.rest.repos.compare_commits(OWNER, NAME, "main...feature"),
    "repos.list_branches": lambda w: w.bot.rest.repos.list_branches(OWNER, NAME),
    "repos.get_branch": lambda w: w.bot.rest.repos.get_branch(OWNER, NAME, "main"),
    "repos.get_branch_rules": lambda w: w.bot.rest.repos.get_branch_rules(OWNER, NAME, "stable"),
    "repos.list_activities": lambda w: w.bot.rest.repos.list_activities(OWNER, NAME, ref="refs/heads/main"),
    "repos.get_collaborator_permission_level": lambda w: w.bot.rest.repos.get_collaborator_permission_level(
        OWNER, NAME, "alice"
    ),
    "repos.list_pull_requests_associated_with_commit": lambda w: (
        w.bot.rest.repos.list_pull_requests_associated_with_commit(OWNER, NAME, w.head)
    ),
    "repos.get_content (file)": lambda w: w.bot.rest.repos.get_content(OWNER, NAME, "README.md"),
    "repos.get_content (folder)": lambda w: w.bot.rest.repos.get_content(OWNER, NAME, "docs"),
    "repos.create_or_update_file_contents": lambda w: w.alice.rest.repos.create_or_update_file_contents(
        OWNER, NAME, "new.md", message="Add", content=encoded("new\n"), branch="other"
    ),
    "repos.create_commit_status": lambda w: w.bot.rest.repos.create_commit_status(
        OWNER, NAME, w.head, state="pending", context="plan", description="…"
    ),
    "repos.list_commit_statuses_for_ref": lambda w: w.bot.rest.repos.list_commit_statuses_for_ref(
        OWNER, NAME, w.head
    ),
    "repos.get_combined_status_for_ref": lambda w: w.bot.rest.repos.get_combined_status_for_ref(
        OWNER, NAME, "main"
    ),
    "repos.create_webhook": lambda w: w.bot.rest.repos.create_webhook(
        OWNER, NAME, config={"url": "http://127.0.0.1:9/", "secret": "s"}, events=["push"]
    ),
    "repos.list_webhooks": lambda w: w.bot.rest.repos.list_webhooks(OWNER, NAME),
    "repos.get_webhook": lambda w: w.bot.rest.repos.get_webhook(OWNER, NAME, w.hook),
    "repos.list_webhook_deliveries": lambda w: w.bot.rest.repos.list_webhook_deliveries(OWNER, NAME, w.hook),
    "git.get_ref": lambda w: w.bot.rest.git.get_ref(OWNER, NAME, "heads/main"),
    "git.list_matching_refs": lambda w: w.bot.rest.git.list_matching_refs(OWNER, NAME, "heads/"),
    "git.create_ref": lambda w: w.bot.rest.git.create_ref(OWNER, NAME, ref="refs/heads/new", sha=w.head),
    "git.update_ref": lambda w: w.bot.rest.git.update_ref(
        OWNER, NAME, "heads/new", sha=w.feature, force=True
    ),
    "git.get_tree": lambda w: w.bot.rest.git.get_tree(OWNER, NAME, "main"),
    "git.create_tree": lambda w: w.bot.rest.git.create_tree(
        OWNER, NAME, tree=[{"path": "a/b", "mode": "100644", "type": "blob", "content": "x"}]
    ),
    "git.create_commit": lambda w: w.bot.rest.git.create_commit(
        OWNER, NAME, message="Root", tree=str(w.repository.commit_at(w.head).tree_id), parents=[]
    ),
    "git.get_commit": lambda w: w.bot.rest.git.get_commit(OWNER, NAME, w.head),
    "pulls.list": lambda w: w.bot.rest.pulls.list(OWNER, NAME, state="all", head="packit:feature"),
    "pulls.get (open)": lambda w: w.bot.rest.pulls.get(OWNER, NAME, w.pull),
    "pulls.get (merged)": lambda w: w.bot.rest.pulls.get(OWNER, NAME, w.merged),
    "pulls.create": lambda w: w.bot.rest.pulls.create(OWNER, NAME, title="T", head="feature", base="merged"),
    "pulls.update": lambda w: w.bot.rest.pulls.update(OWNER, NAME, w.pull, title="Other title"),
    "pulls.request_reviewers": lambda w: w.bot.rest.pulls.request_reviewers(
        OWNER, NAME, w.pull, data={"reviewers": ["alice"]}
    ),
    "pulls.list_files": lambda w: w.bot.rest.pulls.list_files(OWNER, NAME, w.pull),
    "pulls.list_commits": lambda w: w.bot.rest.pulls.list_commits(OWNER, NAME, w.pull),
    "pulls.list_reviews": lambda w: w.bot.rest.pulls.list_reviews(OWNER, NAME, w.pull),
    "pulls.create_review": lambda w: w.alice.rest.pulls.create_review(OWNER, NAME, w.pull, event="APPROVE"),
    "pulls.merge": lambda w: w.alice.rest.pulls.merge(OWNER, NAME, w.pull, merge_method="squash"),
    "issues.get": lambda w: w.bot.rest.issues.get(OWNER, NAME, w.pull),
    "issues.list_comments": lambda w: w.bot.rest.issues.list_comments(OWNER, NAME, w.pull),
    "issues.create_comment": lambda w: w.bot.rest.issues.create_comment(OWNER, NAME, w.pull, body="b"),
    "issues.get_comment": lambda w: w.bot.rest.issues.get_comment(OWNER, NAME, w.comment),
    "issues.update_comment": lambda w: w.bot.rest.issues.update_comment(OWNER, NAME, w.comment, body="c"),
    "issues.list_labels_on_issue": lambda w: w.bot.rest.issues.list_labels_on_issue(OWNER, NAME, w.pull),
    "issues.add_labels": lambda w: w.bot.rest.issues.add_labels(OWNER, NAME, w.pull, labels=["more"]),
    "issues.add_assignees": lambda w: w.bot.rest.issues.add_assignees(
        OWNER, NAME, w.pull, assignees=["alice", "nobody"]
    ),
    "issues.set_labels": lambda w: w.bot.rest.issues.set_labels(OWNER, NAME, w.other, labels=["only"]),
    "checks.create": lambda w: w.bot.rest.checks.create(
        OWNER, NAME, data={"name": "plan", "head_sha": w.head, "status": "in_progress"}
    ),
    "checks.update": lambda w: w.bot.rest.checks.update(
        OWNER,
        NAME,
        w.check_run,
        conclusion="neutral",
        output={"summary": "s", "annotations": [ANNOTATION]},
    ),
    "checks.get": lambda w: w.bot.rest.checks.get(OWNER, NAME, w.check_run),
    "checks.list_annotations": lambda w: w.bot.rest.checks.list_annotations(OWNER, NAME, w.check_run),
    "checks.list_for_ref": lambda w: w.bot.rest.checks.list_for_ref(OWNER, NAME, "main"),
    "repos.create_deployment": lambda w: w.bot.rest.repos.create_deployment(
        OWNER, NAME, ref="main", payload={"k": "v"}, auto_merge=False, required_contexts=[]
    ),
    "repos.create_deployment_status": lambda w: w.bot.rest.repos.create_deployment_status(
        OWNER, NAME, w.deployment, state="in_progress", log_url="https://ci.example/1"
    ),
    "actions.create_workflow_dispatch": lambda w: w.bot.rest.actions.create_workflow_dispatch(
        OWNER, NAME, "build.yml", ref="main"
    ),
    "actions.list_workflow_runs": lambda w: w.bot.rest.actions.list_workflow_runs(OWNER, NAME, "build.yml"),
}

EMPTY: dict[str, Call] = {
    "pulls.check_if_merged": lambda w: w.bot.rest.pulls.check_if_merged(OWNER, NAME, w.merged),
    "git.delete_ref": lambda w: w.bot.rest.git.delete_ref(OWNER, NAME, "heads/new"),
    "issues.delete_comment": lambda w: w.bot.rest.issues.delete_comment(OWNER, NAME, w.comment),
    "repos.ping_webhook": lambda w: w.bot.rest.repos.ping_webhook(OWNER, NAME, w.hook),
    "repos.redeliver_webhook_delivery": lambda w: w.bot.rest.repos.redeliver_webhook_delivery(
        OWNER, NAME, w.hook, w.delivery
    ),
    "repos.delete_webhook": lambda w: w.bot.rest.repos.delete_webhook(OWNER, NAME, w.hook),
}


# One world serves all, in this order: what is written is not read again by what follows, but by its own answer.
@pytest.mark.parametrize("name", CALLS)
def test_answers_parse_with_githubs_models(world: World, name: str) -> None:
    assert CALLS[name](world).parsed_data is not None


@pytest.mark.parametrize("name", EMPTY)
def test_deeds_without_an_answer_are_done(world: World, name: str) -> None:
    assert EMPTY[name](world).status_code in (202, 204)


def test_what_the_newest_version_of_the_api_lacks_is_not_there(world: World) -> None:
    """The models know no `merge_commit_sha`; a client that asks for an older version still gets it."""
    newest = world.bot.rest.pulls.get(OWNER, NAME, world.merged)
    older = world.bot.rest.pulls.get(
        OWNER, NAME, world.merged, headers={"X-GitHub-Api-Version": "2022-11-28"}
    )

    assert "merge_commit_sha" not in newest.json()
    assert world.repository.pulls[world.merged].merge_commit == json.loads(older.text)["merge_commit_sha"]


def test_an_app_gets_a_token_by_its_key(tmp_path: Path) -> None:
    """App authentication as githubkit does it works against the sandbox: a JWT, then a token that ends."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with Sandbox.running(tmp_path) as sandbox:
        app = sandbox.store.change_app("stablehand-bot", public_key=public.decode())
        sandbox.store.create_repository("packit/ogr")
        auth = AppInstallationAuthStrategy(app.database_id, private, app.installation_id)
        github = GitHub(auth, base_url=sandbox.url, auto_retry=False, http_cache=False)

        assert github.graphql("{ viewer { login } }") == {"viewer": {"login": "stablehand-bot[bot]"}}
        assert "packit/ogr" == github.rest.repos.get("packit", "ogr").parsed_data.full_name
        assert 1 == sandbox.requests.counts["rest:POST /app/installations/{installation_id}/access_tokens"]
