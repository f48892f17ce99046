"""scripts/record_demo.py: the picture shows what the command showed, moving and still, and there is none of a command that failed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

SVG = "{http://www.w3.org/2000/svg}"
SHOW = r"printf 'one\r\nworking 1'; sleep 0.3; printf '\rworking 2'; sleep 0.3; printf '\r\033[1;32mdone <&>\033[0m \n\033[7mlast\033[0m'"


@pytest.fixture(scope="module")
def script(root):
    return root / "scripts" / "record_demo.py"


@pytest.fixture(scope="module")
def recorder(script):
    spec = importlib.util.spec_from_file_location("record_demo", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def record(script, tmp_path):
    def run(*command, options=()):
        out = tmp_path / "docs" / "demo.svg"
        start = [sys.executable, script, out, "--every", "0.1", "--rows", "10", "--columns", "40", *options, "--", *command]
        done = subprocess.run(start, capture_output=True, text=True, check=False, timeout=60)
        return done, ET.parse(out).getroot() if out.exists() else None

    return run


def rows(picture):
    """What each drawn row says, how high it is, and how it is shown."""
    texts = {
        group.get("id"): "".join(text.text for text in group.iter(f"{SVG}text")) for group in picture.iter(f"{SVG}g") if group.get("id")
    }
    return [
        (texts[use.get("href")[1:]], int(use.get("y")), use.get("visibility"), use.find(f"{SVG}set")) for use in picture.iter(f"{SVG}use")
    ]


def test_picture_shows_what_was_shown_while_it_was_shown(record):
    done, picture = record("sh", "-c", SHOW)
    assert done.returncode == 0, done.stderr
    shown = rows(picture)
    assert {"one", "working 1", "working 2", "done <&>", "last"} <= {text for text, *_ in shown}
    middle = next(row for row in shown if row[0] == "working 2")
    assert middle[2] == "hidden"
    assert middle[3].get("to") == "visible"
    assert 0.1 < float(middle[3].get("dur").rstrip("s")) < 2


def test_still_picture_is_the_last_screen(record):
    _, picture = record("sh", "-c", SHOW)
    assert [(text, y) for text, y, state, _ in rows(picture) if state != "hidden"] == [("one", 0), ("done <&>", 18), ("last", 36)]


def test_title_says_the_command_and_the_pace(record):
    _, picture = record("sh", "-c", SHOW, options=["--speed", "4"])
    title = picture.find(f"{SVG}title").text
    assert title.startswith("$ sh -c ")
    assert title.endswith("played 4 times faster)")


def test_command_that_fails_leaves_no_picture(record):
    done, picture = record("sh", "-c", "echo broken; exit 3")
    assert (done.returncode, picture) == (3, None)
    assert "broken" in done.stdout


def test_terminal_has_the_size_that_was_asked_for(record):
    done, _ = record("sh", "-c", "stty size; test -t 0 && test -t 1 && test -t 2")
    assert done.returncode == 0
    assert done.stdout.split() == ["10", "40"]


def test_long_pauses_are_cut_and_the_rest_is_scaled(recorder):
    assert recorder.paced([(0.0, b"a"), (4.0, b"b"), (104.0, b"c")], speed=4, pause=2) == [(0.0, b"a"), (1.0, b"b"), (3.0, b"c")]
