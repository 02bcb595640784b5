"""Approval: which lines of the documents count as decided. Pure.

The ledger knows the last commit whose documents were accepted whole. From there on every change is judged by the
newest approved policy *before* it, and an approved change approves only the lines that it changed itself: a good pull
request does not launder a direct push that came before it. A line is unapproved while it differs from its last
approved value, so taking a direct push back needs no ceremony. A policy that nobody approved judges nothing, or it
could be loosened, used and put back.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconcile.observed import DocumentChange, Documents, MergedChange
from state.errors import DocumentError
from state.ids import BranchName, RepositoryName, abbreviate
from state.policy import Approval, Policy
from state.yaml_io import parse_desired, parse_policy

_REF = "ref"
_POLICY = "policy"


class Judgement(NamedTuple):
    """What of the newest documents is not approved, and who approved the rest."""

    unapproved: dict[RepositoryName, str]
    """Repositories whose lines nobody approved, each with what was found and what to do."""
    whole: str | None
    """Why nothing at all counts: an unapproved policy or ref concerns every repository."""
    pull_request: int | None
    """The last pull request that counted."""
    approvers: tuple[str, ...]
    """Who approved it by review."""


def judge(changes: Sequence[DocumentChange], branch: BranchName) -> Judgement:
    """Judge every change since the last accepted commit, oldest first. No change is no objection."""
    if not changes:
        return Judgement({}, None, None, ())
    approved = current = _lines(changes[0].before)
    policy = _policy(changes[0].before)
    objections: dict[str, str] = {}
    hidden: str | None = None
    last: MergedChange | None = None
    for change in changes:
        after = _lines(change.after)
        before, current = current, after or current
        changed = _changed(before, current)
        # What an unreadable document brought shows only when it is mended, in a change that did not bring it.
        objection = hidden or _objection(change, changed, policy.approval if policy else Approval(), branch)
        hidden = None if after else objection
        if objection:
            objections |= dict.fromkeys(changed, objection)
        else:
            approved = {key: line for key, line in approved.items() if key not in changed} | {
                key: current[key] for key in changed & current.keys()
            }
            last = change.pull_request or last
            if isinstance(readable := approved.get(_POLICY), Policy):
                policy = readable
    unapproved = {key: objections[key] for key in sorted(_changed(approved, current))}
    return Judgement(
        unapproved={key: why for key, why in unapproved.items() if key not in {_REF, _POLICY}},
        whole=unapproved.get(_POLICY) or unapproved.get(_REF),
        pull_request=last.number if last else None,
        approvers=_approvers(last) if last else (),
    )


def _objection(
    change: DocumentChange, changed: frozenset[str], approval: Approval, branch: BranchName
) -> str | None:
    """Say why a change does not count, and what to do; none where it does."""
    if approval.pull_request == "optional":
        return None
    commit, merged = abbreviate(change.commit), change.pull_request
    if merged is None:
        return f"{commit} was pushed to {branch} without a pull request. Revert it, or set the line again through one."
    who = f"#{merged.number}"
    if merged.base != branch:
        return (
            f"{who} was merged into {merged.base}, not {branch}. Set the line again in one based on {branch}."
        )
    if changed > {_POLICY}:
        return (
            f"{who} changed the policy and the targets at once, so neither counts. "
            "Revert it, and make a pull request of each."
        )
    result, reviewed, fork_point = _lines(change.after), _lines(merged.after), _lines(merged.before)
    if not result and change.after.texts != merged.after.texts:
        return (
            f"{commit} leaves the documents unreadable, otherwise than {who} did. "
            "Revert what it hides, and set these lines again in a new one."
        )
    unseen = sorted(
        key
        for key in changed
        if result.get(key) != reviewed.get(key) or reviewed.get(key) == fork_point.get(key)
    )
    if unseen:
        return f"{commit} changes {', '.join(unseen)} otherwise than {who} did. Set these lines again in a new one."
    if len(_approvers(merged)) < approval.reviews:
        return (
            f"{who} has {len(_approvers(merged))} of {approval.reviews} approving reviews of its final commit by "
            "people with write access who had no part in it. Set the lines again in a reviewed one."
        )
    return None


def _approvers(merged: MergedChange) -> tuple[str, ...]:
    """List who approved the final head, by their last word, without anyone who had a part in it."""
    opinions = {
        review.author: review
        for review in merged.reviews
        if review.state in {"approved", "changes_requested", "dismissed"}
    }
    involved = {login.lower() for login in (merged.author, *merged.committers)}
    return tuple(
        sorted(
            author
            for author, review in opinions.items()
            if review.state == "approved"
            and review.commit == merged.head
            and review.can_write
            and not review.is_bot
            and author.lower() not in involved
        )
    )


def _lines(documents: Documents) -> dict[str, object]:
    """Split both documents into what is approved by itself: one entry a repository, the ref, the policy.

    A document that cannot be read has no lines; nothing is planned from it either.
    """
    try:
        desired = parse_desired(documents.desired_text or "")
    except DocumentError:
        return {}
    named = desired.targets.keys() | desired.holds.keys() | desired.blocks.keys() | desired.permits.keys()
    return {
        _REF: desired.ref,
        _POLICY: _policy(documents) or documents.policy_text,
        **{
            name: (
                desired.targets.get(name),
                desired.holds.get(name),
                desired.blocks.get(name),
                desired.permits.get(name),
            )
            for name in named
        },
    }


def _policy(documents: Documents) -> Policy | None:
    try:
        return parse_policy(documents.policy_text or "")
    except DocumentError:
        return None


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> frozenset[str]:
    return frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
