"""Evidence from GitHub's deployments: what stage runs, as whoever deploys it reported.

A deployment that failed leaves what ran before it running, so the latest success counts, however old it is: what it
says is looked up now.
"""

from flows.evidence.results import enumerate_some
from flows.evidence.source import SourceKind, Surroundings, seen_now
from reconcile.observed import Deployment
from state.evidence import Evidence, Link, Verdict
from state.ids import RepositoryName, abbreviate
from state.sources import Deployments


async def observe(settings: Deployments, around: Surroundings) -> Evidence:
    """Look up what was deployed last.

    Raises:
        ReconcileError: GitHub cannot be read.
    """
    repositories = settings.repositories or around.fleet
    found = await around.github.observe_deployments(repositories, settings.environment)
    latest = {
        name: next((each for each in found.get(name, ()) if each.state == "success"), None)
        for name in repositories
    }
    running = {name: each for name, each in latest.items() if each}
    missing = {name: found.get(name, ()) for name, each in latest.items() if each is None}
    failed = [name for name, several in missing.items() if any(each.state == "failed" for each in several)]
    if failed:
        verdict, sentence = Verdict.FAIL, f"Of {enumerate_some(failed)} every deployment failed."
    elif missing or not running:
        verdict = Verdict.NO_EVIDENCE
        sentence = f"Nothing was deployed successfully of {enumerate_some([*missing]) or 'anything'}."
    else:
        verdict, sentence = Verdict.PASS, f"All {len(running)} repositories are deployed."
    links = tuple(_link(name, each) for name, each in running.items() if each.url)
    said = seen_now(
        settings, name_of(settings), verdict=verdict, sentence=sentence, now=around.now, links=links
    )
    return said.model_copy(update={"runs": {name: each.sha for name, each in running.items()}})


def name_of(settings: Deployments) -> str:
    """Name the source for people."""
    return f"deployments to {settings.environment}"


SOURCE = SourceKind(settings=Deployments, name_of=name_of, observe=observe)


def _link(name: RepositoryName, deployment: Deployment) -> Link:
    return Link(text=f"{name} {abbreviate(deployment.sha)}", url=deployment.url or "")
