"""Which folder is the workspace of a file."""

from __future__ import annotations

from pathlib import Path

MARKS = ("pyproject.toml", "suture.toml", "setup.cfg", "setup.py", ".git")
"""What a project's folder holds."""


def project_around(folder: Path) -> Path | None:
    """The nearest of a folder and those above it that holds a project's marks; never the home folder."""
    home = Path.home()
    return next((each for each in (folder, *folder.parents) if each != home and any((each / mark).exists() for mark in MARKS)), None)
