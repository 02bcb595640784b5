"""Approval: which lines of the documents count as decided. Pure.

The ledger knows the last commit whose documents were accepted whole. From there on every change is judged by the
newest approved policy *before* it, and an approved change approves only the lines that its pull request changed
itself: a good pull request does not launder a direct push that came before it. A line is one target, hold, block or
permit, so who reviewed a hold has not approved the target beside it. It is unapproved while it differs from its last
approved value, so taking a direct push back needs no ceremony. A policy that nobody approved judges nothing, or it
could be loosened, used and put back.

What a pull request changed is what its own branch changed since it began: that is the diff which people reviewed. So a
branch that began before a direct push may decide what the push brought, though merging it changes nothing any more.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Self

from reconcile.observed import DocumentChange, Documents, MergedChange
from state.diff import flatten
from state.document import DesiredState
from state.errors import DocumentError
from state.ids import BranchName, RepositoryName, Sha, abbreviate
from state.policy import Approval, Policy
from state.yaml_io import POLICY_PATH, STATE_PATH, parse_desired, parse_policy

Line = tuple[str, ...]
"""Where a value stands: as in `state.diff`, and ``("policy",)`` for all of the policy."""

_REF: Line = ("ref",)
_POLICY: Line = ("policy",)


class Judgement(NamedTuple):
    """What of the newest documents is not approved, and who approved the rest."""

    lines: dict[Line, str]
    """What nobody approved of single repositories, each with what was found and what to do; the newest finding last."""
    policy: str | None
    """Why the policy does not count, and so nothing that it would judge."""
    document: str | None
    """Why no line of the desired state counts: for its ref, or for what it may hide while it cannot be read."""
    removed: dict[RepositoryName, Sha]
    """The approved targets of lines that were taken out without approval."""
    pull_request: int | None
    """The last pull request that counted."""
    approvers: tuple[str, ...]
    """Who approved it by review."""

    @property
    def unapproved(self) -> dict[RepositoryName, str]:
        """Tell repositories with a line that nobody approved, with the newest finding of each."""
        return dict(sorted({_owner(line): why for line, why in self.lines.items()}.items()))

    def after(self, decided: Collection[Line]) -> Self:
        """Say what is still not approved when these lines are."""
        return self._replace(
            lines={line: why for line, why in self.lines.items() if line not in decided},
            removed={name: sha for name, sha in self.removed.items() if ("targets", name) not in decided},
        )

    @property
    def whole(self) -> str | None:
        """Say why nothing at all counts, if nothing does."""
        return self.policy or self.document


def judge(changes: Sequence[DocumentChange], branch: BranchName) -> Judgement:
    """Judge every change since the last accepted commit, oldest first. No change is no objection."""
    if not changes:
        return Judgement({}, None, None, {}, None, ())
    current = _read(changes[0].before).lines
    approved = dict(current)
    policy = _policy(changes[0].before)
    objections: dict[Line, str] = {}
    hidden: dict[str, str] = {}
    last: MergedChange | None = None
    for change in changes:
        step = _Step.of(change, current)
        current, decided = step.lines, step.changed | step.adopted
        found = _objection(step, policy.approval if policy else Approval(), branch)
        # What an unreadable document brought shows only when it is mended, in a change that did not bring it.
        for key in decided:
            objection = found or hidden.get(_file(key))
            if objection is None:
                approved.pop(key, None)
                approved |= {key: current[key]} if key in current else {}
            elif key in step.changed:
                objections.pop(key, None)  # the newest stands last
                objections[key] = objection
        hidden = {
            file: why
            for file in step.result.unreadable
            if (why := hidden.get(file) or (found if file in step.broken else None))
        }
        if not found and (decided or change.before.texts != change.after.texts):
            last = change.pull_request or last
        if isinstance(readable := approved.get(_POLICY), Policy):
            policy = readable
    differing = _changed(approved, current)
    unapproved = {key: why for key, why in objections.items() if key in differing}
    return Judgement(
        lines={key: why for key, why in unapproved.items() if key not in {_REF, _POLICY}},
        policy=unapproved.get(_POLICY) or hidden.get(POLICY_PATH),
        document=unapproved.get(_REF) or hidden.get(STATE_PATH),
        removed={
            key[1]: target
            for key, target in approved.items()
            if key[0] == "targets" and isinstance(target, str) and key not in current
        },
        pull_request=last.number if last else None,
        approvers=_approvers(last) if last else (),
    )


class _Step(NamedTuple):
    """One change with both documents read: what it did, and what its pull request's own branch did."""

    change: DocumentChange
    began: "_Reading"
    """Where the branch began; without a pull request, and so in the next, nothing is known of it."""
    reviewed: "_Reading"
    result: "_Reading"
    lines: dict[Line, object]
    """What the default branch says after it. A document that cannot be read leaves its lines as they were."""
    changed: frozenset[Line]
    """The lines that it changed on the default branch."""

    @classmethod
    def of(cls, change: DocumentChange, before: Mapping[Line, object]) -> Self:
        merged, result = change.pull_request, _read(change.after)
        lines = {key: line for key, line in before.items() if _file(key) in result.unreadable} | result.lines
        return cls(
            change=change,
            began=_read(merged.before) if merged else _NOTHING,
            reviewed=_read(merged.after) if merged else _NOTHING,
            result=result,
            lines=lines,
            changed=_changed(before, lines),
        )

    @property
    def asked(self) -> frozenset[Line]:
        """The lines that the branch changed, of documents that can be read at both its ends."""
        unreadable = self.began.unreadable | self.reviewed.unreadable
        changed = _changed(self.began.lines, self.reviewed.lines)
        return frozenset(key for key in changed if _file(key) not in unreadable)

    @property
    def adopted(self) -> frozenset[Line]:
        """The lines that stand after the merge just as the branch set them."""
        return frozenset(
            key
            for key in self.asked
            if _file(key) not in self.result.unreadable
            and self.reviewed.lines.get(key) == self.result.lines.get(key)
        )

    @property
    def unseen(self) -> Sequence[str]:
        """Whose lines came out otherwise than the branch has them, or as the branch merely began with them."""
        return sorted(
            {
                _owner(key)
                for key in self.changed
                if self.result.lines.get(key) != self.reviewed.lines.get(key)
                or self.reviewed.lines.get(key) == self.began.lines.get(key)
            }
        )

    @property
    def broken(self) -> frozenset[str]:
        """The documents that it left unreadable, otherwise than they may have been before."""
        before, after = self.change.before, self.change.after
        return frozenset(file for file in self.result.unreadable if _text(before, file) != _text(after, file))


