"""Which sources of evidence there are: those beside this module, and those that other distributions bring.

An installed source is found by the entry-point group ``stablehand.evidence``. It cannot take the place of a built-in
one, and of two with one name neither is taken: which evidence counts must not hang on the order of installation.
"""

import difflib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from state.errors import StateError
from state.invariants import Finding
from state.policy import Policy
from state.sentences import describe_error
from state.sources import Source, SourceSettings

if TYPE_CHECKING:
    from flows.evidence.source import SourceKind

GROUP = "stablehand.evidence"
BUILT_IN = tuple(Source.model_fields)


class Asked(NamedTuple):
    """A source with what this policy tells it."""

    kind: "SourceKind[Any]"
    settings: SourceSettings

    @property
    def name(self) -> str:
        """What it looks at, for people."""
        return self.kind.name_of(self.settings)


class UnknownSourceError(StateError):
    """No source of this name is installed, or it cannot be used."""


def resolve(entry: Source) -> Asked:
    """Find the source that an entry names, and give it its settings.

    Raises:
        UnknownSourceError: There is none, or it cannot be loaded.
        pydantic.ValidationError: An installed source refuses what the policy tells it.
    """
    settings = entry.settings
    if isinstance(settings, SourceSettings):
        module = import_module(f"flows.evidence.{entry.name}")
        return Asked(module.SOURCE, settings)
    kind = _load(entry.name)
    return Asked(kind, kind.settings.model_validate(settings))


def check_sources(policy: Policy) -> tuple[Finding, ...]:
    """Find entries of ``validation`` that no source can make sense of. Never raises."""
    return tuple(finding for index, entry in enumerate(policy.validation) for finding in _check(index, entry))


def _check(index: int, entry: Source) -> Iterator[Finding]:
    if entry.name in BUILT_IN:
        return
    path: tuple[str | int, ...] = ("validation", index, entry.name)
    try:
        resolve(entry)
    except UnknownSourceError as error:
        yield Finding(severity="error", document="policy", path=path, message=str(error))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
            message = describe_error(detail, _load(entry.name).settings)
            yield Finding(severity="error", document="policy", path=(*path, *where), message=message)


def _load(name: str) -> "SourceKind[Any]":
    # Checking a policy of built-in sources pays for no web client.
    from flows.evidence.source import SourceKind  # noqa: PLC0415

    found = {(each.module, each.attr): each for each in entry_points(group=GROUP) if each.name == name}
    if not found:
        raise UnknownSourceError(_describe_unknown(name))
    if len(found) > 1:
        names = " and ".join(sorted(map(_distribution_of, found.values())))
        raise UnknownSourceError(f"`{name}` is a source of {names}: uninstall all but one")
    (entry,) = found.values()
    try:
        kind = entry.load()
    except (ImportError, AttributeError) as error:
        raise UnknownSourceError(
            f"`{name}` of {_distribution_of(entry)} cannot be loaded ({type(error).__name__}: {error}): "
            "mend its installation"
        ) from error
    if not isinstance(kind, SourceKind):
        raise UnknownSourceError(
            f"`{name}` of {_distribution_of(entry)} is no SourceKind: it was made for something else"
        )
    return kind


def _describe_unknown(name: str) -> str:
    installed = sorted({*BUILT_IN, *(each.name for each in entry_points(group=GROUP))})
    near = difflib.get_close_matches(name, installed, n=1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    return (
        f"there is no source of evidence `{name[:60]}`: {guess}Installed here: {', '.join(installed)}. "
        "A source of another distribution must be installed where stablehand runs"
    )


def _distribution_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown distribution"
