"""Pull requests of the release-state repository: the proposal's branch, its pull request, and the comment on it.

Writes only what differs, and overwrites no commit that somebody else made: that is for the caller to look at first.
"""

from collections.abc import Sequence
from typing import Literal, TypeVar

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import ForbiddenError, MissingError, RejectedError
from reconcile.github import queries
from reconcile.github.subject import Login, PageInfo, Subject, is_same_text, plain_login
from reconcile.github.transport import Node
from reconcile.observed import BranchCommit, OpenPullRequest, PullRequest
from state.ids import BranchName, Sha
from state.yaml_io import STATE_PATH

P = TypeVar("P", bound="_Page")

_WEB_LOGIN, _WEB_EMAIL = "web-flow", "noreply@github.com"
"""Who commits what is written in the browser or through the API."""
_STATES: dict[str, Literal["open", "closed", "merged"]] = {
    "OPEN": "open",
    "CLOSED": "closed",
    "MERGED": "merged",
}


class _Label(Node):
    id: str
    name: str


class _PullRequest(Node):
    id: str
    number: int
    url: str
    title: str
    body: str
    state: Literal["OPEN", "CLOSED", "MERGED"]
    is_draft: bool
    is_cross_repository: bool
    author: Login | None
    base_ref_name: BranchName
    head_ref_name: str
    head_ref_oid: Sha
    merge_commit: Sha | None = Field(None, validation_alias=AliasPath("mergeCommit", "oid"))
    labels: tuple[_Label, ...] = Field((), validation_alias=AliasPath("labels", "nodes"))

    @property
    def value(self) -> PullRequest:
        return PullRequest(
            number=self.number,
            url=self.url,
            title=self.title,
            body=self.body,
            author=plain_login(self.author),
            state=_STATES[self.state],
            is_draft=self.is_draft,
            is_from_fork=self.is_cross_repository,
            base=self.base_ref_name,
            head_branch=self.head_ref_name,
            head=self.head_ref_oid,
            merge_commit=self.merge_commit,
            labels=tuple(label.name for label in self.labels),
        )


class _One(Node):
    pull_request: _PullRequest | None


class _Page(Node):
    default_branch: BranchName | None = Field(None, validation_alias=AliasPath("defaultBranchRef", "name"))
    page: PageInfo = Field(validation_alias=AliasPath("pullRequests", "pageInfo"))


class _Some(_Page):
    id: str
    nodes: tuple[_PullRequest, ...] = Field(validation_alias=AliasPath("pullRequests", "nodes"))


class _File(Node):
    path: str


class _NewestCommit(Node):
    context: dict[str, str] | None = Field(None, validation_alias=AliasPath("commit", "status", "context"))


class _OpenPullRequest(Node):
    number: int
    base_ref_name: BranchName
    files: tuple[_File, ...] = Field((), validation_alias=AliasPath("files", "nodes"))
    has_more_files: bool = Field(
        default=False, validation_alias=AliasPath("files", "pageInfo", "hasNextPage")
    )
    newest: tuple[_NewestCommit, ...] = Field((), validation_alias=AliasPath("commits", "nodes"))

    @property
    def value(self) -> OpenPullRequest:
        return OpenPullRequest(
            number=self.number,
            paths=None if self.has_more_files else frozenset(each.path for each in self.files),
            has_status=any(each.context for each in self.newest),
        )


class _Listed(_Page):
    nodes: tuple[_OpenPullRequest, ...] = Field(validation_alias=AliasPath("pullRequests", "nodes"))


class _BranchCommit(Node):
    oid: Sha
    author: Login | None = Field(None, validation_alias=AliasPath("author", "user"))
    committer: Login | None = Field(None, validation_alias=AliasPath("committer", "user"))
    committer_email: str | None = Field(None, validation_alias=AliasPath("committer", "email"))

    @property
    def is_committed_by_github(self) -> bool:
        login = self.committer.login if self.committer else None
        return login == _WEB_LOGIN or (login is None and self.committer_email == _WEB_EMAIL)


