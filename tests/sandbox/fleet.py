"""Fleets to show and to measure: one shaped like Packit's, and synthetic ones of any size.

Everything is made relative to `now`, so that a validation is always hours old and a pull request days.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from tests.sandbox import gitops
from tests.sandbox.repository import Repository
from tests.sandbox.store import Store

OWNER = "packit"
STAGE, PRODUCTION = "packit-as-a-service-stg", "packit-as-a-service"
VALIDATION_BEGAN = timedelta(hours=5)
REBUILD = ".github/workflows/rebuild-and-push-images.yml"
CHECKS = (
    "rpm-build:fedora-42-x86_64",
    "rpm-build:fedora-43-x86_64",
    "rpm-build:fedora-rawhide-x86_64",
    "testing-farm:fedora-rawhide-x86_64",
)


@dataclass(frozen=True)
class Fleet:
    repositories: tuple[Repository, ...]
    release_state: Repository
    hello_world: Repository | None = None


@dataclass(frozen=True)
class Change:
    """A pull request that was merged `ago`: its title, and the note for the release, if it has one."""

    title: str
    ago: timedelta
    note: str = ""


@dataclass(frozen=True)
class Project:
    """A repository of the fleet; `ahead` of its changes are not on stable yet, None: it has no stable."""

    name: str
    package: str
    ahead: int | None
    changes: tuple[Change, ...]
    after: tuple[str, ...] = ()


def days(number: float) -> timedelta:
    return timedelta(days=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


PROJECTS = (
    Project(
        "ogr",
        "ogr",
        None,
        (
            Change("Return the default branch of forks", days(33)),
            Change("Keep the comment's reactions when it is edited", days(19), "Editing keeps reactions."),
            Change("Follow pagination of Pagure's flags", days(6)),
        ),
    ),
    Project(
        "packit",
        "packit",
        4,
        (
            Change("Explain why a spec file is not found", days(34)),
            Change("Take the version from an annotated tag only", days(27), "Lightweight tags are left out."),
            Change("Cache the chroots that Copr offers", days(16)),
            Change("Sync the release with a custom commit message", days(12)),
            Change(
                "Let a job choose its own targets",
                days(5),
                "A job can now have `targets` of its own, which replace the package's.",
            ),
            Change("Warn about unknown keys in the configuration", days(3), "Unknown keys give a warning."),
            Change("Update the test data for Fedora 43", days(2)),
            Change("Show the failing command in `packit srpm`", hours(3), "`packit srpm` says what failed."),
        ),
        after=("ogr",),
    ),
    Project(
        "sandcastle",
        "sandcastle",
        2,
        (
            Change("Give every pod a deadline", days(29)),
            Change("Copy files out of the pod with tar", days(10), "Copying keeps file modes."),
            Change("Name the pod after its task", days(4)),
        ),
    ),
    Project(
        "packit-service",
        "packit_service",
        9,
        (
            Change("Count the events of each forge", days(36)),
            Change("Retry Koji builds after a timeout", days(24), "Koji builds are retried once."),
            Change("Drop the table of old pipelines", days(15)),
            Change("Show the queue in the status of a build", days(6.5), "The status names the queue."),
            Change("Answer /packit help with the commands", days(6)),
            Change("Fix the link to the logs of Testing Farm", days(5), "Links to logs work again."),
            Change("Delete the old check runs of a branch", days(4)),
            Change("Limit the length of a status", days(3.5)),
            Change("Notify about failed releases by e-mail", days(2), "Maintainers hear of failed releases."),
            Change("Speed up the query of recent builds", days(1)),
            Change("Accept commands in edited comments", hours(2), "Edited comments are read, too."),
            Change("Log the task's name with its time", hours(0.5)),
        ),
        after=("packit", "sandcastle"),
    ),
    Project(
        "packit-service-fedmsg",
        "packit_service_fedmsg",
        0,
        (
            Change("Listen to the new topic of Koji tags", days(41)),
            Change("Update the base image", days(20)),
        ),
    ),
    Project(
        "packit-service-centosmsg",
        "packit_service_centosmsg",
        1,
        (
            Change("Reconnect when the broker goes away", days(38)),
            Change("Update the base image", days(8)),
        ),
    ),
    Project(
        "dashboard",
        "frontend",
        3,
        (
            Change("Move to the new table component", days(31)),
            Change("Sort pipelines by their last change", days(9), "Pipelines are sorted by time."),
            Change("Show the time of a build in the reader's zone", days(7)),
            Change("Bump vite", days(1.5)),
        ),
    ),
    Project(
        "tokman",
        "tokman",
        0,
        (
            Change("Hand out tokens only while they are valid", days(45)),
            Change("Update the base image", days(22)),
        ),
    ),
)


def make_packit_fleet(store: Store, now: datetime) -> Fleet:
    """Make eight repositories with stable behind main, a validated hello-world, and the release state."""
    with store.lock:
        repositories = tuple(make_project(store, project, now) for project in PROJECTS)
        hello_world = make_hello_world(store, now)
        after = {f"{OWNER}/{each.name}": [f"{OWNER}/{name}" for name in each.after] for each in PROJECTS}
        validation = (
            f"check_runs: {{repository: {hello_world.full_name}, app: {STAGE}, "
            'pull_requests: "Basic test case (stg)*", authors: [packit-bot], max_age: 24h, at_least: 2}'
        )
        release_state = make_release_state(
            store,
            f"{OWNER}/release-state",
            repositories,
            policy_text(after, candidate="validated", validation=(validation,)),
            now - days(30),
        )
        return Fleet(repositories, release_state, hello_world)


def make_project(store: Store, project: Project, now: datetime) -> Repository:
    repository = store.create_repository(f"{OWNER}/{project.name}")
    files = {
        "README.md": f"# {project.name}\n",
        "Containerfile": "FROM quay.io/packit/base:stable\n",
        f"{project.package}/__init__.py": "",
    }
    if project.name == "packit-service":
        files[REBUILD] = "on: workflow_dispatch\n"
    started = now - max(change.ago for change in project.changes) - days(7)
    repository.commit("main", files, "Initial commit", at=started)
    people = cycle((("alice", "bob"), ("bob", "alice")))
    for number, (change, (author, reviewer)) in enumerate(zip(project.changes, people, strict=False), 1):
        file = f"{project.package}/change_{number}.py"
        merge_change(repository, change, file, author=author, reviewer=reviewer, merged=now - change.ago)
    if project.ahead is not None:
        make_stable(repository, project.ahead, now)
    return repository


def merge_change(
    repository: Repository, change: Change, file: str, *, author: str, reviewer: str, merged: datetime
) -> None:
    branch = "-".join(change.title.lower().replace("`", "").replace("/", "").split()[:4])
    text = f'"""{change.title}."""\n'
    written = merged - hours(20)
    repository.commit(branch, {file: text}, change.title, author=author, at=written)
    body = "" if not change.note else f"RELEASE NOTES BEGIN\n\n{change.note}\n\nRELEASE NOTES END\n"
    pull = repository.open_pull_request(change.title, body, branch, "main", author, at=written + hours(1))
    repository.merge(pull.number, reviewer, at=merged)
    repository.delete_branch(branch, by=author)


def make_stable(repository: Repository, ahead: int, now: datetime) -> None:
    """Put stable on the merge that is `ahead` merges behind main, a few hours after it was merged."""
    head = repository.commit_at(repository.rev_parse("main"))
    *_, released = gitops.first_parents(head, ahead + 1)
    at = gitops.signed_at(released.committer) + hours(6)
    repository.push("stable", str(released.id), by="alice", at=min(at, now))


def make_hello_world(store: Store, now: datetime) -> Repository:
    """Make the repository whose pull requests stage and production test themselves on, under the same names."""
    repository = store.create_repository(f"{OWNER}/hello-world")
    repository.commit(
        "main", {"README.md": "# hello-world\n", "hello.spec": "Name: hello\n"}, "Start", at=now - days(400)
    )
    began = now - VALIDATION_BEGAN
    for deployment, app in (("stg", STAGE), ("prod", PRODUCTION)):
        for case in ("builds and tests", "one of many packages"):
            branch = f"test-{deployment}-{case.split()[0]}"
            sha = repository.commit(
                branch,
                {"hello.spec": f"# {deployment}: {case}\n"},
                f"Trigger {case}",
                author="packit-bot",
                at=began,
            )
            title = f"Basic test case ({deployment}): {case}"
            repository.open_pull_request(title, "", branch, "main", "packit-bot", at=began)
            # Both services answer every pull request; only their App tells them apart.
            for other in (STAGE, PRODUCTION):
                add_checks(repository, sha, other, began, failing=other == PRODUCTION and app == PRODUCTION)
    return repository


def add_checks(repository: Repository, sha: str, app: str, began: datetime, *, failing: bool) -> None:
    for number, name in enumerate(CHECKS):
        started = began + timedelta(minutes=2 + number)
        conclusion = "failure" if failing and name.startswith("testing-farm") else "success"
        repository.add_check_run(
            sha,
            app,
            name,
            conclusion=conclusion,
            started_at=started,
            completed_at=started + timedelta(minutes=17 + 4 * number),
            details_url=f"https://dashboard.example/{app}/{name}",
        )


def make_release_state(
    store: Store,
    full_name: str,
    repositories: Sequence[Repository],
    policy: str,
    at: datetime,
) -> Repository:
    """Make the repository with the two documents; the targets are where stable is now."""
    live = ((each.full_name, each.branch("stable")) for each in repositories)
    targets = "".join(f"  {name}: {sha}\n" for name, sha in live if sha)
    document = f"version: 1\nref: stable\ntargets:\n{targets}"
    repository = store.create_repository(full_name)
    files = {
        "README.md": "# What is released\n\nEdit `release-state.yaml` in a pull request.\n",
        "release-policy.yaml": policy,
        "release-state.yaml": document if targets else document.replace("targets:\n", "targets: {}\n"),
    }
    repository.commit("main", files, "Start from what is live", at=at)
    return repository


def policy_text(
    after: Mapping[str, Sequence[str]],
    *,
    candidate: str,
    validation: Sequence[str] = (),
    approval: str = "{pull_request: required, reviews: 0}",
) -> str:
    """Write a policy; `after` maps each repository to those it comes after."""

    def lines() -> Iterator[str]:
        yield from ("version: 1", "source: main", f"candidate: {candidate}")
        if candidate == "validated":
            yield "build_time: 60m"
        yield "repositories:"
        for name, before in after.items():
            yield f"  {name}: {{after: [{', '.join(before)}]}}" if before else f"  {name}: {{}}"
        if validation:
            yield "validation:"
            yield from (f"  - {source}" for source in validation)
        yield f"approval: {approval}"
        yield "moves: {create: allow, allowed_branches: [main]}"

    return "\n".join(lines()) + "\n"


def make_fleet(
    store: Store,
    now: datetime,
    count: int,
    *,
    ahead: int = 3,
    commits: int = 5,
    owner: str = "fleet",
) -> Fleet:
    """Make `count` repositories with `commits` commits each, stable `ahead` commits behind main.

    Fast: plain commits, no pull requests. No repository comes after another.
    """
    with store.lock:
        repositories = tuple(
            make_synthetic(store, f"{owner}/repository-{number:04d}", now, ahead=ahead, commits=commits)
            for number in range(1, count + 1)
        )
        policy = policy_text({each.full_name: () for each in repositories}, candidate="head")
        return Fleet(
            repositories, make_release_state(store, f"{owner}/release-state", repositories, policy, now)
        )


def make_synthetic(store: Store, full_name: str, now: datetime, *, ahead: int, commits: int) -> Repository:
    repository = store.create_repository(full_name)
    shas = [
        repository.commit(
            "main", {"file": f"{number}\n"}, f"Change {number}", at=now - hours(commits - number)
        )
        for number in range(1, commits + 1)
    ]
    repository.push("stable", shas[max(0, commits - ahead - 1)], by="alice", at=now)
    return repository
