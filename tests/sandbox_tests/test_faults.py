"""Faults strike the requests they are meant for, before or after the effect."""

from collections.abc import Callable

import httpx
import pytest

from tests.sandbox import Fault, Faults, Repository, Sandbox
from tests.sandbox_tests.conftest import Client

BRANCH = {"ref": "refs/heads/new"}
REFS = "/repos/packit/ogr/git/refs"
REF = "/repos/packit/ogr/git/ref/heads/main"


@pytest.fixture
def http(client: Client) -> httpx.Client:
    return client()


@pytest.mark.parametrize("happens", [False, True])
def test_502_before_or_after_the_effect(
    sandbox: Sandbox, repository: Repository, http: httpx.Client, happens: object
) -> None:
    sandbox.faults.bad_gateway(happens=bool(happens), kind="rest:POST")

    answer = http.post(REFS, json={**BRANCH, "sha": repository.rev_parse("main")})

    assert 502 == answer.status_code
    assert "html" in answer.headers["content-type"]
    assert happens is (repository.branch("new") is not None)


@pytest.mark.parametrize("happens", [False, True])
def test_a_connection_is_cut_before_or_after_the_effect(
    sandbox: Sandbox, repository: Repository, http: httpx.Client, happens: object
) -> None:
    sandbox.faults.cut(happens=bool(happens), kind="rest:POST")

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        http.post(REFS, json={**BRANCH, "sha": repository.rev_parse("main")})

    assert happens is (repository.branch("new") is not None)
    assert 200 == http.get(REF).status_code


def test_reads_are_stale_for_a_while(sandbox: Sandbox, repository: Repository, http: httpx.Client) -> None:
    """The next reads see refs as they were before the last write; writes see them as they are."""
    before = repository.rev_parse("main")
    after = repository.commit("main", {"x": "1"}, "Third")
    sandbox.faults.stale_reads(2)

    found = [http.get(REF).json()["object"]["sha"] for _ in range(3)]

    assert [before, before, after] == found


def test_a_stale_read_misses_a_new_branch(
    sandbox: Sandbox, repository: Repository, http: httpx.Client
) -> None:
    repository.push("new", repository.rev_parse("main"), by="alice")
    sandbox.faults.stale_reads(2)

    assert 404 == http.get("/repos/packit/ogr/git/ref/heads/new").status_code
    assert ["main"] == [each["name"] for each in http.get("/repos/packit/ogr/branches").json()]


def test_the_nth_request_that_fits_is_hit(
    sandbox: Sandbox, repository: Repository, http: httpx.Client
) -> None:
    sandbox.faults.refuse(500, kind="rest:GET", after=1, times=1)

    assert [200, 500, 200] == [http.get(REF).status_code for _ in range(3)]


@pytest.mark.parametrize(
    ("switch_on", "status", "headers"),
    [
        (lambda faults: faults.rate_limited(retry_after=7), 403, {"retry-after": "7"}),
        (lambda faults: faults.rate_limited(status=429), 429, {}),
        (lambda faults: faults.html(), 200, {"content-type": "text/html; charset=utf-8"}),
    ],
)
def test_answers_of_other_kinds(
    sandbox: Sandbox,
    http: httpx.Client,
    switch_on: Callable[[Faults], Fault],
    status: int,
    headers: dict[str, str],
) -> None:
    sandbox.store.create_repository("packit/ogr").commit("main", {}, "First")
    switch_on(sandbox.faults)

    answer = http.get(REF)

    assert status == answer.status_code
    assert headers.items() <= dict(answer.headers).items()
    assert 200 == http.get(REF).status_code


def test_graphql_may_say_the_secondary_limit_with_200(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.faults.rate_limited(status=200, kind="graphql")

    answer = http.post("/graphql", json={"query": "{viewer{login}}"})

    assert 200 == answer.status_code
    assert "secondary rate limit" in answer.json()["errors"][0]["message"]


def test_one_alias_is_lost(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.faults.partial("b", containing="viewer")

    answer = http.post("/graphql", json={"query": "{a:viewer{login} b:viewer{login}}"}).json()

    assert {"a": {"login": "stablehand-bot[bot]"}, "b": None} == answer["data"]
    assert ["b"] == answer["errors"][0]["path"]


def test_latency_outlasts_a_timeout(sandbox: Sandbox, repository: Repository, http: httpx.Client) -> None:
    sandbox.faults.slow(30, kind="rest:GET")

    with pytest.raises(httpx.ReadTimeout):
        http.get(REF, timeout=0.05)


def test_requests_are_counted_by_kind(sandbox: Sandbox, repository: Repository, http: httpx.Client) -> None:
    http.get(REF)
    http.post("/graphql", json={"query": "{viewer{login}}"})
    http.post(
        "/graphql", json={"query": 'mutation{addComment(input:{subjectId:"x",body:"b"}){clientMutationId}}'}
    )

    assert {
        "rest:GET /repos/{owner}/{repo}/git/ref/{ref}": 1,
        "graphql:query": 1,
        "graphql:mutation": 1,
    } == dict(sandbox.requests.counts)
    assert (3, 7) == (sandbox.requests.total, sandbox.requests.points)
    sandbox.requests.reset()
    assert 0 == sandbox.requests.total
