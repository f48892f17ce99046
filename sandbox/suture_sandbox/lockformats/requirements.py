"""Requirements files with hashes, and what other lock files come to as such."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from suture_sandbox.files import as_text
from suture_sandbox.lockformats.plan import (
    Plan,
    Table,
    by_name,
    content_of,
    digest_of,
    is_wanted,
    logical_lines,
    projects_in,
    read_toml,
    refuse_without_wheel,
)


def from_requirements(root: Path, _markers: Mapping[str, str]) -> Plan | None:
    """The plan of the requirements files of which every line is pinned by a hash, None where there are none."""
    found = sorted({*root.glob("requirements*.txt"), *root.glob("*-requirements.txt"), *root.glob("requirements/*.txt")})
    contents = {path: content_of(path) for path in found if is_wanted(_group_of(path)) and not path.is_dir()}
    texts = {path: as_text(content, errors="replace") for path, content in contents.items() if content is not None}
    hashed = {path: text for path, text in texts.items() if _all_hashed(text)}
    if not hashed:
        return None
    names = [str(path.relative_to(root)) for path in hashed]
    loose = [str(path.relative_to(root)) for path in texts if path not in hashed]
    return Plan(
        source=" + ".join(names),
        kind="requirements",
        digest=digest_of("requirements", *names, *hashed.values()),
        files=tuple(hashed),
        locked=by_name(pin for text in hashed.values() for pin in _pins(text)),
        requires_python=read_toml(root / "pyproject.toml").get("project", {}).get("requires-python", ""),
        projects=projects_in(root, ["."]),
        notes=tuple(f"{name} is not used: not every line of it is pinned by a hash" for name in loose),
    )


def _group_of(path: Path) -> str:
    return re.sub(r"^requirements[-_.]?|[-_.]?requirements$", "", path.stem)


def _all_hashed(text: str) -> bool:
    """Whether every requirement is pinned by a hash; files that lead to other files or folders are not taken."""
    pinned = [line for line in logical_lines(text) if not line.startswith("--")]
    return bool(pinned) and all("--hash=" in line and not line.startswith(("-", ".", "/")) and "==" in line for line in pinned)


def _pins(text: str) -> Iterator[tuple[str, str]]:
    for line in logical_lines(text):
        if found := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*==\s*([^\s;]+)", line):
            yield found.group(1), found.group(2)


def requirements_plan(root: Path, name: str, packages: Sequence[Table], requires_python: str) -> Plan:
    """Packages of a lock file as requirements with their wheels' hashes. Raises ConfigurationError where one has no wheel."""
    lines: list[str] = []
    local: list[str] = []
    missing: list[str] = []
    indexes: list[str] = []
    for package in packages:
        source: Table = package.get("source", {})
        where = package.get("path") or (source.get("url") if source.get("type") == "directory" else None)
        if where is not None:
            local.append(str(where))
            continue
        title = f"{package['name']} {package['version']}"
        hashes = sorted({file["hash"] for file in package.get("files", []) if _is_wheel(file)})
        if source.get("type") in ("git", "url", "file") or "git" in package or not hashes:
            missing.append(title)
        if source.get("type") == "legacy" and source.get("url"):
            indexes.append(str(source["url"]))
        lines.append(" ".join([f"{package['name']}=={package['version']}", *(f"--hash={value}" for value in hashes)]))
    refuse_without_wheel(missing, name)
    text = "".join(f"{line}\n" for line in sorted(set(lines)))
    return Plan(
        source=name,
        kind="requirements",
        digest=digest_of(name, text, *indexes),
        text=text,
        locked=by_name((package["name"], package["version"]) for package in packages if "version" in package),
        arguments=tuple(argument for url in dict.fromkeys(indexes) for argument in ("--index", url)),
        requires_python=requires_python if requires_python != "*" else "",
        projects=projects_in(root, [*local, "."]),
    )


def _is_wheel(file: Table) -> bool:
    return str(file.get("file") or file.get("url", "")).partition("#")[0].endswith(".whl")
