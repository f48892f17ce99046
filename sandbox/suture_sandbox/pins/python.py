"""Python: requirements, pyproject.toml (standard, Poetry, PDM), setup.cfg, setup.py, Pipfile, against lock files beside or above them.

What a lock file names is pinned; what it does not name floats even though there is one. Requirements with `==` pin versions and nothing
else: without hashes an index may serve other content, and what they depend on is not said.
"""

from __future__ import annotations

import ast
import configparser
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import partial

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from suture_sandbox.pins.finding import LARGEST_LOCK, Floating, Tree, ancestors, folder_of, line_of
from suture_sandbox.pins.markup import read_json, read_toml, table, tables, texts

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pylock.suture.toml")
_REQUIREMENTS = (
    "requirements*.txt",
    "*-requirements.txt",
    "requirements/*.txt",
    "*/requirements/*.txt",
    "requirements*.in",
    "requirements/*.in",
)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HOW = "lock it with hashes: uv lock, or uv pip compile --generate-hashes"
_NEWEST = "the newest release that fits is installed on the day"
LARGEST_PROGRAM = 1 << 18


def floating(tree: Tree) -> Iterator[Floating]:
    """Everything that Python's manifests leave open."""
    for path in tree.named(*_REQUIREMENTS):
        if not (path.endswith(".in") and tree.has(f"{path[:-3]}.txt")):
            yield from _requirements_file(tree, path)
    for path in tree.named("pyproject.toml"):
        yield from _pyproject(tree, path)
    for path in tree.named("setup.cfg"):
        yield from _listed(tree, path, _setup_cfg(tree, path))
    for path in tree.named("setup.py"):
        yield from _listed(tree, path, _setup_py(tree.text(path, LARGEST_PROGRAM)))
    for path in tree.named("Pipfile"):
        yield from _pipfile(tree, path)


