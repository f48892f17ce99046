"""Standing in for the installation of the workspace's own distributions, without running their build backend.

An environment built from a lock file holds the dependencies, not the workspace: its build backend is code of the workspace and never
runs outside the sandbox. What an editable installation would give is made from pyproject.toml instead: the source folder on PYTHONPATH,
and a dist-info with name, version and entry points. What it does not give: start scripts in bin/, compiled extensions, generated files.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from suture_sandbox.capture.files import write_atomically
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.lockformats.plan import read_toml

MAKE_ROOM = "make suture's cache folder writable, with free space, or name another place: XDG_CACHE_HOME"
UNKNOWN_VERSION = "0.0.0"
"""Of a distribution whose version its build backend computes."""

Table = Mapping[str, Any]


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in for an editable installation."""

    search: tuple[Path, ...] = ()
    """Folders for PYTHONPATH: the metadata first, then the source folders."""
    metadata: Path | None = None
    """Folder in suture's cache that holds the dist-infos."""
    notes: tuple[str, ...] = ()


def install(projects: tuple[Path, ...], *, cache: Path) -> Installation:
    """Make the stand-in for the distributions in `projects`; folders without a build system are not distributions."""
    read = [(folder, read_toml(folder / "pyproject.toml")) for folder in projects]
    packaged = [(folder, project) for folder, project in read if _is_packaged(folder, project)]
    if not packaged:
        return Installation()
    search = [source for folder, project in packaged for source in _source_folders(folder, project)]
    infos = [info for _, project in packaged if (info := _dist_info(project)) is not None]
    try:
        metadata = _write(infos, cache)
    except OSError as error:
        raise InfrastructureError(f"cannot write to {cache}: {error.strerror}", remedy=MAKE_ROOM) from error
    notes = [
        f"the version of {info.name} is computed by its build backend; inside it reads {info.version}" for info in infos if info.guessed
    ]
    where = ", ".join(folder.name for folder, _ in packaged)
    notes.insert(0, f"{where}: not installed but imported from the workspace; its start scripts and compiled extensions are not there")
    return Installation(search=tuple(dict.fromkeys((metadata, *search))), metadata=metadata, notes=tuple(notes))


class _Info(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str
    guessed: bool
    metadata: str
    entry_points: str


def _is_packaged(folder: Path, project: Table) -> bool:
    if (
        project.get("tool", {}).get("uv", {}).get("package") is False
        or project.get("tool", {}).get("poetry", {}).get("package-mode") is False
    ):
        return False
    return "build-system" in project or (folder / "setup.py").is_file() or (folder / "setup.cfg").is_file()


def _source_folders(folder: Path, project: Table) -> Iterator[Path]:
    """Where the packages lie, as the build backends that say so statically are told."""
    named = [folder / place for place in _declared(project.get("tool", {}))]
    found = [path for path in named if path.is_dir() and path.resolve().is_relative_to(folder.resolve())]
    if not found:
        found = [folder / "src" if (folder / "src").is_dir() and not (folder / "src" / "__init__.py").is_file() else folder]
    yield from dict.fromkeys(found)


def _declared(tool: Table) -> Iterator[str]:
    setuptools = tool.get("setuptools", {})
    yield from (str(place) for place in [setuptools.get("package-dir", {}).get("")] if place)
    packages: Any = setuptools.get("packages", {})
    yield from packages["find"].get("where", ()) if "find" in packages else ()  # `packages` may be a plain list of names
    for package in tool.get("poetry", {}).get("packages", ()):
        yield package.get("from", ".")
    hatch = tool.get("hatch", {}).get("build", {})
    for package in hatch.get("targets", {}).get("wheel", {}).get("packages", hatch.get("packages", ())):
        yield str(Path(package).parent)
    for backend in ("flit", "pdm"):
        yield from (str(place) for place in [tool.get(backend, {}).get("build", {}).get("package-dir")] if place)
    if root := tool.get("uv", {}).get("build-backend", {}).get("module-root"):
        yield root


def _dist_info(project: Table) -> _Info | None:
    poetry: Table = project.get("tool", {}).get("poetry", {})
    table: Table = project.get("project", {})
    name = table.get("name") or poetry.get("name")
    if not isinstance(name, str):
        return None
    version = table.get("version") or poetry.get("version")
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version or UNKNOWN_VERSION}"]
    lines += [f"Requires-Python: {table['requires-python']}"] if "requires-python" in table else []
    lines += [f"Requires-Dist: {requirement}" for requirement in table.get("dependencies", ())]
    groups: dict[str, Table] = {
        "console_scripts": {**_plain(poetry.get("scripts", {})), **table.get("scripts", {})},
        "gui_scripts": table.get("gui-scripts", {}),
        **poetry.get("plugins", {}),
        **table.get("entry-points", {}),
    }
    sections = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items()) for group, entries in groups.items() if entries
    )
    return _Info(
        name=name,
        version=version or UNKNOWN_VERSION,
        guessed=not version,
        metadata="\n".join(lines) + "\n",
        entry_points="\n".join(sections),
    )


def _plain(scripts: Table) -> dict[str, str]:
    return {name: value for name, value in scripts.items() if isinstance(value, str)}


def _write(infos: list[_Info], cache: Path) -> Path:
    """Write the dist-infos under a name that their content decides, so that nothing written is ever changed."""
    folder = cache / "projects" / hashlib.sha256(msgspec.json.encode(infos)).hexdigest()[:32]
    for info in infos:
        stem = f"{canonicalize_name(info.name).replace('-', '_')}-{re.sub(r'[^A-Za-z0-9.+!]', '_', info.version)}"
        place = folder / f"{stem}.dist-info"
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)  # an attempt may run as another user
        for name, text in (("METADATA", info.metadata), ("entry_points.txt", info.entry_points), ("INSTALLER", "suture\n")):
            with contextlib.suppress(FileNotFoundError):
                if (place / name).read_text("utf-8") == text:
                    continue
            write_atomically(place / name, text.encode(), mode=0o644)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder
