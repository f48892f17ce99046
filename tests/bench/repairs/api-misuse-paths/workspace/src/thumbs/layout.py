"""Where derived images are kept."""

from __future__ import annotations

from pathlib import PurePosixPath

FORMATS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}


def folder_for(width: int) -> str:
    return f"w{width:04d}"


def derived_path(source: str, width: int, image_format: str = "webp") -> str:
    """Path of the scaled copy: photos/cat.png at 320 becomes photos/w0320/cat.webp."""
    if image_format not in FORMATS:
        raise ValueError(f"unknown format: {image_format}")
    path = PurePosixPath(source)
    target = path.parent / folder_for(width) / path.name
    return str(target.with_suffix(image_format))


def is_derived(path: str) -> bool:
    parent = PurePosixPath(path).parent.name
    return parent.startswith("w") and parent[1:].isdigit()
