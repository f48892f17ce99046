"""Edits by rule that need more than a function's text: a whole class, what a failure says, a line that is pointed at; and odd numbers."""

from __future__ import annotations

import ast
import textwrap

import pytest

from suture_agent.direct.answers import fingerprint, rewrite
from suture_agent.direct.templates import edits
from suture_agent.direct.units import definitions, parse, unit_named, unit_of


def mended(name: str, before: str, after: str, *, said: str = "", pointed: int | None = None) -> bool:
    """Whether the file that is wanted is among those that the edits of the named unit give."""
    text, wanted = textwrap.dedent(before).lstrip("\n"), textwrap.dedent(after).lstrip("\n")
    unit = unit_named("m.py", text, name)
    assert unit is not None
    made = [rewrite(text, unit, edit.source) for edit in edits(unit, said=said, pointed=pointed)]
    return fingerprint(wanted) in {fingerprint(each) for each in made if each is not None}


QUANTITY = """
class Quantity:
    @classmethod
    def parse(cls, text):
        return Quantity(float(text))

    def __add__(self, other):
        return Quantity(self.amount + other.amount)
"""


def test_a_class_that_names_itself_gives_way_to_the_object_s_own():
    method = QUANTITY.replace("return Quantity(self.amount", "return type(self)(self.amount")
    assert mended("Quantity.__add__", QUANTITY, method)
    assert mended("Quantity", QUANTITY, method.replace("return Quantity(float", "return cls(float"))
    static = "class A:\n    @staticmethod\n    def make():\n        return A()\n"
    assert not mended("A.make", static, static.replace("return A()", "return cls()"))


CLIENT = """
import asyncio

class Client:
    def __init__(self, limit):
        self._limit = limit

    async def send(self, path, size):
        async with asyncio.Semaphore(self._limit):
            return path
"""


def test_a_semaphore_that_each_call_makes_is_kept_by_the_object():
    kept = CLIENT.replace("= limit\n", "= limit\n        self._semaphore = asyncio.Semaphore(self._limit)\n")
    kept = kept.replace("async with asyncio.Semaphore(self._limit)", "async with self._semaphore")
    assert mended("Client", CLIENT, kept)
    own = CLIENT.replace("Semaphore(self._limit)", "Semaphore(size)")
    assert not any("self._semaphore" in edit.source for edit in edits(unit_named("m.py", own, "Client")))  # type: ignore[arg-type]  # it is there


HEAP = """
import heapq

class Agenda:
    def add(self, item):
        self._heap.append(item)

    def pop(self):
        return self._heap.pop()

    def drain(self):
        due = []
        due.append(self.pop())
        return due
"""


def test_a_heap_s_methods_are_changed_together_and_no_other_list_s():
    after = HEAP.replace("self._heap.append(item)", "heapq.heappush(self._heap, item)")
    assert mended("Agenda", HEAP, after.replace("self._heap.pop()", "heapq.heappop(self._heap)"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("datetime.now()", "datetime.now(timezone.utc)"),
        ("datetime.fromisoformat(text)", "datetime.fromisoformat(text).replace(tzinfo=timezone.utc)"),
        ("text.replace(fold=1, tzinfo=zone)", "text.astimezone(zone)"),
        ("text.astimezone(zone)", "text.replace(tzinfo=zone)"),
        ("Article(made=datetime.utcnow)", "Article(made=lambda: datetime.now(timezone.utc))"),
    ],
)
def test_a_time_without_a_zone_is_given_one_where_the_failure_speaks_of_it(before, after):
    text = f"from datetime import datetime, timezone\n\ndef f(text, zone):\n    return {before}\n"
    assert mended("f", text, text.replace(before, after), said="can't compare offset-naive and offset-aware datetimes")
    assert not mended("f", text, text.replace(before, after), said="assert 1 == 2")


def test_only_a_time_without_a_zone_is_given_one():
    before = "from datetime import datetime, timezone\n\ndef f(text):\n    return datetime.fromisoformat(text)\n"
    after = before.replace("return datetime", "time = datetime") + "    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)\n"
    assert mended("f", before, after, said="TypeError: can't compare offset-naive and offset-aware datetimes")


RENAMED = """
from pathlib import Path

def tail(name):
    print(name)
    name = Path(name).expanduser()
    return name.read_text()
"""


