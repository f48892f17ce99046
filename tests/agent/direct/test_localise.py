"""Localisation: which unit is suspected first, for what kind of failure, and what is never suspected."""

from __future__ import annotations

from suture_agent.direct.localise import suspects
from suture_agent.direct.trace import Call, Trace, TracedFunction, TracedTest
from suture_agent.problem import Problem
from suture_sandbox.verdict import Target

CART = """\
import re

RATES = {"a": 1, "b": 2}
WORD = re.compile("[a-z]+")
started = object()


def rate(name):
    return RATES[name]


def tax(amount, name):
    return amount * rate(name)


def total(prices):
    result = 1
    for price in prices:
        result += price
    return result


def words(text):
    return WORD.findall(text)


class Cart:
    def __init__(self, prices):
        self.prices = prices

    def total(self):
        return total(self.prices)

    def average(self):
        return self.total() / len(self.prices)
"""
TESTS = """\
from cart import Cart, tax, total, words


def test_total():
    assert total([1, 2]) == 3


def test_tax():
    assert tax(2, "a") == words("b")


def test_cart():
    cart = Cart([1])
    assert cart.average() == 1


def test_all():
    check(
        total([1]),
        2,
    )
"""


def line(text: str, piece: str) -> int:
    return next(number for number, each in enumerate(text.splitlines(), 1) if piece in each)


def problem_of(snapshot, *findings) -> Problem:
    return Problem(
        id="0" * 12, snapshot=snapshot, target=Target(check=findings[0].check if findings else "tests", findings=findings), before=()
    )


def ran(*names: str, outcome: str = "failed", calls: tuple[Call, ...] = (), lines: tuple[int, ...] = ()) -> TracedTest:
    """These functions of CART ran, in this order."""
    places = {name: line(CART, f"def {name.split('.')[-1]}(") - 1 for name in names}
    if "Cart.total" in places:
        places["Cart.total"] = line(CART, "def total(self)") - 1
    functions = tuple(TracedFunction(path="cart.py", line=at, name=name, lines=lines, calls=calls) for name, at in places.items())
    return TracedTest(outcome=outcome, functions=functions)


def names(found) -> list[str]:
    return [suspect.unit.name for suspect in found]


