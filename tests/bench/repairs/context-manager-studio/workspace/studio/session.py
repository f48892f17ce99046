"""A recording session: some microphones, switched on together and off together."""

from contextlib import ExitStack


class Session:
    """Use it in a with statement. When one microphone cannot be switched on, none stays on."""

    def __init__(self, rack, names):
        self.rack = rack
        self.names = tuple(names)
        self.takes = []
        self._microphones = []
        self._switched_on = ExitStack()

    def __enter__(self):
        with ExitStack() as stack:
            self._microphones = [stack.enter_context(self.rack.microphone(name)) for name in self.names]
            self._switched_on = stack
        return self

    def __exit__(self, kind, error, trace):
        self._microphones = []
        self._switched_on.close()

    def record(self, sound):
        """Keep one track for each microphone and return the number of the take, counted from one."""
        self.takes.append([microphone.capture(sound) for microphone in self._microphones])
        return len(self.takes)
