from studio.gear import Microphone, Rack
from studio.session import Session

__all__ = ["Microphone", "Rack", "Session"]
