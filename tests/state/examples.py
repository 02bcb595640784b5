"""Both documents as the design shows them."""

STATE = """\
version: 1
ref: stable                     # the branch that this file governs, in every repository
targets:
  packit/ogr: d35040ffe9045b614ee3f1ce558f6e4714197596
  packit/packit: 30936cda789b85c947824f807d81c85f1ca164f4
holds:                          # leave alone
  packit/dashboard:
    reason: "waits for the new login page"
    until: 2026-12-01T08:00 Europe/Prague       # then a proposal offers to lift it
blocks:                         # commits that must not go out again, with everything built on them
  packit/packit:
    7c5e02df3b2b208186c6cebb2412d3fc5f26dee7:
      reason: "broke srpm builds"
      fixed_by: null            # a sha that contains the fix lifts the block for its descendants
permits:                        # reviewed, one-time exceptions; each names exactly what it allows
  packit/packit-service:
    rewind:
      from: 40d19607bf4c77e6aecd76fd6c69f901555fcbf6
      to: b828c3d7b987c760aa3c09a82d99e69c04e23b68
      reason: "rollback of #3151"
      despite: [outside-window] # gates that this exception overrides, by reason code
"""

POLICY = """\
version: 1
source: main                    # the branch that stage is built from
candidate: validated            # or: head
build_time: 60m
repositories:
  packit/ogr:
  packit/specfile: {}
  packit/packit: {after: [packit/ogr, packit/specfile]}
  packit/sandcastle: {}
  packit/packit-service: {after: [packit/packit, packit/sandcastle]}
validation:                     # every source must pass
  - check_runs:
      repository: packit/hello-world
      app: packit-as-a-service-stg
      pull_requests: "Basic test case (stg)*"
      authors: packit-bot
      max_age: 24h
      at_least: 2
  - sentry: {organization: example, project: packit-service, environment: stg, new_since: last-move, at_most: 0}
  - http: {url: "https://stage.example/api/system", status: 200, runs: {packit/ogr: "$.ogr.commit"}}
approval: {pull_request: required, reviews: 0}
moves: {create: allow, allowed_branches: [main]}
windows: [{days: Mon-Thu, from: "08:00", until: "16:00", zone: Europe/Prague}]
freezes:
  - {name: "end of year", from: 2026-12-19T00:00, until: 2027-01-04T08:00, zone: Europe/Prague}
limits: {repositories: 20, commits_per_repository: 200}
soak: 0h
"""
