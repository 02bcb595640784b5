"""Settings of an installation: addresses, credentials, schedules. Nothing here relaxes a rule.

Read from the environment (``STABLEHAND_…``) and a ``.env`` file in the working directory; the environment wins.
"""

from typing import Annotated, Self

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from reconcile.errors import StallError
from state.ids import Duration, RepositoryName

PREFIX = "STABLEHAND_"


class SettingsError(StallError):
    """The installation is not configured, or wrongly."""


class Settings(BaseSettings):
    """What this installation is told from outside."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    repository: RepositoryName
    """owner/name of the release-state repository."""
    github_url: HttpUrl = HttpUrl("https://api.github.com")
    """GitHub's API; for GitHub Enterprise Server https://HOST/api/v3."""

    token: SecretStr | None = None
    """A token, or instead of it a GitHub App:"""
    app_id: int | None = None
    app_installation_id: int | None = None
    app_private_key: SecretStr | None = None
    """The PEM text."""

    webhook_secret: SecretStr | None = None
    """Shared with GitHub's webhook; without it no webhook is received."""
    webhook_host: str = "127.0.0.1"
    webhook_port: Annotated[int, Field(ge=0, le=65535)] = 8080

    propose_schedule: str = "30 7 * * 1"
    """When to propose: cron, in ``propose_zone``."""
    propose_zone: str = "UTC"
    resync: Duration = Field(default="10m", validate_default=True)
    """How often to reconcile without any trigger."""

    sentry_url: HttpUrl = HttpUrl("https://sentry.io")
    """Where the evidence source ``sentry`` reads issues."""
    sentry_token: SecretStr | None = None
    """Its token, with the scope event:read."""

    sentry_dsn: SecretStr | None = None
    """Where to report what needs a person."""
    notify_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Where to tell people: Apprise addresses, separated by spaces."""

    @model_validator(mode="before")
    @classmethod
    def _split_addresses(cls, values: dict[str, object]) -> dict[str, object]:
        if isinstance(addresses := values.get("notify_urls"), str):
            values["notify_urls"] = tuple(addresses.split())
        return values

    @field_validator("token", "sentry_token", mode="before")
    @classmethod
    def _is_one_word(cls, value: object) -> object:
        # A secret read from a file brings the end of its line along, which no header may carry.
        if not isinstance(value, str):
            return value
        if len(value.split()) > 1 or not value.isascii():
            raise ValueError("it has a space, a line end or an odd character inside: give the token alone")
        return value.strip()

    @field_validator("github_url", "sentry_url")
    @classmethod
    def _may_be_shown(cls, value: HttpUrl) -> HttpUrl:
        if value.username or value.password or value.query or value.fragment:
            raise ValueError(
                "an address is shown in messages: leave out name, password, and all that follows a ? or #"
            )
        return value

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        app = (self.app_id, self.app_installation_id, self.app_private_key)
        if any(app) and not all(app):
            raise ValueError(
                "a GitHub App needs STABLEHAND_APP_ID, STABLEHAND_APP_INSTALLATION_ID and STABLEHAND_APP_PRIVATE_KEY"
            )
        if not self.token and not any(app):
            raise ValueError("set STABLEHAND_TOKEN, or the three STABLEHAND_APP_… settings of a GitHub App")
        return self


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: Some are missing or wrong; names every one by its variable, and shows no value.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "\n".join(
            f"  {_problem(each)}" for each in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"The settings are incomplete or wrong:\n{problems}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f".env cannot be read ({type(error).__name__}): make it a UTF-8 text that this account may read."
        ) from None


def _problem(error: object) -> str:
    assert isinstance(error, dict)
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    variable = PREFIX + str(error["loc"][0]).upper()
    if error["type"] == "missing":
        return f"{variable} is not set (in the environment or in .env)"
    if error["type"].startswith("url"):
        return f"{variable} is not an address: write it in full, beginning with https://"
    return f"{variable}: {message}"
