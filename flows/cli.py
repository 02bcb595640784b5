"""The command ``stablehand``. Parses, calls a way, prints, and says by its exit status what came of it.

Imports inside the commands on purpose: ``--help`` and ``schema`` answer without GitHub's client, and nothing but
``serve`` and a run inside Prefect imports Prefect.
"""

import asyncio
import difflib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

if TYPE_CHECKING:
    from flows.ways.propose import ProposeReport
    from reconcile.observed import Accepted, PullRequest
    from reconcile.planned import Plan
    from reconcile.ports import Budget
    from reconcile.report import RunReport
    from state.history import History
    from state.release_notes import Notes

T = TypeVar("T")
Document = Literal["release-state", "release-policy"]


class Exit(IntEnum):
    """The exit statuses, for scripts."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    VALIDATION_FAILED = 3
    NO_EVIDENCE = 4
    HELD = 5
    WAITING = 6


_INTERRUPTED = 130
"""What a shell makes of SIGINT."""

EPILOG = """
Exit status: 0 done or converged · 1 failure · 2 usage, settings or document error · 3 validation failed ·
4 no evidence · 5 something is held (a person is needed) · 6 something waits (goes on by itself).
"""


def _examples(*commands: str) -> str:
    """Show each example on a line of its own, to be copied whole: the mark keeps lines as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  stablehand {each}" for each in commands)


app = typer.Typer(
    name="stablehand",
    help="Keep the stable branch of every repository where one reviewed YAML file says it should be.\n\n"
    "Configured by STABLEHAND_REPOSITORY (owner/name of the release-state repository), STABLEHAND_TOKEN and "
    "STABLEHAND_GITHUB_URL, in the environment or a .env file.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")]
InPrefect = Annotated[
    bool,
    typer.Option(
        "--prefect",
        help="Run as a Prefect flow run. The default where PREFECT_API_URL is set; without it, this starts a "
        "server for the one run, which takes a while.",
    ),
]


@app.command(
    "propose",
    epilog=_examples("propose", "propose --packit-service=1787687aba71 --hold dashboard"),
    # Every repository is an option of its own; which there are, the policy knows.
    context_settings={"ignore_unknown_options": True},
)
def propose_command(
    context: typer.Context,
    pins: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="--REPOSITORY=SHA",
            help="Propose this sha instead; it may be abbreviated, and the dashes and the repository's owner left out.",
        ),
    ] = None,
    hold: Annotated[
        list[str] | None, typer.Option("--hold", metavar="REPOSITORY", help="Leave it where the file has it.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="REPOSITORY", help="Leave all others where they are."),
    ] = None,
    *,
    even_if_failing: Annotated[
        bool,
        typer.Option("--even-if-failing", help="Open a draft also where validation fails, or says nothing."),
    ] = False,
    as_json: Json = False,
    in_prefect: InPrefect = False,
) -> None:
    """Open or refresh the pull request with what stage has validated."""
    from flows import show, terminal
    from flows.ways import propose as way
    from flows.ways.reconcile import system_clock

    request = way.ProposeRequest(
        pins=_pins_of(pins or [], context),
        hold=tuple(hold or ()),
        only=tuple(only or ()),
        even_if_failing=even_if_failing,
    )

    async def run() -> way.ProposeReport:
        if _is_in_prefect(in_prefect):
            from flows.propose_release import run_in_prefect

            return await run_in_prefect(request)
        from flows.connect import connected
        from flows.settings import load_settings

        clock = system_clock()
        async with connected(load_settings()) as github:
            steps = terminal.with_progress(way.plain_steps(github, clock))
            return await way.propose(steps, request, clock=clock)

    report = _run(run)
    if as_json:
        terminal.print_json(report)
    else:
        show.proposal(report)
    raise typer.Exit(_exit_of_proposal(report))


