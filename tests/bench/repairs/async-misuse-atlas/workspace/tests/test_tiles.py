import asyncio

import pytest

from atlas.tiles import TileStore


class Server:
    def __init__(self, failures=0):
        self.asked = []
        self.failures = failures

    async def load(self, place):
        self.asked.append(place)
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise OSError("no connection")
        return f"{place[0]}/{place[1]}".encode()


def test_one_tile():
    assert asyncio.run(TileStore(Server().load).tile(1, 2)) == b"1/2"


def test_again_from_the_store():
    server = Server()

    async def scenario():
        store = TileStore(server.load)
        return await store.tile(1, 2), await store.tile(1, 2)

    assert asyncio.run(scenario()) == (b"1/2", b"1/2")
    assert server.asked == [(1, 2)]


def test_two_ask_at_the_same_time():
    server = Server()

    async def scenario():
        store = TileStore(server.load)
        return await asyncio.gather(store.tile(0, 0), store.tile(0, 0))

    assert asyncio.run(scenario()) == [b"0/0", b"0/0"]
    assert server.asked == [(0, 0)]


def test_area_goes_row_by_row():
    assert asyncio.run(TileStore(Server().load).area(0, 0, 2, 2)) == [b"0/0", b"1/0", b"0/1", b"1/1"]


def test_empty_area():
    assert asyncio.run(TileStore(Server().load).area(3, 3, 3, 5)) == []


def test_failure_is_told():
    with pytest.raises(OSError, match="no connection"):
        asyncio.run(TileStore(Server(failures=1).load).tile(0, 0))


def test_failure_is_forgotten():
    server = Server(failures=1)

    async def scenario():
        store = TileStore(server.load)
        with pytest.raises(OSError, match="no connection"):
            await store.tile(0, 0)
        return await store.tile(0, 0), store.known

    assert asyncio.run(scenario()) == (b"0/0", 1)


def test_overlapping_areas():
    server = Server()

    async def scenario():
        store = TileStore(server.load)
        await store.area(0, 0, 2, 1)
        return await store.area(1, 0, 3, 1)

    assert asyncio.run(scenario()) == [b"1/0", b"2/0"]
    assert len(server.asked) == 3
