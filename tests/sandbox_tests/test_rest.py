"""REST answers, refuses and counts as GitHub's does."""

from base64 import b64encode

import pytest

from tests.sandbox import Permission, Repository, Sandbox
from tests.sandbox_tests.conftest import Client, Clock

REPOSITORY = "/repos/packit/ogr"


def test_tokens(repository: Repository, client: Client) -> None:
    """A wrong token is refused even where none is needed; without one, public things are readable."""
    nobody = client(None)

    assert 200 == nobody.get(REPOSITORY).status_code
    assert 401 == nobody.get(REPOSITORY, headers={"authorization": "token wrong"}).status_code
    unasked = nobody.post(f"{REPOSITORY}/statuses/{'1' * 40}", json={"state": "success"})
    assert (401, "Requires authentication") == (unasked.status_code, unasked.json()["message"])


def test_an_installation_token_is_no_user(client: Client) -> None:
    assert 403 == client("stablehand-bot").get("/user").status_code
    assert "alice" == client("alice").get("/user").json()["login"]


def test_an_app_seems_to_have_no_rights(repository: Repository, client: Client) -> None:
    """Preflight cannot rest on `permissions`: for an installation token they are all false."""
    rights = {
        login: client(login).get(REPOSITORY).json()["permissions"] for login in ("stablehand-bot", "alice")
    }

    assert {False} == set(rights["stablehand-bot"].values())
    assert rights["alice"]["push"]


def test_a_token_ends(sandbox: Sandbox, repository: Repository, client: Client, clock: Clock) -> None:
    expires_at = clock().replace(hour=10)
    token = sandbox.store.credentials.issue("stablehand-bot", expires_at=expires_at)
    http, headers = client(None), {"authorization": f"token {token}"}

    before = http.get(REPOSITORY, headers=headers)
    clock.advance(hours=2)
    after = http.get(REPOSITORY, headers=headers)

    assert (200, 401) == (before.status_code, after.status_code)
    assert "Bad credentials" == after.json()["message"]


def test_what_one_may_not_see_is_not_found(sandbox: Sandbox, repository: Repository, client: Client) -> None:
    sandbox.store.grant("mallory", repository, Permission.NONE)

    assert 404 == client("mallory").get(REPOSITORY).status_code


def test_head_is_get_without_a_body(repository: Repository, client: Client) -> None:
    got, head = client().get(REPOSITORY), client().head(REPOSITORY)

    assert (200, b"", got.headers["etag"]) == (head.status_code, head.content, head.headers["etag"])


def test_labels_may_come_alone(repository: Repository, client: Client) -> None:
    """As PyGithub sends them."""
    repository.commit("feature", {"x": "1"}, "One")
    pull = repository.open_pull_request("T", "", "feature", "main", "bob")

    answer = client().post(f"{REPOSITORY}/issues/{pull.number}/labels", json=["urgent"])

    assert ["urgent"] == [label["name"] for label in answer.json()]
    assert 400 == client().post(f"{REPOSITORY}/pulls", json=["urgent"]).status_code


def test_what_is_known_costs_nothing(sandbox: Sandbox, repository: Repository, client: Client) -> None:
    """A 304 leaves the primary limit alone, until the ref moves."""
    http, url = client(), f"{REPOSITORY}/git/ref/heads/main"
    first = http.get(url)
    known = {"if-none-match": first.headers["etag"]}

    second = http.get(url, headers=known)
    repository.commit("main", {"x": "1"}, "Third")
    third = http.get(url, headers=known)

    assert (200, 304, 200) == (first.status_code, second.status_code, third.status_code)
    assert b"" == second.content
    assert ["1", "1", "2"] == [each.headers["x-ratelimit-used"] for each in (first, second, third)]
    assert 3 == sandbox.requests.counts["rest:GET /repos/{owner}/{repo}/git/ref/{ref}"]


def test_the_limit_ends_and_comes_back(
    sandbox: Sandbox, repository: Repository, client: Client, clock: Clock
) -> None:
    sandbox.api.limits.limit = 1
    http = client()

    first, second = http.get(REPOSITORY), http.get(REPOSITORY)
    clock.advance(hours=1, seconds=1)

    assert (200, 403) == (first.status_code, second.status_code)
    assert "0" == second.headers["x-ratelimit-remaining"]
    assert 200 == http.get(REPOSITORY).status_code


@pytest.mark.parametrize("name", ["main", "heads/main", "refs/heads/main", "v1", "SHA", "SHORT"])
def test_commits_are_found_by_many_names(repository: Repository, client: Client, name: str) -> None:
    sha = repository.rev_parse("main")
    repository.tag("v1", sha)
    asked = {"SHA": sha, "SHORT": sha[:7]}.get(name, name)

    assert sha == client().get(f"{REPOSITORY}/commits/{asked}").json()["sha"]


def test_an_unknown_commit_is_unprocessable(repository: Repository, client: Client) -> None:
    answer = client().get(f"{REPOSITORY}/commits/nowhere")

    assert (422, "No commit found for SHA: nowhere") == (answer.status_code, answer.json()["message"])


