"""Record classes for lines in which every field has its own columns."""


class Field:
    def __init__(self, name, width, convert=str.strip):
        self.name = name
        self.width = width
        self.convert = convert


class Record:
    """A line; the classes that `record` makes have a property for each field."""

    fields = ()

    def __init__(self, line):
        self.line = line.rstrip("\n")

    def as_dict(self):
        return {field.name: getattr(self, field.name) for field in self.fields}

    def __eq__(self, other):
        return type(self) is type(other) and self.as_dict() == other.as_dict()

    def __hash__(self):
        return hash(tuple(self.as_dict().values()))


def record(name, *fields):
    """A class for lines with these fields, one after another."""
    body = {"fields": fields}
    start = 0
    for field in fields:

        def read(self):
            return field.convert(self.line[start : start + field.width])

        body[field.name] = property(read)
        start += field.width
    return type(name, (Record,), body)
