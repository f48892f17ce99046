"""What a small policy is shown: the failure, the unit, and just the code around it that it needs."""

from __future__ import annotations

import pytest

from suture_agent.direct.context import again_prompt, around, exceptions_named, failure, first_prompt, observed, offered_names
from suture_agent.direct.localise import Suspect
from suture_agent.direct.trace import Call
from suture_agent.direct.units import head_unit, unit_named

SHOP = '''\
import math
import os
from dataclasses import dataclass

from lib.money import Money, rounded

RATE = 2
UNUSED = 3
TABLE = {
    "a": 1,
}


def short(value):
    return value


def long(value):
    """Doc."""
    a = 1
    b = 2
    c = 3
    d = 4
    e = 5
    f = 6
    g = 7
    h = 8
    return value


def unrelated():
    return UNUSED


def price(item):
    return math.floor(short(item) * RATE + long(item) + rounded(item) + TABLE["a"])


@dataclass
class Cart:
    items: list
    limit: int = 3

    def __init__(self, items):
        self.items = items
        self.a = 1
        self.b = 2
        self.c = 3
        self.d = 4
        self.e = 5
        self.f = 6

    def big(self, factor):
        a = 1
        b = 2
        c = 3
        d = 4
        e = 5
        return factor

    def small(self):
        return 1

    @property
    def total(self):
        return sum(self.items)
'''
MONEY = "def rounded(value, digits=2):\n    return round(value, digits)\n\n\nclass Money:\n    pass\n"
TESTS = '''\
import pytest
from shop import price


class TestPrice:
    @pytest.mark.parametrize("item", [1, 2])
    def test_price(self, item):
        """It costs $1 and ``more``."""
        assert price(item) == 3


def test_raises():
    with pytest.raises(ValueError):
        price(None)
    with pytest.raises(expected_exception=KeyError):
        price(None)
    self.assertRaises(module.Odd, price, None)


def test_long():
''' + "".join(f"    step({number})\n" for number in range(100))
FILES = {"shop.py": SHOP, "lib/money.py": MONEY, "lib/__init__.py": "", "test_shop.py": TESTS}
PRICE = "test_shop.py::TestPrice::test_price[1]"


def unit(name: str, path: str = "shop.py", text: str = SHOP):
    found = unit_named(path, text, name)
    assert found is not None
    return found


def test_unit_is_shown_whole_with_the_failing_test_and_what_was_observed(snapshot_with, finding_at):
    snapshot = snapshot_with(FILES)
    detail = "    def test_price\n>       assert price(item) == 3\nE       assert 7 == 3\nE        +  where 7 = price(1)"
    finding = finding_at("test_shop.py", 9, "assert 7 == 3", test=PRICE, detail=detail)
    suspect = Suspect(unit=unit("price"), score=1.0, calls=(Call("item=1", "7"), Call("item=2", None)))
    shown = first_prompt([finding], suspect, snapshot)
    assert unit("price").source in shown
    assert '    def test_price(self, item):\n        """It costs $1 and ``more``."""\n        assert price(item) == 3' in shown
    assert '@pytest.mark.parametrize("item", [1, 2])' in shown
    assert "> assert price(item) == 3\nassert 7 == 3\n+  where 7 = price(1)" in shown
    assert "price(item=1) -> 7\n" in shown
    assert "item=2" not in shown
    assert "`price`" in shown
    assert "shop.py" in shown
    assert "$failure" not in shown
    assert "must change" not in shown
    pointed = first_prompt([finding], suspect, snapshot, line="    return $name")
    assert "must change:\n```python\n    return $name\n```" in pointed


def test_only_what_the_unit_names_is_shown_around_it(snapshot_with):
    shown = around(unit("price"), snapshot_with(FILES))
    assert "import math" in shown
    assert "RATE = 2" in shown
    assert 'TABLE = {\n    "a": 1,\n}' in shown
    assert "def short(value):\n    return value" in shown
    assert "def long(value):\n    ...\n" in shown
    assert "# from lib/money.py:\ndef rounded(value, digits=2):\n    return round(value, digits)" in shown
    for other in ("import os", "UNUSED", "unrelated", "class Cart", "dataclass", "class Money", "def price"):
        assert other not in shown


def test_method_is_shown_with_its_class_and_the_signatures_of_its_siblings(snapshot_with):
    shown = around(unit("Cart.total"), snapshot_with(FILES))
    assert "@dataclass\nclass Cart:\n    items: list\n    limit: int = 3\n" in shown
    assert "        self.f = 6\n" in shown
    assert "    def big(self, factor):\n        ...\n" in shown
    assert "    def small(self):\n        return 1\n" in shown
    assert shown.endswith("# Cart.total:\n\n")
    assert "return factor" not in shown
    assert "sum(self.items)" not in shown


def test_nothing_is_shown_around_module_level_code_or_what_does_not_parse(snapshot_with):
    snapshot = snapshot_with({**FILES, "broken.py": "def f(:\n"})
    head = head_unit("shop.py", SHOP)
    assert head is not None
    assert around(head, snapshot) == ""
    assert around(unit("price", path="gone.py"), snapshot) == ""
    assert around(unit("price", path="broken.py"), snapshot) == ""


