"""Requests to one service, made from what the client knows and what the caller adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


class Client:
    def __init__(self, base: str, headers: Mapping[str, str] | None = None) -> None:
        self._base = base.rstrip("/")
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}

    def authorize(self, token: str) -> None:
        """All requests from now on carry the token."""
        self._headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Request:
        url = self._url(path)
        if query:
            url = f"{url}?{urlencode(query)}"
        return Request("GET", url, self._merged(headers))

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Request:
        merged = self._merged(headers)
        merged.setdefault("content-type", "application/octet-stream")
        merged["content-length"] = str(len(body))
        return Request("POST", self._url(path), merged, body)

    def _url(self, path: str) -> str:
        return f"{self._base}/{path.lstrip('/')}"

    def _merged(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """The client's headers and those of one request, which win."""
        merged = self._headers
        for name, value in (headers or {}).items():
            merged[name.lower()] = value
        return merged
