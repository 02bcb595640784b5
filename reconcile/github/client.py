"""The adapter as a whole: what `reconcile.ports` asks for, answered by GitHub.

The only package that knows githubkit. Import it where a client is made, not before: that takes half a second.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import githubkit
import httpx
from githubkit.auth import AppInstallationAuthStrategy, BaseAuthStrategy, TokenAuthStrategy
from githubkit.cache import MemCacheStrategy
from githubkit.throttling import LocalThrottler

from reconcile import ports
from reconcile.github.changes import Changes
from reconcile.github.checks import Checks
from reconcile.github.contents import Contents
from reconcile.github.deployments import Deployments
from reconcile.github.histories import Histories
from reconcile.github.notes import Notes
from reconcile.github.pulls import Pulls
from reconcile.github.refs import Refs
from reconcile.github.released import Released
from reconcile.github.settings import AppCredentials, GitHubSettings, TokenCredentials
from reconcile.github.setup import Setup
from reconcile.github.transport import Pace, Requests, Transport
from reconcile.github.workflows import Workflows
from state.ids import RepositoryName

__all__ = ["AppCredentials", "GitHub", "GitHubSettings", "TokenCredentials", "connect"]

_CONCURRENT_REQUESTS = 8
"""Far below GitHub's hundred, which every client of the account shares."""
_CONNECT_SECONDS = 5.0


class GitHub(
    Changes,
    Contents,
    Refs,
    Histories,
    Pulls,
    Notes,
    Checks,
    Deployments,
    Workflows,
    Released,
    Setup,
    ports.BudgetReader,
    ports.ReleaseStateReader,
    ports.FleetReader,
    ports.RefWriter,
    ports.WorkflowDispatcher,
    ports.LedgerReader,
    ports.LedgerWriter,
    ports.ValidationReader,
    ports.DeploymentWriter,
    ports.HistoryReader,
    ports.ReleasedReader,
    ports.FleetFinder,
    ports.FilesWriter,
    ports.PullRequestReader,
    ports.ProposalWriter,
    ports.ReportWriter,
):
    """GitHub, as one account sees it, around one release-state repository.

    Good for every port. Whoever only plans is handed it as a reader.
    """

    @property
    def requests(self) -> Requests:
        """How many requests were sent so far."""
        return self._transport.requests

    def budget(self) -> ports.Budget | None:
        return self._transport.budget


@asynccontextmanager
async def connect(
    settings: GitHubSettings,
    *,
    repository: RepositoryName,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[GitHub]:
    """Open connections to GitHub, and close them at the end. Sends nothing by itself.

    Args:
        settings: Where, and as whom.
        repository: The release-state repository.
        transport: What carries the requests instead of the network.
    """
    api: githubkit.GitHub[BaseAuthStrategy] = githubkit.GitHub(
        _strategy(settings.credentials),
        base_url=settings.url,
        user_agent=f"stablehand/{version('stablehand')}",
        timeout=httpx.Timeout(settings.timeout_seconds, connect=_CONNECT_SECONDS, pool=None),
        async_transport=transport,
        throttler=LocalThrottler(_CONCURRENT_REQUESTS),
        # An app's token is kept as long as this client: the default cache is one for all addresses.
        cache_strategy=MemCacheStrategy(),
        # Both would work behind the transport's back: githubkit repeats writes too, and reads must be fresh.
        auto_retry=False,
        http_cache=False,
    )
    async with api:
        yield GitHub(Transport(api, url=settings.url, pace=Pace(settings.seconds_between_writes)), repository)


def _strategy(credentials: TokenCredentials | AppCredentials) -> BaseAuthStrategy:
    match credentials:
        case TokenCredentials():
            return TokenAuthStrategy(credentials.token.get_secret_value())
        case AppCredentials():
            return AppInstallationAuthStrategy(
                credentials.app_id, credentials.private_key.get_secret_value(), credentials.installation_id
            )
