"""The workspaces of the tests of task sets: one for pretend tools, and a real one with unittest in an environment of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from suture_sandbox.checks import Check

CHECKS = {
    "lint": Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30),
    "types": Check(name="types", kind="types", command=("typetool",), report="generic", timeout=30),
    "tests": Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True),
}

SHOP = '''\
"""A shop."""


def total(prices, discount=0):
    """What all of it costs."""
    result = 0
    for price in prices:
        result += price
    return result - discount


def cheapest(prices):
    """The lowest price, None of nothing."""
    if not prices:
        return None
    return min(prices)


def label(name, price):
    """As it stands on the shelf."""
    return f"{name.strip()}: {price:.2f}"
'''
TESTS = """\
test_total: total([1, 2]) == 3
test_discount: total([5], 1) == 4
test_cheapest: cheapest([3, 1]) == 1
test_nothing: cheapest([]) is None
test_label: label(' tea ', 2) == 'tea: 2.00'
"""
CALC = """\
def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def cheapest(prices):
    return min(prices) if prices else None
"""
TEST_CALC = """\
import unittest

from calc import cheapest, total


class Calc(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1, 2]), 3)

    def test_cheapest(self):
        self.assertEqual(cheapest([3, 1]), 1)

    def test_nothing(self):
        self.assertIsNone(cheapest([]))
"""


def empty_environment(root: Path) -> Path:
    """A virtual environment without packages in a workspace, quickly captured; its site-packages folder."""
    site = root / ".venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (root / ".venv" / "bin").mkdir()
    base = Path(os.path.realpath(sys.executable))
    (root / ".venv" / "bin" / "python").symlink_to(base)
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    return site
