"""Adapters on servers that run: a server that speaks vLLM's endpoints for them, and one that lists them as llama.cpp does.

The real vLLM is not run here (`make vllm-smoke` runs it). What its endpoints answer is copied from its source (entrypoints/serve/lora,
openai/models/serving).
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from suture_agent.errors import PolicyRefused, PolicyUnavailable
from suture_agent.policies import ChatRequest, Message
from suture_agent.policies.connection import Patience, open_client
from suture_agent.policies.lora import Adaptable, Lora, unload
from suture_agent.policies.openai_compatible import OpenAIPolicy

HELLO = ChatRequest(messages=(Message(role="user", content="hello"),))
LORA = Lora(digest="ab" * 32, label="one (abababababab)", folder=Path("/data/adapters/entries") / ("ab" * 32))
NAME = "suture-abababababababab"
QUICK = Patience(pause=0.001, retries=1)


class Vllm:
    """vLLM with two models' worth of state: what is loaded."""

    def __init__(self, fake, *, folders=(str(LORA.folder),), allowed: bool = True) -> None:
        self.fake, self.folders, self.loaded = fake, folders, dict[str, str]()
        fake.paths = {"/v1/models": self.models, "/version": {"version": "0.31.0"}}
        if allowed:
            fake.paths |= {"/v1/load_lora_adapter": self.load, "/v1/unload_lora_adapter": self.unload}
        fake.chat = [self.chat]

    async def models(self, wire, _asked):
        base = {"id": "Qwen/Qwen3-32B", "owned_by": "vllm", "root": "Qwen/Qwen3-32B", "max_model_len": 8192}
        loras = [{"id": name, "owned_by": "vllm", "root": path, "parent": base["id"]} for name, path in self.loaded.items()]
        await wire.json({"data": [base, *loras]})

    async def load(self, wire, asked):
        name, path = asked.body["lora_name"], asked.body["lora_path"]
        if name in self.loaded:
            await self.error(wire, 400, "InvalidUserInput", f"The lora adapter '{name}' has already been loaded.")
        elif path not in self.folders:
            await self.error(wire, 404, "NotFoundError", f"Loading lora {name} failed: No adapter found for {path}")
        else:
            self.loaded[name] = path
            await wire.raw(f"Success: LoRA adapter '{name}' added successfully.".encode())

    async def unload(self, wire, asked):
        name = asked.body["lora_name"]
        if self.loaded.pop(name, None) is None:
            await self.error(wire, 404, "NotFoundError", f"The lora adapter '{name}' cannot be found.")
        else:
            await wire.raw(f"Success: LoRA adapter '{name}' removed successfully.".encode())

    async def chat(self, wire, asked):
        model = asked.body["model"]
        if model not in {"Qwen/Qwen3-32B", *self.loaded}:
            await self.error(wire, 404, "NotFoundError", f"The model `{model}` does not exist.")
        else:
            await self.fake.answer(wire, self.fake.delta(f"by {model}"), self.fake.delta(finish="stop"))

    async def error(self, wire, status, kind, message):
        await wire.json({"error": {"message": message, "type": kind, "param": None, "code": status}}, status, "retry-after-ms: 1\r\n")

    def asked_for(self, path):
        return [each.body for each in self.fake.asked if each.path == path]


@pytest.fixture
async def opened():
    policies: list[OpenAIPolicy] = []

    def make(fake, **more) -> OpenAIPolicy:
        policies.append(OpenAIPolicy(fake.url, patience=QUICK, **more))
        return policies[-1]

    yield make
    for each in policies:
        await each.close()


async def test_vllm_loads_the_adapter_while_it_runs_and_the_request_names_it(fake, opened):
    vllm = Vllm(fake)
    base = opened(fake)
    assert isinstance(base, Adaptable)
    adapted = base.adapted(LORA)
    identity = await adapted.start()
    assert (identity.name, identity.adapter, identity.server) == ("Qwen/Qwen3-32B", LORA.digest, "vllm 0.31.0")
    assert vllm.asked_for("/v1/load_lora_adapter") == [{"lora_name": NAME, "lora_path": str(LORA.folder)}]
    assert (await adapted.complete(HELLO)).choices[0].text == f"by {NAME}"
    assert (await base.complete(HELLO)).choices[0].text == "by Qwen/Qwen3-32B"
    assert (await base.start()).adapter == ""
    assert adapted.capability == base.capability
    await adapted.close()


async def test_what_a_policy_is_asked_for_in_training_it_is_asked_for_with_an_adapter_too(fake, opened):
    Vllm(fake)
    adapted = opened(fake, tokens=True).adapted(LORA)
    await adapted.complete(HELLO)
    assert fake.chats[-1]["return_token_ids"] is True
    await adapted.close()


