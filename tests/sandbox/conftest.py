"""The image that tests of the Docker backend run in: made by scripts/docker_image.sh, looked for here, never made by a test.

Without a daemon or the image those tests skip, and say what would let them run. With SUTURE_TEST_DOCKER=required they fail instead.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import SandboxFloorError

PROJECT = Path(__file__).parents[2]
HOME = "/opt/environment"


def image_tag() -> str:
    """What scripts/docker_image.sh calls the image."""
    parts = (PROJECT / "scripts/docker_image.sh", PROJECT / "examples/shop/requirements.txt")
    return f"suture-test:{hashlib.sha256(b''.join(part.read_bytes() for part in parts)).hexdigest()[:16]}"


@pytest.fixture(scope="session")
def docker_image() -> str:
    """The digest of the image."""
    daemon = Daemon()
    try:
        return daemon.image(image_tag()).id
    except SandboxFloorError as error:
        missing = f"the Docker backend is not tested: {error}. {error.remedy}. scripts/docker_image.sh makes the image"
        if os.environ.get("SUTURE_TEST_DOCKER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    finally:
        daemon.close()


@pytest.fixture(scope="session")
def image_environment(docker_image: str) -> Callable[[Limits], Environment]:
    """An environment inside the image, under these limits."""

    def make(limits: Limits) -> Environment:
        runtime = Runtime(
            python=f"{HOME}/bin/python",
            search_path=(f"{HOME}/bin", "/usr/bin", "/bin"),
            readonly=(),
            variables={"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        return Environment(EnvironmentFields(image=docker_image), runtime, limits)

    return make
