def split(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return hours, minutes, seconds


def clock(seconds):
    """75 -> '1:15', 3675 -> '1:01:15'."""
    sign = "-" if seconds < 0 else ""
    hours, minutes, secs = split(abs(seconds))
    if hours:
        return f"{sign}{hours}:{minutes}:{secs:02d}"
    return f"{sign}{minutes}:{secs:02d}"


def words(seconds):
    """75 -> '1 min 15 s'."""
    parts = [f"{n} {unit}" for n, unit in zip(split(seconds), ("h", "min", "s")) if n]
    return " ".join(parts) or "0 s"
