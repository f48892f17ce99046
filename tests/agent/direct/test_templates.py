"""Edits by rule: the mistakes that they mend, that each is whole Python and a real change, and that no code breaks the rules."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_agent.direct.templates import Around, edits
from suture_agent.direct.units import Unit, definitions, head_unit, parse, unit_of


def unit_in(source: str, name: str = "") -> Unit:
    """The named unit of a text, or its first definition, or its head."""
    text = textwrap.dedent(source).lstrip("\n")
    tree = parse(text)
    found = [(each, node) for each, node in definitions(tree) if not name or each == name] if tree is not None else []
    unit = unit_of("m.py", text, *found[0]) if found else head_unit("m.py", text)
    assert unit is not None
    return unit


MENDED = {
    "less for less or equal": ("def f(a):\n    return a < 3\n", "def f(a):\n    return a <= 3\n", {}),
    "equal for not equal": ("def f(a):\n    return a == 3\n", "def f(a):\n    return a != 3\n", {}),
    "sum for difference": ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return a + b\n", {}),
    "operands in the wrong order": ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return b - a\n", {}),
    "and for or": ("def f(a, b):\n    return a and b\n", "def f(a, b):\n    return a or b\n", {}),
    "condition the wrong way": ("def f(a):\n    if a:\n        return 1\n", "def f(a):\n    if not (a):\n        return 1\n", {}),
    "first value": ("def f():\n    return 1\n", "def f():\n    return 0\n", {}),
    "switch": ("def f():\n    return g(x=True)\n", "def f():\n    return g(x=False)\n", {}),
    "bound of a range": ("def f(n):\n    return range(n)\n", "def f(n):\n    return range(n + 1)\n", {}),
    "length": ("def f(n):\n    return n[len(n)]\n", "def f(n):\n    return n[len(n) - 1]\n", {}),
    "minimum for maximum": ("def f(n):\n    return min(n)\n", "def f(n):\n    return max(n)\n", {}),
    "strip on the wrong side": ("def f(n):\n    return n.lstrip()\n", "def f(n):\n    return n.rstrip()\n", {}),
    "arguments in the wrong order": ("def f(a, b):\n    return g(a, b, k=1)\n", "def f(a, b):\n    return g(b, a, k=1)\n", {}),
    "wrong variable": ("def f(a, b):\n    return a\n", "def f(a, b):\n    return b\n", {}),
    "missing await": ("async def f(a):\n    return g(a)\n", "async def f(a):\n    return await g(a)\n", {}),
    "superfluous await": ("async def f(a):\n    return await g(a)\n", "async def f(a):\n    return g(a)\n", {}),
    "blocking sleep": ("async def f():\n    time.sleep(1)\n", "async def f():\n    await asyncio.sleep(1)\n", {}),
    "mutable default": (
        'def f(a, b=[]):\n    """Doc."""\n    b.append(a)\n    return b\n',
        'def f(a, b=None):\n    """Doc."""\n    if b is None:\n        b = []\n    b.append(a)\n    return b\n',
        {},
    ),
    "annotated mutable default": (
        "def f(*, b: dict = {}) -> dict:\n    return b\n",
        "def f(*, b: dict | None = None) -> dict:\n    if b is None:\n        b = {}\n    return b\n",
        {},
    ),
    "shared list": ("def f(a):\n    return [[0] * a] * a\n", "def f(a):\n    return [[0] * a for _ in range(a)]\n", {}),
    "generator read twice": ("def f(a):\n    b = (x for x in a)\n    return b\n", "def f(a):\n    b = [x for x in a]\n    return b\n", {}),
    "late binding": (
        "def f(a):\n    return [lambda: x for x in a]\n    for y in a:\n        g(lambda z: y)\n",
        "def f(a):\n    return [lambda: x for x in a]\n    for y in a:\n        g(lambda z, y=y: y)\n",
        {},
    ),
    "return too deep": (
        "def f(a):\n    n = 0\n    for x in a:\n        n += x\n        return n\n",
        "def f(a):\n    n = 0\n    for x in a:\n        n += x\n    return n\n",
        {},
    ),
    "statements in the wrong order": (
        "def f(a):\n    b = a.x\n    a.y()\n    return b\n", "def f(a):\n    a.y()\n    b = a.x\n    return b\n", {},
    ),
    "missing return": ("def f(a):\n    a + 1\n    g(a)\n", "def f(a):\n    a + 1\n    return g(a)\n", {}),
    "wrong exception caught": (
        "def f(a):\n    try:\n        return a()\n    except KeyError:\n        return 0\n",
        "def f(a):\n    try:\n        return a()\n    except (KeyError, ValueError):\n        return 0\n",
        {"raised": ("ValueError",)},
    ),
    "wrong exception raised": (
        'def f(a):\n    raise KeyError("é")\n', 'def f(a):\n    raise ValueError("é")\n', {"raised": ("ValueError",)},
    ),
    "cleanup": (
        "@contextmanager\ndef f(a):\n    a.open()\n    yield a\n    a.close()\n",
        "@contextmanager\ndef f(a):\n    a.open()\n    try:\n        yield a\n    finally:\n        a.close()\n",
        {},
    ),
    "constructor of the base class": (
        "class A(B):\n    def __init__(self, a):\n        self.b = a\n",
        "def __init__(self, a):\n    super().__init__(a)\n    self.b = a\n",
        {"name": "A.__init__"},
    ),
    "property": (
        "class A:\n    def b(self):\n        return 1\n", "@property\ndef b(self):\n    return 1\n", {"name": "A.b"},
    ),
    "removed name": ("import collections\nX = collections.Mapping\n", "import collections\nX = collections.abc.Mapping\n", {}),
    "sorted the wrong way": ("def f(a):\n    return sorted(a)\n", "def f(a):\n    return sorted(a, reverse=True)\n", {}),
    "nothing given": ("def f(a):\n    return a[0]\n", "def f(a):\n    if not a:\n        return None\n    return a[0]\n", {}),
    "coroutine in the old manner": (
        "class A:\n    @asyncio.coroutine\n    def f(self):\n        yield from g()\n        return (yield from h(1))\n",
        "async def f(self):\n    await g()\n    return (await h(1))\n",
        {"name": "A.f"},
    ),
    "loop that takes a parameter's name": (
        "def f(a, rows):\n    for a in rows:\n        g(a)\n    return a\n",
        "def f(a, rows):\n    for a_ in rows:\n        g(a_)\n    return a\n",
        {},
    ),
    "enter without a result": (
        "class A:\n    def __enter__(self):\n        self.open()\n",
        "def __enter__(self):\n    self.open()\n    return self\n",
        {"name": "A.__enter__"},
    ),
    "exit that swallows everything": (
        "class A:\n    def __exit__(self, kind, error, trace):\n        return True\n",
        "def __exit__(self, kind, error, trace):\n    return kind is not None and issubclass(kind, Stop)\n",
        {"name": "A.__exit__", "around": Around(functions={"Stop": ()})},
    ),
    "equality without a hash": (
        "class A:\n    def __eq__(self, other):\n        return self.b == other.b and self.c() == other.c()\n",
        (
            "class A:\n    def __eq__(self, other):\n        return self.b == other.b and self.c() == other.c()\n\n"
            "    def __hash__(self) -> int:\n        return hash((self.b, self.c()))\n"
        ),
        {"name": "A"},
    ),
    "value that all objects share": (
        "@dataclass\nclass A:\n    b: list = []\n", "@dataclass\nclass A:\n    b: list = field(default_factory=list)\n", {"name": "A"},
    ),
    "rounded down for rounded up": (
        "def f(a, b):\n    return a // b + 1\n", "def f(a, b):\n    return (a + b - 1) // b\n", {},
    ),
    "one key the other way": (
        "def f(a):\n    return sorted(a, key=lambda x: (x.n, x.m), reverse=True)\n",
        "def f(a):\n    return sorted(a, key=lambda x: (-x.n, x.m))\n",
        {},
    ),
    "greedy pattern": ("A = re.compile(r'\"(.*)\" x')\n", "A = re.compile(r'\"(.*?)\" x')\n", {}),
    "sorted in place": ("def f(a):\n    return a.sort()\n", "def f(a):\n    return sorted(a)\n", {}),
    "copy thrown away": ("def f(a):\n    a.strip()\n    return a\n", "def f(a):\n    a = a.strip()\n    return a\n", {}),
    "text that is a sequence too": (
        "def f(a):\n    return isinstance(a, Sequence)\n",
        "def f(a):\n    return isinstance(a, Sequence) and not isinstance(a, (str, bytes))\n",
        {},
    ),
    "base case of an inner function": (
        "def f(a):\n    def g(n):\n        return g(n - 1)\n    return g(a)\n",
        "def f(a):\n    def g(n):\n        if n == 0:\n            return 1\n        return g(n - 1)\n    return g(a)\n",
        {"raised": ("RecursionError",)},
    ),
    "exception of a lower layer": (
        "def f(a):\n    return B[a]\n",
        "def f(a):\n    try:\n        return B[a]\n    except KeyError as error:\n        raise Missing(str(error)) from error\n",
        {"raised": ("KeyError", "Missing")},
    ),
    "bound that is given to a function": (
        "def f(a, n):\n    return last(islice(a, n))\n", "def f(a, n):\n    return last(islice(a, n + 1))\n", {},
    ),
    "misspelt name": (
        "def f(amount):\n    return amuont\n", "def f(amount):\n    return amount\n", {"said": "NameError: name 'amuont' is not defined"},
    ),
    "misspelt attribute": (
        "def f(a):\n    return a.lenght\n", "def f(a):\n    return a.length\n",
        {"said": "AttributeError: 'A' object has no attribute 'lenght'. Did you mean: 'length'?"},
    ),
    "unknown keyword": (
        "def f(a):\n    return g(a, colour=1)\n", "def f(a):\n    return g(a, color=1)\n",
        {"said": "TypeError: g() got an unexpected keyword argument 'colour'", "around": Around(functions={"g": ("a", "color")})},
    ),
    "name of another module": (
        "from a import b\n\nb()\n", "from c import b\n\nb()\n",
        {"said": "ImportError: cannot import name 'b' from 'a'", "around": Around(modules={"c": ("b",)})},
    ),
    "promised another type": (
        "def f(a: int) -> str:\n    return a\n", "def f(a: int) -> int:\n    return a\n",
        {"said": 'Incompatible return value type (got "int", expected "str")', "pointed": 1},
    ),
    "bare except": (
        "def f(a):\n    try:\n        a()\n    except:\n        g()\n",
        "def f(a):\n    try:\n        a()\n    except Exception:\n        g()\n",
        {"said": "E722 Do not use bare `except`", "pointed": 3},
    ),
    "raise without a cause": (
        "def f(a):\n    try:\n        a()\n    except KeyError as error:\n        raise Bad(1)\n",
        "def f(a):\n    try:\n        a()\n    except KeyError as error:\n        raise Bad(1) from error\n",
        {"said": "B904 Within an `except` clause", "pointed": 4},
    ),
    "colon that is missing": (
        "def f(a):\n    if a\n        return 1\n", "def f(a):\n    if a:\n        return 1\n", {"pointed": 1},
    ),
    "text in more than ASCII": ('def f(é):\n    return "ü" + é < "ß"\n', 'def f(é):\n    return "ü" + é <= "ß"\n', {}),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MENDED)
def test_common_mistake_is_among_the_mended(mistake):
    wrong, right, more = MENDED[mistake]
    given_ = dict(more)
    unit = unit_in(wrong, given_.pop("name", ""))
    assert right in [edit.source for edit in edits(unit, **given_)]


SUITE = [inspect.getsource(module) for module in (textwrap, inspect, __import__("argparse"), __import__("asyncio.queues").queues, ast)]
ODD = """\
@decorated(a=[1,
              2])
