import re

_ADDRESS = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


def normalise(address):
    """Trim, and lower the domain; the part before the @ keeps its case."""
    local, _, domain = address.strip().partition("@")
    return f"{local.lower()}@{domain.lower()}"


def valid(address):
    return bool(_ADDRESS.match(address))
