"""Draws with the real vLLM in this process, as `rl.colocate` does, and prints what was drawn: `colocated_driver.py FOLDER`.

For the interpreter of `scripts/vllm_cpu.sh`. The engine is made with the arguments that TRL 1.16 makes it with.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from types import SimpleNamespace

from transformers import AutoTokenizer
from vllm import LLM

from suture_agent.policies import ChatRequest, Message
from suture_training.colocated import Colocated
from suture_training.policy import LocalPolicy

MESSAGES = (Message(role="system", content="You repair code."), Message(role="user", content="def f(x):\n    return x +  1\n"))


async def main(folder: str) -> dict[str, object]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    draws = Colocated(end=tokenizer.eos_token_id)
    config = SimpleNamespace(max_position_embeddings=2048)
    policy = LocalPolicy(SimpleNamespace(config=config), tokenizer, name="tiny", draws=draws)
    early = await asyncio.gather(policy.complete(ChatRequest(messages=MESSAGES)), return_exceptions=True)
    draws.attach(
        LLM(
            model=folder,
            dtype="float32",
            max_model_len=2048,
            max_num_seqs=8,
            max_num_batched_tokens=4096,
            distributed_executor_backend="external_launcher",
            logprobs_mode="processed_logprobs",
            seed=0,
        )
    )
    identity = await policy.start()
    asked = [ChatRequest(messages=MESSAGES, temperature=1.0, max_tokens=24, seed=seed) for seed in range(12)]
    lost = asyncio.create_task(policy.complete(ChatRequest(messages=MESSAGES, temperature=1.0, max_tokens=1500, seed=99)))
    done = await asyncio.gather(*(policy.complete(request) for request in asked))
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    again = await policy.complete(asked[3])
    await policy.close()
    return {
        "server": identity.server,
        "early": str(early[0]),
        "cancelled": lost.cancelled(),
        "again": list(again.choices[0].token_ids),
        "drawn": [
            {"prompt": list(each.prompt_ids), "tokens": list(each.choices[0].token_ids), "logprobs": list(each.choices[0].logprobs)}
            for each in done
        ],
    }


if __name__ == "__main__":
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[2]}.items():
        os.environ[name] = value
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    found = asyncio.run(main(sys.argv[1]))
    sys.stdout.write("\n" + json.dumps(found) + "\n")
