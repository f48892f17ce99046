import asyncio

import pytest

from tides import TideBoard
from tides.table import Table


class Office:
    """A tide office that answers when it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked: list[str] = []

    async def load(self, harbour: str) -> Table:
        self.asked.append(harbour)
        await self.open.wait()
        if harbour == "Atlantis":
            raise LookupError(harbour)
        return Table(harbour, (130, 875))


def test_table_is_loaded():
    async def main():
        office = Office()
        office.open.set()
        assert await TideBoard(office.load).table("Dover") == Table("Dover", (130, 875))

    asyncio.run(main())


def test_readers_share_one_lookup():
    async def main():
        office = Office()
        board = TideBoard(office.load)
        readers = [asyncio.create_task(board.table("Dover")) for _ in range(3)]
        await asyncio.sleep(0)
        office.open.set()
        tables = await asyncio.gather(*readers)
        assert [table.harbour for table in tables] == ["Dover"] * 3
        assert office.asked == ["Dover"]

    asyncio.run(main())


def test_impatient_reader_gets_nothing():
    async def main():
        board = TideBoard(Office().load)
        assert await board.table("Dover", patience=0) is None

    asyncio.run(main())


def test_patient_reader_is_served_beside_an_impatient_one():
    async def main():
        office = Office()
        board = TideBoard(office.load)
        patient = asyncio.create_task(board.table("Dover"))
        await asyncio.sleep(0)
        assert await board.table("Dover", patience=0) is None
        office.open.set()
        answers = await asyncio.gather(patient, return_exceptions=True)
        assert answers == [Table("Dover", (130, 875))]

    asyncio.run(main())


def test_second_try_finds_the_lookup_of_the_first():
    async def main():
        office = Office()
        board = TideBoard(office.load)
        waiting = asyncio.create_task(board.table("Hull", patience=60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await board.table("Hull", patience=0) is None
        office.open.set()
        assert await board.table("Hull") == Table("Hull", (130, 875))
        assert await waiting == Table("Hull", (130, 875))
        assert office.asked == ["Hull"]

    asyncio.run(main())


def test_failed_lookup_is_tried_again():
    async def main():
        office = Office()
        office.open.set()
        board = TideBoard(office.load)
        for _ in range(2):
            with pytest.raises(LookupError):
                await board.table("Atlantis")
        assert office.asked == ["Atlantis", "Atlantis"]

    asyncio.run(main())


@pytest.mark.parametrize(("minute", "expected"), [(0, 130), (130, 130), (131, 875), (900, None)])
def test_next_high(minute, expected):
    async def main():
        office = Office()
        office.open.set()
        return await TideBoard(office.load).next_high("Dover", minute)

    assert asyncio.run(main()) == expected


def test_mean_gap():
    assert Table("Dover", (100, 840, 1300)).mean_gap() == 600
    with pytest.raises(ValueError, match="at least two"):
        Table("Dover", (100,)).mean_gap()
