"""Run one GraphQL request, and say errors the way GitHub says them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tests.sandbox.errors import Refusal, StaleRef
from tests.sandbox.graphql.cost import Cost, cost_of
from tests.sandbox.graphql.mutations import Mutations
from tests.sandbox.graphql.nodes import Call, stamp
from tests.sandbox.graphql.queries import Queries

SCHEMA = Path(__file__).parent.parent / "schema.graphql"


@cache
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


@dataclass(frozen=True)
class Operation:
    """One operation of a valid document, with the variables it came with."""

    document: DocumentNode
    definition: OperationDefinitionNode
    variables: Mapping[str, Any]

    @property
    def is_mutation(self) -> bool:
        return self.definition.operation is OperationType.MUTATION

    @property
    def cost(self) -> Cost:
        return cost_of(self.document, self.definition, self.variables)


@lru_cache(maxsize=512)
def parse_valid(query: str) -> DocumentNode | tuple[GraphQLError, ...]:
    """Parse a document, or say what is wrong with it; clients send the same ones again and again."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return (error,)
    return tuple(validate(schema(), document)) or document


def read_operation(body: Mapping[str, Any]) -> Operation | tuple[GraphQLError, ...]:
    """Find the operation that a request asks for."""
    document = parse_valid(body["query"])
    if isinstance(document, tuple):
        return document
    name = body.get("operationName")
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and (
            name is None or (definition.name and definition.name.value == name)
        ):
            return Operation(document, definition, body.get("variables") or {})
    return (GraphQLError(f"No operation named {name!r}" if name else "A query has to have an operation"),)


def execute(call: Call, operation: Operation) -> dict[str, Any]:
    result = execute_sync(
        schema(),
        operation.document,
        root_value=Mutations(call) if operation.is_mutation else Queries(call),
        variable_values=dict(operation.variables),
        operation_name=operation.definition.name.value if operation.definition.name else None,
        field_resolver=resolve_field,
        type_resolver=resolve_type,
    )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [render_error(error, call.request_id) for error in result.errors]
    return answer


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def snake_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake(key): snake_keys(inner) for key, inner in value.items()}
    return [snake_keys(inner) for inner in value] if isinstance(value, list) else value


def resolve_field(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """Read the attribute of the node, or of the record that it shows, or call its method."""
    name = snake(info.field_name)
    value = getattr(source, name) if hasattr(source, name) else getattr(source.record, name)
    if callable(value):
        value = value(**snake_keys(arguments))
    return stamp(value) if isinstance(value, datetime) else value


def resolve_type(value: Any, *_: Any) -> str:
    return str(value.typename)


def render_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """Say an error as GitHub does; a bug of the sandbox is raised, not said."""
    cause = error.original_error or error
    if not isinstance(cause, Refusal | GraphQLError):
        raise cause
    entry: dict[str, Any] = {}
    kind = cause.graphql_type if isinstance(cause, Refusal) else getattr(cause, "type", None)
    if kind:
        entry["type"] = kind
    if error.path:
        entry["path"] = list(error.path)
    if error.locations:
        entry["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    entry["message"] = error.message
    if isinstance(cause, StaleRef):
        entry["message"] = (
            "Something went wrong while executing your query. "
            f"Please include `{request_id}` when reporting this issue."
        )
    return entry
