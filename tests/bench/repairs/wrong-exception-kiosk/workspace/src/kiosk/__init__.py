from kiosk.machine import Kiosk
from kiosk.shelf import KioskError, NoChange, Shelf, SoldOut, UnknownItem

__all__ = ["Kiosk", "KioskError", "NoChange", "Shelf", "SoldOut", "UnknownItem"]
