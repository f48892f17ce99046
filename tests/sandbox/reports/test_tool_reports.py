"""unittest, mypy, pyright, ruff, SARIF, tracebacks, compilers and builds: recorded outputs and small made-up ones."""

from __future__ import annotations

import json

import pytest

from suture_sandbox.reports import ReportInput
from suture_sandbox.reports.parsers import PARSERS
from suture_sandbox.text import Position, Range


def spots(report):
    return [(finding.path, finding.range.start.line + 1, finding.code) for finding in report.findings]


def test_unittest_outcomes_have_ids_that_unittest_takes(read, sample):
    report = read("unittest", "unittest", stderr=sample("unittest/stderr.txt"))
    assert report.complete
    assert {test.id: test.outcome for test in report.tests} == {
        "test_m.T.test_add": "failed",
        "test_m.T.test_err": "error",
        "test_m.T.test_ok": "passed",
        "test_m.T.test_skip": "skipped",
        "test_m.T.test_sub": "failed",
        "test_m.T.test_xf": "xfailed",
        "test_m.T.test_xp": "xpassed",
    }


def test_unittest_failures(read, sample):
    report = read("unittest", "unittest", stderr=sample("unittest/stderr.txt"))
    found = {(finding.test, finding.path, finding.range.start.line + 1, finding.code) for finding in report.findings}
    assert found == {
        ("", "test_imp.py", 1, "ModuleNotFoundError"),
        ("", "test_m.py", 23, "RuntimeError"),
        ("", "test_syn.py", 1, "SyntaxError"),
        ("test_m.T.test_err", "m.py", 2, "TypeError"),
        ("test_m.T.test_add", "test_m.py", 6, "AssertionError"),
        ("test_m.T.test_sub", "test_m.py", 20, "AssertionError"),
        ("test_m.T.test_xp", "test_m.py", 16, "UnexpectedSuccess"),
    }
    add = next(finding for finding in report.findings if finding.test.endswith("test_add"))
    assert add.message == "AssertionError: -1 != 3"
    assert "self.assertEqual(m.add(1, 2), 3)" in add.detail


def test_unittest_of_older_pythons_prints_the_class_alone(read):
    text = (
        "test_a (tests.test_x.T) ... ok\ntest_b (tests.test_x.T) ... FAIL\n\n======\nFAIL: test_b (tests.test_x.T)\n------\n"
        'Traceback (most recent call last):\n  File "/w/tests/test_x.py", line 3, in test_b\n    self.fail()\n'
        "AssertionError: Lists differ: [1] != [2]\n\nFirst differing element 0:\n1\n2\n\n"
        "------\nRan 2 tests in 0.1s\n\nFAILED (failures=1)\n"
    )
    report = read("unittest", stderr=text)
    assert [(test.id, test.outcome) for test in report.tests] == [("tests.test_x.T.test_a", "passed"), ("tests.test_x.T.test_b", "failed")]
    assert report.findings[0].message.splitlines()[:2] == ["AssertionError: Lists differ: [1] != [2]", "First differing element 0:"]


def test_unittest_that_dies_is_not_complete(read):
    report = read("unittest", stderr="test_a (t.T.test_a) ... ok\ntest_b (t.T.test_b) ... ")
    assert not report.complete
    assert [test.id for test in report.tests] == ["t.T.test_a"]


def test_modules_of_packages_that_unittest_cannot_import_are_no_tests(read):
    text = (
        "tests.unit.test_a (unittest.loader._FailedTest.tests.unit.test_a) ... ERROR\ntest_ok (tests.test_b.T.test_ok) ... ok\n\n"
        "======\nERROR: tests.unit.test_a (unittest.loader._FailedTest.tests.unit.test_a)\n------\n"
        "ImportError: Failed to import test module: tests.unit.test_a\nTraceback (most recent call last):\n"
        '  File "/usr/lib/unittest/loader.py", line 407, in _find_test_path\n    module = self._get_module_from_name(name)\n'
        "  File \"/w/tests/unit/test_a.py\", line 2, in <module>\n    import nope\nModuleNotFoundError: No module named 'nope'\n\n\n"
        "------\nRan 2 tests in 0.0s\n\nFAILED (errors=1)\n"
    )
    report = read("unittest", stderr=text)
    assert [(test.id, test.outcome) for test in report.tests] == [("tests.test_b.T.test_ok", "passed")]
    (finding,) = report.findings
    assert (finding.path, finding.range.start.line + 1, finding.test) == ("tests/unit/test_a.py", 2, "")
    assert finding.message == "ModuleNotFoundError: No module named 'nope'"


