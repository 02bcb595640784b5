"""What waits in the fleet, by git's own reachability."""

from datetime import timedelta
from typing import Any

from reconcile.github.client import GitHub
from reconcile.observed import CommitRange
from state.proposal import SourceHistory
from tests.reconcile.github.conftest import commits
from tests.sandbox import Repository, Sandbox
from tests.sandbox.faults import Fault

OGR = "packit/ogr"


async def history(github: GitHub) -> SourceHistory:
    found = await github.observe_histories([OGR, "packit/gone"], source="main", ref="stable")
    assert {OGR} == found.keys()
    return found[OGR]


async def test_what_waits_is_newest_first(github: GitHub, ogr: Repository) -> None:
    first, second, third = commits(ogr)

    found = await history(github)

    assert (first, third, True) == (found.out, found.head, found.is_complete)
    assert [third, second] == [commit.sha for commit in found.waiting]
    assert ["alice", "alice"] == [commit.author for commit in found.waiting]


async def test_a_merge_is_one_commit_with_its_pull_request(github: GitHub, ogr: Repository) -> None:
    """A branch's own commits were never the state of the source branch."""
    ogr.commit("feature", {"a": "1\n"}, "Half", author="bob")
    ogr.commit("feature", {"a": "2\n"}, "Whole", author="bob")
    pull = ogr.open_pull_request("Add a feature", "", "feature", "main", "bob")
    merged = ogr.merge(pull.number, "alice", "merge")

    newest, *others = (await history(github)).waiting

    assert (merged, "alice") == (newest.sha, newest.author)
    assert newest.pull_request is not None
    assert (pull.number, "Add a feature", "bob") == (
        newest.pull_request.number, newest.pull_request.title, newest.pull_request.author,
    )  # fmt: skip
    assert [None, None] == [commit.pull_request for commit in others]


async def test_a_pull_request_into_another_branch_is_not_what_brought_it(
    github: GitHub, ogr: Repository
) -> None:
    """A release pull request from main to stable lists main's commits too."""
    first, *_ = commits(ogr)
    ogr.commit("old", {"old": "1\n"}, "Old", parents=[first])
    pull = ogr.open_pull_request("Release", "", "main", "old", "bob")
    ogr.merge(pull.number, "bob", "merge")

    assert [None, None] == [commit.pull_request for commit in (await history(github)).waiting]


async def test_an_open_pull_request_did_not_bring_it(github: GitHub, ogr: Repository) -> None:
    ogr.open_pull_request("Someday", "", "main", "stable", "bob")

    assert [None, None] == [commit.pull_request for commit in (await history(github)).waiting]


async def test_behind_a_hotfix_everything_of_main_waits(github: GitHub, ogr: Repository) -> None:
    """The ref is no first parent of main, nor an ancestor."""
    _, second, third = commits(ogr)
    ogr.commit("stable", {"fix": "1\n"}, "Fix")

    found = await history(github)

    assert ([third, second], True) == ([commit.sha for commit in found.waiting], found.is_complete)


async def test_out_on_a_merged_branch(github: GitHub, ogr: Repository) -> None:
    """What is out can be second parent of a merge: then only the first parents since wait."""
    *_, third = commits(ogr)
    side = ogr.commit("feature", {"a": "1\n"}, "Side", parents=[third])
    pull = ogr.open_pull_request("Add a feature", "", "feature", "main", "bob")
    merged = ogr.merge(pull.number, "bob", "merge")
    ogr.push("stable", side, by="alice", force=True)

    assert [merged] == [commit.sha for commit in (await history(github)).waiting]


async def test_ahead_of_main_nothing_waits(github: GitHub, ogr: Repository) -> None:
    ogr.push("stable", commits(ogr)[-1], by="alice")
    ogr.commit("stable", {"fix": "1\n"}, "Fix")

    found = await history(github)

    assert ((), True) == (found.waiting, found.is_complete)


