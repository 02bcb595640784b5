"""The GraphQL texts. What comes from outside travels in variables; only counts shape a text.

Aliases are a letter and a number: ``r`` for a repository of a batch, ``on`` for an allowed branch, ``u`` for an update.
"""

from collections.abc import Iterable, Sequence

_TEXT = """
fragment Text on TreeEntry { oid object { ... on Blob { text isTruncated } } }
"""

_DOCUMENTS = """
fragment Documents on Commit {
  oid
  desired: file(path: $desiredPath) { ...Text }
  policy: file(path: $policyPath) { ...Text }
}
"""

_PULL_REQUEST = """
fragment PullRequest on PullRequest {
  id number url title body state isDraft isCrossRepository
  author { login }
  baseRefName headRefName headRefOid
  mergeCommit { oid }
  labels(first: 50) { nodes { id name } }
}
"""

_COMMIT = """
fragment SourceCommit on Commit {
  oid committedDate messageHeadline
  author { name user { login } }
  parents(first: 1) { nodes { oid } }
  associatedPullRequests(first: 5) {
    nodes {
      number title body url mergedAt baseRefName authorAssociation mergeCommit { oid }
      author { login ... on User { id } }
    }
  }
}
"""

_CHECK_RUNS = """
fragment CheckRuns on Commit {
  oid
  checkSuites(first: 20) {
    nodes {
      app { databaseId slug name }
      checkRuns(first: 50) {
        nodes { name status conclusion startedAt url }
        pageInfo { hasNextPage }
      }
    }
    pageInfo { hasNextPage }
  }
}
"""

RELEASE_STATE = (
    """
query ReleaseState(
  $owner: String!, $name: String!, $desiredPath: String!, $policyPath: String!,
  $ledgerBranch: String!, $ledgerPath: String!
) {
  repository(owner: $owner, name: $name) {
    id nameWithOwner url
    defaultBranchRef { name target { ...Documents } }
    ledger: ref(qualifiedName: $ledgerBranch) {
      target { oid ... on Commit { file(path: $ledgerPath) { ...Text } } }
    }
  }
}
"""
    + _DOCUMENTS
    + _TEXT
)

VERSION = """
query Version($owner: String!, $name: String!, $desiredPath: String!, $policyPath: String!) {
  repository(owner: $owner, name: $name) {
    nameWithOwner url
    defaultBranchRef {
      name
      target {
        ... on Commit {
          oid
          desired: file(path: $desiredPath) { oid }
          policy: file(path: $policyPath) { oid }
        }
      }
    }
  }
}
"""

LEDGERS = """
query Ledgers(
  $owner: String!, $name: String!, $branch: String!, $path: String!, $count: Int!, $after: String,
  $since: GitTimestamp
) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $branch) {
      target {
        ... on Commit {
          history(first: $count, after: $after, since: $since) {
            nodes { oid committedDate file(path: $path) { object { ... on Blob { text } } } }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    }
  }
}
"""

DOCUMENTS = (
    """
query Documents(
  $owner: String!, $name: String!, $commit: GitObjectID!, $desiredPath: String!, $policyPath: String!
) {
  repository(owner: $owner, name: $name) { object(oid: $commit) { ...Documents } }
}
"""
    + _DOCUMENTS
    + _TEXT
)

HISTORY = """
query History(
  $owner: String!, $name: String!, $until: GitObjectID!, $after: String,
  $desiredPath: String!, $policyPath: String!
) {
  repository(owner: $owner, name: $name) {
    object(oid: $until) {
      ... on Commit {
        history(first: 50, after: $after) {
          nodes {
            oid
            parents(first: 2) { nodes { oid } }
            desired: file(path: $desiredPath) { oid }
            policy: file(path: $policyPath) { oid }
            associatedPullRequests(first: 10) {
              nodes { number mergedAt baseRefName headRefOid mergeCommit { oid } commits { totalCount } }
            }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
}
"""

