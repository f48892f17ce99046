"""One way through everything with a real model: diagnostics, action, episode of the embedded model, applied edit, row in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from suture_agent.models import CATALOGUE, default_cache, status_of
from suture_agent.policies.engines import running, stop

LIGHT = CATALOGUE[1].name
BROKEN = "def is_even(number):\n    return number % 2 == 1\n"
TESTS = "from numbers_ import is_even\n\n\ndef test_even():\n    assert is_even(4)\n\n\ndef test_odd():\n    assert not is_even(3)\n"


@pytest.fixture
async def weights(home: dict[str, str]):
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    if status_of(CATALOGUE[1], default_cache()).state not in {"ready", "unverified"}:
        pytest.skip(f"the weights are not in the cache: suture model pull {LIGHT}")
    yield default_cache()
    for record in running(Path(home["XDG_STATE_HOME"], "suture", "engines")):
        await stop(record)


@pytest.mark.model
async def test_the_embedded_model_repairs_through_the_editor(editor, cart: Path, weights: Path):
    (cart / "cart.py").unlink()
    (cart / "test_cart.py").unlink()
    (cart / "numbers_.py").write_text(BROKEN)
    (cart / "test_numbers.py").write_text(TESTS)
    settings = {"policy": {"spec": f"embedded:{LIGHT}", "models": str(weights)}, "harness": {"edits_by_rule": "off"}}
    it = await editor(cart, settings=settings)
    buffer, tests = it.open("numbers_.py"), it.open("test_numbers.py")
    await it.failing("test_numbers.py")
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.wait(lambda: it.offers and it.offers[-1]["offer"], seconds=180)
    assert offer["title"].startswith("Fix with agent: passes test_even and 1 other")
    (ready,) = await it.actions(tests, 4)
    await it.choose(ready)
    await it.wait(lambda: it.decisions() == ["accepted"])
    assert buffer.text != BROKEN
    scope: dict[str, object] = {}
    exec(buffer.text, scope)
    assert [scope["is_even"](number) for number in range(4)] == [True, False, True, False]
    it.save(buffer)
    await it.wait(lambda: not it.diagnostics("test_numbers.py"))
    ((outcome, steps, tokens, policy),) = it.journal(
        "SELECT e.outcome, e.steps, e.completion_tokens, i.name FROM episodes e"
        " JOIN identities i ON i.kind = 'policy' AND i.identity = e.policy"
    )
    assert (outcome, policy) == ("fixed", LIGHT)
    assert steps > 0
    assert tokens > 0
