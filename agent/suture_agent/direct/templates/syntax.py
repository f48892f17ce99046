"""A file that does not parse: a bracket, a colon, a quote or a comma that is missing or too much, a line at the wrong depth."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from suture_agent.direct.units import parse
from suture_sandbox.text import lines_with_ends

REACH = 6
"""Lines before the place that Python names in which the mistake is looked for."""
_ENDINGS = (")", "]", "}", ":", "):", ",", "),", "))", '"', "'", '")', "')", '"""')
_KEYWORDS = re.compile(r"\s*(if|elif|else|for|while|def|class|try|except|finally|with|async|match|case)\b")


def syntax(source: str, pointed: int | None) -> Iterator[tuple[str, int, float]]:
    """Sources that parse, made by one small change near the zero-based line that Python names; (source, line, weight)."""
    lines = lines_with_ends(source)
    at = min(pointed if pointed is not None else len(lines) - 1, len(lines) - 1)
    for distance, line in enumerate(range(at, max(at - REACH, -1), -1)):
        for changed, weight in _changes(lines, line):
            new = "".join([*lines[:line], changed, *lines[line + 1 :]])
            if new != source and parse(textwrap.dedent(new)) is not None:
                yield new, line, weight - 0.1 * distance
    if "\t" in source:
        yield source.expandtabs(4), at, 1.0


_PAIRS = ((")", "]"), ("]", ")"), ("}", ")"), (")", "}"), ("]", "}"), ("}", "]"), (";", ":"), ("'", '"'), ('"', "'"), ("==", "="))
_PAIRS_ANYWHERE = (("esle", "else"), ("else if", "elif"), ("retrun", "return"), ("elif", "if"), ("&&", "and"), ("||", "or"))
_REPLACED = (
    (re.compile(r"(?<![=!<>:+\-*/%&|^])=(?!=)"), "==", 1.2),
    (re.compile(r"(?<=[\w\])}'\"]) (?=[\w'\"(\[{])"), ", ", 0.7),
    (re.compile(r"[()\[\]{}'\":,]"), "", 0.9),
    (re.compile(r"(?<=print) (.*)"), r"(\1)", 2.0),
    (re.compile(r"(?<=except )(\w+), (\w+)"), r"\1 as \2", 2.0),
    *((re.compile(re.escape(wrong)), right, 0.9) for wrong, right in _PAIRS),
    *((re.compile(re.escape(wrong)), right, 1.5) for wrong, right in _PAIRS_ANYWHERE),
)
"""(what may be wrong, what stands in its place, weight); each occurrence is tried by itself."""


def _changes(lines: list[str], line: int) -> Iterator[tuple[str, float]]:
    """The line after one small change."""
    text = lines[line].rstrip("\n")
    code = text.split("  #", 1)[0].rstrip()
    rest = text[len(text.split("  #", 1)[0]) :] + "\n"
    if _KEYWORDS.match(code) and not code.endswith(":"):
        yield f"{code}:{rest}", 2.0
    for ending in _ENDINGS:
        yield f"{code}{ending}{rest}", 1.5
        if code.endswith((":", ",")):
            yield f"{code[:-1]}{ending}{code[-1]}{rest}", 1.5
    for pattern, right, weight in _REPLACED:
        for found in pattern.finditer(code):
            yield f"{code[: found.start()]}{found.expand(right)}{code[found.end() :]}{rest}", weight
    for depth in _depths(lines, line):
        yield f"{' ' * depth}{code.lstrip()}{rest}", 1.2
    yield "", 0.4


def _depths(lines: list[str], line: int) -> list[int]:
    """Other depths at which the line may have been meant."""
    code = lines[line].rstrip("\n")
    depth = len(code) - len(code.lstrip())
    above = next((each for each in reversed(lines[:line]) if each.strip()), "")
    outer = len(above) - len(above.lstrip())
    near = {outer, depth + 4, depth - 4, depth + 1, depth - 1, depth + 2, depth - 2}
    if above.rstrip().endswith(":"):
        near.add(outer + 4)
    return sorted(each for each in near - {depth} if each >= 0)
