"""A dataset as a folder: what is in it, what is left out, and that it is there whole or not at all."""

from __future__ import annotations

import json

import msgspec
import pytest

from suture_agent.journal.bulk import Choice, Reader
from suture_agent.policies import Message, ToolCall
from suture_training.data.figures import Tally
from suture_training.data.identity import Gate, MixedIdentities
from suture_training.data.leakage import HeldOut
from suture_training.data.rows import Pair, Preference
from suture_training.errors import TrainingError
from suture_training.rendering import as_chat, as_tool

pytest.importorskip("pyarrow")

from suture_training.data.build import Options, build
from suture_training.data.columns import columns_of
from suture_training.data.load import dataset, rows, summary_of
from suture_training.data.shards import schema_of

ODD = ['{"path": "a.py", "start": 3}', "{not json", '{"nested": {"x": [1, 2.5, null]}, "é": "ü\\n"}', ""]


@pytest.fixture
def make(tmp_path):
    def make(given, kind="sft", **more):
        options = {name: more.pop(name) for name in ("format", "alike", "seed") if name in more}
        made = build(given, tmp_path / "set", Options(kind=kind, **options), more.pop("gate", Gate({})), **more)
        return tmp_path / "set", made

    return make


@pytest.mark.parametrize("fmt", ["parquet", "jsonl"])
def test_rows_come_back_as_they_were(make, make_row, fmt):
    given = [make_row(number, arguments=arguments, thinking=bool(number % 2), patch=f"+{number}\n") for number, arguments in enumerate(ODD)]
    given.append(make_row(9, answer='é\u2028 <tag> "quoted"\\', masked=(), prefill="x", survived=0.5))
    folder, summary = make(given, format=fmt)
    found = list(rows(folder))
    assert summary.figures.rows == len(given)
    for before, after in zip(given, found, strict=True):
        assert after.origin == msgspec.structs.replace(before.origin, places=())
        assert [as_chat(message) for message in after.messages] == [as_chat(message) for message in before.messages]
        assert (after.masked, after.prefill, after.thinking, after.patch, after.secrets) == (
            before.masked,
            before.prefill,
            before.thinking,
            before.patch,
            "clean",
        )
        assert [as_tool(tool) for tool in after.tools] == [as_tool(tool) for tool in before.tools]


