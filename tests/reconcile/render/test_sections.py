"""A body always fits, and says what it leaves out."""

from hypothesis import given
from hypothesis import strategies as st

from reconcile.render.sections import LIMIT, Listing, Section, lay_out

lines = st.lists(st.text(alphabet="aé€😀", min_size=1, max_size=30), max_size=40)
sections = st.lists(
    st.builds(
        Section,
        st.sampled_from(["### One", "### Other", ""]),
        st.lists(st.builds(Listing, lines, st.sampled_from([(), ("**name**", "")])), max_size=4),
        st.sampled_from(["", "That is all."]),
    ),
    max_size=4,
)


def listing(count: int, text: str = "line") -> Listing:
    return Listing([f"- {text} {number}" for number in range(count)])


@given(sections, st.integers(min_value=600, max_value=3000))
def test_it_fits(made: list[Section], limit: int) -> None:
    """However long the lists: the body is never over the limit, in characters nor in bytes."""
    body = lay_out(made, limit=limit)
    assert len(body) <= len(body.encode()) <= limit


@given(sections)
def test_what_fits_is_whole(made: list[Section]) -> None:
    """Nothing is left out that has room."""
    body = lay_out(made)
    assert all(line in body for section in made for each in section.listings for line in each.lines)
    assert "more" not in body


def test_the_last_list_is_cut_first() -> None:
    """What stands first is what decides, and stays whole while anything after it can be cut."""
    body = lay_out([Section("first", (listing(10, "kept"),)), Section("last", (listing(100),))], limit=400)
    assert "- kept 9" in body
    assert "- line 0" in body
    assert "- line 99" not in body


def test_the_longest_of_a_section_is_cut_first() -> None:
    """Short lists beside a long one stay whole."""
    body = lay_out([Section("", (listing(100), listing(3, "short")))], limit=400)
    assert "- short 2" in body
    assert "- line 99" not in body


def test_it_says_how_much_is_missing() -> None:
    """A reader sees that there is more, and how much."""
    body = lay_out([Section("", (listing(100),))], limit=400)
    shown = body.count("- line")
    assert f"… and {100 - shown} more" in body
    assert 20 < shown < 100


def test_a_section_without_room_is_one_sentence() -> None:
    """Where not even one line of each list has room, the section says so; the next-to-last is cut then."""
    body = lay_out(
        [Section("first", (listing(100),)), Section("last", [Listing(["x" * 50], ["y" * 50])] * 50)],
        limit=600,
    )
    assert "last\n\n*50 lines are left out: they do not fit into 65,536 characters.*" in body
    assert "- line 0" in body


def test_room_is_used() -> None:
    """No line is left out that would have had room."""
    made = [Section("", (listing(10_000),))]
    body = lay_out(made)
    assert LIMIT - 40 < len(body) <= LIMIT
