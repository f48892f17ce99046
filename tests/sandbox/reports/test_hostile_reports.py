"""No input makes a parser raise, lose its bounds, or take more than a time that grows with the input's length."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, MOST_FINDINGS, MOST_PLACES, cut, inside, relative
from suture_sandbox.reports.parsers import PARSERS

SAMPLES = Path(__file__).parent / "samples"
FILES = {"a.py": "x = 1\ndef test_a():\n    assert x == '\U0001f600'\n", "t.py": "", "big.py": "é" * 5000}
RECORDED = {
    "junit": "suite/report.xml",
    "pytest": "suite/report.xml",
    "pytest-text": "suite/stdout.txt",
    "unittest": "unittest/stderr.txt",
    "mypy": "tools/mypy.txt",
    "pyright": "tools/pyright.json",
    "ruff": "tools/ruff.json",
    "sarif": "tools/ruff.sarif",
    "traceback": "tools/chain.txt",
    "compileall": "tools/compileall.txt",
    "build": "tools/chain.txt",
    "generic": "tools/mypy.txt",
}
PIECES = st.sampled_from(
    [
        "Traceback (most recent call last):\n",
        '  File "/w/a.py", line 3, in f\n',
        "    assert x\n",
        "    ^^^\n",
        "KeyError: 'a'\n",
        "  + Exception Group Traceback (most recent call last):\n",
        "  | ",
        "  +-+---------------- 1 ----------------\n",
        "E   assert 1\n",
        "    +------------------------------------\n",
        "=== FAILURES ===\n",
        "____ test_a ____\n",
        "a.py:3: in test_a\n",
        "a.py:3:5: error: x  [y]\n",
        "a.py::test_a PASSED\n",
        "a.py::test_a ",
        "FAILED a.py::test_a - x\n",
        "1 failed in 0.1s\n",
        "======\nERROR: a (b.c)\n------\n",
        "test_a (t.T) ... ",
        "ok\n",
        "\x1b[31m",
        "\x00",
        "\r",
        "\n",
        "é",
        "\U0001f600",
        '<testcase classname="a" name="b" file="a.py">',
        "</testcase>",
        '<failure message="m">',
        "</failure>",
        "<testsuite>",
        "</testsuite>",
        "&#0;",
        "<![CDATA[",
        "]]>",
        "{",
        "}",
        "[",
        "]",
        '"',
        ":",
        "Timeout (0:01)!\n",
        "Thread 0x1 (most recent call first):\n",
        '  File "/w/a.py", line 3 in f\n',
        "*** Error compiling 'a.py'...\n",
        "Sorry: SyntaxError: x (a.py, line 1)\n",
        "During handling of the above exception, another exception occurred:\n",
        "INTERNALERROR> ",
        "99999999999999",
        "-1",
        " " * 50,
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map("".join))
GENEROUS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def recorded(parser: str) -> str:
    return (SAMPLES / RECORDED[parser]).read_text("utf-8")


def run(parser: str, *, stdout: str = "", stderr: str = "", report: str = "") -> Report:
    return PARSERS[parser](ReportInput(check="c", root="/w", stdout=stdout, stderr=stderr, report=report, read_text=FILES.get))


def hold(report: Report) -> None:
    """The bounds that every report keeps."""
    assert len(report.findings) <= MOST_FINDINGS
    for finding in report.findings:
        assert finding.message
        assert len(finding.message) <= LONGEST_MESSAGE
        assert len(finding.detail) <= LONGEST_DETAIL
        assert len(finding.related) <= 2 * MOST_PLACES
        assert finding.range.start <= finding.range.end
        assert finding.range.start.line >= 0
        assert finding.check == "c"
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    identifiers = [test.id for test in report.tests]
    assert len(identifiers) == len(set(identifiers))
    assert all(identifiers)


@contextmanager
def alarm(seconds: int):
    """An end to what runs away; far above what linear work needs, so that a slow machine does not decide."""

    def stop(*_: object) -> None:
        raise AssertionError(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_every_parser_has_a_recorded_sample():
    assert set(RECORDED) == set(PARSERS)


@pytest.mark.parametrize("parser", PARSERS)
@given(stdout=TEXTS, stderr=TEXTS, report=TEXTS)
@GENEROUS
def test_any_text(parser, stdout, stderr, report):
    hold(run(parser, stdout=stdout, stderr=stderr, report=report))


@pytest.mark.parametrize("parser", PARSERS)
@given(data=st.data())
@GENEROUS
def test_recorded_reports_with_damage(parser, data):
    text = recorded(parser)
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(text)))
        end = min(len(text), begin + data.draw(st.integers(0, 200)))
        text = text[:begin] + data.draw(TEXTS) + text[end:]
    hold(run(parser, stdout=text))
    hold(run(parser, report=text))


@pytest.mark.parametrize("parser", PARSERS)
def test_recorded_reports_cut_off_anywhere(parser):
    text = recorded(parser)
    step = max(1, len(text) // 120)
    for end in range(0, len(text), step):
        hold(run(parser, stdout=text[:end]))
        hold(run(parser, report=text[:end]))


SMALL = {
    "junit": '<?xml version="1.0"?><testsuites><testsuite name="pytest"><testcase classname="a" name="test_a[é]" file="a.py" line="1">'
    '<failure message="assert 1">a.py:3: in test_a\n    assert x\nE   assert 1 == 2</failure></testcase></testsuite></testsuites>',
    "pytest": "a.py::test_a FAILED [100%]\n=== FAILURES ===\n____ test_a ____\na.py:3: in test_a\n    assert x\nE   assert 1 == '😀'\n"
    "=== short test summary info ===\nFAILED a.py::test_a - assert 1\n=== 1 failed in 0.01s ===\n",
    "unittest": "test_a (a.T.test_a)\nDoc. ... FAIL\n\n======\nFAIL: test_a (a.T.test_a)\n------\nTraceback (most recent call last):\n"
    '  File "/w/a.py", line 3, in test_a\n    assert x\nAssertionError: 1\n\n------\nRan 1 test in 0.0s\n\nFAILED (failures=1)\n',
    "mypy": 'a.py:1:5:1:6: error: Incompatible types: "é"  [assignment]\na.py:1: note: See docs\nFound 1 error\n',
    "pyright": '{"generalDiagnostics": [{"file": "/w/a.py", "severity": "error", "message": "m\\u00e9", "rule": "r", '
    '"range": {"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 9}}}], "summary": {}}',
    "ruff": '[{"filename": "/w/a.py", "message": "m", "code": "F401", "location": {"row": 1, "column": 1}, '
    '"end_location": {"row": 1, "column": 2}, "fix": {"message": "f", "applicability": "safe"}}]',
    "sarif": '{"version": "2.1.0", "runs": [{"results": [{"ruleId": "R", "level": "error", "message": {"text": "m"}, "locations": '
    '[{"physicalLocation": {"artifactLocation": {"uri": "a%20b.py"}, "region": {"startLine": 1, "startColumn": 1}}}]}]}]}',
    "traceback": 'Traceback (most recent call last):\n  File "/w/a.py", line 3, in f\n    x()\n    ^^^\nKeyError: 1\n\nDuring handling of '
    'the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "/w/a.py", line 1, in g\nE\n',
    "compileall": "*** Error compiling './a.py'...\n  File \"./a.py\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n\n",
    "generic": 'a.py:3:5: error: x [y]\nsrc/x.ts(12,5): error TS2322: T\nFile "a.py", line 7: warning: odd\n',
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("shape", SMALL)
def test_small_reports_cut_off_at_every_character(parser, shape):
    """Also by the wrong parser: a check's settings may name any."""
    text = SMALL[shape]
    for end in range(len(text) + 1):
        hold(run(parser, stdout=text[:end], report=text[:end]))
        hold(run(parser, stdout=text[end:]))


