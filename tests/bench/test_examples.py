"""The example workspaces fail in the way in which their READMEs and `make demo` say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(tmp_path):
    """A copy of an example, by name."""

    def copy(name):
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache", ".suture", "suture.lock")
        return shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=ignored)

    return copy


def replace(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_the_shop_has_one_failing_test_and_a_one_line_repair(cases, example):
    shop = example("shop")
    before = cases.run_tests(shop)
    assert before.failed == {"tests/test_cart.py::test_subtotal_counts_every_piece"}
    assert len(before.passed) >= 12
    replace(shop / "shop" / "cart.py", "total += article.price", "total += article.price * quantity")
    after = cases.run_tests(shop)
    assert not after.failed
    assert len(after.passed) == len(before.passed) + 1


def test_the_shop_needs_no_configuration(example):
    names = {path.name for path in example("shop").rglob("*")}
    assert not names & {"pyproject.toml", "suture.toml", "pytest.ini", "setup.cfg", "tox.ini"}


def test_two_bugs_are_independent(cases, example):
    library = example("two-bugs")
    assert cases.run_tests(library).failed == {"tests/test_loans.py::test_highest_fee"}
    assert cases.run_findings(library, "types") == ("library/members.py: union-attr",)
    replace(library / "library" / "loans.py", "return amount", "return min(amount, HIGHEST_FEE)")
    assert not cases.run_tests(library).failed
    assert cases.run_findings(library, "types") == ("library/members.py: union-attr",)
    replace(library / "library" / "members.py", "return member.email", "return member.email if member is not None else None")
    assert not cases.run_tests(library).failed
    assert cases.run_findings(library, "types") == ()


@pytest.mark.parametrize("name", ["shop", "two-bugs"])
def test_every_example_says_what_it_is(name):
    assert (EXAMPLES / name / "README.md").read_text().strip()
