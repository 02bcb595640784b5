"""Statuses, check runs, deployments, workflow runs and webhooks."""

from dataclasses import dataclass

from tests.sandbox.model import (
    CheckRun,
    Delivery,
    Deployment,
    DeploymentStatus,
    Hook,
    Status,
    WorkflowRun,
)
from tests.sandbox.repository import Repository
from tests.sandbox.rest.shapes.accounts import Json, stamp
from tests.sandbox.rest.shapes.pulls import PullShapes


@dataclass(frozen=True)
class Shapes(PullShapes):
    """All of them."""

    def status(self, repository: Repository, sha: str, status: Status) -> Json:
        return {
            "url": f"{self.api(repository)}/statuses/{sha}",
            "avatar_url": f"{self.url}/avatars/{status.creator.database_id}",
            "id": status.database_id,
            "node_id": status.node_id,
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "creator": self.user(status.creator),
        }

    def combined_status(self, repository: Repository, sha: str, statuses: list[Status]) -> Json:
        api = self.api(repository)
        states = {status.state for status in statuses}
        state = (
            "failure" if states & {"failure", "error"} else "pending" if states != {"success"} else "success"
        )
        return {
            "state": state,
            "statuses": [
                {
                    name: value
                    for name, value in self.status(repository, sha, each).items()
                    if name != "creator"
                }
                for each in statuses
            ],
            "sha": sha,
            "total_count": len(statuses),
            "repository": self.repository(repository),
            "commit_url": f"{api}/commits/{sha}",
            "url": f"{api}/commits/{sha}/status",
        }

    def check_run(self, repository: Repository, run: CheckRun) -> Json:
        api = self.api(repository)
        url = f"{api}/check-runs/{run.database_id}"
        html = f"{self.page(repository)}/runs/{run.database_id}"
        return {
            "id": run.database_id,
            "name": run.name,
            "node_id": run.node_id,
            "head_sha": run.sha,
            "external_id": run.external_id,
            "url": url,
            "html_url": html,
            "details_url": run.details_url or html,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": stamp(run.started_at),
            "completed_at": stamp(run.completed_at),
            "output": {
                "title": run.output.get("title"),
                "summary": run.output.get("summary"),
                "text": run.output.get("text"),
                "annotations_count": len(run.output.get("annotations", ())),
                "annotations_url": f"{url}/annotations",
            },
            "check_suite": {"id": run.suite_id},
            "app": self.app(run.app),
            "pull_requests": [],
        }

    def check_suite(self, repository: Repository, run: CheckRun) -> Json:
        """Give the suite of a run, as the webhook of the run shows it."""
        return {
            "id": run.suite_id,
            "node_id": f"CS_{run.suite_id}",
            "head_branch": None,
            "head_sha": run.sha,
            "status": run.status,
            "conclusion": run.conclusion,
            "url": f"{self.api(repository)}/check-suites/{run.suite_id}",
            "before": None,
            "after": None,
            "pull_requests": [],
            "app": self.app(run.app),
            "created_at": stamp(run.created_at),
            "updated_at": stamp(run.completed_at or run.started_at or run.created_at),
        }

    def deployment(self, repository: Repository, deployment: Deployment, ref: str) -> Json:
        url = f"{self.api(repository)}/deployments/{deployment.database_id}"
        return {
            "url": url,
            "id": deployment.database_id,
            "node_id": deployment.node_id,
            "sha": deployment.sha,
            "ref": ref,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user(deployment.creator),
            "created_at": stamp(deployment.created_at),
            "updated_at": stamp(deployment.created_at),
            "statuses_url": f"{url}/statuses",
            "repository_url": self.api(repository),
            "transient_environment": deployment.is_transient,
            "production_environment": deployment.is_production,
        }

    def deployment_status(
        self, repository: Repository, deployment: Deployment, status: DeploymentStatus
    ) -> Json:
        url = f"{self.api(repository)}/deployments/{deployment.database_id}"
        return {
            "url": f"{url}/statuses/{status.database_id}",
            "id": status.database_id,
            "node_id": status.node_id,
            "state": status.state.lower(),
            "creator": self.user(status.creator),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": status.log_url or "",
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "deployment_url": url,
            "repository_url": self.api(repository),
            "environment_url": "",
            "log_url": status.log_url or "",
        }

    def workflow_run(self, repository: Repository, run: WorkflowRun) -> Json:
        api = f"{self.api(repository)}/actions"
        url = f"{api}/runs/{run.database_id}"
        head = repository.commit_at(run.sha)
        git = self.git_commit(repository, head)
        return {
            "id": run.database_id,
            "name": run.workflow,
            "node_id": f"WFR_{run.database_id}",
            "head_branch": run.ref,
            "head_sha": run.sha,
            "path": f".github/workflows/{run.workflow}",
            "display_title": run.workflow,
            "run_number": run.database_id,
            "event": "workflow_dispatch",
            "status": "queued",
            "conclusion": None,
            "workflow_id": run.workflow_id,
            "check_suite_id": run.database_id,
            "check_suite_node_id": f"CS_{run.database_id}",
            "url": url,
            "html_url": f"{self.page(repository)}/actions/runs/{run.database_id}",
            "pull_requests": [],
            "created_at": stamp(run.created_at),
            "updated_at": stamp(run.created_at),
            "run_started_at": stamp(run.created_at),
            "actor": self.user(run.actor),
            "triggering_actor": self.user(run.actor),
            **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")},
            "check_suite_url": f"{self.api(repository)}/check-suites/{run.database_id}",
            "workflow_url": f"{api}/workflows/{run.workflow_id}",
            "head_commit": {
                "id": run.sha,
                "tree_id": git["tree"]["sha"],
                "message": head.message,
                "timestamp": git["author"]["date"],
                "author": {"name": head.author.name, "email": head.author.email},
                "committer": {"name": head.committer.name, "email": head.committer.email},
            },
            "repository": self.repository(repository),
            "head_repository": self.repository(repository),
        }

    def hook(self, repository: Repository, hook: Hook) -> Json:
        url = f"{self.api(repository)}/hooks/{hook.database_id}"
        last = hook.deliveries[-1] if hook.deliveries else None
        return {
            "type": "Repository",
            "id": hook.database_id,
            "name": "web",
            "active": hook.active,
            "events": list(hook.events),
            "config": {
                "url": hook.url,
                "content_type": hook.content_type,
                "insecure_ssl": "0",
                **({"secret": "********"} if hook.secret else {}),
            },
            "created_at": stamp(hook.created_at),
            "updated_at": stamp(hook.created_at),
            "url": url,
            "test_url": f"{url}/test",
            "ping_url": f"{url}/pings",
            "deliveries_url": f"{url}/deliveries",
            "last_response": {
                "code": last.status if last else None,
                "status": "unused" if last is None else "active" if last.status else "misconfigured",
                "message": last.error if last else None,
            },
        }

    def delivery(self, delivery: Delivery) -> Json:
        return {
            "id": delivery.database_id,
            "guid": delivery.guid,
            "delivered_at": stamp(delivery.at),
            "redelivery": delivery.redelivery,
            "duration": 0.0,
            "status": delivery.error or "OK",
            "status_code": delivery.status or 0,
            "event": delivery.event,
            "action": delivery.payload.get("action"),
            "installation_id": None,
            "repository_id": delivery.payload["repository"]["id"],
            "throttled_at": None,
        }
