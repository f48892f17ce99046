"""pylock.toml (PEP 751), and uv.lock, which uv itself turns into one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suture_sandbox.errors import ConfigurationError
from suture_sandbox.lockformats.plan import (
    EXTRAS_FOR_CHECKS,
    Plan,
    Table,
    applies,
    by_name,
    content_of,
    digest_of,
    is_inside,
    is_wanted,
    projects_in,
    read_toml,
    refuse_without_wheel,
)
from suture_sandbox.toml import parse


def from_uv(root: Path, _markers: Mapping[str, str]) -> Plan | None:
    """The plan of uv.lock, None where there is none."""
    content = content_of(root / "uv.lock")
    if content is None:
        return None
    lock, project = read_toml(root / "uv.lock"), read_toml(root / "pyproject.toml")
    groups = [name for name in project.get("dependency-groups", {}) if is_wanted(name)]
    extras = [name for name in project.get("project", {}).get("optional-dependencies", {}) if name.lower() in EXTRAS_FOR_CHECKS]
    arguments = [argument for name in sorted(groups) for argument in ("--group", name)]
    arguments += [argument for name in sorted(extras) for argument in ("--extra", name)]
    local = [str(where) for package in lock.get("package", []) if (where := _local_source(package.get("source", {}))) is not None]
    return Plan(
        source="uv.lock",
        kind="uv",
        digest=digest_of("uv", content.decode("utf-8", "replace"), *arguments),
        locked=by_name((package["name"], package["version"]) for package in lock.get("package", []) if "version" in package),
        arguments=tuple(arguments),
        requires_python=lock.get("requires-python", ""),
        projects=projects_in(root, local),
        notes=tuple(f"{path} lies outside the workspace and is left out" for path in local if not is_inside(root / path, root)),
    )


def _local_source(source: Table) -> str | None:
    return next((str(source[kind]) for kind in ("editable", "virtual", "directory") if kind in source), None)


def from_pylock(root: Path, markers: Mapping[str, str]) -> Plan | None:
    """The plan of pylock.toml, None where there is none. Raises ConfigurationError."""
    content = content_of(root / "pylock.toml")
    if content is None:
        return None
    tree = read_toml(root / "pylock.toml")
    if not str(tree.get("lock-version", "")).startswith("1."):
        raise ConfigurationError(f"pylock.toml: lock-version {tree.get('lock-version')!r} is not 1.x", remedy="write the lock file again")
    text = wheels_only(content.decode("utf-8"), root, "pylock.toml", markers)
    packages = tree.get("packages", [])
    local = [str(package["directory"].get("path", ".")) for package in packages if "directory" in package]
    return Plan(
        source="pylock.toml",
        kind="pylock",
        digest=digest_of("pylock", content.decode("utf-8")),
        text=text,
        locked=by_name((package["name"], package["version"]) for package in packages if "version" in package),
        requires_python=tree.get("requires-python", ""),
        projects=projects_in(root, local or ["."]),
    )


def wheels_only(text: str, folder: Path, name: str, markers: Mapping[str, str]) -> str:
    """A pylock without the workspace's own folders and with absolute paths; raises ConfigurationError where a package has no wheel."""
    import tomli_w

    tree = parse(text)
    kept: list[dict[str, Any]] = []
    missing: list[str] = []
    for package in tree.get("packages", []):
        if "directory" in package or not applies(package.get("marker", ""), markers):
            continue
        wheels = [_absolute(wheel, folder) for wheel in package.get("wheels", [])]
        archive = package.get("archive", {})
        if not wheels and not str(archive.get("url") or archive.get("path", "")).partition("#")[0].endswith(".whl"):
            missing.append(f"{package.get('name')} {package.get('version', '')}".strip())
        kept.append({**package, **({"wheels": wheels} if wheels else {}), **({"archive": _absolute(archive, folder)} if archive else {})})
    refuse_without_wheel(missing, name)
    return tomli_w.dumps({**tree, "packages": kept})


def _absolute(file: Table, folder: Path) -> dict[str, Any]:
    return {**file, "path": str(folder / file["path"])} if "path" in file else dict(file)
