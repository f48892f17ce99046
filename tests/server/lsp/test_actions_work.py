"""Code actions in the real server: which there are, where, and what they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

LINT = '[tool.ruff.lint]\nselect = ["F"]\n'
MENDED = "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n"
LATE = {"text": "    return sum(prices)\n", "repeat": 0, "delay": 30}


def of_another(line: int, message: str, source: str, code: str | None = None) -> types.Diagnostic:
    where = types.Range(types.Position(line, 0), types.Position(line, 5))
    return types.Diagnostic(range=where, message=message, source=source, code=code)


async def test_one_entry_a_problem_wherever_the_cursor_is_in_the_test(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    for line in (3, 4):
        (action,) = await it.actions(tests, line)
        assert action.title == "Fix with agent (tests)"
        assert action.kind == types.CodeActionKind.QuickFix
    assert await it.actions(tests, 12) == []
    assert await it.actions(tests, 0) == []


async def test_source_actions_are_asked_for_by_kind(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    found = await it.actions(tests, 4, only=["source"])
    assert [each.kind for each in found] == ["source.suture.fixFile", "source.suture.fixWorkspace"]
    assert found[0].title == "Fix all in file with agent (1 problem)"
    assert [each.kind for each in await it.actions(tests, 4, only=["source.suture.fixWorkspace"])] == ["source.suture.fixWorkspace"]
    assert await it.actions(tests, 4, only=["source.fixAll"]) == []
    assert await it.actions(tests, 4, only=["refactor"]) == []
    (quick,) = await it.actions(tests, 4, only=["quickfix"])
    assert quick.kind == types.CodeActionKind.QuickFix


async def test_while_an_agent_is_at_work_the_entry_says_so(editor, cart: Path, script):
    it = await editor(cart, policy=script(LATE), settings={"harness": {"edits_by_rule": "off"}})
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    (busy,) = await it.actions(tests, 4)
    assert busy.disabled is not None
    assert busy.disabled.reason.startswith("an agent is at work: ")
    assert (await it.command("suture.fix", root=it.uri("."), problem=action.command.arguments[0]["problem"]))["state"] == "joined"
    assert await it.command("suture.cancel") == {"cancelled": 1}
    (again,) = await it.actions(tests, 4)
    assert again.disabled is None


async def test_cancel_by_the_progress_that_is_shown(editor, cart: Path, script):
    it = await editor(cart, policy=script(LATE), settings={"harness": {"edits_by_rule": "off"}})
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    (token,) = await it.wait(lambda: list(it.client.progress_reports))
    reports = it.client.progress_reports[token]
    await it.wait(lambda: any(getattr(each, "message", "") and "repairing" in each.message for each in reports))
    assert reports[0].title == "Fix with agent (tests)"
    assert reports[0].cancellable
    it.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    await it.wait(lambda: isinstance(reports[-1], types.WorkDoneProgressEnd))
    assert reports[-1].message == "cancelled"
    await it.wait(lambda: it.journal("SELECT outcome FROM episodes") == [("cancelled",)])


async def test_a_failure_to_repair_is_told_and_can_be_looked_at(editor, cart: Path, wrong: str):
    it = await editor(cart, policy=wrong, settings={"harness": {"edits_by_rule": "off", "steps": 2}})
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    it.answers = ["Show episode"]
    await it.choose(action)
    await it.wait(lambda: it.client.shown_documents)
    (asked,) = it.asked
    assert asked.message.startswith("Fix with agent: no fix was proven (2 requests to the policy")
    text = it.read(it.client.shown_documents[0].uri)
    assert text.startswith("# Episode ")
    assert "return len(prices) + 4" in text
    assert it.offers == []
    shown = await it.command("suture.showEpisode", problem=action.command.arguments[0]["problem"], root=it.uri("."))
    assert shown["text"] == text


async def test_the_same_from_another_server_is_one_entry(editor, cart: Path, right: str):
    pytest.importorskip("ruff")
    (cart / "pyproject.toml").write_text((cart / "pyproject.toml").read_text() + LINT)
    (cart / "cart.py").write_text(
        "import os\n\n\ndef total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n"
    )
    it = await editor(cart, policy=right)
    buffer = it.open("cart.py")
    await it.failing("cart.py")
    theirs = of_another(0, "`os` imported but unused", "Ruff", "F401")
    (action,) = await it.actions(buffer, 0, given=[*it.diagnostics("cart.py"), theirs])
    assert action.title == "Fix with agent (lint)"
    assert {each.source for each in action.diagnostics} == {"Ruff", "suture"}


async def test_what_no_check_shows_is_judged_by_the_checks_there_are_and_says_so(editor, cart: Path, script):
    (cart / "cart.py").write_text(MENDED)
    answer = {"text": "    return sum(prices, 0)\n", "repeat": 0}
    it = await editor(cart, policy=script(answer), settings={"harness": {"edits_by_rule": "off"}})
    buffer = it.open("cart.py")
    await it.wait(lambda: it.status and not it.status[-1]["checking"])
    await it.command("suture.check")
    theirs = of_another(1, 'Argument type is "object"', "Pylance", "reportArgumentType")
    (action,) = await it.actions(buffer, 1, given=[theirs])
    assert action.title == "Fix with agent (Pylance; judged by tests: no check here shows this)"
    assert list(action.diagnostics) == [theirs]
    await it.choose(action)
    offer = await it.offered()
    assert "was not checked again" in offer["title"]
    assert it.journal("SELECT count(*) FROM verdicts WHERE passed = 1") == [(1,)]


async def test_invoked_actions_count_as_seen(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.offered()
    await it.actions(tests, 4)
    assert it.journal("SELECT seen IS NULL FROM offers") == [(1,)]
    place = types.Range(types.Position(4, 0), types.Position(4, 0))
    context = types.CodeActionContext(diagnostics=[], trigger_kind=types.CodeActionTriggerKind.Invoked)
    await it.client.text_document_code_action_async(types.CodeActionParams(types.TextDocumentIdentifier(tests.uri), place, context))
    await it.wait(lambda: it.journal("SELECT seen IS NULL FROM offers") == [(0,)])


async def test_a_client_that_shows_texts_itself_is_sent_them(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, texts=True)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    answer = await it.command("suture.showEpisode", episode=offer["episode"])
    (told,) = await it.wait(lambda: it.texts)
    assert told == {"name": f"{offer['episode']}.md", "text": answer["text"]}
    assert it.client.shown_documents == []


async def test_every_command_that_an_action_runs_is_announced(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    provider = it.result.capabilities.execute_command_provider
    assert {"suture.fix", "suture.fixAll", "suture.accept", "suture.accepted"} <= set(provider.commands)
    assert all(each.startswith("suture.") for each in provider.commands)


async def test_episodes_are_listed_as_they_are_in_the_journal(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    assert await it.command("suture.episodes") == []
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    (kept,) = await it.command("suture.episodes", root=it.uri("."))
    assert (kept["id"], kept["outcome"], kept["check"], kept["files"]) == (offer["episode"], "fixed", "tests", 1)
    assert kept["root"] == it.uri("")


async def test_a_client_that_shows_pages_is_sent_one(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, texts=True, pages=True)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    answer = await it.command("suture.showEpisode", episode=offer["episode"])
    (told,) = await it.wait(lambda: it.texts)
    assert told["text"] == answer["text"]
    assert told["title"] == answer["title"]
    assert told["page"].startswith("<h1>Repair of tests</h1>")
    assert '<span class="added">+    return sum(prices)\n</span>' in told["page"]


def at(line: int) -> dict[str, object]:
    return {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 0}}


async def test_a_test_of_the_editors_own_list_is_repaired(editor, cart: Path, right: str):
    """The file is not open, and no check has run."""
    it = await editor(cart, policy=right, settings={"editor": {"check_on": "manual"}})
    uri = it.uri("test_cart.py")
    answer = await it.command("suture.fixAll", uri=uri, range=at(3))
    assert len(answer["jobs"]) == 1
    assert answer["offers"] == []
    offer = await it.offered()
    assert await it.command("suture.fixAll", uri=uri, range=at(3)) == {"jobs": [], "offers": [offer["id"]]}
    refused = await it.command("suture.fixAll", uri=uri, range=at(11))
    assert refused == {"jobs": [], "offers": [], "refused": "no check of the workspace shows a failure there"}
    assert it.applied == []


async def test_a_class_of_tests_and_a_folder_are_repaired(editor, cart: Path, right: str):
    (cart / "tests").mkdir()
    body = "\n    ".join((cart / "test_cart.py").read_text().split("\n\n\n", 1)[1].replace("():", "(self):").splitlines())
    (cart / "tests/test_class.py").write_text(
        f"from cart import count, total\n\n\nclass TestCart:\n    {body}\n\n\ndef test_other():\n    pass\n"
    )
    (cart / "test_cart.py").unlink()
    it = await editor(cart, policy=right)
    it.open("cart.py")
    await it.failing("tests/test_class.py")
    uri = it.uri("tests/test_class.py")
    started = await it.command("suture.fixAll", uri=uri, range=at(3))
    assert len(started["jobs"]) == 1
    offer = await it.offered()
    assert (await it.command("suture.fixAll", uri=it.uri("tests")))["offers"] == [offer["id"]]
    assert (await it.command("suture.fixAll", uri=it.uri(".")))["offers"] == [offer["id"]]
    assert await it.command("suture.fixAll", uri=it.uri("elsewhere")) == {"jobs": [], "offers": []}
