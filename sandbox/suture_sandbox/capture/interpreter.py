"""The Python interpreter of an environment: where its parts lie, and what it is.

A workspace may hold a virtual environment, and what a workspace holds never runs outside the sandbox. So the environment's own `python`
is never started here: its start-up would run `sitecustomize` and `.pth` files. Only the base interpreter behind it is, in isolated mode
and without `site`, and only when it lies outside the workspace.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from suture_sandbox.capture import manifests
from suture_sandbox.capture.files import remembered, stamp_of, walk, write_atomically
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.files import as_text, read_plain

LARGEST_SETTINGS = 1 << 16
"""Bytes of pyvenv.cfg."""

_NAME = re.compile(r"(python|pypy)[0-9.]*[td]*")
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
_NOT_STDLIB = frozenset({"__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test", "turtledemo"})
_PROBE_SECONDS = 30

PROBE = r"""
import importlib, json, os, site, sys, sysconfig
versions = {}
for name, attribute in (("ssl", "OPENSSL_VERSION"), ("sqlite3", "sqlite_version"), ("zlib", "ZLIB_RUNTIME_VERSION"), ("_ctypes", ""),
                        ("lzma", ""), ("bz2", ""), ("readline", ""), ("_curses", ""), ("_uuid", "")):
    try:
        versions[name] = str(getattr(importlib.import_module(name), attribute or "__name__"))
    except Exception:
        versions[name] = "none"
try:
    with open("/proc/self/maps") as maps:
        mapped = sorted({line.split(None, 5)[5].strip() for line in maps if "/" in line})
except OSError:
    mapped = []
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": "%d.%d.%d" % sys.version_info[:3] + ("" if sys.version_info[3] == "final" else "".join(map(str, sys.version_info[3:]))),
    "abi": sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag or "",
    "prefix": sys.base_prefix,
    "stdlib": sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}),
    "sites": site.getsitepackages([sys.base_prefix]) if hasattr(site, "getsitepackages") else [],
    "openssl": versions["ssl"], "sqlite": versions["sqlite3"], "zlib": versions["zlib"], "mapped": mapped,
}))
"""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a base interpreter says of itself."""

    implementation: str
    version: str
    """Full version: `3.11.7`, `3.14.0candidate2`."""
    abi: str
    """`cpython-311-x86_64-linux-gnu`: decides which extension modules it loads."""
    prefix: str
    stdlib: tuple[str, ...]
    sites: tuple[str, ...]
    """Its own site-packages folders."""
    openssl: str
    sqlite: str
    zlib: str
    mapped: tuple[str, ...] = ()
    """Files that it has mapped with its usual extension modules loaded: where its shared libraries lie."""

    @property
    def feature_version(self) -> str:
        """`3.11`."""
        return ".".join(self.version.split(".")[:2])


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter, perhaps of a virtual environment, with the base that it stands on."""

    python: Path
    """As it is called, not resolved: a virtual environment is found through it."""
    base: Path
    """The base interpreter's binary, resolved."""
    prefix: Path
    """The virtual environment's folder, or the base's prefix."""
    virtual: bool
    sites: tuple[Path, ...]
    """site-packages in the order of sys.path."""
    facts: Facts

    def readonly(self) -> tuple[str, ...]:
        """Every folder outside the system's that it needs in order to run."""
        wanted = [self.prefix, *_prefixes(self.python), *_prefixes(self.base), Path(self.facts.prefix), *map(Path, self.facts.stdlib)]
        wanted += [Path(file).parent for file in self.facts.mapped if not file.startswith(self.facts.prefix + os.sep)]
        return folders(wanted)


