"""What a document may say, and what is said about one that says something else."""

import re
from datetime import timedelta

import pytest

from state.document import DesiredState
from state.errors import DocumentError
from state.yaml_io import parse_desired, parse_policy
from tests.state.examples import POLICY, STATE

SHA = "d35040ffe9045b614ee3f1ce558f6e4714197596"


def problems_of(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_desired(text, file="f")
    return [str(problem).removeprefix("f:") for problem in caught.value.problems]


def policy_problems_of(rest: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_policy(f"version: 1\nrepositories: {{}}\n{rest}", file="f")
    return [str(problem).removeprefix("f:") for problem in caught.value.problems]


def test_the_designs_state() -> None:
    """The example of the design says what it seems to say."""
    desired = parse_desired(STATE)
    until = desired.holds["packit/dashboard"].until
    rewind = desired.permits["packit/packit-service"].rewind

    assert "30936cda789b85c947824f807d81c85f1ca164f4" == desired.targets["packit/packit"]
    assert until is not None
    assert "2026-12-01T08:00:00+01:00" == until.isoformat()
    assert rewind is not None
    assert ("outside-window",) == rewind.despite


def test_the_designs_policy() -> None:
    """Sections may be empty, and a list of one may lack its brackets."""
    policy = parse_policy(POLICY)

    assert () == policy.repositories["packit/ogr"].after
    (source, *_) = policy.validation
    assert source.check_runs
    assert ("packit-bot",) == source.check_runs.authors
    assert ("Mon", "Tue", "Wed", "Thu") == policy.windows[0].days
    assert timedelta(minutes=60) == policy.build_time


@pytest.mark.parametrize(
    "sha",
    [
        "12e4567000000000000000000000000000000000",
        "0012345000000000000000000000000000000000",
        "'12e4567000000000000000000000000000000000'",
        '"12e4567000000000000000000000000000000000"',
        "12E4567000000000000000000000000000000000",
    ],
)
def test_scalars_are_text(sha: str) -> None:
    """A sha that looks like a number stays the sha that it is."""
    desired = parse_desired(f"version: 1\nref: stable\ntargets:\n  packit/ogr: {sha}\n")

    assert {"packit/ogr": sha.strip("'\"").lower()} == desired.targets


@pytest.mark.parametrize("nothing", ["", " null", " ~", " {}"])
def test_empty_sections(nothing: str) -> None:
    """A section's name may stand with nothing under it."""
    text = "version: 1\nref: stable\n" + "".join(
        f"{name}:{nothing}\n" for name in ("targets", "holds", "permits")
    )

    assert DesiredState(version=1, ref="stable", targets={}) == parse_desired(text)


@pytest.mark.parametrize("before", ["", "\ufeff", "---\n", "# a comment\n\n"])
def test_what_may_stand_before(before: str) -> None:
    """A byte order mark, the start of a document and comments say nothing."""
    assert parse_desired(STATE) == parse_desired(before + STATE)


def test_every_problem_at_once() -> None:
    """Problems of YAML, of names and of values are reported together, in the order of the file."""
    text = f"""\
version: 2
reff: stable
targets:
  packit/ogr: d35040f
  Packit/OGR: {SHA}
  packit ogr: {SHA}
  packit/a:
  packit/b: &x {SHA}
  packit/c: *x
  packit/d: !!str {SHA}
  packit/e: {"0" * 40}
holds:
  packit/x:
    reasons: not yet
    until: 2026-12-01T08:00
  packit/y: not yet
blocks:
  packit/packit:
    7c5e02d: {{reason: broken}}
  packit/z: {{}}
permits:
  packit/p: {{}}
  packit/q: {{rewind: {{from: main, despite: [frozzen]}}}}
"""
    assert [
        "1:1: `ref` is missing: add a line ref: …",
        "1:10: `version` cannot be `2`: write 1",
        "2:1: unknown key `reff`: did you mean `ref`? Allowed here: version, ref, targets, holds, blocks, permits",
        "4:15: 'd35040f' is an abbreviated sha: write all 40 hex digits",
        "5:3: `Packit/OGR` stands twice, first on line 4: keep one",
        "6:3: 'packit ogr' is not a repository: write owner/name",
        "7:3: `packit/a` needs a text, not nothing: write one behind the colon, or remove the line",
        "8:13: an anchor (&x): remove it",
        "9:13: an alias (*x): write out what it stands for",
        "10:13: a tag (with !): remove it, every value is text",
        "11:13: forty zeros name no commit, and nothing is ever deleted: write the sha of a commit",
        "13:3: `reason` is missing: add a line reason: …",
        "14:5: unknown key `reasons`: did you mean `reason`? Allowed here: reason, until",
        "15:12: '2026-12-01T08:00' has no zone: write a local time and a zone, as in 2026-12-01T08:00 Europe/Prague",
        "16:13: `packit/y` needs keys (reason, until) under it, not `not yet`",
        "19:5: '7c5e02d' is an abbreviated sha: write all 40 hex digits",
        "20:3: `packit/z` is empty: write at least one entry, or remove it",
        "22:3: a permit is empty: name rewind, force or move under it, or remove it",
        "23:14: `to` is missing: add a line to: …",
        "23:14: `reason` is missing: add a line reason: …",
        "23:29: 'main' is not a commit: write a full sha of 40 hex digits",
        (
            "23:45: entry 1 of `despite` cannot be `frozzen`: write 'frozen', "
            "'outside-window', 'soaking', 'not-ready-in-time' or 'limit-exceeded'"
        ),
    ] == problems_of(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the document is empty"),
        ("# nothing\n", "1:1: the document is empty"),
        (
            "[]",
            "1:1: the document needs keys (version, ref, targets, holds, blocks, permits) under it, not a list",
        ),
        ("version: 1\n\tref: x\n", "2:1: a tab: write spaces"),
        ("version: 1 # \u202e\n", "1:14: an unreadable character (U+202E): remove it"),
        ("version: 1\r\nref: a\rb\n", "2:7: an unreadable character (U+000D): remove it"),
        ("version: \ud800\n", "1:10: an unreadable character (U+D800): remove it"),
        ("ref: sta\u200bble\n", "1:9: an unreadable character (U+200B): remove it"),
        ("ref: sta\ufffdble\n", "1:9: an unreadable character (U+FFFD): remove it"),
        ("ref: stable\ufe0f\n", "1:12: an unreadable character (U+FE0F): remove it"),
        ("ref: stable\U000e0041\n", "1:12: an unreadable character (U+E0041): remove it"),
        ('ref: "sta\\u200bble"\n', "1:6: 'sta\\u200bble' is not a branch name"),
        ('ref: "stable\\xa0"\n', "1:6: 'stable\\xa0' is not a branch name"),
        ('version: "\\ud800"\n', "1:10: an escape for half a character: write the character itself"),
        ('version: "\\UFFFFFFFF"\n', "1:1: not YAML"),
        ("version: [1\n", "2:1: not YAML"),
        ("version: 1: 2\n", "1:11: not YAML"),
        ("%YAML 1.1\n---\nversion: 1\n", "2:1: a %-directive: remove the line"),
        ("version: 1\n---\nversion: 1\n", "2:1: a second document"),
        ("<<: {version: 1}\n", "1:1: a merge key: write out what it merges"),
        ("? [a, b]\n: c\n", "1:3: a key with parts: write a plain name before the colon"),
        (": a\n", "1:1: a key is missing: write a name before the colon"),
        ("&a key: value\n", "1:1: an anchor (&a): remove it"),
        ("version: !x [1]\n", "1:10: a tag (with !): remove it, every value is text"),
    ],
)
def test_refused_text(text: str, problem: str) -> None:
    """What has more than one reading, or none, is refused where it stands."""
    assert any(found.startswith(problem) for found in problems_of(text)), problems_of(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "sources: main",
            "3:1: unknown key `sources`: did you mean `source`? Allowed here: version, source, ",
        ),
        ("candidate: heads", "3:12: `candidate` cannot be `heads`: write 'validated' or 'head'"),
        ("soak: 1 day", "3:7: '1 day' is not a duration: write a number and a unit, as in 90s, 60m, 24h, 7d"),
        ("soak: 9999d", "3:7: '9999d' is longer than a year: write at most 366d"),
        (
            "limits: {repositories: many}",
            "3:24: `repositories` needs a whole number, not `many`: write digits",
        ),
        ("limits: {repositories: 0}", "3:24: `repositories` is too small: write 1 or more"),
        ("approval: {reviews: 11}", "3:21: `reviews` is too large: write 10 or less"),
        (
            "moves: {allowed_branches: []}",
            "3:9: `allowed_branches` is empty: write at least one entry, or remove it",
        ),
        (
            "moves: {allowed_branches: refs/heads/main}",
            "3:27: 'refs/heads/main' is not a branch name: write it as",
        ),
        (
            "moves: {allowed_branches: {main: true}}",
            "3:9: entry 1 of `allowed_branches` needs a text, not a mapping",
        ),
        (
            "validation: {check_runs: {}, sentry: {}}",
            "3:14: `repository` is missing: add a line repository: …",
        ),
        ("validation: {}", "3:1: an entry names one source, and this has none: write one behind each dash"),
        (
            "validation: {jenkins: {job: stage}, own_checks: }",
            "3:1: an entry names one source, and this has own_checks, jenkins: write one behind each dash",
        ),
        ("validation: {jenkins: stage}", "3:1: `jenkins` needs keys under it, or nothing"),
        (
            "validation: {http: {url: https://ann:pw@stage.example}}",
            "3:26: a password in an address is there for everyone to read: remove it",
        ),
        (
            "validation: {http: {url: https://stage.example, runs: {packit/ogr: ogr.commit}}}",
            "3:68: 'ogr.commit' is not a path: write $.key.key, $.list[0] or $['a key']",
        ),
        (
            "validation: {deployments: {environment: stg, max_age: 0h}}",
            "3:14: time_limit and max_age are longer than nothing: write 60s and 24h, or remove them",
        ),
        (
            "proposal: {labels: [release, Stablehand/rebuild]}",
            "3:1: hand_back is one of labels: what people commit to the branch would never stay",
        ),
        (
            "windows: none",
            "3:10: entry 1 of `windows` needs keys (days, from, until, zone) under it, not `none`",
        ),
        (
            "windows: {days: Mon-Thur}",
            "3:17: 'Mon-Thur' is not a list of days: write Mon-Thu or Mon, Wed, Fri",
        ),
        ("windows: {days: []}", "3:11: `days` is empty: write at least one entry, or remove it"),
        ("windows: {from: 8}", "3:17: '8' is not a time of day: write 08:00, and the zone under zone"),
        ("windows: {until: '24:00'}", "3:18: '24:00' is the next day's beginning: write 00:00"),
        (
            "windows: {zone: Prague}",
            "3:17: 'Prague' is not a time zone: write a name as in Europe/Prague or UTC",
        ),
        (
            "freezes: {from: 2026-12-19}",
            "3:17: '2026-12-19' is not a local time: write a date and a time, as in",
        ),
        ("freezes: {name: ' '}", "3:17: `name` is too short: write 1 or more characters"),
        (f"freezes: {{name: {'x' * 201}}}", "3:17: `name` is too long: write 200 or fewer characters"),
    ],
)
def test_refused_policy(text: str, problem: str) -> None:
    """Each value is refused in a sentence that says what to write."""
    assert any(found.startswith(problem) for found in policy_problems_of(text)), policy_problems_of(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x\n" * 5_000_000, " 10,000,000 characters are too many: keep the document under 1,000,000"),
        ("".join(f"a/{n}: {SHA}\n" for n in range(100_000)), " 4,988,890 characters are too many"),
        ("a: " + "[" * 9_000, "1:20: nested more than 16 levels deep: write fewer"),
        ("- " * 4_000, "1:35: nested more than 16 levels deep: write fewer"),
        ("x" * 10_001, "1:10000: a line of 10,001 characters: break it"),
    ],
    ids=["long", "many targets", "deep", "deep block", "long line"],
)
def test_bounds(text: str, problem: str) -> None:
    """What no fleet needs is refused at once, in a sentence."""
    assert problems_of(text)[0].startswith(problem)


def test_many_values() -> None:
    """Values are counted, too: short ones would fit many into few characters."""
    assert "25000:4: more than 50,000 keys and values: split the fleet" == problems_of("a: b\n" * 25_001)[0]


def test_billion_laughs() -> None:
    """What an alias stands for is never put in its place."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 15)]

    found = problems_of("\n".join(lines))

    assert "1:5: an anchor (&a0): remove it" in found
    assert "and" == found[-1].split(": ")[1][:3], "what is too much to read is counted"


def test_the_file_is_named() -> None:
    """A problem reads as a compiler's, so that editors and terminals can jump to it."""
    with pytest.raises(
        DocumentError, match=re.escape("deploy/release-state.yaml:1:10: `version` cannot be `0`")
    ):
        parse_desired("version: 0\n", file="deploy/release-state.yaml")
