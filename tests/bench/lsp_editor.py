"""Somebody at an editor, at random and fast: edits, saves, opens, closes, asks what can be done, has it repaired, takes and refuses offers.

What it does next is drawn from `HABITS` with a seed; what comes of it depends on the server's timing. It knows every text as it must be.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import lsp_workspace
from lsp_client import Client, LspError
from lsp_documents import Document, Encoding
from lsp_suture import Diagnostics, action_params, fix_argument

MOST_OPEN, FEWEST_OPEN = 30, 10
MOST_TALKS = 20
"""Conversations (a repair, an offer) that go on beside the edits."""
LONGEST_TEXT = 3000
EXPECTED_ERRORS = {-32800, -32801, -32802, -32803}
"""Cancelled by the client, content modified, cancelled by the server, request failed: what an answer may be."""
SNIPPETS = ("x", " ", "word", "\U0001f600", "e\u0301", "\U0001d4b3", "\u4e2d\u6587", "\t", "'", "(", "# ", "\u00df", "\u2028")
BREAKS = ("\n", "\r\n", "\r", "\f", "\n\n", "\r\n\r\n")
TEXT = re.compile(r"\btext ([0-9a-f]{64})\b")
"""What the check `texts` says of a file."""
NOTE = "# notes:"
"""How the first line begins, after which it may be edited freely, in a file whose function is to stay one."""

HABITS = {
    "edit": 600,
    "replace_all": 10,
    "open": 25,
    "close": 20,
    "save": 40,
    "actions": 120,
    "pull": 60,
    "take_back": 20,
    "fix": 25,
    "spoil": 15,
    "cancel": 10,
    "cancel_all": 10,
    "accept": 12,
    "reject": 6,
    "look": 12,
    "undo": 4,
    "check": 2,
}
"""What is done, and how often in proportion."""


def files() -> dict[str, str]:
    """The files: repaired quickly, wrongly, never, so that the check sleeps; with either line ends; and some without any order."""
    found = dict[str, str]()
    for number in range(30):
        found[f"quick{number}_m.py"] = _noted(f"quick_{number}", "\r\n" if number % 2 else "\n")
    for kind in ("wrong", "slow"):
        found |= {f"{kind}{number}_m.py": _noted(f"{kind}_{number}", "\n") for number in range(8)}
    found |= {f"sleep{number}_m.py": lsp_workspace.SLEEPER.format(number) for number in range(4)}
    wild = "\U0001f600 = 'BAD0_wild'\r\nx = 1\n\f\ny = '\U0001d4b3'\r"
    return found | {f"wild{number}_m.py": wild * 3 for number in range(10)}


def _noted(name: str, end: str) -> str:
    return (f"{NOTE} \U0001f600\n\n\n" + lsp_workspace.function(name, [f"BAD0_{name}"])).replace("\n", end)


class Person:
    """The one at the editor."""

    def __init__(self, client: Client, root: Path, encoding: Encoding, seed: int) -> None:
        self.client, self.root, self.encoding = client, root, encoding
        self.documents = dict[str, Document]()
        self.offers = dict[str, dict[str, Any]]()
        self.done = Counter[str]()
        self.wrong = list[str]()
        """Answers that no server should give."""
        self.sent = 0
        self._rng = random.Random(seed)
        self._names = sorted(path.name for path in root.glob("*_m.py"))
        self._undo = list[tuple[str, str, str]]()
        self._spoilt = 0
        self._talks = set[asyncio.Task[None]]()
        self._diagnostics = Diagnostics(client)
        client.on["workspace/applyEdit"] = self.apply
        client.heard["suture/offer"].append(self._offered)

    async def act(self) -> None:
        """Do one thing; what takes long goes on beside the next."""
        while len(self.documents) < FEWEST_OPEN:
            self.open()
        name = self._rng.choices(list(HABITS), list(HABITS.values()))[0]
        self.done[name] += 1
        talk = getattr(self, name)()
        if isinstance(talk, Coroutine):
            self._start(name, talk)
        if len(self._talks) > MOST_TALKS:
            await asyncio.wait(self._talks, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self) -> None:
        """Wait for what goes on."""
        await asyncio.gather(*self._talks)

    def open(self) -> None:
        """Open a file as it is on the disk."""
        closed = [name for name in self._names if self._uri(name) not in self.documents]
        if closed and len(self.documents) < MOST_OPEN:
            name = self._rng.choice(closed)
            text = Document(self._uri(name), (self.root / name).read_bytes().decode(), self.encoding)
            self.documents[text.uri] = text
            self._tell("textDocument/didOpen", text.opened)

    def close(self) -> None:
        """Close a file, saved or not."""
        if len(self.documents) > FEWEST_OPEN:
            text = self.documents.pop(self._any().uri)
            self._tell("textDocument/didClose", {"textDocument": text.identifier})

    def save(self) -> None:
        """Write a file."""
        text = self._any()
        self._path(text.uri).write_bytes(text.text.encode())
        self._tell("textDocument/didSave", {"textDocument": text.identifier})

    def edit(self) -> None:
        """One to three changes at once, each of which speaks of the text after the one before."""
        text = self._any()
        changes = list[dict[str, Any]]()
        scratch = Document(text.uri, text.text, self.encoding)
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            start, end, new = self._change(scratch)
            changes += scratch.replace(start, end, new)["contentChanges"]
        self._tell("textDocument/didChange", text.change(changes))

    def replace_all(self) -> None:
        """Send a text as a whole."""
        text = self._any()
        self._tell("textDocument/didChange", text.change([{"text": text.text}]))

    def spoil(self) -> None:
        """Break a function again that was repaired."""
        text = self._any("quick")
        if (at := text.text.find("    return value")) >= 0:
            end = next((place for place in range(at, len(text.text)) if text.text[place] in "\r\n"), len(text.text))
            self._spoilt += 1
            self._tell("textDocument/didChange", text.replace(at, end, f"    return value + 'BAD0_again_{self._spoilt}'"))

    def undo(self) -> None:
        """Undo what an offer did, as long as nothing else was done to the text since."""
        while self._undo:
            uri, before, after = self._undo.pop()
            text = self.documents.get(uri)
            if text is not None and text.text == after:
                self._tell("textDocument/didChange", text.replace(0, len(text.text), before))
                return

    async def actions(self) -> None:
        """Ask what can be done, at a diagnostic or anywhere."""
        text, diagnostic = await self._diagnostic()
        place = {"start": text.position(0), "end": text.position(len(text.text))}
        params = action_params(text.uri, diagnostic or {"range": place})
        if diagnostic is None:
            params["context"]["diagnostics"] = []
        found = await self._ask("textDocument/codeAction", params) or []
        if found and "data" in found[-1] and "edit" not in found[-1]:
            await self._ask("codeAction/resolve", found[-1])

    async def pull(self) -> None:
        """Ask for diagnostics where the server wants that, for all of them at times."""
        if "diagnosticProvider" not in self.client.capabilities:
            return
        if self.client.capabilities["diagnosticProvider"].get("workspaceDiagnostics") and self._rng.random() < 0.1:
            number = self._request("workspace/diagnostic", {"previousResultIds": []})[0]
            self._cancel_soon(number)  # it may wait for news as long as it likes
        else:
            await self._ask("textDocument/diagnostic", {"textDocument": self._any().identifier})

    def take_back(self) -> None:
        """Ask for something and cancel it at once."""
        text = self._any()
        place = {"start": text.position(0), "end": text.position(0)}
        number, _ = self._request("textDocument/codeAction", action_params(text.uri, {"range": place}) | {"context": {"diagnostics": []}})
        self._tell("$/cancelRequest", {"id": number})

    async def fix(self) -> None:
        """Have the agent repair what a diagnostic says."""
        text, diagnostic = await self._diagnostic()
        if diagnostic is None:
            return
        actions = await self._ask("textDocument/codeAction", action_params(text.uri, diagnostic)) or []
        arguments = [argument for action in actions if (argument := fix_argument(action)) is not None]
        if arguments:
            said = await self._command("suture.fix", arguments[0])
            self.done[f"fix {said.get('state', 'refused')}" if said else "fix lost"] += 1

    def cancel(self) -> None:
        """Press the button of a progress."""
        if self.client.working:
            self._tell("window/workDoneProgress/cancel", {"token": self._rng.choice(list(self.client.working))})

    async def cancel_all(self) -> None:
        """Have enough of it."""
        await self._command("suture.cancel", {})

    async def accept(self) -> None:
        """Take an offer."""
        if (offer := self._offer()) is not None:
            said = await self._command("suture.accept", {"offer": offer})
            self.done["accept applied" if said and said["applied"] else "accept refused"] += 1

    async def reject(self) -> None:
        """Dismiss an offer."""
        if (offer := self._offer()) is not None:
            await self._command("suture.reject", {"offer": offer, "reason": "not today"})

    async def look(self) -> None:
        """Look at an offer, or at all."""
        offer = next(iter(self.offers), None)
        if offer is None:
            await self._command("suture.offers", {})
        else:
            await self._command("suture.seen", {"offer": offer})
            await self._command(self._rng.choice(("suture.diff", "suture.showEpisode")), {"offer": offer})

    async def check(self) -> None:
        """Run the checks."""
        await self._command("suture.check", {}, seconds=300)

    async def texts(self) -> dict[str, str]:
        """Name -> hash of each open file's text, as a check that is run now sees it."""
        await self._command("suture.check", {}, seconds=300)
        found = dict[str, str]()
        for uri in list(self.documents):
            remarks = [said[1] for each in await self._shown(uri) if (said := TEXT.search(each["message"])) is not None]
            found[self._path(uri).name] = remarks[-1] if remarks else "not told"
        return found

    def known_texts(self) -> dict[str, str]:
        """The same, as it must be."""
        return {self._path(uri).name: hashlib.sha256(text.text.encode()).hexdigest() for uri, text in self.documents.items()}

    def send_all_again(self) -> None:
        """A full re-sync of every open file."""
        for text in self.documents.values():
            self._tell("textDocument/didChange", text.change([{"text": text.text}]))

    def apply(self, params: Any) -> dict[str, Any]:
        """An edit that the server asks for, as an editor does it: all of it or nothing, and only to the versions that are meant."""
        edits = self._edits(params["edit"])
        if edits is None:
            return {"applied": False, "failureReason": "a file is to be made or removed"}
        for uri, version, _ in edits:
            if version is not None and (uri not in self.documents or self.documents[uri].version != version):
                self.done["edit outdated"] += 1
                return {"applied": False, "failureReason": "the text has changed"}
        for uri, _, changes in edits:
            self._apply(uri, changes)
        return {"applied": True}

    def _apply(self, uri: str, changes: list[dict[str, Any]]) -> None:
        opened = self.documents.get(uri)
        text = opened or Document(uri, self._path(uri).read_bytes().decode(), self.encoding)
        before = text.text
        change = text.edit(changes)
        if opened is None:
            self._path(uri).write_bytes(text.text.encode())
        else:
            self._tell("textDocument/didChange", change)
            self._undo.append((uri, before, text.text))

    @staticmethod
    def _edits(edit: Any) -> list[tuple[str, int | None, list[dict[str, Any]]]] | None:
        changes = edit.get("documentChanges")
        if changes is None:
            return [(uri, None, each) for uri, each in edit.get("changes", {}).items()]
        if any("kind" in each for each in changes):
            return None
        return [(each["textDocument"]["uri"], each["textDocument"]["version"], each["edits"]) for each in changes]

    def _change(self, text: Document) -> tuple[int, int, str]:
        """Offsets and a new text; a letter with its accent, or the two halves of a line's end, may well be parted."""
        first, last, free = 0, len(text.text), True
        if not text.uri.rpartition("/")[2].startswith("wild"):
            first, free = len(NOTE), False
            last = next(at for at in range(first, len(text.text)) if text.text[at] in "\r\n")
        start = self._rng.randint(first, last)
        longest = last - first if last - first > LONGEST_TEXT else self._rng.choice((0, 0, 1, 2, 10))
        end = min(last, start + longest)
        snippets = (*SNIPPETS, *BREAKS) if free else SNIPPETS
        return start, end, "".join(self._rng.choices(snippets, k=self._rng.choice((0, 1, 1, 2, 4))))

    async def _diagnostic(self) -> tuple[Document, dict[str, Any] | None]:
        text = self._any()
        found = [each for each in await self._shown(text.uri) if "the word" in each["message"]]
        return text, self._rng.choice(found) if found else None

    async def _shown(self, uri: str) -> list[dict[str, Any]]:
        if "diagnosticProvider" not in self.client.capabilities:
            return list(self._diagnostics.published.get(uri, ()))
        report = await self._ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        return list(report["items"]) if report else []

    def _offered(self, said: Any) -> None:
        if said["state"] == "ready":
            self.offers[said["offer"]["id"]] = said["offer"]
        else:
            self.offers.pop(said["offer"]["id"], None)
        self.done[f"offer {said['state']}"] += 1

    def _offer(self) -> str | None:
        offer = self._rng.choice(list(self.offers)) if self.offers else None
        if offer is not None:
            del self.offers[offer]
        return offer

    def _any(self, kind: str = "") -> Document:
        texts = [text for uri, text in self.documents.items() if uri.rpartition("/")[2].startswith(kind)]
        return self._rng.choice(texts or list(self.documents.values()))

    def _uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def _path(self, uri: str) -> Path:
        return Path(unquote(urlsplit(uri).path))

    def _tell(self, method: str, params: Any) -> None:
        self.sent += 1
        self.client.notify(method, params)

    def _request(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        self.sent += 1
        return self.client.ask(method, params)

    def _cancel_soon(self, number: int) -> None:
        asyncio.get_running_loop().call_later(0.5, self._tell, "$/cancelRequest", {"id": number})

    async def _ask(self, method: str, params: Any, *, seconds: float = 60) -> Any:
        try:
            return await asyncio.wait_for(self._request(method, params)[1], seconds)
        except LspError as error:
            self.done[f"error {error.code}"] += 1
            if error.code not in EXPECTED_ERRORS:
                self.wrong.append(str(error))
        except TimeoutError:
            self.wrong.append(f"{params.get('command', method)} was not answered for {seconds:.0f} s")
        return None

    async def _command(self, name: str, argument: dict[str, Any], *, seconds: float = 60) -> Any:
        return await self._ask("workspace/executeCommand", {"command": name, "arguments": [argument]}, seconds=seconds)

    def _start(self, name: str, talk: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(talk, name=name)
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
