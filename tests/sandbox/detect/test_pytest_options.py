"""What becomes of the owner's pytest options: which are kept, which are left out, and which the versions of pytest add."""

from __future__ import annotations

import pytest

from suture_sandbox.detect.addopts import kept_and_dropped

TEST = "def test_a():\n    assert True\n"


@pytest.mark.parametrize(
    ("words", "kept", "dropped"),
    [
        ("-ra --strict-markers", "-ra --strict-markers", ""),
        ("-x -vv", "-vv", "-x"),
        ("--maxfail=2 --maxfail 3 -q", "-q", "--maxfail=2 --maxfail 3"),
        ("--cov --cov-report=xml --cov=src --cov-fail-under 90 tests", "tests", "--cov --cov-report=xml --cov=src --cov-fail-under 90"),
        ("-n auto --dist loadfile -v", "-v", "-n auto --dist loadfile"),
        ("-n4 -nauto", "", "-n4 -nauto"),
        ("--lf --ff --nf --sw --pdb", "", "--lf --ff --nf --sw --pdb"),
        ("-p no:warnings -W error", "-p no:warnings -W error", ""),
        ("-m 'not slow' -k 'a and b'", "-m 'not slow' -k 'a and b'", ""),
        ("--import-mode=importlib --doctest-modules", "--import-mode=importlib --doctest-modules", ""),
        ("--nothing-known --nose", "--nothing-known --nose", ""),
        ("--junitxml=out.xml --html report.html", "", "--junitxml=out.xml --html report.html"),
        ("--cov -v", "-v", "--cov"),
        ("", "", ""),
    ],
)
def test_what_is_left_out(words, kept, dropped):
    import shlex

    assert kept_and_dropped(shlex.split(words)) == (shlex.split(kept), shlex.split(dropped))


def addopts(checks, files):
    command = checks({"test_a.py": TEST, **files})["tests"].command
    return next((word.removeprefix("addopts=") for word in command if word.startswith("addopts=")), None)


@pytest.mark.parametrize(
    "files",
    [
        {"pytest.ini": "[pytest]\naddopts = -x -ra\n"},
        {".pytest.ini": "[pytest]\naddopts =\n    -x\n    -ra\n"},
        {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-x -ra"\n'},
        {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["-x", "-ra"]\n'},
        {"pyproject.toml": '[tool.pytest]\naddopts = ["-x", "-ra"]\n'},
        {"pytest.toml": '[pytest]\naddopts = ["-x", "-ra"]\n'},
        {"tox.ini": "[tox]\n[pytest]\naddopts = -x -ra\n"},
        {"setup.cfg": "[tool:pytest]\naddopts = -x -ra\n"},
    ],
)
def test_options_are_read_wherever_pytest_reads_them(checks, files):
    assert addopts(checks, files) == "-ra"


def test_the_file_that_decides_is_pytests_own_choice(checks):
    files = {
        "pytest.ini": "[pytest]\n",
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-x"\n',
        "setup.cfg": "[tool:pytest]\naddopts = -x\n",
    }
    assert addopts(checks, files) is None


def test_options_without_harm_are_not_touched(checks):
    assert addopts(checks, {"pytest.ini": "[pytest]\naddopts = -ra -m 'not slow'\n"}) is None


def test_quoting_survives(checks):
    assert addopts(checks, {"pytest.ini": "[pytest]\naddopts = -x -m 'not slow'\n"}) == "-m 'not slow'"


def test_options_that_cannot_be_split_are_left_to_pytest(checks):
    assert addopts(checks, {"pytest.ini": "[pytest]\naddopts = -x 'open\n"}) is None


def test_what_is_left_out_is_noted(found):
    detection = found({"test_a.py": TEST, "pytest.ini": "[pytest]\naddopts = --cov=src -n auto\n"})
    assert "tests: of addopts these are left out: --cov=src -n auto" in detection.notes


def test_a_configured_cache_folder_keeps_the_cache_plugin(checks):
    command = checks({"test_a.py": TEST, "pytest.ini": "[pytest]\ncache_dir = .c\n"})["tests"].command
    assert "no:cacheprovider" not in command


def test_plugins_that_shuffle_or_paint_are_off(checks):
    command = checks({"test_a.py": TEST}, {"pytest": "9.2.0", "pytest-randomly": "3", "pytest-sugar": "1"})["tests"].command
    assert "no:randomly" in command
    assert "no:sugar" in command


def test_a_shuffling_plugin_with_options_gets_a_fixed_order_instead(checks):
    files = {"test_a.py": TEST, "pytest.ini": "[pytest]\naddopts = --randomly-seed=1\n"}
    command = checks(files, {"pytest": "9.2.0", "pytest-randomly": "3"})["tests"].command
    assert "no:randomly" not in command
    assert "--randomly-dont-reorganize" in command


@pytest.mark.parametrize(
    ("version", "lines", "hangs"),
    [("9.2.0", True, True), ("8.4.1", True, False), ("8.0.0", False, False), ("7.4", False, False), ("unknown", False, False)],
)
def test_options_of_newer_versions(checks, version, lines, hangs):
    command = checks({"test_a.py": TEST}, {"pytest": version})["tests"].command
    assert ("verbosity_test_cases=1" in command) is lines
    assert ("faulthandler_exit_on_timeout=true" in command) is hangs


def test_the_owners_time_for_hanging_tests_is_kept(checks):
    command = checks({"test_a.py": TEST, "pytest.ini": "[pytest]\nfaulthandler_timeout = 900\n"})["tests"].command
    assert not any(word.startswith("faulthandler") for word in command)
