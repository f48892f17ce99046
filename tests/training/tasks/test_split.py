"""Splits and leaks: nothing of what is held out is in training, and what is nearly the same counts as the same."""

from __future__ import annotations

import random

import pytest

from suture_training.tasks.duplicates import leaks, likeness, normalised, print_of, sketch_of
from suture_training.tasks.split import assign

LONG = """\
def parse(text, separator=","):
    fields = []
    current = ""
    quoted = False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter == separator and not quoted:
            fields.append(current)
            current = ""
        else:
            current += letter
    fields.append(current)
    return fields
"""


def function(name: str, number: int) -> str:
    return f"def {name}(a, b):\n    x{number} = a * {number}\n    return b + x{number} < {number}\n"


@pytest.fixture
def many(task_of):
    """Tasks of several functions in one repository: two of each function."""

    def make(count: int, *, repository: str = "shop", time: str = "", path: str = "a.py", first: int = 100):
        texts = [f"import os\n\n\n{function(f'f{number}', number + first)}" for number in range(count)]
        pairs = [(text.replace("<", sign), text) for text in texts for sign in ("<=", ">")]
        return [task_of(broken, healthy, repository=repository, path=path, time=time) for broken, healthy in pairs]

    return make


def test_a_task_is_recognised_by_the_function_that_it_breaks(task_of):
    healthy = "class A:\n    def f(self):\n        return 1 < 2\n\n    def g(self):\n        return 3\n"
    assert print_of(task_of(healthy.replace("<", "<="), healthy)).places == {("shop", "a.py", "A.f")}
    dropped = print_of(task_of(healthy.replace("        return 3\n", "        pass\n"), healthy))
    assert dropped.places == {("shop", "a.py", "A.g")}
    assert print_of(task_of(f"import os\n{healthy}", healthy)).places == {("shop", "a.py", "")}
    assert print_of(task_of("def f(:\n", healthy)).places == {("shop", "a.py", ""), ("shop", "a.py", "A.f"), ("shop", "a.py", "A.g")}


def test_a_split_that_is_to_have_no_share_is_empty_and_refuses_nothing(many):
    tasks = [*many(4, repository="a"), *many(4, repository="b"), *many(4, repository="c")]
    done = assign([print_of(task) for task in tasks], (100, 0, 0))
    assert set(done.splits.values()) == {"train"}
    assert len(done.splits) == len({task.id for task in tasks})
    assert done.info.refused == 0


def test_a_copy_under_other_names_is_the_same_function():
    other = LONG
    for old, new in (
        ("parse", "split_line"),
        ("fields", "parts"),
        ("current", "word"),
        ("letter", "c"),
        ("quoted", "inside"),
        ("text", "line"),
    ):
        other = other.replace(old, new)
    other = other.replace("    for", "    # every character\n    for")
    assert normalised(other) == normalised(LONG)
    assert normalised(LONG.replace("not quoted", "quoted")) != normalised(LONG)


def test_likeness_is_near_the_true_jaccard_index():
    chance = random.Random(3)
    words = [chance.choice("abcdefghij") * 3 for _ in range(400)]
    for changed in (0, 4, 40, 200):
        other = list(words)
        for place in chance.sample(range(400), changed):
            other[place] = f"other{place}"
        left, right = ({" ".join(each[start : start + 5]) for start in range(396)} for each in (words, other))
        assert likeness(sketch_of(words), sketch_of(other)) == pytest.approx(len(left & right) / len(left | right), abs=0.15)


def test_leaks_are_the_same_place_the_same_function_and_nearly_the_same(task_of):
    held_out = task_of(LONG.replace("not quoted\n", "quoted\n"), LONG)
    elsewhere = {"repository": "other", "path": "csv.py"}
    renamed, near = LONG.replace("fields", "parts"), LONG.replace("    return fields\n", "    return tuple(fields)\n")
    train = {
        "place": task_of(LONG.replace("+=", "="), LONG),
        "same": task_of(renamed.replace("+=", "="), renamed, **elsewhere),
        "near": task_of(near.replace("+=", "="), near, **elsewhere),
        "": task_of(function("f", 1).replace("<", ">"), function("f", 1), **elsewhere),
    }
    assert {why: [leak.why for leak in leaks([task], [held_out])] for why, task in train.items()} == {
        "place": ["place"],
        "same": ["same"],
        "near": ["near"],
        "": [],
    }
    assert [leak.held_out for leak in leaks([held_out], [held_out])] == [held_out.id]


def test_one_repository_is_split_by_function_and_says_so(many):
    tasks = many(40)
    prints = [print_of(task) for task in tasks]
    found = assign(prints)
    assert found.info.by == "function"
    assert found.info.groups == 40
    assert found.info.refused == 0
    assert found.info.tasks == {"train": 64, "validation": 8, "test": 8}
    of = {name: [task for task in tasks if found.splits[task.id] == name] for name in found.info.tasks}
    assert leaks(of["train"], [*of["validation"], *of["test"]]) == ()
    assert leaks(of["validation"], of["test"]) == ()
    assert assign(prints[::-1]).splits == found.splits


def test_functions_that_are_the_same_stay_together(task_of):
    tasks = [task_of(LONG.replace("+=", "="), LONG, path=f"m{number}.py") for number in range(10)]
    tasks += [task_of(function("f", n + 7).replace("<", ">"), function("f", n + 7), path="b.py", repository="r") for n in range(3)]
    found = assign([print_of(task) for task in tasks])
    assert len({found.splits[task.id] for task in tasks[:10]}) == 1


def test_repositories_lie_in_one_split_each_the_oldest_in_training(many):
    tasks = [task for n in range(10) for task in many(3, repository=f"r{n}", time=f"2020-01-{10 + n}", path=f"m{n}.py", first=1000 * n + 7)]
    prints = [print_of(task) for task in tasks]
    found = assign(prints)
    assert (found.info.by, found.info.refused) == ("repository", 0)
    splits = {(each.repository, found.splits[each.task]) for each in prints}
    assert splits == {*((f"r{number}", "train") for number in range(8)), ("r8", "validation"), ("r9", "test")}


def test_what_resembles_a_held_out_task_of_another_repository_is_refused(many, task_of):
    tasks = [task for number in range(3) for task in many(2, repository=f"r{number}", time=f"202{number}", path=f"m{number}.py")]
    found = assign([print_of(task) for task in tasks])  # the three repositories hold the same functions
    assert found.info.refused == 8
    assert found.info.tasks == {"train": 0, "validation": 0, "test": 4}
    other = many(4, repository="r9", time="2019", path="x.py")
    vendored = task_of(LONG.replace("+=", "="), LONG, repository="r0", time="2020")
    original = task_of(LONG.replace("not quoted\n", "quoted\n"), LONG, repository="r8", time="2030")
    found = assign([print_of(task) for task in (*other, vendored, original)])
    assert vendored.id not in found.splits
    assert found.splits[original.id] == "test"


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_small_sets_have_something_in_every_split_that_there_is_enough_for(many, count):
    found = assign([print_of(task) for task in many(count)])
    assert sum(found.info.tasks.values()) == 2 * count
    assert all(found.info.tasks.values()) or count < 3
