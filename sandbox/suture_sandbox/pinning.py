"""From what is locked or installed to the wheels that make it: by hash from the wheelhouse, through uv from the index where one is missing.

A pin is a name, a version and the hashes that are allowed. What it deliberately is not: a resolver. No version is chosen here, and a
package whose exact wheel cannot be had is said to be missing, with the reason, and never replaced by another.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name

from suture_sandbox.capture.distributions import EDITABLE, UNOWNED
from suture_sandbox.capture.interpreter import Interpreter
from suture_sandbox.environment import Dependency
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.files import as_text, read_plain
from suture_sandbox.lockformats.plan import LARGEST_LOCK, Plan, applies, logical_lines
from suture_sandbox.pylock import best, tags_of
from suture_sandbox.toml import parse
from suture_sandbox.wheels import Missing, Wheel, Wheelhouse

Ask = Callable[..., Any]
"""`await ask(*arguments)` runs uv and hands back what it prints."""

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_AT_ONCE = 4


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """One package of an environment, exactly."""

    name: str
    version: str
    hashes: frozenset[str] = frozenset()
    """SHA-256 of the files that are allowed; any where empty, for what is installed and was never locked."""
    wheels: tuple[Wheel, ...] = ()
    """Where a lock file says so: its wheels with their places."""


def pins_in_pylock(text: str) -> list[Pin]:
    """The pins of a pylock whose conditions were looked at already (`lockformats.wheels_only`)."""
    found: list[Pin] = []
    for package in parse(text).get("packages", []):
        name, version = canonicalize_name(str(package.get("name"))), str(package.get("version", ""))
        files: list[Mapping[str, Any]] = [*package.get("wheels", []), *([package["archive"]] if "archive" in package else [])]
        wheels = tuple(_wheel(name, version, file) for file in files)
        hashes = frozenset(wheel.sha256 for wheel in wheels if wheel.sha256)
        found.append(Pin(name=name, version=version or _version(wheels), hashes=hashes, wheels=wheels))
    return found


def pins_in_requirements(text: str, markers: Mapping[str, str]) -> list[Pin]:
    """The pins of requirements with hashes whose conditions hold."""
    found: dict[str, Pin] = {}
    for line in logical_lines(text):
        hashes = frozenset(_HASH.findall(line))
        try:
            requirement = Requirement(line.partition(" --")[0])
        except InvalidRequirement:
            continue
        version = next((item.version for item in requirement.specifier if item.operator in ("==", "===")), "")
        if hashes and version and applies(str(requirement.marker or ""), markers):
            name = canonicalize_name(requirement.name)
            found[name] = Pin(name=name, version=version, hashes=hashes)
    return list(found.values())


def pins_in(plan: Plan, files: Sequence[Path], markers: Mapping[str, str]) -> list[Pin]:
    """The pins in the files that a plan comes to."""
    texts = [as_text(read_plain(file, most=LARGEST_LOCK) or b"", errors="replace") for file in files]
    if plan.kind == "requirements":
        return pins_in_requirements("\n".join(texts), markers)
    return [pin for text in texts for pin in pins_in_pylock(text)]


def pins_of_installed(dependencies: Mapping[str, Dependency]) -> list[Pin]:
    """What is installed as pins, the workspace itself and files that belong to nothing left out."""
    kept = {name: item for name, item in dependencies.items() if name != UNOWNED and item.version != EDITABLE and "," not in item.version}
    return [Pin(name=name, version=item.version) for name, item in kept.items()]


def in_house(pins: Sequence[Pin], tags: Sequence[Tag], house: Wheelhouse) -> tuple[list[Wheel], list[Pin]]:
    """The wheels that the wheelhouse has for pins with hashes, and the pins that it has none for."""
    found: list[Wheel] = []
    absent: list[Pin] = []
    for pin in pins:
        here = {path.name: value for value in sorted(pin.hashes) if (path := house.find(value)) is not None}
        if (file := best(list(here), tags)) is not None:
            found.append(Wheel(name=pin.name, version=pin.version, file=file, sha256=here[file]))
        else:
            absent.append(pin)
    return found, absent


def pylock_of(wheels: Sequence[Wheel], house: Wheelhouse) -> str:
    """A pylock of wheels where they lie in the wheelhouse: for this machine, and this moment, only."""
    import tomli_w

    packages = [
        {
            "name": wheel.name,
            "version": wheel.version,
            "wheels": [{"name": wheel.file, "path": str(house.find(wheel.sha256)), "hashes": {"sha256": wheel.sha256}}],
        }
        for wheel in wheels
    ]
    return tomli_w.dumps({"lock-version": "1.0", "created-by": "suture", "packages": packages})


async def collect(
    pins: Sequence[Pin],
    interpreter: Interpreter,
    house: Wheelhouse,
    ask: Ask,
    progress: Callable[[str], None],
    *,
    indexes: Sequence[str] = (),
    offline: bool = False,
    tags: Sequence[Tag] | None = None,
) -> tuple[list[Wheel], list[Missing]]:
    """Every pin's wheel, brought into the wheelhouse; and those that cannot be had, with the reason.

    `tags`: what the interpreter can load, where that is not one of this machine.
    """
    tags = tags or tags_of(interpreter)
    wheels, absent = in_house(pins, tags, house)
    missing: list[Missing] = []
    options = (*indexes, "--offline") if offline else tuple(indexes)
    elsewhere = await _looked_up([pin for pin in absent if not pin.wheels], interpreter, ask, missing, options)
    for pin in absent:
        candidates = pin.wheels or elsewhere.get(pin.name, ())
        allowed = {wheel.file: wheel for wheel in candidates if not pin.hashes or wheel.sha256 in pin.hashes}
        if (file := best(list(allowed), tags)) is not None:
            wheels.append(allowed[file])
        elif not any(item.name == pin.name for item in missing):
            missing.append(Missing(name=pin.name, version=pin.version, reason=_why_not(pin, candidates)))
    kept, lost = await asyncio.to_thread(house.fill, wheels, progress, offline=offline)
    return kept, sorted([*missing, *lost], key=lambda item: item.name)


async def _looked_up(
    pins: Sequence[Pin], interpreter: Interpreter, ask: Ask, missing: list[Missing], options: Sequence[str]
) -> Mapping[str, tuple[Wheel, ...]]:
    """Where the wheels of exact versions lie, by the index that uv is set up for: all at once, else one by one to know which is absent."""
    if not pins:
        return {}
    try:
        return await _compiled(pins, interpreter, ask, options)
    except (ConfigurationError, InfrastructureError) as error:  # uv says of many things that they are not there
        if len(pins) == 1:
            missing.append(Missing(name=pins[0].name, version=pins[0].version, reason=str(error)[:200]))
            return {}
    gate = asyncio.Semaphore(_AT_ONCE)

    async def alone(pin: Pin) -> Mapping[str, tuple[Wheel, ...]]:
        async with gate:
            return await _looked_up([pin], interpreter, ask, missing, options)

    return {name: wheels for found in await asyncio.gather(*map(alone, pins)) for name, wheels in found.items()}


async def _compiled(pins: Sequence[Pin], interpreter: Interpreter, ask: Ask, options: Sequence[str]) -> Mapping[str, tuple[Wheel, ...]]:
    with tempfile.TemporaryDirectory(prefix="suture-pins-") as folder:
        asked, answer = Path(folder) / "asked.txt", Path(folder) / "pylock.toml"
        asked.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins), "utf-8")
        arguments = ("pip", "compile", "--no-deps", "--no-build", "--format", "pylock.toml", "--python", str(interpreter.base))
        await ask(*arguments, *options, "--no-header", "-o", str(answer), str(asked))
        return {pin.name: pin.wheels for pin in pins_in_pylock(answer.read_text("utf-8"))}


def _wheel(name: str, version: str, file: Mapping[str, Any]) -> Wheel:
    source = str(file.get("url") or file.get("path") or "")
    if source.startswith("file:///"):
        source = unquote(urlsplit(source).path)
    called = str(file.get("name") or unquote(source.partition("#")[0]).rpartition("/")[2])
    sha256 = str(file.get("hashes", {}).get("sha256", ""))
    return Wheel(name=name, version=version, file=called, sha256=sha256, source=source)


def _version(wheels: Sequence[Wheel]) -> str:
    return wheels[0].file.split("-")[1] if wheels and wheels[0].file.count("-") > 1 else ""


def _why_not(pin: Pin, candidates: Sequence[Wheel]) -> str:
    if not candidates:
        return "the index has no wheel of this version, only sources"
    fitting = [wheel for wheel in candidates if not pin.hashes or wheel.sha256 in pin.hashes]
    return "no wheel of this version fits the interpreter" if fitting else "no wheel that the index has is one that is pinned"
