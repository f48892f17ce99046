"""What PEFT saved becomes an entry: one digest for equal weights, no path of the machine, and nothing where something is wrong."""

from __future__ import annotations

import json
import shutil

import pytest

from suture_agent.adapters import CONFIG, GGUF, WEIGHTS, Base, Data, Draft, Identified
from suture_agent.adapters.registry import Registry
from suture_agent.errors import AdapterError
from suture_training.adapters.pack import base_of, register

# PEFT 0.21 still asks transformers for it.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture
def draft():
    place = {"environment": Identified.of({"os": {}}), "harness": Identified.of({"preset": "direct"})}
    return Draft(name="one", base=Base(name="tiny", digest="b" * 64), data=Data(digest="d" * 64), **place)


def test_an_adapter_is_registered_with_both_forms(tmp_path, lora, draft):
    _, folder = lora()
    registry = Registry(tmp_path / "adapters")
    adapter = register(folder, draft, model_type="qwen3", registry=registry)
    assert set(adapter.files) == {WEIGHTS, CONFIG, GGUF}
    written = registry.verify(adapter)
    config = json.loads((written / CONFIG).read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert config["target_modules"] == sorted(config["target_modules"])
    assert (written / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert registry.used() == ()


def test_equal_weights_have_one_digest_wherever_and_in_whatever_order_they_were_saved(tmp_path, lora, draft):
    _, folder = lora()
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    config = json.loads((moved / CONFIG).read_text())
    config |= {"target_modules": config["target_modules"][::-1], "base_model_name_or_path": "/somewhere/else"}
    (moved / CONFIG).write_text(json.dumps(config))
    digests = {
        register(each, draft, model_type="qwen3", registry=Registry(tmp_path / each.name / "adapters")).digest for each in (folder, moved)
    }
    assert len(digests) == 1


def test_what_vllm_serves_alone_is_registered_without_the_other_form(tmp_path, lora, draft, caplog):
    _, folder = lora(use_dora=True)
    adapter = register(folder, draft, model_type="qwen3", registry=Registry(tmp_path / "adapters"))
    assert set(adapter.files) == {WEIGHTS, CONFIG}
    assert "use_dora" in caplog.text


def test_peft_reads_what_the_registry_holds(tmp_path, lora, tiny, draft):
    peft = pytest.importorskip("peft")
    torch = pytest.importorskip("torch")
    model, folder = lora()
    registry = Registry(tmp_path / "adapters")
    again = peft.PeftModel.from_pretrained(tiny(), registry.verify(register(folder, draft, model_type="qwen3", registry=registry))).eval()
    with torch.no_grad():
        assert torch.equal(model(torch.tensor([[1, 2, 3]])).logits, again(torch.tensor([[1, 2, 3]])).logits)


def test_what_is_no_adapter_leaves_nothing(tmp_path, draft):
    folder = tmp_path / "empty"
    folder.mkdir()
    registry = Registry(tmp_path / "adapters")
    with pytest.raises(AdapterError, match="cannot be read"):
        register(folder, draft, model_type="qwen3", registry=registry)
    (folder / CONFIG).write_text('{"peft_type": "IA3", "r": 1, "lora_alpha": 1}')
    with pytest.raises(AdapterError, match="IA3"):
        register(folder, draft, model_type="qwen3", registry=registry)
    assert list((registry.folder / "entries").iterdir()) == []


def test_a_base_is_known_by_all_of_its_weights(tmp_path, tiny):
    tiny().save_pretrained(tmp_path / "one")
    one, kind = base_of(tmp_path / "one", "tiny", forms=("f" * 64,))
    assert kind == "qwen3"
    assert one.digests == {one.digest, "f" * 64}
    assert base_of(tmp_path / "one", "tiny")[0].digest == one.digest
    path = tmp_path / "one" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert base_of(tmp_path / "one", "tiny")[0].digest != one.digest
    path.unlink()
    with pytest.raises(AdapterError, match=r"no \*\.safetensors"):
        base_of(tmp_path / "one", "tiny")
