"""Where GitHub is and who asks. Apart from the adapter, so that reading settings does not import githubkit."""

from typing import Annotated

import pydantic
from pydantic import AfterValidator, ConfigDict, Field, SecretStr

from state.ids import Frozen


def _url(text: str) -> str:
    try:
        url = pydantic.HttpUrl(text)
    except pydantic.ValidationError as error:
        raise ValueError(
            f"{text[:150]!r} is not an address: write it as in https://api.github.com"
        ) from error
    if url.username or url.password or url.query or url.fragment:
        raise ValueError(
            "an address ends up in messages: leave out name, password, and all that follows a ? or #"
        )
    return text.rstrip("/")


class TokenCredentials(Frozen):
    """A token of a person, a bot or an Actions run."""

    token: SecretStr


class AppCredentials(Frozen):
    """A GitHub App, as installed on the fleet's owner."""

    app_id: str
    private_key: SecretStr
    """PEM."""
    installation_id: int


class GitHubSettings(Frozen):
    """How to reach GitHub."""

    # What is wrong with an address may be that it holds a password.
    model_config = ConfigDict(hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_url)] = "https://api.github.com"
    """The API's base address; GitHub Enterprise Server has it at ``/api/v3``."""
    credentials: TokenCredentials | AppCredentials
    timeout_seconds: Annotated[float, Field(gt=0)] = 15.0
    """How long to wait for an answer; GitHub itself ends a GraphQL request after ten seconds."""
    seconds_between_writes: Annotated[float, Field(ge=0)] = 1.0
    """GitHub advises one second between mutating requests; a server of one's own may allow less."""
