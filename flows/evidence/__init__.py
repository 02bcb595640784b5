"""Evidence: ask every source that the policy names, side by side, what validation said. One module a source."""

import asyncio
from datetime import datetime, timedelta

from flows.evidence import check_runs
from reconcile.errors import ReconcileError
from reconcile.ports import ValidationReader
from state.evidence import Evidence, Validation, Verdict
from state.policy import Policy, Source

TIME_LIMIT = timedelta(seconds=60)
"""How long a source may take. What does not answer in time has said nothing."""


async def collect(
    policy: Policy, reader: ValidationReader, *, now: datetime, time_limit: timedelta = TIME_LIMIT
) -> Validation:
    """Ask every source. One that does not answer, or breaks, is no evidence, and says why; the others count.

    Args:
        policy: Names the sources.
        reader: GitHub.
        now: The moment at which evidence is judged; what began later is not looked at.
        time_limit: For each source by itself.
    """
    asked = (_ask(source, reader, now=now, time_limit=time_limit) for source in policy.validation)
    return Validation(at=now, evidence=tuple(await asyncio.gather(*asked)))


async def _ask(source: Source, reader: ValidationReader, *, now: datetime, time_limit: timedelta) -> Evidence:
    wanted = source.check_runs
    try:
        async with asyncio.timeout(time_limit.total_seconds()):
            return await check_runs.observe(wanted, reader, now=now)
    except TimeoutError:
        sentence = f"It did not answer within {time_limit.total_seconds():.0f} seconds."
    except ReconcileError as error:
        sentence = f"It could not be read: {error}"
    return Evidence(
        source=check_runs.name_of(wanted),
        verdict=Verdict.NO_EVIDENCE,
        sentence=sentence,
        began_at=None,
        expires_at=None,
    )
