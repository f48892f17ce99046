import os
from pathlib import Path

import pytest

from tailer.logs import errors, newest, tail


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "app.log"
    path.write_text("1 INFO start\n2 ERROR disk\n3 INFO work\n4 ERROR net\n", encoding="utf-8")
    return str(path)


def test_tail(log: str) -> None:
    assert tail(log, 2) == ["3 INFO work", "4 ERROR net"]


def test_tail_of_a_short_file(log: str) -> None:
    assert len(tail(log)) == 4


def test_no_file(tmp_path: Path) -> None:
    assert tail(str(tmp_path / "none.log")) == []


def test_home(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path(log).parent))
    assert tail("~/app.log", 1) == ["4 ERROR net"]


def test_errors(log: str) -> None:
    assert errors(log) == ["2 ERROR disk", "4 ERROR net"]
    assert errors(log, 2) == ["4 ERROR net"]


def test_newest(log: str, tmp_path: Path) -> None:
    other = tmp_path / "old.log"
    other.touch()
    os.utime(other, (1, 1))
    assert newest(str(tmp_path)) == Path(log)
    assert newest(str(tmp_path), "*.txt") is None
