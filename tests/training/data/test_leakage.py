"""Held-out tasks stay held out."""

from __future__ import annotations

import msgspec
import pytest

from suture_training.data.leakage import HeldOut, gold_patch, places_of
from suture_training.errors import TrainingError


async def test_a_row_of_a_held_out_task_does_not_pass(make_task, make_row):
    held = await make_task(1, split="test")
    out = HeldOut.of([held])
    assert out.leak(make_row(task=held.id)) == "of a held-out task"
    assert out.leak(make_row(problem=held.id[:12])) == "of a held-out task"
    assert out.leak(make_row(task="0" * 16, problem="0" * 12)) == ""


async def test_nor_one_with_its_patch_or_about_its_function(make_task, make_row):
    held, other = await make_task(1, split="test"), await make_task(2)
    out = HeldOut.of([held])
    assert out.leak(make_row(patch=gold_patch(held).diff())) == "its patch is a held-out task's"
    assert out.leak(make_row(patch=gold_patch(other).diff())) == ""
    assert out.leak(make_row(places=tuple(places_of(held)))) == "about a held-out task's function"
    assert out.leak(make_row(places=tuple(places_of(other)))) == ""
    assert set(places_of(held)) == {"w:code.py:part1"}


async def test_the_tasks_of_a_set_that_are_not_for_training(make_task, make_row, tmp_path):
    tasks = [await make_task(number, split=split) for number, split in enumerate(("train", "validation", "test"))]
    lines = b"".join(msgspec.json.encode(task) + b"\n" for task in tasks)
    (tmp_path / "tasks.jsonl").write_bytes(lines + b'{"id": "cut off')
    out = HeldOut.read(tmp_path)
    assert out.tasks == {task.id for task in tasks[1:]}
    assert [bool(out.leak(make_row(task=task.id))) for task in tasks] == [False, True, True]
    (tmp_path / "tasks.jsonl").write_bytes(b"nonsense\n")
    with pytest.raises(TrainingError, match=r"tasks\.jsonl"):
        HeldOut.read(tmp_path)


def test_no_row_leaks_where_nothing_is_held_out(make_row):
    assert HeldOut().leak(make_row(patch="")) == ""
    assert HeldOut.of([]).leak(make_row(task="")) == ""
