"""mini-swe-agent's container, asked line by line; started by `bench_peers` in a virtual environment of its own. See `peer_swerex`."""

from __future__ import annotations

import json
import logging
import sys
import time

from minisweagent.environments.docker import DockerEnvironment

logging.disable(logging.WARNING)  # it logs to standard output, which is the answers' here


def run(environment: DockerEnvironment, command: str) -> None:
    """One command, which must succeed."""
    done = environment.execute({"command": command})
    assert done["returncode"] == 0, done


def main(image: str, options: list[str], test: str) -> None:
    """Answer."""
    environment = DockerEnvironment(image=image, run_args=["--rm", *options])
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        began = time.perf_counter()
        if line == "fresh\n":
            other = DockerEnvironment(image=image, run_args=["--rm", *options])
            run(other, test)
            other.cleanup()
        else:
            run(environment, test if line == "test\n" else "true")
        print((time.perf_counter() - began) * 1000, flush=True)
    environment.cleanup()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3])