def test_unittest_with_docstrings_and_failing_fixtures(read):
    trace = 'Traceback (most recent call last):\n  File "/w/t.py", line {0}, in {1}\n    x()\n{2}\n\n'
    text = (
        "test_a (t.T.test_a)\nSays what it does. ... FAIL\ntest_b (t.T.test_b)\nTwo lines. ... ok\n"
        "test_c (t.T.test_c)\nodd ... ok ... ERROR\n"
        "setUpClass (t.S) ... ERROR\nsetUpModule (u) ... ERROR\n\n"
        "======\nERROR: test_c (t.T.test_c)\nodd ... ok\n------\n" + trace.format(9, "test_c", "KeyError: 1")
        + "======\nERROR: setUpClass (t.S)\n------\n" + trace.format(12, "setUpClass", "ValueError: 1")
        + "======\nERROR: setUpModule (u)\n------\n" + trace.format(2, "setUpModule", "OSError: no")
        + "======\nFAIL: test_a (t.T.test_a)\nSays what it does.\n------\n" + trace.format(5, "test_a", "AssertionError: 1 != 2 : why")
        + "------\nRan 3 tests in 0.0s\n\nFAILED (failures=1, errors=3)\n"
    )  # fmt: skip
    report = read("unittest", stderr=text)
    assert {test.id: test.outcome for test in report.tests} == {"t.T.test_a": "failed", "t.T.test_b": "passed", "t.T.test_c": "error"}
    assert [(each.test, each.range.start.line + 1, each.message) for each in report.findings] == [
        ("t.T.test_c", 9, "KeyError: 1"),
        ("", 12, "ValueError: 1"),
        ("", 2, "OSError: no"),
        ("t.T.test_a", 5, "AssertionError: 1 != 2 : why"),
    ]


def test_unittest_output_of_a_test_is_no_failure(read):
    report = read("unittest", stderr="test_a (t.T.test_a) ... ERROR: not one (t.T)\nok\n\n----\nRan 1 test in 0.0s\n\nOK\n")
    assert report.findings == ()
    assert [(test.id, test.outcome) for test in report.tests] == [("t.T.test_a", "passed")]


def test_a_name_that_unittest_cannot_load(read):
    text = (
        "nope (unittest.loader._FailedTest.nope) ... ERROR\n\n======\nERROR: nope (unittest.loader._FailedTest.nope)\n------\n"
        "AttributeError: type object 'T' has no attribute 'nope'\n\n------\nRan 1 test in 0.0s\n"
    )
    report = read("unittest", stderr=text)
    assert report.tests == ()
    assert report.findings[0].message == "AttributeError: type object 'T' has no attribute 'nope'"


@pytest.mark.parametrize("name", ["mypy.txt", "mypy.json"])
def test_mypy(read, sample, name):
    report = read("mypy", "tools", stdout=sample(f"tools/{name}"))
    assert report.complete
    assert sorted(spots(report)) == [
        ("crlf.py", 4, "return-value"),
        ("m.py", 6, "assignment"),
        ("m.py", 8, "return-value"),
        ("notes.py", 2, "import-untyped"),
        ("notes.py", 6, "override"),
        ("notes.py", 8, "call-arg"),
        ("notes.py", 8, "list-item"),
        ("notes.py", 11, "arg-type"),
    ]


def test_mypy_ranges_and_notes(read, sample):
    report = read("mypy", "tools", stdout=sample("tools/mypy.txt"))
    found = {finding.code: finding for finding in report.findings if finding.path == "notes.py"}
    assert found["list-item"].range == Range(Position(7, 6), Position(7, 9))
    assert found["call-arg"].range == Range(Position(7, 0), Position(7, 19))
    assert "Liskov" in found["override"].detail
    assert found["override"].message.startswith('Argument 1 of "f" is incompatible')
    emoji = next(finding for finding in report.findings if finding.path == "crlf.py")
    assert emoji.range == Range(Position(3, 4), Position(3, 27))  # mypy's columns are wrong there: the whole line


