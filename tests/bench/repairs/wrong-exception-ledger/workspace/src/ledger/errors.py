from __future__ import annotations


class ImportProblem(Exception):
    """A line of a bank's file that cannot be read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason
