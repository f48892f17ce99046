from birdlog.log import BirdLog
from birdlog.sighting import Sighting

__all__ = ["BirdLog", "Sighting"]