@pytest.mark.parametrize("parser", PARSERS)
def test_small_reports_say_what_happened(parser):
    """What the cut-off reports are cut from is understood as a whole."""
    shape = {"pytest-text": "pytest", "build": "traceback"}.get(parser, parser)
    where = "report" if shape in ("junit", "sarif") else "stdout"
    report = run(parser, **{where: SMALL[shape]})
    assert report.complete
    assert report.findings


def test_a_truncated_junit_report_keeps_its_whole_cases_and_only_grows():
    text = recorded("junit")
    seen = 0
    for end in range(0, len(text), 151):
        report = run("junit", report=text[:end])
        assert not report.complete
        assert len(report.tests) >= seen
        seen = len(report.tests)
    assert run("junit", report=text).complete
    assert seen >= 20


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{i} "{f"&lol{i - 1 if i > 1 else str()};" * 10}">' for i in range(1, 10))
    + "]><testsuite><testcase classname='a' name='b'>&lol9;</testcase></testsuite>"
)
EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<testsuite><testcase classname='a' name='b'><failure message='m'>&x;</failure></testcase></testsuite>"
)


@pytest.mark.parametrize("text", [BOMB, EXTERNAL])
def test_entities_are_refused(text):
    report = run("junit", report=text)
    assert not report.complete
    assert report.findings == ()
    assert report.tests == ()


