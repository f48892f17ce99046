"""pytest's reports: recorded runs of one suite that fails in every way, in all the shapes that pytest can write."""

from __future__ import annotations

import pytest

from suture_sandbox.text import Position, Range, split_lines

FILE = "tests/unit/test_calc.py"
FAILED = (
    "test_add",
    "test_param[1]",
    "test_param[x y]",
    "test_param[a::b]",
    "test_param[\\xe9]",
    "test_param[a[b]]",
    "test_param[a.b]",
    "test_param[\\n]",
    "test_deep",
    "test_boom",
    "test_group",
    "test_raises",
    "test_dict",
    "test_xpass_strict",
    "TestClass::TestInner::test_in",
    "Old::test_eq",
    "Old::test_sub",
    "test_async",
    "test_exit",
    "test_subtests",
)
OUTCOMES = {
    **{f"{FILE}::{name}": "failed" for name in FAILED},
    **{f"{FILE}::{name}": "error" for name in ("test_setup", "test_teardown", "test_both")},
    **{f"{FILE}::{name}": "passed" for name in ("test_xpass", "TestClass::test_ok")},
    f"{FILE}::test_skip": "skipped",
    f"{FILE}::test_xfail": "xfailed",
}


def outcomes(report):
    return {test.id: test.outcome for test in report.tests}


def finding_of(report, name):
    return next(finding for finding in report.findings if finding.test == f"{FILE}::{name}")


@pytest.mark.parametrize("xml", ["report.xml", "xunit2.xml", "long.xml", "native.xml"])
def test_every_outcome_has_the_id_that_pytest_takes(read, sample, xml):
    report = read("junit", "suite", report=sample(f"suite/{xml}"))
    assert report.complete
    assert outcomes(report) == OUTCOMES


@pytest.mark.parametrize("text", ["stdout.txt", "long.txt"])
def test_the_text_alone_gives_the_same_outcomes(read, sample, text):
    report = read("pytest-text", "suite", stdout=sample(f"suite/{text}"))
    assert report.complete
    assert outcomes(report) == OUTCOMES


@pytest.mark.parametrize("parser", ["junit", "pytest", "pytest-text"])
def test_each_failure_is_where_it_happened(read, sample, parser):
    report = read(parser, "suite", stdout=sample("suite/stdout.txt"), report=sample("suite/report.xml"))
    places = {
        name: (finding.path, finding.range.start.line + 1, finding.code)
        for name in FAILED
        for finding in [finding_of(report, name)]
        if not name.startswith("test_param[")
    }
    lines = {"test_xpass_strict": places["test_xpass_strict"][1]}
    assert lines["test_xpass_strict"] in (69, 70)  # the decorator's line in the report, the function's in the text
    assert places == {
        "test_add": (FILE, 8, "AssertionError"),
        "test_deep": ("pkg/calc.py", 6, "RecursionError"),
        "test_boom": ("pkg/calc.py", 13, "ValueError"),
        "test_group": ("pkg/calc.py", 17, "ExceptionGroup"),
        "test_raises": (FILE, 29, "Failed"),
        "test_dict": (FILE, 33, "AssertionError"),
        "test_xpass_strict": (FILE, lines["test_xpass_strict"], "Failed"),
        "TestClass::TestInner::test_in": (FILE, 83, "AssertionError"),
        "Old::test_eq": (FILE, 91, "AssertionError"),
        "Old::test_sub": (FILE, 96, "AssertionError"),
        "test_async": (FILE, 99, "Failed"),
        "test_exit": (FILE, 104, "SystemExit"),
        "test_subtests": (FILE, 110, "AssertionError"),
    }


def test_a_failed_assertion_tells_its_values_and_covers_its_line(read, sample):
    report = read("pytest", "suite", stdout=sample("suite/stdout.txt"), report=sample("suite/report.xml"))
    finding = finding_of(report, "test_add")
    assert finding.message == "AssertionError: sum is wrong\nassert 0 == 4"
    assert finding.range == Range(Position(7, 4), Position(7, 37))
    assert 'assert total == 4, "sum is wrong"' in finding.detail
    assert finding.check == "c"
    assert finding.severity == "error"


