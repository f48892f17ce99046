"""Runs of pytest that did not come to their end, or never to their tests: recorded, without a report file."""

from __future__ import annotations

from html import escape

import pytest


@pytest.fixture
def stopped(read, sample):
    """The report of a recorded run."""
    return lambda name: read("pytest", "stops", stdout=sample(f"stops/{name}.stdout.txt"), stderr=sample(f"stops/{name}.stderr.txt"))


def test_a_test_that_hangs_is_named_and_its_loop_is_the_place(stopped):
    report = stopped("hang")
    assert not report.complete
    assert {test.id: test.outcome for test in report.tests} == {
        "test_hang.py::test_ok": "passed",
        "test_hang.py::TestA::test_hang": "error",
    }
    (finding,) = report.findings
    assert (finding.path, finding.range.start.line + 1, finding.code) == ("loop.py", 2, "Timeout")
    assert finding.test == "test_hang.py::TestA::test_hang"
    assert finding.message == "test_hang.py::TestA::test_hang did not end: Timeout (0:00:01)!"
    assert [(place.path, place.message) for place in finding.related] == [("test_hang.py", "test_hang"), ("loop.py", "spin")]


def test_a_crash_of_the_interpreter_names_its_test(stopped):
    report = stopped("segfault")
    (finding,) = report.findings
    assert (finding.test, finding.code, finding.path, finding.range.start.line + 1) == (
        "seg/test_seg.py::test_die",
        "FatalError",
        "seg/test_seg.py",
        4,
    )
    assert "Segmentation fault" in finding.message
    assert not report.complete


def test_an_exit_in_a_test_names_it_though_nothing_was_said(stopped):
    report = stopped("exit")
    (finding,) = report.findings
    assert (finding.test, finding.path, finding.range.start.line + 1) == ("ex/test_exit.py::test_die", "ex/test_exit.py", 3)
    assert [test.outcome for test in report.tests] == ["passed", "error"]


def test_a_run_that_is_killed_between_two_tests_blames_none(read):
    report = read("pytest", {"t.py": "def test_a(): ...\n"}, stdout="t.py::test_a PASSED\n")
    assert not report.complete
    assert report.findings == ()
    assert [test.id for test in report.tests] == ["t.py::test_a"]


def test_output_that_only_looks_like_a_running_test_blames_none(read):
    assert read("pytest", {"t.py": "x = 1\n"}, stdout="t.py::test_a ").findings == ()


def test_the_running_test_is_found_behind_what_it_printed(read):
    files = {"t.py": "def test_a(): ...\n"}
    assert read("pytest", files, stdout="t.py::test_a[x y] some words").findings[0].test == "t.py::test_a[x y]"
    assert read("pytest", files, stdout="t.py::test_a some words\nand more\n").findings[0].test == "t.py::test_a"


def test_a_broken_conftest(stopped):
    report = stopped("conftest")
    (finding,) = report.findings
    assert (finding.path, finding.range.start.line, finding.code) == ("conf/conftest.py", 0, "ModuleNotFoundError")
    assert finding.message == "ModuleNotFoundError: No module named 'nope_nope'"
    assert not report.complete


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("internal", ("internal/conftest.py", 2), "RuntimeError: hook"),
        ("exit_at_import", ("exitmod/test_a.py", 2), "SystemExit: 2"),
    ],
)
def test_internal_errors_are_traced_to_the_workspace(stopped, name, place, message):
    (finding,) = stopped(name).findings
    assert (finding.path, finding.range.start.line + 1) == place
    assert finding.message == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "no tests ran"),
        ("usage", "unrecognized arguments: --nope"),
        ("missing", "file or directory not found: nonexist.py"),
    ],
)
def test_runs_without_tests_say_why(stopped, name, message):
    (finding,) = stopped(name).findings
    assert (finding.path, finding.code, finding.message) == ("", "pytest", message)


def test_an_empty_report_file_is_completed_by_the_text(read, sample):
    report = read(
        "pytest", "stops", report='<testsuites><testsuite tests="0"/></testsuites>', stdout=sample("stops/missing.stdout.txt"),
        stderr=sample("stops/missing.stderr.txt"),
    )  # fmt: skip
    assert [finding.message for finding in report.findings] == ["file or directory not found: nonexist.py"]


def test_a_truncated_report_is_completed_by_the_text(read, sample):
    xml = sample("suite/report.xml")
    half = read("pytest", "suite", report=xml[: len(xml) // 2], stdout=sample("suite/stdout.txt"))
    whole = read("pytest", "suite", report=xml, stdout=sample("suite/stdout.txt"))
    assert not half.complete
    assert {test.id for test in half.tests} == {test.id for test in whole.tests}
    assert len({finding.test for finding in half.findings}) == len({finding.test for finding in whole.findings})


def test_silence_is_not_complete(read):
    report = read("pytest")
    assert not report.complete
    assert report.findings == ()
    assert report.tests == ()


def test_an_error_about_a_plugin_stands_at_the_hook_that_it_names(read):
    said = "pluggy._manager.PluginValidationError: unknown hook 'pytest_none' in plugin <module 'conftest' from '/w/tests/conftest.py'>"
    files = {"tests/conftest.py": "import os\n\n\ndef pytest_none():\n    pass\n"}
    lines = ["Traceback (most recent call last):", '  File "/lib/python3.11/site-packages/p.py", line 1, in f', said]
    text = "".join(f"INTERNALERROR> {line}\n" for line in lines)
    error = f'<error message="internal error">{escape(chr(10).join(lines))}</error>'
    report = f'<testsuites><testsuite tests="1" errors="1"><testcase name="internal">{error}</testcase></testsuite></testsuites>'
    for (finding,) in (read("pytest", files, stdout=text).findings, read("junit", files, report=report).findings):
        assert (finding.path, finding.range.start.line + 1, finding.code) == ("tests/conftest.py", 4, "PluginValidationError")
    elsewhere = text.replace("/w/tests/conftest.py", "/lib/python3.11/site-packages/other.py")
    assert not read("pytest", files, stdout=elsewhere).findings[0].path.startswith("tests")