def inspect(python: Path, *, root: Path, cache: Path) -> Interpreter:
    """Find out what stands behind `python` without starting anything that lies in the workspace `root`."""
    python = Path(os.path.abspath(python))  # noqa: PTH100  # resolve() would follow the link that makes a virtual environment
    _check_present(python)
    settings = _virtual_settings(python)
    base = _base_of(python, settings)
    if base.is_relative_to(root.resolve()):
        raise ConfigurationError(
            f"{base} lies inside the workspace; suture does not start a program of the workspace outside the sandbox",
            remedy="make the environment from an interpreter outside the workspace: python3 -m venv --clear .venv",
        )
    facts = _facts(base, cache)
    if settings is None:
        prefix, sites = Path(facts.prefix), tuple(Path(site) for site in facts.sites)
    else:
        prefix = python.parent.parent
        sites = _virtual_sites(prefix, facts)
        if settings.get("include-system-site-packages", "").lower() == "true":
            sites += tuple(Path(site) for site in facts.sites)
    present = tuple(dict.fromkeys(site for site in sites if site.is_dir()))
    return Interpreter(python=python, base=base, prefix=prefix, virtual=settings is not None, sites=present, facts=facts)


def toolchain_fields(interpreter: Interpreter, cache: Path) -> dict[str, str]:
    """The identity's `toolchain`: equal for the same interpreter at two paths."""
    facts = interpreter.facts
    return {
        "implementation": facts.implementation,
        "version": facts.version,
        "abi": facts.abi,
        "content": _content(interpreter, cache),
        "openssl": facts.openssl,
        "sqlite": facts.sqlite,
        "zlib": facts.zlib,
    }


def folders(paths: list[Path]) -> tuple[str, ...]:
    """The paths that exist and lie outside the system's folders, each once, those inside another left out."""
    kept: list[Path] = []
    for path in sorted({path for path in paths if path.exists() and not _is_system(path)}, key=lambda path: len(path.parts)):
        if path != Path("/") and path != Path.home() and not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return tuple(sorted(map(str, kept)))


def _check_present(python: Path) -> None:
    if not os.path.lexists(python):
        raise ConfigurationError(f"{python} does not exist", remedy="name the interpreter of the environment, such as .venv/bin/python")
    if not python.exists():
        raise ConfigurationError(
            f"{python} is a broken link to {python.readlink()}: the interpreter that it was made with is gone",
            remedy="make the environment again: python3 -m venv --clear FOLDER, then install what the workspace needs",
        )
    if not os.access(python, os.X_OK) or python.is_dir():
        raise ConfigurationError(f"{python} is not a program", remedy="name the interpreter itself, such as .venv/bin/python")


def _virtual_settings(python: Path) -> dict[str, str] | None:
    for folder in (python.parent, python.parent.parent):
        content = read_plain(folder / "pyvenv.cfg", most=LARGEST_SETTINGS)
        if content is not None:
            lines = as_text(content, errors="replace").splitlines()
            return {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return None


def _base_of(python: Path, settings: dict[str, str] | None) -> Path:
    resolved = python.resolve()
    if settings is None or not resolved.is_relative_to(python.parent.parent.resolve()):
        return resolved
    home = Path(settings.get("home", ""))  # the environment was made with --copies
    candidates = [Path(settings.get("executable", "")), home / python.name, *(home / f"python{n}" for n in ("3", ""))]
    for candidate in candidates:
        if candidate.is_absolute() and _NAME.fullmatch(candidate.name) and os.access(candidate, os.X_OK):
            return candidate.resolve()
    raise ConfigurationError(
        f"{python.parent.parent / 'pyvenv.cfg'} names no interpreter that exists (home = {settings.get('home', '')!r})",
        remedy="make the environment again: python3 -m venv --clear FOLDER, then install what the workspace needs",
    )


def _virtual_sites(prefix: Path, facts: Facts) -> tuple[Path, ...]:
    name = "pypy" if facts.implementation == "pypy" else "python"
    found = [prefix / lib / f"{name}{facts.feature_version}{free}" / "site-packages" for lib in ("lib", "lib64") for free in ("", "t")]
    return tuple({path.resolve(): path for path in reversed(found) if path.is_dir()}.values())[::-1]


def _facts(base: Path, cache: Path) -> Facts:
    """Ask the base interpreter once; remembered until its binary changes."""
    status = base.stat()
    key = hashlib.sha256(f"{base}\0{stamp_of(status)}\0{PROBE}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    place = cache / "interpreters" / f"{key}.json"
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(place.read_bytes(), type=Facts)
    content = _ask(base)
    try:
        facts = msgspec.json.decode(content, type=Facts)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"{base} does not answer like a Python interpreter: {error}", remedy="name a CPython 3.8 or newer"
        ) from error
    with contextlib.suppress(OSError):  # an unwritable cache costs time only
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, content)
    return facts