@pytest.mark.parametrize("fmt", ["parquet", "jsonl"])
@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_reads_what_templates_take(make, make_row, fmt, streaming, monkeypatch, tmp_path):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    given = [make_row(number, arguments=arguments) for number, arguments in enumerate(ODD)]
    folder, _ = make(given, format=fmt)
    found = list(dataset(folder, streaming=streaming))
    for before, after in zip(given, found, strict=True):
        assert after["messages"] == [as_chat(message) for message in before.messages]  # no argument of another call, no null
        assert after["tools"] == [as_tool(tool) for tool in before.tools]
        assert after["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize("kind", ["sft", "kto", "dpo"])
def test_the_schema_is_that_of_datasets(kind):
    datasets = pytest.importorskip("datasets")
    schema = schema_of(columns_of(kind))
    features = datasets.Features.from_arrow_schema(schema)
    assert features.arrow_schema.equals(schema)
    assert json.loads(features.arrow_schema.metadata[b"huggingface"]) == json.loads(schema.metadata[b"huggingface"])


def test_preferences_have_one_message_to_judge_and_come_shuffled(make, make_row):
    origin = make_row().origin
    given = [
        Preference(
            origin=origin,
            prompt=(Message(role="user", content=f"problem {chr(97 + number % 7)}"),),
            completion=Message(role="assistant", content=f"answer {number}", tool_calls=(ToolCall(id="1", name="t", arguments="{}"),)),
            label=number % 3 > 0,
            weight=0.5,
        )
        for number in range(21)
    ]
    folder, summary = make(given, kind="kto", seed=3)
    found = list(rows(folder))
    assert {row.completion.content for row in found} == {row.completion.content for row in given}
    assert [row.completion.content for row in found] != [row.completion.content for row in given]
    assert summary.figures.counts["label"] == {"good": 14, "bad": 7}
    assert summary.figures.weight == 10.5
    datasets = pytest.importorskip("datasets")
    first = datasets.load_dataset("parquet", data_files=str(folder / "train-00000.parquet"), split="train", streaming=True)
    cells = next(iter(first))
    assert [message["role"] for message in cells["completion"]] == ["assistant"]
    assert set(cells) == set(columns_of("kto"))


def test_pairs(make, make_row):
    row = make_row()
    pair = Pair(origin=row.origin, prompt=row.messages[:2], chosen=Message(role="assistant", content="own"), rejected=row.messages[2])
    folder, _ = make([pair], kind="dpo")
    (found,) = rows(folder)
    assert (found.prompt, found.chosen, found.rejected.content) == (pair.prompt, pair.chosen, pair.rejected.content)


async def test_what_is_left_out_is_counted_by_why(make, make_row, make_task):
    held = await make_task(1, split="test")
    given = [
        make_row(1),
        make_row(1),
        make_row(2, task=held.id),
        make_row(3, answer="token ghp_" + "a1B2c3D4e5" * 4),
        make_row(4, patch="+x\n"),
        make_row(5, patch="+x\n"),
    ]
    tally = Tally()
    tally.leave("no policy wrote the patch")
    folder, summary = make(given, held_out=HeldOut.of([held]), tally=tally)
    assert summary.left_out == {
        "no policy wrote the patch": 1,
        "of a held-out task": 1,
        "the answer held a secret": 1,
        "an exact duplicate": 1,
        "the same patch again": 1,
    }
    assert (summary.figures.rows, summary.held_out) == (2, 1)
    assert summary_of(folder) == summary


def test_the_digest_is_of_what_the_rows_say(tmp_path, make_row):
    def digest(name, given, **options):
        return build(given, tmp_path / name, Options(kind="sft", **options), Gate({})).digest

    given = [make_row(number) for number in range(5)]
    first = digest("a", given)
    assert digest("b", given, format="jsonl") == first
    assert digest("c", [make_row(number, episode="x" * 16, time=1.0) for number in range(5)]) == first
    assert digest("d", given[::-1]) != first
    assert digest("e", [make_row(number, environment="f" * 64) for number in range(5)]) != first


def test_two_environments_are_refused_and_nothing_is_left_behind(make, make_row, tmp_path):
    with pytest.raises(MixedIdentities):
        make([make_row(1), make_row(2, environment="f" * 64)])
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_breaks_down_leaves_nothing(make, make_row, tmp_path):
    def breaks():
        yield from (make_row(number) for number in range(700))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(breaks())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(make, make_row, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").write_text("x")
    with pytest.raises(TrainingError, match="exists already"):
        make([make_row()])
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["mine"]


def test_no_rows_are_no_dataset(make, tmp_path):
    tally = Tally()
    tally.leave("nobody judged it")
    with pytest.raises(TrainingError, match="1 nobody judged it"):
        make([], tally=tally)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_is_full_at_some_size(make, make_row, monkeypatch):
    monkeypatch.setattr("suture_training.data.shards.SHARD_BYTES", 50_000)
    told = []
    folder, summary = make([make_row(number) for number in range(676)], told=told.append)
    assert [shard.rows for shard in summary.shards] == [512, 164]
    assert [shard.file for shard in summary.shards] == ["train-00000.parquet", "train-00001.parquet"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "card.html",
        "summary.json",
        "train-00000.parquet",
        "train-00001.parquet",
    ]
    assert len(list(rows(folder))) == 676
    assert told == [512, 676]


def test_what_is_no_dataset_is_said(tmp_path):
    with pytest.raises(TrainingError, match="no dataset"):
        summary_of(tmp_path)


async def test_helpers_read_what_one_process_reads(world, say, tmp_path):
    from suture_training.data.export import Wanted, export

    for number in range(4):
        await world.mend("line", say.text("9: x => y"), say.text("2: bad => good"), bad=number)
    await world.mend("line", say.text("nonsense", repeat=0), bad=5)
    wanted = Wanted(options=Options(kind="sft"))
    alone, together = (export(world.path, tmp_path / f"set{count}", wanted, processes=count) for count in (1, 2))
    assert alone.figures == together.figures
    assert alone.digest == together.digest
    assert list(rows(tmp_path / "set1")) == list(rows(tmp_path / "set2"))
    with Reader(world.path) as reader:
        assert reader.count(Choice(outcome="fixed")) == alone.figures.rows == 4
