from __future__ import annotations


def celsius(fahrenheit: float) -> float:
    return (fahrenheit - 32) / 1.8


def clock(minutes: float) -> str:
    """A duration as hours and minutes."""
    hours, rest = divmod(round(minutes), 60)
    return f"{hours}:{rest:02}"