@app.command("plan", epilog="Example: stablehand plan --json")
def plan_command(*, as_json: Json = False) -> None:
    """Show what reconcile would do now, and why, and what that costs."""
    from flows import show, terminal
    from reconcile.cost import estimate

    async def run() -> "tuple[Accepted, Plan, Budget | None]":
        from flows.connect import connected
        from flows.settings import load_settings
        from flows.ways.reconcile import survey, system_clock

        async with connected(load_settings()) as github:
            return *await survey(github, clock=system_clock()), github.budget()

    accepted, current, budget = _run(run, "reading GitHub")
    cost = estimate(current, shows_moves=accepted.policy.deployments is not None)
    if as_json:
        terminal.print_json({**current.model_dump(mode="json"), "cost": cost.model_dump()})
    else:
        show.plan(current)
        show.cost(cost, budget)
    raise typer.Exit(_exit_of_plan(current))


@app.command("reconcile", epilog="Example: stablehand reconcile")
def reconcile_command(*, as_json: Json = False, in_prefect: InPrefect = False) -> None:
    """Move every ref to what the merged file says."""
    from flows import show, terminal

    async def run() -> "RunReport":
        if _is_in_prefect(in_prefect):
            from flows.reconcile_release import run_in_prefect

            return await run_in_prefect()
        from functools import partial

        from flows.connect import connected
        from flows.notify import notify_news
        from flows.settings import load_settings
        from flows.ways import reconcile as way

        settings, clock = load_settings(), way.system_clock()
        async with connected(settings) as github:
            steps = way.plain_steps(github, clock, partial(notify_news, settings))
            return await way.reconcile(terminal.with_progress(steps), clock=clock, run=_here())

    report = _run(run)
    if as_json:
        terminal.print_json({"result": report.result, **report.model_dump(mode="json")})
    else:
        show.run(report)
    raise typer.Exit(_exit_of_run(report))


@app.command("status", epilog="Example: stablehand status")
def status_command(*, as_json: Json = False) -> None:
    """Show what is out, and who decided it when."""
    from flows import show, terminal
    from flows.ways.status import StatusReport, status

    async def run() -> StatusReport:
        from flows.connect import connected
        from flows.settings import load_settings
        from flows.ways.reconcile import system_clock

        async with connected(load_settings()) as github:
            return await status(github, clock=system_clock())

    report = _run(run, "reading GitHub")
    if as_json:
        terminal.print_json(report)
    else:
        show.status(report)
    raise typer.Exit(_exit_of_plan(report.plan))


@app.command("why", epilog="Example: stablehand why packit-service")
def why_command(
    repository: Annotated[str, typer.Argument(metavar="REPOSITORY", help="Its owner may be left out.")],
    *,
    as_json: Json = False,
) -> None:
    """Show, rule by rule, what stands in a repository's way."""
    from flows import show, terminal
    from flows.ways.why import WhyReport, why

    async def run() -> WhyReport:
        from flows.connect import connected
        from flows.settings import load_settings
        from flows.ways.reconcile import system_clock

        async with connected(load_settings()) as github:
            return await why(github, repository, clock=system_clock())

    report = _run(run, "reading GitHub")
    if as_json:
        terminal.print_json(report)
    else:
        show.why(report)
    raise typer.Exit({"hold": Exit.HELD, "wait": Exit.WAITING}.get(report.item.kind, Exit.DONE))


