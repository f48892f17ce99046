class Channel:
    """A mixer channel; the volume is kept between 0 and 100."""

    def __init__(self, name, volume=80):
        self.name = name
        self.muted = False
        self.volume = volume

    @property
    def volume(self):
        return 0 if self.muted else self._volume

    @volume.setter
    def volume(self, value):
        self.volume = max(0, min(100, value))

    def mute(self):
        self.muted = True

    def unmute(self):
        self.muted = False


class Mixer:
    def __init__(self, *channels):
        self.channels = {c.name: c for c in channels}

    def fade(self, name, to, steps):
        """Volumes on the way from the current one to `to`."""
        channel = self.channels[name]
        start = channel.volume
        path = [round(start + (to - start) * i / steps) for i in range(1, steps + 1)]
        for value in path:
            channel.volume = value
        return path

    def loudest(self):
        if not self.channels:
            return None
        return max(self.channels.values(), key=lambda c: c.volume).name
