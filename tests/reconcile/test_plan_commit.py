"""Blocks and allowed branches: which commits may not go out."""

import pytest

from reconcile.planned import FastForward, Hold
from state.ids import Sha
from tests.builders import OGR, TARGET, accepted, decide, observed_repository, observed_target, policy, sha

BAD, FIX, OTHER = sha("bad"), sha("f1"), sha("0d")


@pytest.mark.parametrize(
    ("is_blocked", "blocked", "fixed_by", "contains"),
    [
        (True, TARGET, None, ()),
        (True, BAD, None, (BAD,)),
        (False, BAD, None, ()),
        (False, BAD, None, (OTHER,)),
        (True, BAD, FIX, (BAD,)),
        (False, BAD, FIX, (BAD, FIX)),
        (False, BAD, TARGET, (BAD,)),
        (False, BAD, FIX, (FIX,)),
        (True, TARGET, FIX, ()),
    ],
)
def test_block(is_blocked: bool, blocked: Sha, fixed_by: Sha | None, contains: tuple[Sha, ...]) -> None:  # noqa: FBT001 (a truth table)
    """A block stops its commit and all that is built on it, except what contains the fix."""
    blocks = {OGR: {blocked: {"reason": "broke srpm builds", "fixed_by": fixed_by}}}
    item = decide(accepted(blocks=blocks), observed_repository(target=observed_target(contains=contains)))
    assert is_blocked == (isinstance(item, Hold) and item.code == "blocked")


def test_one_fix_lifts_one_block() -> None:
    """With two blocks, the fix of one says nothing about the other."""
    blocks = {OGR: {BAD: {"reason": "broke srpm builds", "fixed_by": FIX}, OTHER: {"reason": "leaks tokens"}}}
    target = observed_target(contains=(BAD, FIX, OTHER))
    item = decide(accepted(blocks=blocks), observed_repository(target=target))
    assert isinstance(item, Hold)
    assert "leaks tokens" in item.sentence


def test_blocks_of_another_repository() -> None:
    """The same sha blocked elsewhere is another commit."""
    blocks = {"packit/other": {TARGET: {"reason": "broke srpm builds"}}}
    assert isinstance(decide(accepted(blocks=blocks)), FastForward)


def test_not_on_source_names_every_allowed_branch() -> None:
    """Whoever reads the hold learns where the commit would have to be."""
    under = policy(OGR, moves={"allowed_branches": ["main", "hotfix"]})
    item = decide(accepted(under=under), observed_repository(target=observed_target(on_branch=None)))
    assert isinstance(item, Hold)
    assert "main or hotfix" in item.sentence
