"""The proposal says what decides first, and holds whatever the fleet holds."""

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.observed import Observed, Relation
from reconcile.plan import plan
from reconcile.render.marks import read_built_on, read_evidence, renew_evidence
from reconcile.render.proposal import (
    Proposal,
    render_body,
    render_headline,
    render_title,
)
from reconcile.render.sections import LIMIT
from reconcile.selection import LeftOut
from state.document import Hold, Permits
from state.evidence import Validation, Verdict
from state.policy import Policy, ProposalPolicy, ReleaseNotes
from state.proposal import MergedPullRequest, SourceCommit
from tests.builders import accepted, observed, observed_repository, observed_target, policy, sha
from tests.reconcile.render.examples import (
    BEGAN,
    HISTORIES,
    NOW,
    OGR,
    PACKIT,
    SERVICE,
    URL,
    busy_policy,
    busy_proposal,
    evidence,
    history,
    validation,
)
from tests.reconcile.render.golden import assert_golden
from tests.reconcile.render.reading import active, flatten, links, shown
from tests.reconcile.render.test_markdown import HOSTILE


def empty(proposal: Proposal) -> Proposal:
    """Take everything that moves out of a proposal."""
    given = accepted({SERVICE: sha("50")})
    seen = Observed(at=NOW, repositories={SERVICE: observed_repository(SERVICE, live=sha("50"))})
    return proposal.model_copy(update={"plan": plan(given, seen, now=NOW), "observed": seen})


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("busy.md", busy_proposal()),
        ("edited.md", busy_proposal(editors=("alice", "mallory"), notes=("main has other documents.",))),
        (
            "failed.md",
            busy_proposal(validation=validation(evidence(Verdict.FAIL, "#7 failed: rpm-build (failure)."))),
        ),
        ("unvalidated.md", busy_proposal(validation=None, left_out=(), candidates=())),
        ("empty.md", empty(busy_proposal(left_out=(), candidates=(), histories={}))),
    ],
)
def test_golden(name: str, proposal: Proposal) -> None:
    """Title and body, as reviewed."""
    assert_golden(name, f"{render_title(proposal)}\n\n{render_body(proposal)}")


def test_the_first_line_decides() -> None:
    """How many move, whether that is validated, and what is largest, before anything else."""
    expected = (
        "3 of 5 move · 1 held · stage green 5 h ago (Mon 04:03 UTC) · largest: packit-service, 21 commits"
        " · about 1 min to deploy"
    )
    assert expected == render_body(busy_proposal()).partition("\n")[0]


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (
            "**Validation failed** 5 h ago (Mon 04:03 UTC) · 3 of 5",
            validation(evidence(), evidence(Verdict.FAIL, "No.")),
        ),
        ("**Nothing says that stage", validation(evidence(), evidence(Verdict.NO_EVIDENCE, "Silence."))),
        ("**Nothing says that stage", Validation(at=NOW, evidence=())),
        ("**nothing validates this**", None),
    ],
)
def test_what_is_no_pass_is_said_first(expected: str, given: Validation | None) -> None:
    """A reviewer who reads one line knows that nothing says this is good."""
    assert expected in render_headline(busy_proposal(validation=given))


def test_the_text_changes_with_the_hour_alone() -> None:
    """A run within the hour that sees the same writes the same, so nothing is sent; a later one tells other ages."""
    proposal = busy_proposal()

    def body(at: datetime) -> str:
        return render_body(
            proposal.model_copy(
                update={"at": at, "plan": proposal.plan.model_copy(update={"observed_at": at})}
            )
        )

    assert body(NOW) == body(NOW + timedelta(minutes=20))
    assert "stage green 8 h ago (Mon 04:03 UTC)" in body(NOW + timedelta(hours=3))


