"""`pull`: bring a model into the cache, from whichever source has it, checked, resumable, cancellable, one pull at a time."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from suture_agent.errors import PolicyUnavailable
from suture_agent.models import CATALOGUE, Model, default_cache, local_sources, model_named, status_of
from suture_agent.models.digest import verify
from suture_agent.models.growing import Growing, in_thread
from suture_agent.models.sources import SOURCES, Job, Progress, Source, needed

_MARGIN = 64 << 20


async def pull(
    name: str,
    cache: Path | None = None,
    progress: Progress | None = None,
    *,
    folders: Sequence[Path] | None = None,
    sources: Mapping[str, Source] = SOURCES,
    catalogue: tuple[Model, ...] = CATALOGUE,
) -> Path:
    """Path of the model's file, fetched if need be. `folders` (default: SUTURE_MODELS) are tried first.

    Cancelling stops at once and keeps what was joined; the next pull goes on there. Raises PolicyUnavailable.
    """
    model = model_named(name, catalogue)
    folder = cache or default_cache()
    await asyncio.to_thread(_prepare, folder)
    async with _alone(folder / f"{model.file}.lock"):
        path = await _present(model, folder)
        if path is not None:
            return path
        local = tuple(folders) if folders is not None else local_sources()
        return await _fetch(model, folder, local, sources, progress or (lambda _done, _total: None))


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PolicyUnavailable(
            f"the model cache {folder} cannot be made: {error.strerror}", remedy="name another folder for models"
        ) from error


@asynccontextmanager
async def _alone(path: Path) -> AsyncGenerator[None]:
    """Hold the lock of one model, so that a second pull waits and then finds the file."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.1)
        yield
    finally:
        os.close(handle)


async def _present(model: Model, folder: Path) -> Path | None:
    """The file, if it is there and right. A file of another content is removed: the cache holds nothing else under that name."""
    path = status_of(model, folder).path
    if not path.exists():
        return None
    try:
        await asyncio.to_thread(verify, path, model)
    except PolicyUnavailable:
        path.unlink()
        return None
    return path


async def _fetch(model: Model, folder: Path, local: tuple[Path, ...], sources: Mapping[str, Source], progress: Progress) -> Path:
    growing = Growing(model, folder)
    await in_thread(growing.resume)
    _enough_disk(model, growing, folder)
    scratch = folder / f"{model.file}.scratch"
    await asyncio.to_thread(_fresh, scratch)
    job = Job(growing=growing, folders=local, scratch=scratch, tell=_rising(progress, model.size))
    reasons: list[str] = []
    try:
        for name, source in sources.items():
            try:
                await source(job)
                return await asyncio.to_thread(growing.finish)
            except PolicyUnavailable as error:
                reasons.append(f"{name}: {error}")
            except OSError as error:
                reasons.append(f"{name}: {error}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):
            if not growing.size:
                growing.path.unlink(missing_ok=True)
    raise PolicyUnavailable(
        f"{model.name} cannot be fetched ({'; '.join(reasons)})",
        remedy=f"put {model.file} into a folder and name that folder in SUTURE_MODELS",
    )


def _fresh(scratch: Path) -> None:
    """A killed pull may have left its scratch folder; the lock says that nobody uses it."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)


def _enough_disk(model: Model, growing: Growing, folder: Path) -> None:
    free, wanted = shutil.disk_usage(folder).free, needed(model, growing) + _MARGIN
    if free < wanted:
        raise PolicyUnavailable(
            f"{model.name} needs {wanted >> 20} MiB of disk in {folder}, {free >> 20} MiB are free",
            remedy="free some disk, or name a folder for models on another one",
        )


def _rising(progress: Progress, total: int) -> Callable[[int], None]:
    most = 0

    def tell(done: int) -> None:
        nonlocal most
        if done > most:
            most = done
            progress(done, total)

    return tell