def test_function_in_which_the_exception_was_raised_comes_before_its_callers(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    frames = (("test_cart.py", 9), ("cart.py", line(CART, "return amount *")), ("cart.py", line(CART, "return RATES")))
    finding = finding_at("cart.py", frames[-1][1], "KeyError: 'a'", test="test_cart.py::test_tax", frames=frames, code="KeyError")
    found = suspects(problem_of(snapshot, finding), snapshot, Trace())
    assert names(found)[:2] == ["rate", "tax"]
    assert found[0].unit.source == "def rate(name):\n    return RATES[name]\n"


def test_without_frames_it_is_what_the_failing_line_calls(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    finding = finding_at("test_cart.py", 5, test="test_cart.py::test_total", frames=(("test_cart.py", 5),))
    found = suspects(problem_of(snapshot, finding), snapshot, Trace())
    assert names(found)[0] == "total"
    assert not {"tax", "words"} & set(names(found))


def test_test_that_is_named_after_a_function_points_at_it(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    finding = finding_at("test_cart.py", 9, test="test_cart.py::test_tax", frames=(("test_cart.py", 9),))
    assert names(suspects(problem_of(snapshot, finding), snapshot, Trace()))[0] == "tax"


def test_what_runs_only_in_failing_tests_comes_before_what_runs_in_all(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_other.py": "def test_a():\n    assert run() == 1\n"})
    finding = finding_at("test_other.py", 2, test="test_other.py::test_a")
    trace = Trace(tests={
        "test_other.py::test_a": ran("tax", "rate"),
        "test_other.py::test_b": ran("tax", outcome="passed"),
        "test_other.py::test_c": ran("tax", "total", outcome="passed"),
    })  # fmt: skip
    found = suspects(problem_of(snapshot, finding), snapshot, trace)
    assert names(found)[:2] == ["rate", "tax"]
    assert "total" not in names(found)


def test_values_and_lines_of_the_failing_run_come_with_the_suspect(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    finding = finding_at("test_cart.py", 5, test="test_cart.py::test_total")
    start = line(CART, "def total(prices)") - 1
    seen = (Call("prices=[1, 2]", "4"),)
    trace = Trace(tests={
        "test_cart.py::test_total": ran("total", calls=seen, lines=(start + 1, start + 2, start + 4)),
        "test_cart.py::test_all": ran("total", outcome="passed", lines=(start + 3,)),
    })  # fmt: skip
    first = suspects(problem_of(snapshot, finding), snapshot, trace)[0]
    assert (first.unit.name, first.calls, first.lines) == ("total", seen, frozenset({1, 2, 4}))


def test_constructor_comes_after_the_method_that_ran_with_it(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_other.py": "def test_a():\n    assert run() == 1\n"})
    finding = finding_at("test_other.py", 2, test="test_other.py::test_a")
    trace = Trace(tests={"test_other.py::test_a": ran("Cart.__init__", "Cart.average")})
    assert names(suspects(problem_of(snapshot, finding), snapshot, trace)) == ["Cart.average", "Cart.__init__"]


def test_methods_that_the_test_names_stand_for_their_class(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    finding = finding_at("test_cart.py", 14, test="test_cart.py::test_cart")
    found = names(suspects(problem_of(snapshot, finding), snapshot, Trace()))
    assert found[0] == "Cart.average"
    assert "Cart.__init__" in found
    assert "Cart.total" not in found


def test_table_or_pattern_that_the_function_reads_is_suspected_after_it(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    for function, table in (("return RATES", "RATES"), ("WORD.findall", "WORD")):
        finding = finding_at("cart.py", line(CART, function), "wrong", test="test_none.py::test_none")
        found = suspects(problem_of(snapshot, finding), snapshot, Trace())
        assert names(found)[1] == table
        assert found[1].unit.kind == "statement"
        assert found[1].unit.source.startswith(f"{table} = ")
        assert "started" not in names(found)


def test_function_that_is_named_but_never_ran_is_a_suspect(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART, "test_other.py": "def test_a():\n    assert cart.average == 1\n"})
    said = "assert <bound method Cart.average of ...> == 1"
    finding = finding_at("test_other.py", 2, said, test="test_other.py::test_a")
    trace = Trace(tests={"test_other.py::test_a": ran("Cart.__init__")})
    assert "Cart.average" in names(suspects(problem_of(snapshot, finding), snapshot, trace))


def test_tests_and_their_helpers_are_never_suspected(snapshot_with, finding_at):
    helper = "def prepare():\n    return {}['a']\n"
    files = {"tests/helper.py": helper, "conftest.py": helper, "test_a.py": helper, "b_test.py": helper, "lib/testing.py": helper}
    snapshot = snapshot_with(files)
    finding = finding_at("conftest.py", 2, "KeyError: 'a'", test="test_a.py::test_a", frames=tuple((path, 2) for path in files))
    traced = TracedTest(outcome="failed", functions=tuple(TracedFunction(path=path, line=0, name="prepare") for path in files))
    found = suspects(problem_of(snapshot, finding), snapshot, Trace(tests={"test_a.py::test_a": traced}))
    assert {suspect.unit.path for suspect in found} == {"lib/testing.py"}
    uses = "from tests.helper import prepare\n\n\ndef test_b():\n    assert prepare() == 1\n"
    snapshot = snapshot_with({"test_b.py": uses})
    assert suspects(problem_of(snapshot, finding_at("test_b.py", 5, test="test_b.py::test_b")), snapshot, Trace()) == ()


def test_places_outside_the_workspace_and_missing_files_are_left_out(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART})
    frames = (("/usr/lib/python3/json.py", 3), ("../other.py", 1), ("gone.py", 1), ("cart.py", 9))
    finding = finding_at("gone.py", 1, "KeyError", test="test_gone.py::test_a", frames=frames)
    assert names(suspects(problem_of(snapshot, finding), snapshot, Trace()))[0] == "rate"
    lost = finding_at("", 1, "it failed")
    assert suspects(problem_of(snapshot, lost), snapshot, Trace()) == ()


def test_few_are_suspected_and_none_that_is_too_long_to_write_anew(snapshot_with, finding_at):
    short = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(20))
    long = "def long():\n" + "    x = 1\n" * 130
    snapshot = snapshot_with({"many.py": short, "long.py": long})
    traced = tuple(TracedFunction(path="many.py", line=4 * number, name=f"f{number}") for number in range(20))
    finding = finding_at("long.py", 5, "wrong", test="test_a.py::test_a")
    trace = Trace(tests={"test_a.py::test_a": TracedTest(outcome="failed", functions=traced)})
    assert names(suspects(problem_of(snapshot, finding), snapshot, trace)) == ["f0", "f1", "f2", "f3", "f4", "f5"]


def test_tool_is_believed_about_the_place(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART})
    for piece, name in (("return amount *", "tax"), ("def __init__", "Cart.__init__"), ("import re", "the module's head")):
        found = suspects(problem_of(snapshot, finding_at("cart.py", line(CART, piece), "bad type")), snapshot, Trace())
        assert names(found)[0] == name


def test_file_that_does_not_parse_gives_the_lines_around_the_mistake(snapshot_with, finding_at):
    broken = CART.replace("result = 1", "result = (")
    snapshot = snapshot_with({"cart.py": broken, "test_cart.py": TESTS})
    finding = finding_at("cart.py", line(broken, "result = ("), "'(' was never closed", code="SyntaxError")
    (first, *_) = suspects(problem_of(snapshot, finding), snapshot, Trace())
    assert first.unit.source.startswith("def total(prices):\n    result = (\n")
    assert "class Cart" not in first.unit.source


def test_unsaved_text_decides_where_a_unit_is(snapshot_with, finding_at):
    snapshot = snapshot_with({"cart.py": CART}).with_edits({"cart.py": b"\n\n\ndef other():\n    return 1\n"})
    assert names(suspects(problem_of(snapshot, finding_at("cart.py", 5)), snapshot, Trace())) == ["other"]
