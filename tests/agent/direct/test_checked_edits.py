"""What mypy says of common mistakes: with one of the edits by rule the real mypy is content."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from suture_agent.direct.answers import rewrite
from suture_agent.direct.by_rule import MOST_ON_A_LINE
from suture_agent.direct.surroundings import surroundings
from suture_agent.direct.templates import edits
from suture_agent.direct.units import definitions, first_line, parse, unit_at, unit_of
from suture_sandbox.snapshot import Snapshot

MISTAKES = {
    "return none": "def f(a: dict[str, int]) -> int:\n    return a.get('x')\n",
    "return none2": "import re\ndef f(a: str) -> str:\n    m = re.match('a', a)\n    return m.group(0)\n",
    "return str": "def f(a: int) -> str:\n    return a + 1\n",
    "ret list": "def f(a: set[int]) -> list[int]:\n    return {x for x in a}\n",
    "ret gen": "def f(a: list[int]) -> list[int]:\n    return (x + 1 for x in a)\n",
    "ret sorted": "def f(a: set[int]) -> tuple[int, ...]:\n    return sorted(a)\n",
    "ret path": "from pathlib import Path\ndef f(a: str) -> Path:\n    return a + '.txt'\n",
    "ret float": "def f(a: int, b: int) -> int:\n    return a / b\n",
    "ret dict": ("from collections import Counter\ndef f(a: list[str]) -> dict[str, int]:\n    return Counter(a).most_common()\n"),
    "arg none": "def f(a: str = None) -> str:\n    return a or ''\n",
    "arg type": "def g(a: int) -> int:\n    return a\ndef f(a: str) -> int:\n    return g(a)\n",
    "arg opt": "import os\ndef g(a: str) -> str:\n    return a\ndef f() -> str:\n    return g(os.environ.get('X'))\n",
    "arg list": "def g(a: list[str]) -> int:\n    return len(a)\ndef f(a: tuple[str, ...]) -> int:\n    return g(a)\n",
    "arg path": "from pathlib import Path\ndef g(a: Path) -> str:\n    return a.name\ndef f(a: str) -> str:\n    return g(a)\n",
    "arg bytes": "def g(a: bytes) -> int:\n    return len(a)\ndef f(a: str) -> int:\n    return g(a)\n",
    "union attr": "def f(a: str | None) -> str:\n    return a.strip()\n",
    "union attr2": "class N:\n    v: int = 0\n    n: 'N | None' = None\ndef f(a: N) -> int:\n    return a.n.v\n",
    "assign": "def f(a: str) -> int:\n    n: int = a\n    return n\n",
    "assign none": ("def f(a: list[int]) -> int | None:\n    best: int = None\n    for x in a:\n        best = x\n    return best\n"),
    "assign2": "def f(a: list[int]) -> float:\n    t = 0\n    for x in a:\n        t = t / x\n    return t\n",
    "need annotation": "def f(a: list[int]) -> int:\n    seen = []\n    for x in a:\n        pass\n    return len(seen)\n",
    "need annotation dict": "class A:\n    def __init__(self) -> None:\n        self.x = {}\n",
    "need annotation set": "def f() -> int:\n    s = set()\n    return len(s)\n",
    "missing return": "def f(a: int) -> int:\n    if a > 1:\n        return a\n",
    "missing ann": "def f(a: int):\n    return None\n",
    "missing ann arg": "def f(a) -> int:\n    return 1\n",
    "missing ann all": "def f(a, b=1):\n    return a\n",
    "type arg": "def f(a: dict) -> int:\n    return len(a)\n",
    "type arg list": "def f(a: int) -> list:\n    return [a]\n",
    "name": "def f(a: List[int]) -> int:\n    return len(a)\n",
    "name opt": "def f(a: Optional[int]) -> int:\n    return a or 0\n",
    "attr": "def f(a: str) -> str:\n    return a.uper()\n",
    "call arg missing": "def g(a: int, b: int) -> int:\n    return a + b\ndef f(a: int, b: int) -> int:\n    return g(a)\n",
    "call arg extra": "def g(a: int) -> int:\n    return a\ndef f(a: int) -> int:\n    return g(a, 1)\n",
    "call kw": "def g(a: int, name: str) -> str:\n    return name * a\ndef f(a: int) -> str:\n    return g(a, nme='x')\n",
    "operator": "def f(a: int, b: str) -> str:\n    return b + a\n",
    "operator none": "def f(a: int | None) -> int:\n    return a + 1\n",
    "index": "def f(a: dict[str, int], k: int) -> int:\n    return a[k]\n",
    "index none": "def f(a: list[int] | None) -> int:\n    return a[0]\n",
    "iter none": "def f(a: list[int] | None) -> int:\n    return sum(x for x in a)\n",
    "override": (
        "class A:\n    def f(self, a: int) -> int:\n        return a\nclass B(A):\n    def f(self, a: str) -> int:\n        return 1\n"
    ),
    "await": "async def g() -> int:\n    return 1\nasync def f() -> int:\n    return g()\n",
    "await arg": ("async def g() -> int:\n    return 1\ndef k(a: int) -> int:\n    return a\nasync def f() -> int:\n    return k(g())\n"),
    "list item": "def f() -> list[str]:\n    return ['a', 1]\n",
    "dict item": "def f() -> dict[str, int]:\n    return {'a': '1'}\n",
    "append": ("def f(a: list[int]) -> list[str]:\n    r: list[str] = []\n    for x in a:\n        r.append(x)\n    return r\n"),
    "typeddict": ("from typing import TypedDict\nclass T(TypedDict):\n    a: int\n    b: str\ndef f() -> T:\n    return {'a': 1}\n"),
    "typeddict key": "from typing import TypedDict\nclass T(TypedDict):\n    name: int\ndef f(t: T) -> int:\n    return t['nam']\n",
    "literal": ("from typing import Literal\ndef g(a: Literal['x', 'y']) -> int:\n    return 1\ndef f() -> int:\n    return g('z')\n"),
    "final": "from typing import Final\nN: Final = 1\ndef f() -> int:\n    global N\n    N = 2\n    return N\n",
    "frozen": (
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass A:\n    x: int\ndef f(a: A) -> A:\n    a.x = 2\n    return a\n"
    ),
    "callable": (
        "from collections.abc import Callable\n"
        "def g(a: Callable[[int], int]) -> int:\n"
        "    return a(1)\n"
        "def h(a: str) -> int:\n"
        "    return 1\n"
        "def f() -> int:\n"
        "    return g(h)\n"
    ),
    "gen ret": "def f(a: list[int]) -> int:\n    for x in a:\n        yield x\n",
    "cm": "from contextlib import contextmanager\n@contextmanager\ndef f() -> int:\n    yield 1\n",
    "func returns": "def g(a: int) -> None:\n    print(a)\ndef f(a: int) -> int:\n    x = g(a)\n    return a\n",
    "tuple unpack": "def f(a: tuple[int, int, int]) -> int:\n    x, y = a\n    return x + y\n",
    "tuple ret": "def f(a: int) -> tuple[int, int]:\n    return a, a, a\n",
    "enum": "from enum import Enum\nclass C(Enum):\n    R = 'r'\ndef f(c: C) -> str:\n    return c\n",
    "datetime": "from datetime import date, datetime\ndef f(a: datetime) -> date:\n    return a.isoformat()\n",
    "protocol": (
        "from typing import Protocol\n"
        "class P(Protocol):\n"
        "    def run(self) -> int: ...\n"
        "class A:\n"
        "    def run(self) -> str:\n"
        "        return ''\n"
        "def g(p: P) -> int:\n"
        "    return p.run()\n"
        "def f() -> int:\n"
        "    return g(A())\n"
    ),
    "redundant cast": "from typing import cast\ndef f(a: int) -> int:\n    return cast(int, a)\n",
    "unused ignore": "def f(a: int) -> int:\n    return a  # type: ignore\n",
    "comparison": "def f(a: int) -> bool:\n    return a == 'x'\n",
    "str none fmt": "def f(a: str | None) -> str:\n    return 'x' + a\n",
    "callable attr": "class A:\n    def n(self) -> int:\n        return 1\ndef f(a: A) -> int:\n    return a.n + 1\n",
    "not callable": "class A:\n    @property\n    def n(self) -> int:\n        return 1\ndef f(a: A) -> int:\n    return a.n()\n",
    "iter int": "def f(a: int) -> int:\n    t = 0\n    for i in a:\n        t += i\n    return t\n",
    "var reuse": (
        "def f(a: list[str]) -> int:\n    for x in a:\n        print(x)\n    for x in range(3):\n        print(x)\n    return 1\n"
    ),
}
_ERROR = re.compile(r"(\w+)\.py:(\d+): error: (.*)")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What strict mypy says of many texts, checked in one run: name -> (line, message)."""
    cache = tmp_path_factory.mktemp("cache")

    def run(texts):
        folder = tmp_path_factory.mktemp("texts")
        for name, text in texts.items():
            (folder / f"{name}.py").write_text(text)
        argv = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", f"--cache-dir={cache}", f"--config-file={os.devnull}", "."]
        printed = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder).stdout
        found = {}
        for name, line, message in _ERROR.findall(printed):
            found.setdefault(name, []).append((int(line), message))
        return found

    return run


