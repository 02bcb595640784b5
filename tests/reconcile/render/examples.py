"""Proposals to render: made of values, with every kind of item."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from reconcile.observed import Observed, ObservedRepository, ObservedTarget, Relation
from reconcile.plan import plan
from reconcile.planned import Plan
from reconcile.render.proposal import Proposal
from reconcile.selection import LeftOut
from state.document import Hold
from state.evidence import Evidence, Link, Validation, Verdict
from state.ids import RepositoryName, Sha
from state.policy import Policy, Window
from state.proposal import (
    Candidate,
    LeftBehind,
    MergedPullRequest,
    SourceCommit,
    SourceHistory,
)
from tests.builders import accepted, observed_repository, observed_target, policy, sha

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEGAN = datetime(2026, 3, 2, 4, 3, tzinfo=UTC)
OGR, PACKIT, SERVICE = "packit/ogr", "packit/packit", "packit/packit-service"
DASHBOARD, TOKMAN, SANDCASTLE = "packit/dashboard", "packit/tokman", "packit/sandcastle"
URL = "https://github.example"


def commit(
    name: RepositoryName,
    digits: str,
    hours: float,
    title: str = "",
    *,
    number: int | None = None,
    author: str = "alice",
    note: str = "",
) -> SourceCommit:
    """Make a commit that landed so many hours before validation began."""
    at = BEGAN - timedelta(hours=hours)
    merged = (
        MergedPullRequest(
            number=number,
            title=title,
            url=f"{URL}/{name}/pull/{number}",
            author=author,
            merged_at=at,
            body=f"Why.\n\nRELEASE NOTES BEGIN\n\n{note}\n\nRELEASE NOTES END\n",
        )
        if number
        else None
    )
    return SourceCommit(
        sha=sha(digits),
        committed_at=at,
        headline=f"Merge pull request #{number}" if number else title,
        author=author,
        pull_request=merged,
    )


def history(
    name: RepositoryName, out: Sha | None, *waiting: SourceCommit, is_complete: bool = True
) -> SourceHistory:
    head = waiting[0].sha if waiting else out
    return SourceHistory(
        repository=name,
        url=f"{URL}/{name}",
        source="main",
        out=out,
        head=head,
        waiting=waiting,
        is_complete=is_complete,
    )


def evidence(verdict: Verdict = Verdict.PASS, sentence: str = "2 of 2 pull requests passed.") -> Evidence:
    is_evidence = verdict is not Verdict.NO_EVIDENCE
    return Evidence(
        source="check runs of packit-as-a-service-stg in packit/hello-world",
        verdict=verdict,
        sentence=sentence,
        began_at=BEGAN if is_evidence else None,
        expires_at=BEGAN + timedelta(hours=24) if is_evidence else None,
        links=(Link(text="#7 Basic test case (stg): one", url=f"{URL}/packit/hello-world/pull/7"),),
    )


def validation(*said: Evidence) -> Validation:
    return Validation(at=NOW, evidence=said or (evidence(),))


SERVICE_WAITING = (
    commit(SERVICE, "5c", -2, "Accept commands in edited comments", number=12),
    commit(
        SERVICE,
        "5b",
        30,
        "Speed up the query of `recent` builds | part 1",
        number=10,
        author="bob",
        note="Recent builds load\nat once.",
    ),
    commit(SERVICE, "5a", 80, "Fix the typo"),
)
HISTORIES = {
    OGR: history(OGR, None, commit(OGR, "0a", 100, "Follow pagination of flags", number=3)),
    PACKIT: history(
        PACKIT,
        sha("b0"),
        commit(
            PACKIT,
            "ba",
            20,
            "Let a job choose its own targets",
            number=5,
            author="bob",
            note="A job can have `targets` of its own.",
        ),
    ),
    SERVICE: history(SERVICE, sha("50"), *SERVICE_WAITING),
    DASHBOARD: history(DASHBOARD, sha("d0"), commit(DASHBOARD, "da", 40, "Bump vite", number=4)),
    TOKMAN: history(TOKMAN, sha("70")),
    SANDCASTLE: history(SANDCASTLE, sha("9a")),
}


def _observed(name: RepositoryName, live: Sha | None, target: ObservedTarget | None) -> ObservedRepository:
    return observed_repository(name, live=live, target=target)


def busy_policy(windows: Sequence[Window] = ()) -> Policy:
    return policy(
        OGR,
        PACKIT,
        SERVICE,
        DASHBOARD,
        TOKMAN,
        SANDCASTLE,
        after={PACKIT: (OGR,), SERVICE: (PACKIT,)},
        windows=tuple(windows),
    )


def busy_plan(windows: Sequence[Window] = ()) -> tuple[Plan, Observed]:
    """Plan a document with a new ref, moves in two waves, a hold, and repositories in place."""
    given = accepted(
        {OGR: sha("0a"), PACKIT: sha("ba"), SERVICE: sha("5b"), DASHBOARD: sha("da"), TOKMAN: sha("70")},
        under=busy_policy(windows),
        holds={DASHBOARD: Hold(reason="waits for the new *login* page")},
    )
    at = NOW - timedelta(days=5)
    observed = Observed(
        at=NOW,
        repositories={
            OGR: _observed(OGR, None, observed_target(sha("0a"), relation=Relation.CREATE, committed_at=at)),
            PACKIT: _observed(PACKIT, sha("b0"), observed_target(sha("ba"), ahead=2, committed_at=at)),
            SERVICE: _observed(SERVICE, sha("50"), observed_target(sha("5b"), ahead=21, committed_at=at)),
            DASHBOARD: _observed(DASHBOARD, sha("d0"), observed_target(sha("da"), committed_at=at)),
            TOKMAN: _observed(TOKMAN, sha("70"), observed_target(sha("70"), committed_at=at)),
        },
    )
    return plan(given, observed, now=NOW), observed


def busy_proposal(**rest: object) -> Proposal:
    """Make a proposal in which there is something of everything."""
    made, observed = busy_plan()
    left = LeftBehind(commit=SERVICE_WAITING[0], reason="merged after validation began")
    given = Proposal(
        at=NOW,
        policy=busy_policy(),
        plan=made,
        observed=observed,
        validation=validation(),
        candidates=(Candidate(repository=SERVICE, sha=sha("5b"), rule="validated", left_behind=(left,)),),
        histories=HISTORIES,
        left_out=(LeftOut(repository=SANDCASTLE, reason="left where the file has it, as asked for"),),
        lifted={PACKIT: Hold(reason="waits for the *new* API", until=NOW - timedelta(days=1))},
        spent=((SERVICE, "rewind"),),
        risks={OGR: ("new branch",), SERVICE: ("touches .github/workflows", "new here: bob")},
        built_on=(sha("d1"), sha("d2")),
    )
    return given.model_copy(update=rest)
