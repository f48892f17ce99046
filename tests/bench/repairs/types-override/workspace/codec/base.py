from __future__ import annotations

from abc import ABC, abstractmethod


class Codec(ABC):
    name = ""

    @abstractmethod
    def encode(self, data: bytes) -> str: ...

    @abstractmethod
    def decode(self, text: str) -> bytes: ...


def round_trip(codec: Codec, data: bytes) -> bool:
    return codec.decode(codec.encode(data)) == data
