"""Installed distributions: what site-packages holds, by name, version and content. Read from files; no interpreter runs.

The content of a distribution is the SHA-256 over sorted (path, sha256) of the files that its RECORD names, as they are now, not as RECORD
says. Left out is what an installer writes of its own (RECORD, INSTALLER, direct_url.json, bytecode, start scripts), so that uv and pip come
to the same hash. Files that no distribution owns count as well: a stray `sitecustomize.py` changes every check.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.utils import canonicalize_name

from suture_sandbox.capture import manifests
from suture_sandbox.capture.files import Stamp, digest, remembered, walk
from suture_sandbox.environment import Dependency
from suture_sandbox.files import LARGEST_FILE, read_head

UNOWNED = "unowned-files"
"""Stands among the dependencies for the files in site-packages that no distribution owns, when there are any."""

EDITABLE = "editable"
"""Version of a distribution that is the workspace itself: its content is the snapshot, and its version moves with every commit."""

_INSTALLER_NOTES = frozenset(
    {
        "RECORD",
        "RECORD.jws",
        "RECORD.p7s",
        "INSTALLER",
        "REQUESTED",
        "direct_url.json",
        "provenance_url.json",
        "uv_cache.json",
        "uv_build.json",
    }
)
_OF_THE_VENV = frozenset({"_virtualenv.py", "_virtualenv.pth"})
_START_SCRIPTS = ("bin/", "Scripts/")
_HEADERS = 1 << 13  # bytes that name and version, or an address, stand in
_NOT_SOURCES = frozenset({"__pycache__", "node_modules", "build", "dist", "venv", "env", "target"})


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One `.dist-info` or `.egg-info` of a site-packages folder."""

    name: str
    """Normalised."""
    version: str
    site: Path
    info: Path
    """Its metadata folder, or file for the oldest kind."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """Everything installed, ready for the identity."""

    dependencies: dict[str, Dependency]
    notes: tuple[str, ...] = ()
    """What a user should know: damaged records, duplicates, files that no distribution owns."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A folder outside site-packages that code is imported from: an editable installation or a `.pth` line."""

    folder: Path
    owner: str
    """Normalised name of the distribution; the `.pth` file's name when there is none."""


def scan(site: Path) -> tuple[Distribution, ...]:
    """The distributions of one site-packages folder, sorted by folder name."""
    try:
        entries = sorted(entry.name for entry in os.scandir(site))
    except OSError:
        return ()
    return tuple(_distribution(site, name) for name in entries if name.endswith((".dist-info", ".egg-info")) and not name.startswith("~"))


def sources(sites: tuple[Path, ...], distributions: tuple[Distribution, ...]) -> tuple[Source, ...]:
    """Folders outside `sites` that the environment imports from."""
    found = [
        Source(folder=folder, owner=distribution.name)
        for distribution in distributions
        if (folder := editable_folder(distribution.info)) is not None and folder.is_dir()
    ]
    for site in sites:
        for pth in sorted(site.glob("*.pth")):
            for line in _lines(pth):
                folder = Path(os.path.normpath(site / line))
                if _is_path(line) and folder.is_dir() and not any(folder.is_relative_to(other) for other in sites):
                    found.append(Source(folder=folder, owner=pth.name))
    return tuple(found)


def contents(sites: tuple[Path, ...], prefix: Path | None, *, root: Path, cache: Path) -> Contents:
    """Name, version and content of everything in `sites`; `prefix` is the virtual environment whose data files count too."""
    distributions = tuple(distribution for site in sites for distribution in scan_names(site))
    outside = sources(sites, distributions)
    stamps: dict[str, Stamp] = {}
    for folder in (*sites, *((prefix / name for name in ("share", "etc")) if prefix else ())):
        stamps.update(walk(folder))
    for source in outside:
        if not _within(source.folder, root):
            stamps.update(walk(source.folder, _skip_source))

    def compute(hashes: Mapping[str, str]) -> Contents:
        manifests.trim(cache)
        return _Reader(sites, root, outside, hashes, cache).read()

    salt = "\0".join([str(root), *(f"{source.owner}\0{source.folder}" for source in outside)])
    return remembered("\0".join(map(str, sites)), stamps, cache, Contents, compute, salt=salt)


