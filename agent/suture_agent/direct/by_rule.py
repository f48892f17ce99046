"""Edits that no policy wrote: those by rule that the sieve lets through, and the checking tool's own fix."""

from __future__ import annotations

import ast
import asyncio
import re
import time
from collections.abc import Sequence

from suture_agent.direct.answers import rewrite
from suture_agent.direct.asking import pointed_line
from suture_agent.direct.context import exceptions_named
from suture_agent.direct.ground import Ground
from suture_agent.direct.localise import Suspect
from suture_agent.direct.module_map import mended_imports
from suture_agent.direct.screen import Trial, import_trials, screen, trials_of
from suture_agent.direct.surroundings import surroundings
from suture_agent.direct.templates import Edit, edits
from suture_agent.direct.templates.told import missing_names
from suture_agent.direct.units import parse, unit_named
from suture_agent.imports import neighbours
from suture_agent.meter import Meter
from suture_agent.problem import Problem, is_test_path
from suture_sandbox.backend import Command
from suture_sandbox.patch import Patch, patch_between

MOST_ON_A_LINE = 10
MOST_EDITS = (800, 500, 300, 200, 100, 80, 80, 80)
"""Edits by rule that are sieved, of each suspect in its turn; at the end come the classes of suspected methods."""
MOST_BY_RULE = 4
MOST_PARTLY_BY_RULE = 2
"""Edits by rule that are proven: those with which all failing tests pass, and those with which some do."""
LATER_SUSPECT = 0.75
"""What an edit of the next suspect counts against one of the suspect before it."""

_NAMES_MISSING = re.compile(
    "cannot import|No module|is not defined|no attribute|ndefined name|annot find|could not be resolved|unknown import"
)
_UNHASHABLE = re.compile(r"unhashable type: '(\w+)'")


async def found_by_tool(meter: Meter, problem: Problem) -> Patch | None:
    """The checking tool's own fix, for a linter that has one: nothing is gained by asking a policy for it."""
    check = meter.sandbox.check_named(problem.check)
    codes = sorted({finding.code for finding in problem.findings if finding.code})
    paths = sorted({finding.path for finding in problem.findings if finding.path})
    if check.tool != "ruff" or not codes or not paths:
        return None
    started = time.monotonic()
    argv = ("python", "-m", "ruff", "check", "--fix", "--unsafe-fixes", "--no-cache", "--quiet", f"--select={','.join(codes)}", *paths)
    completed = await meter.run(problem.snapshot, Command(argv=argv, seconds=30, keep=True))
    patch = patch_between(problem.snapshot, {path: content for path, content in completed.changes.items() if path in paths})
    meter.step("ruff", time.monotonic() - started, f"its own fix of {', '.join(codes)}: {len(patch.edits)} files")
    return patch if patch.edits else None


async def found_by_imports(meter: Meter, problem: Problem) -> Patch | None:
    """All imports inside the workspace that lead nowhere, mended at once; None where the failure is about none."""
    started = time.monotonic()
    patch = await asyncio.to_thread(mended_imports, problem)
    if patch is not None:
        meter.step("imports", time.monotonic() - started, f"{len(patch.edits)} files with imports that lead nowhere")
    return patch


async def found_by_rule(meter: Meter, problem: Problem, ground: Ground) -> list[tuple[Suspect, str]]:
    """Edits by rule that deserve a proof, as new texts of the suspect's file, most likely first."""
    wanted = problem.target.tests or _not_collected(ground)
    if not wanted:
        return await asyncio.to_thread(lambda: [(each, text) for each in ground.suspects[:3] for text in _on_the_line(ground, each)])
    started = time.monotonic()
    trials = await asyncio.to_thread(trials_on, ground)
    check = meter.sandbox.check_named(problem.check)
    found = await screen(meter, check, ground.snapshot, wanted, [trial for _, trial in trials], passing=ground.passing, hoped=ground.others)
    whole = [each.trial for each in sorted(found, key=lambda each: -each.more) if each.whole]
    partly = [each.trial for each in sorted(found, key=lambda each: -each.passed) if not each.whole]
    note = f"{len(trials)} edits by rule: all failing tests pass with {len(whole)}, some with {len(partly)}"
    meter.step("screen", time.monotonic() - started, note)
    chosen = [trials[index] for index in (*whole[:MOST_BY_RULE], *partly[:MOST_PARTLY_BY_RULE])]
    return [(suspect, trial.apply(ground.snapshot.read_text(trial.unit.path) or "")) for suspect, trial in chosen]


def _not_collected(ground: Ground) -> tuple[str, ...]:
    """The test files that could not be collected; none where the findings are no such failures."""
    return tuple({place.path: None for finding in ground.findings for place in finding.related if is_test_path(place.path)})


