import re

PLACEHOLDER = re.compile(r"\{\{\s*([a-z]+)\s*\}\}")


class MissingValue(KeyError):
    pass


def render(text, values):
    """Replace {{ name }} by its value. Unknown names raise MissingValue."""

    def fill(match):
        name = match.group(1)
        if name not in values:
            raise MissingValue(name)
        return str(values[name])

    return PLACEHOLDER.sub(fill, text)


def names(text):
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def rename(text, old, new):
    """Rename a placeholder everywhere."""
    return re.sub(r"\{\{\s*%s\s*\}\}" % re.escape(old), "{{ %s }}" % new, text)
