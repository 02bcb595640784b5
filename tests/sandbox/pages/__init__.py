"""The sandbox's web pages: where the demo's people read proposals, edit the file, review and merge.

Pages only read the store. Whatever a form asks for is sent through the REST API with the token of who acts,
so that rights, limits and webhooks are those of every other client.
"""

from tests.sandbox.pages.site import application

__all__ = ["application"]
