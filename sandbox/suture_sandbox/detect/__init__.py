"""Finding a workspace's checks from what its own configuration says. One file a language, one line in `LANGUAGES`.

Nothing of the workspace is run or imported: its configuration files are read as data. Each check that is found or left out leaves a note
that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from suture_sandbox.checks import Check


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a workspace."""

    language: str = ""
    """Empty where no language was recognised."""
    checks: tuple[Check, ...] = ()
    """Cheapest deciding check first: build, lint, types, tests."""
    notes: tuple[str, ...] = ()


def detect(root: Path, *, installed: Mapping[str, str]) -> Detection:
    """The checks of a workspace; `installed` maps normalised distribution names of its environment to versions."""
    for recognise in LANGUAGES.values():
        found = recognise(root, installed)
        if found is not None:
            return found
    return Detection(notes=("no language that suture knows was recognised: name checks in [tool.suture.checks]",))


def _python(root: Path, installed: Mapping[str, str]) -> Detection | None:
    from suture_sandbox.detect.python import detect_python

    return detect_python(root, installed)


LANGUAGES: Mapping[str, Callable[[Path, Mapping[str, str]], Detection | None]] = {"python": _python}
"""Language -> a function that gives its checks, or None where the workspace is not of that language."""
