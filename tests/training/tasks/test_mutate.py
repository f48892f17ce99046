"""The operators: what each makes of a piece of code, that the rest of the text stays as it is, and in which order mutants come."""

from __future__ import annotations

import ast
import textwrap
from collections import Counter

import pytest

from suture_sandbox.errors import ConfigurationError
from suture_training.tasks.archive import File
from suture_training.tasks.coverage import Coverage
from suture_training.tasks.mutate import OPERATORS, Mutations, mixed, mutants, refuse_unknown
from suture_training.tasks.mutate.code import Code

CASES = {
    "compare": ("def f(a, b):\n    return a < b\n", "def f(a, b):\n    return a <= b\n"),
    "membership": ("def f(a, b):\n    return a not in b\n", "def f(a, b):\n    return a in b\n"),
    "arithmetic": ("def f(a, b):\n    return a + b  # sum\n", "def f(a, b):\n    return a - b  # sum\n"),
    "operands": ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return b - a\n"),
    "bitwise": ("def f(a, b):\n    return a & b\n", "def f(a, b):\n    return a | b\n"),
    "boolean": ("def f(a, b):\n    return a and b\n", "def f(a, b):\n    return a or b\n"),
    "augmented": ("def f(a):\n    a += 1\n    return a\n", "def f(a):\n    a = 1\n    return a\n"),
    "unary": ("def f(a):\n    return not a\n", "def f(a):\n    return a\n"),
    "constant": ("def f(a):\n    return a * 10\n", "def f(a):\n    return a * 11\n"),
    "truth": ("def f(a):\n    return g(a, True)\n", "def f(a):\n    return g(a, False)\n"),
    "range": ("def f(n):\n    return range(1, n)\n", "def f(n):\n    return range(1, n - 1)\n"),
    "slice": ("def f(a):\n    return a[1:]\n", "def f(a):\n    return a[2:]\n"),
    "index": ("def f(a):\n    return a[-1]\n", "def f(a):\n    return a[0]\n"),
    "length": ("def f(a):\n    return len(a) > 3\n", "def f(a):\n    return (len(a) - 1) > 3\n"),
    "counted-from": ("def f(a):\n    return enumerate(a)\n", "def f(a):\n    return enumerate(a, 1)\n"),
    "variable": ("def f(a, b):\n    return [a, b]\n", "def f(a, b):\n    return [b, b]\n"),
    "attribute": (
        "class A:\n    def __init__(self):\n        self.x = 1\n        self.y = 2\n\n    def get(self):\n        return self.x\n",
        "class A:\n    def __init__(self):\n        self.x = 1\n        self.y = 2\n\n    def get(self):\n        return self.y\n",
    ),
    "method": ("def f(a):\n    return a.lower()\n", "def f(a):\n    return a.upper()\n"),
    "function": ("def f(a):\n    return min(a)\n", "def f(a):\n    return max(a)\n"),
    "half-rename": ("def first(a):\n    return a\n", "def _first(a):\n    return a\n"),
    "key": ('def f(a):\n    return a["name"]\n', "def f(a):\n    return a['names']\n"),
    "swapped-arguments": ("def f(a, b):\n    return g(a, b)\n", "def f(a, b):\n    return g(b, a)\n"),
    "missing-argument": ("def f(a):\n    return sorted(a, reverse=True)\n", "def f(a):\n    return sorted(a)\n"),
    "missing-step": ("def f(a):\n    return a.strip() + 'x'\n", "def f(a):\n    return a + 'x'\n"),
    "missing-copy": ("def f(a):\n    return a.copy()\n", "def f(a):\n    return a\n"),
    "missing-wrapper": ("def f(a):\n    return list(a)\n", "def f(a):\n    return a\n"),
    "missing-await": ("async def f(a):\n    return await a()\n", "async def f(a):\n    return a()\n"),
    "missing-call": ("def f(a):\n    return a.name()\n", "def f(a):\n    return a.name\n"),
    "dropped": ("def f(a):\n    a.clear()\n    return a\n", "def f(a):\n    return a\n"),
    "duplicated": ("def f(a):\n    a.append(1)\n    return a\n", "def f(a):\n    a.append(1)\n    a.append(1)\n    return a\n"),
    "reordered": ("def f(a):\n    x = a\n    a = 2\n    return x\n", "def f(a):\n    a = 2\n    x = a\n    return x\n"),
    "missing-return": ("def f(a):\n    return g(a)\n", "def f(a):\n    g(a)\n"),
    "returned-early": (
        "def f(a):\n    for x in a:\n        g(x)\n    return a\n",
        "def f(a):\n    for x in a:\n        g(x)\n        return a\n",
    ),
    "other-jump": ("def f(a):\n    for x in a:\n        break\n", "def f(a):\n    for x in a:\n        continue\n"),
    "missing-jump": (
        "def f(a):\n    for x in a:\n        g(x)\n        break\n",
        "def f(a):\n    for x in a:\n        g(x)\n",
    ),
    "yielded": ("def f(a):\n    yield from a\n", "def f(a):\n    yield a\n"),
    "negated": ("def f(a):\n    if a:\n        g()\n", "def f(a):\n    if not a:\n        g()\n"),
    "halved": ("def f(a, b):\n    return a and b\n", "def f(a, b):\n    return b\n"),
    "missing-guard": (
        "def f(a):\n    x = a\n    if not x:\n        raise ValueError\n    return x\n",
        "def f(a):\n    x = a\n    return x\n",
    ),
    "missing-base-case": (
        'def f(n):\n    """Doc."""\n    if n == 0:\n        return 1\n    return n * f(n - 1)\n',
        'def f(n):\n    """Doc."""\n    return n * f(n - 1)\n',
    ),
    "unconditional": (
        "def f(a):\n    if a:\n        g()\n        h()  # why\n    return a\n",
        "def f(a):\n    g()\n    h()  # why\n    return a\n",
    ),
    "missing-branch": (
        "def f(a):\n    if a:\n        x = 1\n    else:\n        x = 2\n    return x\n",
        "def f(a):\n    if a:\n        x = 1\n    return x\n",
    ),
    "once": ("def f(a):\n    while a:\n        a = g(a)\n    return a\n", "def f(a):\n    if a:\n        a = g(a)\n    return a\n"),
    "other-branch": (
        "def f(a):\n    if a:\n        x = 1\n    elif a is None:\n        x = 2\n    return x\n",
        "def f(a):\n    if a:\n        x = 1\n    if a is None:\n        x = 2\n    return x\n",
    ),
    "other-value": ("def f(a):\n    return 1 if a else 2\n", "def f(a):\n    return 2 if a else 1\n"),
    "caught": (
        "def f(a):\n    try:\n        return a[0]\n    except KeyError:\n        return 1\n",
        "def f(a):\n    try:\n        return a[0]\n    except IndexError:\n        return 1\n",
    ),
    "raised": ("def f(a):\n    raise ValueError(a)\n", "def f(a):\n    raise TypeError(a)\n"),
    "unhandled": (
        "def f(a):\n    try:\n        x = a[0]\n    except KeyError:\n        x = 1\n    return x\n",
        "def f(a):\n    x = a[0]\n    return x\n",
    ),
    "swallowed": (
        "def f(a):\n    try:\n        g(a)\n    except KeyError:\n        raise\n",
        "def f(a):\n    try:\n        g(a)\n    except KeyError:\n        pass\n",
    ),
    "missing-cleanup": (
        "def f(a):\n    try:\n        g(a)\n    finally:\n        a.close()\n",
        "def f(a):\n    try:\n        g(a)\n    finally:\n        pass\n",
    ),
    "missing-cause": (
        "def f(a):\n    try:\n        g(a)\n    except KeyError as e:\n        raise ValueError(a) from e\n",
        "def f(a):\n    try:\n        g(a)\n    except KeyError as e:\n        raise ValueError(a)\n",
    ),
    "default": ("def f(a, b=3):\n    return a + b\n", "def f(a, b=4):\n    return a + b\n"),
    "mutable-default": (
        "def f(a=None):\n    if a is None:\n        a = []\n    a.append(1)\n    return a\n",
        "def f(a=[]):\n    a.append(1)\n    return a\n",
    ),
    "missing-decorator": (
        "class A:\n    @property\n    def x(self):\n        return 1\n",
        "class A:\n    def x(self):\n        return 1\n",
    ),
    "missing-super": (
        "class A(B):\n    def __init__(self):\n        super().__init__()\n        self.x = 1\n",
        "class A(B):\n    def __init__(self):\n        self.x = 1\n",
    ),
    "forgotten-self": (
        "class A:\n    def set(self, x):\n        self.x = x\n",
        "class A:\n    def set(self, x):\n        x = x\n",
    ),
    "missing-base": ("class A(Exception):\n    pass\n", "class A:\n    pass\n"),
    "other-result": ("def f(a):\n    return []\n", "def f(a):\n    return None\n"),
    "format": ('def f(a):\n    return f"{a:>10} {a}"\n', 'def f(a):\n    return f"{a:<10} {a}"\n'),
    "pattern": (
        'import re\n\n\ndef f(a):\n    return re.match(r"\\d+", a)\n',
        'import re\n\n\ndef f(a):\n    return re.match(r"\\d*", a)\n',
    ),
    "literal": ('def f(a):\n    return a + "ab"\n', 'def f(a):\n    return a + "a"\n'),
    "encoding": ('def f(a):\n    return a.encode("utf-8")\n', "def f(a):\n    return a.encode('ascii')\n"),
    "import-renamed": ("from a import b\n", "from a import _b as b\n"),
    "import-moved": ("from pack.part import b\n", "from pack.parts import b\n"),
    "import-missing": ("from a import b, c\n", "from a import c\n"),
    "exported": ('__all__ = ["a"]\n', "__all__ = ['a_']\n"),
    "wrong-annotation": ("def f(a: int) -> str:\n    return g(a)\n", "def f(a: int) -> int:\n    return g(a)\n"),
    "not-optional": ("def f(a: int | None) -> str:\n    return g(a)\n", "def f(a: int) -> str:\n    return g(a)\n"),
    "too-wide": ("def f(a) -> int:\n    return 1\n", "def f(a) -> int | None:\n    return 1\n"),
    "unannotated": ("def f(a: int) -> int:\n    return 1\n", "def f(a: int):\n    return 1\n"),
    "import-unused": ("import a\n", "import os\nimport a\n"),
    "equal-to-none": ("def f(a):\n    return a is None\n", "def f(a):\n    return a == None\n"),
    "not-in": ("def f(a, b):\n    if a not in b:\n        g()\n", "def f(a, b):\n    if not a in b:\n        g()\n"),
    "empty-format": ('def f(a):\n    return "x"\n', 'def f(a):\n    return f"x"\n'),
    "unread": ("def f(a):\n    return a\n", "def f(a):\n    unread = None\n    return a\n"),
    "bare-except": (
        "def f(a):\n    try:\n        g()\n    except KeyError:\n        pass\n",
        "def f(a):\n    try:\n        g()\n    except:\n        pass\n",
    ),
    "compared-with-truth": ("def f(a):\n    if a:\n        g()\n", "def f(a):\n    if a == True:\n        g()\n"),
}
"""Operator -> a piece of code, and one of the things that it makes of it."""

