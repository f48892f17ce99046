"""What holds for every test: where `make test` fetched the weights for the tests of the real model, none of these may be left out."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import settings

settings.register_profile("suite", deadline=None)  # how long a machine takes says nothing about the code (tests/bench measures)
settings.load_profile("suite")

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With SUTURE_TEST_MODEL=required a test of the real model that skips itself has failed."""
    report = yield
    if report.skipped and item.get_closest_marker("model") and os.environ.get("SUTURE_TEST_MODEL") == "required":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} needs the weights, and they were promised to it: {call.excinfo.value}"
    return report


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Handler], Awaitable[int]]]:
    """`await listen(handler)`: a loopback port whose connections go to the handler; all of them have ended when the test has."""
    handlers: set[asyncio.Task[None]] = set()
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler: Handler) -> int:
            async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                assert task is not None
                handlers.add(task)
                try:
                    await handler(reader, writer)
                except asyncio.CancelledError:
                    pass  # the end of the test; a stream's task that ends cancelled is reported as an error
                finally:
                    writer.close()
                    with contextlib.suppress(ConnectionError):
                        await writer.wait_closed()

            server = await asyncio.start_server(track, "127.0.0.1", 0)
            stack.callback(server.close)
            return server.sockets[0].getsockname()[1]

        yield start
    for task in handlers:
        task.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)
