"""Documents as the tool writes them."""

import pytest

from state.document import DesiredState, Hold
from state.yaml_io import dump_desired, dump_policy, parse_desired, parse_policy
from tests.state.examples import POLICY, STATE


def test_state() -> None:
    """Block style, reasons in quotes, what is the default left out."""
    expected = """\
version: 1
ref: stable
targets:
  packit/ogr: d35040ffe9045b614ee3f1ce558f6e4714197596
  packit/packit: 30936cda789b85c947824f807d81c85f1ca164f4
holds:
  packit/dashboard:
    reason: "waits for the new login page"
    until: 2026-12-01T08:00 Europe/Prague
blocks:
  packit/packit:
    7c5e02df3b2b208186c6cebb2412d3fc5f26dee7:
      reason: "broke srpm builds"
permits:
  packit/packit-service:
    rewind:
      from: 40d19607bf4c77e6aecd76fd6c69f901555fcbf6
      to: b828c3d7b987c760aa3c09a82d99e69c04e23b68
      reason: "rollback of #3151"
      despite: [outside-window]
"""
    assert expected == dump_desired(parse_desired(STATE))


def test_policy() -> None:
    """Lists of names stay on their line, lists of rules get lines of their own."""
    expected = """\
version: 1
repositories:
  packit/ogr: {}
  packit/specfile: {}
  packit/packit:
    after: [packit/ogr, packit/specfile]
  packit/sandcastle: {}
  packit/packit-service:
    after: [packit/packit, packit/sandcastle]
validation:
  - check_runs:
      repository: packit/hello-world
      app: packit-as-a-service-stg
      pull_requests: "Basic test case (stg)*"
      authors: [packit-bot]
      at_least: 2
  - sentry:
      organization: example
      project: packit-service
      environment: stg
  - http:
      url: "https://stage.example/api/system"
      runs:
        packit/ogr: "$.ogr.commit"
windows:
  - days: [Mon, Tue, Wed, Thu]
    from: "08:00"
    until: "16:00"
    zone: Europe/Prague
freezes:
  - name: "end of year"
    from: 2026-12-19T00:00
    until: 2027-01-04T08:00
    zone: Europe/Prague
limits:
  repositories: 20
  commits_per_repository: 200
"""
    assert expected == dump_policy(parse_policy(POLICY))


@pytest.mark.parametrize(
    ("expected", "ref"),
    [
        ("stable", "stable"),
        ("release/1.0", "release/1.0"),
        ('"null"', "null"),
        ('"Yes"', "Yes"),
        ('"1.0"', "1.0"),
        ('"12e45"', "12e45"),
        ('"0x1f"', "0x1f"),
        ('"2026-12-01"', "2026-12-01"),
        ('"#1"', "#1"),
        ('"příběh"', "příběh"),
    ],
)
def test_quotes(expected: str, ref: str) -> None:
    """What another reader could take for something else than text gets quotes."""
    text = dump_desired(DesiredState(version=1, ref=ref, targets={}))

    assert f"ref: {expected}" == text.splitlines()[1]


def test_awkward_reasons() -> None:
    """A reason may hold anything, and stays on its line."""
    reason = 'a "quote"\nand a line, \\ and \x7f \x85 \u2028 \u202e \ufeff \x00 🤚'
    desired = DesiredState(version=1, ref="stable", targets={}, holds={"a/b": Hold(reason=reason)})

    text = dump_desired(desired)

    assert desired == parse_desired(text)
    assert 6 == len(text.splitlines())
