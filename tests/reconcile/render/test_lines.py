"""Notes on lines: which the diff shows, and suggestions that replace exactly what they stand on."""

import difflib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.observed import LineNote, Observed, Relation
from reconcile.plan import plan
from reconcile.render.lines import Foresight, render_line_notes, render_problem_notes
from reconcile.render.suggestions import ChangedFile, shown_lines
from state.document import DesiredState, Hold, Permits
from state.ids import Sha
from state.policy import Limits, Policy
from state.yaml_io import dump_desired, parse_desired
from tests.builders import NOW, accepted, desired, observed_repository, observed_target, policy, sha
from tests.reconcile.render.reading import active, links
from tests.reconcile.render.test_markdown import HOSTILE
from tests.sandbox.threads import parts

OLD, NEW = sha("a"), sha("b")
NAMES = [f"o/r{number:02}" for number in range(12)]


def document(**changed: Sha) -> DesiredState:
    return desired({name: changed.get(name[2:], OLD) for name in NAMES})


def notes(
    text: str,
    *,
    before: str | None = None,
    under: Policy | None = None,
    now: datetime = NOW,
    **target: Any,
) -> tuple[LineNote, ...]:
    """Render notes on a file; every target exists, and ``target`` says more about each that has changed."""
    old, new = before or dump_desired(document()), parse_desired(text)
    observed = Observed(
        at=now,
        repositories={
            name: observed_repository(name, live=OLD, target=observed_target(sha, **target))
            for name, sha in new.targets.items()
        },
    )
    planned = plan(accepted(new.targets, under=under or policy(*NAMES)), observed, now=now)
    return render_line_notes(
        ChangedFile(old, text), parse_desired(old), Foresight(planned, observed), number=7, now=now
    )


def apply(text: str, note: LineNote) -> str:
    """Commit a note's first suggestion, as GitHub does."""
    block = next(part.lines for part in parts(note.body) if part.lines is not None)
    lines = text.splitlines()
    lines[note.first - 1 : note.last] = block
    return "\n".join(lines) + "\n"


def test_only_changed_lines_have_notes() -> None:
    """One each, on the line itself."""
    text = dump_desired(document(r03=NEW, r07=NEW))
    found = notes(text)
    assert [f"  {NAMES[3]}: {NEW}", f"  {NAMES[7]}: {NEW}"] == [
        text.splitlines()[note.first - 1] for note in found
    ]
    assert () == notes(dump_desired(document()))


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_not_this_time(quote: str) -> None:
    """One click gives back the line that was there: quotes, comment and all."""
    before = dump_desired(document()).replace(
        f"{NAMES[4]}: {OLD}", f"{NAMES[4]}:   {quote}{OLD}{quote}   # ```careful```"
    )
    after = before.replace(f"{NAMES[4]}:   {quote}{OLD}", f"{NAMES[4]}:   {quote}{NEW.upper()}")
    (note,) = notes(after, before=before)
    assert "````suggestion\n" in note.body, "longer than what the file's comment has"
    assert before == apply(after, note)


def test_a_permit_that_belongs_elsewhere_is_to_be_copied() -> None:
    """GitHub takes suggestions only where the diff shows lines: the file's end is far from its first target."""
    text = dump_desired(document(r00=NEW))
    (note,) = notes(text, relation=Relation.REWIND)
    assert "once, add:\n\n```yaml\npermits:\n  o/r00:\n    rewind:\n" in note.body
    near = notes(dump_desired(document(r11=NEW)), relation=Relation.REWIND)
    assert ["Held" in each.body for each in near] == [True, False]
    assert "permits:" in apply(dump_desired(document(r11=NEW)), near[1])


def test_one_can_be_skipped_for_the_rest_of_the_week() -> None:
    """One click holds it; every block of the note does so for another repository, and for nothing else."""
    text = dump_desired(document(r10=NEW, r11=NEW))
    *_, skip = notes(text)
    assert skip.body.startswith("Not before Mon 2026-03-09, when a proposal offers to lift the hold: take")
    blocks = [part.lines for part in parts(skip.body) if part.lines is not None]
    hold = Hold(reason="skipped in the review of #7", until=datetime(2026, 3, 9, tzinfo=UTC))
    for name, block, targets in zip(
        NAMES[10:], blocks, ({"r10": NEW, "r11": NEW}, {"r10": NEW}), strict=True
    ):
        lines = text.splitlines()
        lines[skip.first - 1 : skip.last] = block
        held = parse_desired("\n".join(lines) + "\n")
        assert (document(**targets).targets, {name: hold}) == (held.targets, held.holds), (
            "the last line stands where holds begin, and is taken back along with it"
        )


def test_a_hold_that_belongs_elsewhere_is_to_be_copied() -> None:
    """The diff of a large file does not show where holds stand."""
    (note,) = notes(dump_desired(document(r00=NEW)))
    assert 'take it back, and add its hold.\n\n```yaml\nholds:\n  o/r00:\n    reason: "skipped' in note.body


def test_a_hold_joins_those_that_are_there() -> None:
    """Where the diff shows them."""
    before = dump_desired(desired(dict.fromkeys(NAMES, OLD), holds={NAMES[0]: Hold(reason="broken")}))
    after = before.replace(f"{NAMES[11]}: {OLD}", f"{NAMES[11]}: {NEW}")
    *_, skip = notes(after, before=before)
    assert {NAMES[0], NAMES[11]} == parse_desired(apply(after, skip)).holds.keys()


