"""The machine under the environment: release, libc, processor. Facts only; nothing here starts a process."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
from collections.abc import Mapping
from pathlib import Path

CPU_FEATURES = frozenset(
    {
        *("pni", "ssse3", "sse4_1", "sse4_2", "popcnt", "avx", "f16c", "fma", "bmi1", "bmi2", "avx2"),
        *("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi", "avx512_vbmi2", "avx512_vnni"),
        *(
            "avx512_bitalg",
            "avx512_vpopcntdq",
            "avx512_bf16",
            "avx512_fp16",
            "avx_vnni",
            "amx_tile",
            "amx_int8",
            "amx_bf16",
            "vaes",
            "gfni",
        ),
        *("asimd", "asimdhp", "asimddp", "asimdfhm", "sve", "sve2", "bf16", "i8mm", "svei8mm", "svebf16", "atomics", "crc32"),
        *("vsx", "vxe", "vxe2"),
    }
)
"""What numeric libraries (numpy, OpenBLAS, oneDNN, llama.cpp) choose code paths by. The model's name decides nothing, so it is left out."""


def os_fields(release: Path | None = None) -> Mapping[str, str]:
    """Release and libc: `{"id": "debian", "version": "12", "libc": "glibc 2.36"}`."""
    values = _release(release)
    fields = {"id": values.get("ID", platform.system().lower()), "version": values.get("VERSION_ID", "rolling"), "libc": _libc()}
    return {key: value for key, value in fields.items() if value}


def platform_fields(cpuinfo: Path = Path("/proc/cpuinfo")) -> Mapping[str, str | tuple[str, ...]]:
    """Machine, and the CPU features that code dispatches on."""
    return {"machine": platform.machine(), "features": tuple(sorted(_cpu_flags(cpuinfo) & CPU_FEATURES))}


def _release(release: Path | None) -> Mapping[str, str]:
    for path in (release,) if release else (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        with contextlib.suppress(OSError):
            return dict(_assignments(path.read_text("utf-8", "replace")))
    return {}


def _assignments(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            with contextlib.suppress(ValueError):
                found.append((key, "".join(shlex.split(value))))
    return found


def _libc() -> str:
    with contextlib.suppress(ValueError, OSError):
        if version := os.confstr("CS_GNU_LIBC_VERSION"):
            return version
    return "musl" if any(Path("/lib").glob("ld-musl-*")) else "unknown"


def _cpu_flags(cpuinfo: Path) -> frozenset[str]:
    """What every core can do: on mixed processors a process may land on any of them."""
    cores: list[frozenset[str]] = []
    with contextlib.suppress(OSError):
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() in ("flags", "features"):
                cores.append(frozenset(value.split()))
    return cores[0].intersection(*cores) if cores else frozenset()
