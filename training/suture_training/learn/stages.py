"""The stages of `make learn`, each of which is done once: what it made lies in a folder of its own, under a mark that is written last."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec


class Stage:
    """One folder of an experiment."""

    def __init__(self, out: Path, name: str, recipe: object) -> None:
        """`recipe`: everything that decides what the stage makes; another recipe makes it anew."""
        self.name = name
        self.folder = out / name
        self._mark = self.folder / "done.json"
        self._recipe = hashlib.sha256(msgspec.json.encode(recipe, order="sorted")).hexdigest()

    @property
    def done(self) -> bool:
        """Whether it was finished with this recipe."""
        try:
            return msgspec.json.decode(self._mark.read_bytes(), type=dict[str, str])["recipe"] == self._recipe
        except (OSError, KeyError, msgspec.MsgspecError):
            return False

    def run(self, make: Callable[[Path], None]) -> Path:
        """Make it where it is not done; what an interrupted run left is gone on with, what another recipe left is removed."""
        if not self.done:
            begun = self.folder / "begun.json"
            held = msgspec.json.encode({"recipe": self._recipe})
            if self.folder.exists() and (not begun.exists() or begun.read_bytes() != held):
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            begun.write_bytes(held)
            make(self.folder)
            self._mark.write_bytes(held)
        return self.folder
