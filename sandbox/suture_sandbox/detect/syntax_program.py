"""Runs inside the sandbox, never imported by suture: compile every Python file below the current folder and print syntax errors.

Its text is handed to the workspace's own interpreter (`python -c TEXT`), so it uses only the standard library of any Python >= 3.8. Unlike
`compileall` it writes no bytecode, keeps to the workspace's own code, and leaves out test data that is meant to be broken.
"""

from __future__ import annotations

import os
import sys
import traceback

SKIPPED = {
    "node_modules",
    "__pycache__",
    "build",
    "dist",
    "site-packages",
    "venv",
    "env",
    "data",
    "fixtures",
    "testdata",
    "test_data",
    "templates",
}


def main() -> int:
    """Compile everything; 1 when a file has a syntax error."""
    broken = 0
    for folder, names, files in os.walk("."):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in SKIPPED and not _environment(folder, name))
        for name in sorted(files):
            if name.endswith(".py"):
                broken += _broken(os.path.normpath(os.path.join(folder, name)))  # noqa: PTH118  # os is all that is loaded
    return 1 if broken else 0


def _environment(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118  # os is all that is loaded


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
