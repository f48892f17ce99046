"""Workspaces made of a few manifests, and what floats in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suture_sandbox.pins import Pins, find_floating


@pytest.fixture
def pins_of(tmp_path: Path) -> Callable[[Mapping[str, str]], Pins]:
    """`pins_of({"package.json": "..."})`."""

    def find(files: Mapping[str, str]) -> Pins:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return find_floating(tmp_path)

    return find


@pytest.fixture
def floating(pins_of) -> Callable[[Mapping[str, str]], list[tuple[str, int, str]]]:
    """`(path, line, what)` of everything that floats; nothing may have been passed over."""

    def find(files: Mapping[str, str]) -> list[tuple[str, int, str]]:
        pins = pins_of(files)
        assert pins.notes == ()
        assert all(item.why and item.pin for item in pins.floating)
        return [(item.path, item.line, item.what) for item in pins.floating]

    return find
