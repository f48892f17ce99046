"""Texts of the small programs that checks hand to the workspace's own interpreter with `python -c`.

They are part of a check's command, so of an environment's identity and of what people read: short, and the same text whatever Python
suture itself runs on. That is why comments are taken out by lines and not with `ast.unparse`, whose output differs between versions.
"""

from __future__ import annotations

import re
from importlib import resources

IMPORTS = "import importlib, sys; sys.path[:0] = {folders!r}; [importlib.import_module(name) for name in {packages!r}]"
"""Imports packages, with folders that are importable."""
UNITTEST = "import sys, unittest; sys.path[:0] = {folders!r}; unittest.main(module=None)"
"""`python -m unittest` with folders that are importable; `unittest` itself has no option for that."""
PYRIGHT = "import runpy, sys; sys.argv[1:1] = ['--pythonpath', sys.executable]; runpy.run_module({tool!r}, run_name='__main__')"
"""`python -m pyright` with this interpreter's packages, whatever environment its configuration names."""

_DOCSTRING = re.compile(r'^ *"""(?:.|\n)*?"""\n', re.MULTILINE)
_COMMENT = re.compile(r"  #.*$", re.MULTILINE)
_BLANK = re.compile(r"\n\n+")
_ANNOTATIONS = re.compile(r": str\b|: bool\b| -> \w+")


def syntax() -> str:
    """The program that compiles every file."""
    text = resources.files("suture_sandbox").joinpath("detect", "syntax_program.py").read_text(encoding="utf-8")
    return compact(text)


def compact(text: str) -> str:
    """A program without docstrings, comments behind code, blank lines and annotations of builtin types.

    By pattern, for programs written for it: a string that looks like one of these would suffer.
    """
    for pattern, kept in ((_DOCSTRING, ""), (_COMMENT, ""), (_ANNOTATIONS, ""), (_BLANK, "\n")):
        text = pattern.sub(kept, text)
    return text.strip() + "\n"
