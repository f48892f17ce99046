import asyncio


class Ticker:
    """Collects readings from a sensor at fixed intervals."""

    def __init__(self, read, interval=0.0):
        self.read = read
        self.interval = interval
        self.values = []

    @asyncio.coroutine
    def collect(self, count):
        for _ in range(count):
            self.values.append(self.read())
            yield from asyncio.sleep(self.interval)
        return self.values


def moving_average(values, width):
    if width < 1:
        raise ValueError("width must be positive")
    return [sum(values[i : i + width]) / width for i in range(len(values) - width + 1)]


async def averaged(read, count, width):
    return moving_average(await Ticker(read).collect(count), width)