async def test_even_costs_one_request(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    ogr.push("stable", commits(ogr)[-1], by="alice")
    sandbox.requests.reset()

    assert () == (await history(github)).waiting
    assert 1 == sandbox.requests.total


async def test_what_github_does_not_compare_is_not_taken_for_even(
    github: GitHub, sandbox: Sandbox, ogr: Repository
) -> None:
    def forget(answer: dict[str, Any]) -> dict[str, Any]:
        answer["data"]["r0"]["live"]["compare"] = None
        return answer

    sandbox.faults.add(Fault(containing="query Waiting", change=forget))

    found = await history(github)

    assert ((), False) == (found.waiting, found.is_complete)


async def test_without_a_ref_everything_waits(github: GitHub, ogr: Repository) -> None:
    ogr.delete_branch("stable")

    found = await history(github)

    assert (None, 3, True) == (found.out, len(found.waiting), found.is_complete)


async def test_without_a_source_branch_nothing_does(github: GitHub, ogr: Repository) -> None:
    found = (await github.observe_histories([OGR], source="develop", ref="stable"))[OGR]

    assert (None, (), True) == (found.head, found.waiting, found.is_complete)


async def test_more_than_a_page(github: GitHub, ogr: Repository) -> None:
    for n in range(130):
        ogr.commit("main", {"n": f"{n}\n"}, f"More {n}")

    found = await history(github)

    assert commits(ogr)[:0:-1] == [commit.sha for commit in found.waiting]
    assert found.is_complete


async def test_a_long_past_without_a_ref_is_cut(github: GitHub, sandbox: Sandbox, ogr: Repository) -> None:
    ogr.delete_branch("stable")
    now = sandbox.store.clock()
    for n in range(110):
        ogr.commit("main", {"n": f"{n}\n"}, f"More {n}", at=now + timedelta(minutes=n))

    found = await history(github)

    assert (100, False) == (len(found.waiting), found.is_complete)


async def test_commits_are_found_by_the_start_of_their_sha(github: GitHub, ogr: Repository) -> None:
    _, second, _ = commits(ogr)

    for asked in (second, second[:7], second[:12].upper()):
        assert [second] == [commit.sha for commit in await github.find_commits(OGR, asked)]


async def test_what_is_no_sha_finds_nothing(github: GitHub, ogr: Repository) -> None:
    """A branch whose name looks like one is not what was meant."""
    ogr.commit("deadbee", {"a": "1\n"}, "Trap")

    for asked in ("deadbee", "d" * 40, "main", "", "HEAD~1"):
        assert () == await github.find_commits(OGR, asked)


async def test_many_wait(github: GitHub, ogr: Repository) -> None:
    """The first page is short and the next are long; the parents hold them together."""
    for number in range(140):
        ogr.commit("main", {"n": f"{number}\n"}, f"Change {number}")
    reads = github.requests.reads

    found = await history(github)

    assert commits(ogr)[:0:-1] == [commit.sha for commit in found.waiting]
    assert found.is_complete
    assert 4 == github.requests.reads - reads, "where the branches stand, 25, 100 and the rest"


async def test_a_description_and_an_outsider(github: GitHub, ogr: Repository) -> None:
    """Kept for the release note, and for asking whether the author is new; no record of a run has them."""
    ogr.commit("feature", {"a": "1\n"}, "Add", author="mallory")
    pull = ogr.open_pull_request("Add", "RELEASE NOTES BEGIN", "feature", "main", "mallory")
    ogr.merge(pull.number, "alice", "merge")

    merged = (await history(github)).waiting[0].pull_request

    assert merged is not None
    mallory = ogr.store.account("mallory")
    assert ("RELEASE NOTES BEGIN", mallory.node_id) == (merged.body, merged.outsider_id)
    assert not {"body", "outsider_id"} & merged.model_dump().keys()


async def test_those_who_may_push_are_no_outsiders(github: GitHub, ogr: Repository) -> None:
    ogr.commit("feature", {"a": "1\n"}, "Add", author="bob")
    pull = ogr.open_pull_request("Add", "", "feature", "main", "bob")
    ogr.merge(pull.number, "alice", "merge")

    merged = (await history(github)).waiting[0].pull_request

    assert merged is not None
    assert merged.outsider_id is None


async def test_what_a_range_touches(github: GitHub, ogr: Repository) -> None:
    """A folder, a file, one that is new, and what stays; compared as trees, so in one request for all."""
    before = ogr.commit("main", {"a/b/c": "1\n", "keep/x": "1\n", "gone": "1\n"}, "Before")
    after = ogr.commit("main", {"a/b/c": "2\n", "new/y": "1\n", "gone": None}, "After")
    reads = github.requests.reads

    found = await github.observe_ranges(
        {
            OGR: CommitRange(before=before, after=after),
            "packit/gone": CommitRange(before=before, after=after),
        },
        ["a", "a/b/c", "keep", "gone", "new", "never"],
    )

    assert {OGR: ("a", "a/b/c", "gone", "new")} == {name: each.touched for name, each in found.items()}
    assert 1 == github.requests.reads - reads
    assert {} == await github.observe_ranges({OGR: CommitRange(before=before, after=after)}, [])


async def test_who_is_new(github: GitHub, ogr: Repository) -> None:
    """Whoever has no commit in what is out; what goes out does not count."""
    before = ogr.commit("main", {"a": "1\n"}, "Known", author="bob")
    after = ogr.commit("main", {"a": "2\n"}, "New", author="mallory")
    authors = {login: ogr.store.account(login).node_id for login in ("bob", "mallory")}

    found = await github.observe_ranges({OGR: CommitRange(before=before, after=after, authors=authors)}, [])

    assert ("mallory",) == found[OGR].newcomers
