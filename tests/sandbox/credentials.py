"""Who a request comes from: personal tokens, tokens of installations, and JWTs of Apps."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import jwt

from tests.sandbox.errors import BadCredentials
from tests.sandbox.model import App


@dataclass(frozen=True)
class Token:
    login: str
    expires_at: datetime | None = None


class Credentials:
    """The tokens in force. Every account has one that never expires and can be foretold: see `token`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._serial = count(1)

    @staticmethod
    def token(login: str, *, is_bot: bool) -> str:
        return f"{'ghs' if is_bot else 'ghp'}_{login}_sandbox"

    def add(self, login: str, *, is_bot: bool) -> str:
        token = self.token(login, is_bot=is_bot)
        self._tokens[token] = Token(login)
        return token

    def issue(self, login: str, *, expires_at: datetime) -> str:
        """Make an installation token."""
        token = f"ghs_{login}_{next(self._serial):06d}"
        self._tokens[token] = Token(login, expires_at)
        return token

    def revoke(self, token: str) -> None:
        del self._tokens[token]

    def login(self, token: str) -> str:
        found = self._tokens.get(token)
        if found is None or (found.expires_at is not None and found.expires_at <= self._clock()):
            raise BadCredentials("Bad credentials")
        return found.login


def token_in(authorization: str | None) -> str | None:
    """Read the token of an `Authorization` header: Bearer, token, or the password of Basic."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(value).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            raise BadCredentials("Bad credentials") from None
        return password if password not in ("", "x-oauth-basic") else user
    raise BadCredentials("Bad credentials")


def is_jwt(token: str) -> bool:
    return token.count(".") == 2


def app_of_jwt(token: str, apps: Mapping[str, App], now: datetime) -> App:
    """Find the App that signed a JWT, by the key registered for it."""
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
    except jwt.InvalidTokenError as error:
        raise BadCredentials("A JSON web token could not be decoded") from error
    for app in apps.values():
        if issuer in (str(app.database_id), app.client_id) and app.public_key:
            try:
                claims = jwt.decode(
                    token,
                    app.public_key,
                    algorithms=["RS256"],
                    options={"verify_exp": False, "verify_iat": False, "verify_iss": False},
                )
            except jwt.InvalidTokenError as error:
                raise BadCredentials("A JSON web token could not be decoded") from error
            if claims["exp"] <= now.timestamp():
                raise BadCredentials("'Expiration time' claim ('exp') must be in the future")
            return app
    raise BadCredentials("Integration not found")
