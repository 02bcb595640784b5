"""Connecting: as whom, and what a person is told when that does not work."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from reconcile.errors import UnauthorizedError, UnreachableError
from reconcile.github.client import connect
from reconcile.github.settings import AppCredentials, GitHubSettings, TokenCredentials
from tests.reconcile.github.conftest import RELEASE_STATE
from tests.sandbox import Repository, Sandbox


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def as_app(sandbox: Sandbox, private_key: str, *, installation_id: int | None = None) -> GitHubSettings:
    app = sandbox.store.app("stablehand-bot")
    return GitHubSettings(
        url=sandbox.url,
        credentials=AppCredentials(
            app_id=str(app.database_id),
            private_key=SecretStr(private_key),
            installation_id=installation_id or app.installation_id,
        ),
        seconds_between_writes=0,
    )


def register(sandbox: Sandbox, key: rsa.RSAPrivateKey) -> None:
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    sandbox.store.change_app("stablehand-bot", public_key=public.decode())


async def test_an_app_gets_a_token_of_its_own(
    sandbox: Sandbox, state: Repository, key: rsa.RSAPrivateKey
) -> None:
    """Once a connection, and it is known under the name that commits and comments show."""
    register(sandbox, key)

    async with connect(as_app(sandbox, pem(key)), repository=RELEASE_STATE) as github:
        await github.load_release_state()
        login = await github.load_login()

    assert "stablehand-bot" == login
    exchanges = [count for kind, count in sandbox.requests.counts.items() if "access_tokens" in kind]
    assert [1] == exchanges


async def test_another_key_is_refused(sandbox: Sandbox, state: Repository, key: rsa.RSAPrivateKey) -> None:
    register(sandbox, rsa.generate_private_key(public_exponent=65537, key_size=2048))

    async with connect(as_app(sandbox, pem(key)), repository=RELEASE_STATE) as github:
        with pytest.raises(UnauthorizedError, match="private key"):
            await github.load_login()


async def test_another_installation_is_refused(
    sandbox: Sandbox, state: Repository, key: rsa.RSAPrivateKey
) -> None:
    register(sandbox, key)

    async with connect(as_app(sandbox, pem(key), installation_id=7), repository=RELEASE_STATE) as github:
        with pytest.raises(UnauthorizedError, match=r"its installation .*404"):
            await github.load_login()


async def test_what_is_no_key_says_so_without_showing_it(sandbox: Sandbox, state: Repository) -> None:
    async with connect(as_app(sandbox, "hunter2"), repository=RELEASE_STATE) as github:
        with pytest.raises(UnauthorizedError, match="private key") as raised:
            await github.load_login()

    assert "hunter2" not in str(raised.value)


async def test_a_wrong_token_says_which_setting(sandbox: Sandbox) -> None:
    settings = GitHubSettings(
        url=sandbox.url, credentials=TokenCredentials(token=SecretStr("ghp_of_last_year"))
    )

    async with connect(settings, repository=RELEASE_STATE) as github:
        with pytest.raises(UnauthorizedError, match="STABLEHAND_TOKEN") as raised:
            await github.load_login()

    assert sandbox.url in str(raised.value)
    assert "ghp_of_last_year" not in str(raised.value)


async def test_nobody_answers(unused_tcp_port: int) -> None:
    settings = GitHubSettings(
        url=f"http://127.0.0.1:{unused_tcp_port}", credentials=TokenCredentials(token=SecretStr("ghp_x"))
    )

    async with connect(settings, repository=RELEASE_STATE) as github:
        with pytest.raises(UnreachableError, match=f"{unused_tcp_port}.*STABLEHAND_GITHUB_URL"):
            await github.load_login()


def test_settings_cost_no_client() -> None:
    """Whoever reads settings does not pay for importing githubkit."""
    code = "import sys, reconcile.github.settings; sys.exit('githubkit' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
