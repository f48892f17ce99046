"""Firings for the kiln."""

from .schedule import Schedule
from .standard import BISQUE, GLAZE

__all__ = ["BISQUE", "GLAZE", "Schedule"]
