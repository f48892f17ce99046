"""The registry keeps what it was given, all of it or nothing, serves only what beats what served, and notices every changed byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import msgspec
import pytest

from suture_agent.adapters import CARD, CONFIG, GGUF, RECORD, WEIGHTS, Identified
from suture_agent.adapters.registry import Registry
from suture_agent.errors import AdapterError


def refused(work) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        work()
    assert caught.value.remedy
    return caught.value


def test_what_is_added_is_there_under_its_digest(registry, add, score):
    first = add("one", training={"learning_rate": 1e-5, "epochs": 3}, scores=(score(40),), note="A **note**.")
    assert registry.all() == (first,)
    assert Registry(registry.folder).find("one") == first
    folder = registry.verify(first)
    assert folder.name == first.digest
    assert {path.name for path in folder.iterdir()} == {WEIGHTS, CONFIG, GGUF, RECORD, CARD}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    card = (folder / CARD).read_text()
    for word in ("# one", first.digest, "A **note**.", "40 of 100", '"learning_rate": 0.00001', '"pytest"', '"budgets"', "12 rows"):
        assert word in card


def test_the_digest_is_that_of_weights_and_configuration_alone(registry, add, draft, fill):
    first, second = add("one"), add("two")
    assert first.digest != second.digest
    with_more = registry.add(draft("three", note="n"), fill("three"))
    other = Registry(registry.folder.with_name("other")).add(draft("x"), fill("three", gguf=False))
    assert other.digest == with_more.digest


def test_adding_again_changes_nothing_and_other_names_or_weights_are_refused(registry, add, draft, fill):
    first = add("one")
    assert registry.add(draft("one", note="later"), fill("one")) == first
    assert "as one" in str(refused(lambda: registry.add(draft("two"), fill("one"))))
    assert "another adapter named one" in str(refused(lambda: registry.add(draft("one"), fill("other"))))
    assert registry.all() == (first,)


@pytest.mark.parametrize("name", ["", "a/b", "..", "A", "matched", "off", "abcdef12", "x" * 65, "-x", "a\nb"])
def test_a_name_that_could_be_mistaken_is_refused(registry, draft, fill, name):
    refused(lambda: registry.add(draft(name), fill("x")))
    assert registry.all() == ()


def test_an_adapter_is_found_by_name_digest_and_the_beginning_of_one(registry, add):
    first, _ = add("one"), add("two")
    for name in ("one", first.digest, first.digest[:6], first.short):
        assert registry.find(name) == first
    assert "did you mean one" in str(refused(lambda: registry.find("onne")))
    refused(lambda: registry.find(first.digest[:5]))


def test_a_failed_fill_leaves_nothing(registry, draft, fill):
    def half(folder):
        (folder / WEIGHTS).write_text("w")
        raise OSError("the disk is full")

    assert "the disk is full" in str(refused(lambda: registry.add(draft(), half)))
    assert "needs adapter_config.json" in str(refused(lambda: registry.add(draft(), lambda folder: (folder / WEIGHTS).write_text("w"))))
    assert list((registry.folder / "entries").iterdir()) == []


KILLED = """
import sys, time
from pathlib import Path
import msgspec
from suture_agent.adapters import Draft
from suture_agent.adapters.registry import Registry

def fill(folder):
    (folder / "adapter_model.safetensors").write_text("w")
    print("half", flush=True)
    time.sleep(600)