MERGED = """
query Merged(
  $owner: String!, $name: String!, $number: Int!, $afterCommit: String, $afterReview: String
) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      author { login }
      headRefName
      headRepository { nameWithOwner }
      timelineItems(last: 1, itemTypes: [
        BASE_REF_CHANGED_EVENT, AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT, BASE_REF_FORCE_PUSHED_EVENT
      ]) {
        nodes {
          ... on BaseRefChangedEvent { createdAt }
          ... on AutomaticBaseChangeSucceededEvent { createdAt }
          ... on BaseRefForcePushedEvent { createdAt }
        }
      }
      commits(first: 100, after: $afterCommit) {
        nodes {
          commit { oid authors(first: 50) { nodes { user { login } } } committer { email user { login } } }
        }
        pageInfo { hasNextPage endCursor }
      }
      reviews(first: 100, after: $afterReview) {
        nodes { author { __typename login } authorCanPushToRepository state commit { oid } createdAt }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

BRANCH = """
query Branch($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) { id ref(qualifiedName: $branch) { target { oid } } }
}
"""

TREE = """
query Tree($owner: String!, $name: String!, $commit: GitObjectID!) {
  repository(owner: $owner, name: $name) { object(oid: $commit) { ... on Commit { tree { oid } } } }
}
"""

BRANCH_COMMITS = """
query BranchCommits($owner: String!, $name: String!, $head: String!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    defaultBranchRef {
      compare(headRef: $head) {
        commits(last: 100) { nodes { oid author { user { login } } committer { email user { login } } } }
      }
    }
  }
}
"""

LOGIN = "query Login { viewer { login } }"

PULL_REQUEST = (
    """
query PullRequest($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { ...PullRequest } }
}
"""
    + _PULL_REQUEST
)

PULL_REQUESTS = (
    """
