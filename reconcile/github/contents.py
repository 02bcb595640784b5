"""The release-state repository's own files: both documents, the ledger, and the branches they are on."""

import base64
from datetime import datetime

from pydantic import AliasPath, Field, TypeAdapter

from reconcile.errors import MissingError
from reconcile.github import queries
from reconcile.github.subject import HEADS, PageInfo, Subject
from reconcile.github.transport import Node
from reconcile.observed import Documents, DocumentVersion, LedgerVersion, ReleaseState
from state.ids import BranchName, Sha
from state.ledger import LEDGER_PATH
from state.yaml_io import POLICY_PATH, STATE_PATH

LEDGER_BRANCH = "stablehand/ledger"
_LEDGERS = 50
"""Versions in one query: each holds a file of some kilobytes."""
PATHS = {"desiredPath": STATE_PATH, "policyPath": POLICY_PATH}


class _File(Node):
    oid: Sha
    text: str | None = Field(None, validation_alias=AliasPath("object", "text"))
    is_truncated: bool | None = Field(None, validation_alias=AliasPath("object", "isTruncated"))
    """None for what is no file: a folder, a submodule."""


class _CommitNode(Node):
    oid: Sha
    desired: _File | None
    policy: _File | None


class _Object(Node):
    object: _CommitNode | None


class _Repository(Node):
    name_with_owner: str
    url: str
    branch: BranchName | None = Field(None, validation_alias=AliasPath("defaultBranchRef", "name"))


class _ReleaseState(_Repository):
    id: str
    commit: _CommitNode | None = Field(None, validation_alias=AliasPath("defaultBranchRef", "target"))
    ledger_head: Sha | None = Field(None, validation_alias=AliasPath("ledger", "target", "oid"))
    ledger: _File | None = Field(None, validation_alias=AliasPath("ledger", "target", "file"))


class _Version(_Repository):
    commit: Sha | None = Field(None, validation_alias=AliasPath("defaultBranchRef", "target", "oid"))
    desired: Sha | None = Field(
        None, validation_alias=AliasPath("defaultBranchRef", "target", "desired", "oid")
    )
    policy: Sha | None = Field(
        None, validation_alias=AliasPath("defaultBranchRef", "target", "policy", "oid")
    )


class _LedgerCommit(Node):
    oid: Sha
    committed_date: datetime
    text: str | None = Field(None, validation_alias=AliasPath("file", "object", "text"))


class _Ledgers(Node):
    nodes: tuple[_LedgerCommit, ...] = Field(
        (), validation_alias=AliasPath("ref", "target", "history", "nodes")
    )
    page: PageInfo = Field(
        PageInfo(has_next_page=False), validation_alias=AliasPath("ref", "target", "history", "pageInfo")
    )


class _Created(Node):
    oid: Sha = Field(validation_alias=AliasPath("createCommitOnBranch", "commit", "oid"))


_CREATED = TypeAdapter(_Created)


class Contents(Subject):
    """Files of the release-state repository."""

    async def load_release_state(self) -> ReleaseState:
        found = await self._ask(
            queries.RELEASE_STATE,
            _ReleaseState,
            **PATHS,
            ledgerBranch=HEADS + LEDGER_BRANCH,
            ledgerPath=LEDGER_PATH,
        )
        if found.branch is None or found.commit is None:
            raise self._empty()
        return ReleaseState(
            repository_id=found.id,
            version=DocumentVersion(
                repository=found.name_with_owner,
                url=found.url,
                branch=found.branch,
                commit=found.commit.oid,
                desired_blob=found.commit.desired.oid if found.commit.desired else None,
                policy_blob=found.commit.policy.oid if found.commit.policy else None,
            ),
            documents=await self._documents(found.commit),
            ledger_head=found.ledger_head,
            ledger_text=await self._whole(found.ledger),
        )

    async def observe_version(self) -> DocumentVersion:
        found = await self._ask(queries.VERSION, _Version, **PATHS)
        if found.branch is None or found.commit is None:
            raise self._empty()
        return DocumentVersion(
            repository=found.name_with_owner,
            url=found.url,
            branch=found.branch,
            commit=found.commit,
            desired_blob=found.desired,
            policy_blob=found.policy,
        )

    async def load_documents(self, commit: Sha) -> Documents:
        found = (await self._ask(queries.DOCUMENTS, _Object, **PATHS, commit=commit)).object
        if found is None:
            raise MissingError(f"{self._repository} has no commit {commit}.")
        return await self._documents(found)

    async def find_fork_point(self, base: Sha, commit: Sha) -> Sha:
        comparison = await self._transport.read(
            lambda: self._transport.rest.repos.async_compare_commits(
                self._owner, self._name, f"{base}...{commit}", per_page=1
            )
        )
        return comparison.merge_base_commit.sha

    async def list_ledgers(self, limit: int, *, since: datetime | None = None) -> tuple[LedgerVersion, ...]:
        found: list[_LedgerCommit] = []
        page = PageInfo(has_next_page=True)
        while page.has_next_page and len(found) < limit:
            part = await self._ask(
                queries.LEDGERS,
                _Ledgers,
                branch=HEADS + LEDGER_BRANCH,
                path=LEDGER_PATH,
                count=min(limit - len(found), _LEDGERS),
                after=page.end_cursor,
                since=since.isoformat() if since else None,
            )
            found += part.nodes
            page = part.page
        return tuple(
            LedgerVersion(commit=each.oid, committed_at=each.committed_date, text=each.text)
            for each in found
            if each.text is not None
        )

    async def store_ledger(self, text: str, *, expected_head: Sha | None, message: str) -> Sha:
        if expected_head is None:
            # A branch without history of its own: nobody merges it, and nothing of the documents is on it.
            root = await self._commit_files({LEDGER_PATH: text}, parent=None, message=message)
            await self._swap_branch(LEDGER_BRANCH, before=None, after=root)
            return root
        headline, _, body = message.partition("\n")
        created = await self._transport.execute(
            queries.CREATE_COMMIT,
            {
                "input": {
                    "branch": {
                        "repositoryNameWithOwner": self._repository,
                        "branchName": LEDGER_BRANCH,
                    },
                    "message": {"headline": headline, "body": body.strip()},
                    "fileChanges": {
                        "additions": [
                            {"path": LEDGER_PATH, "contents": base64.b64encode(text.encode()).decode()}
                        ]
                    },
                    "expectedHeadOid": expected_head,
                }
            },
            _CREATED,
        )
        return created.oid

    async def _documents(self, commit: _CommitNode) -> Documents:
        return Documents(
            commit=commit.oid,
            desired_text=await self._whole(commit.desired),
            policy_text=await self._whole(commit.policy),
        )

    async def _whole(self, file: _File | None) -> str | None:
        """Take a file's text, read whole by REST where GraphQL cut it short or took it for binary."""
        if file is None or file.is_truncated is None:
            return None
        if file.text is not None and not file.is_truncated:
            return file.text
        blob = await self._transport.read(
            lambda: self._transport.rest.git.async_get_blob(self._owner, self._name, file.oid)
        )
        # What is not UTF-8 becomes characters that the parser refuses, with their line.
        return base64.b64decode(blob.content).decode(errors="replace")

    def _empty(self) -> MissingError:
        return MissingError(
            f"{self._repository} has no commits on a default branch: "
            f"push {STATE_PATH} and {POLICY_PATH}, or check STABLEHAND_REPOSITORY."
        )
