"""The jobs of the fault bench: what is run, and what is known of how it must come out.

An attempt has one right outcome, whatever is done to the processes around it, and one other that says nothing: infrastructure. A proof is
of a patch that is known to mend, to be useless or to break something else. Everything else is wrong.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_sandbox.backend import Completed, Ended
from suture_sandbox.checks import Check
from suture_sandbox.verdict import Verdict

Outcome = Literal["right", "infrastructure", "cancelled", "wrong"]

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return a * 2\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    "def test_nothing():\n    assert add(0, 0) == 0\n",
    "test_double.py": "from calc import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
}
"""The workspace: one test fails, two pass."""

MENDED = FILES["calc.py"].replace("a - b", "a + b")
USELESS = FILES["calc.py"].replace("a - b", "b - a")
BREAKING = MENDED.replace("a * 2", "a * 3")

PYTEST = ("python", "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--junit-xml={report}")
CHECK = Check(name="tests", kind="tests", command=PYTEST, report="pytest", timeout=60, selectable=True, tool="pytest")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One command, and the only way in which it can rightly end."""

    name: str
    weight: int
    """How often it is drawn, beside the others."""
    argv: tuple[str, ...]
    ended: Ended = "exited"
    code: int | None = 0
    text: str = FILES["calc.py"]
    """What calc.py is in the snapshot."""
    seconds: int | None = None
    warm: bool = False
    cancelled: bool = False
    """Whether it is cancelled at a moment that is drawn."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One patch, and whether it mends."""

    name: str
    weight: int
    text: str
    passes: bool


def _sh(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


_LEAVE = 'for place in . /tmp /var/tmp "$HOME" /dev/shm; do echo x > $place/left || exit 3; done; rm test_double.py'
_LOOK = 'for place in . /tmp /var/tmp "$HOME" /dev/shm; do [ ! -e $place/left ] || exit 3; done; [ -s test_double.py ]'
_LINGER = "setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & true"

JOBS: tuple[Job, ...] = (
    Job(name="shell: passes", weight=22, argv=_sh("grep -q 'a + b' calc.py"), text=MENDED),
    Job(name="shell: fails", weight=22, argv=_sh("grep -q 'a + b' calc.py"), code=1),
    Job(name="leaves files", weight=8, argv=_sh(_LEAVE)),
    Job(name="looks for files", weight=8, argv=_sh(_LOOK)),
    Job(name="leaves processes", weight=6, argv=_sh(_LINGER)),
    Job(name="crashes", weight=3, argv=_sh("kill -SEGV $$"), ended="signalled", code=-11),
    Job(name="is cancelled", weight=6, argv=_sh("echo begun; sleep 1000 & sleep 1000"), cancelled=True),
    Job(name="test: passes, warm", weight=6, argv=(*PYTEST, "test_calc.py"), text=MENDED, warm=True),
    Job(name="test: fails, warm", weight=6, argv=(*PYTEST, "test_calc.py"), code=1, warm=True),
    Job(name="test: passes, cold", weight=2, argv=(*PYTEST, "test_calc.py"), text=MENDED),
    Job(name="test: fails, cold", weight=2, argv=(*PYTEST, "test_calc.py"), code=1),
    Job(name="time-out", weight=2, argv=_sh("sleep 1000 & sleep 1000"), seconds=1, ended="timeout", code=None),
    Job(name="out of memory", weight=2, argv=_sh("head -c 1G /dev/zero | tail"), ended="memory", code=None),
    Job(name="full disk", weight=2, argv=_sh("cat /dev/zero > big; sleep 10"), ended="disk", code=None),
    Job(
        name="too many processes",
        weight=1,
        argv=_sh("i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i+1)); done; wait"),
        ended="processes",
        code=None,
    ),
    Job(name="flood of output", weight=1, argv=("yes",), ended="output", code=None),
)
PROOFS: tuple[Proof, ...] = (
    Proof(name="proof: mends", weight=1, text=MENDED, passes=True),
    Proof(name="proof: useless", weight=1, text=USELESS, passes=False),
    Proof(name="proof: breaks another", weight=1, text=BREAKING, passes=False),
)
EVERY: tuple[Job | Proof, ...] = (*JOBS, *PROOFS)


def judge(job: Job, done: Completed) -> tuple[Outcome, str]:
    """Whether an attempt ended as it must; else what it did instead."""
    if (done.ended, done.exit_code) == (job.ended, job.code):
        return "right", ""
    told = (done.stdout[-300:] + done.stderr[-300:]).decode(errors="replace")
    return "wrong", f"{done.ended} {done.exit_code} instead of {job.ended} {job.code}, warm={done.warm}: {told}"


def judge_proof(proof: Proof, verdict: Verdict) -> tuple[Outcome, str]:
    """Whether a verdict is the right one, or says that the machine failed."""
    if verdict.infrastructure:
        return "infrastructure", verdict.reason
    if verdict.passed == proof.passes:
        return "right", ""
    return "wrong", f"passed={verdict.passed}: {verdict.reason}"