def test_mypy_without_columns_and_with_its_own_failures(read):
    assert read("mypy", {"m.py": "  x = 1\n"}, stdout="m.py:1: error: Bad  [misc]\n").findings[0].range == Range(
        Position(0, 2), Position(0, 7)
    )
    unreadable = read("mypy", stdout="nofile.py: error: Cannot read file: No such file or directory\n")
    assert [(finding.path, finding.message) for finding in unreadable.findings] == [
        ("nofile.py", "Cannot read file: No such file or directory")
    ]
    usage = read("mypy", stderr="usage: mypy [-h]\nmypy: error: unrecognized arguments: --nope\n")
    assert not usage.complete
    assert "unrecognized arguments" in usage.findings[0].message
    plugin = 'mypy.ini: [mypy]: Unrecognized option: strikt = True\nmypy.ini:3:1: error: Error importing plugin "nope": no  [misc]\n'
    configured = read("mypy", {"mypy.ini": "[mypy]\nstrikt=True\nplugins = nope\n"}, stderr=plugin)
    assert spots(configured) == [("mypy.ini", 3, "misc")]
    assert configured.findings[0].message == 'Error importing plugin "nope": no'
    assert not configured.complete
    assert read("mypy", stdout="Can't find package 'nope'\n").findings[0].message == "Can't find package 'nope'"
    crash = 'm.py:1: error: INTERNAL ERROR -- report\nTraceback (most recent call last):\n  File "/env/x.py", line 1, in f\nKeyError: 1\n'
    assert any("INTERNAL ERROR" in finding.message for finding in read("mypy", stdout=crash).findings)
    assert read("mypy", stdout="").findings == ()


def test_pyright(read, sample):
    report = read("pyright", "tools", stdout=sample("tools/pyright.json"))
    assert spots(report) == [
        ("crlf.py", 4, "reportReturnType"),
        ("m.py", 6, "reportAssignmentType"),
        ("m.py", 8, "reportReturnType"),
        ("syn.py", 1, ""),
    ]
    assert report.findings[1].range == Range(Position(5, 24), Position(5, 28))  # UTF-16 already


def test_ruff_counts_code_points_and_its_suggestion_is_kept(read, sample):
    report = read("ruff", "tools", stdout=sample("tools/ruff.json"))
    sys_import = next(finding for finding in report.findings if "`sys`" in finding.message)
    assert sys_import.range == Range(Position(5, 37), Position(5, 40))  # one more than ruff's column: an emoji stands before it
    assert sys_import.detail == "suggested (safe): Remove unused import: `sys`"
    syntax = next(finding for finding in report.findings if finding.path == "syn.py")
    assert (syntax.code, syntax.range.start) == ("invalid-syntax", Position(0, 10))


def test_sarif_says_the_same_as_ruffs_own_format(read, sample):
    sarif = read("sarif", "tools", stdout=sample("tools/ruff.sarif"))
    ruff = read("ruff", "tools", stdout=sample("tools/ruff.json"))
    assert [(each.path, each.range, each.message) for each in sarif.findings] == [
        (each.path, each.range, each.message) for each in ruff.findings
    ]


def test_sarif_details(read):
    region = {"startLine": 2, "startColumn": 3, "endColumn": 5}
    place = {"physicalLocation": {"artifactLocation": {"uri": "src/a%20b.py"}, "region": region}, "message": {"text": "here"}}
    results = [
        {"ruleId": "R1", "level": "error", "message": {"text": "bad"}, "locations": [place], "relatedLocations": [place]},
        {"ruleId": "R2", "message": {"markdown": "*meh*"}},
        {"ruleId": "R3", "message": {"text": "hidden"}, "suppressions": [{"kind": "inSource"}]},
        {"ruleId": "R4", "message": {"text": "fine"}, "kind": "pass"},
        "nonsense",
    ]
    document = {"version": "2.1.0", "runs": [{"columnKind": "utf16CodeUnits", "results": results}]}
    report = read("sarif", {"src/a b.py": "\n\U0001f600ab\n"}, report=json.dumps(document))
    assert [(each.path, each.code, each.severity, each.message) for each in report.findings] == [
        ("src/a b.py", "R1", "error", "bad"),
        ("", "R2", "warning", "*meh*"),
        ("", "", "warning", "no message"),
    ]
    assert report.findings[0].range == Range(Position(1, 2), Position(1, 4))
    assert report.findings[0].related[0].message == "here"


@pytest.mark.parametrize("parser", ["pyright", "ruff", "sarif"])
@pytest.mark.parametrize("text", ["", "{", "[", "[{]", "null", '{"runs": 3}', '"x"', "[1, 2]", "[" * 20_000, '{"a":' * 20_000])
def test_damaged_json_is_not_complete(read, parser, text):
    report = read(parser, stdout=text)
    assert not report.complete
    assert report.findings == ()


