from pathlib import Path

from notes.files import title
from notes.index import build_index, default_folder


def test_title():
    assert title("# Hello\ntext") == "Hello"
    assert title("") == "untitled"


def test_index(tmp_path):
    (tmp_path / "b.md").write_text("# Bee\n")
    (tmp_path / "a.md").write_text("Ay")
    (tmp_path / "c.txt").write_text("no")
    assert build_index(tmp_path) == {"a.md": "Ay", "b.md": "Bee"}


def test_default_folder():
    assert default_folder({"NOTES": "/srv/notes"}) == Path("/srv/notes")
