"""A real journal by the real recorder: repairs of the workspace above by scripted policies, offers, and what people made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from suture_agent.events import Event
from suture_agent.harness import Harness, harness_for
from suture_agent.journal.bulk import Choice, Reader
from suture_agent.journal.store import Journal
from suture_agent.policies.scripted import Script, ScriptedCall, ScriptedHeader, ScriptedPolicy, ScriptedTurn
from suture_agent.problem import problems_in
from suture_agent.record import JournalRecorder
from suture_agent.recorded import recorded
from suture_agent.repair import Repair, repair
from suture_agent.survival import Survival
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot

CODE = "def part{0}(x):\n    return {1} + {0}\n\n\n"


def code(bad: int, count: int = 6, word: str = "good") -> str:
    """Functions, one of which is broken."""
    return "".join(CODE.format(number, "bad" if number == bad else word) for number in range(count))


def ignore(_event: Event) -> None:
    """Nobody listens."""


class World:
    """Repairs, one after the other, into one journal."""

    def __init__(self, root: Path, path: Path, sandbox) -> None:
        self.root = root
        self.path = path
        self.sandbox = sandbox
        self.journal = Journal.open(path)
        self.recorder = JournalRecorder(self.journal, sandbox.environment, root)
        self.last: Repair | None = None

    def harness(self, preset: str, **fields: object) -> Harness:
        """A preset without edits by rule, that proves once."""
        quick: dict[str, object] = {"edits_by_rule": "off", "reruns": 1, "controls": 0, "shaken": 0}
        chosen = harness_for(ScriptedPolicy(Script()).capability, preset=preset)
        return msgspec.structs.replace(chosen, **{**quick, **fields})

    async def mend(
        self, preset: str, *turns: ScriptedTurn, bad: int = 2, name: str = "scripted", text: str | None = None, tools=True, **fields: object
    ) -> str:
        """Repair the function that is broken by what a policy says in turn; the episode's identifier."""
        policy = ScriptedPolicy(Script(header=ScriptedHeader(name=name, tools=tools), turns=turns))
        snapshot = Snapshot(self.root).with_edits({"code.py": (text or code(bad)).encode()})
        problem = problems_in(snapshot, await self.sandbox.check_all(snapshot))[0]
        harness = self.harness(preset, **fields)
        identity = await policy.start()
        done, episode = await recorded(
            problem, identity, harness, self.recorder, lambda: repair(problem, policy, self.sandbox, harness, ignore)
        )
        self.last = done
        return episode

    async def offered(self, episode: str) -> str:
        """The episode's patch is shown, and looked at."""
        offer = await self.recorder.offer(episode, "action")
        await self.recorder.seen(offer)
        return offer

    async def decide(self, episode: str, kind: str, *, text: str | None = None, left: tuple[str, int, int] | None = None) -> str:
        """The episode's patch is shown and decided about; `text`: what the person made of the file; `left`: moment, tokens, kept."""
        offer = await self.offered(episode)
        own: Patch | None = None
        if text is not None:
            own = patch_between(self.last.problem.snapshot, {"code.py": text.encode()})
        await self.recorder.decide(offer, kind, own, source="told")
        if left is not None:
            await self.recorder.survived(offer, left[0], Survival(left[1], left[2]))
        return offer

    def read(self, source: Callable, **chosen: object) -> tuple[list, dict[str, int]]:
        """What a source makes of the journal, and what it leaves out."""
        from suture_training.data.figures import Tally

        tally = Tally()
        with Reader(self.path) as reader:
            return list(source(reader, Choice(**chosen), tally)), dict(tally.taken())


class Say:
    """Turns of a scripted policy."""

    def edit(self, number: int = 2, *, word: str = "good", **more: object) -> ScriptedTurn:
        arguments = {"path": "code.py", "search": f"bad + {number}", "replace": f"{word} + {number}", **more}
        return self.call("edit_file", **arguments)

    def call(self, tool: str, /, *, text: str = "", **arguments: object) -> ScriptedTurn:
        return ScriptedTurn(text=text, calls=(ScriptedCall(name=tool, arguments=arguments),))

    def submit(self) -> ScriptedTurn:
        return ScriptedTurn(calls=(ScriptedCall(name="submit"),))

    def text(self, *texts: str, **more: object) -> ScriptedTurn:
        return ScriptedTurn(text=texts if len(texts) > 1 else texts[0], **more)


@pytest.fixture
def say() -> Say:
    return Say()


@pytest.fixture
def world(tmp_path: Path, sandbox) -> Iterator[World]:
    pytest.importorskip("pyarrow")
    root = tmp_path / "shop"
    root.mkdir()
    (root / "code.py").write_text(code(-1))
    made = World(root.resolve(), tmp_path / "data" / "journal.sqlite3", sandbox)
    yield made
    made.journal.close()


@pytest.fixture
def make_row():
    """A conversation to learn from."""
    from suture_agent.policies import Message, ToolCall, ToolSchema
    from suture_training.data.rows import Episode, Origin

    tools = (ToolSchema(name="edit_file", description="Edit a file.", parameters={"type": "object"}),)

    def make(number: int = 0, *, asked: str = "", answer: str = "", arguments: str | None = None, **fields: object) -> Episode:
        origin = {"source": "proven", "episode": f"{number:016d}", "environment": "e" * 64, "harness": "b" * 64, "policy": "c" * 64}
        row = {name: fields.pop(name) for name in list(fields) if name in Episode.__struct_fields__}
        calls = (ToolCall(id="call_0", name="edit_file", arguments=arguments),) if arguments is not None else ()
        messages = (
            Message(role="system", content="You repair code."),
            Message(role="user", content=asked or f"Repair the {WORDS[number % 26]} of {WORDS[number // 26 % 26]}."),
            Message(role="assistant", content=answer or f"x{number}", tool_calls=calls),
        )
        made = {"tools": tools if calls else (), "messages": messages, **row}
        return Episode(origin=Origin(**{**origin, "check": "tests", "repository": "one", "time": 1.7e9, **fields}), **made)

    return make


WORDS = [f"{chr(97 + number)}word" for number in range(26)]
