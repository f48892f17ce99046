import heapq
import itertools


class Agenda:
    """Events in time order. Events at the same time keep the order in which they were added."""

    def __init__(self):
        self._heap = []
        self._tick = itertools.count()
        self._cancelled = set()

    def add(self, when, name):
        ticket = next(self._tick)
        self._heap.append((when, ticket, name))
        return ticket

    def cancel(self, ticket):
        self._cancelled.add(ticket)

    def pop(self):
        """The next event as (when, name). IndexError when nothing is left."""
        while True:
            when, ticket, name = self._heap.pop()
            if ticket not in self._cancelled:
                return when, name

    def drain(self, until):
        due = []
        while self._heap and heapq.nsmallest(1, self._heap)[0][0] <= until:
            try:
                due.append(self.pop())
            except IndexError:
                break
        return due
