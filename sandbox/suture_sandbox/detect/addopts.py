"""What of a workspace's `addopts` is left out when its tests are run as a check.

Left out is what makes a report partial (stopping early, running what failed last), unstable or slow to start (parallel workers), a matter
of something else than the tests (coverage limits), or written where the check's own report belongs. The rest stays as the owner has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# fmt: off
_FLAGS = frozenset((
    "-x", "--exitfirst", "--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw", "--stepwise", "--sw-skip",
    "--stepwise-skip", "--sw-reset", "--stepwise-reset", "--cache-clear", "--pdb", "--trace", "-f", "--looponfail", "--collect-only",
    "--co", "--no-cov", "--no-cov-on-fail", "--cov-branch", "--cov-append", "--setup-only", "--setup-plan", "--self-contained-html",
))
_WITH_VALUE = frozenset((
    "--maxfail", "--lfnf", "--last-failed-no-failures", "--cov", "--cov-report", "--cov-config", "--cov-fail-under", "--cov-context", "-n",
    "--numprocesses", "--dist", "--maxprocesses", "--max-worker-restart", "--maxschedchunk", "--tx", "--junitxml", "--junit-xml",
    "--junitprefix", "--junit-prefix", "--html", "--cache-show", "--rootdir", "--pdbcls",
))
# fmt: on
_SHORT_WORKERS = re.compile(r"-n(?:\d+|auto|logical)")


def kept_and_dropped(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The workspace's `addopts` without the options that would spoil the report, and those options."""
    kept: list[str] = []
    dropped: list[str] = []
    takes_value = False
    for word in words:
        if takes_value and not word.startswith("-"):
            dropped.append(word)
            takes_value = False
            continue
        name = word.partition("=")[0] if word.startswith("--") else word
        takes_value = name in _WITH_VALUE and "=" not in word
        (dropped if name in _FLAGS or name in _WITH_VALUE or _SHORT_WORKERS.fullmatch(word) else kept).append(word)
    return kept, dropped