class _BranchCommits(Node):
    viewer: Login
    nodes: tuple[_BranchCommit, ...] = Field(
        (), validation_alias=AliasPath("repository", "defaultBranchRef", "compare", "commits", "nodes")
    )


class _Viewer(Node):
    viewer: Login


class _Comment(Node):
    full_database_id: int
    body: str
    url: str
    author: Login | None


class _Comments(Node):
    viewer: Login
    subject_id: str | None = Field(None, validation_alias=AliasPath("repository", "pullRequest", "id"))
    nodes: tuple[_Comment, ...] = Field(
        (), validation_alias=AliasPath("repository", "pullRequest", "comments", "nodes")
    )
    page: PageInfo | None = Field(
        None, validation_alias=AliasPath("repository", "pullRequest", "comments", "pageInfo")
    )


class _Review(Node):
    author: Login | None


class _Reviewers(Node):
    reviews: tuple[_Review, ...] = Field((), validation_alias=AliasPath("pullRequest", "reviews", "nodes"))


class _Opened(Node):
    pull_request: _PullRequest = Field(validation_alias=AliasPath("createPullRequest", "pullRequest"))


class _Updated(Node):
    pull_request: _PullRequest = Field(validation_alias=AliasPath("updatePullRequest", "pullRequest"))


class _Commented(Node):
    url: str = Field(validation_alias=AliasPath("addComment", "commentEdge", "node", "url"))


_BRANCH_COMMITS = TypeAdapter(_BranchCommits)
_VIEWER = TypeAdapter(_Viewer)
_COMMENTS = TypeAdapter(_Comments)
_OPENED = TypeAdapter(_Opened)
_UPDATED = TypeAdapter(_Updated)
_COMMENTED = TypeAdapter(_Commented)
_ANYTHING: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])


