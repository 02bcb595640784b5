"""Approval as a truth table: which lines of the newest documents count, and what people read about the others."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from reconcile.approval import Judgement, judge
from reconcile.observed import DocumentChange, Documents, MergedChange, Review
from state.ids import Sha
from tests.builders import NOW, sha

OGR, PACKIT = "packit/ogr", "packit/packit"
OLD, NEW, NEWER = sha("a"), sha("b"), sha("c")
HEAD, EARLIER_HEAD = sha("9"), sha("8")
UNREADABLE = "version: 1\ntargets: [\n"


def desired(ogr: Sha | None = OLD, packit: Sha | None = OLD, *, ref: str = "stable", more: str = "") -> str:
    named = {OGR: ogr, PACKIT: packit}
    lines = "".join(f"  {name}: {commit}\n" for name, commit in named.items() if commit)
    return f"version: 1\nref: {ref}\ntargets:\n{lines}{more}"


def policy(approval: str = "{}", more: str = "") -> str:
    return (
        f"version: 1\nrepositories: {{packit/ogr: {{}}, packit/packit: {{}}}}\napproval: {approval}\n{more}"
    )


_serials = count(1)


def documents(desired_text: str | None = None, policy_text: str | None = None) -> Documents:
    return Documents(
        commit=f"{next(_serials):07x}".ljust(40, "0"),
        desired_text=desired() if desired_text is None else desired_text,
        policy_text=policy() if policy_text is None else policy_text,
    )


START = documents()


class History:
    """A default branch that began at documents which were accepted whole."""

    def __init__(self, start: Documents = START) -> None:
        self.now = start
        self.changes: list[DocumentChange] = []

    def push(self, desired_text: str | None = None, policy_text: str | None = None) -> "History":
        """Change the documents without a pull request; what is not given stays."""
        return self._add(self._edited(desired_text, policy_text), None)

    def merge(
        self,
        desired_text: str | None = None,
        policy_text: str | None = None,
        *,
        reviewed: Documents | None = None,
        fork_point: Documents | None = None,
        **rest: Any,
    ) -> "History":
        """Merge a pull request; ``reviewed`` where its head had other documents than what came of it."""
        after = self._edited(desired_text, policy_text)
        fields: dict[str, Any] = {
            "number": 7,
            "base": "main",
            "author": "stablehand-bot",
            "contributors": ("stablehand-bot",),
            "head": HEAD,
            "reviews": (),
        }
        merged = MergedChange(**fields | rest, before=fork_point or self.now, after=reviewed or after)
        return self._add(after, merged)

    def judged(self) -> Judgement:
        return judge(self.changes, "main")

    def _edited(self, desired_text: str | None, policy_text: str | None) -> Documents:
        return documents(
            self.now.desired_text if desired_text is None else desired_text,
            self.now.policy_text if policy_text is None else policy_text,
        )

    def _add(self, after: Documents, merged: MergedChange | None) -> "History":
        self.changes.append(
            DocumentChange(commit=after.commit, before=self.now, after=after, pull_request=merged)
        )
        self.now = after
        return self


def review(author: str = "alice", state: str = "approved", **rest: Any) -> Review:
    fields: dict[str, Any] = {"is_bot": False, "can_write": True, "commit": HEAD, "at": NOW}
    return Review(author=author, state=state, **fields | rest)  # type: ignore[arg-type]  # one of its literals


def under(approval: str) -> History:
    return History(documents(policy_text=policy(approval)))


# What counts


def test_no_change_is_no_objection() -> None:
    assert Judgement({}, None, None, {}, None, ()) == judge((), "main")


def test_a_merged_pull_request_counts() -> None:
    """Its number is told, and nobody as approver where nobody had to."""
    assert Judgement({}, None, None, {}, 7, ()) == History().merge(desired(ogr=NEW)).judged()


def test_the_last_pull_request_is_told() -> None:
    """Also where a change without one comes after it."""
    history = under("{pull_request: optional}").merge(desired(ogr=NEW), number=7)
    history.merge(desired(ogr=NEW, packit=NEW), number=8, reviews=(review(),)).push(desired())
    assert Judgement({}, None, None, {}, 8, ("alice",)) == history.judged()


def test_a_direct_push_does_not_count() -> None:
    history = History().push(desired(ogr=NEW))
    pushed = history.now.commit[:7]
    assert {
        OGR: f"{pushed} was pushed to main without a pull request. "
        "Take it back, which needs no approval, and set the line in one."
    } == history.judged().unapproved
    assert history.judged().whole is None


def test_a_direct_push_counts_where_pull_requests_are_optional() -> None:
    assert (
        Judgement({}, None, None, {}, None, ())
        == under("{pull_request: optional}").push(desired(NEW)).judged()
    )


def test_optional_asks_for_no_reviews() -> None:
    history = under("{pull_request: optional, reviews: 2}").merge(desired(ogr=NEW))
    assert {} == history.judged().unapproved


@pytest.mark.parametrize(
    "more",
    [
        'holds: {packit/ogr: {reason: "leave it"}}\n',
        f'blocks: {{packit/ogr: {{{NEWER}: {{reason: "broke builds"}}}}}}\n',
        f'permits: {{packit/ogr: {{rewind: {{from: {NEW}, to: {OLD}, reason: "rollback"}}}}}}\n',
    ],
)
def test_everything_about_a_repository_is_its_line(more: str) -> None:
    """Holds, blocks and permits need the same as targets; put there and taken away."""
    assert {OGR} == History().push(desired(more=more)).judged().unapproved.keys()
    lifted = History(documents(desired(more=more))).push(desired())
    assert {OGR} == lifted.judged().unapproved.keys()


def test_what_only_a_section_names_is_a_line_too() -> None:
    """A repository without a target may be held, blocked or permitted."""
    for more in (
        'holds: {packit/new: {reason: "leave it"}}\n',
        f'blocks: {{packit/new: {{{NEWER}: {{reason: "broke builds"}}}}}}\n',
        f'permits: {{packit/new: {{rewind: {{from: {NEW}, to: {OLD}, reason: "rollback"}}}}}}\n',
    ):
        assert {"packit/new"} == History().push(desired(more=more)).judged().unapproved.keys()


def test_a_removed_target_is_a_change() -> None:
    """Removed without approval, its last approved value is told; removed with it, there is none."""
    pushed = History().merge(desired(ogr=NEW)).push(desired(ogr=NEWER)).push(desired(ogr=None)).judged()
    assert ([OGR], {OGR: NEW}) == ([*pushed.unapproved], pushed.removed)
    merged = History().merge(desired(ogr=None)).judged()
    assert ({}, {}) == (merged.unapproved, merged.removed)


def test_the_ref_concerns_every_repository() -> None:
    judged = History().push(desired(ref="production")).judged()
    assert {} == judged.unapproved
    assert judged.whole is not None
    assert "without a pull request" in judged.whole
    assert History().merge(desired(ref="production")).judged().whole is None


def test_the_policy_concerns_every_repository() -> None:
    judged = History().push(policy_text=policy(more="soak: 1h\n")).judged()
    assert {} == judged.unapproved
    assert judged.whole is not None
    assert History().merge(policy_text=policy(more="soak: 1h\n")).judged().whole is None


def test_the_policy_is_told_before_the_ref() -> None:
    history = History().push(desired(ref="production"))
    history.push(policy_text=policy(more="soak: 1h\n"))
    judged = history.judged()
    assert judged.whole is not None
    assert history.now.commit[:7] in judged.whole


def test_comments_and_layout_are_no_change() -> None:
    history = History().push("# Mind the order.\n" + desired(), policy(more="# Ask first.\n"))
    assert Judgement({}, None, None, {}, None, ()) == history.judged()


# What does not launder what


def test_a_later_good_pull_request_does_not_launder() -> None:
    history = History().push(desired(ogr=NEW)).merge(desired(ogr=NEW, packit=NEW))
    assert {OGR} == history.judged().unapproved.keys()
    assert 7 == history.judged().pull_request


HOLD = 'holds: {packit/ogr: {reason: "leave it"}}\n'


def test_deciding_about_a_repository_does_not_launder_its_target() -> None:
    """The diff that was reviewed shows a hold, and not the target that was pushed before it."""
    history = History().push(desired(ogr=NEW)).merge(desired(ogr=NEW, more=HOLD))
    assert [("targets", OGR)] == [*history.judged().lines]
    assert {OGR} == history.merge(desired(ogr=NEW)).judged().unapproved.keys()


def test_blocking_a_commit_does_not_launder_the_lifting_of_another_block() -> None:
    blocked = desired(more=f'blocks: {{packit/ogr: {{{NEW}: {{reason: "broke builds"}}}}}}\n')
    other = desired(more=f'blocks: {{packit/ogr: {{{NEWER}: {{reason: "broke builds"}}}}}}\n')
    history = History(documents(blocked)).push(desired()).merge(other)
    assert [("blocks", OGR, NEW)] == [*history.judged().lines]


def test_two_pull_requests_decide_about_one_repository() -> None:
    """Each its own line: git merges them, and both were reviewed."""
    history = History().merge(desired(ogr=NEW), number=6)
    history.merge(desired(ogr=NEW, more=HOLD), fork_point=START, reviewed=documents(desired(more=HOLD)))
    assert {} == history.judged().unapproved


def test_the_newest_objection_to_any_line_of_a_repository_is_told() -> None:
    history = History().push(desired(ogr=NEW)).push(desired(ogr=NEW, more=HOLD))
    newest = history.now.commit[:7]
    history.push(desired(ogr=NEW, packit=NEW, more=HOLD))
    assert history.judged().unapproved[OGR].startswith(newest)
    history.push(desired(ogr=NEWER, packit=NEW, more=HOLD))  # a line that was objected to before the other
    assert history.judged().unapproved[OGR].startswith(history.now.commit[:7])


def test_what_a_further_approval_leaves() -> None:
    judged = History().push(desired(ogr=None, packit=NEW)).judged()
    for decided, left, removed in ((PACKIT, OGR, {OGR: OLD}), (OGR, PACKIT, {})):
        after = judged.after({("targets", decided)})
        assert {left} == after.unapproved.keys()
        assert removed == after.removed


def test_a_pull_request_that_sets_the_line_again_counts() -> None:
    history = History().push(desired(ogr=NEW)).merge(desired(ogr=NEWER))
    assert {} == history.judged().unapproved


def test_a_pull_request_that_set_the_line_before_it_was_pushed_counts() -> None:
    """Merging it changes nothing any more, and its reviewers saw the whole change."""
    history = under("{reviews: 1}").push(desired(ogr=NEW))
    began = documents(policy_text=policy("{reviews: 1}"))
    history.merge(fork_point=began, reviews=(review(),))
    assert Judgement({}, None, None, {}, 7, ("alice",)) == history.judged()


@pytest.mark.parametrize("set_to", [OLD, NEWER])
def test_a_pull_request_that_set_it_otherwise_does_not(set_to: Sha) -> None:
    """Neither where its merge kept the pushed line, nor where it merely began before the push."""
    history = History().push(desired(ogr=NEW))
    history.merge(fork_point=START, reviewed=documents(desired(ogr=set_to)))
    assert {OGR} == history.judged().unapproved.keys()


def test_without_its_reviews_it_sets_nothing_either() -> None:
    began = documents(policy_text=policy("{reviews: 1}"))
    history = under("{reviews: 1}").push(desired(ogr=NEW)).merge(fork_point=began)
    assert "without a pull request" in history.judged().unapproved[OGR]


def test_a_pull_request_that_changes_nothing_is_not_told() -> None:
    history = History().merge(desired(ogr=NEW), number=6).merge(fork_point=documents(desired(ogr=NEW)))
    assert 6 == history.judged().pull_request


def test_taking_a_direct_push_back_needs_no_ceremony() -> None:
    assert {} == History().push(desired(ogr=NEW)).push(desired()).judged().unapproved


def test_taking_an_approved_line_back_needs_a_pull_request() -> None:
    history = History().merge(desired(ogr=NEW)).push(desired())
    assert {OGR} == history.judged().unapproved.keys()


def test_the_newest_objection_to_a_line_is_told() -> None:
    history = History().push(desired(ogr=NEW)).merge(desired(ogr=NEWER), base="release")
    assert "merged into release, not main" in history.judged().unapproved[OGR]


@pytest.mark.parametrize("loosened", ["{pull_request: optional}", "{reviews: 0}"])
def test_a_policy_that_nobody_approved_judges_nothing(loosened: str) -> None:
    """Loosened by a push, used, and put back: what came in between still needs what the approved policy asks."""
    history = under("{reviews: 1}").push(policy_text=policy(loosened))
    history.merge(desired(ogr=NEW)).push(desired(ogr=NEW, packit=NEW))
    history.push(policy_text=policy("{reviews: 1}"))
    assert history.judged().whole is None
    assert {OGR, PACKIT} == history.judged().unapproved.keys()


def test_a_policy_is_loosened_under_its_own_rules() -> None:
    """And from then on the next change is judged by the new one."""
    alone = under("{reviews: 1}").merge(policy_text=policy("{reviews: 0}")).merge(desired(ogr=NEW))
    assert alone.judged().whole is not None
    assert {OGR} == alone.judged().unapproved.keys()

    agreed = under("{reviews: 1}").merge(policy_text=policy("{reviews: 0}"), reviews=(review(),))
    assert Judgement({}, None, None, {}, 7, ()) == agreed.merge(desired(ogr=NEW)).judged()


def test_policy_and_targets_at_once_do_not_count() -> None:
    history = History().merge(desired(ogr=NEW), policy(more="soak: 1h\n"))
    judged = history.judged()
    sentence = (
        "#7 changed the policy and the targets at once, so neither counts. "
        "Revert it, and make a pull request of each."
    )
    assert ({OGR: sentence}, sentence) == (judged.unapproved, judged.whole)
    assert {} == history.push(desired(), policy()).judged().unapproved


def test_policy_and_targets_of_one_branch_are_at_once_however_they_got_here() -> None:
    """What somebody pushed of it before does not make two pull requests of one."""
    stricter = policy(more="soak: 1h\n")
    judged = (
        History()
        .push(policy_text=stricter)
        .merge(desired(ogr=NEW), fork_point=START, reviewed=documents(desired(ogr=NEW), stricter))
        .judged()
    )
    assert "at once" in judged.unapproved[OGR]
    assert "without a pull request" in (judged.policy or "")


# Documents that cannot be read


@pytest.mark.parametrize("broken", [UNREADABLE, ""])
def test_mending_a_document_does_not_launder_what_broke_it(broken: str) -> None:
    """The reviewer of the mended file sees the mended line, and not what else was pushed with the broken one."""
    history = History().push(broken).merge(desired(ogr=NEW))
    assert {OGR} == history.judged().unapproved.keys()
    assert "without a pull request" in history.judged().unapproved[OGR]


def test_what_was_hidden_stays_unapproved_through_a_good_change() -> None:
    history = History().push(UNREADABLE).merge(UNREADABLE + "# Where is the end?\n").merge(desired(ogr=NEW))
    assert {OGR} == history.judged().unapproved.keys()


def test_a_broken_document_taken_back_hides_nothing() -> None:
    assert {} == History().push(UNREADABLE).push(desired()).merge(desired(ogr=NEW)).judged().unapproved


def test_a_pull_request_may_break_and_another_mend() -> None:
    """Both were merged as they were reviewed, so what came of them counts."""
    assert {} == History().merge(UNREADABLE).merge(desired(ogr=NEW)).judged().unapproved


def test_a_pull_request_may_break_the_policy_and_another_mend_it() -> None:
    assert History().merge(policy_text="approval: [").judged().whole is None
    for back in (History.merge, History.push):  # to what it was is no change
        assert back(History().merge(policy_text="approval: ["), policy_text=policy()).judged().whole is None


def test_a_broken_document_hides_what_it_was_broken_with() -> None:
    """Nobody knows what a push changed there. A push of the other document adds nothing to that."""
    assert "without a pull request" in (History().push(UNREADABLE).judged().document or "")
    agreed = History().merge(UNREADABLE).push(policy_text=policy(more="soak: 1h\n"))
    assert agreed.judged().document is None
    assert {} == agreed.merge(desired(ogr=NEW)).judged().unapproved


def test_a_merge_that_breaks_otherwise_than_was_reviewed_hides_something() -> None:
    history = History().merge(UNREADABLE, reviewed=documents(desired(packit=NEW))).merge(desired(ogr=NEW))
    assert {OGR} == history.judged().unapproved.keys()
    broken = history.changes[0].commit[:7]
    assert (
        f"{broken} leaves the documents unreadable, otherwise than #7 did. "
        "Revert what it hides, and set these lines again in a new one."
    ) == history.judged().unapproved[OGR]


def test_mending_a_policy_does_not_launder_what_broke_it() -> None:
    loosened = policy("{reviews: 0}")
    history = under("{reviews: 1}").push(policy_text=loosened + "windows: [")
    assert history.judged().policy is not None
    history.merge(policy_text=loosened, reviews=(review(),))
    assert "without a pull request" in (history.judged().policy or "")
    assert history.push(policy_text=policy("{reviews: 1}")).judged().policy is None


def test_breaking_one_document_and_changing_the_other_is_both_at_once() -> None:
    for texts in ((UNREADABLE, policy(more="soak: 1h\n")), (desired(ogr=NEW), "approval: [")):
        judged = History().merge(*texts).judged()
        assert "at once" in (judged.whole or "")


def test_a_branch_that_began_with_a_broken_document() -> None:
    """What it mended is in its diff, and what else was broken is not."""
    broken = documents(UNREADABLE)
    history = History().merge(desired(ogr=NEW), fork_point=broken)
    assert (
        "#7 began where release-state.yaml could not be read, so what it changed cannot be told. "
        "Set these lines again in a new one."
    ) == history.judged().unapproved[OGR]
    adopted = History().push(desired(ogr=NEW)).merge(fork_point=broken)
    assert {OGR} == adopted.judged().unapproved.keys()
    mended = History().merge(policy_text=policy(more="soak: 1h\n"), fork_point=documents(policy_text="a: ["))
    assert "#7 began where release-policy.yaml could not be read" in (mended.judged().policy or "")


def test_a_broken_policy_holds_everything() -> None:
    """The last one that could be read goes on judging."""
    history = under("{reviews: 1}").push(policy_text="approval: [").merge(desired(ogr=NEW))
    assert history.judged().whole is not None
    assert {OGR} == history.judged().unapproved.keys()
    agreed = under("{reviews: 1}").merge(policy_text="approval: [", reviews=(review(),))
    assert {OGR} == agreed.merge(desired(ogr=NEW)).judged().unapproved.keys()


def test_what_begins_unreadable_is_judged_by_the_strictest_default() -> None:
    """No policy at all asks for pull requests."""
    history = History(documents(policy_text="approval: [")).push(desired(ogr=NEW))
    assert {OGR} == history.judged().unapproved.keys()


def test_a_missing_document_is_unreadable() -> None:
    missing = START.model_copy(update={"policy_text": None})
    history = History()
    history._add(missing, None)
    assert history.judged().whole is not None


# As the pull request had it


def test_a_line_that_the_pull_request_did_not_have() -> None:
    """A merge commit may hold what no reviewer saw."""
    history = History().merge(desired(ogr=NEW, packit=NEW), reviewed=documents(desired(ogr=NEW)))
    merge = history.now.commit[:7]
    sentence = f"{merge} changes packit/packit otherwise than #7 did. Set these lines again in a new one."
    assert {OGR: sentence, PACKIT: sentence} == history.judged().unapproved


def test_a_line_that_the_pull_request_had_otherwise() -> None:
    history = History().merge(desired(ogr=NEWER), reviewed=documents(desired(ogr=NEW)))
    assert {OGR} == history.judged().unapproved.keys()


def test_a_line_that_the_pull_request_merely_began_with() -> None:
    """Its branch was old: merging it may not take back what the default branch has got since."""
    history = History().merge(desired(ogr=NEW, packit=NEW), number=6)
    began = documents(desired(ogr=OLD, packit=OLD))
    history.merge(
        desired(ogr=OLD, packit=NEWER), fork_point=began, reviewed=documents(desired(ogr=OLD, packit=NEWER))
    )
    judged = history.judged()
    assert {OGR, PACKIT} == judged.unapproved.keys()
    assert "packit/ogr otherwise than #7" in judged.unapproved[OGR]


def test_what_the_base_has_got_meanwhile_is_not_the_pull_requests() -> None:
    history = History().merge(desired(ogr=NEW), number=6)
    history.merge(
        desired(ogr=NEW, packit=NEW),
        fork_point=START,
        reviewed=documents(desired(packit=NEW)),
    )
    assert {} == history.judged().unapproved


def test_all_unseen_lines_are_named() -> None:
    history = History().merge(desired(ogr=NEW, packit=NEW), reviewed=START)
    assert "changes packit/ogr, packit/packit otherwise" in history.judged().unapproved[OGR]


def test_a_policy_that_was_reviewed_otherwise() -> None:
    reviewed = documents(policy_text=policy(more="soak: 2h\n"))
    judged = History().merge(policy_text=policy(more="soak: 1h\n"), reviewed=reviewed).judged()
    assert judged.whole is not None
    assert "changes policy otherwise" in judged.whole


def test_a_pull_request_into_another_branch() -> None:
    history = History().merge(desired(ogr=NEW), base="release")
    assert {
        OGR: "#7 was merged into release, not main. Set the line again in one based on main."
    } == history.judged().unapproved


# Reviews


@pytest.mark.parametrize(
    ("counts", "reviews"),
    [
        (False, ()),
        (True, (review(),)),
        (False, (review(commit=EARLIER_HEAD),)),
        (False, (review(commit=None),)),
        (True, (review(commit=EARLIER_HEAD), review())),
        (False, (review(), review(commit=EARLIER_HEAD))),
        (False, (review(state="commented"),)),
        (False, (review(state="pending"),)),
        (False, (review(state="dismissed"),)),
        (False, (review(state="changes_requested"),)),
        (False, (review(), review(state="changes_requested"))),
        (False, (review(), review(state="dismissed"))),
        (True, (review(), review(state="commented"))),
        (True, (review(), review(state="pending"))),
        (True, (review(state="changes_requested"), review())),
        (True, (review(), review("bob", state="changes_requested"))),
        (False, (review(can_write=False),)),
        (False, (review(is_bot=True),)),
        (False, (review("author"),)),
        (False, (review("Author"),)),
        (False, (review("committer"),)),
        (False, (review("COMMITTER"),)),
    ],
)
def test_one_review(counts: bool, reviews: Sequence[Review]) -> None:  # noqa: FBT001 (a truth table)
    """An approval counts by its author's last word, on the final head, with write access, from an outsider."""
    history = under("{reviews: 1}").merge(
        desired(ogr=NEW), author="author", contributors=("author", "Committer"), reviews=reviews
    )
    assert counts == (history.judged().unapproved == {})
    assert (("alice",) if counts else ()) == (history.judged().approvers if counts else ())