def scan_names(site: Path) -> tuple[Distribution, ...]:
    """Like `scan`, by folder names alone: no METADATA is read."""
    try:
        names = sorted(entry.name for entry in os.scandir(site) if entry.name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return ()
    return tuple(Distribution(name=_from_folder(name)[0], version=_from_folder(name)[1], site=site, info=site / name) for name in names)


def folders_outside(sites: tuple[Path, ...], root: Path) -> tuple[Path, ...]:
    """Folders outside the workspace and outside `sites` that the environment imports from."""
    found = sources(sites, tuple(distribution for site in sites for distribution in scan_names(site)))
    kept: list[Path] = []
    for folder in sorted({source.folder for source in found if not _within(source.folder, root)}):  # a parent sorts before what is in it
        if not any(folder.is_relative_to(other) for other in kept):
            kept.append(folder)
    return tuple(kept)


class _Reader:
    """Turns the hashes of all files into dependencies, keeping track of who owns what."""

    def __init__(self, sites: tuple[Path, ...], root: Path, outside: tuple[Source, ...], hashes: Mapping[str, str], cache: Path) -> None:
        self.sites = sites
        self.root = root
        self.outside = outside
        self.hashes = hashes
        self.cache = cache
        self.owned: set[str] = set()
        self.notes: list[str] = []

    def read(self) -> Contents:
        found: dict[str, Dependency] = {}
        for site in reversed(self.sites):  # an earlier folder of sys.path wins
            here: dict[str, Dependency] = {}
            for distribution in scan(site):
                self._add(here, distribution)
            found.update(here)
        self._unowned(found)
        return Contents(dependencies=dict(sorted(found.items())), notes=tuple(self.notes))

    def _add(self, found: dict[str, Dependency], distribution: Distribution) -> None:
        dependency = self._dependency(distribution)
        if (other := found.get(distribution.name)) is not None:
            self.notes.append(f"{distribution.name} is installed twice ({other.version} and {dependency.version}): Python sees either")
            dependency = Dependency(
                version=f"{other.version}, {dependency.version}", content=digest([("1", other.content), ("2", dependency.content)])
            )
        found[distribution.name] = dependency

    def _dependency(self, distribution: Distribution) -> Dependency:
        files = self._files(distribution)
        self.owned.update(files.values())
        folder = editable_folder(distribution.info)
        if folder is None:
            return Dependency(version=distribution.version, content=self._kept((key, self._hash(path)) for key, path in files.items()))
        if _within(folder, self.root):
            entry_points = str(distribution.info / "entry_points.txt")
            return Dependency(version=EDITABLE, content=digest([("entry_points.txt", self.hashes.get(entry_points, "missing"))]))
        self.notes.append(f"{distribution.name} is imported from {folder}, outside the workspace: its files are part of the identity")
        return Dependency(version=distribution.version, content=self._folder(folder))

    def _files(self, distribution: Distribution) -> dict[str, str]:
        """Path as the identity sees it -> absolute path, for the files that count."""
        rows = list(_record(distribution.info))
        if not rows:
            self.notes.append(f"{distribution.name} {distribution.version} has no usable RECORD: its files are found by name")
            rows = list(self._by_name(distribution))
        site = str(distribution.site)
        files: dict[str, str] = {}
        for row in rows:
            path = os.path.normpath(os.path.join(site, row))  # noqa: PTH118  # hot path, str is enough
            if path.startswith(site + os.sep):
                key = path[len(site) + 1 :]
            elif path in self.hashes:
                key = path[len(str(distribution.site.parents[2])) + 1 :]
            else:
                continue  # start scripts, and whatever a damaged RECORD points at outside the environment
            if not key.startswith(_START_SCRIPTS) and not _is_note(key):
                files[key] = path
        return files

    def _by_name(self, distribution: Distribution) -> Iterator[str]:
        tops = {distribution.name, distribution.name.replace("-", "_"), distribution.info.name}
        tops |= {line.strip() for line in _lines(distribution.info / "top_level.txt")}
        prefix = len(str(distribution.site)) + 1
        for path in self.hashes:
            if path.startswith(str(distribution.site) + os.sep):
                first = path[prefix:].partition("/")[0]
                if first in tops or first.partition(".")[0] in tops:
                    yield path[prefix:]

    def _hash(self, path: str) -> str:
        return self.hashes.get(path, "missing")

    def _folder(self, folder: Path) -> str:
        start = str(folder) + os.sep
        return self._kept((path[len(start) :], value) for path, value in self.hashes.items() if path.startswith(start))

    def _kept(self, pairs: Iterable[tuple[str, str]]) -> str:
        """The content hash of files, which are remembered so that a difference can be told by file."""
        return manifests.keep(self.cache, pairs)

    def _unowned(self, found: dict[str, Dependency]) -> None:
        pairs: list[tuple[str, str]] = []
        for site in self.sites:
            start = str(site) + os.sep
            for path, value in self.hashes.items():
                key = path[len(start) :]
                if path.startswith(start) and path not in self.owned and key not in _OF_THE_VENV and not _is_note(key):
                    pairs.append((key, self._pth(path, site) if key.endswith(".pth") and "/" not in key else value))
        if pairs:
            found[UNOWNED] = Dependency(version=f"{len(pairs)} files", content=self._kept(pairs))
            names = ", ".join(sorted(key for key, _ in pairs)[:3])
            self.notes.append(f"{len(pairs)} files in site-packages belong to no distribution: {names}{', ...' if len(pairs) > 3 else ''}")

    def _pth(self, path: str, site: Path) -> str:
        """A `.pth` file by what it leads to, because its lines are paths of this machine."""
        lines: list[tuple[str, str]] = []
        for number, line in enumerate(_lines(Path(path))):
            folder = Path(os.path.normpath(site / line))
            if not _is_path(line):
                lines.append((str(number), hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()))
            elif _within(folder, self.root):
                lines.append((str(number), f"workspace/{os.path.relpath(folder.resolve(), self.root.resolve())}"))
            else:
                lines.append((str(number), self._folder(folder)))
        return digest(lines)


def _distribution(site: Path, folder: str) -> Distribution:
    name, version = _from_folder(folder)
    info = site / folder
    headers = _headers(info / ("METADATA" if folder.endswith(".dist-info") else "PKG-INFO") if info.is_dir() else info)
    return Distribution(
        name=canonicalize_name(headers.get("name") or name), version=headers.get("version") or version, site=site, info=info
    )


def _from_folder(folder: str) -> tuple[str, str]:
    stem = folder.rpartition(".")[0]
    name, _, version = stem.partition("-")
    return canonicalize_name(name), version.partition("-py")[0] or "unknown"


def _headers(path: Path) -> dict[str, str]:
    """Name and Version; METADATA is UTF-8 by its specification, and is read whatever it is."""
    found: dict[str, str] = {}
    for raw in read_head(path, _HEADERS).split(b"\n"):
        key, separator, value = raw.decode("utf-8", "replace").partition(":")
        if not separator:
            break
        if key.lower() in ("name", "version"):
            found.setdefault(key.lower(), value.strip())
        if len(found) == 2:
            break
    return found


def _record(info: Path) -> Iterator[str]:
    """Paths that RECORD names, relative to site-packages; rows that make no sense are passed over."""
    text = read_head(info / "RECORD", LARGEST_FILE).decode("utf-8", "surrogateescape")
    try:
        for row in csv.reader(text.splitlines()):
            if row and row[0] and "\0" not in row[0] and not row[0].endswith((".pyc", "/")):
                yield row[0]
    except csv.Error:
        return


def editable_folder(info: Path) -> Path | None:
    """The folder of an editable installation, by PEP 610."""
    try:
        note = msgspec.json.decode(read_head(info / "direct_url.json", _HEADERS), type=_DirectUrl)
    except msgspec.DecodeError:
        return None
    address = urlsplit(note.url)
    return Path(unquote(address.path)) if note.dir_info.editable and address.scheme == "file" else None


class _DirInfo(msgspec.Struct):
    editable: bool = False


class _DirectUrl(msgspec.Struct):
    url: str
    dir_info: _DirInfo = msgspec.field(default_factory=_DirInfo)


def _lines(path: Path) -> list[str]:
    text = read_head(path, LARGEST_FILE).decode("utf-8", "surrogateescape")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _is_path(line: str) -> bool:
    return not line.startswith(("#", "import ", "import\t")) and "\0" not in line


def _is_note(key: str) -> bool:
    folder, _, name = key.rpartition("/")
    return name in _INSTALLER_NOTES and folder.endswith((".dist-info", ".egg-info"))


def _within(folder: Path, root: Path) -> bool:
    return folder.resolve().is_relative_to(root.resolve())


def _skip_source(name: str) -> bool:
    return name in _NOT_SOURCES or name.startswith(".")
