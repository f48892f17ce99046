from __future__ import annotations

UNITS = ("B", "kB", "MB", "GB", "TB")


def scale(size: int) -> tuple[float, str]:
    value = float(size)
    for unit in UNITS[:-1]:
        if value < 1000:
            return value, unit
        value /= 1000
    return value, UNITS[-1]


def human(size: int) -> str:
    """1500 -> '1.5 kB'; whole numbers have no decimals."""
    value, unit = scale(size)
    if value == int(value):
        return f"{int(value)} {unit}"
    return f"{value:.1f} {unit}"


def total(sizes: list[int]) -> str:
    return sum(sizes)


def summary(sizes: dict[str, int]) -> list[str]:
    lines = [f"{name}: {human(size)}" for name, size in sorted(sizes.items())]
    lines.append(f"total: {human(total(list(sizes.values())))}")
    return lines
