"""Laws of the documents as text."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from state.document import Block, DesiredState, Hold, Permit, Permits, locate_in_zone
from state.errors import DocumentError, Problem
from state.policy import WEEKDAYS, Freeze, Limits, Moves, Policy, RepositoryPolicy, ShownDeployments, Window
from state.sources import CheckRuns, Deployments, Http, OwnChecks, Sentry, Source
from state.yaml_io import (
    dump_desired,
    dump_policy,
    edit_desired,
    edit_targets,
    locate,
    parse_desired,
    parse_policy,
)
from tests.state.examples import POLICY, STATE

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe")]

shas = st.text("0123456789abcdef", min_size=40, max_size=40).filter(lambda sha: sha.strip("0"))
names = st.builds(
    "{}/{}".format,
    st.text("abz09", min_size=1, max_size=4),
    st.text("abz09._-", min_size=1, max_size=6).filter(lambda name: name not in (".", "..")),
)
texts = st.text(min_size=3, max_size=60).filter(lambda text: len(text.strip()) >= 3).map(str.strip)
branches = st.text("abz09/é'\"#&!-", min_size=1, max_size=12).filter(
    lambda name: not (name.startswith(("/", "-")) or name.endswith("/") or "//" in name)
)
local_times = st.datetimes(datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2900-01-01")).map(
    lambda each: each.replace(microsecond=0)
)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    local = draw(local_times)
    if draw(st.booleans()):
        return local.replace(tzinfo=timezone(timedelta(minutes=draw(st.integers(-14 * 60, 14 * 60)))))
    zone = draw(st.sampled_from(ZONES))
    # Skipped local times are moved to where clocks go.
    return locate_in_zone(
        local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None),
        zone,
        later=draw(st.booleans()),
    )


holds = st.builds(Hold, reason=texts, until=st.none() | moments())
blocks = st.builds(Block, reason=texts, fixed_by=st.none() | shas)
permits = st.builds(
    Permit,
    from_=shas,
    to=shas,
    reason=texts,
    despite=st.lists(st.sampled_from(["frozen", "outside-window", "soaking"]), unique=True).map(tuple),
)
permitted = st.fixed_dictionaries({}, optional=dict.fromkeys(("rewind", "force", "move"), permits)).filter(
    bool
)
states = st.builds(
    DesiredState,
    version=st.just(1),
    ref=branches,
    targets=st.dictionaries(names, shas, max_size=6),
    holds=st.dictionaries(names, holds, max_size=3),
    blocks=st.dictionaries(names, st.dictionaries(shas, blocks, min_size=1, max_size=2), max_size=2),
    permits=st.dictionaries(names, permitted.map(lambda by_kind: Permits(**by_kind)), max_size=2),
)
durations = (
    st.integers(0, 366 * 24 * 3600)
    .map(lambda seconds: timedelta(seconds=seconds))
    .filter(lambda duration: duration.total_seconds() < 10**6 or not duration.total_seconds() % 60)
)
clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0, fold=0))
lines = st.text(min_size=1, max_size=30).filter(str.strip).map(str.strip)


@st.composite
def freezes(draw: st.DrawFn) -> Freeze:
    first = draw(local_times)
    second = first + timedelta(days=draw(st.integers(1, 30)))
    return Freeze(name=draw(lines), from_=first, until=second, zone=ZoneInfo("UTC"))


ages = durations.filter(bool)
since_values = st.one_of(
    st.just("last-move"),
    durations,
    st.builds(
        datetime, st.integers(2000, 2999), st.just(6), st.integers(1, 30), tzinfo=st.sampled_from(ZONES)
    ),
)
written = st.recursive(
    st.none() | lines,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text("abz", min_size=1, max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)
sources = st.one_of(
    st.builds(
        Source,
        check_runs=st.builds(
            CheckRuns,
            repository=names,
            app=lines,
            pull_requests=lines,
            labels=st.lists(lines, max_size=2).map(tuple),
            authors=st.lists(lines, min_size=1, max_size=2).map(tuple),
            since=st.none() | since_values,
            max_age=ages,
            at_least=st.integers(1, 1000),
        ),
    ),
    st.builds(
        Source, own_checks=st.builds(OwnChecks, names=st.lists(lines, max_size=2).map(tuple), time_limit=ages)
    ),
    st.builds(
        Source,
        sentry=st.builds(
            Sentry,
            organization=st.text("abz09", min_size=1, max_size=4),
            project=st.text("abz09", min_size=1, max_size=4),
            environment=lines,
            new_since=since_values,
            ignore=st.lists(lines, max_size=2).map(tuple),
        ),
    ),
    st.builds(
        Source,
        http=st.builds(
            Http,
            url=st.just("https://stage.example/api?x=1#y"),
            values=st.dictionaries(st.sampled_from(["$.a", "$['a b'][0]", "$"]), lines, max_size=2),
            runs=st.dictionaries(names, st.just("$.a.b"), max_size=2),
        ),
    ),
    st.builds(
        Source,
        deployments=st.builds(
            Deployments, environment=lines, repositories=st.lists(names, max_size=2).map(tuple)
        ),
    ),
    st.dictionaries(st.text("abz", min_size=1, max_size=3), written, max_size=2).map(
        lambda settings: Source.model_validate({"weather": settings})
    ),
)
policies = st.builds(
    Policy,
    version=st.just(1),
    source=branches,
    candidate=st.sampled_from(["validated", "head"]),
    build_time=durations,
    repositories=st.dictionaries(
        names, st.builds(RepositoryPolicy, after=st.lists(names, max_size=2).map(tuple)), max_size=4
    ),
    validation=st.lists(sources, max_size=3, unique_by=lambda source: source.name).map(tuple),
    moves=st.builds(Moves, allowed_branches=st.lists(branches, min_size=1, max_size=2).map(tuple)),
    windows=st.lists(
        st.builds(
            Window,
            days=st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(
                lambda days: tuple(day for day in WEEKDAYS if day in days)
            ),
            from_=clocks,
            until=clocks,
            zone=st.sampled_from(ZONES),
        ),
        max_size=2,
    ).map(tuple),
    freezes=st.lists(freezes(), max_size=2).map(tuple),
    limits=st.builds(Limits, repositories=st.none() | st.integers(1)),
    soak=durations,
    deployments=st.none() | st.builds(ShownDeployments, environment=lines),
)


def normal(desired: DesiredState) -> dict[str, Any]:
    return desired.model_dump(mode="json")


@given(states)
def test_a_state_survives_its_text(desired: DesiredState) -> None:
    """Parsing what was dumped gives the same."""
    assert normal(desired) == normal(parse_desired(dump_desired(desired)))


@given(policies)
def test_a_policy_survives_its_text(policy: Policy) -> None:
    """Parsing what was dumped gives the same."""
    assert policy == parse_policy(dump_policy(policy))


@given(states, states)
def test_an_edit_says_what_is_wished(before: DesiredState, wished: DesiredState) -> None:
    """Any document can be edited into any other, and back; saying the same again changes no byte."""
    text = dump_desired(before)

    edited = edit_desired(text, wished)

    assert normal(wished) == normal(parse_desired(edited))
    assert edited == edit_desired(edited, wished)
    assert normal(before) == normal(parse_desired(edit_desired(edited, before)))


@given(states, states, st.sampled_from([None, 1, 4]))
def test_json_can_be_edited_too(before: DesiredState, wished: DesiredState, indent: int | None) -> None:
    """JSON is YAML in brackets, and can be edited like it."""
    data = before.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    raw = json.dumps(data, indent=indent, ensure_ascii=False)
    # Not json's own escapes: those write half a character where YAML wants a whole one.
    text = raw.encode("ascii", "backslashreplace").decode().replace("\x7f", "\\x7f")

    edited = edit_desired(text, wished)

    assert normal(wished) == normal(parse_desired(edited))
    assert edited == edit_desired(edited, wished)


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Draw a text with targets, as people would lay it out, and what its targets are."""
    targets = draw(st.dictionaries(names, shas, min_size=1, max_size=6))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    indent = " " * draw(st.integers(1, 6))
    lines = ["# heading", "version: 1", "ref: stable", "targets:"]
    for name, sha in targets.items():
        quote = draw(st.sampled_from(["", "'", '"']))
        written = draw(st.sampled_from([name, name.upper()]))
        lines += draw(st.sampled_from([[], [""], [f"{indent}# about {name}: {sha}"]]))
        lines.append(f"{indent}{written}:{' ' * draw(st.integers(1, 3))}{quote}{sha}{quote}")
        lines[-1] += draw(st.sampled_from(["", "  # a: b", " #"]))
    lines += draw(st.sampled_from([[], [""], ["holds:"], ["# the end"]]))
    text = newline.join(lines) + draw(st.sampled_from(["", newline]))
    return draw(st.sampled_from(["", "\ufeff"])) + text, targets


