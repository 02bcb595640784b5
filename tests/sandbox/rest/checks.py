"""Commit statuses and check runs, and the endpoints under `commits/{ref}` that show them."""

from datetime import datetime
from typing import Any

from tests.sandbox.errors import Forbidden, Unprocessable
from tests.sandbox.model import App
from tests.sandbox.repository import ANNOTATIONS_PER_REQUEST
from tests.sandbox.rest.git import commit_named
from tests.sandbox.rest.routing import Answer, RestCall, Router

router = Router()
REPOSITORY = "/repos/{owner}/{repo}"
RUN = f"{REPOSITORY}/check-runs/{{check_run_id}}"
OUTPUT_LIMIT = 65_535


@router.add("POST", f"{REPOSITORY}/statuses/{{sha}}")
def create_status(call: RestCall) -> Answer:
    account = call.writing("statuses")
    (state,) = call.required("state")
    status = call.repository.post_status(
        call.params["sha"],
        call.json.get("context") or "default",
        state,
        description=call.json.get("description"),
        target_url=call.json.get("target_url"),
        by=account,
        at=call.store.clock(),
    )
    return Answer(call.shapes.status(call.repository, call.params["sha"], status), 201)


@router.add("GET", f"{REPOSITORY}/commits/{{ref}}/statuses")
def list_statuses(call: RestCall) -> Answer:
    sha = commit_named(call, call.params["ref"])
    return call.page(
        call.repository.statuses(sha), lambda each: call.shapes.status(call.repository, sha, each)
    )


@router.add("GET", f"{REPOSITORY}/commits/{{ref}}/status")
def get_combined_status(call: RestCall) -> Answer:
    sha = commit_named(call, call.params["ref"])
    return Answer(call.shapes.combined_status(call.repository, sha, call.repository.latest_statuses(sha)))


@router.add("GET", f"{REPOSITORY}/commits/{{ref}}/check-runs")
def list_check_runs(call: RestCall) -> Answer:
    repository, query = call.repository, call.query
    runs = repository.check_runs(
        commit_named(call, call.params["ref"]), latest=query.get("filter", "latest") == "latest"
    )
    found = [
        run
        for run in runs
        if query.get("app_id") in (None, str(run.app.database_id))
        and query.get("check_name") in (None, run.name)
        and query.get("status") in (None, run.status)
    ]
    return call.page(found, lambda run: call.shapes.check_run(repository, run), under="check_runs")


def writing_app(call: RestCall) -> App:
    """Give the App whose bot asks; people cannot write checks."""
    if call.viewer.app is None:
        raise Forbidden("You must authenticate via a GitHub App.")
    call.writing("checks")
    return call.viewer.app


def output_of(call: RestCall) -> dict[str, Any]:
    """Read `output`, within its limits."""
    output = dict(call.json.get("output") or {})
    if len(output.get("annotations") or ()) > ANNOTATIONS_PER_REQUEST:
        raise Unprocessable(f"Invalid request.\n\nNo more than {ANNOTATIONS_PER_REQUEST} items are allowed.")
    for name in ("summary", "text"):
        if len((output.get(name) or "").encode()) > OUTPUT_LIMIT:
            raise Unprocessable(f"Invalid request.\n\nOnly {OUTPUT_LIMIT} characters are allowed in {name}.")
    return output


def time_of(call: RestCall, name: str) -> datetime | None:
    return datetime.fromisoformat(call.json[name]) if call.json.get(name) else None


@router.add("POST", f"{REPOSITORY}/check-runs")
def create_check_run(call: RestCall) -> Answer:
    app, repository = writing_app(call), call.repository
    name, sha = call.required("name", "head_sha")
    conclusion = call.json.get("conclusion")
    run = repository.add_check_run(
        sha,
        app.slug,
        name,
        "completed" if conclusion else call.json.get("status", "queued"),
        conclusion,
        started_at=time_of(call, "started_at"),
        completed_at=time_of(call, "completed_at"),
        details_url=call.json.get("details_url"),
        external_id=call.json.get("external_id") or "",
        output=output_of(call),
    )
    return Answer(call.shapes.check_run(repository, run), 201)


@router.add("GET", RUN)
def get_check_run(call: RestCall) -> Answer:
    run = call.repository.check_run(int(call.params["check_run_id"]))
    return Answer(call.shapes.check_run(call.repository, run))


@router.add("GET", f"{RUN}/annotations")
def list_annotations(call: RestCall) -> Answer:
    run = call.repository.check_run(int(call.params["check_run_id"]))
    defaults = {"title": None, "raw_details": None, "start_column": None, "end_column": None, "blob_href": ""}
    return call.page(run.output.get("annotations", []), lambda each: {**defaults, **each})


@router.add("PATCH", RUN)
def update_check_run(call: RestCall) -> Answer:
    """Change a run; further annotations join those that it has."""
    app, repository = writing_app(call), call.repository
    run = repository.check_run(int(call.params["check_run_id"]))
    if run.app.database_id != app.database_id:
        raise Forbidden(
            "Invalid app_id `" + str(app.database_id) + "` - check run can only be modified by its App."
        )
    output = output_of(call)
    annotations = [*run.output.get("annotations", ()), *output.get("annotations", ())]
    run.output = {**run.output, **output, "annotations": annotations}
    run.name = call.json.get("name", run.name)
    run.details_url = call.json.get("details_url", run.details_url)
    run.started_at = time_of(call, "started_at") or run.started_at
    run.conclusion = call.json.get("conclusion", run.conclusion)
    run.status = "completed" if call.json.get("conclusion") else call.json.get("status", run.status)
    if run.status == "completed":
        run.completed_at = time_of(call, "completed_at") or run.completed_at or call.store.clock()
        repository.announce_check_run(run, "completed")
    return Answer(call.shapes.check_run(repository, run))


@router.add("GET", f"{REPOSITORY}/commits/{{ref}}")
def get_commit(call: RestCall) -> Answer:
    commit = call.repository.commit_at(commit_named(call, call.params["ref"]))
    return Answer(call.shapes.commit(call.repository, commit, detailed=True))
