"""Ledgers and metrics: a torn line is nobody's, one writer at a time, and what a resumed run takes back no longer counts."""

from __future__ import annotations

import gc
import math
import subprocess
import sys

import msgspec
import pytest

from suture_training import metrics
from suture_training.ledger import Ledger, LedgerError, read_json, read_lines, write_json
from suture_training.metrics import MetricsLog


class Line(msgspec.Struct, frozen=True):
    number: int


def numbers(path):
    return [line.number for line in read_lines(path, Line)]


def test_records_are_read_as_they_were_added(tmp_path):
    path = tmp_path / "new" / "lines.jsonl"
    with Ledger(path) as ledger:
        ledger.add(Line(1), Line(2))
        ledger.add()
        ledger.add(Line(3))
        assert numbers(path) == [1, 2, 3]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b'{"num', b'{"number":9}', b"x" * 200_000])
def test_a_torn_last_line_is_left_out_and_then_cut_off(tmp_path, torn):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"number":1}\n{"number":2}\n' + torn)
    assert numbers(path) == [1, 2]
    with Ledger(path) as ledger:
        ledger.add(Line(3))
    assert path.read_bytes() == b'{"number":1}\n{"number":2}\n{"number":3}\n'


def test_a_file_of_nothing_but_a_torn_line_is_empty(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"number"')
    Ledger(path).close()
    assert path.read_bytes() == b""
    assert numbers(tmp_path / "none.jsonl") == []


def test_a_damaged_line_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"number":1}\nrubbish\n{"number":3}\n')
    with pytest.raises(LedgerError, match=r"lines\.jsonl:2: "):
        numbers(path)


def test_two_writers_at_a_time_are_refused(tmp_path):
    first = Ledger(tmp_path / "lines.jsonl")
    with pytest.raises(LedgerError, match="written by another process") as error:
        Ledger(tmp_path / "lines.jsonl")
    assert error.value.remedy
    first.close()
    first.close()
    Ledger(tmp_path / "lines.jsonl").close()


def test_a_forgotten_ledger_holds_nothing_up(tmp_path):
    Ledger(tmp_path / "lines.jsonl").add(Line(1))
    gc.collect()
    Ledger(tmp_path / "lines.jsonl").close()


KILLED = """
import os, sys
from pathlib import Path
from suture_training.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.add({"number": 1})
os.write(1, b"written")
os.kill(os.getpid(), 9)
"""


def test_what_was_added_outlives_a_kill(tmp_path):
    path = tmp_path / "lines.jsonl"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, check=False)
    assert done.stdout == b"written"
    assert numbers(path) == [1]
    Ledger(path).close()


def test_a_json_file_is_whole_or_not_there(tmp_path):
    write_json(tmp_path / "deep" / "one.json", Line(1))
    write_json(tmp_path / "deep" / "one.json", Line(2))
    assert read_json(tmp_path / "deep" / "one.json", Line) == Line(2)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["one.json"]
    (tmp_path / "half.json").write_text('{"num')
    for name in ("half.json", "none.json"):
        with pytest.raises(LedgerError, match=name):
            read_json(tmp_path / name, Line)


def test_numbers_that_json_does_not_have_come_back(tmp_path):
    class Rate(msgspec.Struct):
        value: float
        others: dict[str, tuple[float, ...]]

    write_json(tmp_path / "rate.json", Rate(math.nan, {"a": (math.inf, 1.0)}))
    found = read_json(tmp_path / "rate.json", Rate)
    assert math.isnan(found.value)
    assert found.others == {"a": (math.inf, 1.0)}


def test_metrics_are_read_by_name_and_step(tmp_path):
    with MetricsLog(tmp_path / "metrics.jsonl") as log:
        log.add(2, loss=0.5, **{"tools/read_file": 3})
        log.add(1, loss=1)
        log.add(2, loss=0.25)
    found = metrics.read(tmp_path / "metrics.jsonl")
    assert found == {"loss": {1: 1.0, 2: 0.25}, "tools/read_file": {2: 3.0}}
    assert list(found["loss"]) == [1, 2]


def test_what_is_no_number_is_kept_as_a_gap(tmp_path):
    with MetricsLog(tmp_path / "metrics.jsonl") as log:
        log.add(1, loss=math.nan, kl=math.inf)
    found = metrics.read(tmp_path / "metrics.jsonl")
    assert math.isnan(found["loss"][1])
    assert math.isnan(found["kl"][1])


def test_a_resumed_run_takes_back_what_came_after_its_checkpoint(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with MetricsLog(path) as log:
        for step in range(1, 6):
            log.add(step, loss=step)
        log.add(5, only_before=1)
    with MetricsLog(path) as log:
        log.rewind(3)
        assert metrics.read(path) == {"loss": {1: 1.0, 2: 2.0, 3: 3.0}}
        log.add(4, loss=40)
    assert metrics.read(path)["loss"] == {1: 1.0, 2: 2.0, 3: 3.0, 4: 40.0}
    assert path.read_text().count("\n") == 8, "nothing is removed from the file"


def test_no_metric_can_take_the_name_of_the_marks(tmp_path):
    with MetricsLog(tmp_path / "metrics.jsonl") as log, pytest.raises(ValueError, match="rewind"):
        log.add(1, rewind=0.0)
