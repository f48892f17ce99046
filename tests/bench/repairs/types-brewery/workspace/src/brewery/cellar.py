from __future__ import annotations

from collections.abc import Iterable, Sequence

from brewery.vessels import Keg, Tank, Vessel


def pour(vessels: Iterable[Vessel], litres: float) -> float:
    """Drain one vessel after the other until there is enough; return how much it came to."""
    poured = 0.0
    for vessel in vessels:
        if poured >= litres:
            break
        poured += vessel.drain(litres - poured)
    return poured


def stock(vessels: Sequence[Vessel]) -> dict[str, float]:
    return {vessel.name: vessel.litres for vessel in vessels}


def tasting(tanks: Sequence[Tank], glass: float = 0.2) -> float:
    """Pour a glass from each tank."""
    return sum(pour([tank], glass) for tank in tanks)


def serve(kegs: Sequence[Keg], guests: int, each: float = 0.5) -> bool:
    """Pour for some guests from the kegs that are tapped; whether there was enough for them all."""
    wanted = guests * each
    tapped = [keg for keg in kegs if keg.tapped]
    return pour(tapped, wanted) >= wanted
