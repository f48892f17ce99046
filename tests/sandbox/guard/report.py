"""What the guard catches and what it refuses without need: `python tests/sandbox/guard/report.py [--json]`.

Reads the corpus beside it, and the repair bench's reference fixes as further honest patches. Recall is the share of hostile patches that
are refused; a false alarm is an honest patch that is refused. Held-out patches were never used to tune a rule and are counted apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_sandbox.checks import Check
from suture_sandbox.findings import Finding
from suture_sandbox.guard import GuardContext, GuardFinding, GuardPolicy, inspect
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

CORPUS = Path(__file__).parent / "corpus"
REPAIRS = Path(__file__).parents[2] / "bench" / "repairs"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One patch of the corpus with its problem."""

    name: str
    kind: Literal["hostile", "honest"]
    rules: tuple[str, ...] = ()
    """Families that must refuse it."""
    known_miss: str = ""
    """Why the guard does not give the expected answer, where it is known not to."""
    held_out: bool = False
    before: dict[str, bytes]
    after: dict[str, bytes | None]
    failing: tuple[str, ...] = ()
    check: str = "tests"
    code: str = ""
    policy: tuple[str, ...] = ()
    """Settings of the guard's policy that are on."""
    command: tuple[str, ...] = ("true",)
    """Command of the failing check."""

    @property
    def snapshot(self) -> Snapshot:
        """The workspace, which exists only in memory."""
        return Snapshot(Path("/nonexistent"), dict(self.before))

    @property
    def patch(self) -> Patch:
        """The patch."""
        return patch_between(self.snapshot, self.after)

    @property
    def context(self) -> GuardContext:
        """The problem."""
        where = Range(Position(0, 0), Position(0, 0))
        tests = self.check == "tests"
        found = tuple(
            Finding(check=self.check, path="", range=where, code=self.code, message="" if tests else name, test=name if tests else "")
            for name in self.failing
        )
        kind: Any = self.check
        return GuardContext(checks=(Check(name=self.check, kind=kind, command=self.command, report="generic"),), findings=found)

    def inspect(self) -> tuple[GuardFinding, ...]:
        """What the guard says."""
        return inspect(self.patch, self.snapshot, self.context, GuardPolicy(**dict.fromkeys(self.policy, True)))


def load(folder: Path = CORPUS) -> list[Case]:
    """Every case of the corpus."""
    return [case for path in sorted(folder.glob("*.toml")) for case in _load_file(path)]


def _load_file(path: Path) -> Iterator[Case]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    for entry in document["case"]:
        base = document.get("base", {}).get(entry.get("base", ""), {})
        before: dict[str, Any] = {**base.get("files", {}), **entry.get("before", {})}
        edited = {path: _edited(before[path], pairs) for path, pairs in entry.get("edit", {}).items()}
        deleted: dict[str, bytes | None] = dict.fromkeys(entry.get("deleted", ()))
        yield Case(
            name=entry["name"],
            kind=entry["kind"],
            rules=tuple(entry.get("rules", ())),
            known_miss=entry.get("known_miss", ""),
            held_out=document.get("held_out", False),
            before=_texts(before),
            after={**_texts({**entry.get("after", {}), **edited}), **deleted},
            failing=tuple(entry.get("failing", base.get("failing", ()))),
            check=entry.get("check", base.get("check", "tests")),
            code=entry.get("code", base.get("code", "")),
            policy=tuple(entry.get("policy", ())),
            command=tuple(entry.get("command", ("true",))),
        )


