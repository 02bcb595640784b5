"""What every object type of the schema has in common.

A type is a class with an attribute, a property or a method for each field, named in snake case; a method's
parameters are the field's arguments. A field that the class has not is read from its `record`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from tests.sandbox.graphql.connections import Connection
from tests.sandbox.metering import RateLimit
from tests.sandbox.model import Account
from tests.sandbox.store import Store

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """Who asks, and through which door."""

    store: Store
    account: Account
    url: str
    request_id: str
    rate_limit: RateLimit


@dataclass(frozen=True)
class Node:
    """A type that shows something with a `node_id`."""

    call: Call
    record: Any

    @property
    def id(self) -> str:
        return str(self.record.node_id)


def page_of(name: str, items: Iterable[T], page: dict[str, Any]) -> Connection[T]:
    """Give the page of a list that is at hand; what has to be walked makes its own `Connection`."""
    known = list(items)
    return Connection(name, lambda: known, **page)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class ActorNode(Node):
    """Whoever acts, where the schema says Actor."""

    record: Account

    @property
    def typename(self) -> str:
        return self.record.kind

    @property
    def url(self) -> str:
        return f"{self.call.url}/{'apps/' if self.record.app else ''}{self.record.login}"


@dataclass(frozen=True)
class UserNode(Node):
    """Whoever acts, where the schema has room for a User only: there a bot goes by its REST login."""

    record: Account
    typename: ClassVar[str] = "User"

    @property
    def login(self) -> str:
        return self.record.rest_login

    @property
    def url(self) -> str:
        return f"{self.call.url}/{self.record.login}"
