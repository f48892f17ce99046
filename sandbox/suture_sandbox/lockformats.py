"""Lock files of other tools: what a workspace has pinned, in a form that one installer takes.

Formats are tried in the order of `FORMATS`; a new one is one function and one line. A plan is either a pylock (PEP 751) or requirements
with hashes. Nothing here builds, downloads or starts anything, and nothing of the workspace's build configuration is run: what lies in
the workspace itself is left out of the plan, because the workspace is the snapshot.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from suture_sandbox.errors import ConfigurationError
from suture_sandbox.files import as_text, read_plain
from suture_sandbox.toml import BadToml, parse

Table = Mapping[str, Any]

LARGEST_LOCK = 32 << 20
"""Bytes of a lock file; those of the largest projects have a few million."""

NOT_FOR_CHECKS = frozenset({"doc", "docs", "documentation", "release", "publish", "bench", "benchmark", "benchmarks"})
"""Dependency groups that no check needs."""

EXTRAS_FOR_CHECKS = frozenset(
    {
        "test",
        "tests",
        "testing",
        "dev",
        "develop",
        "development",
        "lint",
        "typing",
        "types",
        "check",
        "checks",
        "qa",
        "ci",
        "cov",
        "coverage",
    }
)
"""Extras (optional dependencies of the workspace) that checks need."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to install, exactly."""

    source: str
    """The file that it comes from, relative to the workspace."""
    kind: Literal["uv", "pylock", "requirements"]
    """`uv`: uv itself turns its lock file into a pylock; else `text` or `files` are installed as they are."""
    digest: str
    """SHA-256 of everything that decides the result, the interpreter left out."""
    text: str = ""
    files: tuple[Path, ...] = ()
    """Requirements files to install as they lie in the workspace; instead of `text`."""
    locked: Mapping[str, tuple[str, ...]] = {}
    """Normalised name -> pinned versions."""
    arguments: tuple[str, ...] = ()
    """For `uv`: the groups and extras to export. For requirements: the package indexes that the lock file names."""
    requires_python: str = ""
    projects: tuple[Path, ...] = ()
    """Folders of the workspace's own distributions."""
    notes: tuple[str, ...] = ()


