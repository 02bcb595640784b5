"""GitHub's GraphQL API: `schema.graphql` executed by graphql-core over the store.

`nodes` are the object types, one class each; `queries` and `mutations` the roots; `execution` puts them together.
"""

from tests.sandbox.graphql.nodes import Call

__all__ = ["Call"]
