"""Every case of the repair bench is what it says: broken in the named way, mended by its own patch, and nothing else.

Runs without suture and without its sandbox, by plain pytest, mypy, ruff and compileall in temporary copies.
"""

from __future__ import annotations

import ast
import collections
import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest


def observe(cases, case, target):
    """The tests and findings of the broken workspace, of the mended one, and of the one with the patch taken back."""
    folder = cases.copy_workspace(case, target / case.id)
    seen = []
    for patch in (None, False, True):
        if patch is not None:
            cases.apply_patch(folder, case.patch, reverse=patch)
        again_untouched = patch is True and case.check != "tests"
        tests = None if again_untouched else cases.run_tests(folder)
        seen.append((tests, () if case.check == "tests" else cases.run_findings(folder, case.check)))
    return seen


@pytest.fixture(scope="session")
def observations(request, cases, tmp_path_factory):
    """Observations of all the cases that this session asks for, made by two workers ahead of the tests that read them."""
    wanted = {
        item.callspec.params["case"].id: item.callspec.params["case"]
        for item in request.session.items
        if item.path == Path(__file__) and hasattr(item, "callspec") and "case" in item.callspec.params
    }
    target = tmp_path_factory.mktemp("repairs")
    with ThreadPoolExecutor(max_workers=2) as pool:
        futures: dict[str, Future] = {name: pool.submit(observe, cases, case, target) for name, case in wanted.items()}
        yield futures
        for future in futures.values():
            future.cancel()


def test_the_patch_and_only_the_patch_mends_the_case(case, observations):
    (before, found_before), (mended, found_mended), (again, found_again) = observations[case.id].result()

    assert before.failed == set(case.failing), before.output
    assert set(found_before) == set(case.findings)
    assert before.failed or found_before, "nothing fails"

    assert not mended.failed, mended.output
    assert mended.exit_code == 0
    assert not found_mended
    assert len(mended.passed) == case.tests
    assert before.passed <= mended.passed

    assert found_again == found_before
    assert again is None or again.failed == before.failed


def test_the_record_is_well_formed(case, cases):
    assert case.id == case.folder.name
    assert case.kind in cases.KINDS
    assert re.fullmatch(rf"{case.kind}-[a-z]+(-[a-z]+)*", case.id)
    assert case.description.endswith(".")
    assert bool(case.findings) == (case.check != "tests")
    assert {path.name for path in case.folder.iterdir()} == {"case.toml", "fix.patch", "workspace"}


HINT = re.compile(r"\b(bugs?|fixme|todo|xxx|broken here|wrong here|should be|oops|deliberate\w*|intentional\w*)\b", re.IGNORECASE)


def test_the_workspace_gives_nothing_away(case):
    for path in sources(case):
        text = path.read_text()
        assert not HINT.search(text), path
        assert not any(part in text for part in ("suture", case.id)), path


def test_the_patch_leaves_tests_and_configuration_alone(case):
    touched = re.findall(r"^\+\+\+ b/(.+)$", case.patch.read_text(), re.MULTILINE)
    assert touched
    for path in map(Path, touched):
        assert path.suffix == ".py"
        assert not path.name.startswith(("test_", "conftest"))
        assert "tests" not in path.parts


def test_a_wrong_fix_would_break_something(case):
    assert case.tests - len(case.failing) >= 2


def sources(case):
    """The text files of a workspace that belong to its author."""
    return sorted(path for path in case.workspace.rglob("*") if path.suffix in {".py", ".toml", ".cfg", ".ini"})


def broken_functions(case):
    """Each function of the broken workspace that the patch touches, without names of its own, as comparable text."""
    patch = case.patch.read_text()
    for part in re.split(r"^diff --git ", patch, flags=re.MULTILINE)[1:]:
        path = case.workspace / re.findall(r"^--- a/(.+)$", part, re.MULTILINE)[0]
        touched = set(changed_lines(part))
        try:
            tree = ast.parse(path.read_text())
        except SyntaxError:
            yield path.read_text()
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and touched & set(range(node.lineno, (node.end_lineno or 0) + 1)):
                yield "\n".join(ast.dump(statement) for statement in node.body)


def changed_lines(diff):
    """Numbers of the old file's lines that a diff removes or inserts behind."""
    line = 0
    for text in diff.splitlines():
        if match := re.match(r"@@ -(\d+)", text):
            line = int(match[1])
        elif text.startswith("-") and not text.startswith("---"):
            yield line
            line += 1
        elif text.startswith("+") and not text.startswith("+++"):
            yield line
        elif text.startswith(" "):
            line += 1


def test_no_two_cases_share_a_broken_function(cases):
    owners = collections.defaultdict(set)
    for case in cases.load_cases():
        for body in broken_functions(case):
            owners[body].add(case.id)
    assert not [sorted(names) for names in owners.values() if len(names) > 1]


def test_the_bench_is_spread_evenly(cases):
    every = cases.load_cases()
    kinds = collections.Counter(case.kind for case in every)
    splits = collections.Counter((case.kind, case.split) for case in every)
    assert len(every) >= 48
    assert set(kinds) == set(cases.KINDS)
    assert min(kinds.values()) >= 2
    assert max(kinds.values()) <= len(every) / 10
    assert all(splits[kind, split] for kind in cases.KINDS for split in ("dev", "held-out"))


def test_difficulties_are_mixed(cases):
    every = cases.load_cases()
    share = {level: sum(case.difficulty == level for case in every) / len(every) for level in (1, 2, 3)}
    assert 0.4 <= share[1] <= 0.6
    assert 0.25 <= share[2] <= 0.45
    assert 0.1 <= share[3] <= 0.25


def test_every_check_has_cases(cases):
    assert {case.check for case in cases.load_cases()} == {"tests", "types", "lint", "build"}
