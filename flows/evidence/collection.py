"""Collecting evidence: every source that the policy names is asked, side by side, each within its own time."""

import asyncio
from datetime import datetime

import httpx
from pydantic import ValidationError

from flows.evidence.installed import UnknownSourceError, resolve
from flows.evidence.source import EvidenceReader, Surroundings, no_evidence
from reconcile.errors import ReconcileError
from state.evidence import Evidence, Validation
from state.policy import Policy
from state.sources import Source

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)


async def collect(
    policy: Policy,
    github: EvidenceReader,
    *,
    now: datetime,
    last_moved_at: datetime | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Validation:
    """Ask every source. One that does not answer, or breaks, is no evidence, and says why; the others count.

    The candidates' own checks are not among them: they are read when there are candidates (`own_checks.settle`).

    Args:
        policy: Names the sources.
        github: Answers those that ask GitHub.
        now: The moment at which evidence is judged; what began later is not looked at.
        last_moved_at: When a ref was last moved; none where the ledger does not know.
        transport: What carries requests to other addresses instead of the network.
    """
    async with httpx.AsyncClient(timeout=_TIMEOUT, transport=transport) as client:
        around = Surroundings(
            github=github,
            http=client,
            now=now,
            last_moved_at=last_moved_at,
            fleet=tuple(sorted(policy.repositories)),
        )
        asked = (_ask(source, around) for source in policy.validation if not source.own_checks)
        return Validation(at=now, evidence=tuple(await asyncio.gather(*asked)))


async def _ask(source: Source, around: Surroundings) -> Evidence:
    try:
        asked = resolve(source)
    except UnknownSourceError as error:
        return no_evidence(source.name, f"It cannot be asked: {error}.")
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return no_evidence(source.name, f"Its settings are wrong: {problems}.")
    limit = asked.settings.time_limit.total_seconds()
    try:
        async with asyncio.timeout(limit):
            return await asked.kind.observe(asked.settings, around)
    except TimeoutError:
        sentence = f"It did not answer within {limit:.0f} seconds."
    except ReconcileError as error:
        sentence = f"It could not be read: {error}"
    return no_evidence(asked.name, sentence)
