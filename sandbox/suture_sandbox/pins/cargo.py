"""Cargo: Cargo.toml against the Cargo.lock of its workspace, and the toolchain that rustup would fetch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from suture_sandbox.pins.finding import Floating, Tree, ancestors, line_of
from suture_sandbox.pins.markup import read_toml, table, tables

_SECTIONS = ("dependencies", "dev-dependencies", "build-dependencies")
_DATED = re.compile(r"\d+\.\d+(\.\d+)?(-[\w-]+)?|(nightly|beta)-\d{4}-\d{2}-\d{2}(-[\w-]+)?")
_HOW = "commit Cargo.lock: cargo generate-lockfile; build with --locked"


def floating(tree: Tree) -> Iterator[Floating]:
    """Dependencies that no Cargo.lock knows, and toolchains without a version."""
    for path in tree.named("Cargo.toml"):
        yield from _manifest(tree, path)
    for path in tree.named("rust-toolchain", "rust-toolchain.toml"):
        text = tree.text(path)
        channel = str(table(read_toml(tree, path).get("toolchain")).get("channel", "")) if "[" in text else text.strip()
        if channel and not _DATED.fullmatch(channel):
            why = f"{channel} is another compiler every six weeks or sooner"
            yield Floating(
                ecosystem="cargo", path=path, line=line_of(text, channel), what=channel, why=why, pin='name the version: channel = "1.85.0"'
            )


def _manifest(tree: Tree, path: str) -> Iterator[Floating]:
    manifest = read_toml(tree, path)
    lock, known = _locked(tree, path)
    text = tree.text(path)
    for name, value in _dependencies(manifest):
        package = str(table(value).get("package", name))
        if package not in known and (why := _open(value)):
            told = f"{lock} does not know it: {why}" if lock else why
            yield Floating(ecosystem="cargo", path=path, line=_line(text, name), what=f"{name} {_short(value)}", why=told, pin=_HOW)


def _dependencies(manifest: dict[str, Any]) -> Iterator[tuple[str, object]]:
    places = [manifest, table(manifest.get("workspace")), *map(table, table(manifest.get("target")).values())]
    for place in places:
        for section in _SECTIONS:
            yield from table(place.get(section)).items()


def _open(value: object) -> str:
    known = table(value)
    if "path" in known or known.get("workspace"):
        return ""
    if "git" in known:
        if re.fullmatch(r"[0-9a-f]{40}", str(known.get("rev", ""))):
            return ""
        return f"{known.get('tag') or known.get('branch') or known.get('rev') or 'the default branch'} is no commit: it moves"
    version = str(known.get("version", "*")) if isinstance(value, dict) else str(value)
    if re.fullmatch(r"=\s*\d+\.\d+\.\d+\S*", version.strip()):
        return ""
    return "any release is taken, the newest first" if "*" in version else "the newest compatible release is taken on the day"


def _locked(tree: Tree, path: str) -> tuple[str, frozenset[str]]:
    for folder in ancestors(path):
        if tree.has(f"{folder}Cargo.lock"):
            packages = tables(read_toml(tree, f"{folder}Cargo.lock").get("package"))
            return f"{folder}Cargo.lock", frozenset(str(package.get("name")) for package in packages)
    return "", frozenset()


def _line(text: str, name: str) -> int:
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(rf"\s*\"?{re.escape(name)}\"?\s*[.=]", line) or line.strip().endswith(f".{name}]"):
            return number
    return line_of(text, name)


def _short(value: object) -> str:
    known = table(value)
    return str(known.get("version") or known.get("git") or "any") if isinstance(value, dict) else str(value)
