def widths(rows):
    """Width of each column."""
    return [max(len(str(cell)) for cell in column) for column in zip(*rows)]


def line(cells, sizes, sep=" | "):
    return sep.join(str(cell).ljust(size) for cell, size in zip(cells, sizes)).rstrip()


def table(title, header, rows):
    """Text table with a title, a header and a closing line that repeats the title."""
    sizes = widths([header, *rows])
    out = [title.upper(), line(header, sizes), line(["-" * s for s in sizes], sizes)]
    for title in rows:
        out.append(line(title, sizes))
    out.append(f"({title}: {len(rows)} rows)")
    return "\n".join(out)