def trials_on(ground: Ground) -> list[tuple[Suspect, Trial]]:
    """All edits by rule of all suspects, most likely first."""
    known = any(suspect.lines for suspect in ground.suspects)
    weighed: list[tuple[Suspect, Trial]] = []
    for rank, (suspect, most) in enumerate(zip([*ground.suspects, *_owners(ground)], MOST_EDITS, strict=False)):
        text = ground.snapshot.read_text(suspect.unit.path) or ""
        made = _edits_of(ground, suspect, most)
        ran = _ran_itself(suspect) or not known
        homes = neighbours(text, suspect.unit.path, ground.snapshot)
        weighed += [(suspect, trial) for trial in trials_of(suspect.unit, text, made, ran=ran, share=LATER_SUSPECT**rank, homes=homes)]
    weighed += _imports(ground, ground.suspects[:2])
    return sorted(weighed, key=lambda each: -each[1].weight)


def _ran_itself(suspect: Suspect) -> bool:
    """Whether a unit's own statements ran in the failing tests, not only those of functions that it made before, at import."""
    tree = parse(suspect.unit.source)
    inner = [each for node in (tree.body if tree is not None else ()) for each in ast.walk(node) if each is not node]
    inside = {
        line
        for each in inner
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(each.body[0].lineno - 1, each.end_lineno or each.lineno)
    }
    return bool(suspect.lines - inside)


def _imports(ground: Ground, among: Sequence[Suspect]) -> list[tuple[Suspect, Trial]]:
    """Imports of what the findings say is not defined, in the suspects' files."""
    missing = missing_names(_said(ground))
    if not missing:
        return []
    trials = {
        suspect.unit.path: [
            (suspect, trial)
            for trial in import_trials(
                suspect.unit,
                ground.snapshot.read_text(suspect.unit.path) or "",
                missing,
                surroundings(suspect.unit, ground.snapshot, modules=True).modules,
            )
        ]
        for suspect in among
    }
    return [pair for pairs in trials.values() for pair in pairs]


def _said(ground: Ground) -> str:
    return "\n".join(f"{finding.code} {finding.message}" for finding in ground.findings[:5])


def _edits_of(ground: Ground, suspect: Suspect, most: int) -> tuple[Edit, ...]:
    """The edits by rule of one suspect."""
    said = _said(ground)
    places = [(place.path, place.range.start.line) for finding in ground.findings for place in finding.related]
    places += [(finding.path, finding.range.start.line) for finding in ground.findings]
    frames = [
        line - suspect.unit.start
        for path, line in places
        if path == suspect.unit.path and 0 <= line - suspect.unit.start < suspect.unit.lines
    ]
    innermost = any(
        finding.test for finding in ground.findings
    )  # a traceback ends at the mistake; a tool's first finding leads to the rest
    pointed = None if not frames else frames[-1] if innermost else frames[0]
    return edits(
        suspect.unit,
        raised=exceptions_named(ground.findings, ground.snapshot),
        lines=suspect.lines,
        said=said,
        pointed=pointed,
        around=surroundings(suspect.unit, ground.snapshot, modules=bool(_NAMES_MISSING.search(said))),
        most=most,
    )


def _owners(ground: Ground) -> list[Suspect]:
    """The classes of the suspected methods: what all their objects share is written there."""
    found: dict[tuple[str, str], Suspect] = {}
    have = {(suspect.unit.path, suspect.unit.name) for suspect in ground.suspects}
    owners = {(suspect.unit.path, suspect.unit.name.rpartition(".")[0]) for suspect in ground.suspects}
    named = [match[1] for finding in ground.findings if (match := _UNHASHABLE.search(finding.message))]
    for suspect in ground.suspects:
        path = suspect.unit.path
        owner = suspect.unit.name.rpartition(".")[0] if suspect.unit.kind == "function" and suspect in ground.suspects[:3] else ""
        for name in (owner, *named, *_joining(ground.snapshot.read_text(path) or "", {name for home, name in owners if home == path})):
            unit = unit_named(path, ground.snapshot.read_text(path) or "", name) if name and (path, name) not in have else None
            if unit is not None:
                found.setdefault((path, name), Suspect(unit=unit, score=suspect.score))
    return list(found.values())


def _joining(text: str, owners: set[str]) -> list[str]:
    """The classes of a file that join several others, of which one is among the owners: the order of the bases decides."""
    tree = parse(text) if len(owners) > 1 else None
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)] if tree is not None else []
    return [node.name for node in classes if len(node.bases) > 1 and any(ast.unparse(base) in owners for base in node.bases)]


def _on_the_line(ground: Ground, suspect: Suspect) -> list[str]:
    """For a check without tests: the likeliest edits of the line that the tool names, to be proven one by one."""
    pointed = pointed_line(suspect.unit, ground.findings, first=0)
    text = ground.snapshot.read_text(suspect.unit.path) or ""
    imports = [trial.apply(text) for _, trial in _imports(ground, [suspect])]
    homes = neighbours(text, suspect.unit.path, ground.snapshot)
    made = _edits_of(ground, suspect, MOST_EDITS[0])
    near = [edit for edit in made if edit.line == pointed or edit.rule == "syntax"][:MOST_ON_A_LINE]
    return [*imports, *[new for edit in near if (new := rewrite(text, suspect.unit, edit.source, homes)) is not None]]