def test_what_is_given_another_type_is_given_another_name_from_there_on():
    after = RENAMED.replace("name = Path", "path = Path").replace("return name", "return path")
    said = 'Incompatible types in assignment (expression has type "Path", variable has type "str")'
    assert mended("tail", RENAMED, after, said=said, pointed=2)
    assert not mended("tail", RENAMED, after, said=said, pointed=1)


@pytest.mark.parametrize(("word", "kind"), [("def", "Iterator"), ("async def", "AsyncIterator")])
def test_a_generator_promises_an_iterator_and_the_import_comes_with_it(word, kind):
    before = f"{word} f(a) -> int:\n    yield a\n"
    after = f"from collections.abc import {kind}\n\n{word} f(a) -> {kind}[int]:\n    yield a\n"
    said = 'The return type of a generator function should be "Generator" or one of its supertypes'
    assert mended("f", before, after, said=said)


def test_shares_add_up():
    before = "def split(cents, people):\n    share = cents // people\n    return [share] * people\n"
    after = before.replace("[share] * people", "[share + 1] * (cents % people) + [share] * (people - cents % people)")
    assert mended("split", before, after)


WORKER = """
async def worker(queue, handle):
    while True:
        item = await queue.get()
        await handle(item)
"""


def test_a_worker_says_that_an_item_is_done_even_when_handling_it_fails():
    after = WORKER.replace(
        "        await handle(item)\n", "        try:\n            await handle(item)\n        finally:\n            queue.task_done()\n"
    )
    assert mended("worker", WORKER, after)


def test_what_must_happen_happens_before_a_result_is_given_too():
    before = "def f(a):\n    result = g(a)\n    a.close()\n    return result\n"
    after = "def f(a):\n    try:\n        result = g(a)\n        return result\n    finally:\n        a.close()\n"
    assert mended("f", before, after)


def test_a_value_that_is_bound_in_a_condition_keeps_its_parentheses():
    before = "def f(a):\n    if m := g(a):\n        return m\n"
    assert mended("f", before, before.replace("m := g(a)", "(m := g(a)) is not None"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('re.search(a, "x")', 're.search(re.escape(a), "x")'),
        ('re.search("a" + a, "x")', 're.search("a" + re.escape(a), "x")'),
        ('re.search(rf"^{a}$", "x")', 're.search(rf"^{re.escape(a)}$", "x")'),
        ('re.search("^a", a)', 're.search("^a", a, flags=re.MULTILINE)'),
        (r're.findall(r"\b(19|20)\d{2}", a)', r're.findall(r"\b(?:19|20)\d{2}", a)'),
        (r're.findall(r"\d{2}", a)', r're.findall(r"\d{3}", a)'),
        (r're.findall(r"\w+", a)', r're.findall(r"[\w-]+", a)'),
        ('open(a, encoding="utf-8")', 'open(a, encoding="utf-8-sig")'),
        ("open(a)", 'open(a, encoding="utf-8")'),
        ("len(a)", "len(a.encode())"),
    ],
)
def test_what_is_written_in_a_string(before, after):
    text = f"import re\n\ndef f(a):\n    return {before}\n"
    assert mended("f", text, text.replace(before, after))


@pytest.mark.parametrize(
    "value",
    [
        "0x" + "f" * 5000,
        "-0b" + "1" * 20000,
        'f"{a:' + "9" * 5000 + 'd}"',
        r're.match(r"\d{' + "9" * 5000 + '}", a)',
        r're.match(r"\d{1,' + "9" * 5000 + '}", a)',
        "9" * 5000,
    ],
)
def test_numbers_that_python_does_not_print_break_nothing(value):
    source = f"def f(a):\n    return {value}\n"
    tree = ast.parse("def f(a):\n    pass\n")
    unit = unit_of("m.py", source, *definitions(tree)[0])
    assert all(edit.source != source for edit in edits(unit))
    assert fingerprint(source)
    assert rewrite(source, unit, source) is None


def test_a_number_that_python_prints_is_no_trouble():
    assert parse(f"x = 0x{'f' * 3400}\n") is not None
    assert parse(f"x = 0x{'f' * 5000}\n") is None
    assert parse(f"x = '0x{'f' * 5000}'\n") is not None
