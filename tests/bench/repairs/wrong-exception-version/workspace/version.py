import functools


class VersionError(Exception):
    """The text is not a version."""


@functools.total_ordering
class Version:
    def __init__(self, major, minor=0, patch=0):
        self.parts = (major, minor, patch)

    @classmethod
    def parse(cls, text):
        """'1.2.3', '1.2' or '1'. Anything else raises VersionError."""
        pieces = text.strip().split(".")
        if len(pieces) > 3:
            raise VersionError(text)
        numbers = [int(piece) for piece in pieces]
        return cls(*numbers)

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    def __str__(self):
        return ".".join(map(str, self.parts))

    def bump(self, level):
        keep = self.parts[:level]
        return Version(*keep, self.parts[level] + 1)


def newest(texts):
    """The highest version; texts that are not versions are skipped."""
    versions = []
    for text in texts:
        try:
            versions.append(Version.parse(text))
        except VersionError:
            continue
    return max(versions, default=None)
