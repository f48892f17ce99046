"""Runs a command in a pseudo-terminal and draws what it really showed as an animated SVG: `docs/demo.svg` in the README.

    python scripts/record_demo.py docs/demo.svg --speed 4 -- make demo

Every row of the screen is drawn while it is visible, and the picture starts anew at the end; where pictures do not move, the last screen
is shown. Nothing is edited but the pace: `--speed`, and pauses longer than `--pause`; the title says so. It is no terminal for everything:
there is no cursor, and no blinking, italic or underlined text.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shlex
import struct
import sys
import termios
import time
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyte

COLOURS = {
    "default": "#d8dee9",
    "black": "#3b4252",
    "red": "#e8747c",
    "green": "#a3d08c",
    "brown": "#ebcb8b",
    "blue": "#81a1c1",
    "magenta": "#c49ac0",
    "cyan": "#88c8d8",
    "white": "#eceff4",
}
BACKGROUND, TITLE = "#22272f", "#8b95a5"
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
WIDTH, HEIGHT, MARGIN, TOP = 7.83, 18, 14, 38
"""Of a character at 13 px, of a row, around the screen, above it for the title."""


class Style(NamedTuple):
    """How a piece of text looks."""

    colour: str
    bold: bool
    back: str


Row = tuple[tuple[int, str, Style], ...]
"""Pieces of one row: column, text, style."""


class Shown(NamedTuple):
    """One row's content, and from when to when it was on the screen."""

    y: int
    row: Row
    start: float
    end: float


def record(command: list[str], columns: int, rows: int) -> tuple[list[tuple[float, bytes]], int]:
    """Run a command in a terminal of that size; what it wrote, with the seconds when, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.environ.update(TERM="xterm-256color", COLUMNS=str(columns), LINES=str(rows))
        os.execvp(command[0], command)  # noqa: S606  # the caller's own command, without a shell on purpose
    started, chunks = time.monotonic(), list[tuple[float, bytes]]()
    while True:
        select.select([terminal], [], [])
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # Linux says EIO when the last writer is gone
            break
        if not data:
            break
        chunks.append((time.monotonic() - started, data))
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    os.close(terminal)
    return chunks, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def paced(chunks: list[tuple[float, bytes]], speed: float, pause: float) -> list[tuple[float, bytes]]:
    """The same output, faster, and with no pause longer than `pause`."""
    now, before, result = 0.0, 0.0, list[tuple[float, bytes]]()
    for at, data in chunks:
        now += min((at - before) / speed, pause)
        before = at
        result.append((now, data))
    return result


def pieces(line: dict[int, pyte.screens.Char], columns: int) -> Row:
    """A row of the screen as runs of one style, without trailing blanks."""
    cells = [(column, line[column]) for column in range(columns)]
    runs = list[tuple[int, str, Style]]()
    for style, run in groupby(cells, key=lambda cell: style_of(cell[1])):
        part = list(run)
        text = "".join(cell.data for _, cell in part)
        if text.strip() or style.back != "default":
            kept = text if style.back != "default" else text.rstrip()
            indent = 0 if style.back != "default" else len(kept) - len(kept.lstrip())
            runs.append((part[0][0] + indent, kept[indent:], style))
    return tuple(runs)


def style_of(cell: pyte.screens.Char) -> Style:
    """The part of a cell's attributes that is drawn."""
    colour, back = (cell.bg, cell.fg) if cell.reverse else (cell.fg, cell.bg)
    return Style(colour.removeprefix("bright"), bool(cell.bold), back.removeprefix("bright"))


def watch(chunks: list[tuple[float, bytes]], columns: int, rows: int, every: float) -> Iterator[tuple[float, list[Row]]]:
    """The screen whenever it has changed, at most once in `every` seconds, and at the end."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    due = 0.0
    for number, (at, data) in enumerate(chunks):
        stream.feed(data)
        last = number + 1 == len(chunks)
        if last or (at >= due and chunks[number + 1][0] - at > 0.02):  # within 20 ms it is one movement
            yield at, [pieces(screen.buffer[y], columns) for y in range(rows)]
            due = at + every


def spans(frames: list[tuple[float, list[Row]]], until: float) -> list[Shown]:
    """For each row the contents it had one after another, blank ones left out."""
    found = list[Shown]()
    for y in range(len(frames[0][1])):
        history = [(at, rows[y]) for at, rows in frames]
        changes = [each for number, each in enumerate(history) if number == 0 or history[number - 1][1] != each[1]]
        ends = [at for at, _ in changes[1:]] + [until]
        found += [Shown(y, row, at, end) for (at, row), end in zip(changes, ends, strict=True) if row]
    return found


def draw_row(row: Row) -> str:
    """One row's texts."""
    drawn = list[str]()
    for column, text, style in row:
        x = column * WIDTH
        if style.back != "default":
            drawn.append(f'<rect x="{x:.1f}" y="-13" width="{len(text) * WIDTH:.1f}" height="{HEIGHT}" fill="{colour(style.back)}"/>')
        weight = ' font-weight="bold"' if style.bold else ""
        drawn.append(
            f'<text x="{x:.1f}" fill="{colour(style.colour)}"{weight} textLength="{len(text) * WIDTH:.1f}" xml:space="preserve">'
            f"{escape(text, quote=False)}</text>"
        )
    return "".join(drawn)


def colour(name: str) -> str:
    """What a terminal's colour looks like here; 256-colour values come as hexadecimal digits."""
    return COLOURS.get(name) or f"#{name}"


def draw(shown: list[Shown], title: str, columns: int, rows: int, until: float) -> str:
    """The picture. Rows of the last screen are visible by themselves, so that it is also a still picture."""
    names = {row: f"r{number}" for number, row in enumerate(dict.fromkeys(each.row for each in shown))}
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + TOP + MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="13" font-family="{FONTS}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        *(
            f'<circle cx="{18 + 18 * number}" cy="18" r="6" fill="{each}"/>'
            for number, each in enumerate((COLOURS["red"], COLOURS["brown"], COLOURS["green"]))
        ),
        f'<text x="50%" y="23" text-anchor="middle" fill="{TITLE}">{escape(title, quote=False)}',
        f'<animate id="t" attributeName="x" from="50%" to="50%" begin="0s;t.end" dur="{until:.2f}s"/></text>',
        "<defs>",
        *(f'<g id="{name}">{draw_row(row)}</g>' for row, name in names.items()),
        "</defs>",
        f'<g transform="translate({MARGIN} {TOP + 13})">',
    ]
    for each in shown:
        use = f'<use href="#{names[each.row]}" y="{each.y * HEIGHT}"'
        if each.end < until:
            begin, seconds, state = each.start, each.end - each.start, "visible"
            use += ' visibility="hidden"'
        else:
            begin, seconds, state = 0.0, each.start, "hidden"
        change = f'<set attributeName="visibility" to="{state}" begin="t.begin+{begin:.2f}s" dur="{seconds:.2f}s"/>'
        out.append(f"{use}>{change if seconds > 0 else ''}</use>")
    return "\n".join([*out, "</g>", "</svg>", ""])


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Record a command as an animated SVG.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--columns", type=int, default=110)
    parser.add_argument("--rows", type=int, default=36)
    parser.add_argument("--speed", type=float, default=1.0, help="play so many times faster")
    parser.add_argument("--pause", type=float, default=2.0, help="no pause longer than this, in seconds")
    parser.add_argument("--every", type=float, default=0.25, help="seconds between two pictures")
    parser.add_argument("--hold", type=float, default=6.0, help="seconds for which the last screen stays")
    parser.add_argument("--title", help="instead of the command")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def main() -> int:
    """Record, draw, write; the command's own exit code, and no picture of a command that failed."""
    given = arguments()
    chunks, code = record(given.command, given.columns, given.rows)
    if code or not chunks:
        sys.stderr.write(f"not drawn: {shlex.join(given.command)} ended with {code}\n")
        return code or 1
    pace = f" ({chunks[-1][0]:.0f} s, played {given.speed:g} times faster)" if given.speed != 1 else f" ({chunks[-1][0]:.0f} s)"
    frames = list(watch(paced(chunks, given.speed, given.pause), given.columns, given.rows, given.every))
    until = frames[-1][0] + given.hold
    used = max((y + 1 for _, rows in frames for y, row in enumerate(rows) if row), default=1)
    title = (given.title or f"$ {shlex.join(given.command)}") + pace
    picture = draw(spans([(at, rows[:used]) for at, rows in frames], until), title, given.columns, used, until)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(picture, encoding="utf-8")
    sys.stderr.write(f"{given.out}: {len(picture.encode()) / 1e3:.0f} kB, {len(frames)} pictures, {until:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
