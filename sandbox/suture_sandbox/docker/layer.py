"""The layer of a built image: a virtual environment as files, and as archives whose bytes only its content decides."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.docker.daemon import ImageFacts

HOME = "/opt/suture/environment"
"""Where the environment lies in a built image."""

_SHEBANG = re.compile(rb"\A#![^\n]*\n")
_LONG_SHEBANG = re.compile(rb"\A#!/bin/sh\n'''exec'[^\n]*\n' '''\n")
_LEFT_OUT = (".lock",)
_ORIGIN = ("direct_url.json", "uv_cache.json", "REQUESTED")
_EPOCH = "1970-01-01T00:00:00Z"
_KEPT = ("User", "ExposedPorts", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Shell")
"""What an image has of its base, beside the variables."""


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What a built image says beside its base."""

    name: str
    """For people, and so that no tidying takes it for left over."""
    variables: Mapping[str, str]
    labels: Mapping[str, str]


def assemble(target: Path, environment: Path, base: str, version: str, metadata: Path | None) -> None:
    """Make a virtual environment of what an installer has laid into `target`, on the interpreter `base` of that version.

    `metadata` is a folder of dist-infos that stand in for the workspace's own distributions.
    """
    feature = ".".join(version.split(".")[:2])
    site = environment / "lib" / f"python{feature}" / "site-packages"
    site.parent.mkdir(parents=True)
    scripts = environment / "bin"
    scripts.mkdir()
    (scripts / "python3").symlink_to(base)
    (scripts / "python").symlink_to("python3")
    (environment / "pyvenv.cfg").write_text(
        f"home = {Path(base).parent}\ninclude-system-site-packages = false\nversion = {version}\n", "utf-8"
    )
    if (target / "bin").is_dir():
        for script in sorted((target / "bin").iterdir()):
            _own(script, scripts / script.name)
        shutil.rmtree(target / "bin")
    for info in target.glob("*.dist-info"):
        _forget_origin(info)
    target.rename(site)
    for info in sorted(metadata.iterdir()) if metadata is not None else ():
        shutil.copytree(info, site / info.name)


def _forget_origin(info: Path) -> None:
    """Leave out of a distribution's records where it was installed from, which differs from one build to the next."""
    for name in _ORIGIN:
        (info / name).unlink(missing_ok=True)
    record = info / "RECORD"
    if record.is_file():
        left_out = (*(f"{info.name}/{name}," for name in _ORIGIN), "bin/")  # start scripts lie elsewhere, and are others now
        lines = record.read_text("utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith(left_out)), "utf-8")


def _own(script: Path, place: Path) -> None:
    """Copy a start script, to be run by the environment's own interpreter."""
    content = script.read_bytes()
    head = _LONG_SHEBANG.match(content) or (_SHEBANG.match(content) if b"python" in content[:200] else None)
    if head is not None:
        content = f"#!{HOME}/bin/python\n".encode() + content[head.end() :]
    place.write_bytes(content)
    place.chmod(0o755)


def layer(environment: Path, archive: Path) -> str:
    """Pack an environment as a layer; the SHA-256 of the archive. Owners, times and order are fixed."""
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        place = ""
        for part in HOME.strip("/").split("/"):
            place = f"{place}/{part}".lstrip("/")
            tar.addfile(_entry(place, tarfile.DIRTYPE, 0o755))
        for path in sorted(environment.rglob("*"), key=lambda item: item.relative_to(environment).parts):
            if path.name not in _LEFT_OUT:
                _add(tar, path, f"{HOME.strip('/')}/{path.relative_to(environment)}")
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_symlink():
        entry = _entry(name, tarfile.SYMTYPE, 0o777)
        entry.linkname = str(path.readlink())
        tar.addfile(entry)
    elif path.is_dir():
        tar.addfile(_entry(name, tarfile.DIRTYPE, 0o755))
    elif path.is_file():
        entry = _entry(name, tarfile.REGTYPE, 0o755 if path.stat().st_mode & 0o100 else 0o644)
        entry.size = path.stat().st_size
        with path.open("rb") as file:
            tar.addfile(entry, file)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def write_image(told: ImageFacts, layer_archive: Path, content: str, place: Path, wanted: Configured) -> str:
    """Write an image of a base and one layer to `place`, as `docker load` reads it; the digest that it has.

    The base's own layers are named and not in it: a daemon that has them does not read them again. `content` is the layer's SHA-256.
    """
    kept = {name: value for name in _KEPT if (value := told.configuration.get(name))}
    variables = [f"{name}={value}" for name, value in sorted(wanted.variables.items())]
    labels: dict[str, str] = {**(kept.get("Labels") or {}), **wanted.labels}
    whole: dict[str, Any] = {**kept, "Env": variables, "Labels": labels}
    layers = [*told.layers, f"sha256:{content}"]
    configuration: dict[str, Any] = {
        "architecture": told.architecture,
        "config": whole,
        "created": _EPOCH,
        "history": [{"created": _EPOCH, "created_by": "suture env lock" if each == layers[-1] else "the base"} for each in layers],
        "os": told.system,
        "rootfs": {"diff_ids": layers, "type": "layers"},
    }
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(text).hexdigest()
    manifest = {
        "Config": f"{digest}.json",
        "RepoTags": [wanted.name],
        "Layers": [f"{each.removeprefix('sha256:')}/layer.tar" for each in layers],
    }
    with tarfile.open(place, "w") as tar:
        for name, data in ((f"{digest}.json", text), ("manifest.json", json.dumps([manifest]).encode())):
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        tar.add(layer_archive, f"{content}/layer.tar")
    return f"sha256:{digest}"