def test_renamed_repositories_redirect(sandbox: Sandbox, repository: Repository, client: Client) -> None:
    sandbox.store.rename_repository("packit/ogr", "packit/forges")
    http = client()

    moved = http.get(f"{REPOSITORY}/branches?per_page=1")
    followed = http.get(moved.headers["location"])

    assert 301 == moved.status_code
    assert f"{sandbox.url}/repositories/{repository.database_id}/branches?per_page=1" == str(followed.url)
    assert ["main"] == [branch["name"] for branch in followed.json()]


def test_refs_move_without_compare_and_swap(repository: Repository, client: Client) -> None:
    """REST is fast-forward or force: an ancestor that somebody pushed meanwhile is swallowed."""
    main = repository.rev_parse("main")
    first = str(repository.commit_at(main).parent_ids[0])
    http, url = client(), f"{REPOSITORY}/git/refs/heads/stable"

    missing = http.patch(url, json={"sha": main})
    made = http.post(f"{REPOSITORY}/git/refs", json={"ref": "refs/heads/stable", "sha": first})
    again = http.post(f"{REPOSITORY}/git/refs", json={"ref": "refs/heads/stable", "sha": first})
    forward = http.patch(url, json={"sha": main})
    back = http.patch(url, json={"sha": first})
    forced = http.patch(url, json={"sha": first, "force": True})

    statuses = [each.status_code for each in (missing, made, again, forward, back, forced)]
    assert [422, 201, 422, 200, 422, 200] == statuses
    assert "Update is not a fast forward" == back.json()["message"]


def test_a_root_commit_can_be_built_from_nothing(repository: Repository, client: Client) -> None:
    """What an orphan branch is started with."""
    http = client()
    tree = http.post(
        f"{REPOSITORY}/git/trees",
        json={"tree": [{"path": "ledger.json", "mode": "100644", "type": "blob", "content": "{}"}]},
    ).json()["sha"]
    commit = http.post(
        f"{REPOSITORY}/git/commits", json={"message": "Start", "tree": tree, "parents": []}
    ).json()

    made = http.post(f"{REPOSITORY}/git/refs", json={"ref": "refs/heads/ledger", "sha": commit["sha"]})

    assert 201 == made.status_code
    assert [] == commit["parents"]
    assert commit["verification"]["verified"]
    assert commit["sha"] == repository.branch("ledger")


def test_a_person_edits_a_file_in_the_browser(repository: Repository, client: Client) -> None:
    http, url = client("alice"), f"{REPOSITORY}/contents/README.md"
    blob = http.get(url).json()["sha"]
    content = b64encode(b"edited\n").decode()

    unsaid = http.put(url, json={"message": "Edit", "content": content})
    stale = http.put(url, json={"message": "Edit", "content": content, "sha": "1" * 40})
    edited = http.put(url, json={"message": "Edit", "content": content, "sha": blob})

    assert (422, 409, 200) == (unsaid.status_code, stale.status_code, edited.status_code)
    commit = repository.commit_at(repository.rev_parse("main"))
    assert ("Edit", "Alice", "GitHub") == (commit.message, commit.author.name, commit.committer.name)


def test_statuses_have_limits(repository: Repository, client: Client) -> None:
    http, url = client(), f"{REPOSITORY}/statuses/{repository.rev_parse('main')}"
    for _ in range(1_000):
        repository.add_status(repository.rev_parse("main"), "full", "pending")

    long = http.post(url, json={"state": "success", "description": "x" * 141})
    full = http.post(url, json={"state": "success", "context": "full"})
    other = http.post(url, json={"state": "success", "context": "other", "description": "x" * 140})

    assert (422, 422, 201) == (long.status_code, full.status_code, other.status_code)


def test_the_newest_status_of_each_context_counts(repository: Repository, client: Client) -> None:
    for state in ("pending", "success"):
        client().post(f"{REPOSITORY}/statuses/{repository.rev_parse('main')}", json={"state": state})

    combined = client().get(f"{REPOSITORY}/commits/main/status").json()

    assert ("success", 1) == (combined["state"], combined["total_count"])


def test_only_apps_write_checks(repository: Repository, client: Client) -> None:
    run = {"name": "plan", "head_sha": repository.rev_parse("main"), "conclusion": "success"}

    by_person = client("alice").post(f"{REPOSITORY}/check-runs", json=run)
    by_app = client("stablehand-bot").post(f"{REPOSITORY}/check-runs", json=run)

    assert (403, 201) == (by_person.status_code, by_app.status_code)
    assert "stablehand-bot" == by_app.json()["app"]["slug"]


def test_fifty_annotations_a_request(repository: Repository, client: Client) -> None:
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
    run = {"name": "plan", "head_sha": repository.rev_parse("main")}
    http = client()

    over = http.post(f"{REPOSITORY}/check-runs", json={**run, "output": {"annotations": [note] * 51}})
    made = http.post(f"{REPOSITORY}/check-runs", json={**run, "output": {"annotations": [note] * 50}})
    more = http.patch(made.json()["url"], json={"output": {"annotations": [note]}})

    assert (422, 201) == (over.status_code, made.status_code)
    assert 51 == more.json()["output"]["annotations_count"]