@app.command("log", epilog="Example: stablehand log --limit 20")
def log_command(
    *,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1000, help="How many versions of the ledger to read.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """Show what moved, when, and by whose decision."""
    from flows import show, terminal
    from flows.ways.log import LogEntry, read_log

    async def run() -> tuple[LogEntry, ...]:
        from flows.connect import connected
        from flows.settings import load_settings

        async with connected(load_settings()) as github:
            return await read_log(github, limit=limit)

    entries = _run(run, "reading the ledger")
    if as_json:
        terminal.print_json({"moves": [entry.model_dump(mode="json") for entry in entries]})
    else:
        show.log(entries)


@app.command(
    "notes",
    epilog=_examples("notes", "notes packit-service --since 2026-11-16", "notes --since '#41' --until '#43'"),
)
def notes_command(
    repositories: Annotated[
        list[str] | None, typer.Argument(metavar="[REPOSITORY]...", help="Only these; all without any.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE|#PR|REVISION",
            help="From then, or from that decision on. Without any end: the last decision that moved something.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE|#PR|REVISION", help="Until then, or with that decision."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Write release notes of what went out, as Markdown."""
    from flows import show, terminal
    from flows.ways.notes import NotesRequest, write_notes

    async def run() -> "Notes":
        from flows.connect import connected
        from flows.settings import load_settings

        request = NotesRequest(repositories=tuple(repositories or ()), since=since, until=until)
        async with connected(load_settings()) as github:
            return await write_notes(github, request)

    notes = _run(run, "reading what went out")
    if as_json:
        terminal.print_json(notes)
    else:
        show.notes(notes)


@app.command(
    "history",
    epilog=_examples("history --since 2026-09-01", "history --html history.html"),
    short_help="Show how releasing goes: lead time, rollbacks, moves by hand.",
)
def history_command(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE|#PR|REVISION",
            help="From then, or from that decision on; the last 90 days without it.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write it as one page with charts, too.", dir_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how releasing goes: who decided what, lead time, rollbacks, moves by hand."""
    from flows import show, terminal
    from flows.ways.errors import UsageError
    from flows.ways.history import read_history

    async def run() -> "History":
        from flows.connect import connected
        from flows.settings import load_settings
        from flows.ways.reconcile import system_clock

        async with connected(load_settings()) as github:
            history = await read_history(github, since, clock=system_clock())
        if html:
            from flows.charts import draw_history
            from reconcile.render.history import render_history

            page = render_history(history, draw_history(history))
            try:
                html.write_text(page, encoding="utf-8")
            except OSError as error:
                raise UsageError((f"{html} cannot be written: {error.strerror}.",)) from error
        return history

    history = _run(run, "reading what went out")
    if as_json:
        terminal.print_json(history)
    else:
        show.history(history)


@app.command(
    "rollback",
    epilog=_examples("rollback", "rollback packit-service --to '#41' --despite outside-window"),
)
def rollback_command(
    repositories: Annotated[
        list[str] | None, typer.Argument(metavar="[REPOSITORY]...", help="Only these; all without any.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="REVISION|DATE|#PR",
            help="An accepted decision; the one before the last without it.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="For the permits and blocks.")] = "rollback",
    despite: Annotated[
        list[str] | None,
        typer.Option(
            "--despite", metavar="CODE", help="What the permits override: outside-window, frozen, …"
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Open a pull request that goes back to an earlier decision."""
    from pydantic import ValidationError

    from flows import show, terminal
    from flows.ways.errors import UsageError
    from flows.ways.rollback import RollbackReport, RollbackRequest, rollback

    async def run() -> RollbackReport:
        from flows.connect import connected
        from flows.settings import load_settings
        from flows.ways.reconcile import system_clock

        try:
            request = RollbackRequest.model_validate(
                {"to": to, "repositories": repositories or (), "reason": reason, "despite": despite or ()}
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise UsageError((f"--{first['loc'][0]} {first['input']}: {first['msg']}",)) from error
        async with connected(load_settings()) as github:
            return await rollback(github, request, clock=system_clock())

    report = _run(run)
    if as_json:
        terminal.print_json(report)
    else:
        show.rollback(report)


@app.command(
    "adopt",
    epilog="Example: stablehand adopt packit-service",
    short_help="Offer to take into the file what was moved by hand.",
)
def adopt_command(
    repository: Annotated[str, typer.Argument(metavar="REPOSITORY", help="Its owner may be left out.")],
    *,
    as_json: Json = False,
) -> None:
    """Open a pull request that takes into the file what was moved by hand."""
    _answer_drift("adopt", repository, as_json=as_json)


@app.command(
    "restore",
    epilog="Example: stablehand restore packit-service",
    short_help="Offer to put back what was moved by hand.",
)
def restore_command(
    repository: Annotated[str, typer.Argument(metavar="REPOSITORY", help="Its owner may be left out.")],
    *,
    as_json: Json = False,
) -> None:
    """Open a pull request that permits to put back what was moved by hand."""
    _answer_drift("restore", repository, as_json=as_json)


def _answer_drift(answer: Literal["adopt", "restore"], repository: str, *, as_json: bool) -> None:
    from flows import show, terminal
    from flows.ways.drift import answer_drift

    async def run() -> "PullRequest":
        from flows.connect import connected
        from flows.settings import load_settings

        async with connected(load_settings()) as github:
            return await answer_drift(github, answer, repository)

    pull_request = _run(run, "asking GitHub")
    if as_json:
        terminal.print_json(pull_request)
    else:
        show.offer(pull_request)


@app.command(
    "init",
    epilog=_examples(
        "init packit --pull-request", "init packit/ogr packit/packit --ref prod --directory release-state"
    ),
    short_help="Make both documents from where the branches are now.",
)
def init_command(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="OWNER|OWNER/NAME...",
            help="All repositories of an owner that have the branch and are not archived, or these.",
        ),
    ],
    *,
    ref: Annotated[str, typer.Option("--ref", metavar="BRANCH", help="The branch to govern.")] = "stable",
    source: Annotated[
        str, typer.Option("--source", metavar="BRANCH", help="The branch that proposals come from.")
    ] = "main",
    code_owner: Annotated[
        list[str] | None,
        typer.Option(
            "--code-owner", metavar="LOGIN|ORGANIZATION/TEAM", help="Who reviews changes of the policy."
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--directory", metavar="DIR", help="Write the files here.", file_okay=False)
    ] = None,
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Offer the files to STABLEHAND_REPOSITORY.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make both documents from where the branches are now, so that the first plan is empty."""
    from flows import show, terminal
    from flows.ways.errors import UsageError
    from flows.ways.init import InitReport, draft_files, offer_draft, parse_request, store_draft

    async def run() -> InitReport:
        from flows.connect import connected
        from flows.settings import load_settings

        if (directory is None) != pull_request:
            raise UsageError(("Say where the files go: --directory DIR or --pull-request, one of the two.",))
        request = parse_request(names, ref=ref, source=source, code_owners=code_owner or ())
        settings = load_settings()
        async with connected(settings) as github:
            if directory is None:
                return await offer_draft(github, request)
            return store_draft(directory, await draft_files(github, request, repository=settings.repository))

    report = _run(run, "looking at the fleet")
    if as_json:
        terminal.print_json(report)
    else:
        show.init(report)


@app.command("check", epilog="Example: stablehand check release-state.yaml")
def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A release-state or a release-policy file.")],
    *,
    as_json: Json = False,
) -> None:
    """Check a document without the network.

    The other document is checked with it where it lies beside it.
    """
    from flows import terminal
    from flows.ways.check_file import check_file

    findings = check_file(file)
    if as_json:
        terminal.print_json({"findings": [finding.model_dump(mode="json") for finding in findings]})
    else:
        for finding in findings:
            terminal.say(str(finding))
        if not findings:
            terminal.say(f"{file} is in order.")
    raise typer.Exit(Exit.USAGE if any(finding.severity == "error" for finding in findings) else Exit.DONE)


@app.command("schema", epilog="Example: stablehand schema release-state > release-state.schema.json")
def schema_command(
    document: Annotated[Document, typer.Argument(help="Which document.")],
) -> None:
    """Print the JSON Schema of a document, for editors."""
    from flows.terminal import print_text
    from state.schema import dump_schema

    print_text(dump_schema(document))


@app.command("serve", epilog="Example: PREFECT_API_URL=http://127.0.0.1:4200/api stablehand serve")
def serve_command() -> None:
    """Run the flows on schedule and on GitHub's events."""
    from flows.serve import serve

    _run(serve)


def main() -> None:
    """Run the command."""
    try:
        from flows import terminal

        terminal.prepare()
        try:
            with _printing():
                app()
        finally:
            with _printing():
                terminal.flush()
    except KeyboardInterrupt:
        # Before there is anything to interrupt, or after it: while modules are imported, while they end.
        sys.exit(_INTERRUPTED)


@contextmanager
def _printing() -> Iterator[None]:
    """End with a sentence where the result cannot be printed: what came of a run must not look as if all were well."""
    from flows.terminal import OutputError, complain

    try:
        yield
    except OutputError as error:
        complain(f"stablehand: {error}")
        sys.exit(Exit.FAILURE)


def _run(way: Callable[[], Awaitable[T]], what: str | None = None) -> T:
    """Run a way to its end, or end with one clear message and the right exit status.

    Args:
        way: What to run.
        what: What to say that it does when it takes its time; none for a way whose steps say so themselves.
    """
    from flows.settings import SettingsError
    from flows.terminal import announce_retries, announced, complain
    from flows.ways.errors import UsageError
    from reconcile.errors import ReconcileError
    from reconcile.waves import OrderCycleError
    from state.errors import DocumentError, StateError

    async def run() -> T:
        return await (announced(what, way()) if what else way())

    announce_retries()
    try:
        return asyncio.run(run())
    except (SettingsError, UsageError, DocumentError, OrderCycleError) as error:
        complain(f"stablehand: {error}")
        raise typer.Exit(Exit.USAGE) from None
    except (ReconcileError, StateError) as error:
        complain(f"stablehand: {error}")
        raise typer.Exit(Exit.FAILURE) from None
    except KeyboardInterrupt:
        complain("stablehand: interrupted. What is done stays done; run it again to go on.")
        raise typer.Exit(_INTERRUPTED) from None


def _is_in_prefect(asked: bool) -> bool:  # noqa: FBT001 (an option's value)
    return asked or bool(os.environ.get("PREFECT_API_URL"))


def _pins_of(arguments: list[str], context: typer.Context) -> tuple[str, ...]:
    """Read ``--packit-service=1787687aba71`` as what it stands for, with or without the dashes and the equals sign.

    What has dashes and no sha is a misspelt option, and said to be one.
    """
    from state.ids import ABBREVIATED_SHA

    pins, rest = list[str](), list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            pins.append(argument)
            continue
        name, _, sha = argument.lstrip("-").partition("=")
        if "=" not in argument and rest and ABBREVIATED_SHA.fullmatch(rest[0].lower()):
            sha = rest.pop(0)
        if not ABBREVIATED_SHA.fullmatch(sha.lower()):
            options = [option for parameter in context.command.params for option in parameter.opts]
            asked = argument.partition("=")[0]
            near = difflib.get_close_matches(
                asked, [each for each in options if each.startswith("--")], cutoff=0.7
            )
            hint = f"Did you mean {' or '.join(near)}?" if near else "A repository takes a sha: --NAME=SHA."
            raise typer.BadParameter(f"There is no option {asked}. {hint}", ctx=context)
        pins.append(f"{name}={sha}")
    return tuple(pins)


def _exit_of_proposal(report: "ProposeReport") -> Exit:
    from state.evidence import Verdict

    if report.action != "not-proposed":
        return Exit.DONE
    return Exit.VALIDATION_FAILED if report.verdict is Verdict.FAIL else Exit.NO_EVIDENCE


def _exit_of_plan(current: "Plan") -> Exit:
    if current.holds:
        return Exit.HELD
    return Exit.WAITING if current.waits else Exit.DONE


def _exit_of_run(report: "RunReport") -> Exit:
    from reconcile.report import Result

    return {
        Result.CONVERGED: Exit.DONE,
        Result.WAITING: Exit.WAITING,
        Result.HELD: Exit.HELD,
        Result.FAILED: Exit.FAILURE,
    }[report.result]


def _here() -> str:
    """Name this run for the ledger: who ran it where."""
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"