@pytest.fixture(scope="module")
def mended(told, tmp_path_factory):
    """The mistakes for which mypy is content with one of the edits that would be proven."""
    names = {f"m{index}": mistake for index, mistake in enumerate(MISTAKES)}
    said = told({name: MISTAKES[mistake] for name, mistake in names.items()})
    assert said.keys() == names.keys()
    made = {}
    for name, errors in said.items():
        text = MISTAKES[names[name]]
        folder = tmp_path_factory.mktemp(name)
        (folder / "m.py").write_text(text)
        made.update({f"{name}_{index}": new for index, new in enumerate(tried(text, errors, Snapshot(folder)))})
    wrong = told(made)
    return {names[each.split("_")[0]] for each in made if each not in wrong}


def tried(text, errors, snapshot):
    row, tree = errors[0][0], parse(text)
    assert tree is not None
    around_it = [
        (name, node) for name, node in definitions(tree) if first_line(node) < row <= node.end_lineno and type(node).__name__ != "ClassDef"
    ]
    unit = unit_of("m.py", text, *around_it[0]) if around_it else unit_at("m.py", text, row - 1)
    pointed, said = row - 1 - unit.start, "\n".join(message for _, message in errors)
    made = edits(unit, said=said, pointed=pointed, around=surroundings(unit, snapshot))
    near = [edit for edit in made if edit.line == pointed][:MOST_ON_A_LINE]
    return [new for edit in near if (new := rewrite(text, unit, edit.source)) is not None]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mypy_is_content_with_one_of_the_edits(mistake, mended):
    assert mistake in mended
