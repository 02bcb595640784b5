"""A GitHub that runs on your machine: for tests, benchmarks and the demo. Never part of the installed product."""

from tests.sandbox.faults import Fault, Faults
from tests.sandbox.metering import RequestLog
from tests.sandbox.model import Permission
from tests.sandbox.repository import RefUpdate, Repository
from tests.sandbox.server import Sandbox
from tests.sandbox.store import Store

__all__ = ["Fault", "Faults", "Permission", "RefUpdate", "Repository", "RequestLog", "Sandbox", "Store"]
