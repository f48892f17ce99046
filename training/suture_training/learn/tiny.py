"""A Qwen3 of a million parameters with a tokenizer of its own, pretrained on what `families` and `breaking` write.

The pretraining text speaks of broken functions, their mends and edits, as prose and as conversations, but not in the words of any harness:
raw, the model does not know how an answer must look. That is what supervised fine-tuning teaches, and what reinforcement learning then
builds on.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.harness import prompt
from suture_training.learn.breaking import Broken, broken
from suture_training.learn.families import NOUNS, Example, Function, called, cells, function, part_of
from suture_training.learn.muon import Muon
from suture_training.libraries import library
from suture_training.rendering import chatml

SPLIT = r" ?[A-Za-z]+|_|\d|\n *| ?[^\sA-Za-z\d_]+|\s+"
"""What a token may not cross: words, digits one by one, runs of signs, line ends with their indent."""
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


class TinySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [tiny] of a run's TOML."""

    vocabulary: int = 768
    width: int = 192
    layers: int = 4
    heads: int = 4
    context: int = 512
    steps: int = 200
    """Of pretraining."""
    batch: int = 24
    """Sequences a step."""
    length: int = 256
    """Tokens of a sequence: texts one after the other, with a mark between them."""
    learning_rate: float = 2e-2
    """Of Muon, for matrices; embeddings and norms have AdamW with a fifth of it."""
    answers: float = 6.0
    """Weight of a token of an answer, where any other has 1."""
    plain_milli: int = 150
    """How many of a thousand texts are functions that are right, with calls and results; the others are broken ones with their mend."""
    seed: int = 0


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A pretraining text: something about a function, and where there is a question, what answers it."""

    about: str
    answer: str = ""


def texts(settings: TinySettings) -> Iterator[Text]:
    """Pretraining texts without end, about functions of the base's own part only."""
    chance = random.Random(f"pretraining {settings.seed}")  # noqa: S311  # reproducible, not secret
    known = [cell for cell in cells() if part_of(cell) == "base"]
    while True:
        made = function(chance.choice(known), NOUNS, chance)
        if chance.randrange(1000) < settings.plain_milli:
            yield Text(about=made.source + "".join(f"{each.call} gives {each.result}\n" for each in made.examples[:2]))
            continue
        wrong = broken(made.source, chance)
        if wrong is None:
            continue
        seen = [(each, called(wrong.source, each.call)) for each in made.examples]
        shown = next(((each, got) for each, got in seen if got != each.result), None)
        if shown is not None:
            yield chance.choice(TELLING)(made, wrong, *shown)


def _prose(_made: Function, wrong: Broken, example: Example, got: str) -> Text:
    told = f"{example.call} gives {got} instead of {example.result}: in line "
    return Text(about=f"{_numbered(wrong.source)}\n{told}", answer=f"{wrong.line} write {wrong.new} for {wrong.old}\n")


def _asked_for_the_place(_made: Function, wrong: Broken, example: Example, got: str) -> Text:
    question = f"{example.call} should be {example.result} and is {got}. What is wrong?\n{_numbered(wrong.source)}"
    return _talk("You read code.", question, f"line {wrong.line} has {wrong.old} where {wrong.new} belongs")


def _asked_for_the_line(made: Function, wrong: Broken, example: Example, got: str) -> Text:
    question = f"{_numbered(wrong.source)}\n{example.call} == {example.result} fails: {got}. Write the line as it should be."
    line = made.source.split("\n")[wrong.line - 1].strip()
    return _talk("Answer with one line of code.", question, line)


def _asked_for_the_edit(made: Function, wrong: Broken, _example: Example, _got: str) -> Text:
    before, after = (source.split("\n")[wrong.line - 1].strip() for source in (wrong.source, made.source))
    return _talk("Say what was changed.", f"{before}\n{after}", f"{wrong.old} => {wrong.new}")


def _numbered(source: str) -> str:
    return "\n".join(f"{number} {line}" for number, line in enumerate(source.rstrip("\n").split("\n"), 1))


def _talk(system: str, user: str, assistant: str) -> Text:
    asked = "".join(f"{MARKS[1]}{role}\n{text}{MARKS[2]}\n" for role, text in (("system", system), ("user", user)))
    return Text(about=f"{asked}{MARKS[1]}assistant\n", answer=f"{assistant}{MARKS[2]}\n")


TELLING: tuple[Callable[[Function, Broken, Example, str], Text], ...] = (
    _prose,
    _asked_for_the_place,
    _asked_for_the_place,
    _asked_for_the_line,
    _asked_for_the_edit,
)
"""The ways in which a text speaks of a mend; one that stands twice is drawn twice as often."""


