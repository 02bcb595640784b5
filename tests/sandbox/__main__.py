"""`python -m tests.sandbox`: the sandbox by itself, until it is interrupted."""

import argparse
import errno
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from tests.sandbox.fleet import Fleet, make_packit_fleet
from tests.sandbox.server import Sandbox


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description="Run a GitHub of your own.")
    parser.add_argument(
        "--repositories",
        type=Path,
        metavar="DIR",
        help="serve the bare repositories DIR/OWNER/NAME.git as they are (default: make a fleet like Packit's)",
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="listen there (default: any free port)"
    )
    return parser.parse_args(argv)


@contextmanager
def interrupted() -> Iterator[Event]:
    """Turn SIGINT and SIGTERM into an event."""
    event = Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(each, lambda *_: event.set()) for each in signals]
    try:
        yield event
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def describe(sandbox: Sandbox, fleet: Fleet | None) -> Iterator[str]:
    yield f"web      {sandbox.url}"
    yield f"rest     {sandbox.url}"
    yield f"graphql  {sandbox.url}/graphql"
    for repository in sandbox.store.repositories():
        is_state = fleet is not None and repository is fleet.release_state
        yield f"git      {sandbox.url}/{repository.full_name}.git" + ("  (release state)" if is_state else "")
    for login, token in sandbox.tokens.items():
        yield f"token    {token}  ({login})"


def main(argv: Sequence[str] | None = None) -> int:
    asked = arguments(argv)
    if asked.repositories is not None and not asked.repositories.is_dir():
        sys.stderr.write(f"{asked.repositories} is not a folder\n")
        return 1
    with ExitStack() as stack:
        stop = stack.enter_context(interrupted())
        directory = asked.repositories or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-"))
        )
        try:
            sandbox = stack.enter_context(Sandbox.running(directory, port=asked.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            sys.stderr.write(f"Port {asked.port} is in use: choose another with --port\n")
            return 1
        fleet = None
        if asked.repositories is None:
            fleet = make_packit_fleet(sandbox.store, sandbox.store.clock())
        sys.stdout.writelines(f"{line}\n" for line in describe(sandbox, fleet))
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
