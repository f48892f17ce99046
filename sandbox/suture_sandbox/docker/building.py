"""An image made of a base image and what the workspace's lock file pins: one layer with a virtual environment, the same bytes every time.

The base is any image with a Python, named by a person and known to the daemon; nothing is pulled. The wheels come from the wheelhouse, by
hash, as for an environment of this machine. They are unpacked here, never run; the one thing that runs is the base's own interpreter,
isolated and without network, to compile what lies in the layer. Two machines with the same base, wheels and interpreter make the same
layer and the same configuration, so the image has the same digest on both (unless the daemon keeps images in another way than by such
archives: then it is committed, and only its content is the same).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags

from suture_sandbox.build import marker_environment, text_of, wheelhouse
from suture_sandbox.capture.interpreter import Interpreter
from suture_sandbox.docker.daemon import Daemon, ImageFacts
from suture_sandbox.docker.images import Image, Seen, adopt, bare, look
from suture_sandbox.docker.layer import HOME, Configured, assemble, layer, write_image
from suture_sandbox.errors import ConfigurationError, InfrastructureError, SandboxFailed
from suture_sandbox.lockformats import find_plan
from suture_sandbox.lockformats.plan import Plan
from suture_sandbox.pinning import Pin, collect, pins_in, pins_in_pylock, pins_in_requirements
from suture_sandbox.project import MAKE_ROOM, install
from suture_sandbox.pylock import own_plan
from suture_sandbox.uv_program import Uv, find_uv
from suture_sandbox.wheels import Wheel, Wheelhouse

Progress = Callable[[str], None]

_NO_LOCK = "write a lock file (uv lock, or pip-compile --generate-hashes), or adopt an image that has everything: --image REFERENCE"
_OLDEST = {"x86_64": 5}
"""Machine -> the oldest glibc 2.x that wheels for it name, where that is older than 2.17."""
_KNOWN = (*range(40, 30, -1), 28, 17)
"""The glibc 2.x that uv has names for."""


async def build(daemon: Daemon, base: str, root: Path, *, cache: Path, progress: Progress, offline: bool = False) -> Image:
    """Make and adopt the image for a workspace. Raises ConfigurationError for what the user must mend, InfrastructureError."""
    told = await asyncio.to_thread(daemon.image, base)
    seen = await asyncio.to_thread(look, daemon, told.id, base)
    interpreter = _interpreter(seen)
    plan = await asyncio.to_thread(_plan, root, interpreter)
    wheels = await _wheels(plan, root, seen, interpreter, cache, progress, offline=offline)
    place = await asyncio.to_thread(_place, cache)
    try:
        progress(f"making an image of {base} with {len(wheels)} packages of {plan.source}")
        await _unpack(wheels, seen, root, cache, place, progress)
        digest = await asyncio.to_thread(_finish, daemon, told, seen, plan, place)
    except OSError as error:
        raise InfrastructureError(f"cannot build in {place}: {error.strerror}", remedy=MAKE_ROOM) from error
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, place, ignore_errors=True))
    note = f"the image was built from {plan.source} on {base} ({told.id[:19]})"
    return await asyncio.to_thread(adopt, daemon, digest, cache, (note, *plan.notes))


def sources(root: Path, image: Image, *, cache: Path) -> str:
    """Where the workspace's own distributions are imported from, for an image that was built for it; empty for any other."""
    if image.runtime.python != f"{HOME}/bin/python":
        return ""
    return ":".join(str(folder) for folder in install((root,), cache=cache).search if folder.is_relative_to(root))


def _interpreter(seen: Seen) -> Interpreter:
    base = Path(seen.base)
    return Interpreter(python=base, base=base, prefix=Path(seen.facts.prefix), virtual=False, sites=(), facts=seen.facts)


def _plan(root: Path, interpreter: Interpreter) -> Plan:
    plan = find_plan(root, marker_environment(interpreter)) or own_plan(root)
    if plan is None:
        raise ConfigurationError(f"{root} has no lock file to build an image from", remedy=_NO_LOCK)
    version = interpreter.facts.version
    with contextlib.suppress(InvalidSpecifier):  # Poetry writes some that only Poetry reads; the packages' own limits still hold
        if plan.requires_python and not SpecifierSet(plan.requires_python).contains(version, prereleases=True):
            raise ConfigurationError(
                f"{plan.source} wants Python {plan.requires_python}; the base image has {version}", remedy="name a base image that has it"
            )
    return plan


async def _wheels(
    plan: Plan, root: Path, seen: Seen, interpreter: Interpreter, cache: Path, progress: Progress, *, offline: bool
) -> Sequence[Wheel]:
    uv = Uv(find_uv(root), root, Path(sys.executable), progress)
    markers, host = marker_environment(interpreter), str(interpreter.base)
    version = ("--python-version", seen.facts.feature_version, "--python-platform", platform_of(seen))

    async def ask(*arguments: str) -> str:
        """Uv is asked about the image's interpreter, which it cannot start."""
        index = arguments.index("--python") if "--python" in arguments else len(arguments)
        assert index == len(arguments) or arguments[index + 1] == host
        return await uv.run(*arguments[:index], *version, *arguments[index + 2 :])

    pins = await _pins(plan, uv, markers)
    indexes = plan.arguments if plan.kind == "requirements" else ()
    house = Wheelhouse(wheelhouse(cache))
    wheels, missing = await collect(pins, interpreter, house, ask, progress, indexes=indexes, offline=offline, tags=tags_of(seen))
    if missing:
        listed = "; ".join(f"{item.name} {item.version}: {item.reason}" for item in missing[:5])
        raise ConfigurationError(
            f"{plan.source} pins what cannot be had for the image: {listed}", remedy="adopt an image: --image REFERENCE"
        )
    return sorted(wheels, key=lambda wheel: wheel.name)


