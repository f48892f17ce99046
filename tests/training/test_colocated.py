"""Drawing from a vLLM engine of this process: requests join the running batch, and what nobody waits for is aborted.

The engine here is a stand-in that keeps to vLLM's interface, one token a step; the real one is in `test_vllm.py`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from types import SimpleNamespace

import pytest

from suture_agent.errors import PolicyError
from suture_training.colocated import Colocated
from suture_training.errors import TrainingError
from suture_training.rl import RLSettings, train_rl
from suture_training.sampling import Row

END = 1


class Engine:
    """Answers a prompt with its first token, again and again, as many times as that token says, and then the end."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[dict[str, list[int]], SimpleNamespace, list[int]]] = {}
        self.aborted: list[str] = []
        self.most = 0
        self.inside = threading.Lock()
        self.broken = False

    def add_request(self, name, prompt, parameters):
        with self.alone():
            self.running[name] = (prompt, parameters, [])

    def abort_request(self, names):
        with self.alone():
            self.aborted += names
            for name in names:
                self.running.pop(name, None)

    def has_unfinished_requests(self):
        return bool(self.running)

    def step(self):
        with self.alone():
            if self.broken:
                raise RuntimeError("out of memory")
            self.most = max(self.most, len(self.running))
            return [self._next(name, *each) for name, each in list(self.running.items())]

    async def runs(self, count):
        """Wait until so many requests run."""
        async with asyncio.timeout(30):
            while len(self.running) < count:  # noqa: ASYNC110  # they are added by a thread
                await asyncio.sleep(0.001)

    def _next(self, name, prompt, parameters, tokens):
        first = prompt["prompt_token_ids"][0]
        tokens.append(first if len(tokens) < first else END)
        finished = tokens[-1] in parameters.stop_token_ids or len(tokens) == parameters.max_tokens
        if not finished:
            return SimpleNamespace(request_id=name, finished=False)
        del self.running[name]
        answer = SimpleNamespace(token_ids=list(tokens), logprobs=[{token: SimpleNamespace(logprob=-0.5)} for token in tokens])
        return SimpleNamespace(request_id=name, outputs=[answer], finished=True)

    def alone(self):
        assert not self.inside.locked(), "an engine is used by one thread at a time"
        return self.inside


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(SamplingParams=SimpleNamespace))
    return Engine()


@pytest.fixture
async def draws(engine):
    made = Colocated(end=END)
    made.attach(SimpleNamespace(llm_engine=engine))
    yield made
    await made.close()


def row(first: int, most: int = 100) -> Row:
    return Row(prompt=(first, 7), temperature=1.0, most=most, seed=3)


ENDLESS = row(1 << 40, 1 << 40)


async def test_rows_are_answered_with_their_tokens(draws):
    two, cut = await draws.draw((row(2), row(5, most=3)))
    assert (two.tokens, two.logprobs, two.ended) == ((2, 2, END), (-0.5,) * 3, True)
    assert (cut.tokens, cut.ended) == ((5, 5, 5), False)


async def test_a_request_joins_the_batch_that_is_running(draws, engine):
    long = asyncio.create_task(draws.draw((ENDLESS,)))
    await engine.runs(1)
    (short,) = await draws.draw((row(2),))
    assert short.tokens == (2, 2, END)
    assert engine.most == 2
    assert not long.done()
    long.cancel()


async def test_what_nobody_waits_for_is_aborted(draws, engine):
    one, other = (asyncio.create_task(draws.draw((ENDLESS,))) for _ in range(2))
    await engine.runs(2)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    await draws.draw((row(2),))
    assert len(engine.aborted) == 1
    assert not other.done()
    other.cancel()


async def test_closing_ends_what_is_drawn_and_tells_who_waits(engine):
    draws = Colocated(end=END)
    draws.attach(SimpleNamespace(llm_engine=engine))
    waiting = asyncio.create_task(draws.draw((ENDLESS,)))
    await engine.runs(1)
    await draws.close()
    with pytest.raises(PolicyError, match="closed"):
        await waiting
    assert not engine.running


async def test_an_engine_that_breaks_is_told_to_all_and_asked_again(draws, engine):
    engine.broken = True
    with pytest.raises(PolicyError, match="out of memory"):
        await draws.draw((row(2), row(3)))
    while engine.running:  # noqa: ASYNC110  # they are aborted by a thread
        await asyncio.sleep(0.001)
    engine.broken = False
    assert (await draws.draw((row(2),)))[0].ended


async def test_before_the_trainer_has_begun_there_is_nothing_to_ask():
    with pytest.raises(PolicyError, match="not there yet"):
        await Colocated(end=END).draw((row(2),))


@pytest.mark.parametrize(
    ("settings", "world", "message"),
    [
        (RLSettings(colocate=True, server="http://127.0.0.1:1", micro_batch=64), "1", "exclude each other"),
        (RLSettings(colocate=True, micro_batch=32), "2", "for one process"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, world, message, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(TrainingError, match=message):
        train_rl(None, None, None, [], {}, None, settings, tmp_path)
