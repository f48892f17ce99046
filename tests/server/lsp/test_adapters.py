"""An adapter that is put to use while the language server runs answers the next episode; the journal says which one answered which."""

from __future__ import annotations

from pathlib import Path

from suture_agent.adapters import CONFIG, WEIGHTS, Base, Data, Draft, Identified
from suture_agent.adapters.registry import Registry
from suture_agent.journal.blobs import unpack

IDENTITIES = "SELECT i.kind, b.hash, b.data, b.size FROM identities i JOIN blobs b ON b.hash = i.fields"


def fill(folder: Path) -> None:
    (folder / WEIGHTS).write_text("weights")
    (folder / CONFIG).write_text("{}")


async def test_an_adapter_put_to_use_answers_the_next_episode(editor, cart: Path, right: str, home: dict[str, str]):
    it = await editor(cart, policy=right)
    it.open("cart.py")
    tests = it.open("test_cart.py")
    await it.failing()

    async def asked(count: int) -> None:
        (action,) = await it.actions(tests, 4)
        await it.choose(action)
        offer = await it.offered(count=count)
        await it.command("suture.reject", offer=offer["id"], reason="")

    await asked(1)
    place = {kind: Identified.of(unpack(name, data, size, dict)) for kind, name, data, size in it.journal(IDENTITIES) if kind != "policy"}
    registry = Registry(Path(home["XDG_DATA_HOME"], "suture", "adapters"))
    adapter = registry.add(Draft(name="mine", base=Base(name="script"), data=Data(digest="d" * 64), **place), fill)
    registry.use(adapter, override="a test")
    await asked(2)
    assert it.journal("SELECT outcome, adapter FROM episodes ORDER BY created") == [("fixed", ""), ("fixed", adapter.digest)]
