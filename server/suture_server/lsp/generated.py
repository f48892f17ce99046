"""The methods that attrs generates for lsprotocol's classes, kept compiled between starts, as Python keeps modules.

Compiling them is half of what importing lsprotocol takes, and importing lsprotocol is most of what the server's start takes. attrs calls
the builtin `compile` on text that depends on nothing but the classes; here that name means, while lsprotocol is imported, a look into a
file of code by the text that it came from. What is not in it is compiled as ever, and an attrs that does it in another way finds the
builtin where it always was.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.util
import logging
import marshal
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

from suture_agent.errors import SettingsError

logger = logging.getLogger(__name__)


def import_protocol() -> None:
    """Import lsprotocol's types, with what was compiled at an earlier start."""
    import attr._make as maker

    path = _path()
    with kept_code(path, maker.__dict__):
        importlib.import_module("lsprotocol.types")


@contextmanager
def kept_code(path: Path | None, names: dict[str, object]) -> Generator[None]:
    """While open, `compile` among a module's `names` gives the code that `path` holds, or compiles. What was new is written at the end."""
    known: Mapping[bytes, CodeType] = {} if path is None else _read(path)
    used: dict[bytes, CodeType] = {}

    def compile_once(script: str, filename: str, mode: str) -> CodeType:
        key = hashlib.blake2b(f"{filename}\n{mode}\n{script}".encode(), digest_size=16).digest()
        code = known.get(key)
        used[key] = code if code is not None else builtins.compile(script, filename, mode)
        return used[key]

    names["compile"] = compile_once
    try:
        yield
    finally:
        del names["compile"]
    if path is not None and not used.keys() <= known.keys():
        _write(path, used)


def _path() -> Path | None:
    """The file for this interpreter's byte code; None where the user has no cache folder."""
    from suture_agent.places import cache_folder

    try:
        return cache_folder() / "protocol" / f"{importlib.util.MAGIC_NUMBER.hex()}.marshal"
    except SettingsError:
        return None


def _read(path: Path) -> Mapping[bytes, CodeType]:
    """What the file holds; nothing where it is not whole, or where somebody else could have written it."""
    try:
        with path.open("rb") as file:
            of = os.fstat(file.fileno())
            if of.st_uid != os.geteuid() or of.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                logger.warning("%s could have been written by another user and is not used; remove it", path)
                return {}
            digest, content = file.read(32), file.read()
    except OSError:
        return {}
    return marshal.loads(content) if hashlib.sha256(content).digest() == digest else {}  # noqa: S302  # our own, like any .pyc


def _write(path: Path, codes: Mapping[bytes, CodeType]) -> None:
    from suture_sandbox.capture.files import write_atomically

    content = marshal.dumps(dict(codes))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, hashlib.sha256(content).digest() + content)
    except OSError as error:
        logger.info("%s cannot be written: %s", path, error)