def open_requirement(text: str) -> str:
    """Why a requirement floats; empty where it names one version or one content."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return ""
    if requirement.url:
        return open_address(requirement.url)
    exact = [item for item in requirement.specifier if item.operator in ("==", "===") and not item.version.endswith(".*")]
    if exact:
        return ""
    return _NEWEST if requirement.specifier else "any release is taken, the newest first"


def open_address(url: str) -> str:
    """Why an address floats; empty for a commit, a file of this machine, or content with its hash."""
    address, _, fragment = url.partition("#")
    if address.startswith(("git+", "hg+", "svn+", "bzr+", "git:", "ssh:")):
        _, at, revision = address.rpartition("/")[2].rpartition("@")
        return "" if at and _COMMIT.fullmatch(revision) else f"{revision if at else 'the default branch'} is no commit: it moves"
    if address.startswith("file:") or "sha256=" in fragment:
        return ""
    return "what lies at the address can be replaced: there is no hash"


def _pyproject(tree: Tree, path: str) -> Iterator[Floating]:
    project = read_toml(tree, path)
    standard = table(project.get("project"))
    listed = texts(standard.get("dependencies"))
    listed += [item for extra in table(standard.get("optional-dependencies")).values() for item in texts(extra)]
    listed += [item for group in table(project.get("dependency-groups")).values() for item in texts(group)]
    tools = table(project.get("tool"))
    listed += [item for group in table(table(tools.get("pdm")).get("dev-dependencies")).values() for item in texts(group)]
    listed += texts(table(tools.get("uv")).get("dev-dependencies"))
    sources = table(table(tools.get("uv")).get("sources"))
    local = {canonicalize_name(name) for name, source in sources.items() if table(source).keys() & {"path", "workspace"}}
    own = canonicalize_name(str(standard.get("name", "")))
    yield from _listed(tree, path, (item for item in listed if _name(item) not in {*local, own}))
    yield from _poetry(tree, path, table(tools.get("poetry")))
    yield from _build_requirements(tree, path, project)


def _build_requirements(tree: Tree, path: str, project: dict[str, object]) -> Iterator[Floating]:
    wanted = texts(table(project.get("build-system")).get("requires"))
    held = {_name(item) for item in texts(table(table(table(project.get("tool"))).get("uv")).get("build-constraint-dependencies"))}
    pinned = _hashed_names(tree, path) | held
    text = tree.text(path)
    for item in wanted:
        if (why := open_requirement(item)) and _name(item) not in pinned:
            how = "build-system.requires: name one version, as in hatchling==1.27.0 (lock files do not hold build requirements)"
            yield Floating(ecosystem="python", path=path, line=_line(text, item), what=item, why=f"to build: {why}", pin=how)


def _poetry(tree: Tree, path: str, poetry: dict[str, object]) -> Iterator[Floating]:
    tables = [table(poetry.get("dependencies")), table(poetry.get("dev-dependencies"))]
    tables += [table(table(group).get("dependencies")) for group in table(poetry.get("group")).values()]
    text, pinned = tree.text(path), _pinned(tree, path)
    for name, value in ((name, value) for each in tables for name, value in each.items()):
        why = "" if name == "python" or canonicalize_name(name) in pinned else _open_poetry(value)
        if why:
            yield Floating(
                ecosystem="python", path=path, line=line_of(text, f"{name} ="), what=f"{name} {_short(value)}", why=why, pin="poetry lock"
            )


def _open_poetry(value: object) -> str:
    """Poetry's way to say it, and Pipenv's: a version, or a table."""
    known = table(value)
    if known.get("path") or known.get("file"):
        return ""
    if known.get("git"):
        revision = str(known.get("rev") or known.get("ref") or "")
        return "" if _COMMIT.fullmatch(revision) else f"{known.get('branch') or known.get('tag') or revision or 'the default branch'} moves"
    if known.get("url"):
        return open_address(str(known["url"]))
    version = str(known.get("version", "*")) if isinstance(value, dict) else str(value)
    exact = re.fullmatch(r"={0,3}\s*\d[\w.!+-]*", version.strip()) and not version.endswith("*")
    return "" if exact else _NEWEST


def _pipfile(tree: Tree, path: str) -> Iterator[Floating]:
    lock = read_json(tree, f"{path}.lock")
    pinned = {canonicalize_name(name) for section in ("default", "develop") for name in table(lock.get(section))}
    text, content = tree.text(path), read_toml(tree, path)
    for section in ("packages", "dev-packages"):
        for name, value in table(content.get(section)).items():
            if canonicalize_name(name) not in pinned and (why := _open_poetry(value)):
                yield Floating(
                    ecosystem="python", path=path, line=line_of(text, name), what=f"{name} {_short(value)}", why=why, pin="pipenv lock"
                )


def _listed(tree: Tree, path: str, requirements: Iterable[str]) -> Iterator[Floating]:
    text, pinned = tree.text(path), _pinned(tree, path)
    for item in requirements:
        if (why := open_requirement(item)) and _name(item) not in pinned:
            yield Floating(ecosystem="python", path=path, line=_line(text, item), what=item, why=why, pin=_HOW)


def _setup_cfg(tree: Tree, path: str) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(tree.text(path))
    except configparser.Error as error:
        tree.note(f"{path}: {str(error)[:100]}")
        return
    for section, key in (("options", "install_requires"), ("options", "setup_requires"), ("options", "tests_require")):
        yield from parser.get(section, key, fallback="").split("\n")
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            yield from value.split("\n")


def _setup_py(text: str) -> Iterator[str]:
    """What setup() is given as plain lists; a list that is computed is not found."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the compiler, about how it is written
            program = ast.parse(text)
        calls = [node for node in ast.walk(program) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for keyword in (keyword for call in calls for keyword in call.keywords):
        if keyword.arg in ("install_requires", "setup_requires", "tests_require", "extras_require"):
            for node in ast.walk(keyword.value):
                for item in node.elts if isinstance(node, ast.List | ast.Tuple) else ():
                    if isinstance(item, ast.Constant) and isinstance(item.value, str):
                        yield item.value


def _requirements_file(tree: Tree, path: str) -> Iterator[Floating]:
    lines = list(requirement_lines(tree.text(path, LARGEST_LOCK)))
    pinned = _lock_names(tree, path) | _constraints(tree, path, lines)
    if path.endswith(".in"):  # what it was compiled to may have any name
        pinned |= _hashed_names(tree, path)
    unhashed: list[int] = []
    for number, line in lines:
        bare = re.sub(r"\s+--[a-z-]+(=|\s).*$", "", line)
        if (editable := re.match(r"(?:-e|--editable)[ =]+(.*)", bare)) and "://" in editable[1]:
            why = open_address(editable[1])
        elif bare.startswith(("-", ".", "/")) or not bare:
            continue
        else:
            why = open_address(bare) if "://" in bare and " @ " not in bare else open_requirement(bare)
        if why and _name(bare) not in pinned:
            yield Floating(ecosystem="python", path=path, line=number, what=bare, why=why, pin=_HOW)
        elif not why and "--hash" not in line and "://" not in bare and _name(bare) not in pinned:
            unhashed.append(number)
    if unhashed:
        what = f"{len(unhashed)} requirements without hashes"
        why = "the version is pinned, its content and what it depends on are not"
        yield Floating(ecosystem="python", path=path, line=unhashed[0], what=what, why=why, pin=f"uv pip compile --generate-hashes {path}")


def requirement_lines(text: str) -> Iterator[tuple[int, str]]:
    """Line number and logical line, comments taken out."""
    waiting, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if waiting else number
        stripped = line.strip()
        if stripped.endswith("\\"):
            waiting += stripped[:-1] + " "
            continue
        whole, waiting = waiting + stripped, ""
        whole = whole.partition(" #")[0].strip() if not whole.startswith("#") else ""
        if whole:
            yield first, whole


def _constraints(tree: Tree, path: str, lines: list[tuple[int, str]]) -> frozenset[str]:
    """Names that the constraint files of a requirements file pin with a hash."""
    found: set[str] = set()
    for _, line in lines:
        if named := re.match(r"(?:-c|--constraint)[ =]+(\S+)", line):
            other = folder_of(path) + named[1]
            if ".." not in other.split("/") and "://" not in other:
                found |= _hashed(tree, other)
    return frozenset(found)


def _pinned(tree: Tree, path: str) -> frozenset[str]:
    return _lock_names(tree, path) | _hashed_names(tree, path)


def _lock_names(tree: Tree, path: str) -> frozenset[str]:
    """Names in the lock files of the nearest folder that has any: a lock file of a folder above holds its whole workspace."""
    for folder in ancestors(path):
        if names := tree.names(f"locks in {folder}", partial(_in_locks, tree, folder)):
            return names
    return frozenset()


def _in_locks(tree: Tree, folder: str) -> frozenset[str]:
    contents = [read_toml(tree, folder + lock) for lock in _LOCKS if tree.has(folder + lock)]
    packages = [package for content in contents for key in ("package", "packages") for package in tables(content.get(key))]
    return frozenset(canonicalize_name(str(package.get("name"))) for package in packages)


def _hashed_names(tree: Tree, path: str) -> frozenset[str]:
    """Names that requirements files beside or above pin with hashes."""
    for folder in ancestors(path):
        if names := tree.names(f"hashed in {folder}", partial(_in_requirements, tree, folder)):
            return names
    return frozenset()


def _in_requirements(tree: Tree, folder: str) -> frozenset[str]:
    near = [path for path in tree.paths if path.startswith(folder) and path.endswith(".txt") and path[len(folder) :].count("/") <= 1]
    return frozenset[str]().union(*(_hashed(tree, path) for path in near if "requirements" in path[len(folder) :]))


def _hashed(tree: Tree, path: str) -> frozenset[str]:
    def find() -> frozenset[str]:
        lines = requirement_lines(tree.text(path, LARGEST_LOCK))
        return frozenset(_name(line) for _, line in lines if "--hash=" in line and "==" in line)

    return tree.names(path, find)


def _line(text: str, item: str) -> int:
    """The line in which a requirement stands by itself: its name alone may be in many."""
    for number, line in enumerate(text.split("\n"), 1):
        if f'"{item}"' in line or f"'{item}'" in line or line.strip() == item.strip():
            return number
    return line_of(text, item)


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    return canonicalize_name(found[0]) if found else ""


def _short(value: object) -> str:
    known = table(value)
    return str(known.get("version") or known.get("git") or known.get("url") or "any") if isinstance(value, dict) else str(value)
