"""pylock.suture.toml: the wheels of a locked environment by hash, in the format of PEP 751, for suture and every installer that reads it.

It lies beside suture.lock, which says what the environment is; this says what to build it from. A wheel is named by its file, its hash and
a path in `.suture/wheels`, where `suture env lock` lays it, and by no address: an index is the user's own affair, may be a mirror, and its
addresses may hold keys. suture itself goes by the hash alone: it takes the wheel from the wheelhouse, or from the index uv is set up for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from packaging.tags import Tag, compatible_tags, cpython_tags, sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from suture_sandbox.capture.interpreter import Interpreter
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.files import has
from suture_sandbox.lockformats.plan import Plan, read_toml
from suture_sandbox.wheels import Wheel

NAME = "pylock.suture.toml"
WHEELS = ".suture/wheels"
"""Where the wheels lie for other installers, relative to the workspace."""

_HEADER = """\
# The wheels of the environment in suture.lock, by hash. Written by `suture env lock`; do not edit by hand.
# Other tools install it too, where the wheels lie in .suture/wheels: uv pip sync pylock.suture.toml

"""


def render(wheels: Iterable[Wheel], interpreter: Interpreter) -> str:
    """The lock file's text; the same wheels always give the same text."""
    import tomli_w

    packages: list[dict[str, Any]] = [
        {
            "name": wheel.name,
            "version": wheel.version,
            "wheels": [{"name": wheel.file, "path": f"{WHEELS}/{wheel.file}", "hashes": {"sha256": wheel.sha256}}],
        }
        for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    ]
    head = {"lock-version": "1.0", "requires-python": f"=={interpreter.facts.feature_version}.*", "created-by": "suture"}
    return _HEADER + tomli_w.dumps({**head, "packages": packages})


def own_plan(root: Path) -> Plan | None:
    """What suture itself has pinned for a workspace, None where it has not; raises ConfigurationError for a damaged file."""
    if not has(root, NAME):
        return None
    tree = read_toml(root / NAME)
    lines: list[str] = []
    try:
        for package in tree.get("packages", []):
            hashes = [wheel["hashes"]["sha256"] for wheel in package["wheels"]]
            lines.append(f"{canonicalize_name(package['name'], validate=True)}=={package['version']} --hash=sha256:{hashes[0]}\n")
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ConfigurationError(
            f"{root / NAME} is damaged: {type(error).__name__}: {error}", remedy="write it again: suture env lock"
        ) from error
    text = "".join(sorted(lines))
    if any(set(line) - _PLAIN for line in text.split("\n")):
        raise ConfigurationError(f"{root / NAME} is damaged: a version is none", remedy="write it again: suture env lock")
    return Plan(
        source=NAME,
        kind="requirements",
        digest=hashlib.sha256(f"{NAME}\0{text}".encode()).hexdigest(),
        text=text,
        locked={package["name"]: (package["version"],) for package in tree.get("packages", [])},
        requires_python=str(tree.get("requires-python", "")),
        projects=(root.resolve(),),
    )


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+!=: ")


def tags_of(interpreter: Interpreter) -> list[Tag]:
    """What the interpreter can load, the best first."""
    facts = interpreter.facts
    if facts.implementation != "cpython":
        return list(sys_tags())
    major, minor = (int(part) for part in facts.feature_version.split(".")[:2])
    free = "t" if facts.abi.split("-")[1:2] and facts.abi.split("-")[1].endswith("t") else ""
    short = f"cp{major}{minor}"
    return [*cpython_tags((major, minor), [f"{short}{free}"]), *compatible_tags((major, minor), short)]


def best(files: Sequence[str], tags: Sequence[Tag]) -> str | None:
    """The wheel's file name that fits an interpreter best; None where none does."""
    order = {tag: index for index, tag in enumerate(tags)}
    ranked: list[tuple[int, str]] = []
    for file in files:
        try:
            _, _, _, fits = parse_wheel_filename(file)
        except InvalidWheelFilename:
            continue
        if places := [order[tag] for tag in fits if tag in order]:
            ranked.append((min(places), file))
    return min(ranked)[1] if ranked else None
