"""What ruff asks for and does not mend by itself: with one of the edits by rule the real ruff is content."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from suture_agent.direct.by_rule import MOST_ON_A_LINE
from suture_agent.direct.templates import edits
from suture_agent.direct.units import definitions, parse, splice, unit_of

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff") or ""
FOUND: dict[str, tuple[str, str]] = {
    "E722": ("f", "def f(a):\n    try:\n        return a[0]\n    except:\n        return None\n"),
    "B904": ("f", "def f(a):\n    try:\n        return a[0]\n    except IndexError:\n        raise ValueError(a)\n"),
    "B007": ("f", "def f(a):\n    n = 0\n    for key, value in a:\n        n += value\n    return n\n"),
    "E741": ("f", "def f(a):\n    l = a[0]\n    return l + l\n"),
    "B006": ("f", "def f(a, b=[]):\n    b.append(a)\n    return b\n"),
    "B008": ("f", "def f(a, b=len('abc')):\n    return a + b\n"),
    "E721": ("f", "def f(a):\n    return type(a) == int\n"),
    "B905": ("f", "def f(a, b):\n    return list(zip(a, b))\n"),
    "A001": ("f", "def f(a):\n    list = a[:]\n    return list\n"),
    "A002": ("f", "def f(id):\n    return id + 1\n"),
    "PLW2901": ("f", "def f(a):\n    b = []\n    for line in a:\n        line = line.strip()\n        b.append(line)\n    return b\n"),
    "RUF012": ("A", "class A:\n    names = ['a', 'b']\n\n    def f(self):\n        return self.names\n"),
    "B018": ("f", "def f(a):\n    a.real\n    return a\n"),
    "B015": ("f", "def f(a, b):\n    a == b\n    return a\n"),
    "SIM115": ("f", "def f(a):\n    h = open(a)\n    t = h.read()\n    h.close()\n    return t\n"),
    "ARG001": ("f", "def f(a, b):\n    return a\n"),
    "N806": ("f", "def f(a):\n    firstName = a[0]\n    return firstName\n"),
    "N803": ("f", "def f(firstName):\n    return firstName\n"),
    "B028": ("f", "import warnings\n\n\ndef f(a):\n    warnings.warn('no')\n    return a\n"),
    "PERF401": ("f", "def f(a):\n    b = []\n    for c in a:\n        if c > 1:\n            b.append(c + 1)\n    return b\n"),
}


def told(text: str, code: str, folder) -> list[dict]:
    (folder / "m.py").write_text(text)
    argv = [RUFF, "check", "--isolated", "--no-cache", "--preview", f"--select={code}", "--output-format=json", str(folder / "m.py")]
    return json.loads(subprocess.run(argv, capture_output=True, text=True, check=False).stdout)


@pytest.mark.skipif(not RUFF, reason="there is no ruff")
@pytest.mark.parametrize("code", FOUND)
def test_ruff_is_content_with_one_of_the_edits(code, tmp_path):
    name, text = FOUND[code]
    first = told(text, code, tmp_path)[0]
    tree = parse(text)
    assert tree is not None
    unit = unit_of("m.py", text, *next(each for each in definitions(tree) if each[0] == name))
    pointed = first["location"]["row"] - 1 - unit.start
    made = [edit for edit in edits(unit, said=f"{code} {first['message']}", pointed=pointed) if edit.line == pointed][:MOST_ON_A_LINE]
    texts = [splice(text, unit, edit.source) for edit in made]
    assert any(parse(each) is not None and not told(each, code, tmp_path) for each in texts)