def test_the_frames_of_the_workspace_are_related_outermost_first(read, sample):
    report = read("junit", "suite", report=sample("suite/report.xml"))
    deep = [(place.path, place.range.start.line + 1, place.message) for place in finding_of(report, "test_deep").related]
    assert deep == [(FILE, 17, "test_deep"), ("pkg/calc.py", 6, "deep")]  # the repeated frame once
    boom = [(place.path, place.range.start.line + 1, place.message) for place in finding_of(report, "test_boom").related]
    assert boom == [("pkg/calc.py", 11, "boom"), (FILE, 21, "test_boom"), ("pkg/calc.py", 13, "boom")]  # a chain: its cause first


def test_a_failing_set_up_and_tear_down_are_findings_of_their_test(read, sample):
    report = read("junit", "suite", report=sample("suite/report.xml"))
    assert finding_of(report, "test_setup").message == "RuntimeError: fixture"
    both = [finding.message for finding in report.findings if finding.test == f"{FILE}::test_both"]
    assert both == ["assert 0", "RuntimeError: teardown"]


def test_each_failed_subtest_is_a_finding_and_their_sum_is_not(read, sample):
    for parser in ("junit", "pytest-text"):
        report = read(parser, "suite", report=sample("suite/report.xml"), stdout=sample("suite/stdout.txt"))
        if parser == "pytest-text":
            report = read(parser, "suite", stdout=sample("suite/stdout.txt"))
        messages = [finding.message for finding in report.findings if finding.path == FILE and finding.range.start.line + 1 in (96, 110)]
        assert messages == ["AssertionError: 0 != 1", "AssertionError: 2 != 1", "assert 1 == 0"]
        assert not any("failed subtest" in finding.message for finding in report.findings)


@pytest.mark.parametrize("parser", ["pytest", "pytest-text"])
def test_modules_that_cannot_be_collected(read, sample, parser):
    report = read(parser, "suite", stdout=sample("suite/stdout.txt"), report=sample("suite/report.xml"))
    broken = {finding.path: finding for finding in report.findings if finding.path.startswith("tests/test_")}
    assert {path: (finding.code, finding.test) for path, finding in broken.items()} == {
        "tests/test_import.py": ("ModuleNotFoundError", ""),
        "tests/test_name.py": ("ImportError", ""),
        "tests/test_syntax.py": ("SyntaxError", ""),
    }
    assert broken["tests/test_syntax.py"].range == Range(Position(0, 11), Position(0, 12))  # where the caret points
    assert broken["tests/test_import.py"].message == "ModuleNotFoundError: No module named 'pkg.nothere'"
    assert not any(test.id.endswith(("test_import", "test_syntax")) for test in report.tests)


def test_the_long_style_names_functions_too(read, sample):
    report = read("pytest-text", "suite", stdout=sample("suite/long.txt"))
    boom = finding_of(report, "test_boom")
    assert (boom.path, boom.range.start.line + 1, boom.code) == ("pkg/calc.py", 13, "ValueError")
    assert boom.message == "ValueError: no a: {}"
    assert [place.message for place in finding_of(report, "test_add").related] == ["test_add"]


def test_the_native_style_is_read_as_tracebacks(read, sample):
    report = read("junit", "suite", report=sample("suite/native.xml"))
    boom = finding_of(report, "test_boom")
    assert (boom.path, boom.range.start.line + 1, boom.message) == ("pkg/calc.py", 13, "ValueError: no a: {}")


def test_colours_are_taken_out(read):
    text = "\x1b[31m____ test_a ____\x1b[0m"
    said = "\x1b[1mt.py\x1b[0m:3: in test_a\n    assert x\n\x1b[31mE   assert 1 == 2\x1b[0m\n"
    body = f"=== FAILURES ===\n{text}\n{said}=== short test summary info ===\n"
    report = read("pytest-text", {"t.py": "\n\n    assert x\n"}, stdout=f"{body}FAILED t.py::test_a - assert 1 == 2\n1 failed in 0.1s\n")
    (finding,) = report.findings
    assert (finding.test, finding.message, finding.path) == ("t.py::test_a", "assert 1 == 2", "t.py")
    assert "\x1b" not in finding.detail


def test_tests_of_one_name_in_two_files_are_told_apart(read):
    blocks = "".join(
        f"____ test_a ____\n{name}.py:1: in test_a\n    assert 0\nE   assert {value}\n" for name, value in (("b", 2), ("a", 1))
    )
    summary = "=== short test summary info ===\nFAILED a.py::test_a - assert 1\nFAILED b.py::test_a - assert 2\n2 failed in 0.1s\n"
    report = read("pytest-text", stdout=f"=== FAILURES ===\n{blocks}{summary}")
    assert {finding.test: finding.message for finding in report.findings} == {"a.py::test_a": "assert 1", "b.py::test_a": "assert 2"}