def test_a_finding_without_a_message_has_one():
    pyright = '{"generalDiagnostics": [{"file": "/w/a.py", "message": "", "range": {"start": {"line": -3}, "end": {"line": -9}}}]}'
    ruff = '[{"filename": "/w/a.py", "message": "", "location": {"row": -1, "column": -1}, "end_location": {"row": 0, "column": 0}}]'
    for parser, text in (("pyright", pyright), ("ruff", ruff)):
        (finding,) = PARSERS[parser](ReportInput(check="c", root="/w", stdout=text)).findings
        assert (finding.message, finding.range) == ("no message", Range(Position(0, 0), Position(0, 0)))


def test_a_linter_that_cannot_start_says_why(read):
    report = read("ruff", stderr="ruff failed\n  Cause: Failed to parse /w/pyproject.toml\n")
    assert report.findings[0].message == "ruff failed\nCause: Failed to parse /w/pyproject.toml"
    assert not report.complete


def test_remarks_before_the_json_are_skipped(read):
    report = read("ruff", stdout='remark [1]\n[{"filename": "/w/a.py", "message": "m", "code": "E1", "location": {"row": 1, "column": 1}}]')
    assert spots(report) == [("a.py", 1, "E1")]


def test_a_chain_that_ends_in_a_group_is_one_finding(read, sample):
    report = read("traceback", "tools", stderr=sample("tools/chain.txt"))
    (finding,) = report.findings
    assert (finding.path, finding.range.start.line + 1, finding.code) == ("chain.py", 14, "ExceptionGroup")  # where its first member rose
    assert finding.message.startswith(
        "ExceptionGroup: eg (2 sub-exceptions)\nRecursionError: maximum recursion depth exceeded\nValueError: v"
    )
    assert [place.message for place in finding.related][:3] == ["main", "f", "f"]
    assert "[Previous line repeated 994 more times]" in finding.detail


def test_tracebacks_one_after_the_other_are_separate(read):
    one = 'Traceback (most recent call last):\n  File "/w/a.py", line {line}, in f\n    x()\n    ^^^\nKeyError: {line}\n'
    report = read("traceback", stdout=one.format(line=1) + "some log\n" + one.format(line=2))
    assert [(each.range.start.line, each.message) for each in report.findings] == [(0, "KeyError: 1"), (1, "KeyError: 2")]


def test_a_cause_is_chained(read):
    one = 'Traceback (most recent call last):\n  File "/w/a.py", line {line}, in f\n    x()\n{said}\n\n'
    link = "The above exception was the direct cause of the following exception:\n\n"
    report = read("traceback", stderr=one.format(line=1, said="KeyError: 1") + link + one.format(line=9, said="pkg.errors.Wrong: 2"))
    (finding,) = report.findings
    assert (finding.range.start.line, finding.code, finding.message) == (8, "Wrong", "pkg.errors.Wrong: 2")
    assert [place.range.start.line for place in finding.related] == [0, 8]


def test_a_traceback_that_is_cut_off_and_one_without_own_frames(read):
    cut = read("traceback", stderr='Traceback (most recent call last):\n  File "/w/a.py", line 3, in f\n    x(')
    assert cut.findings[0].message == "the traceback is cut off"
    foreign = read("traceback", stderr='Traceback (most recent call last):\n  File "/usr/lib/a.py", line 3, in f\n    x()\nOSError\n')
    assert (foreign.findings[0].path, foreign.findings[0].code) == ("", "OSError")


def test_carets_of_a_syntax_error(read):
    text = '  File "/w/a.py", line 2\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n'
    assert read("traceback", {"a.py": "if y:\n\tx = = 1\n"}, stderr=text).findings[0].range == Range(Position(1, 5), Position(1, 6))
    changed = read("traceback", {"a.py": "if y:\n\tother\n"}, stderr=text).findings[0]
    assert changed.range == Range(Position(1, 1), Position(1, 6))  # the line is not the one that was printed: all of it


def test_a_dump_of_several_threads_is_placed_in_the_workspace(read):
    text = (
        'Timeout (0:01:00)!\nThread 0x01 (most recent call first):\n  File "/w/worker.py", line 5 in work\n\n'
        'Thread 0x02 (most recent call first):\n  File "/usr/lib/x.py", line 1 in wait\n  File "/w/main.py", line 7 in run\n'
    )
    (finding,) = read("traceback", stderr=text).findings
    assert (finding.path, finding.range.start.line + 1, finding.code) == ("main.py", 7, "Timeout")


def test_compileall(read, sample):
    report = read("compileall", "tools", stdout=sample("tools/compileall.txt"))
    assert {("ind.py", 3, "IndentationError"), ("test_syn.py", 1, "SyntaxError")} <= set(spots(report))
    assert ("nul.py", 1, "SyntaxError") in spots(report)


