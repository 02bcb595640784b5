"""What GitHub tells by webhook: whether it is GitHub who speaks, and the little of it that is acted on.

A delivery says that something changed, never what to do about it: whoever is woken by one reads the state anew. So
a delivery that is lost, late or repeated costs time at most. Does not import githubkit, whose models of every
delivery take a second to load and whose comparison of signatures fails on one that is not ASCII.
"""

import hashlib
import hmac

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from reconcile.errors import UnexpectedAnswerError
from state.ids import Frozen, RepositoryName, Sha

_CHANGING_ACTIONS = {"opened", "reopened", "synchronize"}
"""What gives a pull request other documents to check. ``edited`` counts only where the base was edited."""


class Pushed(Frozen):
    """The default branch of a repository has a new head."""

    repository: RepositoryName
    commit: Sha


class PullRequestChanged(Frozen):
    """A pull request has other commits than before, or another base."""

    repository: RepositoryName
    number: int


Notice = Pushed | PullRequestChanged


def is_signed(body: bytes, signature: str | None, secret: SecretStr) -> bool:
    """Say whether ``X-Hub-Signature-256`` is that of this body; takes as long for a wrong one as for a right one."""
    expected = "sha256=" + hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").encode())


def parse_delivery(event: str, body: bytes) -> Notice | None:
    """Read a delivery; none for everything that is not acted on.

    Raises:
        UnexpectedAnswerError: It is not what GitHub documents for this event.
    """
    try:
        match event:
            case "push":
                return _pushed(_Push.model_validate_json(body))
            case "pull_request":
                return _changed(_PullRequest.model_validate_json(body))
            case _:
                return None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise UnexpectedAnswerError(
            f"A {event} delivery cannot be read at {where}: {first['msg']}."
        ) from error


def _pushed(push: "_Push") -> Pushed | None:
    if push.deleted or push.ref != f"refs/heads/{push.repository.default_branch}":
        return None
    return Pushed(repository=push.repository.full_name, commit=push.after)


def _changed(change: "_PullRequest") -> PullRequestChanged | None:
    if change.action in _CHANGING_ACTIONS or (change.action == "edited" and "base" in change.changes):
        return PullRequestChanged(repository=change.repository.full_name, number=change.number)
    return None


class _Payload(BaseModel):
    """A part of a payload: what nobody asked for is left out."""

    model_config = ConfigDict(frozen=True)


class _Repository(_Payload):
    full_name: RepositoryName
    default_branch: str


class _Push(_Payload):
    ref: str
    after: Sha
    deleted: bool = False
    repository: _Repository


class _PullRequest(_Payload):
    action: str
    number: int = Field(ge=1)
    changes: dict[str, object] = {}
    repository: _Repository
