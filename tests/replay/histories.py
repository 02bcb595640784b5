"""Recorded commit graphs as bare git repositories: the same shape and dates, other shas."""

from collections.abc import Mapping
from pathlib import Path

import pygit2

from state.ids import Sha
from tests.replay.moves import Graph
from tests.sandbox import gitops

AUTHOR = ("Somebody", "somebody@example.com")


def rebuild(graph: Graph, path: Path, *, stable: Sha, off_branch: frozenset[Sha]) -> Mapping[Sha, Sha]:
    """Make a bare repository, and return the sha of each commit by its recorded one.

    ``main`` stands at its end from the beginning. What was put out from no branch exists, as it would on GitHub, with
    no parents, since the recording knows none.
    """
    git = gitops.init_bare(path, "main")
    shas: dict[Sha, Sha] = {}
    for commit in graph.commits:
        parents = [shas[parent] for parent in commit.parents if parent in shas]
        shas[commit.sha] = _write(git, commit.sha, parents, gitops.signature(*AUTHOR, commit.at))
    for sha in sorted(off_branch):
        shas[sha] = _write(git, sha, [], gitops.signature(*AUTHOR, graph.head.at))
    git.references.create("refs/heads/main", shas[graph.head.sha])
    git.references.create("refs/heads/stable", shas[stable])
    return shas


def _write(git: pygit2.Repository, recorded: Sha, parents: list[Sha], who: pygit2.Signature) -> Sha:
    tree = git.TreeBuilder().write()
    oids = [pygit2.Oid(hex=parent) for parent in parents]
    return str(git.create_commit(None, who, who, f"Recorded as {recorded}\n", tree, oids))