ODD = textwrap.dedent('''\
    # -*- coding: utf-8 -*-
    """Ümläute vor jedem Zeichen."""
    import re


    class Korb:   # zwei  Leerzeichen
        größe = "ä" + "ö"  ;  rest = 3

        def füge( self ,x , y = 2 ) :
            if (x   <  y  # noch nicht
                    and not self.voll):
                self.liste . append( x )
            else :  # sonst
                raise ValueError ( f"ä{x!r:>4}" )
            return re.sub ( r"\\\\s+" , "--" , str( x ) ).strip( ) [ 1 : ]
''')


def made(text: str, operator: str) -> list[str]:
    code = Code.read("a.py", text)
    assert code is not None
    return [mutant.change.apply(text) for mutant, _ in mutants(code) if mutant.operator == operator]


def test_every_operator_has_a_case():
    assert CASES.keys() == OPERATORS.keys()
    assert len(OPERATORS) >= 25


@pytest.mark.parametrize("operator", CASES)
def test_an_operator_makes_the_mistake_that_it_is_named_for(operator):
    before, after = CASES[operator]
    code = Code.read("a.py", before)
    assert code is not None
    assert after in [change.apply(before) for change in OPERATORS[operator].changes(code)]


@pytest.mark.parametrize("text", [ODD, ODD.replace("\n", "\r\n"), ODD.replace("    ", "\t")], ids=["plain", "crlf", "tabs"])
def test_what_is_not_changed_stays_as_it_is_to_the_byte(text):
    code = Code.read("a.py", text)
    assert code is not None
    found = [mutant for mutant, _ in mutants(code)]
    assert len({mutant.operator for mutant in found}) > 15
    for mutant in found:
        broken = mutant.change.apply(text)
        ast.parse(broken)
        first, last = mutant.change.edits[0][0], mutant.change.edits[-1][1]
        assert broken.startswith(text[:first])
        assert broken.endswith(text[last:])
        assert broken.count("\r\n") == broken.count("\n") or "\r\n" not in text