def test_surroundings_and_tests_are_cut_when_they_are_long(snapshot_with, finding_at):
    many = "".join(f"C{number} = {number}\n" for number in range(300))
    text = f"{many}\n\ndef use():\n    return {' + '.join(f'C{number}' for number in range(300))}\n"
    snapshot = snapshot_with({**FILES, "many.py": text})
    assert len(around(unit("use", "many.py", text), snapshot).splitlines()) <= 42
    said = failure([finding_at("test_shop.py", 22, test="test_shop.py::test_long", detail="E " + "E x\n" * 500)], snapshot)
    assert "step(0)" in said
    assert "step(99)" in said
    assert "step(50)" not in said
    assert len(said.splitlines()) < 70


def test_two_different_failures_are_shown_when_both_are_short(snapshot_with, finding_at):
    snapshot = snapshot_with(FILES)
    one = finding_at("test_shop.py", 9, "assert 7 == 3", test=PRICE, detail="E   assert 7 == 3")
    same = finding_at("test_shop.py", 9, "assert 7 == 3", test="test_shop.py::TestPrice::test_price[2]", detail="E   assert 7 == 3")
    other = finding_at("test_shop.py", 13, "DID NOT RAISE", test="test_shop.py::test_raises", detail="E   DID NOT RAISE")
    assert failure([one, same], snapshot).count("This test fails") == 1
    both = failure([one, same, other], snapshot)
    assert both.count("This test fails") == 2
    assert "DID NOT RAISE" in both
    talkative = finding_at("test_shop.py", 13, "no", test="test_shop.py::test_raises", detail="E   no\n" + "E   x\n" * 1000)
    shown = failure([talkative, one], snapshot)
    assert "assert 7 == 3" in shown
    assert "test_raises" not in shown


def test_test_whose_source_is_not_found_is_named(snapshot_with, finding_at):
    finding = finding_at("", 1, "ImportError: no", test="gone/test_x.py::test_y[é b]")
    assert failure([finding], snapshot_with(FILES)) == "`test_y[é b]` fails.\nError:\n```\nImportError: no\n```"


def test_finding_of_a_tool_is_shown_with_its_line(snapshot_with, finding_at):
    finding = finding_at("shop.py", 7, "bad type", code="arg-type")
    said = failure([finding] * 9, snapshot_with(FILES))
    assert said.splitlines()[:4] == ["The check `types` reports: bad type [arg-type] in this line:", "```python", "RATE = 2", "```"]
    assert said.count("bad type") == 6
    beyond = finding_at("shop.py", 999, "bad type", code="arg-type")
    assert failure([beyond], snapshot_with(FILES)) == "The check `types` reports: bad type [arg-type]"


def test_after_a_failed_answer_only_the_new_failure_is_told(snapshot_with, finding_at):
    snapshot = snapshot_with(FILES)
    finding = finding_at("test_shop.py", 9, "assert 8 == 3", test=PRICE, detail="E   assert 8 == 3")
    said = again_prompt([finding], unit("price"), snapshot)
    assert "assert 8 == 3" in said
    assert "This test fails" not in said
    assert "`price`" in said
    told = again_prompt([finding], unit("price"), snapshot, told="the guard refuses $it")
    assert "the guard refuses $it" in told
    assert "assert 8" not in told


def test_nothing_was_observed_without_a_finished_call():
    assert observed(Suspect(unit=unit("price"), score=1.0)) == ""
    assert observed(Suspect(unit=unit("price"), score=1.0, calls=(Call("item=1", None),))) == ""
    calls = tuple(Call(f"self=Cart(), n={number}", "raised KeyError: 'a'") for number in range(5))
    shown = observed(Suspect(unit=unit("Cart.total"), score=1.0, calls=calls))
    assert shown.splitlines()[1] == "total(self=Cart(), n=0) -> raised KeyError: 'a'"
    assert len(shown.splitlines()) == 4


def test_exceptions_that_tests_expect_or_show_are_named_once(snapshot_with, finding_at):
    snapshot = snapshot_with(FILES)
    expects = finding_at("test_shop.py", 13, "DID NOT RAISE", test="test_shop.py::test_raises", code="Failed")
    shows = finding_at("test_shop.py", 9, "TypeError: no", test=PRICE, code="TypeError")
    plain = finding_at("test_shop.py", 9, test=PRICE)
    found = exceptions_named([shows, expects, shows, plain], snapshot)
    assert found[0] == "TypeError"
    assert sorted(found[1:]) == ["KeyError", "ValueError", "module.Odd"]
    assert exceptions_named([plain], snapshot) == ()
    assert exceptions_named([], snapshot) == ()


@pytest.mark.parametrize("said", ["cannot import name 'rond' from 'lib.money' (/x)", "module 'lib.money' has no attribute 'rond'"])
def test_name_that_a_module_lacks_is_answered_with_those_it_has(snapshot_with, finding_at, said):
    snapshot = snapshot_with(FILES)
    assert offered_names(finding_at("shop.py", 5, said), snapshot) == "`lib.money` defines: rounded, Money."
    for other in (said.replace("lib.money", "os.path"), said.replace("lib.money", "../etc"), "assert 1"):
        assert offered_names(finding_at("shop.py", 5, other), snapshot) == ""


def test_an_exception_is_known_whatever_its_name_ends_with(snapshot_with, finding_at):
    snapshot = snapshot_with(FILES)
    codes = ("InvalidOperation", "Skipped", "no_exception", "db.Busy")
    shown = [finding_at("test_shop.py", 9, code, test=PRICE, code=code) for code in codes]
    assert exceptions_named(shown, snapshot)[:2] == ("InvalidOperation", "db.Busy")
    told = [finding_at("shop.py", 1, "x", code=code) for code in ("E501", "KeyError")]
    assert exceptions_named(told, snapshot) == ("KeyError",)
