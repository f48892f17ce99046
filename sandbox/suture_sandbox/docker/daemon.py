"""The daemon, through the Docker SDK: the few requests that suture makes, and what their failures mean.

The SDK is imported with the first connection and nowhere else. Requests block; callers make them in threads. Requests are made in the terms
of the daemon's own API, because the SDK's helpers leave out what hardening needs (masked paths, binds that do not recurse).
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket as sockets
import time
from collections.abc import Generator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.errors import BackendUnavailable, ConfigurationError, InfrastructureError, SandboxFailed

USUAL = "unix:///var/run/docker.sock"

_TIMEOUT_SECONDS = 60
_REMOVAL_SECONDS = 10
_INSTALL = "pip install 'suture[docker]'"
_START = "start it (sudo systemctl start docker), or name another: DOCKER_HOST, or sandbox.docker_socket in your own configuration"
_JOIN = "use rootless Docker or Podman's socket, or join the group docker (which amounts to being root): sudo usermod -aG docker $USER"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a daemon says of itself."""

    version: str
    runtimes: tuple[str, ...]
    default_runtime: str
    rootless: bool
    seccomp: bool
    apparmor: bool
    selinux: bool
    cgroups: str
    """`v1`, `v2`, or empty where it has none to limit with."""
    processors: int


class _Layered(msgspec.Struct):
    Layers: list[str] | None = None


class _Inspected(msgspec.Struct):
    """The daemon's own names for it."""

    Id: str
    Architecture: str = ""
    Os: str = "linux"
    Config: dict[str, Any] | None = None
    RootFS: _Layered = msgspec.field(default_factory=_Layered)


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a daemon says of an image."""

    id: str
    """Digest of its configuration, which names its layers by theirs."""
    layers: tuple[str, ...]
    variables: dict[str, str]
    architecture: str = ""
    system: str = "linux"
    configuration: dict[str, Any] = {}
    """In the daemon's own terms."""


