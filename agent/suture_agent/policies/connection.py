"""The connection to an OpenAI-compatible server: the official client, tamed, and streams that are begun anew when they die half-way.

The client brings retries with jitter on 408, 409, 429, 5xx and connection errors. Here: nothing about this machine is sent, no variable
meant for another service is read, loopback addresses never go through a proxy, a request has a deadline, and
a stream that broke is repeated.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from suture_agent.errors import PolicyError, PolicyUnavailable
from suture_agent.policies import Completion, OnText
from suture_agent.policies.failures import too_long, translated
from suture_agent.policies.wire import Assembly, BrokenAnswer, ServerSaid

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_TOLD_BY_DEFAULT = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait, and how often to try again."""

    connect: float = 10.0
    """Seconds until a connection stands."""
    read: float = 300.0
    """Seconds between two pieces of an answer, the first one included: a long prompt on a CPU takes minutes."""
    total: float = 900.0
    """Seconds for one request, with everything that is tried again."""
    retries: int = 3
    """How often a request that did not begin to be answered is sent again."""
    restarts: int = 2
    """How often an answer that broke off is asked for again."""
    pause: float = 0.5
    """Seconds before the first of these; doubled each time, with jitter."""


def open_client(base_url: str, api_key: str, patience: Patience) -> AsyncOpenAI:
    """The official client. Importing it takes half a second: call this in a thread."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Omit, Timeout

    # The client takes Omit for a header that is not to be sent, though its annotation says text.
    hidden: dict[str, Any] = {f"X-Stainless-{name}": Omit() for name in _TOLD_BY_DEFAULT}
    hidden |= {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    return AsyncOpenAI(
        base_url=base_url,
        api_key=api_key or "none",
        max_retries=patience.retries,
        timeout=Timeout(patience.read, connect=patience.connect),
        default_headers=hidden,
        http_client=DefaultAsyncHttpxClient(trust_env=not is_loopback(base_url)),
    )


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def answer(
    client: AsyncOpenAI,
    path: str,
    body: dict[str, Any],
    begin: Callable[[], Assembly],
    patience: Patience,
    on_text: OnText | None = None,
) -> Completion:
    """Send a request and put its streamed answer together. Raises PolicyError, or what the client raises for a refused request.

    Cancelling closes the connection, which ends the request on the server.
    """
    shown = _Shown(on_text)
    try:
        async with asyncio.timeout(patience.total):
            for attempt in range(patience.restarts + 1):
                try:
                    return await _once(client, path, body, begin(), shown)
                except BrokenAnswer as broken:
                    if attempt == patience.restarts:
                        raise PolicyError(
                            f"{client.base_url} broke its answer off {attempt + 1} times: {broken}", remedy="see the server's log"
                        ) from broken
                    # Jitter for many clients of one server that broke, nothing that needs a good generator.
                    await asyncio.sleep(patience.pause * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret
    except TimeoutError as error:
        raise PolicyUnavailable(
            f"{client.base_url} did not finish an answer within {patience.total:g} s", remedy="see whether the server is overloaded"
        ) from error
    raise AssertionError("the loop returns or raises")


async def _once(client: AsyncOpenAI, path: str, body: dict[str, Any], assembly: Assembly, shown: _Shown) -> Completion:
    from openai import APIError, AsyncStream

    stream = await client.post(path, body=body, cast_to=object, stream=True, stream_cls=AsyncStream[object])
    async with stream:
        try:
            async for event in stream:
                assembly.add(event)
                shown.grown(assembly.first_text)
        except ServerSaid as said:
            _raise_if_final(said)
            raise BrokenAnswer(str(said)) from said
        except APIError as error:
            _raise_if_final(error)
            raise BrokenAnswer(str(error)) from error
        except (BrokenAnswer, PolicyError):
            raise
        except Exception as error:  # what a dying connection raises belongs to the client's HTTP library, which varies with its version
            raise BrokenAnswer(f"{type(error).__name__}: {error}") from error
    return assembly.completion()


def _raise_if_final(error: Exception) -> None:
    """An error inside a stream that would come again."""
    if too_long(str(error)):
        raise translated(error, "the server", "") from error


class _Shown:
    """What `on_text` was given. An answer that is begun anew goes on where the display stands, so text is never shown twice."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._length = 0

    def grown(self, text: str) -> None:
        if self._on_text is not None and len(text) > self._length:
            new, self._length = text[self._length :], len(text)
            self._on_text(new)