@pytest.mark.parametrize(("day", "hour"), [(2, 0), (8, 23)])
def test_the_week_ends_on_its_monday(day: int, hour: int) -> None:
    """All week long the note says the same, so that nobody is called again."""
    *_, skip = notes(dump_desired(document(r11=NEW)), now=datetime(2026, 3, day, hour, tzinfo=UTC))
    assert "until: 2026-03-09T00:00 UTC" in skip.body


def test_what_does_not_move_needs_no_hold() -> None:
    """A permit is what is asked for there."""
    assert all(
        "To skip" not in each.body
        for each in notes(dump_desired(document(r11=NEW)), relation=Relation.REWIND)
    )


def test_a_limit_is_overridden_by_its_name() -> None:
    """The permit says which gate it is despite of."""
    limited = policy(*NAMES, limits=Limits(commits_per_repository=3))
    text = dump_desired(document(r11=NEW))
    _, permit = notes(text, under=limited, ahead=4)
    assert "despite: [limit-exceeded]" in apply(text, permit)
    assert parse_desired(apply(text, permit)).permits[NAMES[11]].move


def test_a_permit_keeps_what_it_has() -> None:
    """What one that counts already overrides, until when and why; and those of another kind."""
    way = {"from": OLD, "to": NEW, "reason": "agreed on at noon", "until": "2026-03-03T10:00 UTC"}
    other = {"from": NEW, "to": OLD, "reason": "the way back"}
    stands = Permits.model_validate({"move": way | {"despite": "outside-window"}, "rewind": other})
    limited = policy(*NAMES, limits=Limits(commits_per_repository=3))
    text = dump_desired(desired(document(r11=NEW).targets, permits={NAMES[11]: stands}))
    for now, expected in (
        (NOW, way | {"despite": ["outside-window", "limit-exceeded"]}),
        (
            NOW + timedelta(days=1),
            way | {"despite": "limit-exceeded", "reason": "agreed on in the review of #7", "until": None},
        ),
    ):
        (_, offer) = notes(text, under=limited, now=now, ahead=4)
        after = parse_desired(apply(text, offer)).permits[NAMES[11]]
        assert Permits.model_validate({"move": expected, "rewind": other}) == after


def test_a_line_of_several_repositories() -> None:
    """Each is taken back by itself, also where both have the same commit."""
    line = "version: 1\nref: stable\ntargets: {{o/r00: {}, o/r01: {}}}\n"
    text = line.format(NEW, NEW)
    found = notes(text, before=line.format(OLD, OLD))
    back = [apply(text, note) for note in found if "leave it at" in note.body]
    assert [line.format(OLD, NEW), line.format(NEW, OLD)] == back


def test_a_new_line_can_go() -> None:
    """A repository that the file did not name; where its line has another one too, there is nothing to click."""
    before = dump_desired(desired(dict.fromkeys(NAMES[:-1], OLD)))
    after = dump_desired(document(r11=NEW))
    (note,) = notes(after, before=before)
    assert before.splitlines() == [line for line in apply(after, note).splitlines() if line]
    first, *_ = notes(f"version: 1\nref: stable\ntargets: {{{NAMES[0]}: {NEW}}}\n", before=before)
    assert "leave it at" in first.body
    (only,) = notes(
        f"version: 1\nref: stable\ntargets: {{{NAMES[0]}: {NEW}}}\n",
        before="version: 1\nref: stable\ntargets: {}\n",
    )
    assert "suggestion" not in only.body


@given(
    st.lists(st.sampled_from("abcdefgh"), max_size=30),
    st.lists(st.sampled_from("abcdefgh"), max_size=30),
)
def test_what_is_shown_is_what_a_unified_diff_has(before: list[str], after: list[str]) -> None:
    """Line by line, of the new version."""
    shown, number = set[int](), 0
    for row in list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]:
        if row.startswith("@@"):
            start = row.split("+")[1].split(" ")[0].split(",")
            number = int(start[0]) + (start[1:] == ["0"])
        elif not row.startswith("-"):
            shown.add(number)
            number += 1
    assert shown == shown_lines("\n".join(before), "\n".join(after)) or before == after


class Problem:
    def __init__(self, line: int, message: str, file: str = "f") -> None:
        self.file, self.line, self.column, self.message = file, line, 1, message


def test_problems_stand_on_their_lines() -> None:
    """All of one line in one note; nothing where the diff shows no line."""
    problems = [
        Problem(3, "one"),
        Problem(3, "two"),
        Problem(9, "three"),
        Problem(0, "four"),
        Problem(3, "x", "g"),
    ]
    found = render_problem_notes(problems, {"f": frozenset({3, 4})}, {("f", 3): "mended", ("f", 4): "idle"})
    assert [LineNote(path="f", first=3, last=3, body="- one\n- two\n\n```suggestion\nmended\n```")] == list(
        found
    )
    many = [Problem(line, "x") for line in range(1, 100)]
    assert 20 == len(render_problem_notes(many, {"f": frozenset(range(100))}, {}))


@given(st.sampled_from(HOSTILE))
def test_what_others_wrote_stays_text(message: str) -> None:
    """A message may quote the document, which strangers write too."""
    (plain,) = render_problem_notes([Problem(1, "message")], {"f": frozenset({1})}, {})
    (hostile,) = render_problem_notes([Problem(1, message)], {"f": frozenset({1})}, {})
    assert (active(plain.body), links(plain.body)) == (active(hostile.body), links(hostile.body))
