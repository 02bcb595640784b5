"""What GitHub refuses, once, with the status of its REST answer and the type of its GraphQL error."""

from typing import Any, ClassVar


class Refusal(Exception):  # noqa: N818 - a refusal is an answer to the client, not a failure of the sandbox
    """Something GitHub would not do; the edges turn it into a REST or a GraphQL answer."""

    status: ClassVar[int] = 422
    graphql_type: ClassVar[str | None] = "UNPROCESSABLE"

    def __init__(self, message: str, *, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors


class NotFound(Refusal):
    status = 404
    graphql_type = "NOT_FOUND"


class BadCredentials(Refusal):
    status = 401
    graphql_type = None


class Forbidden(Refusal):
    status = 403
    graphql_type = "FORBIDDEN"


class Conflict(Refusal):
    status = 409


class NotMergeable(Refusal):
    status = 405


class Unprocessable(Refusal):
    """Also what GitHub's REST calls a validation failure: `errors` names the fields."""


class Protected(Refusal):
    graphql_type = "BRANCH_PROTECTION_RULE_VIOLATION"


class StaleHead(Refusal):
    """`expectedHeadOid` is not the head."""

    status = 409
    graphql_type = "STALE_DATA"


class StaleRef(Refusal):
    """`beforeOid` is not where the ref is. GitHub says no more than that something went wrong."""

    graphql_type = None


def invalid(resource: str, field: str, message: str) -> Unprocessable:
    """Build GitHub's usual 422 about one field."""
    return Unprocessable(
        "Validation Failed",
        errors=[{"resource": resource, "code": "custom", "field": field, "message": message}],
    )
