"""Detection in small layouts: which checks are found, with which commands, and what the notes say."""

from __future__ import annotations

import sys

import pytest

from suture_sandbox.detect import LANGUAGES, detect
from suture_sandbox.detect.configuration import read_configuration
from suture_sandbox.reports.parsers import PARSERS

TEST = "def test_a():\n    assert True\n"
UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
NOTHING: dict[str, str] = {}


def has(check, *words):
    """Whether the words stand in the command one after the other."""
    command = check.command
    return any(command[index : index + len(words)] == words for index in range(len(command)))


def test_a_flat_module_with_a_test(checks):
    found = checks({"calc.py": "x = 1\n", "test_calc.py": TEST})
    assert list(found) == ["build", "tests"]
    tests = found["tests"]
    assert tests.command[:3] == ("python", "-m", "pytest")
    assert "--junitxml={report}" in tests.command
    assert has(tests, "-o", "junit_family=xunit1")
    assert (tests.report, tests.selectable, tests.tool, tests.kind) == ("pytest", True, "pytest", "tests")


def test_every_report_has_a_parser_and_every_tool_is_named(found):
    files = {"a.py": "", "test_a.py": TEST, "mypy.ini": "[mypy]\n", "ruff.toml": "", "pyrightconfig.json": "{}"}
    detection = found(files)
    assert {check.report for check in detection.checks} <= set(PARSERS)
    assert [check.kind for check in detection.checks] == ["build", "lint", "types", "types", "tests"]
    assert [check.name for check in detection.checks] == ["build", "lint", "types", "types-pyright", "tests"]
    assert len({check.name for check in detection.checks}) == len(detection.checks)
    assert detection.language == "python"


def test_a_src_layout_that_is_not_installed_is_importable(checks):
    found = checks({"src/pkg/__init__.py": "", "tests/test_a.py": TEST, "pyproject.toml": '[project]\nname = "My.Pkg"\n'})
    assert has(found["tests"], "-o", "pythonpath=src")


def test_an_installed_src_layout_is_left_alone(checks):
    files = {"src/pkg/__init__.py": "", "tests/test_a.py": TEST, "pyproject.toml": '[project]\nname = "My.Pkg"\n'}
    found = checks(files, {"pytest": "9.2.0", "my-pkg": "1.0"})
    assert not any(word.startswith("pythonpath") for word in found["tests"].command)


