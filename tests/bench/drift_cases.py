"""Cases of real dependency drift, rebuilt from manifests: sources by package name and version, each checked against its digest.

A manifest (`case.toml`, `requirements.txt`) names two releases of a package, the environment in which the older one fails, and the files
that upstream changed. What upstream changed is computed from the two releases when the bench runs; no third party's code is in this
repository. No code of a package runs while a case is rebuilt: uv is told the dependencies instead of asking the package's build.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

_PUBLIC = re.compile(r"^\s*(?:def|class) ([A-Za-z]\w*)", re.MULTILINE)
_SUPPRESSION = re.compile(r"\s*#\s*(noqa|pragma: no cover|type: ignore).*$")
UV = str(Path(sys.executable).parent / "uv")


class CannotRebuild(Exception):
    """Why a case cannot be had on this machine."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest."""

    id: str
    folder: Path
    table: dict[str, Any]

    @property
    def releases(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Version and digest of the sources, before and after upstream's change."""
        table = self.table
        return (table["version"], table["sdist_sha256"]), (table["fixed_version"], table["fixed_sha256"])


def load(folder: Path) -> list[Case]:
    """Every case of a folder."""
    paths = sorted(folder.glob("*/case.toml"))
    return [Case(id=path.parent.name, folder=path.parent, table=tomllib.loads(path.read_text())) for path in paths]


def rebuild(case: Case, root: Path, pythons: dict[str, str], cache: Path) -> list[str]:
    """Lay the case out at `root`: old sources, its tests, its environment, suture's settings. Hands back the turns that play upstream."""
    python = interpreter(case.table["python"], pythons)
    old, new = (unpacked(case, version, sha256, cache) for version, sha256 in case.releases)
    shutil.copytree(old, root)
    if case.table["tests_from"] == "fixed_version":
        for name in case.table["tests_dirs"]:
            shutil.rmtree(root / name, ignore_errors=True)
            shutil.copytree(new / name, root / name)
    turns = upstream(case, root, new)
    _run([UV, "venv", "-q", "--no-project", "--no-config", "--python", python, str(root / ".venv")], cache)
    requirements = ["-r", str(case.folder / "requirements.txt")]
    _run([UV, "pip", "install", "-q", "--no-deps", "--no-build", "--python", str(root / ".venv/bin/python"), *requirements], cache)
    (root / "suture.toml").write_text(settings(case))
    _run(["git", "init", "-q", "."], root)
    return turns


def interpreter(version: str, pythons: dict[str, str]) -> str:
    """An interpreter of that version: the one that was named, or one of this machine's."""
    if version in pythons:
        return pythons[version]
    found = subprocess.run(
        [UV, "python", "find", "--no-project", "--no-python-downloads", "--system", version], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise CannotRebuild(f"it needs Python {version}, which this machine does not have; name one: --python {version}=/path/to/python")
    return found.stdout.strip()


def unpacked(case: Case, version: str, sha256: str, cache: Path) -> Path:
    """The sources of a release, downloaded where they are not in the cache, checked, unpacked."""
    package, folder = case.table["package"], cache / f"{case.table['package']}-{version}"
    if not folder.is_dir():
        content = _sources(package, version, cache)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CannotRebuild(f"the sources of {package} {version} are not those that the manifest names")
        temporary = cache / f".{folder.name}"
        shutil.rmtree(temporary, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(temporary, filter="data")
        (inner,) = temporary.iterdir()
        inner.rename(folder)
    return folder


def _sources(package: str, version: str, cache: Path) -> bytes:
    """The source distribution, from the index that uv is set up for. Nothing of it runs: its dependencies are said to be none."""
    place = cache / f"ask-{package}-{version}"
    place.mkdir(parents=True, exist_ok=True)
    known = f'[tool.uv]\ndependency-metadata = [{{name = "{package}", version = "{version}", requires-dist = []}}]\n'
    (place / "pyproject.toml").write_text(f'[project]\nname = "ask"\nversion = "1"\nrequires-python = ">=3.8"\n{known}')
    (place / "ask.txt").write_text(f"{package}=={version}\n")
    _run([UV, "pip", "compile", "-q", "--no-deps", "--format", "pylock.toml", "-o", "pylock.toml", "ask.txt"], place)
    (found,) = tomllib.loads((place / "pylock.toml").read_text())["packages"]
    if "sdist" not in found:
        raise CannotRebuild(f"the index has no sources of {package} {version}")
    with urllib.request.urlopen(found["sdist"]["url"], timeout=60) as answer:
        return answer.read()


def settings(case: Case) -> str:
    """The case's command as a check of suture; nothing else is configured."""
    command: str = case.table["command"]
    words = shlex.split(command)
    is_pytest = words[:3] == ["python", "-m", "pytest"]
    argv = [*words, "--junitxml={report}"] if is_pytest else ["sh", "-c", command]
    variables = [f"{name}={value}" for name, value in case.table["env"].items()]
    lines = [
        "[checks.tests]",
        'kind = "tests"',
        f"command = {json.dumps(['env', *variables, *argv] if variables else argv)}",
        f'report = "{"junit" if is_pytest else "generic"}"',
        f"selectable = {str(is_pytest).lower()}",
    ]
    return "\n".join(lines) + "\n"


def upstream(case: Case, root: Path, new: Path) -> list[str]:
    """Turns of a scripted policy that make upstream's change to the files that the manifest names, hunk by hunk, and submit it."""
    before = {name: (root / name).read_text("utf-8") if (root / name).exists() else "" for name in case.table["gold"]["files"]}
    after = chosen(before, {name: _moved(new, name).read_text("utf-8") for name in before}, case.table["gold"])
    plain = {name: without_suppressions(before[name], text) for name, text in after.items()}
    submit = {"calls": [{"name": "submit", "arguments": {}}]}
    turns: list[dict[str, Any]] = [{"calls": _edits(before, after)}, submit]
    if plain != after:  # what a policy does that reads why it was refused
        turns += [{"match": "hides a problem", "calls": _edits(after, plain)}, submit]
    return [json.dumps(turn) for turn in ({"name": "upstream", "tools": True, "context": 1_000_000}, *turns)]


def chosen(before: dict[str, str], after: dict[str, str], size: dict[str, Any]) -> dict[str, str]:
    """Of two releases' difference the hunks that are the fix, by the size that the manifest gives it; all where none has that size."""
    texts = {name: (before[name].splitlines(keepends=True), after[name].splitlines(keepends=True)) for name in before}
    groups = [(name, group) for name, (old, new) in texts.items() for group in _groups(old, new)]
    for picked in itertools.combinations(groups, min(size["hunks"], len(groups))):
        changes = [code for _, group in picked for code in group if code[0] != "equal"]
        if (sum(code[4] - code[3] for code in changes), sum(code[2] - code[1] for code in changes)) == (size["added"], size["removed"]):
            kept = {name: [code for other, group in picked if other == name for code in group if code[0] != "equal"] for name in before}
            return {name: _patched(*texts[name], kept[name]) for name in before}
    return after


def _groups(old: list[str], new: list[str]) -> list[list[tuple[str, int, int, int, int]]]:
    return list(difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(3))


def _patched(old: list[str], new: list[str], changes: list[tuple[str, int, int, int, int]]) -> str:
    lines = list(old)
    for _, start, end, first, last in reversed(changes):
        lines[start:end] = new[first:last]
    return "".join(lines)


def deletes_public_names(case: Case, root: Path, turns: list[str]) -> bool:
    """Whether upstream's change takes away a public function or class."""
    names = case.table["gold"]["files"]
    before = {name: (root / name).read_text("utf-8") for name in names if name.endswith(".py") and (root / name).exists()}
    after = dict(before)
    for call in json.loads(turns[1])["calls"]:
        arguments = call["arguments"]
        after[arguments["path"]] = after.get(arguments["path"], "").replace(arguments["search"], arguments["replace"], 1)
    defined = [set(_PUBLIC.findall("\n".join(texts.values()))) for texts in (before, after)]
    return bool(defined[0] - defined[1])


def _moved(new: Path, name: str) -> Path:
    """A file of the newer release, which may have moved its packages below src."""
    places = [place for place in (new / name, new / "src" / name) if place.exists()]
    if not places:
        raise CannotRebuild(f"the newer release has no {name}")
    return places[0]


def without_suppressions(before: str, after: str) -> str:
    """The newer text without comments that silence a check and are not in the older one."""
    known = set(before.splitlines())
    lines = [line if line in known else _SUPPRESSION.sub("", line) for line in after.splitlines()]
    return "\n".join(lines) + ("\n" if after.endswith("\n") else "")


def _edits(before: dict[str, str], after: dict[str, str]) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    for name, text in after.items():
        calls += [_edit(name, search, replace) for search, replace in (hunks(before[name], text) if before[name] else [("", text)])]
    return calls


def hunks(before: str, after: str) -> list[tuple[str, str]]:
    """Replacements that turn one text into the other, in order; what each replaces occurs once in the text as it is by then."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[tuple[str, str]] = []
    done, text = 0, before
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(2):
        start, end, first, last = group[0][1], group[-1][2], group[0][3], group[-1][4]
        while text.count("".join(old[start:end])) != 1 and start > done:
            start, first = start - 1, first - 1
        search, replace = "".join(old[start:end]), "".join(new[first:last])
        if text.count(search) != 1:
            return [(before, after)]
        found.append((search, replace))
        text = text.replace(search, replace)
        done = end
    return found if text == after else [(before, after)]


def _edit(path: str, search: str, replace: str) -> dict[str, Any]:
    return {"name": "edit_file", "arguments": {"path": path, "search": search, "replace": replace}}


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "UV_LINK_MODE": "copy"})
    if done.returncode:
        raise CannotRebuild(f"{' '.join(command[:4])}: {done.stderr.strip()[-400:]}")
