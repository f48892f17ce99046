"""A scripted person works with the real language server for some days; the real command line trains on what the journal holds then; and the
adapter that comes of it answers the next day. The model has a few thousand parameters: that the circle closes is shown, not that it learns.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from editor_tests import workspace

TRAIN = Path(sys.prefix, "train")
"""Where scripts/setup.sh keeps the training libraries, apart from all else."""
if TRAIN.is_dir() and str(TRAIN) not in sys.path:
    sys.path.append(str(TRAIN))
Suture = Callable[..., Awaitable[tuple[int, list[dict[str, Any]]]]]
SUTURE = (sys.executable, "-c", "from suture_server.cli import main; main()")

PARTS = {
    "total": ("sum(prices)", "sum(prices) + 1", 6),
    "count": ("len(prices)", "len(prices) - 1", 3),
    "largest": ("max(prices)", "min(prices)", 3),
    "smallest": ("min(prices)", "max(prices)", 1),
    "first": ("prices[0]", "prices[1]", 2),
    "last": ("prices[-1]", "prices[0]", 3),
    "middle": ("sorted(prices)[1]", "sorted(prices)[0]", 2),
}
"""Function -> what it returns, what it returned when a person got it wrong, and what that is for [2, 1, 3]."""

CONFIGURATION = """
[policy]
spec = "{policy}"
[verdict]
reruns = 1
controls = 0
shaken = 0
[harness]
edits_by_rule = "off"
"""
RUN = """
[model]
path = "{model}"
[model.lora]
rank = 2
alpha = 4
targets = ["q_proj", "v_proj"]
[sft]
steps = 2
batch = 2
micro_batch = 2
learning_rate = 1e-3
[prefer]
method = "{method}"
steps = 2
batch = 2
micro_batch = 2
learning_rate = 1e-3
"""
SOON = "from suture_server.lsp import decisions\ndecisions.IGNORED_SECONDS = 1.0"
"""What is left alone is ignored after a second, in the server."""


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that is trained, by the name of which the script answers."""
    if os.environ.get("SUTURE_TEST_TRAIN") != "required":  # a machine that is to run these tests must not skip them
        pytest.importorskip("trl", reason="the training libraries are not installed: pip install 'suture[train]'")
    from suture_training.learn.tiny import TinySettings, make_tiny

    settings = TinySettings(vocabulary=300, width=16, layers=1, heads=2, steps=2, batch=2, length=64)
    return make_tiny(settings, tmp_path_factory.mktemp("models") / "little")


def unit(name: str, returned: str) -> str:
    return f"def {name}(prices):\n    return {returned}\n"


def fenced(name: str, returned: str) -> str:
    return f"```python\n{unit(name, returned)}```"


def answer(name: str) -> str:
    """What the policy says of a function, as it is learnt from."""
    return fenced(name, PARTS[name][0])


@pytest.fixture
def till(tmp_path: Path) -> Path:
    """A workspace in which all is well."""
    code = "\n\n".join(unit(name, right) for name, (right, *_) in PARTS.items())
    tests = "\n\n".join(f"def test_{name}():\n    assert till.{name}([2, 1, 3]) == {made}\n" for name, (*_, made) in PARTS.items())
    return workspace(tmp_path / "till", {"till.py": code, "test_till.py": f"import till\n\n\n{tests}"})


@pytest.fixture
def configured(home: dict[str, str], script: Callable[..., str]) -> str:
    """The person's own configuration names a policy that knows every answer, and a proof that is quick; the policy."""
    turns = [{"match": f"corrected `{name}`", "text": f"    return {right}\n", "repeat": 0} for name, (right, *_) in PARTS.items()]
    policy = script(*turns, name="little")
    file = Path(home["XDG_CONFIG_HOME"], "suture", "config.toml")
    file.parent.mkdir(parents=True)
    file.write_text(CONFIGURATION.format(policy=policy))
    return policy


