ORDER = ["debug", "info", "warning", "error"]


def at_least(level, minimum):
    return ORDER.index(level) >= ORDER.index(minimum)


def split_line(line):
    level, _, text = line.partition(": ")
    return level.lower(), text.strip()
