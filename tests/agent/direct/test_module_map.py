"""Imports inside the workspace that lead nowhere: mended in every file at once, and only where one module can have been meant."""

from __future__ import annotations

import pytest

from suture_agent.direct.module_map import mended_imports
from suture_agent.problem import Problem
from suture_sandbox.verdict import Target


@pytest.fixture
def mended(snapshot_with, finding_at):
    """The files that are changed, by what a message says about the files given."""

    def run(files, message):
        target = Target(check="tests", findings=(finding_at("tests/test_a.py", 1, message),))
        patch = mended_imports(Problem(id="p", snapshot=snapshot_with(files), target=target, before=()))
        return {} if patch is None else {edit.path: (edit.after or b"").decode() for edit in patch.edits}

    return run


def test_modules_of_a_subpackage_with_one_dot_too_few(mended):
    files = {
        "src/kiln/__init__.py": "",
        "src/kiln/units.py": "def celsius(x):\n    return x\n",
        "src/kiln/firings/__init__.py": "from .schedule import Schedule\n",
        "src/kiln/firings/schedule.py": "from .units import celsius\n\n\nclass Schedule:\n    pass\n",
        "src/kiln/firings/standard.py": "from .units import (\n    celsius,\n)\nfrom .schedule import Schedule\n",
    }
    assert mended(files, "ModuleNotFoundError: No module named 'kiln.firings.units'") == {
        "src/kiln/firings/schedule.py": "from ..units import celsius\n\n\nclass Schedule:\n    pass\n",
        "src/kiln/firings/standard.py": "from ..units import (\n    celsius,\n)\nfrom .schedule import Schedule\n",
    }


def test_a_name_that_moved_to_another_module(mended):
    files = {
        "shop/__init__.py": "",
        "shop/prices.py": "RATE = 2\n",
        "shop/tax.py": "def tax(x):\n    return x\n",
        "shop/till.py": "from shop.prices import tax\n",
    }
    assert mended(files, "ImportError: cannot import name 'tax' from 'shop.prices' (/w/shop/prices.py)") == {
        "shop/till.py": "from shop.tax import tax\n"
    }


def test_a_module_that_is_asked_for_without_its_package(mended):
    files = {"shop/__init__.py": "", "shop/tax.py": "def tax(x):\n    return x\n", "shop/till.py": "from tax import tax\n"}
    assert mended(files, "ModuleNotFoundError: No module named 'tax'") == {"shop/till.py": "from shop.tax import tax\n"}


def test_where_two_modules_can_be_meant_nothing_is_changed(mended):
    files = {
        "shop/__init__.py": "",
        "shop/a.py": "def tax(x):\n    return x\n",
        "shop/b.py": "def tax(x):\n    return -x\n",
        "shop/till.py": "from shop.gone import tax\n",
    }
    assert mended(files, "ModuleNotFoundError: No module named 'shop.gone'") == {}


def test_a_distribution_that_is_not_installed_is_not_taken_for_a_module_of_the_workspace(mended):
    files = {"shop/__init__.py": "", "shop/web.py": "def get(url):\n    return url\n", "shop/till.py": "from requests import get\n"}
    assert mended(files, "ModuleNotFoundError: No module named 'requests'") == {}


def test_a_failure_that_is_about_no_import_is_left_alone(mended):
    files = {"shop/__init__.py": "", "shop/tax.py": "", "shop/till.py": "from .gone import tax\n"}
    assert mended(files, "AssertionError: assert 1 == 2") == {}


def test_a_byte_order_mark_is_kept(mended):
    files = {"shop/__init__.py": "", "shop/tax.py": "def tax(x):\n    return x\n", "shop/till.py": "\ufefffrom tax import tax\n"}
    assert mended(files, "No module named 'tax'") == {"shop/till.py": "\ufefffrom shop.tax import tax\n"}


def test_imports_that_find_what_they_name_are_left_alone(mended):
    files = {
        "shop/__init__.py": "from . import tax\n",
        "shop/tax.py": "from json import dumps\n",
        "shop/till.py": "from shop import tax\nfrom .tax import dumps\nfrom os import path\nfrom .gone import nothing\n",
    }
    assert mended(files, "No module named 'shop.gone'") == {}
