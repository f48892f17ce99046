"""GPUs: how much they hold and how fast they are, by their makers' data sheets (dense bfloat16, no sparsity)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from suture_agent.errors import SettingsError

GIB = 1 << 30
MOST = 1024
"""GPUs that a plan is made for at most."""


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU."""

    name: str
    memory: int
    """Bytes that the driver shows: a little less than the name says."""
    tera: int
    """Peak dense bfloat16, 10^12 operations a second."""
    bandwidth: int
    """Of its memory, 10^9 bytes a second."""


GPUS: Mapping[str, Gpu] = {
    gpu.name: gpu
    for gpu in (
        Gpu(name="B200", memory=179 * GIB, tera=2250, bandwidth=8000),
        Gpu(name="H200", memory=139 * GIB, tera=989, bandwidth=4800),
        Gpu(name="H100", memory=79 * GIB, tera=989, bandwidth=3350),
        Gpu(name="A100", memory=79 * GIB, tera=312, bandwidth=2039),
        Gpu(name="A100-40", memory=39 * GIB, tera=312, bandwidth=1555),
        Gpu(name="L40S", memory=44 * GIB, tera=362, bandwidth=864),
    )
}


class Gpus(msgspec.Struct, frozen=True, kw_only=True):
    """So many GPUs of one kind."""

    count: int
    kind: Gpu

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.count}x{self.kind.name}"


def gpus_of(text: str) -> Gpus:
    """What `8xH200` says; the count may be left out. Raises SettingsError."""
    found = re.fullmatch(r"(?:(\d{1,4})\s*[x*]\s*)?([A-Za-z0-9-]+)", text.strip())
    kinds = {name.lower(): gpu for name, gpu in GPUS.items()}
    kind = kinds.get(found[2].lower()) if found else None
    count = int(found[1] or 1) if found else 0
    if kind is None or not 1 <= count <= MOST:
        raise SettingsError(f"{text!r} names no GPUs", remedy=f"write 8xH200 or the like; known are {', '.join(GPUS)}")
    return Gpus(count=count, kind=kind)
