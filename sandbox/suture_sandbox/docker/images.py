"""Images: adopting one, remembering what it holds, and the environment inside it.

An image is named by its id, the digest of its configuration and layers, and by nothing else from the moment it is adopted: a tag is looked
up once, when a person says so. What an image holds never changes, so it is read once and remembered. Only an image that was adopted on
this machine is used: a workspace's suture.lock can ask for one, it cannot choose any that happens to lie here.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import suture_sandbox.docker.inside.look
from suture_sandbox.capture import identity_variables
from suture_sandbox.capture.distributions import contents
from suture_sandbox.capture.files import write_atomically
from suture_sandbox.capture.interpreter import PROBE, Facts, Interpreter, toolchain_fields
from suture_sandbox.capture.system import os_fields, platform_fields
from suture_sandbox.capture.variables import UPDATES_OFF, VARIABLES
from suture_sandbox.checks import Check
from suture_sandbox.docker import owner
from suture_sandbox.docker.daemon import Daemon, ImageFacts
from suture_sandbox.docker.tree import lay_out
from suture_sandbox.environment import Dependency, Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import ConfigurationError, InfrastructureError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OWN = frozenset({"PATH", "HOME", "PWD", "TMPDIR", "HOSTNAME"})
_ADOPT = "suture env lock --backend docker --image REFERENCE adopts it, where you trust it"
_START = 'python=$(command -v python || command -v python3) && exec "$python" -I -c "$0" "$1"'


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An adopted image and what it holds."""

    id: str
    """`sha256:...`: its name from now on."""
    reference: str
    """What it was called when it was adopted; for people."""
    layers: tuple[str, ...]
    runtime: Runtime
    os: Mapping[str, str]
    toolchain: Mapping[str, str]
    dependencies: Mapping[str, Dependency]
    system_packages: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def installed(self) -> dict[str, str]:
        """Normalised name -> version of every Python distribution, for finding checks."""
        return {name: dependency.version for name, dependency in self.dependencies.items()}


class Seen(msgspec.Struct, frozen=True):
    """What the image's interpreter tells; see `inside.look`."""

    python: str
    base: str
    prefix: str
    virtual: bool
    sites: tuple[str, ...]
    facts: Facts
    machine: str
    libc: str
    release: str
    manager: str
    packages: dict[str, str]


def adopt(daemon: Daemon, reference: str, cache: Path, notes: tuple[str, ...] = ()) -> Image:
    """Look an image up, read what it holds unless that is known, and remember it. Blocks; some seconds the first time.

    `notes` say where it comes from.
    """
    told = daemon.image(reference)
    known = recall(told.id, cache)
    if known is not None:
        return known
    image = _read(daemon, told, reference, notes)
    place = _place(image.id, cache)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, msgspec.json.format(msgspec.json.encode(image)))
    return image


def recall(digest: str, cache: Path) -> Image | None:
    """What is remembered of an image that was adopted on this machine."""
    if not _DIGEST.fullmatch(digest):
        raise ConfigurationError(
            f"{digest!r} is no image's digest", remedy="write it again: suture env lock --backend docker --image REFERENCE"
        )
    try:
        return msgspec.json.decode(_place(digest, cache).read_bytes(), type=Image)
    except (OSError, msgspec.DecodeError):
        return None


def chosen(daemon: Daemon, *, wanted: str, locked: str, cache: Path) -> Image:
    """The image to run in: the one that the user names, else the one in suture.lock if it was adopted here."""
    if wanted:
        return adopt(daemon, wanted, cache)
    if not locked:
        raise ConfigurationError("no image is chosen to run in", remedy=_ADOPT)
    image = recall(locked, cache)
    if image is None:
        raise ConfigurationError(f"suture.lock names the image {locked[:19]}, which was not adopted on this machine", remedy=_ADOPT)
    daemon.image(image.id)
    return image


def environment_in(
    image: Image,
    *,
    root: Path,
    checks: tuple[Check, ...],
    limits: Limits,
    isolation: Mapping[str, str | int],
    cache: Path,
    filters: Mapping[str, int] | None = None,
    variables: Mapping[str, str] | None = None,
    toolchain: Mapping[str, str] | None = None,
) -> Environment:
    """The environment inside an image; `variables` and `toolchain` are for it alone, beside what the image says."""
    runtime = msgspec.structs.replace(image.runtime, variables={**image.runtime.variables, **(variables or {})})
    fields = EnvironmentFields(
        os=image.os,
        platform=platform_fields(),
        toolchain={**image.toolchain, **(toolchain or {})},
        dependencies=image.dependencies,
        image=image.id,
        layers=image.layers,
        system_packages=image.system_packages,
        variables=identity_variables(runtime.variables, root, cache),
        isolation={**isolation, **{f"limit_{name}": value for name, value in msgspec.to_builtins(limits).items()}},
        checks={check.name: check for check in checks},
        policy_updates=UPDATES_OFF,
        filters=filters or {},
    )
    return Environment(fields=fields, runtime=runtime, limits=limits)


