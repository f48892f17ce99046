"""Capturing an environment: reading the fields of its identity from what is installed here.

The pipeline is `interpreter.inspect` (what stands behind a python), `distributions.contents` (what is installed in it), `system` (what lies
under it) and `variables` (what is set inside). Nothing here changes anything outside suture's cache, and nothing of the workspace is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from suture_sandbox.capture.clock import preloaded_fields
from suture_sandbox.capture.distributions import contents, folders_outside, scan
from suture_sandbox.capture.interpreter import LARGEST_SETTINGS, Interpreter, folders, inspect, toolchain_fields
from suture_sandbox.capture.system import os_fields, platform_fields
from suture_sandbox.capture.variables import UPDATES_OFF, VARIABLES
from suture_sandbox.checks import Check
from suture_sandbox.environment import EnvironmentFields, Limits, Runtime
from suture_sandbox.files import read_head

WORKSPACE = "{workspace}"
"""Stands for the workspace's folder in the identity's variables."""

_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


def runtime_of(
    interpreter: Interpreter,
    *,
    root: Path,
    variables: Mapping[str, str] | None = None,
    readonly: Sequence[Path] = (),
    notes: Sequence[str] = (),
) -> Runtime:
    """Where an interpreter and its dependencies lie; `variables`, `readonly` and `notes` come on top."""
    outside = folders_outside(interpreter.sites, root)
    said = [f"code is imported from {folder}, outside the workspace: it is bound read-only" for folder in outside]
    bound = folders([*map(Path, interpreter.readonly()), *outside, *readonly])
    virtual = {"VIRTUAL_ENV": str(interpreter.prefix)} if interpreter.virtual else {}
    return Runtime(
        python=str(interpreter.python),
        search_path=tuple(dict.fromkeys((str(interpreter.python.parent), *_SYSTEM_PATH))),
        readonly=bound,
        variables={**VARIABLES, **virtual, **(variables or {})},
        notes=(*notes, *said),
    )


def capture_fields(
    runtime: Runtime,
    *,
    root: Path,
    checks: tuple[Check, ...],
    limits: Limits,
    isolation: Mapping[str, str | int],
    cache: Path,
    filters: Mapping[str, int] | None = None,
) -> tuple[EnvironmentFields, tuple[str, ...]]:
    """Read every named field of the environment behind `runtime`, and what a user should know about what was found.

    Takes milliseconds when nothing changed since the last time.
    """
    interpreter = inspect(Path(runtime.python), root=root, cache=cache)
    found = contents(interpreter.sites, interpreter.prefix if interpreter.virtual else None, root=root, cache=cache)
    fields = EnvironmentFields(
        os=os_fields(),
        platform=platform_fields(),
        toolchain={**toolchain_fields(interpreter, cache), **preloaded_fields(runtime.variables)},
        dependencies=found.dependencies,
        variables=identity_variables(runtime.variables, root, cache),
        isolation={**isolation, **{f"limit_{name}": value for name, value in msgspec.to_builtins(limits).items()}},
        checks={check.name: check for check in checks},
        policy_updates=UPDATES_OFF,
        filters=filters or {},
    )
    return fields, found.notes


def installed(runtime: Runtime) -> Mapping[str, str]:
    """Normalised name -> version of every distribution that the environment's interpreter sees; runs nothing."""
    found: dict[str, str] = {}
    for site in reversed(site_folders(Path(runtime.python))):
        found.update({distribution.name: distribution.version for distribution in scan(site)})
    return dict(sorted(found.items()))


def identity_variables(variables: Mapping[str, str], root: Path, cache: Path) -> dict[str, str]:
    """Variables as the identity sees them: the workspace's own path by name, any other path of this machine left out."""
    kept: dict[str, str] = {}
    for name, value in variables.items():
        if name == "VIRTUAL_ENV":  # says where the environment lies, never what it is
            continue
        parts = [_named(part, str(root), str(cache)) for part in value.split(":")] if value.startswith("/") else [value]
        if shown := [part for part in parts if part]:
            kept[name] = ":".join(shown)
    return dict(sorted(kept.items()))


def _named(part: str, root: str, cache: str) -> str:
    if part.startswith(cache + "/"):  # even where the cache lies in the workspace
        return ""
    if part == root or part.startswith(root + "/"):
        return WORKSPACE + part[len(root) :]
    return "" if part.startswith("/") else part


def site_folders(python: Path) -> tuple[Path, ...]:
    """site-packages folders by where Python puts them, without asking it."""
    prefix = python.parent.parent
    virtual = (prefix / "pyvenv.cfg").is_file()
    versions = "python3*" if virtual else f"{python.resolve().name}*"
    patterns = [f"{lib}/{versions}/{site}" for lib in ("lib", "lib64") for site in ("site-packages", "dist-packages")]
    found = [path for pattern in patterns for path in sorted(prefix.glob(pattern))]
    if not virtual:
        found += sorted(prefix.glob(f"local/lib/{versions}/dist-packages")) + sorted(prefix.glob("lib/python3/dist-packages"))
    elif b"include-system-site-packages = true" in read_head(prefix / "pyvenv.cfg", LARGEST_SETTINGS).lower():
        found += site_folders(python.resolve())
    return tuple({path.resolve(): path for path in reversed(found)}.values())[::-1]