async def test_one_that_the_server_has_is_not_loaded_again(fake, opened):
    vllm = Vllm(fake)
    vllm.loaded[NAME] = "somewhere else"
    adapted = opened(fake, lora=LORA)
    assert (await adapted.complete(HELLO)).choices[0].text == f"by {NAME}"
    assert vllm.asked_for("/v1/load_lora_adapter") == []


async def test_a_server_that_was_started_anew_is_told_again(fake, opened):
    vllm = Vllm(fake)
    adapted = opened(fake, lora=LORA)
    await adapted.complete(HELLO)
    vllm.loaded.clear()
    assert (await adapted.complete(HELLO)).choices[0].text == f"by {NAME}"
    assert len(vllm.asked_for("/v1/load_lora_adapter")) == 2


async def test_the_same_adapter_of_two_clients_at_once(fake, opened):
    vllm = Vllm(fake)

    async def raced(wire, asked):
        vllm.loaded[NAME] = "the other client was quicker"
        await vllm.load(wire, asked)

    fake.paths["/v1/load_lora_adapter"] = raced
    assert (await opened(fake, lora=LORA).start()).adapter == LORA.digest


@pytest.mark.parametrize(
    ("setup", "said", "remedy"),
    [
        ({"allowed": False}, "loads no adapters while it runs", "--runtime-lora"),
        ({"folders": ()}, "does not see", NAME),
    ],
)
async def test_what_the_server_refuses_comes_with_a_way_out(fake, opened, setup, said, remedy):
    Vllm(fake, **setup)
    with pytest.raises(PolicyUnavailable, match=said) as caught:
        await opened(fake, lora=LORA).start()
    assert remedy in caught.value.remedy


async def test_weights_of_a_too_high_rank_are_the_servers_own_words(fake, opened):
    vllm = Vllm(fake)
    fake.paths["/v1/load_lora_adapter"] = lambda wire, _asked: vllm.error(wire, 400, "BadRequestError", "LoRA rank 64 is greater than 32")
    with pytest.raises(PolicyUnavailable, match="LoRA rank 64") as caught:
        await opened(fake, lora=LORA).start()
    assert "--max-lora-rank" in caught.value.remedy


async def test_a_model_that_is_gone_for_good_is_refused_not_asked_for_ever(fake, opened):
    vllm = Vllm(fake)
    adapted = opened(fake, lora=LORA)
    await adapted.start()
    fake.chat = [lambda wire, _asked: vllm.error(wire, 404, "NotFoundError", "The model does not exist.")]
    with pytest.raises(PolicyRefused):
        await adapted.complete(HELLO)
    assert len(fake.chats) == 2


async def test_unloading(fake):
    vllm = Vllm(fake)
    vllm.loaded[NAME] = "x"
    client = open_client(fake.url, "", QUICK)
    assert await unload(client, LORA)
    assert vllm.loaded == {}
    assert not await unload(client, LORA)
    await client.close()


def llama(fake, *paths):
    template = {"chat_template": "{{ messages }}", "total_slots": 2, "build_info": "b1"}
    listed = [{"id": number, "path": path, "scale": 1.0} for number, path in enumerate(paths)]
    fake.paths = {"/v1/models": {"data": [{"id": "m.gguf"}]}, "/props": template, "/lora-adapters": listed}


async def test_llama_cpp_is_asked_for_the_adapter_by_its_number(fake, opened):
    llama(fake, "/x/other.gguf", f"/data/{LORA.digest}/adapter.gguf")
    adapted = opened(fake, lora=LORA)
    identity = await adapted.start()
    assert (identity.name, identity.adapter) == ("m.gguf", LORA.digest)
    await adapted.complete(HELLO)
    assert fake.chats[-1]["lora"] == [{"id": 1, "scale": 1.0}]
    assert fake.chats[-1]["cache_prompt"] is False
    assert fake.chats[-1]["model"] == "m.gguf"


async def test_llama_cpp_without_it_says_how_it_must_be_started(fake, opened):
    llama(fake, "/x/other.gguf")
    lora = msgspec.structs.replace(LORA, gguf=LORA.folder / "adapter.gguf")
    with pytest.raises(PolicyUnavailable) as caught:
        await opened(fake, lora=lora).start()
    assert f"--lora {lora.gguf}" in caught.value.remedy


async def test_any_other_server_serves_none(fake, opened):
    with pytest.raises(PolicyUnavailable, match="serves no adapters"):
        await opened(fake, lora=LORA).start()
