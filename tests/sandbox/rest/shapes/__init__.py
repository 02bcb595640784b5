"""The JSON of GitHub's REST objects, shared by the answers and the webhooks.

One class in layers by subject, each building on the one before: accounts and repositories, git, pull requests, checks.
"""

from tests.sandbox.rest.shapes.accounts import Json, stamp
from tests.sandbox.rest.shapes.checks import Shapes

__all__ = ["Json", "Shapes", "stamp"]
