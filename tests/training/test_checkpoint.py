"""`checkpoint:DIR`: whole weights, and what is no checkpoint; finished runs and adapters are in `test_command`."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from suture_agent.policies import ChatRequest, Message
from suture_training.checkpoint import open_checkpoint
from suture_training.errors import TrainingError


async def test_whole_weights_answer(smallest: Path):
    policy = open_checkpoint(f"checkpoint:{smallest}")
    identity = await policy.start()
    assert (identity.name, len(identity.base), identity.adapter) == (smallest.name, 64, "")
    done = await policy.complete(ChatRequest(messages=(Message(role="user", content="a"),), max_tokens=2, temperature=0))
    assert done.completion_tokens > 0
    await policy.close()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ((), "is no folder"),
        (("a.txt",), "holds neither a run nor weights"),
        (("adapter_config.json",), "cannot be read"),
        (("run.toml", "done.json"), "cannot be read"),
        (("config.json",), "cannot be loaded"),
    ],
)
def test_what_is_no_checkpoint_is_told(tmp_path, made, why):
    folder = tmp_path / "folder"
    for name in made:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    with pytest.raises(TrainingError, match=why) as told:
        open_checkpoint(f"checkpoint:{folder}")
    assert told.value.remedy