@pytest.mark.parametrize(
    ("expected", "ago"),
    [
        ("just now (Mon 08:59 UTC)", timedelta(seconds=20)),
        ("1 min ago (Mon 08:59 UTC)", timedelta(minutes=1)),
        ("60 min ago (Mon 08:00 UTC)", timedelta(minutes=60)),
        ("2 h ago (Mon 07:30 UTC)", timedelta(minutes=90)),
        ("48 h ago (Sat 09:00 UTC)", timedelta(hours=48)),
        ("2 days ago (Sat 07:00 UTC)", timedelta(hours=50)),
        ("7 days ago (2026-02-23 09:00 UTC)", timedelta(days=7)),
    ],
)
def test_ages_are_coarse_and_come_with_the_moment(expected: str, ago: timedelta) -> None:
    """The age is as of the writing, so the moment stands beside it; a weekday only while there is one of its name."""
    said = evidence().model_copy(update={"began_at": NOW - ago})
    assert f"stage green {expected} · " in render_headline(busy_proposal(validation=validation(said)))


def test_a_pass_without_a_date_is_one() -> None:
    """The candidates' own checks say nothing about when stage was looked at."""
    said = evidence().model_copy(update={"began_at": None})
    assert " · validation passed · " in render_headline(busy_proposal(validation=validation(said)))


READY = {"statuses": {"contexts": ["build"]}, "within": "60m"}


def built(*, rebuilds: bool = False) -> Proposal:
    """Make a proposal in which packit waits for ogr's build, and packit-service for nothing or for its images."""
    under = Policy.model_validate(
        {
            "version": 1,
            "repositories": {
                OGR: {"ready": READY},
                PACKIT: {"after": OGR},
                SERVICE: {"after": PACKIT, "rebuild": "images.yml"} if rebuilds else {},
            },
        }
    )
    given = accepted({OGR: sha("0a"), PACKIT: sha("ba"), SERVICE: sha("5b")}, under=under)
    live = {OGR: sha("00"), PACKIT: sha("b0"), SERVICE: sha("5b") if rebuilds else sha("50")}
    seen = observed(
        *(
            observed_repository(name, live=live[name], target=observed_target(target))
            for name, target in given.desired.targets.items()
        )
    )
    return busy_proposal(plan=plan(given, seen, now=NOW), observed=seen, policy=under, risks={})


@pytest.mark.parametrize(
    ("expected", "relation", "kind"),
    [
        ("    rewind:\n      from: baba", Relation.FAST_FORWARD, "move"),
        ("as a pull request.\n\n<!--", Relation.REWIND, "rewind"),
        ("as a pull request.\n\n<!--", Relation.DIVERGED, "force"),
    ],
)
def test_the_way_back_is_one_that_works(expected: str, relation: Relation, kind: str) -> None:
    """A rewind permit takes back what went forward, and nothing else."""
    way = {"from": sha("b0"), "to": sha("ba"), "reason": "as agreed"}
    target = observed_target(sha("ba"), relation=relation, ahead=1, behind=2)
    observed = Observed(
        at=NOW, repositories={PACKIT: observed_repository(PACKIT, live=sha("b0"), target=target)}
    )
    permits = {PACKIT: Permits.model_validate({kind: way})}
    made = plan(accepted({PACKIT: sha("ba")}, under=busy_policy(), permits=permits), observed, now=NOW)
    assert expected in render_body(busy_proposal(plan=made, observed=observed, histories={}))


def test_a_clock_that_is_ahead_makes_no_negative_age() -> None:
    """A commit has the time of whoever made it."""
    early = busy_proposal(at=NOW - timedelta(days=90))
    assert " 0 min " in render_body(early)
    assert not re.search(r"-\d+ (min|h|days)", render_body(early))


def test_the_order_is_told_with_its_builds() -> None:
    """What waits for a build is a part of it, and so is what is built again without moving."""
    body = render_body(built())
    assert "about 60 min to deploy" in body.partition("\n")[0]
    assert "1. ogr, packit-service\n2. packit (after about 60 min)\n" in body
    body = render_body(built(rebuilds=True))
    assert (
        "1. ogr\n2. packit (after about 60 min)\n3. packit-service is built again (after about 60 min)\n"
        in body
    )


def test_what_to_look_at_first_stands_first() -> None:
    """What is held, what has risks, what is large: a table that is too long is cut below."""
    rows = (
        render_body(busy_proposal()).partition("### What moves")[2].partition("###")[0].strip().splitlines()
    )
    assert ["dashboard", "packit-service", "ogr", "packit"] == [
        row.partition("[")[2].partition("]")[0] for row in rows[2:]
    ]