class Daemon:
    """One daemon."""

    def __init__(self, socket: str = "") -> None:
        """`socket` as in `DockerOptions.socket`. Connects with the first request."""
        self._given = socket

    @cached_property
    def address(self) -> str:
        """Where it listens; raises ConfigurationError for one on another machine, which could not see the workspace."""
        given = self._given or os.environ.get("DOCKER_HOST") or _found()
        address = f"unix://{given}" if given.startswith("/") else given
        if not address.startswith("unix://"):
            raise ConfigurationError(
                f"{address} is not a socket of this machine: the workspace is bound into the container, which a remote daemon cannot do",
                remedy="name a socket: unix:///var/run/docker.sock",
            )
        return address

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401  # the SDK has no types
        try:
            docker = importlib.import_module("docker")
        except ImportError as error:
            raise BackendUnavailable("the docker package is not installed", remedy=_INSTALL) from error
        with self._translated("connect to it"):
            with sockets.socket(sockets.AF_UNIX) as knock:  # the SDK leaves its own unclosed where nobody answers
                knock.connect(self.address.removeprefix("unix://"))
            return docker.APIClient(base_url=self.address, version="auto", timeout=_TIMEOUT_SECONDS, num_pools=16)

    def facts(self) -> Facts:
        """What it is, and what it can do."""
        with self._translated("ask what it is"):
            told = self._client.info()
        options = " ".join(told.get("SecurityOptions") or ())
        limited = told.get("MemoryLimit") and told.get("PidsLimit", True)
        return Facts(
            version=str(told.get("ServerVersion", "")),
            runtimes=tuple(sorted(told.get("Runtimes") or ())),
            default_runtime=str(told.get("DefaultRuntime", "")),
            rootless="name=rootless" in options,
            seccomp="name=seccomp" in options,
            apparmor="name=apparmor" in options,
            selinux="name=selinux" in options,
            cgroups=f"v{told.get('CgroupVersion') or '1'}" if limited else "",
            processors=int(told.get("NCPU") or 1),
        )

    def create(self, configuration: Mapping[str, Any]) -> str:
        """Make a container; its id."""
        with self._translated("make a container"):
            made = self._client.create_container_from_config(dict(configuration))
        return str(made["Id"])

    def start(self, container: str) -> None:
        """Start a container."""
        with self._translated("start a container"):
            self._client.start(container)

    def remove(self, container: str) -> None:
        """End and remove a container at once, and wait until it is gone; nothing happens where it is gone already."""
        try:
            with self._translated("remove a container"):
                self._client.remove_container(container, force=True, v=True)
        except SandboxFailed as error:
            if "already in progress" in str(error):  # it ended by itself, and the daemon is at it
                self._await_removal(container)
            elif not any(word in str(error) for word in ("No such container", "no container with")):
                raise

    def _await_removal(self, container: str) -> None:
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while self.exists(container) and time.monotonic() < deadline:
            time.sleep(0.02)

    def exists(self, container: str) -> bool:
        """Whether the container still is."""
        try:
            with self._translated("look for a container"):
                self._client.inspect_container(container)
        except SandboxFailed:
            return False
        return True

    def labelled(self, label: str) -> dict[str, str]:
        """Container id -> value of the label, for all that have it, running or not."""
        with self._translated("list containers"):
            found = self._client.containers(all=True, filters={"label": label})
        name = label.partition("=")[0]
        return {item["Id"]: item["Labels"].get(name, "") for item in found}

    def image(self, reference: str) -> ImageFacts:
        """What the daemon knows of an image; raises ConfigurationError where it has none of that name."""
        try:
            with self._translated("look at the image"):
                told = self._client.inspect_image(reference)
        except SandboxFailed as error:
            raise ConfigurationError(
                f"the daemon has no image {reference}", remedy="pull, load or build it first; docker images lists them"
            ) from error
        seen = msgspec.convert(told, _Inspected)
        configuration = seen.Config or {}
        variables = {name: value for name, _, value in (str(pair).partition("=") for pair in configuration.get("Env") or ())}
        layers = tuple(seen.RootFS.Layers or ())
        return ImageFacts(
            id=seen.Id, layers=layers, variables=variables, architecture=seen.Architecture, system=seen.Os, configuration=configuration
        )

    def load(self, archive: Path) -> None:
        """Take in an image; raises SandboxFailed where this daemon does not take such an archive."""
        with self._translated("load the image"), archive.open("rb") as file:
            for line in self._client.load_image(file, quiet=True) or ():
                if "error" in line:
                    raise SandboxFailed(f"the Docker daemon could not load the image: {line['error']}")

    def commit(self, container: str, layer: Path, name: str, changes: list[str]) -> str:
        """Lay an archive into a container and make an image of that; its digest."""
        repository, _, tag = name.partition(":")
        with self._translated("make an image"), layer.open("rb") as file:
            self._client.put_archive(container, "/", file)
            return str(self._client.commit(container, repository=repository, tag=tag, changes=changes)["Id"])

    def archive(self, container: str, path: str) -> Generator[bytes]:
        """A folder of a container as a tar stream."""
        with self._translated(f"read {path} of the image"):
            stream, _ = self._client.get_archive(container, path)
            yield from stream

    def run_to_end(self, configuration: Mapping[str, Any]) -> tuple[int, bytes]:
        """Run a container to its end and remove it; its exit code and what it printed. For suture's own programs only."""
        container = self.create(configuration)
        try:
            with self._translated("run a container"):
                self._client.start(container)
                code = int(self._client.wait(container)["StatusCode"])
                return code, bytes(self._client.logs(container, stdout=True, stderr=True))
        finally:
            self.remove(container)

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    @contextlib.contextmanager
    def _translated(self, what: str) -> Generator[None]:
        """Let the SDK's errors and its transport's be suture's own."""
        try:
            yield
        except InfrastructureError:
            raise
        except Exception as error:  # the SDK lets its transport's errors through, of libraries that only it knows
            raise _explained(error, what, self.address) from error


def _explained(error: Exception, what: str, address: str) -> InfrastructureError:
    text = " ".join(str(getattr(error, "explanation", None) or error).split())[:500]
    if type(error).__name__ in ("APIError", "NotFound", "ImageNotFound"):
        return SandboxFailed(f"the Docker daemon could not {what}: {text}")
    if "Permission" in text or "Errno 13" in text:
        return BackendUnavailable(f"the Docker daemon at {address} does not let this user in", remedy=_JOIN)
    return BackendUnavailable(f"no Docker daemon answers at {address}, asked to {what}: {text}", remedy=_START)


def _found() -> str:
    """Docker's usual socket, else a rootless one of this user's where there is one."""
    own = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    rootless = [f"unix://{own}/docker.sock", f"unix://{own}/podman/podman.sock"]
    return next((place for place in (USUAL, *rootless) if Path(place.removeprefix("unix://")).exists()), USUAL)
