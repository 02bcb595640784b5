"""Repositories, accounts and limits: what is neither git nor a pull request."""

from tests.sandbox.errors import Forbidden, NotFound, Unprocessable
from tests.sandbox.model import Permission
from tests.sandbox.rest.routing import Answer, RestCall, Router
from tests.sandbox.rest.shapes import stamp

router = Router()
REPOSITORY = "/repos/{owner}/{repo}"


@router.add("GET", "/user")
def get_user(call: RestCall) -> Answer:
    if call.viewer.app:
        raise Forbidden("Resource not accessible by integration")
    return Answer(call.shapes.profile(call.viewer))


@router.add("GET", "/users/{username}")
def get_other_user(call: RestCall) -> Answer:
    for account in call.store.accounts.values():
        if account.rest_login.lower() == call.params["username"].lower():
            return Answer(call.shapes.profile(account))
    raise NotFound("Not Found")


@router.add("GET", REPOSITORY)
def get_repository(call: RestCall) -> Answer:
    return Answer(call.shapes.repository(call.repository, call.account))


@router.add("GET", f"{REPOSITORY}/collaborators/{{username}}/permission")
def get_permission(call: RestCall) -> Answer:
    call.store.require(call.viewer, call.repository, Permission.WRITE)
    for account in call.store.accounts.values():
        if account.rest_login.lower() == call.params["username"].lower():
            right = call.store.permission(account, call.repository)
            name = right.name.lower()
            legacy = {"triage": "read", "maintain": "write"}.get(name, name)
            user = call.shapes.user(account) | {"role_name": name}
            return Answer({"permission": legacy, "role_name": name, "user": user})
    raise NotFound("Not Found")


@router.add("GET", f"{REPOSITORY}/activity")
def list_activity(call: RestCall) -> Answer:
    """List pushes, newest first; `ref` is a branch or a full ref name."""
    repository, ref = call.repository, call.query.get("ref")
    kind, actor = call.query.get("activity_type"), call.query.get("actor")
    found = [
        each
        for each in reversed(repository.activity)
        if ref in (None, each.ref, each.ref.removeprefix("refs/heads/"))
        and kind in (None, each.kind)
        and actor in (None, each.actor.rest_login)
    ]
    return call.page(found, lambda each: call.shapes.activity(repository, each))


@router.add("GET", f"{REPOSITORY}/rules/branches/{{branch}}")
def list_rules(call: RestCall) -> Answer:
    """List the rules of a branch; who is excepted from them is not said, as on GitHub."""
    if call.params["branch"] not in call.repository.protections:
        return Answer([])
    rule = {
        "type": "update",
        "parameters": {"update_allows_fetch_and_merge": False},
        "ruleset_source_type": "Repository",
        "ruleset_source": call.repository.full_name,
        "ruleset_id": call.repository.database_id,
    }
    return Answer([rule])


WORKFLOW = f"{REPOSITORY}/actions/workflows/{{workflow_id}}"


@router.add("POST", f"{WORKFLOW}/dispatches")
def dispatch_workflow(call: RestCall) -> Answer:
    account = call.writing("actions")
    (ref,) = call.required("ref")
    run = call.repository.dispatch(call.params["workflow_id"], ref, call.json.get("inputs") or {}, account)
    if call.version < "2026-03-10" and not call.json.get("return_run_details"):
        return Answer(status=204)
    shape = call.shapes.workflow_run(call.repository, run)
    return Answer(
        {"workflow_run_id": run.database_id, "run_url": shape["url"], "html_url": shape["html_url"]}
    )


@router.add("GET", f"{WORKFLOW}/runs")
def list_workflow_runs(call: RestCall) -> Answer:
    repository, workflow = call.repository, call.params["workflow_id"]
    branch, since = call.query.get("branch"), call.query.get("created", "")
    if since and not since.startswith(">="):
        raise Unprocessable(f"The sandbox knows created=>=TIME only, not {since}")
    found = [
        run
        for run in reversed(repository.workflow_runs)
        if workflow in (run.workflow, str(run.workflow_id))
        and branch in (None, run.ref)
        and (stamp(run.created_at) or "") >= since.removeprefix(">=")
    ]
    return call.page(found, lambda run: call.shapes.workflow_run(repository, run), under="workflow_runs")
