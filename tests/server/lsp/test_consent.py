"""What a person is told and what is kept of their work; an environment that is no longer the one that was pinned; changes from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SAID = "keeps a local journal"


def suture(environ: Mapping[str, str], *arguments: str | Path) -> None:
    command = [sys.executable, "-c", "from suture_server.cli import main; main()", *map(str, arguments)]
    subprocess.run(command, env=dict(environ), check=True, capture_output=True, timeout=120)


def everything(environ: Mapping[str, str]) -> bytes:
    """What is kept of all work."""
    return b"".join(path.read_bytes() for path in Path(environ["XDG_DATA_HOME"]).rglob("*") if path.is_file())


def notices(it) -> list[str]:
    return [each.message for each in it.client.messages if SAID in each.message]


async def test_the_first_start_says_what_is_kept_and_how_to_change_that(editor, cart: Path, right: str, home: Mapping[str, str]):
    it = await editor(cart, policy=right)
    it.open("test_cart.py")
    await it.failing()
    (notice,) = notices(it)
    assert str(Path(home["XDG_DATA_HOME"], "suture", "journal.sqlite3")) in notice
    assert "(level full)" in notice
    assert 'journal.level = "off"' in notice
    assert "suture journal erase" in notice
    again = await editor(cart, policy=right)
    again.open("test_cart.py")
    await again.failing()
    assert notices(again) == []


async def test_metadata_keeps_what_was_decided_and_no_text(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, settings={"journal": {"level": "metadata"}})
    it.open("cart.py")
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["accepted"]
    assert it.journal("SELECT outcome, check_name FROM episodes e JOIN problems p ON p.key = e.problem") == [("fixed", "tests")]
    kept = everything(it.environ)
    assert b"sum(prices)" not in kept
    assert b"assert 4 == 3" not in kept
    answer = await it.command("suture.showEpisode", offer=offer["id"])
    assert "was not kept" in answer["text"]


async def test_what_is_excluded_is_neither_shown_nor_kept(editor, cart: Path, right: str, tmp_path: Path):
    (cart / "prices.csv").write_text("a secret price\n")
    (cart / "test_cart.py").write_text(
        (cart / "test_cart.py").read_text() + "\n\ndef test_file():\n    assert open('prices.csv').read() == ''\n"
    )
    it = await editor(cart, policy=right, settings={"privacy": {"exclude": ["*.csv"]}})
    buffer, tests = it.open("prices.csv"), it.open("test_cart.py")
    it.change(buffer, "secret", "very secret")
    await it.failing()
    assert {each.data["check"] for each in it.diagnostics("test_cart.py")} == {"tests"}
    assert not [
        each for each in it.diagnostics("test_cart.py") if "test_file" in each.message
    ]  # the check sees an empty file, unsaved text too
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.offered()
    kept = everything(it.environ)
    assert b"secret price" not in kept


async def test_an_environment_that_drifted_repairs_nothing_until_it_is_accepted(editor, cart: Path, right: str, home: Mapping[str, str]):
    suture(home, "env", "lock", cart)
    (cart / "suture.toml").write_text('[checks.lint]\nkind = "lint"\ncommand = ["true"]\n')
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (message,) = it.messages("is not the one in suture.lock")
    assert "the check lint is not locked" in message
    assert "suture env lock" in message
    (action,) = await it.actions(tests, 4)
    assert "suture.lock" in action.disabled.reason
    assert "suture.lock" in (await it.command("suture.fix", root=it.uri("."), problem="any"))["refused"]
    suture(home, "env", "lock", cart)  # noticed on the disk
    await it.wait(lambda: it.status[-1]["message"] == "")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    assert action.disabled is None
    assert len(it.messages()) == 1


async def test_what_changes_outside_of_the_editor_is_checked(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    it.open("test_cart.py")
    await it.failing()
    text = (cart / "cart.py").read_text()
    staged = cart / "cart.py.new"  # as formatters and git write: beside it, then in its place
    staged.write_text(text.replace(" + 1", ""))
    os.replace(staged, cart / "cart.py")  # noqa: PTH105
    await it.wait(lambda: not it.diagnostics("test_cart.py"))
    (cart / "cart.py").write_text(text)
    await it.failing()
