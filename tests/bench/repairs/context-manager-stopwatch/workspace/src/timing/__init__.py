from timing.stopwatch import Stopwatch
from timing.summary import summary

__all__ = ["Stopwatch", "summary"]
