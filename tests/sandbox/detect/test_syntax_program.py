"""The program that compiles a workspace's files, run as the check runs it."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import resources

import pytest

from suture_sandbox.detect import detect, programs
from suture_sandbox.reports import ReportInput
from suture_sandbox.reports.parsers import PARSERS


@pytest.fixture
def compiled(workspace):
    """Exit code and (path, line, code) of what is found in a workspace with these files."""

    def run(files):
        root = workspace({"fine.py": "x = 1\n", **files})
        check = next(check for check in detect(root, installed={}).checks if check.name == "build")
        done = subprocess.run([sys.executable, *check.command[1:]], cwd=root, capture_output=True, text=True, check=False)
        report = PARSERS[check.report](ReportInput(check="build", root=str(root), stdout=done.stdout, stderr=done.stderr))
        assert not list(root.rglob("__pycache__"))
        return done.returncode, [(each.path, each.range.start.line + 1, each.code) for each in report.findings]

    return run


def test_what_compiles_passes(compiled):
    assert compiled({"pkg/__init__.py": "def f():\n    return 1\n"}) == (0, [])


def test_every_file_with_an_error_is_reported(compiled):
    code, found = compiled({"a.py": "x = = 1\n", "pkg/b.py": "def f():\n  x = 1\n    y = 2\n", "pkg/c.py": "return 1\n"})
    assert code == 1
    assert found == [("a.py", 1, "SyntaxError"), ("pkg/b.py", 3, "IndentationError"), ("pkg/c.py", 1, "SyntaxError")]


def test_files_that_cannot_be_decoded(compiled):
    code, found = compiled({"bad.py": b"x = '\xff'\n", "nul.py": b"x = 1\x00\n", "utf16.py": "x = 1\n".encode("utf-16")})
    assert code == 1
    assert [path for path, _, _ in found] == ["bad.py", "nul.py", "utf16.py"]
    assert {kind for _, _, kind in found} <= {"SyntaxError", "ValueError"}


def test_declared_encodings_and_warnings_are_fine(compiled):
    assert compiled({"latin.py": b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "warns.py": "x = '\\d'\nassert (1, 'x')\n"}) == (0, [])


@pytest.mark.parametrize(
    "folder", [".venv", "node_modules", "tests/data", "tests/fixtures", "build/lib", "{{name}}", "custom", "templates"]
)
def test_what_is_not_the_workspaces_code_is_left_out(compiled, folder):
    files = {f"{folder}/broken.py": "x = = 1\n"}
    if folder == "custom":
        files["custom/pyvenv.cfg"] = ""
    assert compiled(files) == (0, [])


@pytest.mark.parametrize("name", ["data", "build", "templates"])
def test_packages_with_such_names_are_its_code(compiled, name):
    code, found = compiled({f"pkg/{name}/__init__.py": "", f"pkg/{name}/broken.py": "x = = 1\n"})
    assert (code, found) == (1, [(f"pkg/{name}/broken.py", 1, "SyntaxError")])


def test_a_loop_of_links_and_very_deep_code(compiled, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    code, _ = compiled({"deep.py": "x = " + "(" * 150 + ")" * 150 + "\n"})
    assert code in (0, 1)


def bare(text):
    """A program's tree without docstrings and annotations."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in node.args.args:
                argument.annotation = None
        if isinstance(node, ast.FunctionDef | ast.Module):
            node.body = [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return ast.dump(tree)


def test_the_shortened_program_is_the_same_program():
    source = resources.files("suture_sandbox").joinpath("detect", "syntax_program.py").read_text(encoding="utf-8")
    assert bare(programs.syntax()) == bare(source)


def test_the_program_is_short_enough_to_be_shown():
    text = programs.syntax()
    assert len(text) < 1600
    assert '"""' not in text
    assert "noqa" not in text
    assert "\n\n" not in text


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ('"""Doc.\n\nMore."""\n\nimport os  # noqa: X\n\n\nx = 1\n', "import os\nx = 1\n"),
        ('def f(a: str, b: bool) -> bool:\n    """Doc."""\n    return b\n', "def f(a, b):\n    return b\n"),
        ("x = '#'\n", "x = '#'\n"),
    ],
)
def test_what_is_taken_out(text, short):
    assert programs.compact(text) == short


def test_names_and_texts_outside_of_the_streams_encoding(compiled, tmp_path):
    (tmp_path / "odd.py").write_bytes("x = '\U0001f600' = 1\n".encode())
    code, found = compiled({"caf\u00e9.py": "x = = 1\n"})
    assert code == 1
    assert found == [("caf\u00e9.py", 1, "SyntaxError"), ("odd.py", 1, "SyntaxError")]
