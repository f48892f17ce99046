"""What becomes of offers: applied, refused, set aside when the text moves, undone, answered by the person's own fix, kept for later."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from lsprotocol import types

from suture_agent.journal.offers import offers_of
from suture_agent.journal.store import Journal

OWN = "def total(prices):\n    result = 0\n    for price in prices:\n        result += price\n    return result\n"


async def begun(editor, root: Path, policy: str, **options):
    """An editor with an offer for the cart."""
    it = await editor(root, policy=policy, **options)
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    return it, buffer, tests, await it.offered()


async def test_nothing_is_edited_before_somebody_says_so(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    assert it.applied == []
    shown = await it.command("suture.diff", offer=offer["id"])
    assert shown["files"][0]["before"] == buffer.text
    assert "return sum(prices)\n" in shown["files"][0]["after"]
    assert shown["diff"].startswith("diff --git a/cart.py b/cart.py\n")
    assert it.applied == []


async def test_accept_by_command_is_durable_when_it_answers(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["accepted"]
    assert "return sum(prices)\n" in buffer.text
    (edit,) = it.applied
    assert edit.document_changes[0].text_document.version == 1
    again = await it.command("suture.accept", offer=offer["id"])
    assert not again["applied"]
    assert it.decisions() == ["accepted"]


async def test_an_edit_that_the_editor_refuses_is_no_decision(editor, cart: Path, right: str):
    it, _, _, offer = await begun(editor, cart, right)
    it.refuses_edits = True
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": False, "reason": "not now"}
    it.refuses_edits = False
    assert it.decisions() == []
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}


async def test_a_rejected_offer_is_gone_and_can_be_asked_for_again(editor, cart: Path, right: str):
    it, _, tests, offer = await begun(editor, cart, right)
    await it.command("suture.reject", offer=offer["id"], reason="too short")
    assert it.decisions() == ["rejected"]
    assert it.journal("SELECT reason FROM decisions") == [("too short",)]
    (action,) = await it.actions(tests, 4)
    assert action.title == "Fix with agent (tests)"


async def test_text_that_moves_elsewhere_is_proven_again(editor, cart: Path, right: str):
    it, buffer, tests, offer = await begun(editor, cart, right)
    it.change(buffer, "def count(prices):\n    return len(prices)", "def count(prices):\n    number = len(prices)\n    return number")
    it.change(buffer, "def total", "# the sum\ndef total")
    (moved,) = await it.actions(tests, 4)
    assert moved.disabled is not None
    assert "being proven again" in moved.disabled.reason
    assert not (await it.command("suture.accept", offer=offer["id"]))["applied"]
    again = await it.offered(count=2)
    assert again["id"] == offer["id"]
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert buffer.text.startswith("# the sum\ndef total(prices):\n    return sum(prices)\n")
    assert buffer.text.endswith("    number = len(prices)\n    return number\n")
    assert it.decisions() == ["accepted"]


async def test_text_that_moves_under_the_patch_ends_the_offer(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    it.change(buffer, "sum(prices) + 1", "sum(prices) + 2")
    gone = await it.offered(state="expired")
    assert gone["id"] == offer["id"]
    assert it.decisions() == ["expired"]
    assert not (await it.command("suture.accept", offer=offer["id"]))["applied"]
    assert "+ 2" in buffer.text


async def test_text_that_comes_back_makes_the_offer_ready_at_once(editor, cart: Path, right: str):
    it, buffer, tests, offer = await begun(editor, cart, right)
    it.change(buffer, "sum(prices) + 1", "sum(prices) + 12")
    it.change(buffer, "sum(prices) + 12", "sum(prices) + 1")
    (ready,) = await it.actions(tests, 4)
    assert ready.disabled is None
    assert ready.title == offer["title"]


async def test_undo_is_a_revert(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    before = buffer.text
    await it.command("suture.accept", offer=offer["id"])
    it.replace(buffer, before)
    await it.wait(lambda: it.decisions() == ["accepted", "reverted"])
    assert it.journal("SELECT source FROM decisions ORDER BY id") == [("told",), ("inferred",)]


async def test_a_checkout_is_no_revert(editor, cart: Path, right: str):
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(cart), "-c", "user.name=n", "-c", "user.email=e@x", *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "broken")
    git("branch", "other")
    it, buffer, _, offer = await begun(editor, cart, right)
    await it.command("suture.accept", offer=offer["id"])
    it.save(buffer)
    await it.wait(lambda: it.journal("SELECT moment FROM survivals") == [("save",)])
    git("commit", "-qam", "fixed")
    await it.wait(lambda: sorted(it.journal("SELECT moment, tokens = kept FROM survivals")) == [("commit", 1), ("save", 1)])
    git("checkout", "-q", "other")
    it.replace(buffer, (cart / "cart.py").read_text())
    assert "+ 1" in buffer.text
    await it.wait(lambda: it.diagnostics("test_cart.py"))
    await asyncio.sleep(3)
    assert it.decisions() == ["accepted"]


async def test_what_a_person_makes_of_a_patch_is_seen_when_they_save(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    await it.command("suture.accept", offer=offer["id"])
    it.change(buffer, "    return sum(prices)\n", "    return float(sum(price for price in prices))\n")
    it.save(buffer)
    await it.wait(lambda: it.decisions() == ["accepted", "accepted_with_edits"])
    assert it.journal("SELECT moment, tokens, kept FROM survivals") == [("save", 2, 2)]  # the two tokens that it took out stay out


async def test_whoever_saves_and_quits_at_once_has_told_both(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    await it.command("suture.accept", offer=offer["id"])
    it.change(buffer, "    return sum(prices)\n", "    return float(sum(price for price in prices))\n")
    it.save(buffer)
    await it.client.shutdown_session()
    assert it.decisions() == ["accepted", "accepted_with_edits"]
    assert it.journal("SELECT moment, tokens, kept FROM survivals") == [("save", 2, 2)]


CLOCK = """from suture_server.lsp import decisions
decisions.MOMENTS = {moment: seconds / 100 for moment, seconds in decisions.MOMENTS.items()}
decisions.IGNORED_SECONDS /= 300
"""
"""A hundred seconds are one, in the server."""


async def test_what_is_left_is_measured_again_after_a_while(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right, prelude=CLOCK)
    await it.command("suture.accept", offer=offer["id"])
    await it.wait(lambda: it.journal("SELECT 1 FROM survivals WHERE moment = '30s'"))
    it.change(buffer, "    return sum(prices)\n", "    return sum(prices) + 2\n")
    await it.wait(lambda: len(it.journal("SELECT moment FROM survivals")) == 3)
    measured = it.journal("SELECT moment, tokens, kept FROM survivals ORDER BY created")
    assert measured == [("30s", 2, 2), ("5min", 2, 1), ("15min", 2, 1)]  # of `+ 1`, which it took out, the sign is back
    assert it.decisions() == ["accepted"]


async def test_an_offer_that_is_left_alone_is_ignored_and_stays(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right, prelude=CLOCK)
    await it.command("suture.seen", offer=offer["id"])
    await it.wait(lambda: it.decisions() == ["ignored"])
    assert it.journal("SELECT source FROM decisions") == [("inferred",)]
    assert [each["state"] for each in await it.command("suture.offers")] == ["ready"]
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["ignored", "accepted"]
    assert "return sum(prices)\n" in buffer.text


async def test_an_offer_that_nobody_saw_is_not_ignored(editor, cart: Path, right: str):
    it, *_ = await begun(editor, cart, right, prelude=CLOCK)
    await asyncio.sleep(4)
    assert it.decisions() == []


async def test_the_persons_own_fix_after_a_rejection_is_a_pair(editor, cart: Path, right: str):
    it, buffer, _, offer = await begun(editor, cart, right)
    await it.command("suture.reject", offer=offer["id"])
    it.replace(buffer, OWN + buffer.text[buffer.text.index("\n\n\ndef count") :])
    it.save(buffer)
    await it.wait(lambda: it.decisions() == ["rejected", "rejected_with_correction"])
    ((edits,),) = it.journal("SELECT edits IS NOT NULL FROM decisions WHERE kind = 'rejected_with_correction'")
    assert edits


async def test_an_edit_that_comes_without_its_command_is_understood(editor, cart: Path, right: str):
    it, _, tests, _ = await begun(editor, cart, right)
    (ready,) = await it.actions(tests, 4)
    resolved = await it.client.code_action_resolve_async(ready)
    assert it.apply(resolved.edit)
    await it.wait(lambda: it.decisions() == ["accepted"])
    assert it.journal("SELECT source FROM decisions") == [("inferred",)]


async def test_offers_outlive_the_server(editor, cart: Path, right: str):
    it, _, _, offer = await begun(editor, cart, right)
    await it.client.shutdown_session()
    later = await editor(cart, policy=right)
    tests = later.open("test_cart.py")
    later.open("cart.py")
    restored = await later.offered()
    assert restored["id"] == offer["id"]
    (ready,) = await later.actions(tests, 4)
    assert ready.title == offer["title"]
    await later.choose(ready)
    await later.wait(lambda: later.decisions() == ["accepted"])


async def test_an_offer_whose_failure_is_gone_is_not_restored(editor, cart: Path, right: str):
    it, _, _, _ = await begun(editor, cart, right)
    await it.client.shutdown_session()
    (cart / "cart.py").write_text(OWN + "\n\ndef count(prices):\n    return len(prices)\n")
    later = await editor(cart, policy=right)
    later.open("test_cart.py")
    await later.wait(lambda: later.decisions() == ["expired"])
    assert later.offers == []


async def test_files_that_are_not_open_are_edited_too(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert "return sum(prices)\n" in (cart / "cart.py").read_text()
    assert it.applied[0].document_changes[0].text_document.version is None


async def test_a_file_that_changes_on_the_disk_meanwhile_is_not_overwritten(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    (cart / "cart.py").write_text("def total(prices):\n    return 7\n")
    answer = await it.command("suture.accept", offer=offer["id"])
    assert not answer["applied"]
    assert (cart / "cart.py").read_text() == "def total(prices):\n    return 7\n"


async def test_a_kind_of_message_shows_the_diff_first(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, offers=False)
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    it.answers = ["Show diff", "Dismiss"]
    await it.choose(action)
    await it.wait(lambda: it.decisions() == ["rejected"])
    (shown,) = it.client.shown_documents
    assert shown.uri.endswith(".diff")
    assert [each.title for each in it.asked[1].actions] == ["Apply", "Dismiss"]
    assert "+ 1" in buffer.text
    assert isinstance(it.asked[0], types.ShowMessageRequestParams)


BOTH = "def total(prices):\n    result = 1\n    for price in prices:\n        result += price\n    return result + 1\n"
BOTH_MENDED = {"text": "    result = 0\n    for price in prices:\n        result += price\n    return result\n", "repeat": 0}


async def begun_with_two_changes(editor, cart: Path, script, **options):
    """An editor with an offer whose patch has two changes."""
    (cart / "cart.py").write_text(f"{BOTH}\n\ndef count(prices):\n    return len(prices)\n")
    it, buffer, tests, offer = await begun(editor, cart, script(BOTH_MENDED), settings={"harness": {"edits_by_rule": "off"}}, **options)
    (file,) = (await it.command("suture.diff", offer=offer["id"]))["files"]
    return it, buffer, tests, offer, file["hunks"]


def kept_by(it) -> list[dict[str, str | None]]:
    """What the decisions in the journal say that a person took."""
    journal = Journal.open(Path(it.environ["XDG_DATA_HOME"], "suture/journal.sqlite3"))
    try:
        with journal.reading() as connection:
            episodes = [episode for (episode,) in connection.execute("SELECT id FROM episodes")]
            decisions = [each for episode in episodes for offer in offers_of(connection, episode) for each in offer.decisions]
    finally:
        journal.close()
    return [{edit.path: edit.after for edit in each.edits.edits} for each in decisions if each.edits is not None]


async def test_a_diff_tells_its_changes_and_shows_only_those_that_are_wanted(editor, cart: Path, script):
    it, _, _, offer, hunks = await begun_with_two_changes(editor, cart, script)
    assert [(each["taken"], each["removed"], each["added"], each["before"], each["after"]) for each in hunks] == [
        (True, "    result = 1\n", "    result = 0\n", {"start": 1, "end": 2}, {"start": 1, "end": 2}),
        (True, "    return result + 1\n", "    return result\n", {"start": 4, "end": 5}, {"start": 4, "end": 5}),
    ]
    shown = await it.command("suture.diff", offer=offer["id"], hunks=[hunks[1]["id"]])
    (file,) = shown["files"]
    assert [each["taken"] for each in file["hunks"]] == [False, True]
    assert "result = 1\n" in file["after"]
    assert "return result\n" in file["after"]
    assert "+    return result\n" in shown["diff"]
    assert "result = 0" not in shown["diff"]
    (file,) = (await it.command("suture.diff", offer=offer["id"], hunks=[]))["files"]
    assert file["after"] == file["before"]
    assert it.applied == []


async def test_some_changes_are_taken_and_what_was_kept_is_recorded(editor, cart: Path, script):
    it, buffer, _, offer, hunks = await begun_with_two_changes(editor, cart, script)
    assert await it.command("suture.accept", offer=offer["id"], hunks=[hunks[0]["id"]]) == {"applied": True}
    assert "result = 0\n" in buffer.text
    assert "return result + 1\n" in buffer.text
    assert it.decisions() == ["accepted_with_edits"]
    assert kept_by(it) == [{"cart.py": buffer.text}]
    it.save(buffer)
    await it.wait(lambda: it.journal("SELECT moment, tokens = kept FROM survivals") == [("save", 1)])
    assert it.decisions() == ["accepted_with_edits"]  # what was taken is what counts as left later, not what was not taken


async def test_taking_every_change_by_its_name_takes_the_fix(editor, cart: Path, script):
    it, buffer, _, offer, hunks = await begun_with_two_changes(editor, cart, script)
    assert await it.command("suture.accept", offer=offer["id"], hunks=[each["id"] for each in hunks]) == {"applied": True}
    assert it.decisions() == ["accepted"]
    assert "return result\n" in buffer.text


async def test_the_undo_of_a_part_is_a_revert(editor, cart: Path, script):
    it, buffer, _, offer, hunks = await begun_with_two_changes(editor, cart, script)
    before = buffer.text
    await it.command("suture.accept", offer=offer["id"], hunks=[hunks[0]["id"]])
    it.replace(buffer, before)
    await it.wait(lambda: it.decisions() == ["accepted_with_edits", "reverted"])


async def test_no_change_and_an_unknown_one_are_refused_and_decide_nothing(editor, cart: Path, script):
    it, buffer, _, offer, hunks = await begun_with_two_changes(editor, cart, script)
    before = buffer.text
    answer = await it.command("suture.accept", offer=offer["id"], hunks=[])
    assert answer == {"applied": False, "reason": "no change was chosen"}
    answer = await it.command("suture.accept", offer=offer["id"], hunks=[hunks[0]["id"], "0123456789abcdef"])
    assert answer == {"applied": False, "reason": "the fix has changed since it was looked at: look at it again"}
    assert (buffer.text, it.decisions(), it.applied) == (before, [], [])
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}


async def test_changes_keep_their_names_when_the_fix_moves(editor, cart: Path, script):
    it, buffer, _, offer, hunks = await begun_with_two_changes(editor, cart, script)
    it.change(buffer, "def total", "# the sum\ndef total")
    await it.offered(count=2)
    (file,) = (await it.command("suture.diff", offer=offer["id"]))["files"]
    assert [each["id"] for each in file["hunks"]] == [each["id"] for each in hunks]
    assert file["hunks"][0]["before"] == {"start": 2, "end": 3}
    assert await it.command("suture.accept", offer=offer["id"], hunks=[hunks[1]["id"]]) == {"applied": True}
    assert buffer.text.startswith("# the sum\ndef total(prices):\n    result = 1\n")
    assert "return result\n" in buffer.text
