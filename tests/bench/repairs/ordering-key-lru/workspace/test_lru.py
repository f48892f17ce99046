import pytest

from lru import LRU


def filled(keys, size=3, **kw):
    cache = LRU(size, **kw)
    for k in keys:
        cache.put(k, k.upper())
    return cache


class TestBasics:
    def test_get(self):
        assert filled("ab").get("a") == "A"

    def test_default(self):
        assert filled("ab").get("x", 0) == 0

    def test_len(self):
        assert len(filled("abcde")) == 3

    def test_size(self):
        with pytest.raises(ValueError):
            LRU(0)

    def test_ratio(self):
        cache = filled("a")
        cache.get("a"), cache.get("b")
        assert cache.ratio() == 0.5


class TestOrder:
    def test_oldest_goes_first(self):
        assert filled("abcd").keys() == ["b", "c", "d"]

    def test_reading_is_a_use(self):
        cache = filled("abc")
        cache.get("a")
        cache.put("d", "D")
        assert "a" in cache
        assert "b" not in cache

    def test_writing_is_a_use(self):
        cache = filled("abc")
        cache.put("a", "again")
        assert cache.keys() == ["b", "c", "a"]

    def test_drops_are_reported(self):
        dropped = []
        filled("abcde", on_drop=lambda k, v: dropped.append((k, v)))
        assert dropped == [("a", "A"), ("b", "B")]

    def test_resize(self):
        cache = filled("abc")
        cache.resize(1)
        assert cache.keys() == ["c"]