def find_plan(root: Path, markers: Mapping[str, str]) -> Plan | None:
    """The plan of the first lock file that the workspace has; `markers` describes the interpreter. Raises ConfigurationError."""
    for name, make in FORMATS.items():
        try:
            plan = make(root, markers)
        except (KeyError, TypeError, AttributeError, ValueError) as error:  # whatever a damaged file makes of the tables it should hold
            raise ConfigurationError(f"{root / name} is damaged: {type(error).__name__}: {error}", remedy=_relock(name)) from error
        if plan is not None:
            _refuse_stale(root, plan, markers)
            return plan
    return None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of the workspace, empty where there is none; raises ConfigurationError when it is damaged."""
    content = _content(path)
    if content is None:
        return {}
    remedy = "mend the file, or name an interpreter that has everything installed"
    try:
        return parse(as_text(content))
    except BadToml as error:
        raise ConfigurationError(error.within(str(path)), remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: {error}", remedy=remedy) from error


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
    _refuse_without_wheel(missing, name)
    return tomli_w.dumps({**tree, "packages": kept})


def _absolute(file: Table, folder: Path) -> dict[str, Any]:
    return {**file, "path": str(folder / file["path"])} if "path" in file else dict(file)


def _from_uv(root: Path, _markers: Mapping[str, str]) -> Plan | None:
    content = _content(root / "uv.lock")
    if content is None:
        return None
    lock, project = read_toml(root / "uv.lock"), read_toml(root / "pyproject.toml")
    groups = [name for name in project.get("dependency-groups", {}) if _wanted(name)]
    extras = [name for name in project.get("project", {}).get("optional-dependencies", {}) if name.lower() in EXTRAS_FOR_CHECKS]
    arguments = [argument for name in sorted(groups) for argument in ("--group", name)]
    arguments += [argument for name in sorted(extras) for argument in ("--extra", name)]
    local = [str(where) for package in lock.get("package", []) if (where := _local_source(package.get("source", {}))) is not None]
    return Plan(
        source="uv.lock",
        kind="uv",
        digest=_digest("uv", content.decode("utf-8", "replace"), *arguments),
        locked=_locked((package["name"], package["version"]) for package in lock.get("package", []) if "version" in package),
        arguments=tuple(arguments),
        requires_python=lock.get("requires-python", ""),
        projects=_projects(root, local),
        notes=tuple(f"{path} lies outside the workspace and is left out" for path in local if not _inside(root / path, root)),
    )


def _local_source(source: Table) -> str | None:
    return next((str(source[kind]) for kind in ("editable", "virtual", "directory") if kind in source), None)


def _from_pylock(root: Path, markers: Mapping[str, str]) -> Plan | None:
    content = _content(root / "pylock.toml")
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
        digest=_digest("pylock", content.decode("utf-8")),
        text=text,
        locked=_locked((package["name"], package["version"]) for package in packages if "version" in package),
        requires_python=tree.get("requires-python", ""),
        projects=_projects(root, local or ["."]),
    )


def _from_poetry(root: Path, markers: Mapping[str, str]) -> Plan | None:
    if _content(root / "poetry.lock") is None:
        return None
    lock, project = read_toml(root / "poetry.lock"), read_toml(root / "pyproject.toml")
    packages: list[Table] = lock.get("package", [])
    if any("groups" in package for package in packages):
        chosen = [package for package in packages if any(map(_wanted, package["groups"])) and applies(_poetry_marker(package), markers)]
    else:
        reached = _reachable(packages, _poetry_roots(project), markers)
        chosen = [package for package in packages if canonicalize_name(package["name"]) in reached]
    files: Table = lock.get("metadata", {}).get("files", {})  # where lock files before Poetry 1.3 keep the hashes
    with_files = [{**package, "files": package.get("files") or files.get(package["name"], [])} for package in chosen]
    return _requirements_plan(root, "poetry.lock", with_files, lock.get("metadata", {}).get("python-versions", ""))


def _from_pdm(root: Path, markers: Mapping[str, str]) -> Plan | None:
    if _content(root / "pdm.lock") is None:
        return None
    lock = read_toml(root / "pdm.lock")
    chosen = [
        package
        for package in lock.get("package", [])
        if any(map(_wanted, package.get("groups", ["default"]))) and applies(package.get("marker", ""), markers)
    ]
    return _requirements_plan(root, "pdm.lock", chosen, read_toml(root / "pyproject.toml").get("project", {}).get("requires-python", ""))


def _from_requirements(root: Path, _markers: Mapping[str, str]) -> Plan | None:
    found = sorted({*root.glob("requirements*.txt"), *root.glob("*-requirements.txt"), *root.glob("requirements/*.txt")})
    contents = {path: _content(path) for path in found if _wanted(_group_of(path)) and not path.is_dir()}
    texts = {path: as_text(content, errors="replace") for path, content in contents.items() if content is not None}
    hashed = {path: text for path, text in texts.items() if _all_hashed(text)}
    if not hashed:
        return None
    names = [str(path.relative_to(root)) for path in hashed]
    loose = [str(path.relative_to(root)) for path in texts if path not in hashed]
    return Plan(
        source=" + ".join(names),
        kind="requirements",
        digest=_digest("requirements", *names, *hashed.values()),
        files=tuple(hashed),
        locked=_locked(pin for text in hashed.values() for pin in _pins(text)),
        requires_python=read_toml(root / "pyproject.toml").get("project", {}).get("requires-python", ""),
        projects=_projects(root, ["."]),
        notes=tuple(f"{name} is not used: not every line of it is pinned by a hash" for name in loose),
    )


def _group_of(path: Path) -> str:
    return re.sub(r"^requirements[-_.]?|[-_.]?requirements$", "", path.stem)


def _requirements_plan(root: Path, name: str, packages: Sequence[Table], requires_python: str) -> Plan:
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
    _refuse_without_wheel(missing, name)
    text = "".join(f"{line}\n" for line in sorted(set(lines)))
    return Plan(
        source=name,
        kind="requirements",
        digest=_digest(name, text, *indexes),
        text=text,
        locked=_locked((package["name"], package["version"]) for package in packages if "version" in package),
        arguments=tuple(argument for url in dict.fromkeys(indexes) for argument in ("--index", url)),
        requires_python=requires_python if requires_python != "*" else "",
        projects=_projects(root, [*local, "."]),
    )


def _is_wheel(file: Table) -> bool:
    return str(file.get("file") or file.get("url", "")).partition("#")[0].endswith(".whl")


def _poetry_marker(package: Table) -> str:
    markers = package.get("markers", "")
    if isinstance(markers, str):
        return markers
    wanted = [f"({text})" for group, text in markers.items() if _wanted(group)]  # one marker for each group
    return " or ".join(wanted) if len(wanted) == sum(map(_wanted, package["groups"])) else ""


def _poetry_roots(project: Table) -> list[tuple[str, Any]]:
    """Direct dependencies with their conditions, from Poetry's tables and the standard ones."""
    poetry: Table = project.get("tool", {}).get("poetry", {})
    groups = {name: group.get("dependencies", {}) for name, group in poetry.get("group", {}).items() if _wanted(name)}
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {}), *groups.values()]
    roots = [(name, value) for table in tables for name, value in table.items() if name != "python"]
    standard = _direct(project, groups=True)
    return roots + [(found.name, {"markers": str(found.marker or ""), "extras": sorted(found.extras)}) for found in standard]


def _reachable(packages: list[Table], roots: list[tuple[str, Any]], markers: Mapping[str, str]) -> frozenset[str]:
    """Names that the roots lead to over edges whose condition holds here; a lock file of Poetry 1 keeps conditions on the edges."""
    by_name: dict[str, list[Table]] = {}
    for package in packages:
        by_name.setdefault(canonicalize_name(package["name"]), []).append(package)
    todo = [*_edges(roots, markers, frozenset())]
    done: set[tuple[str, str]] = set()
    while todo:
        name, extras = todo.pop()
        fresh = {(name, extra) for extra in ("", *extras)} - done
        done |= fresh
        for package in by_name.get(name, []) if fresh else []:
            optional = {_bare(entry) for extra in extras for entry in package.get("extras", {}).get(extra, [])}
            todo += _edges(list(package.get("dependencies", {}).items()), markers, frozenset(optional))
    return frozenset(name for name, _ in done)


def _edges(
    dependencies: list[tuple[str, Any]], markers: Mapping[str, str], optional: frozenset[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in dependencies:
        for table in _tables(value):
            if table.get("optional") and canonicalize_name(name) not in optional:
                continue
            if applies(table.get("markers", ""), markers):
                yield canonicalize_name(name), tuple(table.get("extras", ()))


def _tables(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # TOML: a version, a table, or a list of either
    """The conditions of a dependency: a plain version has none."""
    entries: list[Any] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType]  # TOML
    return [entry if isinstance(entry, dict) else {} for entry in entries]  # pyright: ignore[reportUnknownVariableType]  # TOML


def _bare(entry: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", entry)
    return canonicalize_name(found.group(0)) if found else ""


def applies(marker: str, markers: Mapping[str, str]) -> bool:
    """Whether a condition holds here, with any of the extras that checks need; one that cannot be read holds."""
    if not marker:
        return True
    try:
        parsed = Marker(marker)
        extras = ("", *EXTRAS_FOR_CHECKS) if "extra" in marker else ("",)
        return any(parsed.evaluate({**markers, "extra": extra}) for extra in extras)
    except (InvalidMarker, ValueError, KeyError, TypeError):
        return True


def logical_lines(text: str) -> Iterator[str]:
    """Lines of a requirements file with their continuations, comments taken out."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if bare := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield bare


def _all_hashed(text: str) -> bool:
    """Whether every requirement is pinned by a hash; files that lead to other files or folders are not taken."""
    pinned = [line for line in logical_lines(text) if not line.startswith("--")]
    return bool(pinned) and all("--hash=" in line and not line.startswith(("-", ".", "/")) and "==" in line for line in pinned)


def _pins(text: str) -> Iterator[tuple[str, str]]:
    for line in logical_lines(text):
        if found := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*==\s*([^\s;]+)", line):
            yield found.group(1), found.group(2)


def _locked(pins: Iterator[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, version in pins:
        key = canonicalize_name(name)
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), version)))
    return found


def _refuse_stale(root: Path, plan: Plan, markers: Mapping[str, str]) -> None:
    """A lock file that is older than pyproject.toml would build another environment than the user thinks."""
    for requirement in _direct(read_toml(root / "pyproject.toml"), groups=plan.kind != "requirements"):
        if requirement.marker is not None and not applies(str(requirement.marker), markers):
            continue
        versions = plan.locked.get(canonicalize_name(requirement.name))
        if versions is None and (plan.kind != "uv" or requirement.url):
            continue
        if versions is None or not (
            requirement.url or any(requirement.specifier.contains(version, prereleases=True) for version in versions)
        ):
            has = f"pins {requirement.name} {', '.join(versions)}" if versions else f"does not know {requirement.name}"
            raise ConfigurationError(
                f"{plan.source} is older than pyproject.toml: pyproject.toml asks for {requirement}, {plan.source} {has}",
                remedy=_relock(plan.source),
            )


def _direct(project: Table, *, groups: bool) -> Iterator[Requirement]:
    texts: list[Any] = list(project.get("project", {}).get("dependencies", []))
    if groups:
        texts += [entry for name, group in project.get("dependency-groups", {}).items() if _wanted(name) for entry in group]
    for text in texts:
        if isinstance(text, str):  # a group may also include another group by a table
            try:
                yield Requirement(text)
            except InvalidRequirement as error:
                raise ConfigurationError(f"pyproject.toml: {text!r} is no requirement: {error}", remedy="mend the line") from error


def _refuse_without_wheel(missing: list[str], source: str) -> None:
    if missing:
        raise ConfigurationError(
            f"{source}: no wheel for {', '.join(sorted(missing))}; building from source would run its code outside the sandbox",
            remedy="install the environment yourself into .venv and name it: --python .venv/bin/python",
        )


def _wanted(group: str) -> bool:
    return group.lower() not in NOT_FOR_CHECKS


def _projects(root: Path, paths: list[str]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((root / path).resolve() for path in paths if _inside(root / path, root)))


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _content(path: Path) -> bytes | None:
    return read_plain(path, most=LARGEST_LOCK)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _relock(source: str) -> str:
    commands = {"uv.lock": "uv lock", "poetry.lock": "poetry lock", "pdm.lock": "pdm lock"}
    return f"write it again: {commands.get(source, 'with the tool that made it')}"


FORMATS: Mapping[str, Callable[[Path, Mapping[str, str]], Plan | None]] = {
    "uv.lock": _from_uv,
    "pylock.toml": _from_pylock,
    "poetry.lock": _from_poetry,
    "pdm.lock": _from_pdm,
    "requirements.txt": _from_requirements,
}
"""In the order in which they are tried."""