def make_tiny(settings: TinySettings, out: Path, *, tell: Callable[[int, Mapping[str, float]], None] = lambda _step, _values: None) -> Path:
    """Make tokenizer and model, pretrain, and write them to `out`; one that is there already, made alike, is kept. Returns `out`."""
    stream = texts(settings)
    recipe = hashlib.sha256(msgspec.json.encode([settings, SPLIT, MARKS, *islice(stream, 200)]) + Path(__file__).read_bytes()).hexdigest()
    mark = out / "recipe.json"
    if mark.exists() and json.loads(mark.read_text(encoding="utf-8")).get("recipe") == recipe:
        return out
    tokenizer = _tokenizer(settings)
    model, loss = _pretrained(settings, tokenizer, tell)
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    mark.write_text(json.dumps({"recipe": recipe, "loss": loss, "parameters": model.num_parameters()}), encoding="utf-8")
    return out


def load(folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a folder, in float32."""
    transformers = library("transformers")
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=library("torch").float32)
    return model, tokenizer


def digest(folder: Path) -> str:
    """SHA-256 over a model's weights, the base of a policy's identity."""
    whole = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        whole.update(file.read_bytes())
    return whole.hexdigest()


def _tokenizer(settings: TinySettings) -> Any:  # noqa: ANN401  # a transformers tokenizer
    tokenizers = library("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.BPE())
    before = tokenizers.pre_tokenizers
    words.pre_tokenizer = before.Sequence(
        [before.Split(tokenizers.Regex(SPLIT), "isolated"), before.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    words.decoder = tokenizers.decoders.ByteLevel()
    stream = texts(settings)
    sample = [text.about + text.answer for text in islice(stream, 3000)] + [prompt("line_system")] * 20
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=list(MARKS),
        initial_alphabet=before.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator(sample, trainer)
    tokenizer = library("transformers").PreTrainedTokenizerFast(tokenizer_object=words, eos_token=MARKS[2], pad_token=MARKS[0])
    tokenizer.chat_template = chatml()
    return tokenizer


def _pretrained(settings: TinySettings, tokenizer: Any, tell: Callable[[int, Mapping[str, float]], None]) -> tuple[Any, float]:  # noqa: ANN401  # transformers'
    torch, transformers = library("torch"), library("transformers")
    torch.manual_seed(settings.seed)
    model = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=settings.width,
            intermediate_size=3 * settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=max(1, settings.heads // 2),
            head_dim=settings.width // settings.heads,
            max_position_embeddings=settings.context,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
        )
    )
    named = dict(model.named_parameters())
    matrices = [name for name, each in named.items() if each.ndim == 2 and "embed" not in name]  # rows and columns
    muon = Muon([named[name] for name in matrices])
    adam = torch.optim.AdamW([each for name, each in named.items() if name not in matrices], betas=(0.9, 0.95), weight_decay=0.0)
    rows = _rows(settings, tokenizer)
    started, loss = time.monotonic(), torch.zeros(())
    for step in range(settings.steps):
        ids, weights = next(rows)
        logits = model(input_ids=ids[:, :-1]).logits
        each = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1), reduction="none")
        weight = weights[:, 1:].reshape(-1)
        loss = (each * weight).sum() / weight.sum()
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rate = settings.learning_rate * min(1.0, (step + 1) / 50) * (1 - 0.95 * step / settings.steps)
        muon.step(rate)
        for group in adam.param_groups:
            group["lr"] = rate / 5
        adam.step()
        if step % 10 == 0 or step == settings.steps - 1:
            tell(step, {"loss": float(loss.detach()), "seconds": time.monotonic() - started})
    return model, float(loss.detach())


def _rows(settings: TinySettings, tokenizer: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  # transformers'
    """Batches without end: ids and the weight of each, both of shape (batch, length + 1)."""
    torch = library("torch")
    ids, weights = list[int](), list[float]()
    shape = (settings.batch, settings.length + 1)
    whole = shape[0] * shape[1]
    for text in texts(settings):
        about, answer = (tokenizer(part)["input_ids"] for part in (text.about, text.answer))
        ids += [*about, *answer, tokenizer.pad_token_id]
        weights += [1.0] * len(about) + [settings.answers] * len(answer) + [1.0]
        while len(ids) >= whole:
            yield torch.tensor(ids[:whole]).view(shape), torch.tensor(weights[:whole]).view(shape)
            ids, weights = ids[whole:], weights[whole:]