def test_three_hundred_moves_fit_into_the_table() -> None:
    """Each of them can be looked at, with its compare link; the lists of commits give way."""
    names = [f"fleet/repository-{number:04}" for number in range(300)]
    given = accepted(dict.fromkeys(names, sha("b")), under=policy(*names))
    seen = observed(*(observed_repository(name) for name in names))
    proposal = crowd(300, 17, "A title of some length").model_copy(
        update={
            "plan": plan(given, seen, now=NOW),
            "observed": seen,
            "left_out": (),
            "validation": validation(),
        }
    )
    assert 300 == render_body(proposal).count("/compare/")


def test_long_lists_are_folded_away() -> None:
    """Whoever wants to see a hundred titles opens them."""
    assert "### What goes out" in render_body(busy_proposal())
    few = crowd(2, 50, "x")
    assert "<details><summary>What goes out: 50 changes</summary>" in render_body(few)


def test_nobody_is_mentioned() -> None:
    """Authors are named, and not called."""
    assert "(alice)" in render_body(busy_proposal())
    assert "@" not in shown(render_body(busy_proposal()))


def test_what_it_was_built_on_can_be_read_back() -> None:
    """The next run finds out whether the documents have changed since."""
    assert (sha("d1"), sha("d2")) == read_built_on(render_body(busy_proposal()))
    assert (sha("d1"), None) == read_built_on(render_body(busy_proposal(built_on=(sha("d1"), None))))
    assert read_built_on(render_body(busy_proposal(built_on=None))) is None


@given(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE))
def test_other_people_cannot_write_in_it(title: str, name: str) -> None:
    """Titles, authors, reasons and sentences stay text: the body links to what it linked to before, and no more."""

    def disguise(commit: SourceCommit, title: str, name: str) -> SourceCommit:
        merged = commit.pull_request and commit.pull_request.model_copy(
            update={
                "title": title,
                "author": name,
                "body": f"RELEASE NOTES BEGIN says {title} RELEASE NOTES END",
            }
        )
        return commit.model_copy(update={"headline": title, "author": name, "pull_request": merged})

    def with_texts(title: str, name: str) -> str:
        proposal = busy_proposal(
            validation=validation(evidence(sentence=title)),
            left_out=(LeftOut(repository=SERVICE, reason=title),),
            editors=(name,),
            notes=(title,),
            risks={SERVICE: (f"new here: {name}",)},
            lifted={SERVICE: Hold(reason=f"a reason {title}"[:500], until=NOW)},
            histories={
                each: found.model_copy(
                    update={"waiting": tuple(disguise(commit, title, name) for commit in found.waiting)}
                )
                for each, found in HISTORIES.items()
            },
        )
        return render_body(proposal)

    plain, hostile = with_texts("title", "name"), with_texts(title, name)
    assert links(plain) == links(hostile)
    assert active(plain) == active(hostile)
    assert [token.type for token in flatten(plain) if token.block] == [
        token.type for token in flatten(hostile) if token.block
    ]
    assert (sha("d1"), sha("d2")) == read_built_on(hostile)


def crowd(count: int, waiting: int, title: str) -> Proposal:
    """Make a proposal for a fleet of this size, in which so many commits wait in each."""
    names = [f"fleet/repository-{number:04}" for number in range(count)]
    commits = tuple(
        SourceCommit(
            sha=sha(f"{number:08x}"),
            committed_at=BEGAN,
            headline=title,
            author="a" * 39,
            pull_request=MergedPullRequest(
                number=number, title=title, url=f"{URL}/pull/{number}", author="a" * 39, merged_at=BEGAN
            ),
        )
        for number in range(1, waiting + 1)
    )
    given = accepted(
        dict.fromkeys(names, commits[0].sha),
        under=policy(*names),
        holds={name: Hold(reason="€" * 500) for name in names[::2]},
    )
    seen = Observed(
        at=NOW,
        repositories={
            name: observed_repository(
                name, live=sha("0"), target=observed_target(commits[0].sha, ahead=waiting)
            )
            for name in names
        },
    )
    return busy_proposal(
        plan=plan(given, seen, now=NOW),
        observed=seen,
        policy=given.policy,
        candidates=(),
        histories={name: history(name, sha("0"), *commits) for name in names},
        left_out=tuple(LeftOut(repository=name, reason="€" * 500) for name in names),
        validation=validation(*[evidence(sentence="€" * 400)] * 50),
    )


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from([1, 8, 60]),
    st.sampled_from([1, 20, 60]),
    st.sampled_from(["x" * 250, "€" * 250, "😀" * 250, "[" * 250]),
)
def test_it_always_fits(count: int, waiting: int, title: str) -> None:
    """However large the fleet and long the titles, GitHub takes the body, and the first line is there."""
    body = render_body(crowd(count, waiting, title))
    assert len(body.encode()) <= LIMIT
    assert " held" in body.partition("\n")[0] or "1 of" in body.partition("\n")[0] or "wait" in body
    assert read_built_on(body)


