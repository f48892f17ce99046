"""Task sets on disk: what is written is read again, a writer that was killed leaves nothing half-written, and damage is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.environment import EnvironmentFields
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import identity_of
from suture_training.tasks.archive import File
from suture_training.tasks.info import SetInfo, Tried, WorkspaceInfo
from suture_training.tasks.store import TaskSet, identity_of_tasks, writing

HERE = Path(__file__).parent


@pytest.fixture
def tasks(task_of):
    return [
        task_of(f"def f{number}(a):\n    return a < {number}\n", f"def f{number}(a):\n    return a <= {number}\n") for number in range(3)
    ]


def tried(task, key: str = "") -> Tried:
    return Tried(key=key or task.id, origin="mutation", name="compare", task=task.id)


def test_a_set_is_read_as_it_was_written(tmp_path, tasks):
    fields = EnvironmentFields(os={"id": "debian"})
    with writing(tmp_path / "set", resume=False) as writer:
        workspace = writer.workspace({"a.py": File(b"x = 1\n")})
        environment = writer.environment(fields)
        info = WorkspaceInfo(repository="shop", environment=environment, files=1, bytes=6)
        writer.note(SetInfo(filters={"initial_build_seconds_below": 100}, workspaces={workspace: info}))
        for task in tasks:
            writer.keep(task, tried(task))
        writer.drop(Tried(key="other", origin="mutation", name="compare", dropped="survived"))
    found = TaskSet.read(tmp_path / "set")
    assert found.tasks == tuple(tasks)
    assert found.environment(environment) == fields
    assert found.archive(workspace).exists()
    assert found.info.filters == {"initial_build_seconds_below": 100}
    assert [each.key for each in found.tried()] == [*(task.id for task in tasks), "other"]
    assert not found.info.finished


def test_an_identity_is_what_the_tasks_are_not_when_and_where_they_were_made(tasks):
    first, *rest = tasks
    slower = msgspec.structs.replace(first, proof=msgspec.structs.replace(first.proof, seconds=9.0))
    assert identity_of_tasks(iter(tasks)) == identity_of_tasks(iter([*rest, slower]))
    changed = [
        msgspec.structs.replace(first, split="test"),
        msgspec.structs.replace(first, environment="d" * 64),
        msgspec.structs.replace(first, gold=rest[0].gold),
    ]
    assert len({identity_of_tasks(iter([each, *rest])) for each in (first, *changed)}) == 4


def test_a_line_without_its_end_counts_for_nothing_and_is_cut_off(tmp_path, tasks):
    folder = tmp_path / "set"
    with writing(folder, resume=False) as writer:
        writer.note(SetInfo())
        for task in tasks[:2]:
            writer.keep(task, tried(task))
    whole = (folder / "tasks.jsonl").read_bytes()
    for torn in (msgspec.json.encode(tasks[2])[:-1], b"{", b'{"id":"x"}' * 20_000):
        (folder / "tasks.jsonl").write_bytes(whole + torn)
        assert TaskSet.read(folder).tasks == tuple(tasks[:2])
        with writing(folder, resume=True) as writer:
            assert writer.count == 2
            assert (folder / "tasks.jsonl").read_bytes() == whole
    (folder / "tasks.jsonl").write_bytes(msgspec.json.encode(tasks[0]))
    with writing(folder, resume=True) as writer:
        assert writer.count == 0
        writer.keep(tasks[1], tried(tasks[1]))
    assert TaskSet.read(folder).tasks == (tasks[1],)


def test_a_writer_that_is_killed_leaves_whole_lines_and_no_lock(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from suture_training.tasks.info import SetInfo, Tried\n"
        "from suture_training.tasks.store import writing\n"
        "with writing(Path(sys.argv[1]), resume=False) as writer:\n"
        "    writer.note(SetInfo())\n"
        "    number = 0\n"
        "    while True:\n"
        "        writer.drop(Tried(key=str(number), origin='mutation', name='x' * 5000, dropped='survived'))\n"
        "        number += 1\n"
    )
    running = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "set")])
    path = tmp_path / "set" / "candidates.jsonl"
    try:
        deadline = time.monotonic() + 60
        while not path.exists() or path.stat().st_size < 100_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(ConfigurationError, match="another suture is writing"), writing(tmp_path / "set", resume=True):
            pass
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    with writing(tmp_path / "set", resume=True) as writer:
        assert list(writer.decided) == [str(number) for number in range(len(writer.decided))]
        assert len(writer.decided) >= 19


def test_a_candidate_whose_task_was_not_written_any_more_is_not_decided(tmp_path, tasks):
    with writing(tmp_path, resume=False) as writer:
        writer.note(SetInfo())
        for task in tasks:
            writer.keep(task, tried(task))
    lines = (tmp_path / "tasks.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "tasks.jsonl").write_bytes(b"".join(lines[:2]))
    with writing(tmp_path, resume=True) as writer:
        assert set(writer.decided) == {task.id for task in tasks[:2]}
        writer.keep(tasks[2], tried(tasks[2]))
        assert len(writer.decided) == 3
    assert TaskSet.read(tmp_path).tasks == tuple(tasks)


def test_a_set_is_not_written_over(tmp_path):
    with writing(tmp_path, resume=False) as writer:
        writer.note(SetInfo())
    with pytest.raises(ConfigurationError, match="holds a task set already") as error, writing(tmp_path, resume=False):
        pass
    assert "--resume" in error.value.remedy


def test_all_tasks_are_replaced_or_none(tmp_path, tasks):
    with writing(tmp_path, resume=False) as writer:
        writer.note(SetInfo())
        for task in tasks:
            writer.keep(task, tried(task))
        with pytest.raises(ZeroDivisionError):
            writer.rewrite(lambda task: task if task is tasks[0] else 1 / 0)
        assert TaskSet.read(tmp_path).tasks == tuple(tasks)
        writer.rewrite(lambda task: None if task.id == tasks[0].id else msgspec.structs.replace(task, split="test"))
        assert not writer.has(tasks[0].id)
    assert {task.split for task in TaskSet.read(tmp_path).tasks} == {"test"}
    assert TaskSet.read(tmp_path).split("train") == ()


def test_what_no_task_needs_is_removed(tmp_path):
    with writing(tmp_path, resume=False) as writer:
        first, second = (writer.workspace({"a.py": File(content)}) for content in (b"1", b"2"))
        one, other = (writer.environment(EnvironmentFields(os={"id": name})) for name in ("debian", "alpine"))
        writer.prune({first}, {other})
    left = sorted(path.name for folder in ("workspaces", "environments") for path in (tmp_path / folder).iterdir())
    assert left == sorted([f"{first}.tar.zst", f"{other}.json"])
    assert not any(name.startswith((second, one)) for name in left)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tasks.jsonl", b'{"id": 3}\n', "tasks.jsonl:1: "),
        ("set.json", b"{", "set.json: "),
        ("set.json", b'{"version": 99}', "format 99"),
    ],
)
def test_damage_is_named_with_file_and_line(tmp_path, name, content, said):
    with writing(tmp_path, resume=False) as writer:
        writer.note(SetInfo())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        list(TaskSet.read(tmp_path).iterate())


def test_a_folder_that_is_no_set_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="is no task set") as error:
        TaskSet.read(tmp_path)
    assert error.value.remedy == "make one: suture tasks make"


def test_an_environment_has_to_be_the_one_that_its_name_says(tmp_path):
    with writing(tmp_path, resume=False) as writer:
        writer.note(SetInfo())
        name = writer.environment(EnvironmentFields(os={"id": "debian"}))
    path = tmp_path / "environments" / f"{name}.json"
    path.write_bytes(msgspec.json.encode(EnvironmentFields(os={"id": "alpine"})))
    with pytest.raises(ConfigurationError, match="another environment"):
        TaskSet.read(tmp_path).environment(name)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        TaskSet.read(tmp_path).environment(identity_of("x"))
