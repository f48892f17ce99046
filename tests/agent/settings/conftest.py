"""A workspace, a user's own file and variables, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suture_agent.errors import SettingsError
from suture_agent.settings import Loaded, load


class Place:
    """A workspace in a folder of the test, beside a user's home."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        self.home = folder / "home"
        self.user_file = self.home / ".config" / "suture" / "config.toml"
        self.root.mkdir()
        self.user_file.parent.mkdir(parents=True)

    def says(self, text: str, *, file: str = "suture.toml") -> Place:
        """What the workspace says."""
        (self.root / file).write_text(text, "utf-8")
        return self

    def user(self, text: str) -> Place:
        """What the user's own file says."""
        self.user_file.write_text(text, "utf-8")
        return self

    def load(self, *, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None) -> Loaded:
        """The settings in force."""
        variables = {"HOME": str(self.home), **(environ or {})}
        return load(self.root, user_file=self.user_file, environ=variables, overrides=overrides)

    def refused(self, *, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None) -> str:
        """Message and remedy of the refusal; a refusal without a remedy fails the test."""
        with pytest.raises(SettingsError) as caught:
            self.load(environ=environ, overrides=overrides)
        assert caught.value.remedy
        message = f"{caught.value} | {caught.value.remedy}"
        assert message.isprintable()
        assert len(message) < 1000
        return message


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def new_place(tmp_path: Path) -> Callable[[], Place]:
    """As many as a test wants."""
    numbers = iter(range(1_000_000))

    def make() -> Place:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return Place(folder)

    return make
