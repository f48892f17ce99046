"""`suture fix --pipeline full` as a program: a cascade over two checks, a judge, and the journal that tells the steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

FILES = {
    "prices.py": "def total(prices:\n    return sum(prices)\n",
    "cart.py": "from prices import total\n\n\ndef bill(prices):\n    return str(total(prices))\n",
    "test_cart.py": "from cart import bill\n\n\ndef test_two():\n    assert bill([1, 2]) == 3\n",
}


def edit(path: str, search: str, replace: str) -> dict[str, Any]:
    return {"calls": [{"name": "edit_file", "arguments": {"path": path, "search": search, "replace": replace}}]}


SUBMIT = {"calls": [{"name": "submit"}]}


def test_full_pipeline_mends_a_cascade_and_the_journal_tells_how(suture: Callable[..., Any], script: Callable[..., str], tmp_path: Path):
    shop = tmp_path / "shop"
    shop.mkdir()
    for name, text in FILES.items():
        (shop / name).write_text(text)
    policy = script(
        {"match": "ACCEPT or REFUSE?", "text": "ACCEPT"},
        edit("prices.py", "def total(prices:", "def total(prices):"),
        SUBMIT,
        edit("cart.py", "str(total(prices))", "total(prices)"),
        SUBMIT,
        header={"name": "script", "tools": True},
    )
    run = suture("fix", shop, "--json", "--pipeline", "full", "--policy", policy, SUTURE_HARNESS__JUDGE="policy")
    assert run.code == 0, run.err
    (done,) = run.events("repair")
    assert (done["outcome"], done["files"], done["steps"]) == ("fixed", ["cart.py", "prices.py"], 4)
    assert [step["tool"] for step in run.events("step") if step["tool"] in ("kept", "reverted", "judge")] == ["kept", "judge"]
    shown = suture("journal", "show", done["problem"]).out
    assert "step 1: kept, attempt 1" in shown
    assert "main error: prices.py:1: SyntaxError" in shown
    assert "step 2: fixed, attempt 1" in shown
    assert "judge: accepted" in shown
