"""Reading a workspace's configuration as data: what is told from which file, and that nothing in it is an error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_sandbox.detect import detect
from suture_sandbox.detect.configuration import TOML_FILES, development_dependencies, find_table, read_configuration, texts
from suture_sandbox.detect.layout import by_project, files_of_tests, import_path, packages_in, project_name, source_folders, sources


def test_the_parts_of_a_configuration(workspace):
    root = workspace(
        {
            "pyproject.toml": "[tool.mypy]\nstrict = true\n",
            "setup.cfg": "[mypy]\nfiles = a.py\n[flake8]\n",
            ".pre-commit-config.yaml": "repos:\n- repo: x\n  hooks:\n  - id: ruff-check\n    args: [--fix]\n  - {id: other}\n",
            "a.py": "",
            "pkg/b.py": "",
        }
    )
    read = read_configuration(root)
    assert read.files == ("a.py", "pkg/b.py")
    assert read.table("tool", "mypy") == {"strict": True}
    assert read.table("tool", "nothing") is None
    assert read.table("tool", "mypy", "strict") is None
    assert read.sections["setup.cfg"]["mypy"] == {"files": "a.py"}
    assert read.section("flake8", ".flake8", "setup.cfg") == "setup.cfg"
    assert read.section("flake8", "tox.ini") == ""
    assert read.has("setup.py", "setup.cfg") == "setup.cfg"
    assert "ruff-check" in read.hooks
    assert read.notes == ()


@pytest.mark.parametrize(("value", "expected"), [("a", ["a"]), (["a", 1, "b"], ["a", "b"]), (None, []), (3, []), ({"a": 1}, []), ([], [])])
def test_texts(value, expected):
    assert texts(value) == expected


def test_tables_are_found_or_none():
    assert find_table({"a": {"b": {}}}, "a", "b") == {}
    assert find_table({"a": {"b": 1}}, "a", "b") is None
    assert find_table({"a": [1]}, "a", "b", "c") is None


def test_development_dependencies_of_every_kind_at_once(workspace):
    root = workspace(
        {
            "pyproject.toml": (
                '[dependency-groups]\na = ["One_A>=1", {include-group = "b"}]\n'
                "[project.optional-dependencies]\nb = [\"two[x]; python_version > '3'\"]\n"
                '[tool.poetry.group.dev.dependencies]\nThree = "*"\n[tool.uv]\ndev-dependencies = ["four==1"]\n'
            ),
            "requirements-dev.txt": "-r other.txt\n# comment\nfive.x~=1\n",
        }
    )
    assert development_dependencies(read_configuration(root)) == {"one-a", "two", "three", "four", "five-x"}


def test_where_code_and_tests_lie(workspace):
    code = ["setup.py", "conftest.py", "tool.py", "pkg/__init__.py", "pkg/inner/__init__.py", "src/m.py"]
    root = workspace(dict.fromkeys([*code, "tests/__init__.py", "tests/test_a.py", "a_test.py"], ""))
    read = read_configuration(root)
    assert files_of_tests(read) == ("a_test.py", "tests/test_a.py")
    assert source_folders(read) == ("src",)
    assert packages_in(read, "") == ["pkg"]
    assert packages_in(read, "pkg") == ["inner"]
    assert sources(read) == ("src", "pkg", "tool.py")
    assert import_path(read, {}) == ("src",)
    assert import_path(read, {}, "pkg") == ("pkg",)


def test_source_folders_never_lead_outside(workspace):
    root = workspace({"a.py": "", "pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["..", "/", "", ".", "../x"]\n'})
    assert source_folders(read_configuration(root)) == ()


@pytest.mark.parametrize(
    ("project", "setup", "name"),
    [
        ({"project": {"name": "My_Lib.x"}}, {}, "my-lib-x"),
        ({"tool": {"poetry": {"name": "p"}}}, {}, "p"),
        ({}, {"metadata": {"name": "s"}}, "s"),
        ({"project": {"name": 3}}, {}, ""),
        ({"project": "x", "tool": []}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_the_projects_name(project, setup, name):
    assert project_name(project, setup) == name


def test_files_belong_to_the_nearest_project(workspace):
    files = ["a/pyproject.toml", "a/tests/test_x.py", "a/b/setup.py", "a/b/test_y.py", "test_z.py", "c/test_w.py"]
    read = read_configuration(workspace(dict.fromkeys(files, "")))
    assert by_project(read, files_of_tests(read)) == {
        "a/b": ["a/b/test_y.py"],
        "a": ["a/tests/test_x.py"],
        "": ["c/test_w.py", "test_z.py"],
    }


LINES = (
    *("[tool.pytest]", "[tool.mypy]", "[tool]", "[project]", "[tool.poetry]", "[build-system]", "[pytest]", "[tool:pytest]", "[", "=", "ä"),
    *("requires = [1]", "requires = ['x y z']", "name = 3", "addopts = 3", "addopts = ['-x', 1]", 'addopts = "\'"', "packages = [1]"),
    *("packages = {}", "group = {dev = 1}", "pythonpath = 1", "files = 1", "python_files = [1]", "python_files = ['[']", "where = 1"),
    *("package-dir = 1", "ini_options = 1"),
)
WORDS = st.sampled_from(LINES)


@given(name=st.sampled_from([*TOML_FILES, "setup.cfg", "tox.ini", "pytest.ini", ".flake8"]), lines=st.lists(WORDS, max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_configuration_is_an_error(tmp_path, name, lines):
    (tmp_path / "test_a.py").write_text("")
    (tmp_path / name).write_text("\n".join(lines))
    found = detect(tmp_path, installed={"pytest": "9.2.0", "mypy": "2.0", "ruff": "0.1"})
    assert "build" in {check.name for check in found.checks}
    (tmp_path / name).unlink()
