"""Environments to try on: wheels made here as zip files, virtual environments with an interpreter of this machine behind them."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suture_sandbox.capture import capture_fields, runtime_of
from suture_sandbox.capture.interpreter import inspect
from suture_sandbox.checks import Check
from suture_sandbox.environment import EnvironmentFields, Limits

BASE = Path(os.path.realpath(sys.executable))

TESTS = Check(name="tests", kind="tests", command=("python", "-m", "pytest"), report="junit", tool="pytest")


def _metadata(name: str, version: str, requires: tuple[str, ...]) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {item}\n" for item in requires)


def _row(path: str, content: bytes) -> str:
    value = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={value},{len(content)}\n"


def _distribution_files(
    name: str, version: str, files: Mapping[str, str], requires: tuple[str, ...], entry_points: str
) -> dict[str, bytes]:
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    content = {path: text.encode() for path, text in files.items()}
    content[f"{info}/METADATA"] = _metadata(name, version, requires).encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points.encode()
    record = "".join(_row(path, data) for path, data in content.items()) + f"{info}/RECORD,,\n"
    return {**content, f"{info}/RECORD": record.encode()}


@pytest.fixture
def make_wheel() -> Callable[..., Path]:
    """Make a small pure wheel: `make_wheel(folder, "name", "1.0", {"name.py": "..."})`."""

    def make(
        folder: Path, name: str, version: str, files: Mapping[str, str], *, requires: tuple[str, ...] = (), entry_points: str = ""
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        wheel = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in _distribution_files(name, version, files, requires, entry_points).items():
                archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), content)
        return wheel

    return make


@pytest.fixture
def make_venv() -> Callable[..., Path]:
    """Make an empty virtual environment without starting a process; hands back its site-packages folder."""

    def make(folder: Path, *, base: Path = BASE, system: bool = False) -> Path:
        site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        site.mkdir(parents=True)
        (folder / "bin").mkdir()
        (folder / "bin" / "python").symlink_to(base)
        lines = [f"home = {base.parent}", f"include-system-site-packages = {str(system).lower()}", "version = 3.11"]
        (folder / "pyvenv.cfg").write_text("\n".join(lines) + "\n")
        return site

    return make


@pytest.fixture
def put() -> Callable[..., Path]:
    """Put an installed distribution into a site-packages folder; hands back its dist-info folder."""

    def install(
        site: Path, name: str, version: str, files: Mapping[str, str], *, requires: tuple[str, ...] = (), entry_points: str = ""
    ) -> Path:
        for path, content in _distribution_files(name, version, files, requires, entry_points).items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        (info / "INSTALLER").write_text("hand\n")
        return info

    return install


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "suture cache"


@pytest.fixture
def check() -> Check:
    return TESTS


@pytest.fixture
def fields_of(cache: Path) -> Callable[..., EnvironmentFields]:
    """Capture the fields of an environment by its interpreter."""

    def fields(
        root: Path, python: Path, *, checks: tuple[Check, ...] = (TESTS,), limits: Limits | None = None, variables: Mapping[str, str] = {}
    ) -> EnvironmentFields:
        runtime = runtime_of(inspect(python, root=root, cache=cache), root=root, variables=variables)
        isolation = {"backend": "local", "network": "none"}
        found, _ = capture_fields(runtime, root=root, checks=checks, limits=limits or Limits(), isolation=isolation, cache=cache)
        return found

    return fields


@pytest.fixture
def own_uv_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """uv with an empty cache and no index: what is not in the wheelhouse cannot be had."""
    folder = tmp_path / "uv cache"
    monkeypatch.setenv("UV_CACHE_DIR", str(folder))
    monkeypatch.setenv("UV_LINK_MODE", "copy")
    monkeypatch.delenv("UV_OFFLINE", raising=False)
    return folder