def _objection(step: _Step, approval: Approval, branch: BranchName) -> str | None:
    """Say why a change does not count, and what to do; none where it does."""
    if approval.pull_request == "optional":
        return None
    change, merged = step.change, step.change.pull_request
    commit = abbreviate(change.commit)
    if merged is None:
        return (
            f"{commit} was pushed to {branch} without a pull request. "
            "Take it back, which needs no approval, and set the line in one."
        )
    who = f"#{merged.number}"
    if merged.base != branch:
        return (
            f"{who} was merged into {merged.base}, not {branch}. Set the line again in one based on {branch}."
        )
    if {_file(key) for key in step.changed | step.asked} | step.broken == {STATE_PATH, POLICY_PATH}:
        return (
            f"{who} changed the policy and the targets at once, so neither counts. "
            "Revert it, and make a pull request of each."
        )
    if any(_text(change.after, file) != _text(merged.after, file) for file in step.broken):
        return (
            f"{commit} leaves the documents unreadable, otherwise than {who} did. "
            "Revert what it hides, and set these lines again in a new one."
        )
    for file in sorted(step.began.unreadable & {_file(key) for key in step.changed}):
        if _text(merged.before, file) != _text(change.before, file):
            return (
                f"{who} began where {file} could not be read, so what it changed cannot be told. "
                "Set these lines again in a new one."
            )
    if step.unseen:
        return (
            f"{commit} changes {', '.join(step.unseen)} otherwise than {who} did. "
            "Set these lines again in a new one."
        )
    return _objection_to_reviews(merged, approval)


def _objection_to_reviews(merged: MergedChange, approval: Approval) -> str | None:
    if not approval.reviews:
        return None
    who = f"#{merged.number}"
    if merged.unattributed:
        commits = ", ".join(abbreviate(sha) for sha in merged.unattributed)
        return (
            f"GitHub knows neither who pushed {commits} of {who} nor everybody who made it, so whoever approved it may "
            "have had a part in it. Set the lines again in one that is pushed to a branch here."
        )
    if len(_approvers(merged)) < approval.reviews:
        since = ", given since its base was last changed," if merged.base_changed_at else ""
        return (
            f"{who} has {len(_approvers(merged))} of {approval.reviews} approving reviews of its final commit{since} "
            "by people with write access who had no part in it. Set the lines again in a reviewed one."
        )
    return None


def _approvers(merged: MergedChange) -> tuple[str, ...]:
    """List who approved the final head, by their last word, without anyone who had a part in it.

    A review shows what the head changes of the base that it had then: whoever approved a small step on top of another
    branch has not seen what that branch had.
    """
    opinions = {
        review.author: review
        for review in merged.reviews
        if review.state in {"approved", "changes_requested", "dismissed"}
    }
    involved = {login.lower() for login in (merged.author, *merged.contributors)}
    return tuple(
        sorted(
            author
            for author, review in opinions.items()
            if review.state == "approved"
            and review.commit == merged.head
            and (merged.base_changed_at is None or review.at > merged.base_changed_at)
            and review.can_write
            and not review.is_bot
            and author.lower() not in involved
        )
    )


class _Reading(NamedTuple):
    """Both documents, split into what is approved by itself."""

    lines: dict[Line, object]
    """Of what can be read."""
    unreadable: frozenset[str]
    """Which of the files cannot; nothing is planned from either then."""


_NOTHING = _Reading({}, frozenset())


def _read(documents: Documents) -> _Reading:
    desired, policy = _desired(documents), _policy(documents)
    lines: dict[Line, object] = {**flatten(desired)} if desired else {}
    if policy:
        lines[_POLICY] = policy
    read = {STATE_PATH: desired, POLICY_PATH: policy}
    return _Reading(lines, frozenset(file for file, document in read.items() if document is None))


def _desired(documents: Documents) -> DesiredState | None:
    try:
        return parse_desired(documents.desired_text or "")
    except DocumentError:
        return None


def _policy(documents: Documents) -> Policy | None:
    try:
        return parse_policy(documents.policy_text or "")
    except DocumentError:
        return None


def _owner(key: Line) -> str:
    return key[0] if key in {_REF, _POLICY} else key[1]


def _file(key: Line) -> str:
    return POLICY_PATH if key == _POLICY else STATE_PATH


def _text(documents: Documents, file: str) -> str | None:
    return documents.policy_text if file == POLICY_PATH else documents.desired_text


def _changed(before: Mapping[Line, object], after: Mapping[Line, object]) -> frozenset[Line]:
    return frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
