"""The real server under somebody who does anything at any time: hypothesis draws what, and what must hold is looked at after every step.

    SUTURE_LSP_EXAMPLES=200 SUTURE_LSP_STEPS=60 python -m pytest tests/server/lsp/test_state_machine.py

The editor's texts are kept by `tests/bench/lsp_documents.py`, which was written from the protocol's words alone. A file's function is
repaired when it is called `quick`, wrongly when `wrong`, never when `slow`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

BENCH = Path(__file__).parents[2] / "bench"
sys.path.append(str(BENCH))
import lsp_workspace  # noqa: E402  # lies beside the benches
from lsp_client import LspError, ServerGone, recorded, spawn  # noqa: E402
from lsp_documents import Document  # noqa: E402

EXAMPLES, STEPS = int(os.environ.get("SUTURE_LSP_EXAMPLES", "4")), int(os.environ.get("SUTURE_LSP_STEPS", "30"))
CACHE = Path(tempfile.gettempdir(), f"suture-machine-cache-{os.getpid()}")
"""What is known of the interpreter, for all examples."""
LONG = "SUTURE_LSP_EXAMPLES" in os.environ
SERVER = (sys.executable, "-c", "from suture_server.cli import main; main()", "lsp")
NAMES = ("quick0_m.py", "quick1_m.py", "wrong0_m.py", "slow0_m.py")
NOTE = "# notes:"
SNIPPETS = ("x", "\U0001f600", "\r\n", "\n", "é", "\f", "    ", "# word", "\u2028", "")
CANCELLED = {-32800, -32801, -32802}
TEXT = re.compile(r"\btext ([0-9a-f]{64})\b")
EDITOR = {"check_on": "change", "delay_ms": 20, "notice": False}
PATIENCE = 60
FOLLOWS = {
    "": {"accepted", "accepted_with_edits", "rejected", "expired", "withdrawn", "ignored"},
    "ignored": {"accepted", "accepted_with_edits", "rejected", "expired", "withdrawn"},
    "accepted": {"accepted_with_edits", "reverted"},
    "accepted_with_edits": {"reverted"},
    "rejected": {"rejected_with_correction"},
    "expired": {"rejected_with_correction"},
}
"""Decision -> what may come after it about the same offer."""


def files() -> dict[str, str]:
    found = {}
    for number, name in enumerate(NAMES):
        kind, digit = name[:-6], name[-6]
        text = f"{NOTE} \U0001f600\n\n\n" + lsp_workspace.function(f"{kind}_{digit}", [f"BAD0_{kind}_{digit}"])
        found[name] = text.replace("\n", "\r\n") if number % 2 else text
    return found


class Machine(RuleBasedStateMachine):
    """An editor with four files."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="suture-machine-"))
        self.root = lsp_workspace.make(self.folder / "work", files(), texts=True)
        self.environ = {**lsp_workspace.environment(self.folder / "home", {"editor": EDITOR}), "XDG_CACHE_HOME": str(CACHE)}
        self.documents: dict[str, Document] = {}
        self.standing: dict[str, dict[str, Any]] = {}
        """Offers that were told to be ready, and not that they are over."""
        self.afters: defaultdict[str, set[tuple[tuple[str, str | None], ...]]] = defaultdict(set)
        """Offer -> what its files would be, as it was told at any time."""
        self.had: defaultdict[str, set[str]] = defaultdict(set)
        """File -> every text that it had, in the editor or on the disk."""
        self.accepting = Counter[str]()
        self.applied: set[str] = set()
        self.rejected: set[str] = set()
        self.results: list[tuple[set[str], str, str]] = []
        """Applied edits of the server: for which offers it may have been, the file, the text it made."""
        self.undone: list[tuple[str, str, str]] = []
        self.pids: set[int] = set()
        self.deaths = 0
        self.done = Counter[str]()
        self.wrong: list[str] = []
        self.talks: set[asyncio.Task[Any]] = set()
        self.waiting: dict[int, asyncio.Task[Any]] = {}

    # The life of the server

    @initialize()
    def open_and_ask(self) -> None:
        self.runner.run(self.begin())

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """One rule with habits, since hypothesis leaves half of the rules out of every example, which wants hundreds of them."""
        able = [name for name in HABITS if self.can(name)]
        name = data.draw(st.sampled_from([name for name in able for _ in range(HABITS[name][0])]), "act")
        self.done[name] += 1
        self.runner.run(getattr(self, name)(**{key: data.draw(strategy, key) for key, strategy in HABITS[name][1].items()}))

    def can(self, name: str) -> bool:
        """Whether there is anything to do it with; a worker that dies too often is not started again."""
        return self.deaths < 2 if name == "kill_the_worker" else bool(self.standing) or name not in DECIDING

    async def begin(self) -> None:
        for name in NAMES:
            self.had[name].add(self.disk(name))
        await self.start()
        await self.open_file("quick0_m.py")
        await self.open_file("quick1_m.py")
        await self.command("suture.check", {})
        await self.command("suture.fixAll", {"root": self.root.as_uri()})
        await self.rest(lambda: len(self.standing) >= 2)

    async def start(self) -> None:
        self.client = await spawn(SERVER, environ=self.environ, folder=self.root, errors=self.folder / "log")
        self.client.on["workspace/applyEdit"] = self.apply
        self.client.heard["suture/offer"].append(self.offered)
        await self.client.initialize(recorded("vscode", self.root, {"offers": True, "status": True}))

    async def leave(self) -> None:
        """An orderly end: code 0, every request answered once, no process left."""
        await self.finish()
        self.look_at_processes()
        code = await self.client.stop(20)
        self.check(code == 0, f"the exit code is {code}")
        self.check(not self.client.unanswered, f"not answered: {self.client.unanswered}")
        await self.no_process()

    async def no_process(self) -> None:
        for _ in range(250):
            if not (left := [pid for pid in self.pids if lives(pid)]):
                break
            await asyncio.sleep(0.02)
        self.check(not left, f"processes are left: {left}")
        self.pids.clear()
        self.standing.clear()

    async def restart_the_server(self) -> None:
        await self.leave()
        await self.start()
        for document in self.documents.values():
            document.version = 1
            self.client.notify("textDocument/didOpen", document.opened)

    async def kill_the_server(self) -> None:
        self.look_at_processes()
        self.client.process.kill()
        await self.client.process.wait()
        await self.finish()
        await self.client.stop(1)
        await self.no_process()
        await self.start()
        for document in self.documents.values():
            document.version = 1
            self.client.notify("textDocument/didOpen", document.opened)

    async def kill_the_worker(self) -> None:
        for worker in psutil.Process(self.client.process.pid).children():
            self.deaths += 1
            worker.kill()

    async def restart_the_worker(self) -> None:
        self.deaths = 0
        await self.command("suture.restart", {})

    # Texts

    async def open(self, name: str) -> None:
        await self.open_file(name)

    async def close(self, name: str) -> None:
        if (document := self.documents.pop(self.uri(name), None)) is not None:
            self.client.notify("textDocument/didClose", {"textDocument": document.identifier})

    async def save(self, name: str) -> None:
        if (document := self.documents.get(self.uri(name))) is not None:
            (self.root / name).write_bytes(document.text.encode())
            self.client.notify("textDocument/didSave", {"textDocument": document.identifier})

    async def type_in_the_note(self, name: str, snippet: str, at: int, less: int) -> None:
        document = await self.open_file(name)
        end = re.search(r"[\r\n]|\Z", document.text)
        assert end is not None
        first = min(at, end.start())
        self.change(document, first, min(first + less, end.start()), snippet.replace("\r\n", "").replace("\n", ""))

    async def type_anywhere(self, name: str, snippet: str, at: float, less: int) -> None:
        document = await self.open_file(name)
        first = int(at * len(document.text))
        self.change(document, first, min(first + less, len(document.text)), snippet)

    async def type_in_the_function(self, name: str, word: str) -> None:
        document = await self.open_file(name)
        found = re.search(r"return value[^\r\n]*", document.text)
        if found is not None:
            self.change(document, found.start(), found.end(), f"return value + '{word}'")

    async def undo(self) -> None:
        while self.undone:
            uri, before, after = self.undone.pop()
            document = self.documents.get(uri)
            if document is not None and document.text == after:
                self.change(document, 0, len(after), before)
                return

    async def change_on_the_disk(self, name: str, line: str) -> None:
        """An editor takes what changes on the disk where nothing was typed."""
        document, disk = self.documents.get(self.uri(name)), self.disk(name)
        clean = document is not None and document.text == disk
        text = files()[name] + line
        (self.root / name).write_bytes(text.encode())
        self.had[name].add(text)
        if document is not None and clean:
            self.change(document, 0, len(document.text), text)

    # Requests

    async def pull(self, name: str) -> None:
        await self.ask("textDocument/diagnostic", {"textDocument": {"uri": self.uri(name)}})

    async def have_it_fixed(self, name: str) -> None:
        await self.open_file(name)
        await self.command("suture.check", {})
        for action in await self.actions(name):
            command = action.get("command") or {}
            if command.get("command") == "suture.fix":
                await self.command("suture.fix", command["arguments"][0])

    async def have_all_fixed(self) -> None:
        await self.command("suture.fixAll", {"root": self.root.as_uri()})

    async def wait(self) -> None:
        """Until the quick ones are repaired."""
        await self.rest(lambda: len(self.standing) >= 2 or not self.client.working)

    async def cancel_a_progress(self) -> None:
        for token in list(self.client.working)[:1]:
            self.client.notify("window/workDoneProgress/cancel", {"token": token})

    async def cancel_all(self) -> None:
        await self.command("suture.cancel", {})

    async def cancel_a_request(self, name: str) -> None:
        number = self.send(name, {"root": self.root.as_uri()})
        self.client.cancel(number)

    async def accept(self, which: int, how: str) -> None:
        offer = self.any_offer(which)
        if how == "wait":
            await self.accepted_now(offer)
            return
        number = self.send_accept(offer)
        if how == "cancel":
            self.client.cancel(number)
        elif how == "twice":
            await self.accepted_now(offer)
        else:
            for file in self.standing.get(offer, {"files": []})["files"]:
                if (document := self.documents.get(file["uri"])) is not None:
                    self.change(document, len(NOTE), len(NOTE), "!")

    async def accept_by_action(self, which: int, how: str) -> None:
        """Apply a code action's edit, with and without its command; or refuse the edit and run the command, as some editors do."""
        offer = self.any_offer(which)
        name = self.standing[offer]["files"][0]["path"]
        document = await self.open_file(name)
        for action in await self.actions(name):
            given = (action.get("data") or {}).get("offer")
            if given is None or action.get("disabled"):
                continue
            self.known_to_the_journal(given)
            whole = await self.ask("codeAction/resolve", action)
            changes = ((whole or {}).get("edit") or {}).get("documentChanges")
            if not changes:
                continue
            if how != "only":
                self.check(changes[0]["textDocument"]["version"] == document.version, "a resolved edit is for another version")
                self.applied.add(given)
                self.take(document, changes[0]["edits"], {given})
            if how != "without":
                await self.command("suture.accepted", {"offer": given})
            return

    async def reject(self, which: int) -> None:
        offer = self.any_offer(which)
        self.rejected.add(offer)
        await self.command("suture.reject", {"offer": offer, "reason": "no"})
        left = await self.command("suture.offers", {}) or []
        self.check(offer not in [each["id"] for each in left], "a rejected offer stands")

    # What must hold

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert not self.wrong, self.wrong
        if hasattr(self, "client"):
            assert not self.client.answered_twice
            assert not self.client.strange

    def teardown(self) -> None:
        try:
            if hasattr(self, "client"):
                self.runner.run(self.end())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def end(self) -> None:
        """Everything comes to rest: the server has the editor's texts, and the journal says what was done."""
        try:
            await self.finish()
            await self.command("suture.cancel", {})
            await self.command("suture.restart", {})
            await self.texts_agree()
            await self.leave()
            self.results_were_told()
            self.decisions_are_true()
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.client.process.kill()
        self.nothing_is_wrong()

    async def texts_agree(self) -> None:
        until = time.monotonic() + 20
        different = [""]
        while different and time.monotonic() < until:
            await self.command("suture.check", {})
            different = [uri for uri, document in self.documents.items() if await self.seen(uri) != hash_of(document.text)]
        self.check(not different, f"the server has other texts of {different}")

    async def seen(self, uri: str) -> str:
        report = await self.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        told = [said[1] for each in report["items"] if (said := TEXT.search(each["message"]))]
        return told[-1] if told else ""

    def results_were_told(self) -> None:
        """Every edit made of a file what its offer had said."""
        for offers, name, text in self.results:
            told = {after for offer in offers for afters in self.afters[offer] for path, after in afters if path == name}
            self.check(text in told, f"an edit made something else of {name} than was told: {text!r}, not {told}")

    def decisions_are_true(self) -> None:
        kinds = Counter(kind for (kind,) in self.journal("SELECT kind FROM decisions"))
        print(f"{dict(self.done)}: {len(self.results)} edits, decisions {dict(kinds)}")
        last: defaultdict[str, str] = defaultdict(str)
        for offer, kind in self.journal("SELECT offer, kind FROM decisions ORDER BY id"):
            self.check(kind in FOLLOWS.get(last[offer], ()), f"{kind} after {last[offer] or 'nothing'} about {offer}")
            last[offer] = kind
            if kind == "accepted":
                had = any(all(after in self.had[path] for path, after in afters) for afters in self.afters[offer])
                self.check(offer in self.applied or had, f"{offer} is accepted, and was not applied")
            if kind == "rejected":
                self.check(offer in self.rejected, f"{offer} is rejected, and nobody did so")

    # Speaking

    def offered(self, said: dict[str, Any]) -> None:
        offer = said["offer"]
        if said["state"] != "ready":
            self.standing.pop(offer["id"], None)
            return
        self.check(offer["state"] == "ready", f"told to be ready, and {offer['state']}")
        self.known_to_the_journal(offer["id"])
        self.standing[offer["id"]] = offer
        self.talk(self.learn(offer["id"]))

    async def learn(self, offer: str) -> None:
        told = await self.command("suture.diff", {"offer": offer})
        if told is not None:
            self.afters[offer].add(tuple((each["path"], each["after"]) for each in told["files"]))

    def known_to_the_journal(self, offer: str) -> None:
        rows = self.journal(f"SELECT passed FROM offers JOIN verdicts USING (episode) WHERE offers.id = '{offer}'")
        self.check(rows == [(1,)], f"an offer is shown whose verdict is {rows}")

    def apply(self, params: dict[str, Any]) -> dict[str, Any]:
        """As an editor: all of it or nothing, and only to the versions that are meant."""
        offers = set(self.accepting)
        self.check(bool(offers), "an edit that nobody asked for")
        changes = params["edit"]["documentChanges"]
        for each in changes:
            version, document = each["textDocument"]["version"], self.documents.get(each["textDocument"]["uri"])
            self.check((version is None) == (document is None), f"version {version} of what is {'closed' if document is None else 'open'}")
            if document is not None and version != document.version:
                self.check(version is not None and version < document.version, f"version {version} is not known yet")
                return {"applied": False, "failureReason": "the text has changed"}
        self.applied |= offers
        for each in changes:
            uri = each["textDocument"]["uri"]
            document = self.documents.get(uri) or Document(uri, self.disk(uri.rpartition("/")[2]), "utf-16")
            self.take(document, each["edits"], offers)
        return {"applied": True}

    def take(self, document: Document, edits: list[dict[str, Any]], offers: set[str]) -> None:
        before, name = document.text, document.uri.rpartition("/")[2]
        told = document.edit(edits)
        self.results.append((offers, name, document.text))
        self.had[name].add(document.text)
        if document.uri in self.documents:
            self.client.notify("textDocument/didChange", told)
            self.undone.append((document.uri, before, document.text))
        else:
            (self.root / name).write_bytes(document.text.encode())

    def change(self, document: Document, start: int, end: int, text: str) -> None:
        self.client.notify("textDocument/didChange", document.replace(start, end, text))
        self.had[document.uri.rpartition("/")[2]].add(document.text)

    async def open_file(self, name: str) -> Document:
        uri = self.uri(name)
        if uri not in self.documents:
            self.documents[uri] = Document(uri, self.disk(name), "utf-16")
            self.client.notify("textDocument/didOpen", self.documents[uri].opened)
        return self.documents[uri]

    async def actions(self, name: str) -> list[dict[str, Any]]:
        """At the first diagnostic that a person would ask about."""
        report = await self.ask("textDocument/diagnostic", {"textDocument": {"uri": self.uri(name)}})
        found = [each for each in (report or {"items": []})["items"] if "the word" in each["message"]][:1]
        place = found[0]["range"] if found else {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
        context = {"diagnostics": found, "triggerKind": 1}
        params = {"textDocument": {"uri": self.uri(name)}, "range": place, "context": context}
        return await self.ask("textDocument/codeAction", params) or []

    async def accepted_now(self, offer: str) -> None:
        answer = await self.client_answer(self.send_accept(offer))
        if answer is not None and answer["applied"]:
            kinds = [kind for (kind,) in self.journal(f"SELECT kind FROM decisions WHERE offer = '{offer}'")]
            self.check("accepted" in kinds, f"applied, and the journal says {kinds}")

    def send_accept(self, offer: str) -> int:
        self.accepting[offer] += 1
        return self.send("suture.accept", {"offer": offer})

    def send(self, name: str, argument: dict[str, Any]) -> int:
        """A command whose answer comes later, and may be that it was cancelled."""
        number, future = self.client.ask("workspace/executeCommand", {"command": name, "arguments": [argument]})
        self.waiting[number] = asyncio.ensure_future(self.quietly(future))
        self.talks.add(self.waiting[number])
        return number

    async def client_answer(self, number: int) -> Any:
        return await self.waiting[number]

    async def command(self, name: str, argument: dict[str, Any]) -> Any:
        return await self.client_answer(self.send(name, argument))

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        return await self.quietly(self.client.ask(method, params)[1])

    async def quietly(self, future: asyncio.Future[Any]) -> Any:
        """The answer; None for one that says that it was cancelled, or where the server was killed."""
        try:
            return await asyncio.wait_for(future, PATIENCE)
        except LspError as error:
            self.check(error.code in CANCELLED, str(error))
        except ServerGone:
            pass
        except TimeoutError:
            self.wrong.append("a request was not answered")
        return None

    def talk(self, work: Coroutine[Any, Any, None]) -> None:
        self.talks.add(asyncio.ensure_future(work))

    async def finish(self) -> None:
        while self.talks:
            talks, self.talks = self.talks, set()
            await asyncio.gather(*talks)
        self.accepting.clear()

    async def rest(self, until: Callable[[], object]) -> None:
        """Give the server a while, which a slow machine may well find too short."""
        for _ in range(80):
            if until():
                return
            await asyncio.sleep(0.05)

    # Looking

    def check(self, holds: bool, text: str) -> None:
        if not holds:
            self.wrong.append(text)

    def any_offer(self, which: int) -> str:
        return list(self.standing)[which % len(self.standing)]

    def look_at_processes(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            server = psutil.Process(self.client.process.pid)
            self.pids |= {server.pid, *(each.pid for each in server.children(recursive=True))}

    def journal(self, query: str) -> list[tuple[Any, ...]]:
        path = Path(self.environ["XDG_DATA_HOME"], "suture", "journal.sqlite3")
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchall()

    def disk(self, name: str) -> str:
        return (self.root / name).read_bytes().decode()

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ANY, QUICK, WHICH = st.sampled_from(NAMES), st.sampled_from(NAMES[:2]), st.integers(0, 3)
HABITS: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    "open": (3, {"name": ANY}),
    "close": (3, {"name": ANY}),
    "save": (4, {"name": ANY}),
    "type_in_the_note": (8, {"name": QUICK, "snippet": st.sampled_from(SNIPPETS), "at": st.integers(0, 9), "less": st.integers(0, 2)}),
    "type_anywhere": (4, {"name": ANY, "snippet": st.sampled_from(SNIPPETS), "at": st.floats(0, 1), "less": st.integers(0, 3)}),
    "type_in_the_function": (8, {"name": QUICK, "word": st.sampled_from(("BAD0_a", "BAD0_b \U0001f600", "good"))}),
    "undo": (4, {}),
    "change_on_the_disk": (3, {"name": ANY, "line": st.sampled_from(("# one\n", "# two\r\n", ""))}),
    "pull": (2, {"name": ANY}),
    "have_it_fixed": (6, {"name": ANY}),
    "have_all_fixed": (3, {}),
    "wait": (8, {}),
    "cancel_a_progress": (3, {}),
    "cancel_all": (2, {}),
    "cancel_a_request": (3, {"name": st.sampled_from(("suture.check", "suture.fixAll", "suture.cancel", "suture.offers"))}),
    "accept": (8, {"which": WHICH, "how": st.sampled_from(("wait", "wait", "type", "cancel", "twice"))}),
    "accept_by_action": (6, {"which": WHICH, "how": st.sampled_from(("with", "without", "only"))}),
    "reject": (3, {"which": WHICH}),
    "restart_the_server": (1, {}),
    "kill_the_server": (1, {}),
    "kill_the_worker": (2, {}),
    "restart_the_worker": (1, {}),
}
"""What is done, how often in proportion, and what is drawn for it."""
DECIDING = {"accept", "accept_by_action", "reject"}


def teardown_module() -> None:
    shutil.rmtree(CACHE, ignore_errors=True)


TestAnything = Machine.TestCase
TestAnything.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=not LONG,
    database=None,
    phases=(Phase.generate, Phase.shrink) if "SUTURE_LSP_SHRINK" in os.environ else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