def test_what_a_test_printed_is_no_frame(read):
    block = "____ test_a ____\nt.py:1: in test_a\n    assert 0\nE   assert 0\n---- Captured stdout call ----\nu.py:9: in other\nE   lies\n"
    report = read(
        "pytest-text", stdout=f"=== FAILURES ===\n{block}=== short test summary info ===\nFAILED t.py::test_a\n1 failed in 0.1s\n"
    )
    assert [(finding.path, finding.message) for finding in report.findings] == [("t.py", "assert 0")]


@pytest.mark.parametrize(
    ("line", "identifier"),
    [
        ("FAILED t.py::test_a - assert 1 == 2", "t.py::test_a"),
        ("FAILED t.py::test_a[x - y] - assert 1", "t.py::test_a[x - y]"),
        ("FAILED t.py::test_a[x]", "t.py::test_a[x]"),
        ("FAILED t.py::test_a - KeyError: [1] - 2", "t.py::test_a"),
        ("ERROR t.py::T::test_a - boom", "t.py::T::test_a"),
        ("t.py::test_a PASSED [ 10%]", "t.py::test_a"),
        ("t.py::test_a[FAILED in x] SKIPPED (why not)", "t.py::test_a[FAILED in x]"),
        ("SUBFAILED(i=0) t.py::T::test_a - assert 0", "t.py::T::test_a"),
    ],
)
def test_ids_in_lines_of_text(read, line, identifier):
    assert [test.id for test in read("pytest-text", stdout=line).tests] == [identifier]


def test_a_test_that_is_inherited_from_another_file_keeps_the_id_of_its_class(read):
    case = '<testcase classname="tests.test_x.TestDerived" name="test_a" file="tests/base.py" line="3"/>'
    files = {"tests/test_x.py": "class TestDerived(Base): ...\n", "tests/base.py": "class Base: ...\n"}
    report = read("junit", files, report=f"<testsuite>{case}</testsuite>")
    assert [test.id for test in report.tests] == ["tests/test_x.py::TestDerived::test_a"]


def test_reports_of_other_tools(read):
    text = (
        '<testsuites><testsuite><testcase classname="com.acme.FooTest" name="adds" time="0.5"><failure message="expected 4" '
        'type="org.junit.AssertionError">at com.acme.FooTest</failure><system-out>noise</system-out></testcase>'
        '<testcase classname="com.acme.FooTest" name="skips"><skipped/></testcase></testsuite></testsuites>'
    )
    report = read("junit", report=text)
    assert [(test.id, test.outcome, test.seconds) for test in report.tests] == [
        ("com.acme.FooTest::adds", "failed", 0.5),
        ("com.acme.FooTest::skips", "skipped", 0.0),
    ]
    (finding,) = report.findings
    assert (finding.code, finding.message, finding.path) == ("AssertionError", "expected 4", "")


def test_ranges_count_utf_16_units(read):
    line = '    assert "\U0001f600" == name\n'
    body = "t.py:2: in test_a\n    assert\nE   assert 0"
    case = f'<testcase classname="t" name="test_a" file="t.py" line="0"><failure message="assert 0">{body}</failure></testcase>'
    report = read("junit", {"t.py": f"def test_a():\n{line}"}, report=f"<testsuite>{case}</testsuite>")
    assert report.findings[0].range == Range(Position(1, 4), Position(1, len(split_lines(line)[0]) + 1))


def test_frames_outside_of_the_workspace_are_left_out(read):
    frames = ("t.py:2: in test_a", "/usr/lib/json.py:5: in loads", ".venv/lib/site-packages/p.py:7: in f")
    body = "".join(f"{frame}\n    x()\n" for frame in frames) + "E   ValueError: no"
    case = f'<testcase classname="t" name="test_a" file="t.py" line="0"><failure message="m">{body}</failure></testcase>'
    (finding,) = read("junit", report=f"<testsuite>{case}</testsuite>").findings
    assert (finding.path, finding.code) == ("t.py", "ValueError")
    assert [place.path for place in finding.related] == ["t.py"]