def test_a_large_fleet_fits() -> None:
    """A thousand repositories: what decides is there, the table is cut last, and what was cut is said."""
    body = render_body(crowd(1000, 3, "€" * 250))
    assert len(body.encode()) <= LIMIT
    assert body.startswith("500 of 1000 move · 500 held")
    assert "### What moves" in body
    assert "are left out: they do not fit" in body


def test_the_title_is_short() -> None:
    """A title names what moves, and is cut where that is too much."""
    assert "Move stable of ogr, packit, packit-service" == render_title(busy_proposal())
    assert 120 == len(render_title(crowd(60, 1, "x")))


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ((Verdict.PASS, BEGAN + timedelta(hours=24)), validation()),
        ((Verdict.FAIL, BEGAN + timedelta(hours=24)), validation(evidence(Verdict.FAIL, "No."))),
        ((Verdict.NO_EVIDENCE, None), validation(evidence(Verdict.NO_EVIDENCE, "Silence."))),
        (None, None),
    ],
)
def test_what_validation_said_can_be_read_back(
    expected: tuple[Verdict, object] | None, given: Validation | None
) -> None:
    """Check turns to failure when it has run out, without asking the sources again."""
    mark = read_evidence(render_body(busy_proposal(validation=given)))
    assert expected == (mark and tuple(mark))


def test_a_mark_is_renewed_where_the_rest_stays() -> None:
    """Also where the policy asks for validation no more."""
    body = render_body(busy_proposal(validation=validation(evidence(Verdict.FAIL, "No."))))
    renewed = renew_evidence(body, validation())
    assert (Verdict.PASS, BEGAN + timedelta(hours=24)) == read_evidence(renewed)
    assert body.partition("<!--")[0] == renewed.partition("<!--")[0]
    assert read_evidence(renew_evidence(body, None)) is None


@pytest.mark.parametrize("text", ["", "pass", "pass tomorrow", "pass 2026-03-03T04:03:00", "good never"])
def test_what_others_wrote_is_no_mark(text: str) -> None:
    """People may edit the body."""
    assert read_evidence(f"<!-- stablehand:evidence {text} -->") is None


def test_owners_are_shown_where_they_tell_names_apart() -> None:
    """In a fleet of one owner they are the same on every line."""
    proposal = busy_proposal()
    assert "[packit](https://github.example/packit/packit)" in render_body(proposal)
    items = tuple(
        item.model_copy(update={"repository": "other/ogr", "name": "other/ogr"})
        if item.repository == "packit/ogr"
        else item
        for item in proposal.plan.items
    )
    mixed = proposal.model_copy(update={"plan": proposal.plan.model_copy(update={"items": items})})
    assert "[packit/packit](https://github.example/packit/packit)" in render_body(mixed)


def test_release_notes_are_collected() -> None:
    """From the pull requests that go out, in the policy's words; those that say nothing are left out."""
    body = render_body(busy_proposal())
    notes = body.partition("### Release notes")[2].partition("###")[0]
    assert [
        "- A job can have &#96;targets&#96; of its own. ([#5]",
        "- Recent builds load at once. ([#10]",
    ] == [line.partition("(https")[0] for line in notes.splitlines() if line.startswith("-")]
    rules = ProposalPolicy(release_notes=ReleaseNotes(begin="NEWS:", end="/NEWS"))
    under = busy_policy().model_copy(update={"proposal": rules})
    assert "### Release notes" not in render_body(busy_proposal(policy=under))