def _ask(base: Path) -> bytes:
    if not _NAME.fullmatch(base.name):
        raise ConfigurationError(
            f"{base} is not called like a Python interpreter", remedy="name the interpreter itself, such as python3.11"
        )
    try:
        answer = subprocess.run(  # a base interpreter outside the workspace, isolated and without site
            [str(base), "-I", "-S", "-B", "-c", PROBE], capture_output=True, timeout=_PROBE_SECONDS, check=False, env={"LC_ALL": "C.UTF-8"}
        )
    except subprocess.TimeoutExpired as error:
        raise InfrastructureError(f"{base} did not answer within {_PROBE_SECONDS} s", remedy=f"try: {base} -I -S -c pass") from error
    except OSError as error:
        raise ConfigurationError(f"{base} does not start: {error.strerror}", remedy="install the interpreter again") from error
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ConfigurationError(f"{base} does not start: {' '.join(said)}", remedy="install the interpreter again")
    return answer.stdout


def _prefixes(python: Path) -> Iterator[Path]:
    """The installation behind every link on the way from `python` to its binary: the links must resolve inside the sandbox too."""
    hop = python
    for _ in range(40):
        prefix = hop.parent.parent
        if any(prefix.glob("lib/*/os.py")):
            yield prefix
        elif not (prefix / "pyvenv.cfg").exists():
            yield hop
        if not hop.is_symlink():
            return
        hop = Path(os.path.normpath(hop.parent / hop.readlink()))


def _is_system(path: Path) -> bool:
    return any(path == Path(folder) or path.is_relative_to(folder) for folder in _SYSTEM)


def _content(interpreter: Interpreter, cache: Path) -> str:
    """Hash of binary, libpython and standard library; what an installer writes its own path into is left out."""
    libraries = [file for file in interpreter.facts.mapped if os.path.basename(file).startswith(("libpython", "libpypy"))]  # noqa: PTH119
    stamps = {str(interpreter.base): stamp_of(interpreter.base.stat())}
    names = {str(interpreter.base): "python"}
    for library in libraries:
        with contextlib.suppress(OSError):
            stamps[library] = stamp_of(os.stat(library))  # noqa: PTH116  # a str is what the interpreter reported
            names[library] = os.path.basename(library)  # noqa: PTH119  # as above
    for stdlib in interpreter.facts.stdlib:
        for path, stamp in walk(Path(stdlib), _skip_stdlib).items():
            if _counts(path):
                stamps[path], names[path] = stamp, os.path.relpath(path, stdlib)

    copied = str(interpreter.python.resolve())
    stamps[copied] = stamp_of(os.stat(copied))  # noqa: PTH116  # as above

    def compute(hashes: Mapping[str, str]) -> str:
        pairs = [(name, hashes[path]) for path, name in names.items()]
        if hashes[copied] != hashes[str(interpreter.base)]:  # made with --copies, and not the program that it should be
            pairs.append(("copied python", hashes[copied]))
        return manifests.keep(cache, pairs)

    return remembered(f"{interpreter.base}\0{copied}", stamps, cache, str, compute)


def _skip_stdlib(name: str) -> bool:
    return name in _NOT_STDLIB or name.startswith("config-")


def _counts(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith((".py", ".so")) and not name.startswith("_sysconfigdata")