def test_a_change_knows_the_function_that_it_is_in():
    text = "x = 1\n\n\nclass A:\n    def f(self):\n        def g():\n            return 1 + 2\n        return g() + 3\n"
    code = Code.read("a.py", text)
    assert code is not None
    places = {text[mutant.change.start] + mutant.place[1]: line for mutant, line in mutants(code) if mutant.operator == "constant"}
    assert places == {"1": 0, "1A.f.g": 6, "2A.f.g": 6, "3A.f": 5}


def test_names_and_annotations_and_texts_that_format_are_left_to_their_own_operators():
    text = 'def f(a: "list[int]", b: int = 0) -> tuple[int, ...]:\n    """Add 1."""\n    return f"{a[1]} {b + 1}"\n'
    code = Code.read("a.py", text)
    assert code is not None
    behaviour = [mutant for mutant, _ in mutants(code) if OPERATORS[mutant.operator].kind == "tests"]
    assert {mutant.operator for mutant in behaviour} <= {"default", "constant", "missing-return", "half-rename"}
    assert all("Add 1" in mutant.change.apply(text) for mutant in behaviour)


def of(files: dict[str, str], *, kinds=("tests",), coverage: Coverage | None = None, seed: int = 0) -> Mutations:
    kept = {path: File(text.encode()) for path, text in files.items()}
    return Mutations(kept, kinds, coverage or Coverage({}), seed=seed, repository="shop", time="", workspace="f" * 64)