def test_an_approval_before_the_base_was_changed() -> None:
    """It was of another diff."""
    later, first = NOW + timedelta(minutes=1), under("{reviews: 1}")
    first.merge(desired(ogr=NEW), base_changed_at=NOW, reviews=(review(),))
    assert {
        OGR: "#7 has 0 of 1 approving reviews of its final commit, given since its base was last changed, by people "
        "with write access who had no part in it. Set the lines again in a reviewed one."
    } == first.judged().unapproved
    again = under("{reviews: 1}").merge(desired(ogr=NEW), base_changed_at=NOW, reviews=(review(at=later),))
    assert {} == again.judged().unapproved


def test_commits_of_nobody_knows_whom() -> None:
    """Whoever approved them may have made them. Where no review is asked for it does not matter."""
    fields: dict[str, Any] = {"unattributed": (NEW, NEWER), "reviews": (review(),)}
    asked = under("{reviews: 1}").merge(desired(ogr=NEW), **fields)
    assert {
        OGR: f"GitHub knows neither who pushed {NEW[:7]}, {NEWER[:7]} of #7 nor everybody who made it, so whoever "
        "approved it may have had a part in it. Set the lines again in one that is pushed to a branch here."
    } == asked.judged().unapproved
    assert {} == under("{reviews: 0}").merge(desired(ogr=NEW), **fields).judged().unapproved


def test_so_many_reviews() -> None:
    """One person is one, however often; the sentence counts."""
    once = under("{reviews: 2}").merge(desired(ogr=NEW), reviews=(review(), review()))
    assert {
        OGR: "#7 has 1 of 2 approving reviews of its final commit by people with write access who had no part in it. "
        "Set the lines again in a reviewed one."
    } == once.judged().unapproved
    twice = under("{reviews: 2}").merge(desired(ogr=NEW), reviews=(review("bob"), review("alice")))
    assert Judgement({}, None, None, {}, 7, ("alice", "bob")) == twice.judged()
