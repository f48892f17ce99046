"""Workspaces and settings that are broken, change, come, go, lie inside each other, or are not trusted."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import psutil
import pytest
from lsprotocol import types
from pygls.uris import from_fs_path


def changed(folders: list[Path], gone: list[Path]) -> types.DidChangeWorkspaceFoldersParams:
    def told(paths: list[Path]) -> list[types.WorkspaceFolder]:
        return [types.WorkspaceFolder(from_fs_path(str(each)), each.name) for each in paths]

    return types.DidChangeWorkspaceFoldersParams(types.WorkspaceFoldersChangeEvent(added=told(folders), removed=told(gone)))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("suture.toml", "[editor]\ndelay = 1\n\n[polcy]\nspec = 1\n", ("suture.toml:2", "'editor.delay'", "delay_ms")),
        ("pyproject.toml", "[tool.suture.editor]\nidle_second = 3\n", ("pyproject.toml:2", "'editor.idle_second'", "idle_seconds")),
        ("pyproject.toml", '[tool.suture]\nname = "cart\n', ("pyproject.toml", "line 2")),
    ],
)
async def test_broken_configuration_is_one_message_until_it_is_mended(
    editor, cart: Path, right: str, name: str, text: str, said: tuple[str, ...]
):
    whole = (cart / name).read_text() if (cart / name).exists() else ""
    (cart / name).write_text(text)
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.wait(it.messages)
    broken = it.open(name)
    it.save(tests)
    answer = await it.command("suture.check")
    assert all(part in answer["refused"] for part in said), answer
    (message,) = it.messages()
    assert all(part in message for part in said), message
    it.replace(broken, whole)
    it.save(broken)
    await it.failing()
    (action,) = await it.actions(tests, 4)
    assert action.disabled is None
    assert len(it.messages()) == 1


async def test_configuration_that_breaks_on_the_way_is_told_and_mended(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (cart / "suture.toml").write_text("[guard]\nprotect = []\n")
    await it.wait(lambda: it.messages("suture.toml:2"))
    (action,) = await it.actions(tests, 4)
    assert "suture.toml:2" in action.disabled.reason
    (cart / "suture.toml").unlink()
    it.save(tests)
    await it.wait(lambda: it.status[-1]["message"] == "")
    (action,) = await it.actions(tests, 4)
    assert action.disabled is None


async def test_a_workspace_that_is_deleted_is_told_and_nothing_hangs(editor, cart: Path, right: str, tmp_path: Path):
    it = await editor(cart, policy=right)
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    shutil.move(cart, tmp_path / "elsewhere")
    it.change(buffer, "+ 1", "+ 2")
    answer = await it.command("suture.check")
    assert answer.get("refused") or answer["checks"]
    await it.actions(tests, 4)
    shutil.move(tmp_path / "elsewhere", cart)
    it.change(buffer, "+ 2", "+ 3")
    await it.command("suture.check")
    await it.failing()
    assert len(it.messages()) <= 1


async def test_a_file_that_is_deleted_while_the_agent_works_gets_no_offer(editor, cart: Path, script):
    it = await editor(cart, policy=script({"text": "    return sum(prices)\n", "repeat": 0, "delay": 2}))
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.wait(lambda: it.status[-1]["repairing"] == 1)
    await asyncio.sleep(1)
    (cart / "cart.py").rename(cart / "basket.py")
    await it.wait(lambda: it.status[-1]["repairing"] == 0, 60)
    await it.wait(lambda: it.decisions() or it.messages(), 60)
    assert await it.command("suture.offers") == []
    assert [each["state"] for each in it.offers if each["state"] == "ready"] == []
    assert not (cart / "cart.py").exists()
    assert it.applied == []


async def test_the_innermost_folder_has_a_file(editor, cart: Path, right: str):
    inner = cart / "inner"
    inner.mkdir()
    for name in ("cart.py", "pyproject.toml"):
        shutil.copy(cart / name, inner / name)
    (inner / "test_inner.py").write_text((cart / "test_cart.py").read_text())
    it = await editor(cart, folders=[cart, inner], policy=right)
    outer, own = it.open("test_cart.py"), it.open("inner/test_inner.py")
    await it.command("suture.check")
    await it.failing()
    await it.failing("inner/test_inner.py")
    assert len(it.workers()) == 2
    own_actions = await it.actions(own, 4)
    assert [each.command.arguments[0]["root"] for each in own_actions] == [from_fs_path(str(inner))]
    assert [each.command.arguments[0]["root"] for each in await it.actions(outer, 4)] == [from_fs_path(str(cart))]
    report = await it.client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(previous_result_ids=[]))
    uris = [each.uri for each in report.items]
    assert len(uris) == len(set(uris))
    await it.choose(own_actions[0])
    offer = await it.offered()
    assert offer["root"] == from_fs_path(str(inner))
    it.client.workspace_did_change_workspace_folders(changed([], [inner]))
    await it.command("suture.check")
    await it.wait(lambda: len(it.workers()) == 1)
    assert [each.command.arguments[0]["root"] for each in await it.actions(own, 4)] == [from_fs_path(str(cart))]


async def test_folders_come_and_go(editor, cart: Path, right: str, tmp_path: Path, buried):
    other = tmp_path / "other"
    shutil.copytree(cart, other)
    it = await editor(cart, policy=right)
    it.open("test_cart.py")
    await it.failing()
    tests = it.open(str(other / "test_cart.py"))
    assert await it.actions(tests, 4, given=[]) == []
    it.client.workspace_did_change_workspace_folders(changed([other], []))
    await it.wait(lambda: it.client.diagnostics.get(tests.uri))
    first, second = sorted(it.workers(), key=psutil.Process.create_time)
    it.client.workspace_did_change_workspace_folders(changed([], [cart]))
    await buried([first])
    assert it.workers() == [second]
    (action,) = await it.actions(tests, 4, given=[])
    await it.choose(action)
    assert (await it.offered())["root"] == from_fs_path(str(other))


async def test_settings_take_effect_at_once(editor, cart: Path, right: str, wrong: str):
    it = await editor(cart, policy=wrong)
    tests = it.open("test_cart.py")
    await it.failing()

    async def told(**settings: object) -> None:
        it.client.set_configuration(settings, section="suture")
        it.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
        await it.command("suture.check")

    await told(policy={"spec": right})
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    await told(policy={"spec": right}, editor={"delay": 5})
    await it.wait(lambda: it.messages("delay_ms"))
    (refused,) = await it.actions(tests, 4)
    assert refused.title == offer["title"]  # what was proven before stays
    assert "editor.delay" in it.status[-1]["message"]
    assert await it.command("suture.check") != {"checks": []}
    await told(policy={"spec": right})
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["accepted"]


async def test_checks_that_are_run_by_hand_run_only_when_asked_for(editor, cart: Path, right: str):
    (cart / "conftest.py").write_text("import ctypes\nimport time\n\nctypes.CDLL(None).prctl(15, b'marker')\ntime.sleep(1)\n")
    it = await editor(cart, policy=right, settings={"editor": {"check_on": "manual"}})
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.wait(it.workers)
    it.change(buffer, "+ 1", "+ 2")
    it.save(buffer)
    (cart / "other.py").write_text("")
    await asyncio.sleep(2)
    assert it.below("marker") == []
    assert all(each["checking"] == [] for each in it.status)
    assert it.diagnostics("test_cart.py") == []
    assert (await it.command("suture.fixAll", uri=tests.uri))["jobs"]  # it says what fails before it repairs that
    await it.offered()
    assert it.diagnostics("test_cart.py")
    it.save(buffer)
    told = len(it.status)
    await it.command("suture.check")
    assert any(each["checking"] for each in it.status[told:])


async def test_nothing_runs_before_the_workspace_is_trusted(editor, cart: Path, right: str):
    (cart / "conftest.py").write_text("import ctypes\nimport time\n\nctypes.CDLL(None).prctl(15, b'marker')\ntime.sleep(1)\n")
    it = await editor(cart, policy=right, trusted=False)
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    it.change(buffer, "+ 1", "+ 2")
    it.save(buffer)
    assert (await it.command("suture.check"))["refused"] == "the workspace is not trusted"
    assert (await it.command("suture.fix", root=it.uri(".")))["refused"] == "the workspace is not trusted"
    assert (await it.command("suture.fixAll", root=it.uri(".")))["refused"] == "the workspace is not trusted"
    assert "not trusted" in (await it.command("suture.showEpisode", episode="01ABC"))["refused"]
    await it.command("suture.restart")
    it.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings={"editor": {"delay_ms": 1}}))
    assert await it.actions(tests, 4) == []
    await asyncio.sleep(1)
    assert it.below() == []
    assert it.status == [] or not it.status[-1]["trusted"]
    it.client.protocol.notify("suture/trust", {"trusted": True})
    await it.wait(lambda: it.below("marker"))
    await it.failing()
    it.client.protocol.notify("suture/trust", {"trusted": False})
    await it.wait(lambda: not it.below())
    it.save(buffer)
    await asyncio.sleep(1)
    assert it.below() == []
    assert it.diagnostics("test_cart.py") == []
    assert it.messages() == []


async def test_without_a_journal_offers_work_and_nothing_is_written(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, settings={"journal": {"level": "off"}})
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    it.save(buffer)
    await it.wait(lambda: not it.diagnostics("test_cart.py"))
    assert it.journal("SELECT * FROM offers") == []
    assert list((cart.parent).glob("xdg_data_home/**/*.sqlite3*")) == []
    assert (await it.command("suture.showEpisode", offer=offer["id"]))["refused"] == "no episode is known for it"
