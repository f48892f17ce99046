"""SWE-ReX in a container, asked line by line; started by `bench_peers` in a virtual environment of SWE-ReX's own.

Arguments: the image, options of `docker run` as JSON, the command of the test. Answers each line on standard input (`true`, `test`,
`fresh`) with milliseconds. `fresh` is a new container, its session, the test, and the container's end.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from swerex.deployment.docker import DockerDeployment
from swerex.runtime.abstract import BashAction, CreateBashSessionRequest

logging.disable(logging.WARNING)


async def opened(image: str, options: list[str]) -> DockerDeployment:
    """A container with a session."""
    deployment = DockerDeployment(image=image, docker_args=options, pull="never")
    await deployment.start()
    await deployment.runtime.create_session(CreateBashSessionRequest())
    return deployment


async def run(deployment: DockerDeployment, command: str) -> None:
    """One command, which must succeed."""
    done = await deployment.runtime.run_in_session(BashAction(command=command, timeout=60))
    assert done.exit_code == 0, done


async def main(image: str, options: list[str], test: str) -> None:
    """Answer."""
    deployment = await opened(image, options)
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        began = time.perf_counter()
        if line == "fresh\n":
            other = await opened(image, options)
            await run(other, test)
            await other.stop()
        else:
            await run(deployment, test if line == "test\n" else "true")
        print((time.perf_counter() - began) * 1000, flush=True)
    await deployment.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]))
