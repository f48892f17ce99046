"""Preferences in a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class PreferenceError(Exception):
    """The file holds no preferences."""


class Preferences:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = {}

    def load(self) -> None:
        """Read the file; one that is not there holds no preferences."""
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            values = {}
        except json.JSONDecodeError as error:
            raise PreferenceError(f"{self._path.name}, line {error.lineno}: {error.msg}")
        if not isinstance(values, dict):
            raise PreferenceError(f"{self._path.name}: not an object")
        self._values = values

    def save(self) -> None:
        self._path.write_text(json.dumps(self._values, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def put(self, name: str, value: Any) -> None:
        self._values[name] = value
