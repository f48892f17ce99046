"""TRL's GRPO with the real vLLM in its process, which gets the weights of each step: `colocated_trainer.py FOLDER OUT PORT TRAIN`.

For the interpreter of `scripts/vllm_cpu.sh`; TRAIN is the folder of the training libraries. Prints what training told. What is bent, since
none of it is meant for a CPU:

- TRL asks for a distribution called `vllm` of a version that it knows; the one for CPUs has another name.
- vLLM packs a CPU's weights into a form that takes no new ones: here they stay as they were loaded.
- `datasets` names a dataset by a hash of it, which fails with the versions that meet here: here it draws a name.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

STEPS = 30


def bend(out: Path, train: str, port: str) -> None:
    """See above."""
    named = out / "names" / "vllm-0.31.0+cpu.dist-info"
    named.mkdir(parents=True)
    (named / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.31.0+cpu\n", encoding="utf-8")
    sys.path += [str(named.parent), train]
    one = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update(one, VLLM_ENABLE_V1_MULTIPROCESSING="0", VLLM_CPU_KVCACHE_SPACE="1", ACCELERATE_USE_CPU="true")
    import datasets.arrow_dataset
    import torch
    import vllm.model_executor.layers.utils as layers

    def unpacked(layer: Any, **_more: object) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    layers.dispatch_cpu_unquantized_gemm = unpacked
    datasets.arrow_dataset.generate_fingerprint = lambda *_, **_more: os.urandom(8).hex()
    torch.cuda.set_device = lambda _device: None


async def rolled(task: Any, _site: Any, policy: Any, _harness: Any, *, seed: int = 0) -> Any:
    """A rollout of one request; an answer whose first token has an even number is right."""
    from suture_agent.meter import Turn, Usage
    from suture_agent.policies import ChatRequest, Message

    request = ChatRequest(messages=(Message(role="user", content=task.id),), temperature=1.0, max_tokens=3, seed=seed)
    done = await policy.complete(request)
    good = done.choices[0].token_ids[0] % 2 == 0
    turns = (Turn(request=request, completion=done),)
    outcome = "fixed" if good else "unfixed"
    repair = SimpleNamespace(outcome=outcome, verdict=None, limit=None, reason="", turns=turns, usage=Usage())
    return SimpleNamespace(task=task, repair=repair, solved=good, seconds=0.0)


def main(folder: str, out: Path) -> None:
    from suture_training import collect
    from suture_training.colocated import Colocated
    from suture_training.learn.tiny import load
    from suture_training.policy import LocalPolicy
    from suture_training.rl import RLSettings, train_rl

    collect.roll_out = rolled  # type: ignore[assignment]
    model, tokenizer = load(Path(folder))
    draws = Colocated(end=tokenizer.eos_token_id)
    policy = LocalPolicy(model, tokenizer, name="tiny", draws=draws)
    settings = RLSettings(
        steps=STEPS, groups=2, group_size=8, micro_batch=16, learning_rate=1e-2, longest=64, refills=0, colocate=True, colocate_memory=0.2
    )
    told: list[dict[str, float]] = []
    train_rl(
        model,
        tokenizer,
        policy,
        [SimpleNamespace(id=name, workspace="w") for name in ("first", "second", "third")],  # type: ignore[misc]
        {"w": None},  # type: ignore[dict-item]
        None,  # type: ignore[arg-type]
        settings,
        out / "run",
        tell=lambda _step, values: told.append(dict(values)),
        ready=lambda trainer: draws.attach(trainer.vllm_generation.llm),
    )
    sys.stdout.write("\n" + json.dumps({name: [each[name] for each in told if name in each] for name in ("solve_rate", "parity")}) + "\n")


if __name__ == "__main__":
    bend(Path(sys.argv[2]), sys.argv[4], sys.argv[3])
    main(sys.argv[1], Path(sys.argv[2]))
