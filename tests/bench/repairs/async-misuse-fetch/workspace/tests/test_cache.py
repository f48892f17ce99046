import asyncio

from weblib.cache import CachedSource


class Source:
    def __init__(self):
        self.calls = []

    async def load(self, key):
        self.calls.append(key)
        await asyncio.sleep(0)
        return key.upper()


def test_get():
    assert asyncio.run(CachedSource(Source().load).get("a")) == "A"


def test_second_get_is_a_hit():
    async def scenario():
        source = Source()
        cached = CachedSource(source.load)
        first, second = await cached.get("x"), await cached.get("x")
        return source.calls, first, second, cached.hits

    assert asyncio.run(scenario()) == (["x"], "X", "X", 1)


def test_get_many():
    assert asyncio.run(CachedSource(Source().load).get_many(["a", "b"])) == {"a": "A", "b": "B"}


def test_limit():
    async def scenario():
        source = Source()
        cached = CachedSource(source.load, limit=1)
        values = [await cached.get(key) for key in "aba"]
        return values, source.calls

    assert asyncio.run(scenario()) == (["A", "B", "A"], ["a", "b", "a"])


def test_forget_unknown():
    assert not CachedSource(Source().load).forget("a")


def test_no_keys():
    assert asyncio.run(CachedSource(Source().load).get_many([])) == {}
