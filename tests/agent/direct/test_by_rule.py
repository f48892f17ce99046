"""What no policy wrote: edits of the line that a tool names, the tool's own fix."""

from __future__ import annotations

from suture_agent.direct.by_rule import found_by_rule, trials_on
from suture_agent.direct.ground import Ground
from suture_agent.direct.localise import Suspect
from suture_agent.direct.units import unit_named
from suture_agent.problem import Problem
from suture_sandbox.verdict import Target

TAIL = """\
from pathlib import Path


def tail(name: str) -> str:
    name = Path(name).expanduser()
    if not name.exists():
        return ""
    return name.read_text()
"""
SAID = 'Incompatible types in assignment (expression has type "Path", variable has type "str")'


def ground_of_tail(snapshot_with, *findings) -> Ground:
    unit = unit_named("tail.py", TAIL, "tail")
    assert unit is not None
    snapshot = snapshot_with({"tail.py": TAIL})
    return Ground(snapshot=snapshot, findings=findings, left=len(findings), suspects=(Suspect(unit=unit, score=1.0),))


async def test_a_tool_s_first_finding_is_where_the_edit_goes(snapshot_with, finding_at):
    findings = (finding_at("tail.py", 5, SAID), finding_at("tail.py", 6, "no attribute"), finding_at("tail.py", 8, "no attribute"))
    ground = ground_of_tail(snapshot_with, *findings)
    problem = Problem(id="0" * 12, snapshot=ground.snapshot, target=Target(check="types", findings=findings), before=())
    found = await found_by_rule(None, problem, ground)  # type: ignore[arg-type]  # without tests nothing is run
    renamed = TAIL.replace("name = Path", "path = Path").replace("name.exists", "path.exists").replace("name.read", "path.read")
    assert renamed in [text for _, text in found]


def test_a_traceback_s_last_frame_is_where_the_mistake_is(snapshot_with, finding_at):
    said = "TypeError: 'NoneType' object is not subscriptable"
    frames = (("tail.py", 5), ("tail.py", 8))
    ground = ground_of_tail(snapshot_with, finding_at("test_tail.py", 1, said, test="test_tail.py::test_it", frames=frames))
    made = [trial.apply(TAIL).splitlines() for _, trial in trials_on(ground)]
    guarded = {number for lines in made for number, line in enumerate(lines) if 'raise ValueError("name is missing")' in line}
    assert guarded == {8}