Registry(Path(sys.argv[1])).add(msgspec.json.decode(sys.argv[2], type=Draft), fill)
"""


def test_a_killed_writer_leaves_nothing_that_is_read_and_the_next_one_clears_up(registry, add, draft):
    argv = [sys.executable, "-c", KILLED, str(registry.folder), msgspec.json.encode(draft("one")).decode()]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert len(list((registry.folder / "entries").iterdir())) == 1
    assert registry.all() == ()
    second = add("two")
    assert [path.name for path in (registry.folder / "entries").iterdir()] == [second.digest]
    assert add("one").name == "one"


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, GGUF])
def test_a_changed_file_is_refused_whenever_it_was_changed(registry, add, score, name):
    adapter = add("one", scores=(score(60), score(40, subject="base")))
    path = registry.verify(adapter) / name
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for each in (registry, Registry(registry.folder)):
        said = refused(lambda each=each: each.verify(adapter))
        assert name in str(said)
        assert "digest" in str(said)
    refused(lambda: registry.use(adapter))
    path.unlink()
    assert "is not there" in str(refused(lambda: registry.verify(adapter)))


def test_a_record_whose_identity_was_changed_is_damaged_and_can_be_dropped(registry, add):
    adapter = add("one")
    path = registry.entry(adapter) / RECORD
    fields = {**adapter.environment.fields, "os": {"id": "other"}}
    changed = msgspec.structs.replace(adapter, environment=Identified(digest=adapter.environment.digest, fields=fields))
    path.write_bytes(msgspec.json.encode(changed))
    assert registry.all() == ()
    (damage,) = registry.damaged()
    assert "was changed" in str(damage)
    assert registry.drop(adapter.short) == adapter.digest
    assert registry.damaged() == ()


def test_fields_that_are_not_those_of_the_identity_are_not_registered(registry, draft, fill, environment):
    fields = Identified(digest=environment.digest, fields={"variables": {"TOKEN": "(taken out)"}})
    assert "environment" in str(refused(lambda: registry.add(draft(environment=fields), fill("one"))))
    assert registry.all() == ()


def test_a_newer_format_is_refused(registry, add):
    adapter = add("one")
    (registry.entry(adapter) / RECORD).write_bytes(msgspec.json.encode(msgspec.structs.replace(adapter, format=2)))
    assert "newer suture" in str(registry.damaged()[0])


def test_a_score_is_added_to_record_and_card(registry, add, score):
    adapter = registry.scored(add("one"), score(70))
    assert registry.find("one") == adapter
    assert adapter.scores == (score(70),)
    assert "70 of 100" in (registry.entry(adapter) / CARD).read_text()
    registry.verify(adapter)


def test_the_first_one_must_beat_its_base(registry, add, score):
    bare = add("bare")
    said = refused(lambda: registry.use(bare))
    assert "no score" in str(said)
    assert "--override" in said.remedy
    worse = add("worse", scores=(score(40), score(45, subject="base")))
    assert "40 of 100" in str(refused(lambda: registry.use(worse)))
    assert registry.used() == ()
    good = add("good", scores=(score(60), score(40, subject="base")))
    use = registry.use(good)
    assert registry.used() == (good,)
    assert "60 of 100" in use.figures
    assert not use.override


def test_a_new_one_must_beat_the_one_in_use_and_takes_its_place(registry, add, score):
    old = add("old", scores=(score(60), score(40, subject="base")))
    registry.use(old)
    same = add("same", scores=(score(61), score(40, subject="base")))
    said = str(refused(lambda: registry.use(same)))
    assert "61 of 100" in said
    assert "60 of 100" in said
    assert old.label in said
    better = add("better", scores=(score(85),))
    assert registry.use(better).replaced == (old.digest,)
    assert registry.used() == (better,)
    elsewhere = add("elsewhere", scores=(score(99, held_out="o" * 64),))
    assert "no score" in str(refused(lambda: registry.use(elsewhere)))


def test_against_the_figures_only_with_a_reason_that_is_recorded(registry, add, score):
    adapter = add("one", scores=(score(40), score(60, subject="base")))
    registry.use(adapter, override="to look at it")
    (use,) = registry.in_use().current
    assert use.override == "to look at it"
    assert "40 of 100" in use.figures
    assert registry.in_use().history == (use,)


def test_one_for_another_environment_serves_beside_it(registry, add, score):
    first = add("first", scores=(score(60), score(40, subject="base")))
    other = Identified.of({"toolchain": {"python": "3.13"}})
    there = {"environment": other.digest}
    second = add("second", environment=other, scores=(score(50, **there), score(20, subject="base", **there)))
    registry.use(first)
    registry.use(second)
    assert registry.used() == (first, second)
    third = add("third", varied=("environment",), scores=(score(99),))
    said = str(refused(lambda: registry.use(third)))  # it would serve both places, and is not measured in the second's
    assert second.label in said
    assert first.label not in said


def test_what_is_in_use_is_not_dropped(registry, add, score):
    adapter = add("one", scores=(score(60), score(40, subject="base")))
    registry.use(adapter)
    assert "in use" in str(refused(lambda: registry.use(adapter)))
    assert "--off" in refused(lambda: registry.drop("one")).remedy
    registry.off("one")
    assert registry.used() == ()
    refused(lambda: registry.off("one"))
    registry.drop("one")
    assert registry.all() == ()
    assert [use.off for use in registry.in_use().history] == [False, True]


def test_one_in_use_whose_entry_is_damaged_can_be_taken_out(registry, add, score):
    adapter = add("one", scores=(score(60), score(40, subject="base")))
    registry.use(adapter)
    (registry.entry(adapter) / RECORD).write_text("{")
    assert adapter.short in str(refused(registry.used))
    registry.off(adapter.short)
    registry.drop(adapter.short)
    assert add("one").digest == adapter.digest


def test_a_damaged_entry_is_mended_by_adding_it_again(registry, add):
    adapter = add("one")
    (registry.entry(adapter) / RECORD).write_text("{")
    again = add("one")
    assert again.digest == adapter.digest
    registry.verify(again)
    assert [path.name for path in (registry.folder / "entries").iterdir()] == [adapter.digest]


def test_the_pointer_is_replaced_in_one_step(registry, add, score):
    """A reader that reads all the time sees the one or the other."""
    adapter = add("one", scores=(score(60), score(40, subject="base")))
    reader = (
        "import sys; from pathlib import Path; from suture_agent.adapters.registry import Registry\n"
        "registry = Registry(Path(sys.argv[1])); print('up', flush=True)\n"
        "seen = set()\nwhile not Path(sys.argv[1], 'stop').exists(): seen.add(len(registry.in_use().current))\nprint(sorted(seen))"
    )
    argv = [sys.executable, "-c", reader, str(registry.folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        for _ in range(20):
            registry.use(adapter)
            registry.off("one")
            time.sleep(0.001)
        (registry.folder / "stop").write_text("")
        assert process.stdout.read().strip() in ("[0, 1]", "[0]", "[1]")
    assert process.returncode == 0