def _read(daemon: Daemon, told: ImageFacts, reference: str, said: tuple[str, ...]) -> Image:
    digest = told.id
    seen = look(daemon, digest, reference)
    search = tuple(folder for folder in told.variables.get("PATH", "").split(":") if folder.startswith("/"))
    virtual = {"VIRTUAL_ENV": seen.prefix} if seen.virtual else {}
    inherited = {name: value for name, value in told.variables.items() if name not in _OWN}
    with tempfile.TemporaryDirectory(prefix="suture-image-") as folder:
        toolchain, found, notes, system = _contents(daemon, digest, seen, Path(folder))
    if not seen.manager:
        notes += ("the image's system packages are not listed: its package manager is not known to suture; its digest pins them",)
    return Image(
        id=digest,
        reference=reference,
        layers=told.layers,
        runtime=Runtime(
            python=seen.python,
            search_path=tuple(dict.fromkeys((str(Path(seen.python).parent), *search, "/usr/local/bin", "/usr/bin", "/bin"))),
            readonly=(),
            variables={**inherited, **VARIABLES, **virtual},
            notes=(f"the environment is the one in the image {digest[:19]}, adopted as {reference}", *said, *notes),
        ),
        os=system,
        toolchain=toolchain,
        dependencies=found,
        system_packages=dict(sorted(seen.packages.items())),
        notes=notes,
    )


def look(daemon: Daemon, digest: str, reference: str) -> Seen:
    """Ask an image's interpreter what the image holds; raises ConfigurationError where it does not tell."""
    program = Path(suture_sandbox.docker.inside.look.__file__).read_text("utf-8")
    code, printed = daemon.run_to_end(bare(digest, ["/bin/sh", "-c", _START, program, PROBE]))
    try:
        return msgspec.json.decode(printed.strip().splitlines()[-1], type=Seen)
    except (msgspec.DecodeError, IndexError) as error:
        said = printed.decode("utf-8", "replace").strip()[-300:]
        raise ConfigurationError(
            f"{reference} cannot be adopted: its Python told nothing (exit code {code}): {said}",
            remedy="adopt an image that has a shell, and the environment's python on its PATH",
        ) from error


def _contents(
    daemon: Daemon, digest: str, seen: Seen, root: Path
) -> tuple[Mapping[str, str], Mapping[str, Dependency], tuple[str, ...], Mapping[str, str]]:
    """Toolchain, distributions, notes and system, read from the image's files as they would be from a machine's."""

    def here(path: str) -> Path:
        return root / path.lstrip("/")

    libraries = tuple(path for path in seen.facts.mapped if Path(path).name.startswith(("libpython", "libpypy")))
    data = [f"{seen.prefix}/{name}" for name in ("share", "etc")] if seen.virtual else []
    container = daemon.create(bare(digest, ["/bin/true"]))
    try:
        lay_out(daemon, container, [*seen.facts.stdlib, *seen.sites, *data, *libraries, seen.base, seen.python], root)
    finally:
        daemon.remove(container)
    facts = msgspec.structs.replace(
        seen.facts, stdlib=tuple(str(here(path)) for path in seen.facts.stdlib), mapped=tuple(str(here(path)) for path in libraries)
    )
    base = here(seen.base)
    if not base.is_file():
        raise InfrastructureError(f"the image's interpreter {seen.base} could not be read")
    sites = tuple(here(path) for path in seen.sites)
    interpreter = Interpreter(python=base, base=base, prefix=here(seen.prefix), virtual=seen.virtual, sites=sites, facts=facts)
    found = contents(sites, here(seen.prefix) if seen.virtual else None, root=root / "workspace", cache=root / "cache")
    (root / "os-release").write_text(seen.release)
    system = {**os_fields(root / "os-release"), "libc": seen.libc}
    return toolchain_fields(interpreter, root / "cache"), found.dependencies, found.notes, system


def bare(digest: str, command: list[str]) -> dict[str, Any]:
    """A container for suture's own look at an image: nothing of the host in it, and nothing that it could reach."""
    return {
        "Image": digest,
        "Entrypoint": command,
        "Cmd": [],
        "User": "65534:65534",
        "WorkingDir": "/",
        "Labels": {owner.LABEL: owner.mine()},
        "NetworkDisabled": True,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": 64,
            "Memory": 1 << 30,
            "MemorySwap": 1 << 30,
            "LogConfig": {"Type": "json-file", "Config": {}},
        },
    }


def _place(digest: str, cache: Path) -> Path:
    return cache / "images" / f"{digest.removeprefix('sha256:')}.json"
