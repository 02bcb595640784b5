"""What a query costs on the primary limit, by GitHub's rule: connections to be fetched, by the hundred."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

NODES_PER_POINT = 100


@dataclass(frozen=True)
class Cost:
    """`nodes` counts what may be reached, `fetches` the connections if every page is full."""

    nodes: int = 0
    fetches: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.nodes + other.nodes, self.fetches + other.fetches)

    @property
    def points(self) -> int:
        return max(1, round(self.fetches / NODES_PER_POINT))


@dataclass(frozen=True)
class Meter:
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def measure(self, selections: SelectionSetNode | None, times: int = 1) -> Cost:
        cost = Cost()
        for node in self._fields(selections):
            size = self._page_size(node)
            if size is not None:
                cost += Cost(times * size, times)
            cost += self.measure(node.selection_set, times * (size or 1))
        return cost

    def _fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                yield from self._fields(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                yield from self._fields(self.fragments[selection.name.value].selection_set)

    def _page_size(self, node: FieldNode) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    return self.variables.get(argument.value.name.value)
        return None


def cost_of(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Cost:
    """Measure a document that has been validated."""
    definitions = document.definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    return Meter(fragments, variables).measure(operation.selection_set)