async def keys(mutations: Mutations) -> list[str]:
    return [proposal.key async for proposal in mutations.proposals()]


async def test_a_seed_decides_the_order_and_nothing_else():
    files = {"a.py": ODD.replace("Korb", "A"), "b.py": "def f(a, b):\n    return a < b and a + 1\n"}
    first, same, other = [await keys(of(files, seed=seed)) for seed in (1, 1, 2)]
    assert first == same
    assert first != other
    assert sorted(first) == sorted(other)
    assert len(set(first)) == len(first)


async def test_only_operators_that_are_asked_for_are_used():
    files = {"a.py": "def f(a, b):\n    return a < b and a + 1\n"}
    mutations = Mutations(
        {path: File(text.encode()) for path, text in files.items()},
        ("tests",),
        Coverage({}),
        seed=0,
        repository="shop",
        time="",
        workspace="f" * 64,
        operators=("compare",),
    )
    assert {mutant.operator for mutant in mutations.found()} == {"compare"}
    assert {mutant.operator for mutant in of(files).found()} > {"compare"}


def test_an_operator_that_there_is_none_of_is_refused_with_the_nearest():
    refuse_unknown(["compare"])
    with pytest.raises(ConfigurationError, match="no operator is called comparison") as refused:
        refuse_unknown(["compare", "comparison"])
    assert "the nearest is compare;" in (refused.value.remedy or "")


def test_the_first_mutants_are_of_all_functions_and_of_many_operators():
    text = "".join(
        f"def f{number}(a, b):\n    if a < b and a > 1:\n        return a + b * 2\n    return a - 1\n\n\n" for number in range(20)
    )
    code = Code.read("a.py", text)
    assert code is not None
    found = [mutant for mutant, _ in mutants(code)]
    first = list(mixed(found, 0))[:20]
    assert len({mutant.place for mutant in first}) == 20
    assert max(Counter(mutant.operator for mutant in first).values()) <= 3
    assert len(list(mixed(found, 0))) == len(found)


async def test_only_source_that_a_mend_may_touch_is_changed():
    function = "def f(a, b):\n    return a < b\n"
    others = ("tests/test_cart.py", "test_more.py", "conftest.py", "setup.py", ".venv/x.py", "a.txt")
    files = dict.fromkeys(("shop/cart.py", *others), function)
    candidates = [await proposal.make() async for proposal in of(files).proposals()]
    assert {edit.path for candidate in candidates for edit in candidate.broken} == {"shop/cart.py"}
    assert all(candidate.gold[0].text == function for candidate in candidates)


async def test_mistakes_for_the_type_checker_need_one():
    files = {"a.py": "def f(a: int) -> int:\n    return a\n"}
    assert all([(await each.make()).kind == "tests" async for each in of(files).proposals()])
    assert {(await each.make()).kind async for each in of(files, kinds=("tests", "types")).proposals()} == {"tests", "types"}


@pytest.mark.parametrize("text", ["def f(:\n", "\ufeffx = 1\n", "x = '\x00'\n"])
async def test_a_file_that_does_not_parse_is_passed_over(text):
    files = {"a.py": text, "b.py": "def f(a):\n    return -a\n"}
    candidates = [await each.make() async for each in of(files).proposals()]
    assert candidates
    assert {candidate.broken[0].path for candidate in candidates} == {"b.py"}
