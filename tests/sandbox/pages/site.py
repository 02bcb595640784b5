"""The pages' addresses, and what their forms do."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.sandbox import gitops, pulls, threads
from tests.sandbox.api import Api, HttpRequest
from tests.sandbox.errors import NotFound, Refusal, Unprocessable
from tests.sandbox.model import Account, Permission, PullRequest
from tests.sandbox.pages import diffs, markup, views
from tests.sandbox.repository import Repository

SANDBOX = Path(__file__).parent.parent
COOKIE = "sandbox_person"
DEFAULT_PERSON = "alice"
RECENT = 30
HISTORY = 250
ROWS_SHOWN = 2_000
HUES = 6

# Nothing comes from elsewhere, no script but ours runs, and forms lead back here: whatever a body contains.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

Form = Mapping[str, str]
# Method, path and JSON of the REST request that a button stands for.
Deed = tuple[str, str, dict[str, Any]]


def application(api: Api) -> Starlette:
    """Serve the pages of a sandbox; requests of its forms go through `api`."""
    site = Site(api)
    repository = "/{owner}/{name}"
    return Starlette(
        routes=[
            Mount("/-/static", StaticFiles(directory=SANDBOX / "static")),
            Route("/-/person", site.change_person, methods=["POST"]),
            Route("/", site.index),
            Route(repository, site.repository),
            Route(f"{repository}/tree/{{branch:path}}", site.history),
            Route(f"{repository}/commits/{{branch:path}}", site.history),
            Route(f"{repository}/commit/{{sha}}", site.commit),
            Route(f"{repository}/compare/{{basehead:path}}", site.comparison),
            Route(f"{repository}/edit/{{file:path}}", site.edit),
            Route(f"{repository}/blob/{{file:path}}", site.file),
            Route(f"{repository}/blob/{{file:path}}", site.change_file, methods=["POST"]),
            Route(f"{repository}/pulls", site.repository),
            Route(f"{repository}/pull/{{number:int}}", site.pull),
            Route(f"{repository}/pull/{{number:int}}", site.change_pull, methods=["POST"]),
            Route(f"{repository}/pull/{{number:int}}/{{part}}", site.part_of_pull),
        ],
        exception_handlers={Refusal: site.refused, HTTPException: site.refused},
    )


def environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SANDBOX / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(
        annotations=views.annotations,
        checks=views.checks,
        rows=lambda patch: diffs.rows(patch)[:ROWS_SHOWN],
        rows_shown=ROWS_SHOWN,
        parts=threads.parts,
        signed_at=gitops.signed_at,
        verdict=views.verdict,
    )
    found.filters.update(
        ago=views.ago,
        headline=lambda commit: commit.message.partition("\n")[0],
        rest=lambda commit: commit.message.partition("\n")[2].strip(),
        hue=lambda login: sum(login.encode()) % HUES,
        short=lambda sha: str(sha)[:7],
        stamp=lambda at: at.strftime("%Y-%m-%d %H:%M UTC"),
    )
    return found


# One for all sandboxes: compiling the templates takes longer than most tests.
TEMPLATES = environment()


class Site:
    def __init__(self, api: Api) -> None:
        self.api = api
        self.store = api.store

    # Pages

    def index(self, request: Request) -> Response:
        with self.store.viewing():
            person = self.person(request)
            repositories = [
                views.standing(each)
                for each in self.store.repositories()
                if self.store.permission(person, each) >= Permission.READ
            ]
            return self.page(
                request,
                "index.html",
                repositories=sorted(repositories, key=lambda each: each.repository.full_name.lower()),
                pulls=[pull for each in repositories for pull in views.open_pulls(each.repository)],
                accounts=self.store.accounts.values(),
            )

    def repository(self, request: Request) -> Response:
        with self.store.viewing():
            repository = self.named(request)
            tip = repository.branch(repository.default_branch)
            history = gitops.first_parents(repository.commit_at(tip), RECENT) if tip else ()
            return self.page(
                request,
                "repository.html",
                repository=repository,
                branches=views.branches(repository),
                open_pulls=views.open_pulls(repository),
                closed_pulls=[pull for pull in reversed(repository.pulls.values()) if not pull.is_open][
                    :RECENT
                ],
                commits=list(history),
                files=list(repository.commit_at(tip).tree) if tip else [],
            )

    def history(self, request: Request) -> Response:
        with self.store.viewing():
            repository, ref = self.named(request), request.path_params["branch"]
            sha = repository.rev_parse(ref)
            commits = list(gitops.first_parents(repository.commit_at(sha), HISTORY))
            return self.page(request, "history.html", repository=repository, ref=ref, commits=commits)

    def commit(self, request: Request) -> Response:
        with self.store.viewing():
            repository = self.named(request)
            sha = repository.rev_parse(request.path_params["sha"])
            commit = repository.commit_at(sha)
            parent = str(commit.parent_ids[0]) if commit.parent_ids else None
            files = gitops.changed_files(repository.git, parent, sha)
            return self.page(
                request, "commit.html", repository=repository, commit=commit, sha=sha, files=files
            )

    def comparison(self, request: Request) -> Response:
        with self.store.viewing():
            repository = self.named(request)
            compared = views.compare(repository, request.path_params["basehead"])
            return self.page(request, "comparison.html", repository=repository, comparison=compared)

    def file(self, request: Request) -> Response:
        with self.store.viewing():
            return self.show_file(request)

    def show_file(self, request: Request, status: int = 200, **context: Any) -> Response:
        repository = self.named(request)
        file = views.find_file(repository, request.path_params["file"])
        return self.page(request, "file.html", status, repository=repository, file=file, **context)

    def edit(self, request: Request) -> Response:
        """Lead to the editor: on the pull request that the branch belongs to, if there is one."""
        with self.store.viewing():
            repository = self.named(request)
            file = views.find_file(repository, request.path_params["file"])
            for pull in views.open_pulls(repository):
                if (pull.head_repository, pull.head_ref) == (repository, file.branch):
                    return see(f"{self.path_of(pull)}?file={quote(file.path)}#edit")
            return see(f"/{repository.full_name}/blob/{quote(f'{file.ref}/{file.path}')}#edit")

    def pull(self, request: Request) -> Response:
        with self.store.viewing():
            return self.show_pull(request)

    def show_pull(self, request: Request, status: int = 200, **context: Any) -> Response:
        repository = self.named(request)
        pull = repository.pull(request.path_params["number"])
        files = pulls.files(pull)
        draft = context.get("draft", {})
        return self.page(
            request,
            "pull.html",
            status,
            repository=repository,
            pull=pull,
            files=files,
            commits=pulls.commits(pull),
            mergeable=pull.is_open and not pull.draft and pulls.is_mergeable(pull),
            events=views.timeline(pull),
            found_checks=views.checks(repository, pull.head_oid),
            threads=views.threads_by_line(pull),
            editable=views.editable(pull, files, draft.get("path") or request.query_params.get("file")),
            may_write=self.store.permission(self.person(request), repository) >= Permission.WRITE,
            **context,
        )

    def part_of_pull(self, request: Request) -> Response:
        """Lead from `/pull/1/files` and the like to that part of the page."""
        with self.store.viewing():
            pull = self.named(request).pull(request.path_params["number"])
            return see(f"{self.path_of(pull)}#{request.path_params['part']}")

    # Forms

    async def change_person(self, request: Request) -> Response:
        form = await read_form(request)
        back = form.get("back", "/")
        # A path of ours, nothing that a browser reads as another host.
        answer = see(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
        answer.set_cookie(COOKIE, form.get("login", DEFAULT_PERSON), httponly=True, samesite="lax")
        return answer

    async def change_pull(self, request: Request) -> Response:
        return await run_in_threadpool(
            self.change, request, await read_form(request), self.deed_on_pull, self.show_pull
        )

    async def change_file(self, request: Request) -> Response:
        return await run_in_threadpool(
            self.change, request, await read_form(request), self.deed_on_file, self.show_file
        )

    def change(
        self,
        request: Request,
        form: Form,
        deed: Callable[[Request, Form], Deed],
        show: Callable[..., Response],
    ) -> Response:
        """Do what a form asks, and show the page again; when it is refused, with the reason and what was typed."""
        with self.store.viewing():
            try:
                self.perform(self.person(request), *deed(request, form))
            except Refusal as error:
                return show(request, error.status, problem=sentence(error), draft=form)
            return see(request.url.path)

    def deed_on_pull(self, request: Request, form: Form) -> Deed:
        """Say which request to the API a button of a pull request stands for."""
        repository = self.named(request)
        pull = repository.pull(request.path_params["number"])
        root = f"/repos/{repository.full_name}"
        reviews, seen = f"{root}/pulls/{pull.number}/reviews", form.get("head", pull.head_oid)
        body = form.get("body", "")
        match form.get("action"):
            case "comment":
                return "POST", f"{root}/issues/{pull.number}/comments", {"body": body}
            case "approve":
                return "POST", reviews, {"event": "APPROVE", "body": body, "commit_id": seen}
            case "request-changes":
                return "POST", reviews, {"event": "REQUEST_CHANGES", "body": body, "commit_id": seen}
            case "merge":
                method = form.get("method", "merge")
                return "PUT", f"{root}/pulls/{pull.number}/merge", {"merge_method": method, "sha": seen}
            case "close" | "reopen" as action:
                state = "closed" if action == "close" else "open"
                return "PATCH", f"{root}/pulls/{pull.number}", {"state": state}
            case "commit":
                file = views.file_at(pull.head_repository, pull.head_ref, form.get("path", ""))
                return commit_of(file, form)
            case "suggestion":
                thread = threads.find(pull, form.get("thread", ""))
                file = views.file_at(pull.head_repository, pull.head_ref, thread.path)
                text = threads.suggested_text(pull, thread, int(form.get("number", "0")))
                return commit_of(file, {"text": text, "message": "Apply suggestion from code review"})
            case other:
                raise Unprocessable(f"The page has no action {other}")

    def deed_on_file(self, request: Request, form: Form) -> Deed:
        return commit_of(views.find_file(self.named(request), request.path_params["file"]), form)

    def perform(self, person: Account, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Send a request to the REST API as this person.

        Raises:
            Refusal: with the status and the words of the API's answer.
        """
        token = self.store.credentials.token(person.login, is_bot=False)
        headers = {"authorization": f"Bearer {token}"}
        answer = self.api.answer(HttpRequest(method, path, b"", headers, json.dumps(body).encode()))
        if answer.status >= 400:
            said = json.loads(answer.body)
            error = Refusal(said["message"], errors=said.get("errors"))
            error.status = answer.status  # type: ignore[misc]  # this answer's, whatever its class
            raise error

    # What pages have in common

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        person = self.person(request)
        html = TEMPLATES.get_template(template).render(
            now=self.store.clock(),
            account_of=lambda signature: self.store.account_by_email(signature.email),
            person=person,
            people=[each for each in self.store.accounts.values() if not each.app],
            back=request.url.path,
            markdown=lambda text, repository: self.markdown(text, repository, person),
            **{"problem": None, "draft": {}} | context,
        )
        return HTMLResponse(html, status, {"content-security-policy": POLICY, "cache-control": "no-store"})

    def refused(self, request: Request, error: Exception) -> Response:
        if isinstance(error, Refusal):
            status, problem = error.status, sentence(error)
        else:
            assert isinstance(error, HTTPException)
            status, problem = error.status_code, f"{error.detail}: {request.url.path}"
        with self.store.viewing():
            return self.page(request, "message.html", status, title=f"Error {status}", problem=problem)

    def person(self, request: Request) -> Account:
        """Say who acts: whom the cookie names."""
        account = self.store.accounts.get(request.cookies.get(COOKIE, DEFAULT_PERSON))
        return account if account and not account.app else self.store.account(DEFAULT_PERSON)

    def named(self, request: Request) -> Repository:
        full_name = f"{request.path_params['owner']}/{request.path_params['name']}"
        repository = self.store.repository(full_name)
        if self.store.permission(self.person(request), repository) < Permission.READ:
            raise NotFound(f"Could not resolve to a Repository with the name '{full_name}'.")
        return repository

    def path_of(self, pull: PullRequest) -> str:
        return f"/{pull.repository.full_name}/pull/{pull.number}"

    def markdown(self, text: str, repository: Repository, person: Account) -> Markup:
        """Render a body or a comment of this repository, as this person sees it."""

        def resolve(full_name: str, reference: str) -> str | None:
            try:
                other = self.store.repository(full_name) if full_name else repository
            except NotFound:
                return None
            if self.store.permission(person, other) < Permission.READ:
                return None
            if not reference.startswith("#"):
                return f"/{other.full_name}/commit/{reference}" if other.find_commit(reference) else None
            pull = other.pulls.get(int(reference[1:]))
            return self.path_of(pull) if pull else None

        return markup.render(text, known=self.store.accounts.__contains__, resolve=resolve)


