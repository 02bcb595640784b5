"""Deployments: asking for one, and saying what became of it."""

from tests.sandbox.errors import Unprocessable, invalid
from tests.sandbox.model import DeploymentState
from tests.sandbox.rest.routing import Answer, RestCall, Router

router = Router()
DEPLOYMENTS = "/repos/{owner}/{repo}/deployments"
STATES: dict[str, DeploymentState] = {
    "error": "ERROR",
    "failure": "FAILURE",
    "in_progress": "IN_PROGRESS",
    "inactive": "INACTIVE",
    "pending": "PENDING",
    "queued": "QUEUED",
    "success": "SUCCESS",
}


@router.add("POST", DEPLOYMENTS)
def create_deployment(call: RestCall) -> Answer:
    account = call.writing("deployments")
    (ref,) = call.required("ref")
    sha = call.repository.resolve(ref)
    if sha is None:
        raise Unprocessable(f"No ref found for: {ref}")
    given = call.json
    if given.get("auto_merge", True) or given.get("required_contexts") != []:
        raise Unprocessable("The sandbox neither merges nor waits: auto_merge: false, required_contexts: []")
    details = {
        name: given[key]
        for name, key in (
            ("task", "task"),
            ("payload", "payload"),
            ("description", "description"),
            ("is_transient", "transient_environment"),
            ("is_production", "production_environment"),
        )
        if key in given
    }
    made = call.repository.create_deployment(
        sha, given.get("environment", "production"), by=account, **details
    )
    return Answer(call.shapes.deployment(call.repository, made, ref), 201)


@router.add("POST", f"{DEPLOYMENTS}/{{deployment_id}}/statuses")
def create_deployment_status(call: RestCall) -> Answer:
    account = call.writing("deployments")
    (state,) = call.required("state")
    if state not in STATES:
        raise invalid("DeploymentStatus", "state", "state is not included in the list")
    number = int(call.params["deployment_id"])
    status = call.repository.report_deployment(
        number,
        STATES[state],
        by=account,
        log_url=call.json.get("log_url"),
        description=call.json.get("description") or "",
        auto_inactive=call.json.get("auto_inactive", True),
    )
    shape = call.shapes.deployment_status(call.repository, call.repository.deployment(number), status)
    return Answer(shape, 201)
