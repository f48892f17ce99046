"""Compare two stock lists (article -> number)."""


def changed(before, after):
    """Article -> change, for every article of either list whose number differs."""
    result = {}
    for article in sorted(before.keys() | after.keys()):
        delta = after.get(article, 0) - before[article]
        if delta:
            result[article] = delta
    return result


def describe(before, after):
    lines = []
    for article, delta in changed(before, after).items():
        if article not in before:
            lines.append(f"new: {article} ({delta})")
        elif article not in after:
            lines.append(f"gone: {article}")
        else:
            lines.append(f"{article}: {delta:+d}")
    return lines
