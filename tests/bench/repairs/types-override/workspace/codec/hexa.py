from __future__ import annotations

from codec.base import Codec


class HexCodec(Codec):
    name = "hex"

    def encode(self, data: bytes) -> str:
        return data.hex()

    def decode(self, text: str) -> bytearray | None:
        raw = text.strip()
        return bytearray.fromhex(raw) if raw else None


class SpacedHexCodec(HexCodec):
    name = "hex-spaced"

    def encode(self, data: bytes) -> str:
        return data.hex(" ")
