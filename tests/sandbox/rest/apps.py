"""GitHub Apps speaking as themselves: by a JWT signed with their key, to get a token of an installation."""

from datetime import timedelta

from tests.sandbox.errors import BadCredentials, NotFound
from tests.sandbox.model import App
from tests.sandbox.rest.routing import Answer, RestCall, Router
from tests.sandbox.rest.shapes import Json, stamp

router = Router()
TOKEN_LIFETIME = timedelta(hours=1)


def speaking_app(call: RestCall) -> App:
    if call.app is None:
        raise BadCredentials("A JSON web token could not be decoded")
    return call.app


def installation(call: RestCall, app: App) -> Json:
    url = f"{call.shapes.url}/app/installations/{app.installation_id}"
    account = call.shapes.app(app)["owner"]
    return {
        "id": app.installation_id,
        "account": account,
        "repository_selection": "all",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{call.shapes.url}/installation/repositories",
        "html_url": f"{call.shapes.url}/settings/installations/{app.installation_id}",
        "app_id": app.database_id,
        "target_id": account["id"],
        "target_type": "Organization",
        "permissions": dict(app.permissions),
        "events": [],
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
        "single_file_name": None,
        "app_slug": app.slug,
        "suspended_by": None,
        "suspended_at": None,
    }


@router.add("GET", "/app")
def get_app(call: RestCall) -> Answer:
    return Answer(call.shapes.app(speaking_app(call)))


@router.add("GET", "/app/installations")
def list_installations(call: RestCall) -> Answer:
    return Answer([installation(call, speaking_app(call))])


@router.add("GET", "/repos/{owner}/{repo}/installation")
def get_repository_installation(call: RestCall) -> Answer:
    return Answer(installation(call, speaking_app(call)))


@router.add("POST", "/app/installations/{installation_id}/access_tokens")
def create_token(call: RestCall) -> Answer:
    app = speaking_app(call)
    if call.params["installation_id"] != str(app.installation_id):
        raise NotFound("Not Found")
    expires_at = call.store.clock() + TOKEN_LIFETIME
    token = call.store.credentials.issue(app.slug, expires_at=expires_at)
    body = {
        "token": token,
        "expires_at": stamp(expires_at),
        "permissions": dict(app.permissions),
        "repository_selection": "all",
    }
    return Answer(body, 201)