def test_the_owners_pythonpath_is_left_alone(checks):
    files = {"src/pkg/__init__.py": "", "tests/test_a.py": TEST, "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n'}
    assert not any(word.startswith("pythonpath") for word in checks(files)["tests"].command)


@pytest.mark.parametrize(
    "configuration",
    [
        {"pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["lib"]\n'},
        {"pyproject.toml": '[tool.setuptools]\npackage-dir = {"" = "lib"}\n'},
        {"pyproject.toml": '[tool.poetry]\nname = "x"\npackages = [{ include = "pkg", from = "lib" }]\n'},
        {"setup.cfg": "[options]\npackage_dir =\n    = lib\n"},
        {"setup.cfg": "[options.packages.find]\nwhere = lib\n"},
    ],
)
def test_other_source_folders_are_read_from_the_builds_settings(checks, configuration):
    found = checks({"lib/pkg/__init__.py": "", "tests/test_a.py": TEST, **configuration})
    assert has(found["tests"], "-o", "pythonpath=lib")


def test_tests_inside_the_package(checks):
    found = checks({"pkg/__init__.py": "", "pkg/tests/__init__.py": "", "pkg/tests/test_a.py": TEST})
    assert "tests" in found
    assert not any(word.startswith("pythonpath") for word in found["tests"].command)


def test_without_tests_importing_the_packages_is_checked(found):
    detection = found({"pkg/__init__.py": "", "script.py": "raise SystemExit\n", "docs/__init__.py": ""})
    assert [check.name for check in detection.checks] == ["build", "import"]
    program = detection.checks[1].command[2]
    assert "'pkg'" in program
    assert "script" not in program
    assert "docs" not in program
    assert "tests: left out, no file has a test's name" in detection.notes


def test_scripts_alone_are_only_compiled(found):
    assert [check.name for check in found({"script.py": "x = 1\n"}).checks] == ["build"]


def test_a_folder_without_python_has_no_language(found):
    detection = found({"README.md": "hello"})
    assert detection.checks == ()
    assert detection.language == ""
    assert detection.notes


def test_pytest_configured_without_a_test_file(found):
    detection = found({"a.py": "", "pytest.ini": "[pytest]\n"})
    assert "tests" not in {check.name for check in detection.checks}
    assert "tests: left out, pytest is configured in pytest.ini, but no file has a test's name" in detection.notes


def test_own_names_of_test_files_count(checks):
    files = {"a.py": "", "check_a.py": TEST, "pyproject.toml": '[tool.pytest.ini_options]\npython_files = ["check_*.py"]\n'}
    assert "tests" in checks(files)


def test_doctests_count(checks):
    assert "tests" in checks({"a.py": "", "pytest.ini": "[pytest]\naddopts = --doctest-modules\n"})


def test_pytest_that_is_not_installed_is_noted(found):
    detection = found({"test_a.py": TEST}, NOTHING)
    assert [check.name for check in detection.checks] == ["build"]
    assert any("pytest is not installed" in note for note in detection.notes)


def test_setup_cfg_alone(checks):
    text = "[metadata]\nname = x\n[tool:pytest]\naddopts = -x\n[mypy]\nfiles = x.py\n[flake8]\nmax-line-length = 100\n"
    found = checks({"x.py": "", "test_x.py": TEST, "setup.cfg": text})
    assert list(found) == ["build", "lint", "types", "tests"]
    assert found["lint"].report == "generic"
    assert found["lint"].command[2] == "flake8"
    assert found["types"].command[-1] == "--show-error-end"  # no targets: the configuration names the files
    assert has(found["tests"], "-o", "addopts=")


def test_mypy_ini(checks):
    found = checks({"pkg/__init__.py": "", "tool.py": "", "setup.py": "", "tests/test_a.py": TEST, "mypy.ini": "[mypy]\nstrict = True\n"})
    assert found["types"].command[-2:] == ("pkg", "tool.py")
    assert has(found["types"], "--no-incremental", "--cache-dir=/dev/null")


@pytest.mark.parametrize("key", ['files = "a.py"', 'packages = ["a"]', 'modules = ["a"]'])
def test_mypy_targets_of_the_owner(checks, key):
    found = checks({"a.py": "", "pyproject.toml": f"[tool.mypy]\n{key}\n"})
    assert "a.py" not in found["types"].command
    assert "." not in found["types"].command


def test_mypy_path_is_no_target(checks):
    found = checks({"src/pkg/__init__.py": "", "pyproject.toml": '[tool.mypy]\nmypy_path = "src"\n'})
    assert found["types"].command[-1] == "src"


def test_mypy_among_the_development_dependencies(found):
    files = {"a.py": "", "pyproject.toml": '[dependency-groups]\ndev = ["mypy>=1", {include-group = "x"}]\n'}
    detection = found(files)
    assert "types" in {check.name for check in detection.checks}
    assert any("the development dependencies" in note for note in detection.notes)


@pytest.mark.parametrize(
    "configuration",
    [
        {"pyproject.toml": '[project.optional-dependencies]\ndev = ["MyPy"]\n'},
        {"pyproject.toml": '[tool.poetry.group.dev.dependencies]\nmypy = "^1"\n'},
        {"pyproject.toml": '[tool.poetry.dev-dependencies]\nmypy = "^1"\n'},
        {"pyproject.toml": '[tool.uv]\ndev-dependencies = ["mypy"]\n'},
        {"pyproject.toml": '[tool.pdm.dev-dependencies]\nlint = ["mypy"]\n'},
        {"requirements-dev.txt": "# tools\nmypy==1.0\n"},
        {".pre-commit-config.yaml": "repos:\n  - repo: x\n    hooks:\n      - id: mypy\n"},
    ],
)
def test_other_ways_to_say_that_mypy_is_used(checks, configuration):
    assert "types" in checks({"a.py": "", **configuration})


def test_mypy_that_nobody_asked_for_is_left_out(found):
    detection = found({"a.py": ""})
    assert "types: left out, neither mypy nor pyright is configured" in detection.notes


def test_pyright_alone_is_types(checks):
    found = checks({"a.py": "", "pyrightconfig.json": '// comments are allowed\n{"include": ["a.py"],}\n'})
    assert found["types"].tool == "pyright"
    assert found["types"].command == ("python", "-m", "pyright", "--outputjson")


def test_basedpyright(checks):
    found = checks({"a.py": "", "pyproject.toml": "[tool.basedpyright]\n"}, {"basedpyright": "1.30"})
    assert found["types"].command == ("python", "-m", "basedpyright", "--outputjson")


def test_mypy_missing_and_pyright_there(found):
    detection = found({"a.py": "", "pyproject.toml": "[tool.mypy]\n[tool.pyright]\n"}, {"pyright": "1.1"})
    assert [check.name for check in detection.checks] == ["build", "types"]
    assert any("mypy is configured in pyproject.toml, but not installed" in note for note in detection.notes)


@pytest.mark.parametrize("name", ["ruff.toml", ".ruff.toml"])
def test_ruff_toml(checks, name):
    lint = checks({"a.py": "", name: "line-length = 100\n"})["lint"]
    assert lint.report == "ruff"
    assert has(lint, "--output-format=json", "--no-cache", "--no-fix")


def test_ruff_as_a_formatter_only_is_no_linter(found):
    assert "lint" not in {
        check.name for check in found({"a.py": "", "pyproject.toml": "[tool.ruff.format]\nquote-style='single'\n"}).checks
    }


def test_ruff_missing_is_noted(found):
    detection = found({"a.py": "", "ruff.toml": ""}, NOTHING)
    assert any("ruff is configured in ruff.toml, but not installed" in note for note in detection.notes)


def test_unittest_from_packages_is_selectable(checks):
    tests = checks({"m.py": "", "tests/__init__.py": "", "tests/test_m.py": UNITTEST}, NOTHING)["tests"]
    assert (tests.command, tests.selectable, tests.report) == (("python", "-m", "unittest", "-v"), True, "unittest")


def test_unittest_from_a_plain_folder_is_discovered_there(checks):
    tests = checks({"m.py": "", "tests/test_m.py": UNITTEST}, NOTHING)["tests"]
    assert tests.command == ("python", "-m", "unittest", "discover", "-v", "-s", "tests")
    assert not tests.selectable


def test_unittest_with_names_that_end_in_test(checks):
    tests = checks({"m_test.py": UNITTEST}, NOTHING)["tests"]
    assert tests.command == ("python", "-m", "unittest", "discover", "-v", "-p", "*_test.py")


def test_unittest_in_a_src_layout(checks):
    tests = checks({"src/pkg/__init__.py": "", "tests/__init__.py": "", "tests/test_m.py": UNITTEST}, NOTHING)["tests"]
    assert tests.command[:2] == ("python", "-c")
    assert "sys.path[:0] = ['src']" in tests.command[2]


def test_pytest_runs_unittest_classes_where_it_is_installed(checks):
    assert checks({"tests/test_m.py": UNITTEST})["tests"].tool == "pytest"


@pytest.mark.parametrize(
    "broken",
    [
        b"[tool.pytest\n", b"\xff\xfe[\x00t\x00", b"\x00\x01", b"a = 1\na = 2\n", "x = '\ud7ff'\n".encode("utf-16"), b"tool = 3\n",
        b"tool.mypy = 3\ntool.pytest = []\nproject = 'x'\n", b"[tool.poetry]\npackages = 3\ngroup = 4\n[build-system]\nrequires = [1]\n",
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_broken_pyproject_is_noted_and_the_rest_goes_on(found, broken):
    detection = found({"a.py": "", "test_a.py": TEST, "pyproject.toml": broken})
    assert {"build", "tests"} <= {check.name for check in detection.checks}


def test_a_broken_pyproject_says_what_is_wrong(found):
    detection = found({"a.py": "", "pyproject.toml": "[tool.pytest\n"})
    assert any(note.startswith("pyproject.toml cannot be read, so it is taken as empty: ") for note in detection.notes)


def test_a_broken_ini_file_is_noted_and_what_can_be_read_counts(found):
    detection = found({"a.py": "", "setup.cfg": "[mypy]\nstrict = True\n)(\n=\n"})
    assert any(note.startswith("setup.cfg cannot be read as a whole") for note in detection.notes)


def test_byte_order_marks_are_no_trouble(checks):
    found = checks({"a.py": b"\xef\xbb\xbfx = 1\n", "pyproject.toml": b"\xef\xbb\xbf[tool.mypy]\n", "ruff.toml": b"\xef\xbb\xbf"})
    assert list(found) == ["build", "lint", "types"]


def test_a_repository_of_several_projects(checks):
    files = {
        "one/pyproject.toml": '[project]\nname = "one"\n', "one/src/one/__init__.py": "", "one/tests/test_a.py": TEST,
        "two/setup.py": "", "two/two/__init__.py": "", "two/tests/test_a.py": TEST,
    }  # fmt: skip
    found = checks(files)
    assert list(found) == ["build", "tests-one", "tests-two"]
    assert has(found["tests-one"], "-o", "pythonpath=one/src", "-o", "testpaths=one")
    assert has(found["tests-two"], "-o", "pythonpath=two", "-o", "testpaths=two")


def test_one_project_in_a_folder_below(checks):
    found = checks({"app/pyproject.toml": "", "app/src/m.py": "", "app/tests/test_a.py": TEST})
    assert has(found["tests"], "-o", "pythonpath=app/src")
    assert not any(word.startswith("testpaths") for word in found["tests"].command)


def test_equal_names_of_test_files_need_another_import_mode(checks):
    assert "--import-mode=importlib" in checks({"a/test_x.py": TEST, "b/test_x.py": TEST})["tests"].command
    packages = {"a/__init__.py": "", "b/__init__.py": "", "a/test_x.py": TEST, "b/test_x.py": TEST}
    assert "--import-mode=importlib" not in checks(packages)["tests"].command


def test_a_repository_of_several_projects_with_its_own_configuration_is_left_alone(checks):
    files = {"pytest.ini": "[pytest]\n", "one/pyproject.toml": "", "one/tests/test_a.py": TEST, "two/tests/test_a.py": TEST}
    command = checks(files)["tests"].command
    assert not any(word.startswith(("pythonpath", "--import-mode")) for word in command)


@pytest.mark.parametrize("folder", [".venv", "env", "node_modules", ".tox/py", "x.egg-info", "build", "site-packages", "custom"])
def test_environments_and_outputs_are_not_the_workspace(found, folder):
    files = {"a.py": "", f"{folder}/lib/test_x.py": TEST}
    if folder == "custom":
        files["custom/pyvenv.cfg"] = ""
    assert "tests" not in {check.name for check in found(files).checks}


@pytest.mark.parametrize("name", ["build", "dist", "env"])
def test_a_package_with_the_name_of_an_output_is_the_workspaces(checks, name):
    assert "tests" in checks({"pkg/__init__.py": "", f"pkg/{name}/__init__.py": "", f"pkg/{name}/test_x.py": TEST})


def test_loops_of_links_end(workspace):
    root = workspace({"a.py": "", "deep/test_a.py": TEST})
    (root / "deep" / "loop").symlink_to(root, target_is_directory=True)
    (root / "dangling.py").symlink_to(root / "nowhere")
    (root / "pytest.ini").symlink_to(root / "pytest.ini")
    assert {check.name for check in detect(root, installed={"pytest": "9.2.0"}).checks} == {"build", "tests"}


def test_a_large_workspace_is_looked_at_in_part(workspace):
    root = workspace({f"p{index:02}/m.py": "" for index in range(30)})
    configuration = read_configuration(root, most_files=10)
    assert len(configuration.files) == 11
    assert configuration.notes == ("the workspace is large: only its first 11 Python files were looked at",)


def test_a_folder_that_cannot_be_read_is_no_error(workspace):
    root = workspace({"a.py": "", "closed/b.py": ""})
    (root / "closed").chmod(0)
    try:
        assert detect(root, installed={}).checks
    finally:
        (root / "closed").chmod(0o755)


def test_nothing_of_the_workspace_is_run(workspace):
    evil = "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n"
    names = ("setup.py", "conftest.py", "noxfile.py", "pkg/__init__.py", "test_a.py", "sitecustomize.py")
    root = workspace({**dict.fromkeys(names, evil), "setup.cfg": "[mypy]\nplugins = pkg\n"})
    before = set(sys.modules)
    detect(root, installed={"pytest": "9.2.0", "mypy": "2.0"})
    assert not (root / "ran").exists()
    assert not any(name in ("pkg", "conftest", "noxfile") for name in set(sys.modules) - before)


WHEEL = '[build-system]\nrequires = ["setuptools>=61", "tomli; python_version < \'3\'"]\nbuild-backend = "setuptools.build_meta"\n'
ASKED = "[tool.suture.checks.wheel]\n"


@pytest.mark.parametrize(
    "files", [{"pyproject.toml": WHEEL + ASKED}, {"pyproject.toml": WHEEL, "suture.toml": "[checks.wheel]\ntimeout = 9\n"}]
)
def test_a_wheel_is_built_where_the_settings_ask_for_it(found, files):
    detection = found({"a.py": "", **files})
    (check,) = [check for check in detection.checks if check.name == "wheel"]
    assert check.command == ("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist")
    assert (check.kind, check.report) == ("build", "build")
    assert "wheel: suture's settings ask for it" in detection.notes


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": WHEEL},
        {"setup.py": "", "Makefile": "dist:\n\tpython -m build\n"},
        {"pyproject.toml": WHEEL + ASKED + 'command = ["make", "dist"]\n'},  # then it is the settings' own check
        {"pyproject.toml": "tool.suture.checks = 3\n"},
    ],
)
def test_a_wheel_that_nobody_asked_for_is_not_built(found, files):
    detection = found({"a.py": "", **files})
    assert "wheel" not in {check.name for check in detection.checks}
    assert not any("wheel" in note for note in detection.notes)


@pytest.mark.parametrize(
    ("files", "installed", "note"),
    [
        ({"pyproject.toml": WHEEL + ASKED}, {"pip": "26"}, "wheel: left out, setuptools is not installed"),
        ({"pyproject.toml": ASKED}, {"pip": "26"}, "wheel: left out, setuptools is not installed"),
        ({"pyproject.toml": WHEEL + ASKED}, {"setuptools": "80"}, "wheel: left out, neither build nor pip is installed"),
    ],
)
def test_a_wheel_that_cannot_be_built_is_noted(found, files, installed, note):
    detection = found({"a.py": "", **files}, installed)
    assert not any(check.name == "wheel" for check in detection.checks)
    assert any(each.startswith(note) for each in detection.notes)


def test_pip_builds_the_wheel_where_build_is_missing(checks):
    found = checks({"a.py": "", "pyproject.toml": WHEEL + ASKED}, {"setuptools": "80", "pip": "26"})
    assert found["wheel"].command[:4] == ("python", "-m", "pip", "wheel")


@pytest.mark.parametrize(
    "files",
    [
        {"pyrightconfig.json": '{\n  // ours\n  "venvPath": ".", "venv" : ".venv"\n}\n'},
        {"pyproject.toml": '[tool.pyright]\nvenvPath = "."\nvenv = ".venv"\n'},
    ],
)
def test_pyright_takes_the_checks_environment_whatever_it_is_told(checks, files):
    command = checks({"a.py": "", **files})["types"].command
    assert command[:2] == ("python", "-c")
    assert "'--pythonpath', sys.executable" in command[2]
    assert "'pyright'" in command[2]
    assert command[3:] == ("--outputjson",)


@pytest.mark.parametrize(
    ("files", "targets"),
    [
        ({"mypy.ini": "[mypy]\nfiles = x\n", "setup.cfg": "[mypy]\n"}, ()),
        ({"mypy.ini": "[mypy]\n", "setup.cfg": "[mypy]\nfiles = x\n"}, ("a.py",)),
        ({"pyproject.toml": "[tool.mypy]\n", "setup.cfg": "[mypy]\nfiles = x\n"}, ("a.py",)),
        ({"pyproject.toml": "[tool.mypy]\nfiles = []\n"}, ("a.py",)),
        ({".mypy.ini": "[mypy]\npackages = a\n"}, ()),
        ({"setup.cfg": "[mypy]\nmodules = a\n"}, ()),
    ],
)
def test_mypys_targets_come_from_the_one_file_that_it_takes(checks, files, targets):
    command = checks({"a.py": "", **files})["types"].command
    assert command[command.index("--show-error-end") + 1 :] == targets


def test_mypy_on_nothing_but_tests_gets_everything(checks):
    assert checks({"tests/test_a.py": TEST, "mypy.ini": "[mypy]\n"})["types"].command[-1] == "."


def test_mypy_on_a_crowd_of_modules_gets_everything(checks):
    assert checks({**{f"m{index}.py": "" for index in range(60)}, "mypy.ini": "[mypy]\n"})["types"].command[-1] == "."


def test_flake8_alone(checks):
    lint = checks({"a.py": "", ".flake8": "[flake8]\n"}, {"flake8": "7"})["lint"]
    assert lint.command[:3] == ("python", "-m", "flake8")
    assert lint.report == "generic"


def test_ruff_wins_over_flake8(checks):
    assert checks({"a.py": "", ".flake8": "[flake8]\n", "ruff.toml": ""})["lint"].tool == "ruff"


def test_tox_ini_alone(checks):
    found = checks({"a.py": "", "test_a.py": TEST, "tox.ini": "[tox]\n[pytest]\naddopts = -n 4 -q\n[flake8]\n"})
    assert list(found) == ["build", "lint", "tests"]
    assert has(found["tests"], "-o", "addopts=-q")


def test_files_in_utf_16_are_no_trouble(found):
    detection = found({"a.py": "x = 1\n".encode("utf-16"), "test_a.py": TEST, "setup.cfg": "[mypy]\n".encode("utf-16")})
    assert {"build", "tests"} <= {check.name for check in detection.checks}
    assert any(note.startswith("setup.cfg cannot be read") for note in detection.notes)


def test_thirty_thousand_files_that_are_not_python_are_passed_by(workspace):
    root = workspace({"a.py": "", "test_a.py": TEST})
    data = root / "aaa_data"
    data.mkdir()
    for index in range(30_000):
        (data / f"{index}.dat").touch()
    detection = detect(root, installed={"pytest": "9.2.0"})
    assert [check.name for check in detection.checks] == ["build", "tests"]


def test_a_folder_of_more_entries_than_are_looked_at_is_noted(workspace):
    root = workspace({"a.py": "", "zzz/b.py": "", **{f"data/{index}.dat": "" for index in range(60)}})
    read = read_configuration(root, most_entries=50)
    assert "a.py" in read.files
    assert read.notes == ("the workspace is large: only its first 1 Python files were looked at",)


def test_python_is_the_language_that_is_known():
    assert list(LANGUAGES) == ["python"]
