"""The tickets of a village tombola and what they win."""

from dataclasses import dataclass

JACKPOT = 1000


@dataclass(frozen=True)
class Ticket:
    number: int
    colour: str
    holder: str = ""


def load(path):
    """Tickets from a file with lines such as `12 red Ada`; the holder may be missing."""
    file = open(path, encoding="utf-8")
    lines = file.read().splitlines()
    file.close()
    tickets = []
    for line in lines:
        number, colour, *holder = line.split(maxsplit=2)
        tickets.append(Ticket(int(number), colour, holder[0] if holder else ""))
    return tickets


def wins(ticket, ending, colour=None):
    """Whether a ticket's number ends in some digits, and its colour is the one that is asked for."""
    if str(ticket.number).endswith(ending):
        if colour in (None, ticket.colour):
            return True
    return ticket.number == JACKPOT


def winners(tickets, ending, colour=None):
    """Names of those who win something, each once, by name; tickets without a holder win nothing."""
    return sorted(set(ticket.holder for ticket in tickets if ticket.holder and wins(ticket, ending, colour)))


def sold(tickets):
    """How many tickets of each colour have a holder."""
    colours = {ticket.colour: 0 for ticket in tickets}
    for ticket in tickets:
        if ticket.holder:
            colours[ticket.colour] += 1
    return colours


def unsold(tickets):
    return [colour for colour, number in sold(tickets).items() if number == 0]
