"""Gradle: dynamic versions in build files and version catalogues, where no lock state holds them. Read line by line, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from suture_sandbox.pins.finding import Floating, Tree, folder_of, line_of
from suture_sandbox.pins.markup import read_toml, table
from suture_sandbox.pins.maven import open_range, open_wrapper

_COORDINATES = re.compile(r"""["']([\w.-]{1,100}:[\w.-]{1,100}):([^"':@]{1,60})(?:[:@][\w.-]{1,40})?["']""")
_NAMED = re.compile(r"""\bversion\s*[:=(]?\s*["']([^"']{1,60})["']""")
_HOW = "name one version, or lock: dependencyLocking { lockAllConfigurations() }, then gradle dependencies --write-locks"


def floating(tree: Tree) -> Iterator[Floating]:
    """Dynamic versions that no lock state holds, and wrappers without a hash."""
    for path in tree.named("*.gradle", "*.gradle.kts"):
        if not tree.has(f"{folder_of(path)}gradle.lockfile"):
            yield from _build_file(tree, path)
    for path in tree.named("*.versions.toml"):
        if not tree.has("gradle.lockfile"):
            yield from _catalogue(tree, path)
    for path in tree.named("gradle-wrapper.properties"):
        yield from open_wrapper(tree, path, "gradle")


def open_gradle(version: str) -> str:
    """Why a version of Gradle floats; empty where it is one version or filled in elsewhere."""
    return "" if "$" in version else open_range(version.partition("!!")[0])


def _build_file(tree: Tree, path: str) -> Iterator[Floating]:
    comment = False
    for number, line in tree.lines(path):
        text = line.strip()
        if comment or text.startswith("/*"):
            comment = "*/" not in text
            continue
        if text.startswith(("//", "version ", "version=")):
            continue  # a comment, or the project's own version
        for found in _COORDINATES.finditer(text):
            if why := open_gradle(found[2]):
                yield _found(path, number, f"{found[1]}:{found[2]}", why)
        for found in _NAMED.finditer(text) if "name" in text or "id" in text or "alias" in text or "kotlin(" in text else ():
            if why := open_gradle(found[1]):
                yield _found(path, number, f"version {found[1]}", why)
        if re.search(r"\bchanging\s*=\s*true|isChanging\s*=\s*true", text):
            yield _found(path, number, text[:80], "a changing module is downloaded again under the same version")


def _catalogue(tree: Tree, path: str) -> Iterator[Floating]:
    content, text = read_toml(tree, path), tree.text(path)
    for section in ("versions", "libraries", "plugins"):
        for name, value in table(content.get(section)).items():
            for version in _versions(value, plain=section == "versions"):
                if why := open_gradle(version):
                    yield _found(path, line_of(text, version, name), f"{name} {version}", why)


def _versions(value: object, *, plain: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield value if plain else value.rpartition(":")[2]
        return
    known = table(value)
    version = known if plain else known.get("version", "")
    if isinstance(version, str):
        yield version
    else:
        yield str(table(version).get("strictly") or table(version).get("require") or table(version).get("prefer") or "")


def _found(path: str, line: int, what: str, why: str) -> Floating:
    return Floating(ecosystem="gradle", path=path, line=line, what=what, why=why, pin=_HOW)