@pytest.fixture
def suture(home: dict[str, str], till: Path) -> Suture:
    """The program in the workspace; its exit code, and its JSON lines."""

    async def run(*arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
        environ = {**home, "PYTHONPATH": str(TRAIN), "OMP_NUM_THREADS": "1"} if arguments[0] == "train" else home
        process = await asyncio.create_subprocess_exec(
            *SUTURE, *map(str, arguments), "--json", cwd=till, env=environ, stdout=PIPE, stderr=PIPE
        )
        out, err = await process.communicate()
        assert b"Traceback (most recent call last)" not in err, err.decode()
        return process.returncode or 0, [json.loads(line) for line in out.splitlines()]

    return run


class Person:
    """Gets functions wrong, asks for a fix, and does something with it."""

    def __init__(self, it: Any) -> None:
        self.it = it
        self.code, self.tests = it.open("till.py"), it.open("test_till.py")
        self._offers = 0

    def writes(self, name: str, returned: str, instead: str) -> None:
        """Change what a function returns, and save."""
        self.it.change(self.code, unit(name, instead), unit(name, returned))
        self.saves()

    def saves(self) -> None:
        self.it.save(self.code)

    async def offered(self, name: str) -> str:
        """Get a function wrong, and have a fix of it; the offer."""
        right, wrong, _ = PARTS[name]
        self.writes(name, wrong, right)
        line = self.tests.text[: self.tests.text.index(f"def test_{name}")].count("\n") + 1
        await self.it.wait(lambda: line in [each.range.start.line for each in self.it.diagnostics("test_till.py")])
        (action,) = await self.it.actions(self.tests, line)
        await self.it.choose(action)
        self._offers += 1
        offer = (await self.it.offered(count=self._offers))["id"]
        await self.it.command("suture.seen", offer=offer)
        return offer

    async def accepts(self, name: str) -> None:
        offer = await self.offered(name)
        assert await self.it.command("suture.accept", offer=offer) == {"applied": True}

    async def decided(self, *kinds: str) -> None:
        """What was done last is in the journal as that."""
        await self.it.wait(lambda: tuple(self.it.decisions()[-len(kinds) :]) == kinds)

    async def leaves(self) -> None:
        """End the session."""
        await self.it.client.shutdown_session()


Begin = Callable[..., Awaitable[Person]]


@pytest.fixture
def begin(editor, till: Path, configured: str) -> Begin:
    """Begin a session of the person, under their own configuration alone."""

    async def start(**options: Any) -> Person:
        return Person(await editor(till, settings={"verdict": {}}, **options))

    return start


async def three_days(begin: Begin) -> Person:
    """Everything that a person does about fixes; who did it, gone home."""
    person = await begin()
    await person.accepts("total")
    person.saves()
    await person.decided("accepted")
    await person.accepts("count")
    person.writes("count", "len(list(prices))", "len(prices)")
    await person.decided("accepted", "accepted_with_edits")
    await person.leaves()

    person = await begin()
    offer = await person.offered("largest")
    await person.it.command("suture.reject", offer=offer)
    person.writes("largest", "sorted(prices)[-1]", "min(prices)")
    await person.decided("rejected", "rejected_with_correction")
    await person.accepts("smallest")
    person.writes("smallest", "max(prices)", "min(prices)")
    await person.decided("accepted", "reverted")
    person.writes("smallest", "min(prices)", "max(prices)")
    await person.leaves()

    person = await begin(prelude=SOON)
    await person.offered("first")
    await person.decided("ignored")
    person.writes("first", "next(iter(prices))", "prices[1]")
    await person.decided("ignored", "expired")
    await person.accepts("last")
    person.saves()
    await person.decided("accepted")
    await person.leaves()
    return person


@pytest.fixture
def train(suture: Suture, little: Path, tmp_path: Path) -> Callable[..., Awaitable[tuple[dict[str, Any], list[Any]]]]:
    """`suture train` on the journal, registered under the method's name: the summary, and the rows that were learnt from."""

    async def run(command: str, method: str) -> tuple[dict[str, Any], list[Any]]:
        from suture_training.data.load import rows

        config, out = tmp_path / f"{method}.toml", tmp_path / f"run-{method}"
        config.write_text(RUN.format(model=little, method=method if command == "prefer" else "kto"))
        code, lines = await suture("train", command, config, "--out", out, "--from-journal", "--register", method)
        assert code == 0
        return lines[-1], list(rows(out / "data"))

    return run


async def test_what_a_person_decided_in_the_editor_trains_the_adapter_that_answers_the_next_day(begin, train, suture, till: Path):
    person = await three_days(begin)
    assert person.it.decisions() == [
        *("accepted", "accepted", "accepted_with_edits"),
        *("rejected", "rejected_with_correction", "accepted", "reverted"),
        *("ignored", "expired", "accepted"),
    ]
    (proven, lessons), (liked, judged), (corrected, pairs) = await asyncio.gather(
        train("sft", "sft"), train("prefer", "kto"), train("prefer", "dpo")
    )
    answers = [each.messages[-1].content for each in lessons]
    assert answers == [answer(name) for name in ("total", "count", "first", "last")], "what was turned down or taken back is no lesson"
    assert {each.completion.content: (each.label, each.weight, each.origin.decision) for each in judged} == {
        answer("total"): (True, 0.25, "accepted"),
        answer("count"): (True, 0.125, "accepted_with_edits"),
        answer("largest"): (False, 1.0, "rejected_with_correction"),
        answer("smallest"): (False, 1.0, "reverted"),
        answer("first"): (False, 0.2, "ignored"),
        answer("last"): (True, 0.25, "accepted"),
    }
    assert [(each.chosen.content, each.rejected.content) for each in pairs] == [
        (fenced("largest", "sorted(prices)[-1]"), answer("largest"))
    ]
    assert [each["rows"] for each in (proven, liked, corrected)] == [4, 6, 1]

    code, lines = await suture("adapter", "show", "sft", "--against", ".")
    assert (code, lines[-1]["matched"], lines[-1]["base"]) == (0, True, "little")
    assert (await suture("adapter", "use", "sft"))[0] == 2, "it was not measured"
    assert (await suture("adapter", "use", "sft", "--override", "a test"))[0] == 0
    person = await begin()
    await person.accepts("middle")
    assert (await suture("adapter", "use", "kto", "--override", "a test"))[1][-1]["replaced"] == [proven["adapter"]]
    await person.accepts("total")  # in the session that runs
    person.writes("total", PARTS["total"][1], PARTS["total"][0])
    await person.decided("accepted", "reverted")
    code, lines = await suture("fix")
    assert (code, lines[-1]["fixed"], lines[-1]["adapter"]) == (0, 1, liked["adapter"])
    found = person.it.journal("SELECT adapter FROM episodes ORDER BY created")
    assert [adapter for (adapter,) in found[-3:]] == [proven["adapter"], liked["adapter"], liked["adapter"]]
    assert {harness for (harness,) in person.it.journal("SELECT harness FROM episodes")} == {lessons[0].origin.harness}
