"""What the README says of settings and exit statuses is what the code does."""

from pydantic_core import PydanticUndefined

from flows.cli import Exit
from flows.settings import PREFIX, Settings
from tests.docs.pages import OPERATING, README

INTERRUPTED = 130
"""What a shell gives a command that Ctrl-C has ended; no result of ours."""


def test_the_settings_are_those_of_the_code() -> None:
    documented = {name: default for name, (default, _) in README.table("variable", "default").items()}
    assert documented == {PREFIX + name.upper(): _default_of(name) for name in Settings.model_fields}


def _default_of(name: str) -> str:
    default = Settings.model_fields[name].default
    if default is PydanticUndefined:
        return "required"
    return "" if default in (None, ()) else str(default).rstrip("/")


def test_the_exit_statuses_are_those_of_the_code() -> None:
    assert {str(status) for status in (*map(int, Exit), INTERRUPTED)} == set(README.table("exit status"))


def test_every_setting_that_is_mentioned_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    mentioned = {code for page in (README, OPERATING) for code in page.codes if code.startswith(PREFIX)}
    assert set() == mentioned - known
