"""Runs inside the sandbox, never imported by suture: compile every Python file below the current folder and print syntax errors.

Its text is handed to the workspace's own interpreter (`python -c TEXT`), so it uses only the standard library of any Python >= 3.8. Unlike
`compileall` it writes no bytecode, keeps to the workspace's own code, and leaves out test data that is meant to be broken.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings

NEVER_CODE = {"node_modules", "__pycache__", "site-packages"}
SELDOM_CODE = {"build", "dist", "venv", "env", "data", "fixtures", "testdata", "test_data", "testfiles", "templates"}
"""Build outputs, and data that may hold broken or half-filled Python on purpose: compiled only where the folder is a package."""


def main() -> int:
    """Compile everything; 1 when a file has a syntax error."""
    warnings.simplefilter("ignore")
    broken = 0
    for folder, names, files in os.walk("."):
        names[:] = sorted(name for name in names if not _skipped(folder, name))
        for name in sorted(files):
            if name.endswith(".py"):
                broken += _broken(os.path.normpath(os.path.join(folder, name)))  # noqa: PTH118  # os is all that is loaded
    return 1 if broken else 0


def _skipped(folder: str, name: str) -> bool:
    if name.startswith(".") or "{" in name or name in NEVER_CODE:
        return True
    inner = os.path.join(folder, name)  # noqa: PTH118  # os is all that is loaded
    if os.path.exists(os.path.join(inner, "pyvenv.cfg")):  # noqa: PTH110, PTH118  # os is all that is loaded
        return True
    return name in SELDOM_CODE and not os.path.exists(os.path.join(inner, "__init__.py"))  # noqa: PTH110, PTH118  # os is all that is loaded


def _broken(path: str) -> int:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # os is all that is loaded
            compile(file.read(), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        if isinstance(error, SyntaxError) and error.filename:
            print("".join(traceback.format_exception_only(type(error), error)), end="")  # noqa: T201  # this is its report
        else:
            print(f'File "{path}", line 1\n{type(error).__name__}: {error}')  # noqa: T201  # this is its report
        return 1
    except (OSError, RecursionError, MemoryError):
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
