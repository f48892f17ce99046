"""Runs inside the sandbox, never imported by suture: compile every Python file below the current folder and print syntax errors.

Its text is handed to the workspace's own interpreter (`python -c TEXT`), so it uses only the standard library of any Python >= 3.8. Unlike
`compileall` it writes no bytecode, keeps to the workspace's own code, and leaves out test data that is meant to be broken. `programs`
hands it over without docstrings and comments, because people see the command of a check.
"""

import os
import sys
import traceback
import warnings

NEVER_CODE = {"node_modules", "__pycache__", "site-packages"}
SELDOM_CODE = {"build", "dist", "venv", "env", "data", "fixtures", "testdata", "test_data", "testfiles", "templates"}
"""Build outputs, and data that may hold broken or half-filled Python on purpose: compiled only where the folder is a package."""


def skipped(folder: str, name: str) -> bool:
    """Whether a folder is not the workspace's own code."""
    inner = folder + "/" + name
    if name.startswith(".") or "{" in name or name in NEVER_CODE or os.path.exists(inner + "/pyvenv.cfg"):  # noqa: PTH110  # os is all that is loaded
        return True
    return name in SELDOM_CODE and not os.path.exists(inner + "/__init__.py")  # noqa: PTH110  # os is all that is loaded


def broken(path: str) -> bool:
    """Print a file's syntax error, if it has one."""
    if not os.path.isfile(path):  # noqa: PTH113  # os is all that is loaded
        return False  # a pipe would be waited for
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # os is all that is loaded
            compile(file.read(), path, "exec", dont_inherit=True)
    except (OSError, RecursionError, MemoryError):
        return False
    except (SyntaxError, ValueError) as error:
        named = isinstance(error, SyntaxError) and error.filename
        lines = ["" if named else 'File "' + path + '", line 1\n', *traceback.format_exception_only(type(error), error)]
        sys.stdout.buffer.write("".join(lines).encode("utf-8", "backslashreplace"))
        return True
    return False


def main() -> bool:
    """Compile everything; true when a file has a syntax error."""
    warnings.simplefilter("ignore")
    found = False
    for folder, names, files in os.walk("."):
        names[:] = sorted(name for name in names if not skipped(folder, name))
        for name in sorted(files):
            if name.endswith(".py"):
                found |= broken(os.path.normpath(folder + "/" + name))
    return found


if __name__ == "__main__":
    sys.exit(main())
