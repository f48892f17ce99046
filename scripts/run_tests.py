"""Every test, as many at a time as there are processors (at most four): `python scripts/run_tests.py [PYTEST-ARGUMENTS]`.

pytest-xdist lies apart from the other packages, so that the pytests that the tests start do not load it (scripts/setup.sh). With `-n 0`, or
under a debugger, everything runs in this process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

MOST = 4
"""Many tests measure time in a rough way; more at a time than that make each of them slow."""

if __name__ == "__main__":  # with -n 0, processes that a test starts anew import this file
    sys.path.append(str(Path(sys.prefix, "apart")))
    count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST)
    sys.exit(pytest.main(["-n", str(count if count > 1 else 0), "--dist", "worksteal", *sys.argv[1:]]))
