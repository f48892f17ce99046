class RingBuffer:
    """Keeps the newest `capacity` values."""

    def __init__(self, capacity):
        if capacity <= 0:
            raise ValueError("capacity must be > 0")
        self.capacity = capacity
        self._slots = [None] * capacity
        self._next = 0
        self._size = 0

    def push(self, value):
        self._slots[self._next] = value
        self._next = (self._next + 1) % self.capacity
        self._size = min(self._size + 1, self.capacity)

    def __len__(self):
        return self._size

    def last(self, n):
        """The newest n values, oldest of them first."""
        n = min(n, self._size)
        start = self._next - n- 1
        return [self._slots[(start + i) % self.capacity] for i in range(n)]

    def full(self):
        return self._size == self.capacity
