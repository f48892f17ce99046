"""The journal's own records: every conversation and every patch comes back as it was, or marked as changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_agent.errors import JournalError
from suture_agent.harness import PRESETS
from suture_agent.journal import blobs
from suture_agent.journal.entries import episode_entry, level_for, patch_entry, problem_entry, run_entry, workspace_id
from suture_agent.journal.schema import MIGRATIONS, migrate
from suture_agent.journal.stored import LONGEST_FAILURE, StoredTurns, failure_text, snapshot_hash, store_patch, store_turns
from suture_agent.meter import Turn
from suture_agent.policies import ChatRequest, Choice, Completion, Message, PolicyIdentity, ToolCall, ToolSchema
from suture_sandbox.environment import Environment, EnvironmentFields
from suture_sandbox.findings import Finding, Place
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
CALLS = st.builds(ToolCall, id=st.sampled_from("12"), name=st.sampled_from(["run_check", "edit_file"]), arguments=WORDS)
MESSAGES = st.builds(
    Message, role=st.sampled_from(["system", "user", "assistant", "tool"]), content=WORDS, tool_calls=st.lists(CALLS, max_size=2).map(tuple)
)
TOOLS = st.builds(ToolSchema, name=st.sampled_from("abc"), description=WORDS, parameters=st.dictionaries(st.sampled_from("xy"), WORDS))
REQUESTS = st.builds(
    ChatRequest,
    messages=st.lists(MESSAGES, max_size=4).map(tuple),
    tools=st.lists(TOOLS, max_size=2).map(tuple),
    seed=st.integers(0, 9),
    prefill=WORDS,
)
CHOICES = st.builds(Choice, text=WORDS, tool_calls=st.lists(CALLS, max_size=2).map(tuple), reasoning=WORDS)
COMPLETIONS = st.builds(Completion, choices=st.lists(CHOICES, min_size=1, max_size=3).map(tuple), prompt_tokens=st.integers(0, 10**6))
TURNS = st.lists(st.builds(Turn, request=REQUESTS, completion=COMPLETIONS), max_size=5)


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()


def finding(message: str = "m", path: str = "a.py", **more: object) -> Finding:
    return Finding(check="tests", path=path, range=Range(Position(0, 0), Position(0, 1)), message=message, **more)  # type: ignore[arg-type]  # tests name fields freely


@settings(max_examples=80, deadline=None)
@given(TURNS)
def test_conversations_come_back_and_nothing_is_kept_twice(turns):
    stored = msgspec.json.decode(msgspec.json.encode(store_turns(turns)), type=StoredTurns)
    assert len(set(stored.messages)) == len(stored.messages)
    for kept, turn in zip(stored.turns, turns, strict=True):
        assert tuple(stored.messages[index] for index in kept.messages) == turn.request.messages
        assert tuple(stored.tools[index] for index in kept.tools) == turn.request.tools
        assert kept.choices == turn.completion.choices
        assert (kept.prefill, kept.seed, kept.prompt_tokens) == (turn.request.prefill, turn.request.seed, turn.completion.prompt_tokens)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a.py", "b/c.py"]), st.none() | st.binary(max_size=40), st.none() | st.binary(max_size=40))))
def test_a_patch_comes_back_exactly_or_is_marked(edits):
    patch = Patch(tuple(FileEdit(path=path, before=before, after=after) for path, before, after in edits))
    stored = store_patch(patch)
    assert stored.redacted or stored.patch() == patch


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_secret_on_either_side_marks_the_patch(side):
    secret = "ghp_" + "a1B2" * 9
    contents = {"before": b"x\n", "after": b"y\n", side: f"token: {secret}\n".encode()}
    stored = store_patch(Patch((FileEdit(path="a.py", **contents),)))
    assert stored.redacted
    assert secret not in msgspec.json.encode(stored).decode()


def test_a_path_with_the_home_folder_marks_the_patch(monkeypatch):
    monkeypatch.setenv("HOME", "/home/alice")
    assert store_patch(Patch((FileEdit(path="a.py", before=None, after=b"open('/home/alice/x')\n"),))).redacted


def test_a_binary_file_is_told_and_not_kept():
    stored = store_patch(Patch((FileEdit(path="a.png", before=None, after=b"\x89PNG\xff\0secret"),)))
    assert stored.redacted
    assert stored.edits[0].binary
    assert b"secret" not in msgspec.json.encode(stored)


def test_failures_are_told_once_and_bounded():
    text = failure_text([finding("boom", code="E1"), finding("boom", code="E1"), finding("x" * 10_000, detail="d")])
    assert text.startswith("E1: boom\n")
    assert text.count("boom") == 1
    assert len(text) <= LONGEST_FAILURE


def test_failures_hold_no_secrets():
    assert "hunter22" not in failure_text([finding("password='hunter22'")])


def test_the_snapshot_hash_changes_with_the_text_that_matters(tmp_path: Path):
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("1")
    (tmp_path / "c.py").write_text("1")
    findings = (finding(related=(Place("b.py", Range(Position(0, 0), Position(0, 0))), Place("/usr/x.py", finding().range))),)
    first = snapshot_hash(Snapshot(tmp_path), findings)
    (tmp_path / "c.py").write_text("2")
    assert snapshot_hash(Snapshot(tmp_path), findings) == first
    assert snapshot_hash(Snapshot(tmp_path, {"c.py": b"3"}), findings) != first
    (tmp_path / "b.py").write_text("2")
    assert snapshot_hash(Snapshot(tmp_path), findings) != first
    (tmp_path / "b.py").unlink()
    assert snapshot_hash(Snapshot(tmp_path), findings) not in ("", first)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)
    )
)
def test_blobs_come_back(tables, value):
    packed = blobs.pack(value)
    assert blobs.put(tables, packed) == packed.hash == blobs.put(tables, blobs.pack(value))
    assert blobs.get(tables, packed.hash, object) == value


def test_nothing_is_no_blob(tables):
    assert blobs.put(tables, None) is None


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x28\xb5\x2f\xfd" + b"\0" * 20])
def test_a_blob_that_is_not_what_its_name_says_is_refused(data):
    with pytest.raises(JournalError):
        blobs.unpack("0" * 64, data, 5, object)


def test_a_blob_of_another_shape_is_refused(tables):
    name = blobs.put(tables, blobs.pack({"text": 1}))
    assert name is not None
    with pytest.raises(JournalError):
        blobs.get(tables, name, str)
    with pytest.raises(JournalError):
        blobs.get(tables, "1" * 64, object)


def test_a_blob_that_unpacks_to_too_much_is_refused_before_it_does():
    import zstandard

    bomb = zstandard.ZstdCompressor().compress(b"0" * 10_000_000)
    with pytest.raises(JournalError):
        blobs.unpack("0" * 64, bomb, 100, object)


def test_workspaces_are_named_without_their_path(tmp_path: Path):
    assert workspace_id(tmp_path) == workspace_id(Path(str(tmp_path)))
    assert workspace_id(tmp_path) != workspace_id(tmp_path / "x")
    assert tmp_path.name not in workspace_id(tmp_path)


def test_entries_at_level_metadata_hold_no_blob(make_repair, environment, workspace):
    done = make_repair(reason="tests/test_shop.py::x", message="text")
    entry = episode_entry(done, environment, PolicyIdentity(name="/models/secret/m.gguf"), PRESETS["direct"], "metadata")
    held = (entry.turns, entry.problem.findings, entry.harness.fields, entry.policy.fields, entry.problem.environment.fields)
    assert held == (None,) * 5
    assert entry.policy.name == "m.gguf"
    assert entry.reason == ""
    assert run_entry("r", workspace, "metadata").path is None
    assert problem_entry(done.problem, environment, "metadata").finding_count == 1
    assert entry.patch is not None
    assert (entry.patch.edits, entry.patch.diff, entry.patch.diff_text, entry.patch.files) == (None, None, "", 1)


@pytest.mark.parametrize("glob", ["shop.py", "*.py", "tests", "tests/test_shop.py"])
def test_what_touches_an_excluded_file_is_metadata_whatever_the_level(make_repair, environment, policy, glob):
    fields = msgspec.structs.replace(environment.fields, isolation={"excluded": f"data/*.csv {glob}"})
    closed = Environment(fields, environment.runtime)
    entry = episode_entry(make_repair(reason="why", note="said"), closed, policy, PRESETS["direct"], "full")
    assert (entry.turns, entry.problem.findings, entry.verdict.verdict, entry.reason) == (None, None, None, "")
    assert (entry.patch.edits, entry.patch.diff, entry.patch.diff_text, entry.patch.failure, entry.patch.files) == (None, None, "", "", 1)
    assert entry.problem.environment.fields is not None
    assert problem_entry(make_repair().problem, closed, "full").findings is None


def test_what_touches_none_is_kept_in_full_and_a_patch_alone_can_touch_one(make_repair, environment, policy):
    done = make_repair()
    other = Environment(EnvironmentFields(isolation={"excluded": "other.py"}), environment.runtime)
    assert episode_entry(done, other, policy, PRESETS["direct"], "full").turns is not None
    patch = Patch((FileEdit(path="other.py", before=b"1", after=b"2"),))
    entry = episode_entry(msgspec.structs.replace(done, patch=patch), other, policy, PRESETS["direct"], "full")
    assert (entry.turns, entry.patch.edits) == (None, None)
    assert entry.problem.findings is not None
    assert level_for(["other.py"], other, "full") == level_for([], other, "metadata") == "metadata"


def test_the_metadata_of_a_patch_is_its_size():
    entry = patch_entry(
        Patch((FileEdit(path="a", before=b"1\n2\n", after=b"1\n"), FileEdit(path="b", before=None, after=b"x\n"))), "metadata"
    )
    assert (entry.files, entry.added, entry.removed, entry.redacted) == (2, 1, 1, False)


def test_versions_name_program_python_and_engine(make_repair, environment, policy):
    entry = episode_entry(make_repair(), environment, policy, PRESETS["agent"], "full")
    versions = msgspec.json.decode(entry.versions)
    assert versions["engine"] == "scripted 1"
    assert all(versions[name][0].isdigit() for name in ("suture", "python"))
    assert entry.seed == PRESETS["agent"].sampling.seed


def test_migrations_are_numbered_by_their_place(tables):
    assert tables.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
