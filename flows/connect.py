"""From the installation's settings to a connection to GitHub. Knows no Prefect: the command line uses it too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flows.settings import Settings
from reconcile.github.client import GitHub, connect
from reconcile.github.settings import AppCredentials, GitHubSettings, TokenCredentials


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[GitHub]:
    """Connect as the account that the settings name."""
    github = GitHubSettings(url=str(settings.github_url), credentials=_credentials(settings))
    async with connect(github, repository=settings.repository) as client:
        yield client


def _credentials(settings: Settings) -> TokenCredentials | AppCredentials:
    if settings.token:
        return TokenCredentials(token=settings.token)
    assert settings.app_id, "settings without a token are those of an app"
    assert settings.app_private_key, "an app's settings are complete"
    assert settings.app_installation_id, "an app's settings are complete"
    return AppCredentials(
        app_id=str(settings.app_id),
        private_key=settings.app_private_key,
        installation_id=settings.app_installation_id,
    )
