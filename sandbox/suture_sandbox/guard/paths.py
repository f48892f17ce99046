"""Files that a patch may not touch: tests, configuration, CI, lock files, suture's and git's own, and hooks into the interpreter."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_TESTS = re.compile(r"(^|/)(tests?/|test_[^/]*\.py$|[^/]*_test\.py$|conftest\.py$|__snapshots__/)")
_CONFIGURATION = re.compile(
    r"(^|/)(pyproject\.toml|setup\.(py|cfg)|tox\.ini|\.?pytest\.ini|\.?mypy\.ini|\.?ruff\.toml|pyrightconfig\.json|\.coveragerc|noxfile\.py|"
    r"[Mm]akefile|\.pre-commit-config\.yaml|\.flake8|\.pylintrc)$"
)
_LOCKS = re.compile(
    r"(^|/)((uv|poetry|pdm)\.lock|pylock[^/]*\.toml|[^/]*requirements[^/]*\.(txt|in)|constraints[^/]*\.txt|Pipfile(\.lock)?)$"
)
_CI = re.compile(
    r"(^|/)(\.github|\.gitlab|\.circleci|\.ci|\.azure-pipelines)/|(^|/)(\.gitlab-ci\.yml|\.travis\.yml|Jenkinsfile|azure-pipelines\.yml)$"
)
_OWN = re.compile(r"(^|/)(suture\.(toml|lock)|\.suture/|\.git/|\.gitattributes|\.gitmodules|\.gitignore)")
_HOOKS = re.compile(r"(^|/)(sitecustomize|usercustomize)(/|\.py$)|\.pth$|(^|/)py\.typed$|\.(so|pyd|dll|pyc)$")


def kind_of(path: str) -> str:
    """What a path is protected as; empty for ordinary source."""
    for name, pattern in (
        ("own", _OWN),
        ("hooks", _HOOKS),
        ("ci", _CI),
        ("locks", _LOCKS),
        ("configuration", _CONFIGURATION),
        ("tests", _TESTS),
    ):
        if pattern.search(path):
            return name
    return ""


def is_test(path: str) -> bool:
    """Whether a path is test code."""
    return bool(_TESTS.search(path))


def protected_paths(patch: Patch, policy: GuardPolicy) -> frozenset[str]:
    """The patch's paths whose originals the verdict puts back."""
    return frozenset(path for path in patch.paths if _refused(path, policy))


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse edits of protected files."""
    for path in patch.paths:
        kind = _refused(path, policy)
        if kind:
            yield GuardFinding(rule=f"paths-{kind}", path=path, message=f"it edits {path}, which is {_MEANING[kind]}")


def _refused(path: str, policy: GuardPolicy) -> str:
    kind = kind_of(path)
    if any(fnmatch.fnmatch(path, glob) for glob in policy.protected):
        return "protected"
    allowed = (kind == "tests" and policy.allow_test_edits) or (
        kind in ("configuration", "locks", "ci") and policy.allow_configuration_edits
    )
    return "" if allowed else kind


_MEANING = {
    "own": "suture's or git's own",
    "hooks": "loaded by the interpreter or hides what is checked",
    "ci": "part of CI",
    "locks": "a lock file",
    "configuration": "configuration of checks",
    "tests": "test code",
    "protected": "protected by your configuration",
}
