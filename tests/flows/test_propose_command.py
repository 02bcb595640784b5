"""How a person spells what they want proposed."""

import pytest

from flows.cli import Exit
from reconcile.render.proposal import PROPOSAL_BRANCH
from state.yaml_io import STATE_PATH, parse_desired
from tests.flows.installation import Installation
from tests.flows.test_cli import choose_head, validate
from tests.flows.world import OGR, World


def proposed(world: World) -> dict[str, str]:
    return parse_desired(world.file(PROPOSAL_BRANCH, STATE_PATH)).targets


@pytest.mark.parametrize("spelling", ["--ogr={}", "--ogr {}", "ogr={}", "--OGR={}", "--packit/ogr={}"])
def test_a_pin_is_an_option_of_its_own(installation: Installation, spelling: str) -> None:
    """With or without dashes, owner and equals sign; the sha may be abbreviated."""
    choose_head(installation)
    sha = installation.world.commits[OGR][1]
    ran = installation.run("propose", *spelling.format(sha[:12].upper()).split(), "--only", "ogr")
    assert Exit.DONE == ran.status, ran
    assert sha == proposed(installation.world)[OGR]


@pytest.mark.parametrize(
    ("expected", "arguments"),
    [
        ("There is no option --ony. Did you mean --only", ("--ony", "ogr")),
        ("There is no option --ony. Did you mean --only", ("--ony=ogr",)),
        ("There is no option -x. A repository takes a sha", ("-x",)),
        ("There is no option --ogr. A repository takes a sha", ("--ogr=main",)),
        ("There is no option --ogr. A repository takes a sha", ("--ogr",)),
        ("'tokmann' is not a repository of the fleet: did you mean packit/tokman", ("--tokmann=abcd123",)),
    ],
)
def test_what_is_misspelt_is_said(
    installation: Installation, expected: str, arguments: tuple[str, ...]
) -> None:
    """An option by its name, a repository by what the fleet has; nothing is written."""
    ran = installation.run("propose", *arguments)
    assert Exit.USAGE == ran.status
    assert expected in " ".join(ran.err.replace("│", " ").split())
    assert [] == list(installation.world.state.pulls)


def test_even_if_failing(installation: Installation) -> None:
    """A draft, and a success: the person asked for it."""
    validate(None)(installation)
    ran = installation.run("propose", "--even-if-failing")
    assert Exit.DONE == ran.status, ran
    (pull,) = installation.world.state.pulls.values()
    assert pull.draft
    assert pull.body.startswith("**Nothing says that stage is good**")