query PullRequests($owner: String!, $name: String!, $headBranch: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    id
    defaultBranchRef { name }
    pullRequests(
      states: [OPEN], headRefName: $headBranch, first: 50, after: $after,
      orderBy: { field: CREATED_AT, direction: ASC }
    ) {
      nodes { ...PullRequest }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _PULL_REQUEST
)

OPEN_PULL_REQUESTS = """
query OpenPullRequests($owner: String!, $name: String!, $context: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    defaultBranchRef { name }
    pullRequests(states: [OPEN], first: 25, after: $after, orderBy: { field: CREATED_AT, direction: ASC }) {
      nodes {
        number baseRefName
        files(first: 100) { nodes { path } pageInfo { hasNextPage } }
        commits(last: 1) { nodes { commit { status { context(name: $context) { state } } } } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

COMMIT = (
    """
query Commit($owner: String!, $name: String!, $commit: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    defaultBranchRef { name }
    object(oid: $commit) { ...SourceCommit }
  }
}
"""
    + _COMMIT
)

COMMENTS = """
query Comments($owner: String!, $name: String!, $number: Int!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      id
      comments(first: 100, after: $after) {
        nodes { fullDatabaseId body url author { login } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

REVIEWERS = """
query Reviewers($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) { reviews(last: 100) { nodes { author { login } } } }
  }
}
"""

THREADS = """
query Threads($owner: String!, $name: String!, $number: Int!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      id
      reviewThreads(first: 100, after: $after) {
        nodes {
          id path startLine line isOutdated isResolved
          comments(first: 1) { nodes { id body author { login } } totalCount }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

STATUS = """
query Status($owner: String!, $name: String!, $commit: GitObjectID!, $context: String!) {
  repository(owner: $owner, name: $name) {
    object(oid: $commit) {
      ... on Commit { oid status { context(name: $context) { state description targetUrl } } }
    }
  }
}
"""

VALIDATION = (
    """
query Validation($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: [OPEN], first: 25, after: $after, orderBy: { field: UPDATED_AT, direction: DESC }) {
      nodes {
        number title url headRefName
        author { login }
        labels(first: 50) { nodes { name } }
        commits(last: 1) {
          nodes {
            commit {
              ...CheckRuns
            }
          }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _CHECK_RUNS
)

CREATE_COMMIT = """
mutation Commit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}
"""

CREATE_PULL_REQUEST = (
    """
mutation OpenPullRequest($input: CreatePullRequestInput!) {
  createPullRequest(input: $input) { pullRequest { ...PullRequest } }
}
"""
    + _PULL_REQUEST
)

UPDATE_PULL_REQUEST = (
    """
mutation UpdatePullRequest($input: UpdatePullRequestInput!) {
  updatePullRequest(input: $input) { pullRequest { ...PullRequest } }
}
"""
    + _PULL_REQUEST
)

ADD_COMMENT = """
mutation AddComment($input: AddCommentInput!) {
  addComment(input: $input) { commentEdge { node { url } } }
}
"""


CLOSE_PULL_REQUEST = """
mutation ClosePullRequest($input: ClosePullRequestInput!) {
  closePullRequest(input: $input) { pullRequest { id } }
}
"""

CONVERT_TO_DRAFT = """
mutation ConvertToDraft($input: ConvertPullRequestToDraftInput!) {
  convertPullRequestToDraft(input: $input) { pullRequest { id } }
}
"""

MARK_READY = """
mutation MarkReady($input: MarkPullRequestReadyForReviewInput!) {
  markPullRequestReadyForReview(input: $input) { pullRequest { id } }
}
"""

REMOVE_LABELS = """
mutation RemoveLabels($input: RemoveLabelsFromLabelableInput!) {
  removeLabelsFromLabelable(input: $input) { clientMutationId }
}
"""

ADD_REVIEW = """
mutation AddReview($input: AddPullRequestReviewInput!) {
  addPullRequestReview(input: $input) { pullRequestReview { id } }
}
"""


def drop_notes(deleted: int, resolved: int) -> str:
    """Delete comments and resolve threads in one request; GitHub carries them out one after another."""
    declared = (
        *(f"$comment{i}: ID!" for i in range(deleted)),
        *(f"$thread{i}: ID!" for i in range(resolved)),
    )
    fields = (
        *(
            f"d{i}: deletePullRequestReviewComment(input: {{id: $comment{i}}}) {{ clientMutationId }}"
            for i in range(deleted)
        ),
        *(
            f"t{i}: resolveReviewThread(input: {{threadId: $thread{i}}}) {{ clientMutationId }}"
            for i in range(resolved)
        ),
    )
    return _operation("mutation", "DropNotes", declared, fields)


OWNED = """
query Owned($login: String!, $ref: String!, $source: String!, $after: String) {
  repositoryOwner(login: $login) {
    repositories(
      first: 100, after: $after, isArchived: false, ownerAffiliations: [OWNER],
      orderBy: { field: NAME, direction: ASC }
    ) {
      nodes {
        nameWithOwner isArchived
        live: ref(qualifiedName: $ref) { target { oid } }
        source: ref(qualifiedName: $source) { target { oid } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


def update_refs(count: int) -> str:
    """Several compare-and-swaps in one request; GitHub carries them out one after another."""
    fields = (f"u{i}: updateRefs(input: $u{i}) {{ clientMutationId }}" for i in range(count))
    return _operation("mutation", "UpdateRefs", (f"$u{i}: UpdateRefsInput!" for i in range(count)), fields)


def fleet(count: int, branches: int) -> str:
    """A batch of repositories: the ref, the target, and what each allowed branch is to the target."""
    declared = [
        "$ref: String!",
        *(f"$branch{b}: String!" for b in range(branches)),
        *(f"$target{i}: GitObjectID!, $head{i}: String!" for i in range(count)),
    ]
    fields = (
        f"id nameWithOwner url isArchived viewerPermission "
        f"live: ref(qualifiedName: $ref) {{ target {{ oid }} compare(headRef: $head{i}) {{ ...Relation }} }} "
        f"target: object(oid: $target{i}) {{ ... on Commit {{ oid committedDate messageHeadline }} }} "
        + " ".join(
            f"on{b}: ref(qualifiedName: $branch{b}) {{ compare(headRef: $head{i}) {{ ...Relation }} }}"
            for b in range(branches)
        )
        for i in range(count)
    )
    return _batch("Fleet", declared, fields) + " fragment Relation on Comparison { status aheadBy behindBy }"


def refs(count: int, branches: int) -> str:
    """A batch of repositories: their addresses, and where each of the named branches stands."""
    declared = (f"$branch{b}: String!" for b in range(branches))
    heads = " ".join(f"on{b}: ref(qualifiedName: $branch{b}) {{ target {{ oid }} }}" for b in range(branches))
    return _batch("Refs", declared, (f"nameWithOwner url {heads}" for _ in range(count)))


def signals(count: int) -> str:
    """A batch of commits: the check runs on each, and the newest status of each context."""
    declared = (f"$commit{i}: GitObjectID!" for i in range(count))
    fields = (
        f"object(oid: $commit{i}) {{ ...CheckRuns "
        "... on Commit { status { contexts { context state createdAt targetUrl } } } }"
        for i in range(count)
    )
    return _batch("Signals", declared, fields) + _CHECK_RUNS


def required_checks(count: int) -> str:
    """A batch of repositories: what protects a branch, by its rulesets and by its own rule."""
    fields = (
        "ref(qualifiedName: $branch) { "
        "refUpdateRule { requiredStatusCheckContexts } "
        "rules(first: 100) { nodes { parameters { ... on RequiredStatusChecksParameters "
        "{ requiredStatusChecks { context integrationId } } } } } }"
        for _ in range(count)
    )
    return _batch("RequiredChecks", ("$branch: String!",), fields)


def deployments(count: int, newest: int) -> str:
    """A batch of repositories: the newest deployments of each to one environment."""
    fields = (
        f"deployments(environments: [$environment], first: {newest}, "
        "orderBy: { field: CREATED_AT, direction: DESC }) "
        "{ nodes { databaseId commitOid createdAt task payload latestStatus { state createdAt logUrl } } }"
        for _ in range(count)
    )
    return _batch("Deployments", ("$environment: String!",), fields)


def ranges(authors: Sequence[int], paths: int) -> str:
    """A batch of repositories: each path at both ends, and whether so many authors have a commit at the first."""
    declared: list[str] = []
    fields: list[str] = []
    for i, count in enumerate(authors):
        asked = []
        for p in range(paths):
            declared.append(f"$before{i}_{p}: String!, $after{i}_{p}: String!")
            asked.append(
                f"b{p}: object(expression: $before{i}_{p}) {{ oid }} a{p}: object(expression: $after{i}_{p}) {{ oid }}"
            )
        if count:
            declared.append(f"$live{i}: GitObjectID!")
        for k in range(count):
            declared.append(f"$author{i}_{k}: ID!")
            asked.append(
                f"h{k}: object(oid: $live{i}) {{ oid ... on Commit {{ "
                f"history(first: 1, author: {{id: $author{i}_{k}}}) {{ totalCount }} }} }}"
            )
        fields.append(" ".join(asked))
    return _batch("Ranges", declared, fields)


def found(count: int) -> str:
    """A batch of repositories: what setting up asks about each."""
    fields = (
        "nameWithOwner isArchived live: ref(qualifiedName: $ref) { target { oid } } "
        "source: ref(qualifiedName: $source) { target { oid } }"
        for _ in range(count)
    )
    return _batch("Found", ("$ref: String!", "$source: String!"), fields)


def files(count: int) -> str:
    """A batch of files of one repository, each as ``COMMIT:PATH``: whether there is one."""
    declared = ("$owner: String!, $name: String!", *(f"$file{i}: String!" for i in range(count)))
    fields = " ".join(f"f{i}: object(expression: $file{i}) {{ oid }}" for i in range(count))
    return _operation("query", "Files", declared, (f"repository(owner: $owner, name: $name) {{ {fields} }}",))


def released(count: int) -> str:
    """A batch of commits: the pull requests of each, with their descriptions."""
    declared = (f"$commit{i}: GitObjectID!" for i in range(count))
    fields = (
        f"object(oid: $commit{i}) {{ ... on Commit {{ associatedPullRequests(first: 5) {{ nodes {{ "
        "number title url body mergedAt baseRefName author { login } mergeCommit { oid } } } } }"
        for i in range(count)
    )
    return _batch("Released", declared, fields)


def decisions(count: int) -> str:
    """A batch of pull requests of one repository: who opened and who merged each."""
    declared = ("$owner: String!, $name: String!", *(f"$number{i}: Int!" for i in range(count)))
    fields = " ".join(
        f"p{i}: pullRequest(number: $number{i}) "
        "{ title url author { login } mergedBy { login } mergedAt }"
        for i in range(count)
    )
    return _operation(
        "query", "Decisions", declared, (f"repository(owner: $owner, name: $name) {{ {fields} }}",)
    )


def waiting(has_ref: Iterable[bool], page: int) -> str:
    """A batch of repositories: what the source branch's head has and the ref lacks, newest page first.

    Where there is no ref yet it is the newest hundred of the whole history.
    """
    declared, fields = [], []
    for i, is_compared in enumerate(has_ref):
        if is_compared:
            if "$ref: String!" not in declared:  # GraphQL refuses variables that nothing uses
                declared.append("$ref: String!")
            declared.append(f"$head{i}: String!, $before{i}: String")
            fields.append(
                f"live: ref(qualifiedName: $ref) {{ target {{ oid }} compare(headRef: $head{i}) {{ aheadBy "
                f"commits(last: {page}, before: $before{i}) "
                "{ nodes { ...SourceCommit } pageInfo { hasPreviousPage startCursor } } } }"
            )
        else:
            declared.append(f"$source{i}: GitObjectID!")
            fields.append(
                f"source: object(oid: $source{i}) {{ ... on Commit {{ history(first: 100) "
                "{ nodes { ...SourceCommit } } } }"
            )
    return _batch("Waiting", declared, fields) + _COMMIT


def _batch(name: str, declared: Iterable[str], fields: Iterable[str]) -> str:
    """A query over several repositories, ``r0`` and on, with the fields of each."""
    listed = tuple(fields)
    owners = (f"$owner{i}: String!, $name{i}: String!" for i in range(len(listed)))
    parts = (
        f"r{i}: repository(owner: $owner{i}, name: $name{i}) {{ {each} }}" for i, each in enumerate(listed)
    )
    return _operation("query", name, (*declared, *owners), parts)


def _operation(kind: str, name: str, declared: Iterable[str], fields: Iterable[str]) -> str:
    return f"{kind} {name}({', '.join(declared)}) {{ {' '.join(fields)} }}"
