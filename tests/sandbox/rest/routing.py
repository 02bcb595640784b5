"""From a method and a path to an endpoint, under the template that GitHub's reference gives it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.sandbox.errors import BadCredentials, Forbidden, NotFound, Unprocessable
from tests.sandbox.model import Account, App, Permission, PullRequest
from tests.sandbox.repository import Repository
from tests.sandbox.rest.shapes import Shapes
from tests.sandbox.store import Store

SLASHED = ("ref", "path", "branch", "basehead")
PER_PAGE, PER_PAGE_LIMIT = 30, 100


@dataclass(frozen=True)
class Answer:
    """What an endpoint says; `body` None is no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Moved(Exception):  # noqa: N818 - a redirect, not an error
    """The repository has another name now."""

    repository: Repository


@dataclass(frozen=True)
class RestCall:
    """One request. `account` is None without credentials; `app` is set when an App speaks as itself, by JWT."""

    store: Store
    shapes: Shapes
    account: Account | None
    app: App | None
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    json: Mapping[str, Any]
    version: str

    @property
    def viewer(self) -> Account:
        """Whoever asks; raises when nobody has said who."""
        if self.account is None:
            raise BadCredentials("Requires authentication")
        return self.account

    @cached_property
    def repository(self) -> Repository:
        full_name = f"{self.params['owner']}/{self.params['repo']}"
        try:
            repository = self.store.repository(full_name)
        except NotFound as error:
            raise NotFound("Not Found") from error
        if self.store.permission(self.account, repository) < Permission.READ:
            raise NotFound("Not Found")
        if repository.full_name.lower() != full_name.lower():
            raise Moved(repository)
        return repository

    def writing(self, app_permission: str, permission: Permission = Permission.WRITE) -> Account:
        """Give the viewer if it may write this in the repository."""
        repository = self.repository
        account = self.store.require(self.viewer, repository, permission, app_permission=app_permission)
        if repository.archived:
            raise Forbidden("Repository was archived so is read-only.")
        return account

    def pull(self, name: str = "pull_number") -> PullRequest:
        number = self.params[name]
        if not number.isdecimal() or int(number) not in self.repository.pulls:
            raise NotFound("Not Found")
        return self.repository.pulls[int(number)]

    def required(self, *names: str) -> tuple[Any, ...]:
        """Read fields of the body that must be there."""
        missing = [name for name in names if self.json.get(name) is None]
        if missing:
            raise Unprocessable(
                f"""Invalid request.\n\n"{missing[0]}" wasn't supplied.""",
                errors=[{"field": name, "code": "missing_field"} for name in missing],
            )
        return tuple(self.json[name] for name in names)

    def page(self, items: Sequence[Any], shape: Callable[[Any], Any], *, under: str | None = None) -> Answer:
        """Shape one page of a list, with its `Link` header; `under` puts it in an object with `total_count`."""
        number = max(1, int(self.query.get("page", "1")))
        size = min(PER_PAGE_LIMIT, max(1, int(self.query.get("per_page", PER_PAGE))))
        shaped = [shape(item) for item in items[(number - 1) * size : number * size]]
        last = max(1, -(-len(items) // size))
        links: dict[str, int] = {}
        if number > 1:
            links |= {"prev": number - 1, "first": 1}
        if number < last:
            links |= {"next": number + 1, "last": last}
        link = ", ".join(f'<{self._url(page)}>; rel="{name}"' for name, page in links.items())
        body = {"total_count": len(items), under: shaped} if under else shaped
        return Answer(body, headers={"link": link} if link else {})

    def _url(self, page: int) -> str:
        return f"{self.shapes.url}{self.path}?{urlencode({**self.query, 'page': page})}"


Endpoint = Callable[[RestCall], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    endpoint: Endpoint
    pattern: re.Pattern[str]

    @property
    def kind(self) -> str:
        return f"rest:{self.method} {self.template}"


class Router:
    """Endpoints in the order they were added: the first whose method and template match answers."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def add(self, method: str, template: str) -> Callable[[Endpoint], Endpoint]:
        def parameter(match: re.Match[str]) -> str:
            return f"(?P<{match[1]}>{'.+' if match[1] in SLASHED else '[^/]+'})"

        pattern = re.compile(re.sub(r"\{(\w+)\}", parameter, template) + "/?")

        def register(endpoint: Endpoint) -> Endpoint:
            self.routes.append(Route(method, template, endpoint, pattern))
            return endpoint

        return register

    def include(self, other: "Router") -> None:
        self.routes.extend(other.routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route in self.routes:
            if route.method == method and (match := route.pattern.fullmatch(path)):
                return route, match.groupdict()
        return None


def parse_query(raw: bytes) -> dict[str, str]:
    return dict(parse_qsl(raw.decode(), keep_blank_values=True))


def modules() -> Iterator[Router]:
    """Give every subject's router."""
    from tests.sandbox.rest import apps, checks, contents, deployments, git, hooks, pulls, repositories  # noqa: PLC0415 - they import this module

    for module in (git, contents, checks, deployments, pulls, hooks, apps, repositories):
        yield module.router
