"""The deployments are those that are served, and their names are the ones to look for in Prefect."""

from pydantic import SecretStr

from flows.deployments import make_deployments
from flows.settings import Settings
from tests.docs.pages import OPERATING


async def test_every_deployment_is_listed() -> None:
    settings = Settings(repository="example/release-state", token=SecretStr("no token"))
    served = {f"{each.flow_name}/{each.name}" for each in await make_deployments(settings)}
    assert served == set(OPERATING.table("deployment", "runs"))
