from __future__ import annotations

from mount.register import Register


class MountError(Exception):
    pass


class Mount:
    """What the hand controller may ask of the mount."""

    def __init__(self) -> None:
        self.status = Register()
        self.status.on("power", "parked", "brake")

    def unpark(self) -> None:
        self.status.off("parked", "brake")

    def track(self) -> None:
        if self.status.has("parked"):
            raise MountError("parked")
        self.status.off("slewing")
        self.status.on("tracking")

    def slew(self) -> None:
        if self.status.any_of(("parked", "brake", "alarm")):
            raise MountError("cannot move: " + ", ".join(self.status))
        self.status.off("tracking", "guiding")
        self.status.on("slewing")

    def park(self) -> None:
        self.status.off("slewing", "tracking", "guiding")
        self.status.on("parked", "brake")