class Odd(Base, metaclass=Meta):
    '''Doc.
continued'''
    field: int = 3; other = field

    async def one(self, *, a: "int" = 1, **more) -> "x":
        async with a as b, c: await self.one(**{**more}); return [x async for x in b if (y := x)]

    def two(self):
        return f"{self.field!r:>{self.other}}" "ü" '''
  é {''' % (self,) if self < 3 < 4 else lambda *, a=[]: (yield)

    @property
    def three(self): return -1 if not self else ...

    def four(self):
        \"\"\"Only a docstring.\"\"\"

    def five(self):
    \tif 1:
    \t    del self.x, self[1:2, ::3]
    \twhile True: break
    \telse: pass
    \ttry: raise
    \texcept* ValueError as e: pass
    \tfinally: global z; z = 1

    def six(self):
        match self:
            case {"a": [1, *rest], **kw} if rest: return kw
            case Odd(field=3) | None: ...
        nonlocal_ = lambda: nonlocal_
        assert self, "no"; x: int; x @= 3; return x if x else (yield from self)
"""


def units_of(text: str) -> list[Unit]:
    tree = parse(text)
    assert tree is not None
    head = head_unit("m.py", text)
    return [*([head] if head else []), *(unit_of("m.py", text, name, node) for name, node in definitions(tree))]


UNITS = [unit for text in [*SUITE, ODD] for unit in units_of(text) if unit.lines < 25]
SAID = """\
KeyError: 'field' NameError: name 'a' is not defined. Did you mean: 'self.other'? AttributeError: 'NoneType' object has no attribute 'field'
TypeError: f() got an unexpected keyword argument 'a'; missing 1 required positional argument: 'self' is not callable not subscriptable
cannot import name 'Base' from 'm'; No module named 'textwrap2' local variable; coroutine was never awaited
Incompatible return value type (got "None", expected "int"); Function is missing a return type annotation
Argument 1 to "f" has incompatible type "str"; expected "int"; expression has type "None", variable has type "int"
"""


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(UNITS),
    st.sampled_from(["", SAID]),
    st.lists(st.sampled_from(["ValueError", "KeyError", "pkg.Odd", "RecursionError"]), max_size=3, unique=True),
    st.one_of(st.none(), st.integers(0, 20)),
    st.frozensets(st.integers(0, 40), max_size=5),
    st.integers(0, 60),
)
def test_edits_of_any_code_parse_differ_and_come_in_order(unit, said, raised, pointed, lines, most):
    pointed = pointed if pointed is None or pointed < unit.lines else None
    found = edits(unit, said=said, raised=raised, pointed=pointed, lines=lines, most=most)
    assert len(found) <= most
    assert [edit.weight for edit in found] == sorted((edit.weight for edit in found), reverse=True)
    assert len({edit.source for edit in found}) == len(found)
    for edit in found:
        ast.parse(edit.source)
        assert edit.source != unit.source
        assert 0 <= edit.line < unit.lines
        assert edit.rule


def test_odd_code_is_edited_too():
    for unit in units_of(ODD):
        assert edits(unit, said=SAID, raised=("ValueError",)), unit.name


def test_what_is_outside_the_change_keeps_its_form():
    source = "def f(a,  b):   # why\n    c = [ a<3,\n          b ]  # é\n    return  c\n"
    found = [edit.source for edit in edits(unit_in(source)) if edit.rule == "compare"]
    assert found
    assert all(text.startswith("def f(a,  b):   # why\n    c = [ a ") for text in found)
    assert all(text.endswith(",\n          b ]  # é\n    return  c\n") for text in found)


def test_lines_that_ran_come_before_lines_that_did_not():
    unit = unit_in("def f(a):\n    if a < 1:\n        return a < 2\n    return a < 3\n")
    compared = [edit for edit in edits(unit, lines=frozenset({3})) if edit.rule == "compare"]
    weights = {edit.line: edit.weight for edit in reversed(compared)}
    assert weights[3] > weights[1] == weights[2]
    assert compared[0].line == 3
    plain = [edit for edit in edits(unit) if edit.rule == "compare"]
    assert {edit.line for edit in plain if edit.weight == plain[0].weight} == {1, 2, 3}


def test_fewer_edits_are_the_likeliest_ones():
    unit = unit_in(MENDED["mutable default"][0])
    every = edits(unit)
    for most in (0, 1, 5):
        assert edits(unit, most=most) == every[:most]
    assert every[0].rule == "signature"


def broken(source: str) -> Unit:
    return Unit(path="m.py", name="lines 1 to 2", kind="statement", start=0, end=2, indent="", source=source)


@pytest.mark.parametrize(
    ("source", "mended"),
    [("def f(:\n    return 1\n", "def f():\n    return 1\n"), ("x = (\n", "x = ()\n"), ("if x\n    y()\n", "if x:\n    y()\n")],
)
def test_code_that_does_not_parse_is_completed(source, mended):
    assert mended in [edit.source for edit in edits(broken(source), said="invalid syntax", pointed=0)]


@pytest.mark.parametrize("source", ["'''\n", "if x\n  y\n z\n", "\0\n", "é = $\n", "(" * 300, "\tx\n  y\n"])
def test_code_that_cannot_be_understood_breaks_nothing(source):
    found = edits(broken(source), said="invalid syntax", pointed=0, most=20)
    assert len(found) <= 20
    assert source not in [edit.source for edit in found]


def test_no_constant_is_chosen_freely():
    numbers = set()
    for edit in edits(unit_in("def f(a):\n    return a * 50\n")):
        numbers |= {node.value for node in ast.walk(ast.parse(edit.source)) if isinstance(node, ast.Constant) and type(node.value) is int}
    assert 50 in numbers
    assert max(numbers) == 51
    assert not numbers & set(itertools.chain(range(3, 49), range(52, 1000)))


def test_no_case_is_answered_by_itself_where_nothing_recurs():
    plain = unit_in("def f(a, n):\n    return g(a, n)\n")
    assert not [edit.source for edit in edits(plain, most=10_000) if "n == 1" in edit.source]
    recurring = unit_in("def f(a, n):\n    return f(a, n - 1)\n")
    assert [edit.source for edit in edits(recurring, most=10_000) if "n == 1" in edit.source]
