"""What tests of the language server and of real editors share: workspaces with failures, scripted policies, a look into the journal.

pytest has this folder on its path (`pythonpath` in pyproject.toml); a conftest.py imports the fixtures that it wants.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

CART = "def total(prices):\n    return sum(prices) + 1\n\n\ndef count(prices):\n    return len(prices)\n"
TESTS = """from cart import count, total


def test_total():
    assert total([1, 2]) == 3


def test_empty():
    assert total([]) == 0


def test_count():
    assert count([1]) == 1
"""
SHOP = {
    "shop/__init__.py": "",
    "shop/prices.py": "RATE = 5\n",
    "shop/totals.py": "def total(prices):\n    return sum(prices)\n",
    "shop/bill.py": "from shop.prices import total\n\n\ndef bill(prices):\n    return f'{total(prices)} crowns'\n",
    "shop/tax.py": "from shop.prices import RATE\nfrom shop.prices import total\n\n\ndef tax(prices):\n    return total(prices) / RATE\n",
    "test_bill.py": "from shop.bill import bill\nfrom shop.tax import tax\n\n\n"
    "def test_bill():\n    assert bill([1, 2]) == '3 crowns'\n\n\ndef test_tax():\n    assert tax([5]) == 1\n",
}
RIGHT = {"text": "    return sum(prices)\n", "repeat": 0}
HEADER = {"name": "script", "tools": False, "prefill": True}


class Recorded:
    """Whoever runs a suture of its own, whose journal can be looked into."""

    environ: Mapping[str, str]

    def journal(self, query: str) -> list[tuple[Any, ...]]:
        path = Path(self.environ["XDG_DATA_HOME"]) / "suture" / "journal.sqlite3"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchall()

    def decisions(self) -> list[str]:
        return [kind for (kind,) in self.journal("SELECT kind FROM decisions ORDER BY id")]


def workspace(root: Path, files: Mapping[str, str]) -> Path:
    """A project of these files whose pytest loads no more plugins than it must."""
    lean = " ".join(f"-p no:{name}" for name in ("hypothesispytest", "asyncio", "anyio", "platformdirs", "cacheprovider"))
    project = f'[project]\nname = "cart"\nversion = "1"\n\n[tool.pytest.ini_options]\naddopts = "-q {lean}"\n'
    for name, text in {"pyproject.toml": project, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def cart(tmp_path: Path) -> Path:
    """A workspace with one failing function and the tests that show it."""
    return workspace(tmp_path / "cart", {"cart.py": CART, "test_cart.py": TESTS})


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A workspace in which a function has moved, so that two files import it from where it is not any more."""
    return workspace(tmp_path / "moved", SHOP)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write a scripted policy and return its name."""

    def write(*turns: dict[str, Any], **header: Any) -> str:
        path = tmp_path / f"script-{len(list(tmp_path.glob('script-*')))}.jsonl"
        path.write_text("".join(f"{json.dumps(each)}\n" for each in ({**HEADER, **header}, *turns)))
        return f"scripted:{path}"

    return write


@pytest.fixture
def right(script: Callable[..., str]) -> str:
    """A policy that repairs the cart."""
    return script(RIGHT)