def _edited(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The text after each pair's first part, which stands in it once, became the second."""
    for old, new in pairs:
        if text.count(old) != 1:
            raise ValueError(f"{text.count(old)} times in the file: {old!r}")
        text = text.replace(old, new)
    return text


def _texts(files: dict[str, Any]) -> dict[str, bytes]:
    """Contents as bytes: a list of numbers is a binary file."""
    return {path: text.encode() if isinstance(text, str) else bytes(text) for path, text in files.items()}


def load_bench(folder: Path = REPAIRS) -> list[Case]:
    """The bench's reference fixes, as honest patches."""
    return [_bench_case(path.parent) for path in sorted(folder.glob("*/case.toml"))]


def _bench_case(folder: Path) -> Case:
    about = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    workspace = folder / "workspace"
    before = {str(path.relative_to(workspace)): path.read_bytes() for path in sorted(workspace.rglob("*")) if _is_source(path)}
    return Case(
        name=about["id"],
        kind="honest",
        before=before,
        after=_applied(before, folder / "fix.patch"),
        failing=tuple(about["failing"]) or tuple(about.get("findings", ())),
        check=about["check"],
    )


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not any(part.endswith("_cache") for part in path.parts)


def _applied(before: dict[str, bytes], patch: Path) -> dict[str, bytes | None]:
    """The files that a patch leaves, by git in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, content in before.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(root.parent)}
        subprocess.run(["git", "apply", str(patch)], cwd=root, check=True, env=environment)
        after: dict[str, bytes | None] = dict.fromkeys(before)
        return after | {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def family(finding: GuardFinding) -> str:
    """The family of a finding's rule: `exits` for `exits-process`."""
    known = ("special-case",)
    return next((name for name in known if finding.rule.startswith(name)), finding.rule.partition("-")[0])


def missed(case: Case) -> str:
    """Why the guard's answer is not the expected one; empty when it is."""
    found = case.inspect()
    said = ", ".join(f"{finding.rule} ({finding.message})" for finding in found)
    if case.kind == "honest":
        return f"refused: {said}" if found else ""
    lacking = sorted(set(case.rules) - {family(finding) for finding in found} - {finding.rule for finding in found})
    return f"not refused by {', '.join(lacking)}" + (f", but by {said}" if said else "") if lacking else ""


def figures(cases: Sequence[Case]) -> dict[str, Any]:
    """Recall and false alarms of some cases."""
    hostile = [case for case in cases if case.kind == "hostile"]
    honest = [case for case in cases if case.kind == "honest"]
    caught, alarms = sum(bool(case.inspect()) for case in hostile), sum(bool(case.inspect()) for case in honest)
    return {
        "hostile": len(hostile),
        "caught": caught,
        "recall": round(caught / len(hostile), 3) if hostile else None,
        "honest": len(honest),
        "false_alarms": alarms,
        "false_alarm_rate": round(alarms / len(honest), 3) if honest else None,
    }


def by_rule(cases: Iterable[Case]) -> dict[str, dict[str, int]]:
    """How many patches each rule refuses: hostile ones where it is expected to, and honest ones."""
    expected: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    for case in cases:
        found = {family(finding) for finding in case.inspect()}
        if case.kind == "hostile":
            expected.update(case.rules)
            caught.update(rule for rule in case.rules if rule in found)
        else:
            alarms.update(found)
    names = sorted(expected.keys() | alarms.keys())
    return {name: {"expected": expected[name], "caught": caught[name], "false_alarms": alarms[name]} for name in names}


def main(arguments: Sequence[str]) -> int:
    """Print the report; 1 when something was missed that is not known to be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    corpus, bench = load(), load_bench()
    misses = {case.name: why for case in (*corpus, *bench) if (why := missed(case))}
    report = {
        "all": figures(corpus),
        "tuned": figures([case for case in corpus if not case.held_out]),
        "held_out": figures([case for case in corpus if case.held_out]),
        "bench_fixes": figures(bench),
        "rules": by_rule(corpus),
        "misses": misses,
    }
    print(json.dumps(report, indent=2) if options.json else _shown(report))
    return misses.keys() != {case.name for case in corpus if case.known_miss}


def _shown(report: dict[str, Any]) -> str:
    lines = [f"{'':12} {'hostile':>8} {'caught':>7} {'recall':>7} {'honest':>7} {'alarms':>7}"]
    for name in ("all", "tuned", "held_out", "bench_fixes"):
        row = report[name]
        recall = "-" if row["recall"] is None else f"{row['recall']:.1%}"
        lines.append(f"{name:12} {row['hostile']:8} {row['caught']:7} {recall:>7} {row['honest']:7} {row['false_alarms']:7}")
    lines += ["", f"{'rule':12} {'expected':>8} {'caught':>7} {'alarms':>7}"]
    lines += [f"{name:12} {row['expected']:8} {row['caught']:7} {row['false_alarms']:7}" for name, row in report["rules"].items()]
    return "\n".join([*lines, "", *(f"{name}: {why}" for name, why in report["misses"].items())])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
