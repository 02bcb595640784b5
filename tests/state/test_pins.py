"""What a person asks for on the command line."""

import pytest

from state.proposal import PinError, parse_pins, resolve_repository

FLEET = ("packit/ogr", "packit/packit", "packit/packit-service", "rebasehelper/ogr")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("packit/packit", "packit"),
        ("packit/packit-service", " Packit-Service "),
        ("packit/ogr", "Packit/OGR"),
    ],
)
def test_repository(expected: str, text: str) -> None:
    """A short name will do where only one owner has it."""
    assert expected == resolve_repository(text, FLEET)


@pytest.mark.parametrize(
    ("message", "text", "fleet"),
    [
        ("'ogr' means more than one repository: write one of packit/ogr, rebasehelper/ogr", "ogr", FLEET),
        (
            "'packit-servce' is not a repository of the fleet: did you mean packit/packit-service",
            "packit-servce",
            FLEET,
        ),
        ("'zuul' is not a repository of the fleet: the fleet is packit/ogr, packit/packit, ", "zuul", FLEET),
        (
            "the fleet is a/0, a/1, a/2, a/3, a/4, a/5, a/6, a/7, a/8, a/9 and 2 more",
            "zuul",
            [f"a/{n}" for n in (*range(10), "x", "y")],
        ),
        ("the fleet is empty", "zuul", ()),
    ],
)
def test_no_repository(message: str, text: str, fleet: tuple[str, ...]) -> None:
    """What was found instead is said."""
    with pytest.raises(PinError) as caught:
        resolve_repository(text, fleet)

    assert message in str(caught.value)


def test_pins() -> None:
    """A pin is a repository and a sha, however short or loud."""
    pins = ["packit-service=1787687ABA71", "packit/ogr = d350", "packit-service=1787687aba71"]

    assert {"packit/packit-service": "1787687aba71", "packit/ogr": "d350"} == parse_pins(pins, FLEET)


def test_no_pins() -> None:
    """Everything that is wrong with any pin is said at once."""
    with pytest.raises(PinError) as caught:
        parse_pins(["packit", "packit=main", "packit=d35", "ogr=d350", "packit=d350", "packit=d351"], FLEET)

    assert (
        "'packit' is not a pin: write REPOSITORY=SHA, with 4 to 40 hex digits of the sha",
        "'packit=main' is not a pin: write REPOSITORY=SHA, with 4 to 40 hex digits of the sha",
        "'packit=d35' is not a pin: write REPOSITORY=SHA, with 4 to 40 hex digits of the sha",
        "'ogr' means more than one repository: write one of packit/ogr, rebasehelper/ogr",
        "packit/packit is pinned twice, to d350 and to d351: keep one",
    ) == caught.value.problems
