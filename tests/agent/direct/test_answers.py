"""Answers become file texts only when they fit; what small policies forget is completed, what they add around is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from suture_agent.direct.answers import code_in, fingerprint, rewrite
from suture_agent.direct.units import Unit, head_unit, unit_named

TEXT = "import os\n\n\ndef area(r):\n    return r * r\n\n\nclass Cart:\n    def total(self):\n        return 0\n"


def unit(name: str) -> Unit:
    found = unit_named("m.py", TEXT, name)
    assert found is not None
    return found


def test_code_continues_the_prefill_up_to_the_fence():
    assert code_in("    return 1\n```\nThat was it.", "```python\ndef f():\n") == "def f():\n    return 1\n"


def test_code_without_a_prefill_is_cut_out_of_the_prose():
    assert code_in("Here:\n```python\nx = 1\n```\nDone", "") == "x = 1\n"


def test_function_is_replaced_and_the_rest_stays():
    new = rewrite(TEXT, unit("area"), "def area(r):\n    return 3 * r * r\n")
    assert new == TEXT.replace("r * r", "3 * r * r")


def test_method_written_without_its_class_gets_its_indent():
    new = rewrite(TEXT, unit("Cart.total"), "def total(self):\n    return 1\n")
    assert new is not None
    assert "    def total(self):\n        return 1\n" in new


def test_method_written_inside_its_class_is_taken_out_of_it():
    new = rewrite(TEXT, unit("Cart.total"), "class Cart:\n    def total(self):\n        return 2\n")
    assert new is not None
    assert new.count("class Cart") == 1
    assert "        return 2\n" in new


def test_chatter_after_the_function_is_cut():
    new = rewrite(TEXT, unit("area"), "def area(r):\n    return 3 * r * r\n\nThis now works because (of course\n")
    assert new == TEXT.replace("r * r", "3 * r * r")


def test_answer_about_another_function_is_refused():
    assert rewrite(TEXT, unit("area"), "def other(r):\n    return 1\n") is None


def test_answer_that_changes_nothing_but_layout_is_refused():
    assert rewrite(TEXT, unit("area"), "def area(r):\n\n    # the area\n    return (r * r)\n") is None


def test_answer_that_does_not_parse_is_refused():
    assert rewrite(TEXT, unit("area"), "def area(r:\n") is None


def test_forgotten_import_of_a_standard_module_is_added_after_the_imports():
    new = rewrite(TEXT, unit("area"), "def area(r):\n    return math.pi * r * r\n")
    assert new is not None
    assert new.startswith("import os\nimport math\n\n\ndef area")


def test_forgotten_import_of_a_known_name_is_added():
    new = rewrite(
        "def f(x):\n    return x\n",
        unit_named("m.py", "def f(x):\n    return x\n", "f") or unit("area"),
        "def f(x):\n    return Decimal(x)\n",
    )
    assert new == "from decimal import Decimal\n\ndef f(x):\n    return Decimal(x)\n"


def test_import_goes_after_docstring_and_future_import():
    text = '"""Doc."""\n\nfrom __future__ import annotations\n\n\ndef f(x):\n    return x\n'
    found = unit_named("m.py", text, "f")
    assert found is not None
    new = rewrite(text, found, "def f(x):\n    return math.floor(x)\n")
    assert new is not None
    assert new.index("from __future__") < new.index("import math") < new.index("def f")


def test_names_that_were_undefined_before_are_not_touched():
    text = "def f(x):\n    return x\n\n\ndef g():\n    return json\n"
    found = unit_named("m.py", text, "f")
    assert found is not None
    new = rewrite(text, found, "def f(x):\n    return x + 1\n")
    assert new is not None
    assert "import json" not in new


def test_head_is_replaced_whole():
    found = head_unit("m.py", TEXT)
    assert found is not None
    new = rewrite(TEXT, found, "import os\nimport sys\n")
    assert new is not None
    assert new.startswith("import os\nimport sys\n\n\ndef area")


def test_fingerprint_sees_through_layout_and_comments():
    assert fingerprint("x = 1  # one\n") == fingerprint("x  =  1\n")
    assert fingerprint("x = 1\n") != fingerprint("x = 2\n")


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_answer_raises(answer: str, prefill: str):
    rewrite(TEXT, unit("area"), code_in(answer, prefill))
    rewrite(TEXT, unit("Cart.total"), code_in(answer, prefill))


def test_a_head_that_means_the_same_is_left_as_it_was():
    text = "def area(r: float, *, scale: float = 1) -> float:\n    # in metres\n    return r * r\n"
    found = unit_named("m.py", text, "area")
    assert found is not None
    new = rewrite(text, found, "def area( r: float, *, scale: float=1 )->float:\n    s = scale\n    return r * r * s\n")
    assert new == text.replace("    return r * r\n", "    s = scale\n    return r * r * s\n")


def test_a_head_that_changes_is_taken_over():
    text = "def area(r):\n    return r * r\n"
    found = unit_named("m.py", text, "area")
    assert found is not None
    assert rewrite(text, found, "def area( r, s ):\n    return r * s\n") == "def area( r, s ):\n    return r * s\n"
