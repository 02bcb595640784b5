"""The baseline: the script that people write, one repository after another over REST.

For each repository two refs and their comparison; with ``--move`` then an update, and the second of pause between
writes that GitHub advises. It checks nothing else, keeps no record, and does not compare and swap.
"""

import argparse
import sys
import time
from typing import Any

import httpx

from tests.benchmarks.took import Stopwatch

PAUSE_SECONDS = 1.0


def release(github: httpx.Client, repository: str, *, move: bool) -> None:
    def get(path: str) -> Any:
        return github.get(f"/repos/{repository}/{path}").raise_for_status().json()

    stable = get("git/ref/heads/stable")["object"]["sha"]
    main = get("git/ref/heads/main")["object"]["sha"]
    if get(f"compare/{stable}...{main}")["status"] == "ahead" and move:
        update = github.patch(
            f"/repos/{repository}/git/refs/heads/stable", json={"sha": main, "force": False}
        )
        update.raise_for_status()
        time.sleep(PAUSE_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Reads the names of repositories, one a line.")
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--move", action="store_true")
    asked = parser.parse_args()
    repositories = sys.stdin.read().split()
    stopwatch = Stopwatch()
    headers = {"authorization": f"Bearer {asked.token}"}
    with httpx.Client(base_url=asked.url, headers=headers, timeout=15) as github:
        for repository in repositories:
            release(github, repository, move=asked.move)
    sys.stdout.write(stopwatch.took().model_dump_json())


if __name__ == "__main__":
    main()
