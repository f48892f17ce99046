from ferry.booking import BookingOffice, Ticket
from ferry.sailing import DeckFull, Sailing

__all__ = ["BookingOffice", "DeckFull", "Sailing", "Ticket"]
