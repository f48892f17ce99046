"""A check that fails as a whole: its one finding stands where the workspace's code failed, when the output says so."""

from __future__ import annotations

import pytest

from suture_sandbox.checks import Check
from suture_sandbox.sandbox import _whole_check
from suture_sandbox.snapshot import Snapshot

CHECK = Check(name="tests", kind="tests", command=("pytest",), report="junit")

CONFTEST = """\
ImportError while loading conftest '/shop/tests/conftest.py'.
tests/__init__.py:3: in <module>
    from pkg import thing
pkg/__init__.py:13: in <module>
    from gone import x
E   ModuleNotFoundError: No module named 'gone'"""


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (CONFTEST, ("pkg/__init__.py", 12)),
        (CONFTEST.replace("pkg/__init__.py:13", ".venv/lib/python3.11/site-packages/x.py:1"), ("tests/__init__.py", 2)),
        (CONFTEST.replace("pkg/__init__.py:13", "../../etc/x.py:1"), ("tests/__init__.py", 2)),
        ("E   ModuleNotFoundError", ("", 0)),
        ("", ("", 0)),
        ("a.py:1: in " * 100_000, ("", 0)),
    ],
)
def test_the_place_of_a_check_that_failed_as_a_whole(tmp_path, output, place):
    for path in ("tests/__init__.py", "pkg/__init__.py", ".venv/lib/python3.11/site-packages/x.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    finding = _whole_check(CHECK, Snapshot(tmp_path), "it ended", output)
    assert (finding.path, finding.range.start.line) == place
    assert finding.severity == "error"
