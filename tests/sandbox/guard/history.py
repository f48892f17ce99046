"""How often the guard refuses what people did: `python tests/sandbox/guard/history.py REPOSITORY... [--json] [--most N]`.

Reads the bug fixes of a git repository's history (commits that say "fix" and change source and tests together). Each becomes a
problem: the tests as the commit leaves them, the source as its parent had it; the patch is the commit's change of the source. What the
guard refuses of it is a false alarm, or a fix that a careful person would look at twice. Nothing of the repository is run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from suture_sandbox.checks import Check
from suture_sandbox.findings import Finding
from suture_sandbox.guard import GuardContext, GuardFinding, inspect
from suture_sandbox.guard.paths import is_test, kind_of
from suture_sandbox.guard.source import dump, parse
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

MOST_FILES = 12
"""A commit that changes more Python files is no bug fix."""


class Fix(msgspec.Struct, frozen=True):
    """A commit as a problem and a patch."""

    commit: str
    subject: str
    snapshot: Snapshot
    patch: Patch
    failing: tuple[str, ...]

    def inspect(self) -> tuple[GuardFinding, ...]:
        """What the guard says."""
        where = Range(Position(0, 0), Position(0, 0))
        found = tuple(Finding(check="tests", path="", range=where, message="", test=test) for test in self.failing)
        checks = (Check(name="tests", kind="tests", command=("pytest",), report="junit"),)
        return inspect(self.patch, self.snapshot, GuardContext(checks=checks, findings=found))


def fixes(repository: Path, most: int) -> Iterator[Fix]:
    """The repository's newest bug fixes, at most so many."""
    listed = _git(repository, "log", "--no-merges", "-i", "-E", r"--grep=\bfix(es|ed)?\b", "--format=%H %s").decode("utf-8", "replace")
    found = 0
    for line in listed.splitlines():
        commit, _blank, subject = line.partition(" ")
        fix = _fix(repository, commit, subject)
        if fix is not None:
            found += 1
            yield fix
        if found >= most:
            return


def _fix(repository: Path, commit: str, subject: str) -> Fix | None:
    names = _git(repository, "diff-tree", "-r", "--no-renames", "--no-commit-id", "--name-only", "-z", commit).decode().split("\0")
    python = [name for name in names if name.endswith(".py")]
    tests = [name for name in python if is_test(name)]
    source = [name for name in python if not kind_of(name) and not name.startswith(("docs/", "examples/"))]
    if not tests or not source or len(python) > MOST_FILES:
        return None
    before = {name: _content(repository, f"{commit}^", name) for name in (*source, *tests)}
    after = {name: _content(repository, commit, name) for name in (*source, *tests)}
    failing = tuple(test for name in tests for test in _changed_tests(name, before[name], after[name]))
    merged = {**{name: before[name] for name in source}, **{name: after[name] for name in tests}}
    snapshot = Snapshot(Path("/nonexistent"), {name: content for name, content in merged.items() if content is not None})
    patch = patch_between(snapshot, {name: after[name] for name in source})
    return Fix(commit, subject, snapshot, patch, failing) if failing and patch.edits else None


def _changed_tests(path: str, before: bytes | None, after: bytes | None) -> list[str]:
    """Identifiers of the test functions that the commit adds or changes: those that fail without its source."""
    old, new = parse(before), parse(after)
    known = {name: dump(node) for name, node in old.functions.items()} if old else {}
    functions = new.functions.items() if new else ()
    return [
        f"{path}::{name.replace('.', '::')}"
        for name, node in functions
        if name.rpartition(".")[2].startswith("test") and "<locals>" not in name and known.get(name) != dump(node)
    ]


def _content(repository: Path, commit: str, path: str) -> bytes | None:
    done = subprocess.run(["git", "-C", str(repository), "show", f"{commit}:{path}"], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True).stdout


def main(arguments: Sequence[str]) -> int:
    """Print the figures of each repository, then every refusal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--most", type=int, default=100, help="newest fixes of each repository to read")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    refused: list[tuple[str, Fix, tuple[GuardFinding, ...]]] = []
    read: Counter[str] = Counter()
    for repository in options.repositories:
        for fix in fixes(repository, options.most):
            read[str(repository)] += 1
            if found := fix.inspect():
                refused.append((str(repository), fix, found))
    rules = Counter(rule for _repository, _fix, found in refused for rule in {finding.rule for finding in found})
    print(_json(read, refused, rules) if options.json else _shown(read, refused, rules))
    return 0


Refused = Sequence[tuple[str, Fix, tuple[GuardFinding, ...]]]


def _json(read: Counter[str], refused: Refused, rules: Counter[str]) -> str:
    listed = [
        {"repository": repository, "commit": fix.commit, "subject": fix.subject, "findings": msgspec.to_builtins(found)}
        for repository, fix, found in refused
    ]
    return json.dumps({"fixes": dict(read), "refused": len(refused), "rules": dict(rules), "refusals": listed}, indent=2)


def _shown(read: Counter[str], refused: Refused, rules: Counter[str]) -> str:
    by_repository = Counter(repository for repository, _fix, _found in refused)
    lines = [f"{by_repository[name]:5} of {count:5} fixes refused in {name}" for name, count in read.items()]
    share = f" ({len(refused) / read.total():.1%})" if read.total() else ""
    lines += [f"{len(refused):5} of {read.total():5} in all{share}", ""]
    lines += [f"{count:5} {rule}" for rule, count in rules.most_common()]
    for _repository, fix, found in refused:
        lines += ["", f"{fix.commit[:10]} {fix.subject[:100]}"]
        lines += [f"    {finding.rule} {finding.path}:{finding.line + 1}: {finding.message}" for finding in found]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
