"""Which tests a patch may break, by a map written by hand."""

from __future__ import annotations

import hashlib

import pytest

from suture_agent.impact.choose import Impacted, impacted, worth_running
from suture_agent.impact.map import ImpactMap, MappedFile
from suture_sandbox.patch import FileEdit, Patch

CODE = """\
import os

LIMIT = 3


def first(a, b=LIMIT):
    # said
    return a


@cached
def second():
    def inner():
        return 1

    return inner()


class Box:
    size = 4

    def first(self):
        return 1


KEY = lambda item: item
"""
BASE = "LIMITS = 1\n"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


FILES = (
    MappedFile(
        path="lib/code.py",
        hash=digest(CODE),
        functions={6: (0, 1), 11: (2, 2), 13: (3, 3), 22: (1, 1, 3, 3), 26: (4, 4)},
        early=(13,),
        imports=(1,),
    ),
    MappedFile(path="lib/base.py", hash=digest(BASE), functions={}, early=(), imports=(0,)),
    MappedFile(path="test_code.py", hash="", functions={}, early=(), imports=(0,)),
    MappedFile(path="test_other.py", hash="", functions={}, early=(), imports=()),
)
MAP = ImpactMap(tests=("t0", "t1", "t2", "t3", "t4", "t5"), homes=(2, 2, 2, 3, -1, 3), files=FILES)


def asked(old: str, new: str) -> Impacted:
    assert old in CODE
    return impacted(MAP, Patch((FileEdit(path="lib/code.py", before=CODE.encode(), after=CODE.replace(old, new, 1).encode()),)))


@pytest.mark.parametrize(
    ("old", "new", "ran", "imported"),
    [
        ("    return a\n", "    return b\n", ("t0", "t1"), ()),
        ("def first(a, b=LIMIT)", "def first(a, b=4)", ("t0", "t1"), ()),
        ("    return a\n", "    return a\n\n\ndef new():\n    return 1\n", (), ()),
        ("    return a\n", "    a += 1\n    return a\n", ("t0", "t1"), ()),
        ("    return a\n", "    return a\n    return b\n", ("t0", "t1"), ()),
        ("    def first(self):\n        return 1\n", "", ("t1", "t3"), ()),
        ("        return 1\n\n\nKEY", "        return 2\n\n\nKEY", ("t1", "t3"), ()),
        ("    return inner()", "    return inner", ("t2",), ()),
        (
            "        return 1\n\n    return inner",
            "        return 2\n\n    return inner",
            ("t3",),
            ("t0", "t1", "t2"),
        ),  # it runs on import too
        ("@cached\n", "", ("t2",), ("t0", "t1")),
        ("LIMIT = 3", "LIMIT = 4", (), ("t0", "t1", "t2")),
        ("    size = 4", "    size = 5", (), ("t0", "t1", "t2")),
        ("import os\n", "import os\nimport sys\n", (), ("t0", "t1", "t2")),
        ("lambda item: item", "lambda item: 1", ("t4",), ("t0", "t1", "t2")),
        ("    # said\n", "    # told\n", (), ()),
        ("    return a\n", "    return (\n", ("t0", "t1"), ("t2",)),  # no Python any more
    ],
)
def test_a_change_concerns_those_who_ran_it_or_import_it(old, new, ran, imported):
    assert asked(old, new) == Impacted(ran, imported)


def test_imports_are_followed_through_other_files():
    patch = Patch((FileEdit(path="lib/base.py", before=BASE.encode(), after=b"LIMITS = 2\n"),))
    assert impacted(MAP, patch) == Impacted((), ("t0", "t1", "t2"))


@pytest.mark.parametrize(
    "edit",
    [
        FileEdit(path="lib/code.py", before=CODE.encode() + b"\n", after=b""),  # not the map's text
        FileEdit(path="lib/new.py", before=None, after=b"x = 1\n"),
        FileEdit(path="data.json", before=b"{}", after=b"[]"),
        FileEdit(path="lib/code.py", before=None, after=CODE.encode()),
    ],
)
def test_of_what_the_map_does_not_know_nothing_is_said(edit):
    good = FileEdit(path="lib/base.py", before=BASE.encode(), after=b"x = 2\n")
    assert impacted(MAP, Patch((good, edit))) == Impacted()


def test_a_deleted_file_concerns_all_who_know_it():
    patch = Patch((FileEdit(path="lib/code.py", before=CODE.encode(), after=None),))
    assert impacted(MAP, patch) == Impacted(("t0", "t1", "t2", "t3", "t4"), ())


@pytest.mark.parametrize("text", ["\x0cdef a():\n    return 1\n", "def a():\r\n    return 1\r\n", "\ufeffdef a():\n    return 1\n"])
def test_lines_are_counted_as_python_does(text):
    file = MappedFile(path="a.py", hash=digest(text), functions={1: (0, 0)}, early=(), imports=())
    found = ImpactMap(tests=("t0",), homes=(-1,), files=(file,))
    patch = Patch((FileEdit(path="a.py", before=text.encode(), after=text.replace("1", "2").encode()),))
    assert impacted(found, patch) == Impacted(("t0",), ())


@pytest.mark.parametrize(
    ("ran", "imported", "chosen"),
    [(2, 2, 4), (2, 4, 2), (5, 0, 5), (6, 0, 0), (0, 6, 0), (0, 0, 0)],
)
def test_only_so_many_as_pay_are_run(ran, imported, chosen):
    names = [f"t{number}" for number in range(12)]
    found = Impacted(tuple(names[:ran]), tuple(names[ran : ran + imported]))
    assert worth_running(found, 10) == tuple(names[:chosen])