def test_xml_that_is_nested_too_deeply_or_has_forbidden_characters():
    whole = '<testcase classname="k" name="b"/>'
    assert [test.id for test in run("junit", report=f"<testsuite>{whole}{'<a>' * 100_000}").tests] == ["k::b"]
    report = run("junit", report=f"\x00\ufffe<testsuite>{whole}<testcase classname='c' name='\x01\x0b'/></testsuite>")
    assert [test.id for test in report.tests] == ["k::b", "c::??"]
    assert report.complete


LONG = 1_000_000
GROUP = "  + Exception Group Traceback (most recent call last):\n"
ONE = 'Traceback (most recent call last):\n  File "/w/a.py", line 3, in f\nKeyError: 1\n'
SUMMARY = "".join(f"FAILED f{i}.py::test_a\n" for i in range(20_000))
ADVERSARIAL = {
    "one line of rules": "=" * LONG + "x",
    "underscores": ("_" * 3999 + "x\n") * (LONG // 4000),
    "blanks": (" " * 3999 + "\n") * (LONG // 4000),
    "words": ("Error" * 799 + "\n") * (LONG // 4000),
    "dots": ("a." * 1999 + "\n") * (LONG // 4000),
    "ids": ("a.py::" * 600 + "\n") * (LONG // 3600),
    "passed": ("a.py::t PASSED (" * 200 + "\n") * (LONG // 3200),
    "subtests": ("SUBFAILED a.py::" * 200 + "\n") * (LONG // 3200),
    "escapes": "\x1b[" * (LONG // 2),
    "brackets": "[" * LONG,
    "braces": '{"a":' * (LONG // 5),
    "colons": ":" * LONG,
    "tags": "<testcase>" * (LONG // 10),
    "attributes": "<testcase " + " ".join(f'a{i}="x"' for i in range(50_000)) + "/>",
    "frames": "Traceback (most recent call last):\n" + '  File "/w/a.py", line 3, in f\n' * (LONG // 32),
    "tracebacks": ONE * (LONG // 80),
    "groups": GROUP * (LONG // 56),
    "members": GROUP + "  +-+---------------- 1 ----------------\n    | E: x\n" * (LONG // 60),
    "chains": (ONE + "During handling of the above exception, another exception occurred:\n") * (LONG // 160),
    "same titles": "=== FAILURES ===\n" + "____ test_a ____\nE   x\n" * (LONG // 24) + SUMMARY,
    "errors": "a.py:3:5: error: wrong  [x]\n" * (LONG // 28),
    "places on one long line": "".join(f"big.py:1:{i}: error: e{i}\n" for i in range(20_000)),
    "notes": "a.py:3: error: e\n" + "a.py:3: note: n\n" * (LONG // 16),
    "unittest": "======\nERROR: a (b.c)\n------\nx\n" * (LONG // 32),
    "dumps": ("Timeout (0:01)!\nThread 0x1 (most recent call first):\n" + '  File "/w/a.py", line 3 in f\n' * 20) * (LONG // 650),
    "sorry": ("Sorry: SyntaxError: " + " (" * 1000 + "\n") * (LONG // 2000),
    "parentheses": "(" * LONG,
    "parentheses in lines": ("a.py(" * 799 + "\n") * (LONG // 4000),
    "rooms": "a.py" + " " * LONG + ":3: x",
    "short lines": "a:1\n" * 200_000,
    "empty lines": "\n" * LONG,
    "quotes": 'File "' * (LONG // 6),
    "commas": '{"generalDiagnostics": [' + '{"file": "/w/big.py", "message": "m"},' * 20_000,
    "diagnostics": '{"generalDiagnostics": ['
    + ",".join(['{"file": "/w/big.py", "range": {"start": {"line": 0, "character": 4999}}}'] * 15_000)
    + "]}",
    "violations": "[" + ",".join(['{"filename": "/w/big.py", "message": "m", "location": {"row": 1, "column": 4999}}'] * 12_000) + "]",
    "runs": '{"runs": [' + ",".join(['{"results": [{}]}'] * 50_000) + "]}",
    "locations": '{"runs": [{"results": [{"locations": [' + ",".join(["{}"] * 300_000) + "]}]}]}",
    "deep classes": "<testsuite>" + '<testcase classname="' + "a." * 200_000 + 'b" name="n"/>' * 2 + "</testsuite>",
    "other classes": "<testsuite>" + "".join(f'<testcase classname="{"p." * 50}c{i}" name="n"/>' for i in range(6_000)) + "</testsuite>",
    "failures in one case": "<testcase name='n'>" + "<failure message='m'>E  x</failure>" * 30_000 + "</testcase>",
    "comments": "<testsuite>" + "<!-- x -->" * 100_000 + "</testsuite>",
    "running": "a.py::test_a[" * (LONG // 13),
    "running in lines": "a.py::test_a[x\n" * (LONG // 15),
    "summaries": "FAILED a.py::test_a[" * 200_000,
    "docstrings": "test_a (t.T)\n" * (LONG // 13),
    "carets": ONE.replace("KeyError", "    " + "^" * LONG + "\nKeyError"),
    "bars": GROUP + "  | " * (LONG // 4),
    "conftest": "ImportError while loading conftest 'x'.\n" * (LONG // 40),
    "internal": "INTERNALERROR> " * (LONG // 15),
    "wide": "😀" * LONG,
    "nul": "\0" * LONG,
    "compiling": "*** Error compiling 'a.py'...\n" * (LONG // 30),
}


@pytest.mark.parametrize("parser", PARSERS)
def test_a_megabyte_of_spite_takes_no_more_than_linear_time(parser):
    for text in ADVERSARIAL.values():
        with alarm(20):
            hold(run(parser, stdout=text))
            hold(run(parser, report=text))


def test_cases_without_end_are_bounded():
    failed = '<failure message="m">a.py:3: in f\nE   assert {i}</failure>'
    case = f'<testcase classname="t" name="test_{{i}}" file="a.py" line="1">{failed}</testcase>'
    with alarm(60):
        report = run("junit", report="<testsuite>" + "".join(case.format(i=i) for i in range(10_000)) + "</testsuite>")
    assert len(report.findings) == MOST_FINDINGS
    assert len(report.tests) == 10_000


@given(path=st.text(max_size=60), root=st.sampled_from(["/w", "/", "", "/a/b/"]))
@GENEROUS
def test_paths_are_total_and_never_escape(path, root):
    found = relative(path, root)
    if inside(found):
        assert not found.startswith("/")
        assert found.split("/")[0] not in ("", ".", "..")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/w/a/b.py", "a/b.py"),
        ("./a/../b.py", "b.py"),
        ("a\\b.py", "a/b.py"),
        ("/usr/x.py", "/usr/x.py"),
        ("../x.py", "../x.py"),
        ("/w2/x.py", "/w2/x.py"),
    ],
)
def test_relative_paths(path, expected):
    assert relative(path, "/w") == expected


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("a.py", True), ("myvenv/a.py", True), ("venv/lib/a.py", False), (".venv/a.py", False), ("x/site-packages/a.py", False),
        ("/usr/a.py", False), ("../a.py", False),
        ("..", False),
        (".", False),
        ("..odd/a.py", True), ("<string>", False), ("", False), ("site-packages", True),
    ],
)  # fmt: skip
def test_what_is_the_workspaces_own(path, own):
    assert inside(path) is own


@given(text=st.text(max_size=200), limit=st.integers(10, 100))
def test_cut_keeps_both_ends(text, limit):
    short = cut(text, limit)
    assert len(short) <= max(limit, 0) or short == text
    assert short[:2] == text[:2]
    assert short[-2:] == text[-2:]


def test_a_file_that_cannot_be_read_is_no_error():
    def refuse(path: str) -> str | None:
        raise ValueError(path) if "\0" in path else OSError(path)

    text = "a.py:3:5: error: x\nb\0.py:1:1: error: y\n"
    report = PARSERS["generic"](ReportInput(check="c", root="/w", stdout=text, read_text=refuse))
    assert [finding.path for finding in report.findings] == ["a.py", "b\0.py"]