def test_stage_and_production_share_names(repository: Repository, client: Client) -> None:
    sha = repository.rev_parse("main")
    for app in ("packit-as-a-service-stg", "packit-as-a-service"):
        repository.add_check_run(sha, app, "rpm-build")

    url = f"{REPOSITORY}/commits/{sha}/check-runs"
    both, stage = client().get(url).json(), client().get(f"{url}?app_id=29180").json()

    assert (2, 1) == (both["total_count"], stage["total_count"])
    assert "packit-as-a-service-stg" == stage["check_runs"][0]["app"]["slug"]


def test_activity_names_who_moved_what(repository: Repository, client: Client) -> None:
    main = repository.rev_parse("main")
    repository.push("stable", main, by="bob")
    repository.push("stable", str(repository.commit_at(main).parent_ids[0]), by="alice", force=True)

    found = client().get(f"{REPOSITORY}/activity?ref=refs/heads/stable").json()

    assert [("force_push", "alice"), ("branch_creation", "bob")] == [
        (each["activity_type"], each["actor"]["login"]) for each in found
    ]


def test_rules_of_a_branch_hide_who_may_pass(repository: Repository, client: Client) -> None:
    repository.protect_branch("stable", allow={"alice"})

    (rule,) = client().get(f"{REPOSITORY}/rules/branches/stable").json()

    assert "update" == rule["type"]
    assert "alice" not in str(rule)
    assert [] == client().get(f"{REPOSITORY}/rules/branches/main").json()


def test_a_workflow_is_dispatched_where_its_file_is(repository: Repository, client: Client) -> None:
    repository.commit("main", {".github/workflows/build.yml": "on: workflow_dispatch\n"}, "Build")
    http, url = client(), f"{REPOSITORY}/actions/workflows/build.yml"

    older = http.post(f"{url}/dispatches", json={"ref": "main"})
    newest = http.post(
        f"{url}/dispatches", json={"ref": "main"}, headers={"x-github-api-version": "2026-03-10"}
    )

    assert (204, 200) == (older.status_code, newest.status_code)
    assert 404 == http.post(f"{url[:-4]}.yaml/dispatches", json={"ref": "main"}).status_code
    runs = http.get(f"{url}/runs").json()
    assert (2, newest.json()["workflow_run_id"]) == (runs["total_count"], runs["workflow_runs"][0]["id"])


def test_lists_have_pages(repository: Repository, client: Client) -> None:
    for number in range(3):
        repository.push(f"branch-{number}", repository.rev_parse("main"), by="alice")

    first = client().get(f"{REPOSITORY}/branches?per_page=3")
    second = client().get(first.links["next"]["url"])

    assert (3, 1) == (len(first.json()), len(second.json()))
    assert {"prev", "first"} == set(second.links)


def test_every_answer_has_a_request_id_and_limits(client: Client) -> None:
    answer = client().get("/nowhere-at-all")
    found = client().get("/repos/x/y")

    assert 404 == answer.status_code
    assert {"x-github-request-id", "x-ratelimit-remaining", "date"} <= set(found.headers)
    assert (404, "Not Found") == (found.status_code, found.json()["message"])


DEPLOYMENT = {"ref": "main", "auto_merge": False, "required_contexts": []}


def test_a_deployment_and_what_became_of_it(repository: Repository, client: Client) -> None:
    """A success takes the place of the one before, but not in production."""
    bot, deployments = client("stablehand-bot"), f"{REPOSITORY}/deployments"
    for environment in ("staging", "staging", "production", "production"):
        made = bot.post(deployments, json={**DEPLOYMENT, "environment": environment})
        said = bot.post(f"{deployments}/{made.json()['id']}/statuses", json={"state": "success"})
        assert (201, 201) == (made.status_code, said.status_code)
        assert repository.rev_parse("main") == made.json()["sha"]

    assert ["INACTIVE", "SUCCESS", "SUCCESS", "SUCCESS"] == [
        each.latest_status.state for each in repository.deployments if each.latest_status
    ]
    assert [False, False, True, True] == [each.is_production for each in repository.deployments]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {}, 422),
        ("", DEPLOYMENT | {"ref": "gone"}, 422),
        ("", {"ref": "main"}, 422),
        ("/1/statuses", {"state": "success"}, 404),
        ("/1/statuses", {"state": "well"}, 422),
    ],
)
def test_deployments_that_are_refused(
    repository: Repository, client: Client, path: str, body: dict[str, object], status: int
) -> None:
    assert status == client("stablehand-bot").post(f"{REPOSITORY}/deployments{path}", json=body).status_code


@pytest.mark.parametrize("login", ["mallory", "packit-as-a-service"])
def test_deployments_need_the_right_to_write_them(repository: Repository, client: Client, login: str) -> None:
    assert 403 == client(login).post(f"{REPOSITORY}/deployments", json=DEPLOYMENT).status_code
    assert [] == repository.deployments
