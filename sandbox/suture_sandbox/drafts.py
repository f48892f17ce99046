"""Folders that are there as a whole or not at all: they are written beside their place, and moved to it when all is well."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def taken(target: Path) -> bool:
    """Whether something stands where a new folder is to be; an empty folder does not count."""
    return target.exists() and (not target.is_dir() or any(target.iterdir()))


@contextmanager
def drafted(target: Path) -> Generator[Path]:
    """A folder, readable by its owner alone, that becomes `target` when the block ends well, and vanishes when it does not.

    Raises OSError, also where something came to stand at `target` meanwhile.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.parent / f".{target.name}.{os.getpid()}.part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        yield draft
        if target.exists():
            target.rmdir()
        draft.replace(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