async def read_form(request: Request) -> Form:
    """Read a form; lines end as in git, not as in HTTP."""
    fields = parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
    return {name: value.replace("\r\n", "\n") for name, value in fields}


def commit_of(file: views.File | None, form: Form) -> Deed:
    """Say the request that commits the editor's text over the version that the person saw."""
    if file is None or file.branch is None:
        raise Unprocessable("This file cannot be edited: it is not on a branch, or not text")
    old = file.text.replace("\r\n", "\n")
    text = form.get("text", old)
    if text == old:
        raise Unprocessable(f"{file.path} is as it was: there is nothing to commit")
    if old != file.text:
        text = text.replace("\n", "\r\n")
    message = "\n\n".join(
        part for part in (form.get("message", ""), form.get("description", "")) if part.strip()
    )
    return (
        "PUT",
        f"/repos/{file.repository.full_name}/contents/{file.path}",
        {
            "message": message or f"Update {file.path.rpartition('/')[2]}",
            "content": b64encode(text.encode()).decode(),
            "sha": form.get("blob", file.blob),
            "branch": file.branch,
        },
    )


def sentence(error: Refusal) -> str:
    """Say what was refused, with the reasons that GitHub puts under `errors`."""
    reasons = [str(each["message"]) for each in error.errors or () if each.get("message")]
    return f"{error.message.partition(chr(10))[0].rstrip('.')}{': ' if reasons else ''}{'; '.join(reasons)}"


def see(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)
