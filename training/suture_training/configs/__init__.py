"""Configurations of training runs, of accelerate and of DeepSpeed for Qwen3-32B, to begin with and to change: comments say what for.

`suture train config NAME` prints one. A DeepSpeed file is JSON and has no comments: the accelerate file that names it has them.
"""

from __future__ import annotations

from importlib import resources

from suture_agent.errors import SettingsError

SUFFIXES = (".toml", ".yaml", ".json")


def names() -> tuple[str, ...]:
    """The files."""
    return tuple(sorted(each.name for each in resources.files(__name__).iterdir() if each.name.endswith(SUFFIXES)))


def text(name: str) -> str:
    """The text of one. Raises SettingsError."""
    if name not in names():
        raise SettingsError(f"there is no configuration {name!r}", remedy=f"there are {', '.join(names())}")
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
