"""Evidence from an address of stage: how it is, and which commits it runs.

No answer at all is no evidence; an answer that is not the expected one is a failure. What stage says that it runs is
taken as it is written there, abbreviated or not: only what waits can tell which commits those are.
"""

import json

from pydantic import JsonValue, TypeAdapter, ValidationError

from flows.evidence.results import enumerate_some
from flows.evidence.source import SourceError, SourceKind, Surroundings, no_evidence, seen_now
from flows.evidence.web import Answer, fetch
from state.evidence import Evidence, Link, ReportedSha, Verdict
from state.ids import RepositoryName
from state.json_path import find_value
from state.sources import Http

_QUOTED = 60
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_REPORTED: TypeAdapter[str] = TypeAdapter(ReportedSha)


async def observe(settings: Http, around: Surroundings) -> Evidence:
    """Ask the address once, and judge its answer.

    Raises:
        ReconcileError: It does not answer.
    """
    answer = await fetch(around.http, settings.url, headers={"Accept": "application/json"})
    name, links = name_of(settings), (Link(text=settings.url, url=settings.url),)
    wrong = _find_wrong(settings, answer)
    if wrong:
        return seen_now(
            settings,
            name,
            verdict=Verdict.FAIL,
            sentence=f"{enumerate_some(wrong)}.",
            now=around.now,
            links=links,
        )
    runs, unknown = _read_runs(settings, answer)
    if unknown:
        return no_evidence(name, f"It does not say what it runs: {enumerate_some(unknown)}.", links)
    said = f"It answered {answer.status}"
    if settings.values:
        said += ", with the expected values"
    if runs:
        said += (
            f", and runs {enumerate_some([f'{repository} {sha[:12]}' for repository, sha in runs.items()])}"
        )
    found = seen_now(settings, name, verdict=Verdict.PASS, sentence=f"{said}.", now=around.now, links=links)
    return found.model_copy(update={"runs": runs})


def name_of(settings: Http) -> str:
    """Name the source for people."""
    return f"answer of {settings.url}"


SOURCE = SourceKind(settings=Http, name_of=name_of, observe=observe)


def _find_wrong(settings: Http, answer: Answer) -> list[str]:
    """List what is not as expected."""
    if answer.status != settings.status:
        return [f"It answered {answer.status}, not {settings.status}"]
    if not settings.values:
        return []
    try:
        document = answer.parse(_JSON)
    except SourceError:
        return ["Its answer is not JSON"]
    return [
        f"{path} is {_describe(document, path)}, not {_quote(expected)}"
        for path, expected in settings.values.items()
        if _read_text(document, path) != expected
    ]


def _read_runs(settings: Http, answer: Answer) -> tuple[dict[RepositoryName, str], list[str]]:
    """Read what stage runs; and what it says instead of a commit, where it names none."""
    if not settings.runs:
        return {}, []
    try:
        document = answer.parse(_JSON)
    except SourceError:
        return {}, ["its answer is not JSON"]
    runs: dict[RepositoryName, str] = {}
    unknown: list[str] = []
    for repository, path in settings.runs.items():
        try:
            runs[repository] = _REPORTED.validate_python(find_value(document, path))
        except (LookupError, ValidationError):
            unknown.append(f"{repository} at {path} is {_describe(document, path)}")
    return runs, unknown


def _read_text(document: JsonValue, path: str) -> str | None:
    """Read a single value as text, in JSON's spelling where it is none; nothing where there is no single value."""
    try:
        found = find_value(document, path)
    except LookupError:
        return None
    if isinstance(found, dict | list):
        return None
    return found if isinstance(found, str) else json.dumps(found)


def _describe(document: JsonValue, path: str) -> str:
    text = _read_text(document, path)
    return "missing" if text is None else _quote(text)


def _quote(text: str) -> str:
    return f"“{text[:_QUOTED]}{'…' if len(text) > _QUOTED else ''}”"