async def _pins(plan: Plan, uv: Uv, markers: dict[str, str]) -> Sequence[Pin]:
    if plan.files:
        return await asyncio.to_thread(pins_in, plan, plan.files, markers)
    text = await text_of(plan, uv, markers)
    return pins_in_requirements(text, markers) if plan.kind == "requirements" else pins_in_pylock(text)


async def _unpack(wheels: Sequence[Wheel], seen: Seen, root: Path, cache: Path, place: Path, progress: Progress) -> None:
    """Lay the environment out in `place/environment`, with nothing of it run."""
    house = Wheelhouse(wheelhouse(cache))
    files = [str(path) for wheel in wheels if (path := house.find(wheel.sha256)) is not None]
    target = place / "target"
    target.mkdir()
    if files:
        uv = Uv(find_uv(root), root, Path(sys.executable), progress)
        version = ("--python-version", seen.facts.feature_version, "--python-platform", platform_of(seen))
        options = ("--no-deps", "--no-build", "--offline", "--no-index", "--no-config", "--link-mode", "copy")
        await uv.run("pip", "install", "--target", str(target), *version, *options, *files, alone=True)
    projects = await asyncio.to_thread(install, (root,), cache=cache)
    await asyncio.to_thread(assemble, target, place / "environment", seen.base, seen.facts.version, projects.metadata)


def _finish(daemon: Daemon, told: ImageFacts, seen: Seen, plan: Plan, place: Path) -> str:
    """Compile, pack, and hand the image to the daemon; its digest."""
    environment = place / "environment"
    _compile(daemon, told.id, seen, environment)
    archive = place / "layer.tar"
    content = layer(environment, archive)
    search = told.variables.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    wanted = Configured(
        name=f"suture-environment:{content[:16]}",
        variables={**told.variables, "PATH": f"{HOME}/bin:{search}", "VIRTUAL_ENV": HOME},
        labels={"suture.base": told.id, "suture.lock": plan.digest},
    )
    digest = write_image(told, archive, content, place / "image.tar", wanted)
    try:
        daemon.load(place / "image.tar")
        return daemon.image(digest).id
    except (ConfigurationError, SandboxFailed):
        return committed(daemon, told, archive, wanted)


def committed(daemon: Daemon, told: ImageFacts, archive: Path, wanted: Configured) -> str:
    """The same for a daemon that takes no image without its base's layers. Its digest is this daemon's own."""
    changes = [f"ENV {name}={json.dumps(value)}" for name, value in sorted(wanted.variables.items())]
    changes += [f"LABEL {name}={value}" for name, value in sorted(wanted.labels.items())]
    configuration = bare(told.id, ["/bin/true"])
    configuration["HostConfig"]["ReadonlyRootfs"] = False
    container = daemon.create(configuration)
    try:
        return daemon.commit(container, archive, wanted.name, changes)
    finally:
        daemon.remove(container)


def _compile(daemon: Daemon, digest: str, seen: Seen, environment: Path) -> None:
    """By the base's own interpreter, without site: `.pth` files of packages do not run. Compiled files go by no time stamp."""
    command = [seen.base, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", f"{HOME}/lib"]
    configuration: dict[str, Any] = bare(digest, command)
    configuration["User"] = f"{os.geteuid()}:{os.getegid()}"
    configuration["HostConfig"]["Mounts"] = [{"Type": "bind", "Source": str(environment), "Target": HOME}]
    configuration["HostConfig"]["Tmpfs"] = {"/tmp": "rw,nosuid,nodev,size=16m"}  # noqa: S108  # inside
    configuration["Env"] = ["PYTHONHASHSEED=0"]
    daemon.run_to_end(configuration)  # what does not compile (templates, code for other versions) says so, and is left as it is


def platform_of(seen: Seen) -> str:
    """What uv calls the image's platform."""
    minor = _glibc(seen)
    if minor is None:
        return f"{seen.machine}-unknown-linux-musl"
    known = next((number for number in _KNOWN if number <= minor), _KNOWN[-1])
    return f"{seen.machine}-manylinux_2_{known}"


def tags_of(seen: Seen) -> list[Tag]:
    """What the image's interpreter can load, the best first."""
    major, minor = (int(part) for part in seen.facts.feature_version.split(".")[:2])
    free = "t" if seen.facts.abi.split("-")[1:2] and seen.facts.abi.split("-")[1].endswith("t") else ""
    platforms = _platforms(seen)
    short = f"cp{major}{minor}"
    return [*cpython_tags((major, minor), [f"{short}{free}"], platforms), *compatible_tags((major, minor), short, platforms)]


def _platforms(seen: Seen) -> list[str]:
    machine, minor = seen.machine, _glibc(seen)
    if minor is None:
        return [*(f"musllinux_1_{number}_{machine}" for number in (2, 1, 0)), f"linux_{machine}"]
    older = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    found: list[str] = []
    for number in range(minor, _OLDEST.get(machine, 17) - 1, -1):
        found += [f"manylinux_2_{number}_{machine}", *([f"{older[number]}_{machine}"] if number in older else [])]
    return [*found, f"linux_{machine}"]


def _glibc(seen: Seen) -> int | None:
    """The minor version of the image's glibc 2; None for musl."""
    name, _, version = seen.libc.partition(" ")
    return int(version.split(".")[1]) if name == "glibc" and version.startswith("2.") else None


def _place(cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".image-", dir=cache))
    except OSError as error:
        raise InfrastructureError(f"cannot write to {cache}: {error.strerror}", remedy=MAKE_ROOM) from error