@given(laid_out(), st.data())
def test_only_changed_lines_change(layout: tuple[str, dict[str, str]], data: st.DataObject) -> None:
    """Setting, adding and removing targets touches the lines of those targets, and no other."""
    text, targets = layout
    assert text == edit_targets(text, targets)
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(targets)), shas, max_size=3))
    added = data.draw(st.dictionaries(names.filter(lambda name: name not in targets), shas, max_size=2))
    gone = data.draw(st.sets(st.sampled_from(sorted(targets)))) - changed.keys()
    wished = {name: sha for name, sha in {**targets, **changed, **added}.items() if name not in gone}
    desired = parse_desired(text)

    edited = edit_desired(text, desired.model_copy(update={"targets": wished}))

    lines_before, lines_after = text.replace("\r", "").split("\n"), edited.replace("\r", "").split("\n")
    really = {name for name, sha in changed.items() if sha != targets[name]}
    assert len(really | gone) == (Counter(lines_before) - Counter(lines_after)).total()
    assert len(really) + len(added) == (Counter(lines_after) - Counter(lines_before)).total()
    stayed = set(lines_before) & set(lines_after)
    assert [each for each in lines_before if each in stayed] == [
        each for each in lines_after if each in stayed
    ]
    assert edited.endswith("\n") or not text.endswith("\n")
    assert text.count("\r") == 0 or edited.count("\r") == edited.count("\n")
    assert text.startswith("\ufeff") == edited.startswith("\ufeff")


fragments = st.lists(
    st.sampled_from(
        [*STATE.splitlines(keepends=True), *POLICY.splitlines(keepends=True), *"{}[]:,&*!|>?-#'\"% \n\t\\@`~"]
    )
).map("".join)


@given(st.text() | fragments | st.text("{}[]:,&*!|>?-#'\"% \n\\@`~abU019", max_size=40))
@example('"\\UFFFFFFFF"')
@example('"\\xd8"\n\\')
@example("? ? ? :")
@example("a: !<x")
@example("- - - - - - - - - - - - - - - - - - -")
@example("a: |1000\n")
def test_any_text(text: str) -> None:
    """Whatever the text, it is a document or it has problems with places in it; nothing else happens."""
    for parse in (parse_desired, parse_policy):
        problems: tuple[Problem, ...] | None = None
        try:
            parse(text)
        except DocumentError as error:
            problems = error.problems
        assert problems != ()
        assert all(0 <= problem.line <= text.count("\n") + 1 for problem in problems or ())
    locate(text, ("targets", "packit/ogr"))
