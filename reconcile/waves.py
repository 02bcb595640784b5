"""Waves: which repositories may move together. Pure."""

from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter

from reconcile.errors import StallError
from state.ids import RepositoryName
from state.policy import Policy


class OrderCycleError(StallError):
    """The policy's ``after`` runs in a circle, so nothing can come first."""

    def __init__(self, cycle: tuple[RepositoryName, ...]) -> None:
        self.cycle = cycle
        super().__init__(f"The policy's order is a circle: {' → '.join(cycle)}. Remove one `after` of these.")


def order(policy: Policy, repositories: Collection[RepositoryName]) -> tuple[tuple[RepositoryName, ...], ...]:
    """Group repositories so that each stands behind everything that it comes after; names sorted in a group.

    A repository that is not in the policy comes after nothing. What is named in ``after`` but is not among
    ``repositories`` still orders what is: a → b → c keeps c behind a when only a and c are asked for.

    Raises:
        OrderCycleError: The policy's order runs in a circle.
    """
    sorter = TopologicalSorter({name: each.after for name, each in policy.repositories.items()})
    for name in repositories:
        sorter.add(name)
    try:
        sorter.prepare()
    except CycleError as error:
        raise OrderCycleError(tuple(reversed(error.args[1]))) from error
    groups = []
    while sorter.is_active():
        ready = sorter.get_ready()
        groups.append(tuple(sorted(set(ready) & set(repositories))))
        sorter.done(*ready)
    return tuple(group for group in groups if group)


def predecessors(policy: Policy, name: RepositoryName) -> frozenset[RepositoryName]:
    """Return everything that a repository comes after, near and far. Ends also on a cycle."""
    found: set[RepositoryName] = set()
    waiting = [name]
    while waiting:
        current = policy.repositories.get(waiting.pop())
        new = set(current.after) - found if current else set()
        found |= new
        waiting += new
    return frozenset(found)
