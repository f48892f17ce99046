"""Commands that install something: in Dockerfiles, shell scripts, makefiles and workflows. What they name without a version floats.

A command is read word by word, as a shell would split it more or less; words with variables are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from suture_sandbox.pins.containers import DOCKERFILES, logical_lines
from suture_sandbox.pins.finding import Floating, Tree
from suture_sandbox.pins.markup import read_yaml
from suture_sandbox.pins.npm import open_version
from suture_sandbox.pins.python import open_requirement

WORKFLOWS = (".github/workflows/*.yml", ".github/workflows/*.yaml", "action.yml", "action.yaml")
_SCRIPTS = ("*.sh", "*.bash", "Makefile", "makefile", "*.mk")
_SPLIT = re.compile(r"&&|\|\||[;|&()]")
_BEFORE = frozenset({"sudo", "env", "exec", "time", "run", "then", "do", "else", "!", "nice", "command", "RUN", "-E"})
_WITH_VALUE = frozenset(
    {"-t", "--target", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--python", "--prefix", "-o", "-c", "-r"}
)
_LAST_WINS = "whatever the archive serves on the day is installed"

Found = Iterator[tuple[str, str, str]]
"""What floats, why, how to pin it."""


def floating(tree: Tree) -> Iterator[Floating]:
    """Packages that commands install without a version."""
    for path in tree.named(*DOCKERFILES):
        for number, line in logical_lines(tree, path):
            if line[:4].upper() == "RUN ":
                yield from _in_line(path, number, line[4:])
    for path in tree.named(*_SCRIPTS):
        for number, line in logical_lines(tree, path):
            yield from _in_line(path, number, line.lstrip("@-\t "))
    for path in tree.named(*WORKFLOWS):
        for key, node in read_yaml(tree, path).walk():
            for offset, line in enumerate(node.text.split("\n") if key == "run" else ()):
                yield from _in_line(path, node.line + offset, line.strip())


def _in_line(path: str, number: int, line: str) -> Iterator[Floating]:
    for part in _SPLIT.split(line):
        words = [word.strip("\"'") for word in part.split()]
        while words and (words[0] in _BEFORE or re.match(r"[A-Za-z_]\w*=|--mount=|--network=", words[0])):
            words.pop(0)
        if not words or words[0].startswith("#"):
            continue
        for what, why, pin in _judged(words):
            yield Floating(ecosystem="commands", path=path, line=number, what=what, why=why, pin=pin)


def _judged(words: list[str]) -> Found:
    program = words[0].rpartition("/")[2]
    rest = words[1:]
    if re.fullmatch(r"python[0-9.]*", program) and rest[:2] == ["-m", "pip"]:
        program, rest = "pip", rest[2:]
    if program == "uv" and rest[:1] == ["pip"]:
        program, rest = "pip", rest[1:]
    program = "pip" if re.fullmatch(r"pip[0-9.]*", program) else program
    judge = _PROGRAMS.get(program)
    return judge(rest) if judge else iter(())


def _names(words: list[str]) -> Iterator[str]:
    """Words that are no options, no variables and no files."""
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = not skip and word in _WITH_VALUE
            continue
        if word.startswith("#") or word in (">", "2>", "<", "\\") or word[:1] in (">", "<"):
            return
        if not set(word) & set("$`*{}") and not word.startswith((".", "/", "~", "file:")):
            yield word


def _apt(words: list[str]) -> Found:
    if "install" not in words or "--help" in words:
        return
    for name in _names(words[words.index("install") + 1 :]):
        if "=" not in name and not name.endswith(".deb"):
            yield name, _LAST_WINS, f"name the version, {name}=VERSION, or use a snapshot of the archive, and the image by digest"


def _apk(words: list[str]) -> Found:
    if "add" in words:
        for name in _names(words[words.index("add") + 1 :]):
            if not re.search(r"[=~]", name):
                yield name, _LAST_WINS, f"name the version: {name}=VERSION-rREVISION"


def _pip(words: list[str]) -> Found:
    if words[:1] != ["install"] or {"--no-index", "--require-hashes"} & set(words):
        return
    for name in _names(words[1:]):
        if why := open_requirement(name):
            yield name, why, "install from a file with hashes: pip install --require-hashes -r requirements.txt"


def _npm(words: list[str]) -> Found:
    everywhere = {"-g", "--global"} & set(words)
    if everywhere and words[:1] and words[0] in ("install", "i", "add"):
        for name in _names(words[1:]):
            yield from _npm_package(name)


def _npx(words: list[str]) -> Found:
    for name in list(_names(words))[:1]:
        if "@" in name[1:]:
            yield from _npm_package(name)


def _npm_package(name: str) -> Found:
    package, _, version = name[1:].partition("@")
    if why := open_version(version):
        yield name, why, f"name the version: {name[:1]}{package}@1.2.3"


def _go(words: list[str]) -> Found:
    if words[:1] and words[0] in ("install", "run", "get"):
        for name in _names(words[1:]):
            module, at, version = name.partition("@")
            if at and not re.fullmatch(r"v\d+\.\d+\.\d+\S*|[0-9a-f]{12,40}", version):
                yield name, f"{version} moves", f"name the version: {module}@v1.2.3"


def _cargo(words: list[str]) -> Found:
    if words[:1] != ["install"] or {"--path", "--locked"} <= set(words) or "--path" in words:
        return
    pinned = any(word == "--version" or word.startswith("--version=") or word in ("--rev", "--vers") for word in words)
    for name in list(_names(words[1:]))[:1]:
        if not pinned and "@" not in name:
            yield name, "the newest release is installed on the day", f"cargo install --locked {name}@1.2.3"


_PROGRAMS: Mapping[str, Callable[[list[str]], Found]] = {
    "apt-get": _apt,
    "apt": _apt,
    "apk": _apk,
    "pip": _pip,
    "npm": _npm,
    "pnpm": _npm,
    "npx": _npx,
    "go": _go,
    "cargo": _cargo,
}
