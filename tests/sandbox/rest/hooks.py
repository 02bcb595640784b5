"""A repository's webhooks and their deliveries."""

from tests.sandbox.errors import NotFound, Unprocessable
from tests.sandbox.model import Delivery, Hook
from tests.sandbox.rest.routing import Answer, RestCall, Router

router = Router()
HOOKS = "/repos/{owner}/{repo}/hooks"
HOOK = f"{HOOKS}/{{hook_id}}"


def find_hook(call: RestCall) -> Hook:
    call.writing("repository_hooks")
    hook_id = call.params["hook_id"]
    if not hook_id.isdecimal() or int(hook_id) not in call.repository.hooks:
        raise NotFound("Not Found")
    return call.repository.hooks[int(hook_id)]


@router.add("GET", HOOKS)
def list_hooks(call: RestCall) -> Answer:
    call.writing("repository_hooks")
    return call.page(
        list(call.repository.hooks.values()), lambda hook: call.shapes.hook(call.repository, hook)
    )


@router.add("POST", HOOKS)
def create_hook(call: RestCall) -> Answer:
    call.writing("repository_hooks")
    config = call.json.get("config") or {}
    if not config.get("url"):
        raise Unprocessable(
            "Validation Failed", errors=[{"resource": "Hook", "code": "missing", "field": "url"}]
        )
    hook = call.repository.add_hook(
        config["url"], events=call.json.get("events") or ["push"], secret=config.get("secret")
    )
    return Answer(call.shapes.hook(call.repository, hook), 201)


@router.add("GET", HOOK)
def get_hook(call: RestCall) -> Answer:
    return Answer(call.shapes.hook(call.repository, find_hook(call)))


@router.add("DELETE", HOOK)
def delete_hook(call: RestCall) -> Answer:
    del call.repository.hooks[find_hook(call).database_id]
    return Answer(status=204)


@router.add("GET", f"{HOOK}/deliveries")
def list_deliveries(call: RestCall) -> Answer:
    return call.page(find_hook(call).deliveries[::-1], call.shapes.delivery)


def find_delivery(call: RestCall) -> tuple[Hook, Delivery]:
    hook = find_hook(call)
    for delivery in hook.deliveries:
        if str(delivery.database_id) == call.params["delivery_id"]:
            return hook, delivery
    raise NotFound("Not Found")


@router.add("POST", f"{HOOK}/deliveries/{{delivery_id}}/attempts")
def redeliver(call: RestCall) -> Answer:
    hook, delivery = find_delivery(call)
    call.store.redeliver(hook, delivery)
    return Answer({}, 202)


@router.add("POST", f"{HOOK}/pings")
def ping(call: RestCall) -> Answer:
    hook = find_hook(call)
    call.store.announce("ping", call.repository, call.viewer, hook=hook)
    return Answer(status=204)