class Pulls(Subject):
    """Pull requests of the release-state repository."""

    async def load_pull_request(self, number: int) -> PullRequest:
        return (await self._load(number)).value

    async def find_pull_request(self, head_branch: BranchName) -> PullRequest | None:
        found, _ = await self._find(head_branch)
        return found.value if found else None

    async def observe_open(self, context: str) -> tuple[OpenPullRequest, ...]:
        return tuple(
            each.value
            for page in await self._pages(queries.OPEN_PULL_REQUESTS, _Listed, context=context)
            for each in page.nodes
            if each.base_ref_name == page.default_branch
        )

    async def load_branch(self, branch: BranchName) -> Sha | None:
        ref = (await self._find_branch(branch)).ref
        return ref.oid if ref else None

    async def list_branch_commits(self, branch: BranchName) -> tuple[BranchCommit, ...]:
        head = await self.load_branch(branch)
        if head is None:
            return ()
        found = await self._transport.query(
            queries.BRANCH_COMMITS, {"owner": self._owner, "name": self._name, "head": head}, _BRANCH_COMMITS
        )
        me = plain_login(found.viewer)
        return tuple(BranchCommit(sha=each.oid, author=_maker(each, me)) for each in found.nodes)

    async def load_login(self) -> str:
        return plain_login((await self._transport.query(queries.LOGIN, {}, _VIEWER)).viewer)

    async def store_branch(
        self, branch: BranchName, *, base: Sha, expected_head: Sha | None, text: str, headline: str, body: str
    ) -> Sha:
        # In one move: a branch that is at its base, for however short, makes GitHub close its pull request for good.
        message = f"{headline}\n\n{body}" if body else headline
        commit = await self._commit_files({STATE_PATH: text}, parent=base, message=message)
        await self._swap_branch(branch, before=expected_head, after=commit, force=expected_head is not None)
        return commit

    async def ensure_pull_request(
        self, *, number: int | None, head_branch: BranchName, title: str, body: str, is_draft: bool
    ) -> PullRequest:
        if number is not None:
            return await self._update(await self._load(number), title, body)
        # It may be there already, from a run that did not live to see the answer.
        found, into = await self._find(head_branch)
        if found:
            return await self._update(found, title, body)
        opened = await self._transport.execute(
            queries.CREATE_PULL_REQUEST,
            {
                "input": {
                    "repositoryId": into.id,
                    "baseRefName": into.default_branch,
                    "headRefName": head_branch,
                    "title": title,
                    "body": body,
                    "draft": is_draft,
                }
            },
            _OPENED,
        )
        return opened.pull_request.value

    async def ensure_draft(self, number: int, *, is_draft: bool) -> None:
        found = await self._load(number)
        if found.is_draft != is_draft:
            text = queries.CONVERT_TO_DRAFT if is_draft else queries.MARK_READY
            await self._transport.execute(text, {"input": {"pullRequestId": found.id}}, _ANYTHING)

    async def ensure_attention(
        self, number: int, *, labels: Sequence[str], reviewers: Sequence[str], assignees: Sequence[str]
    ) -> tuple[str, ...]:
        if not (labels or reviewers or assignees):
            return ()
        # By REST: GraphQL refuses the whole answer where a token may not see the teams of an organization.
        rest = self._transport.rest
        found = await self._transport.read(lambda: rest.pulls.async_get(self._owner, self._name, number))
        asked = [each.login for each in found.requested_reviewers or ()]
        asked += [f"{self._owner}/{each.slug}" for each in found.requested_teams or ()]
        return (
            *await self._label(number, _missing(labels, [each.name for each in found.labels])),
            *await self._request_reviews(number, _missing(reviewers, asked)),
            *await self._assign(number, _missing(assignees, [each.login for each in found.assignees or ()])),
        )

    async def remove_label(self, number: int, label: str) -> None:
        found = await self._load(number)
        ids = [each.id for each in found.labels if each.name.lower() == label.lower()]
        if ids:
            await self._transport.execute(
                queries.REMOVE_LABELS, {"input": {"labelableId": found.id, "labelIds": ids}}, _ANYTHING
            )

    async def close_pull_request(self, number: int) -> None:
        found = await self._load(number)
        if found.state == "OPEN":
            await self._transport.execute(
                queries.CLOSE_PULL_REQUEST, {"input": {"pullRequestId": found.id}}, _ANYTHING
            )

    async def ensure_comment(self, number: int, *, marker: str, body: str) -> str:
        body = f"{body}\n\n{marker}"
        subject_id, mine = await self._find_comment(number, marker)
        if mine is None:
            added = await self._transport.execute(
                queries.ADD_COMMENT, {"input": {"subjectId": subject_id, "body": body}}, _COMMENTED
            )
            return added.url
        if not is_same_text(mine.body, body):
            await self._transport.create(
                lambda: self._transport.rest.issues.async_update_comment(
                    self._owner, self._name, mine.full_database_id, body=body
                )
            )
        return mine.url

    async def _label(self, number: int, labels: Sequence[str]) -> Sequence[str]:
        rest = self._transport.rest.issues
        if labels:
            try:
                await self._transport.write(
                    lambda: rest.async_add_labels(self._owner, self._name, number, labels=list(labels))
                )
            except (ForbiddenError, MissingError, RejectedError) as error:
                return [f"The labels {', '.join(labels)} could not be added. {error}"]
        return []

    async def _request_reviews(self, number: int, reviewers: Sequence[str]) -> Sequence[str]:
        """Ask all at once, and where one of them cannot be asked, one after another."""
        if not reviewers:
            return []
        found = await self._ask(queries.REVIEWERS, _Reviewers, number=number)
        missing = _missing(reviewers, [plain_login(each.author) for each in found.reviews])
        groups, refused = [missing] if missing else [], list[str]()
        while groups:
            group = groups.pop(0)
            try:
                await self._request(number, group)
            except (ForbiddenError, MissingError, RejectedError) as error:
                if len(group) == 1:
                    refused.append(f"{group[0]} cannot be asked for a review. {error}")
                else:
                    groups += [[each] for each in group]
        return refused

    async def _request(self, number: int, reviewers: Sequence[str]) -> None:
        people = [each for each in reviewers if "/" not in each]
        teams = [each.partition("/")[2] for each in reviewers if "/" in each]
        rest = self._transport.rest.pulls
        await self._transport.write(
            lambda: rest.async_request_reviewers(
                self._owner, self._name, number, data={"reviewers": people, "team_reviewers": teams}
            )
        )

    async def _assign(self, number: int, assignees: Sequence[str]) -> Sequence[str]:
        """Assign people. GitHub leaves out without a word whom it does not take; its answer shows them."""
        if not assignees:
            return []
        rest = self._transport.rest.issues
        try:
            answer = await self._transport.create(
                lambda: rest.async_add_assignees(self._owner, self._name, number, assignees=list(assignees))
            )
        except (ForbiddenError, MissingError, RejectedError) as error:
            return [f"{', '.join(assignees)} cannot be assigned. {error}"]
        refused = _missing(assignees, [each.login for each in answer.assignees or ()])
        return [f"{login} cannot be assigned: GitHub did not take the name." for login in refused]

    async def _load(self, number: int) -> _PullRequest:
        found = (await self._ask(queries.PULL_REQUEST, _One, number=number)).pull_request
        if found is None:
            raise MissingError(f"{self._repository} has no pull request #{number}.")
        return found

    async def _find(self, head_branch: BranchName) -> tuple[_PullRequest | None, _Some]:
        """Find the open pull request from a branch of this repository into the default branch."""
        pages = await self._pages(queries.PULL_REQUESTS, _Some, headBranch=head_branch)
        found = (
            each
            for page in pages
            for each in page.nodes
            if not each.is_cross_repository and each.base_ref_name == page.default_branch
        )
        return next(found, None), pages[0]

    async def _pages(self, text: str, shape: type[P], **variables: object) -> Sequence[P]:
        """Read the open pull requests, page by page; at least one page."""
        pages = [await self._ask(text, shape, **variables)]
        while pages[-1].page.has_next_page:
            pages.append(await self._ask(text, shape, **variables, after=pages[-1].page.end_cursor))
        return pages

    async def _update(self, found: _PullRequest, title: str, body: str) -> PullRequest:
        if found.title == title and is_same_text(found.body, body):
            return found.value
        updated = await self._transport.execute(
            queries.UPDATE_PULL_REQUEST,
            {"input": {"pullRequestId": found.id, "title": title, "body": body}},
            _UPDATED,
        )
        return updated.pull_request.value

    async def _find_comment(self, number: int, marker: str) -> tuple[str, _Comment | None]:
        """Find this account's own comment with a marker; anybody can write the marker into one of theirs."""
        after: str | None = None
        while True:
            found = await self._transport.query(
                queries.COMMENTS,
                {"owner": self._owner, "name": self._name, "number": number, "after": after},
                _COMMENTS,
            )
            if found.subject_id is None:
                raise MissingError(f"{self._repository} has no pull request #{number}.")
            me = plain_login(found.viewer)
            for comment in found.nodes:
                if marker in comment.body and plain_login(comment.author) == me:
                    return found.subject_id, comment
            if found.page is None or not found.page.has_next_page:
                return found.subject_id, None
            after = found.page.end_cursor


def _missing(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    known = {each.lower() for each in there}
    return [each for each in wanted if each.lower() not in known]


def _maker(commit: _BranchCommit, me: str) -> str | None:
    """Name who made a commit: somebody else than this account, where anybody else had a hand in it.

    Amending a commit leaves its author and changes its committer. What GitHub itself commits, the author made.
    """
    hands = [commit.author] if commit.is_committed_by_github else [commit.author, commit.committer]
    logins = [plain_login(login) if login else None for login in hands]
    return next((login for login in logins if login != me), me)