def test_py_compile_prints_the_place_last(read):
    report = read("compileall", stderr="Sorry: IndentationError: unexpected indent (ind.py, line 3)\n")
    assert spots(report) == [("ind.py", 3, "IndentationError")]
    assert report.findings[0].message == "IndentationError: unexpected indent"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("error: invalid command 'bdist_wheel'\n", "invalid command 'bdist_wheel'"),
        ("* Building wheel...\nERROR Backend 'x' is not available.\n", ""),
        ("ERROR: Failed building wheel for x\n", "Failed building wheel for x"),
        ("  error: subprocess-exited-with-error\n  x\nERROR: Failed\n", "Failed"),
        ("  error: subprocess-exited-with-error\n", "subprocess-exited-with-error"),
        (
            "      configuration error: `project.version` must be pep440\n  error: metadata-generation-failed\n",
            "`project.version` must be pep440",
        ),
    ],
)
def test_build_failures_without_a_traceback(read, text, message):
    findings = read("build", stderr=text).findings
    assert [finding.message for finding in findings] == ([message] if message else [])


PIP = """\
  error: subprocess-exited-with-error

  x Preparing metadata (pyproject.toml) did not run successfully.
  │ exit code: 1
  ╰─> [21 lines of output]
      Traceback (most recent call last):
        File "/env/lib/python3.11/site-packages/pip/_vendor/pyproject_hooks/_in_process.py", line 406, in <module>
          main()
        File "/env/lib/python3.11/site-packages/hatchling/metadata/core.py", line 553, in readme
          raise OSError(message)
      OSError: Readme file does not exist: NO.md
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: metadata-generation-failed
"""


def test_what_a_build_backend_raises_is_told(read):
    (finding,) = read("build", stdout=PIP).findings
    assert (finding.path, finding.code, finding.message) == ("", "OSError", "OSError: Readme file does not exist: NO.md")
    assert "hatchling/metadata/core.py" in finding.detail


def test_compiling_in_a_build_is_told(read):
    text = "running build_py\n*** Error compiling 'build/lib/a.py'...\nSorry: IndentationError: unexpected indent (a.py, line 3)\n"
    assert spots(read("build", stdout=text)) == [("a.py", 3, "IndentationError")]


def test_build_failures_in_the_workspaces_own_setup(read):
    frame = 'Traceback (most recent call last):\n  File "/w/setup.py", line 4, in <module>\n    boom()\n'
    text = frame + "NameError: name 'boom' is not defined\nERROR: x\n"
    assert spots(read("build", stderr=text)) == [("setup.py", 4, "NameError")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a.py:3:5: error: wrong thing", ("a.py", 2, 4, "error", "", "wrong thing")),
        ("a.py:3: warning: careful", ("a.py", 2, 0, "warning", "", "careful")),
        ("./src/a.py:3:5: E501 line too long", ("src/a.py", 2, 4, "error", "E501", "line too long")),
        ("/w/a.c:10:2: fatal error: no.h: No such file", ("a.c", 9, 1, "error", "", "no.h: No such file")),
        ("src/x.ts(12,5): error TS2322: Type 'a'", ("src/x.ts", 11, 4, "error", "TS2322", "Type 'a'")),
        ('File "a.py", line 7: warning: odd', ("a.py", 6, 0, "warning", "", "odd")),
        ("a.go:3:2: undefined: x", ("a.go", 2, 1, "error", "", "undefined: x")),
        ("a.js:1:1: info: fine [no-var]", ("a.js", 0, 0, "information", "no-var", "fine [no-var]")),
        ("a.py:3:5: [W0611] unused", ("a.py", 2, 4, "error", "W0611", "unused")),
    ],
)
def test_generic_lines(read, line, expected):
    (finding,) = read("generic", stdout=f"noise\n{line}\n").findings
    start = finding.range.start
    assert (finding.path, start.line, start.character, finding.severity, finding.code, finding.message) == expected


@pytest.mark.parametrize(
    "line", ["at 10:30:12 it ran", "http://host:80/x: y", "12:30: x", "key: value", "https://a.b:443: no", "{'a':1: 2}", ""]
)
def test_lines_that_are_no_findings(read, line):
    assert read("generic", stdout=line).findings == ()


def test_generic_reads_tracebacks_too(read):
    text = 'Traceback (most recent call last):\n  File "/w/run.py", line 2, in <module>\n    1 / 0\nZeroDivisionError: division by zero\n'
    assert spots(read("generic", stderr=text)) == [("run.py", 2, "ZeroDivisionError")]
