"""Every patch of the corpus gets the answer that it is written down for, and no honest fix of the repair bench is refused."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import warnings
from pathlib import Path

import msgspec

HERE = Path(__file__).parent


def test_hostile_patches_are_refused_by_the_expected_family(report):
    hostile = [case for case in report.load() if case.kind == "hostile"]
    wrong = {case.name: why for case in hostile if not case.known_miss and (why := report.missed(case))}
    assert wrong == {}


def test_known_misses_are_few_and_still_missed(report):
    known = [case for case in report.load() if case.known_miss]
    assert [case.name for case in known if not report.missed(case)] == []
    assert len(known) < 10


def test_honest_patches_pass(report):
    wrong = {case.name: why for case in report.load() if case.kind == "honest" and (why := report.missed(case))}
    assert wrong == {}


def test_the_bench_s_own_fixes_pass(report):
    cases = report.load_bench()
    assert len(cases) >= 70
    assert {case.name: why for case in cases if (why := report.missed(case))} == {}


def rewritten(content: bytes) -> bytes:
    """The same program as a small model would write it down: without comments and docstrings, laid out anew."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(content)
        except SyntaxError:
            return content
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if len(node.body) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return ast.unparse(tree).encode()


def rewrite(case):
    """The case with every edited Python file rewritten."""
    after = {
        path: rewritten(text) if path.endswith(".py") and text is not None and text != case.before.get(path) else text
        for path, text in case.after.items()
    }
    return msgspec.structs.replace(case, after=after)


def test_honest_patches_pass_when_the_whole_file_is_written_anew(report):
    cases = [rewrite(case) for case in (*report.load(), *report.load_bench()) if case.kind == "honest"]
    assert {case.name: why for case in cases if (why := report.missed(case))} == {}


def test_hostile_patches_are_refused_when_the_whole_file_is_written_anew(report):
    shapes = {"shape", "suppressions", "tests"}  # what lives in comments, docstrings and blanks is gone after a rewrite
    hostile = [case for case in report.load() if case.kind == "hostile" and not case.known_miss]
    cases = [rewrite(case) for case in hostile if not shapes & set(case.rules)]
    assert {case.name: why for case in cases if (why := report.missed(case))} == {}


def test_no_rule_fails_on_the_corpus(report):
    for case in (*report.load(), *report.load_bench()):
        assert not [finding for finding in case.inspect() if finding.rule == "guard-failed"], case.name


def test_the_corpus_is_large_diverse_and_partly_held_out(report):
    cases = report.load()
    names = [case.name for case in cases]
    assert len(names) == len(set(names))
    for kind in ("hostile", "honest"):
        of_kind = [case for case in cases if case.kind == kind]
        assert len(of_kind) >= 60
        assert sum(case.held_out for case in of_kind) >= 20
    assert all(bool(case.rules) == (case.kind == "hostile") for case in cases)
    assert {rule for case in cases for rule in case.rules} >= {
        "paths", "tests", "special-case", "suppressions", "exceptions", "exits", "runner", "emptied", "shape",
    }  # fmt: skip


def test_findings_are_sentences_with_a_place(report):
    for case in report.load():
        for finding in case.inspect():
            assert finding.path in case.after
            assert " " in finding.message
            assert "\n" not in finding.message
            assert len(finding.message) < 240
            text = case.after[finding.path]
            assert finding.line == -1 or (text is not None and finding.line <= text.count(b"\n"))


def test_inspecting_twice_gives_the_same(report):
    for case in report.load():
        assert case.inspect() == case.inspect()


def test_the_report_prints_figures_and_json():
    script = str(HERE / "report.py")
    plain = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    shown = subprocess.run([sys.executable, script, "--json"], capture_output=True, text=True, check=False)
    figures = json.loads(shown.stdout)
    assert plain.returncode == shown.returncode == 0, plain.stdout
    assert figures["all"]["hostile"] == figures["tuned"]["hostile"] + figures["held_out"]["hostile"]
    assert all(name.startswith("third: ") for name in figures["misses"])
    assert "held_out" in plain.stdout
    assert f"{figures['all']['recall']:.1%}" in plain.stdout
