from collections import OrderedDict


class LRU:
    """A mapping that keeps the `size` entries that were used last. Reading and writing are both uses."""

    def __init__(self, size, on_drop=None):
        if size < 1:
            raise ValueError("size")
        self.size = size
        self.on_drop = on_drop
        self._data = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key, default=None):
        if key not in self._data:
            self.misses += 1
            return default
        self.hits += 1
        return self._data[key]

    def put(self, key, value):
        self._data[key] = value
        while len(self._data) > self.size:
            self._drop()

    def _drop(self):
        key, value = self._data.popitem(last=True)
        if self.on_drop is not None:
            self.on_drop(key, value)

    def resize(self, size):
        self.size = size
        while len(self._data) > size:
            self._drop()

    def __len__(self):
        return len(self._data)

    def __contains__(self, key):
        return key in self._data

    def keys(self):
        """Least recently used first."""
        return list(self._data)

    def ratio(self):
        total = self.hits + self.misses
        return self.hits / total if total else 0.0
