"""The microphones of a studio and the rack that powers them."""


class GearError(Exception):
    """Something in the rack cannot be used."""


class Microphone:
    def __init__(self, rack, name, defective=False):
        self.rack = rack
        self.name = name
        self.defective = defective

    def __enter__(self):
        if self.defective:
            raise GearError(f"{self.name} gives no signal")
        if self.name in self.rack.live:
            raise GearError(f"{self.name} is taken")
        self.rack.live.append(self.name)
        return self

    def __exit__(self, kind, error, trace):
        self.rack.live.remove(self.name)

    def capture(self, sound):
        if self.name not in self.rack.live:
            raise GearError(f"{self.name} is off")
        return f"{self.name}: {sound}"


class Rack:
    """All microphones by name; `live` names the ones under power, in the order they were switched on."""

    def __init__(self, names, defective=()):
        self.live = []
        self._microphones = {name: Microphone(self, name, name in defective) for name in names}

    def microphone(self, name):
        try:
            return self._microphones[name]
        except KeyError:
            raise GearError(f"there is no {name}") from None
