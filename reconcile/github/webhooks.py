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
"""What gives a pull request other documents to check."""
_CHANGING_EDITS = {"base", "body"}
"""What of an edit counts: the base brings another policy, and the proposal's text says until when its evidence counts.

No check edits either, so none wakes another. The rest of what happens to a pull request changes nothing that is said
of it: a title, a draft, a review. One that is closed is left alone; where that was its merge, there was a push.
"""


class Pushed(Frozen):
    """The default branch of a repository has a new head."""

    repository: RepositoryName
    commit: Sha


class PullRequestChanged(Frozen):
    """A pull request has other commits than before, another base or another text."""

    repository: RepositoryName
    number: int


class Labelled(Frozen):
    """Somebody put a label on a pull request."""

    repository: RepositoryName
    branch: str
    """Where its commits are, in whichever repository."""
    label: str


Notice = Pushed | PullRequestChanged | Labelled


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
                return _noticed(_PullRequest.model_validate_json(body))
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


def _noticed(change: "_PullRequest") -> PullRequestChanged | Labelled | None:
    repository = change.repository.full_name
    if change.action == "labeled" and change.label:
        return Labelled(repository=repository, branch=change.pull_request.head.ref, label=change.label.name)
    if change.action in _CHANGING_ACTIONS or (
        change.action == "edited" and _CHANGING_EDITS & change.changes.keys()
    ):
        return PullRequestChanged(repository=repository, number=change.number)
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


class _Label(_Payload):
    name: str


class _Head(_Payload):
    ref: str


class _Subject(_Payload):
    head: _Head


class _PullRequest(_Payload):
    action: str
    number: int = Field(ge=1)
    pull_request: _Subject
    label: _Label | None = None
    """What was put on or taken off, where the action is that."""
    changes: dict[str, object] = {}
    repository: _Repository
