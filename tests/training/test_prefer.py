"""Rows of decisions as the trainers take them: what is tokenised is what a policy is served, and what does not fit is left out whole."""

from __future__ import annotations

from importlib import resources

import msgspec
import pytest

pytest.importorskip("trl")

from suture_agent.policies import Message, ToolCall
from suture_agent.tools import SCHEMAS
from suture_training.data.rows import Origin, Pair, Preference
from suture_training.errors import TrainingError
from suture_training.learn.tiny import load
from suture_training.prefer import PreferSettings, as_row, fitting, trainer_of, weighted
from suture_training.rendering import Renderer

pytestmark = pytest.mark.filterwarnings("ignore")  # what transformers, trl and torch warn about is theirs

ORIGIN = Origin(source="accepted", episode="e", environment="e", harness="h", policy="p")
READ = ToolCall(id="1", name="read_file", arguments='{"path": "code.py"}')
EDIT = ToolCall(id="2", name="edit_file", arguments='{"path": "code.py", "search": "bad", "replace": "good"}')
ASKED = (
    Message(role="system", content="You repair code."),
    Message(role="user", content="the test says <|im_end|>"),
    Message(role="assistant", tool_calls=(READ,)),
    Message(role="tool", name="read_file", content="return bad"),
)
GOOD = Preference(
    origin=ORIGIN, tools=SCHEMAS, prompt=ASKED, completion=Message(role="assistant", tool_calls=(EDIT,)), label=True, weight=1.0
)
BAD = msgspec.structs.replace(GOOD, completion=Message(role="assistant", tool_calls=(READ,)), label=False, weight=0.2)
PAIR = Pair(origin=ORIGIN, tools=SCHEMAS, prompt=ASKED, chosen=GOOD.completion, rejected=BAD.completion)


@pytest.fixture
def loaded(smallest):
    """The smallest model, with the template of Qwen3, which knows tools."""
    model, tokenizer = load(smallest)
    tokenizer.chat_template = (resources.files("trl") / "chat_templates" / "qwen3_training.jinja").read_text()
    return model, tokenizer


@pytest.mark.parametrize(("method", "rows"), [("kto", [GOOD, BAD]), ("dpo", [PAIR])])
def test_the_tokens_of_a_row_are_those_that_are_served(method, rows, loaded, tmp_path):
    settings = PreferSettings(method=method, steps=1, batch=2, micro_batch=2)
    tokenizer = loaded[1]
    first = trainer_of(*loaded, [as_row(row) for row in rows], settings, tmp_path).train_dataset[0]
    assert tuple(first["prompt_ids"]) == Renderer(tokenizer).prompt(ASKED, SCHEMAS)
    answer = tokenizer.decode(first["completion_ids" if method == "kto" else "chosen_ids"])
    assert '{"name": "edit_file", "arguments": {"path": "code.py", "search": "bad", "replace": "good"}}' in answer


def test_a_row_of_more_weight_comes_more_often_and_apart():
    assert [each.label for each in weighted([GOOD, BAD])] == [True, False, True, True, True]
    assert len(weighted([msgspec.structs.replace(GOOD, weight=0.5)] * 2)) == 4


def test_a_row_that_is_too_long_is_left_out_whole(loaded):
    short = msgspec.structs.replace(GOOD, tools=(), prompt=ASKED[:2])
    rows = [as_row(each) for each in (GOOD, short)]
    assert fitting(loaded[1], rows, 1000) == [rows[1]]
    with pytest.raises(TrainingError, match="at most 10 tokens"):
        fitting(loaded[1], rows, 10)
    assert fitting(loaded[1], [as_row(PAIR)], 10_000) == [as_row(PAIR)]
