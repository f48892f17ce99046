"""Figures as inline SVG: matplotlib draws, and what it wrote is made fit for a page with a strict policy.

Styles become presentation attributes, since the page allows no style but its own sheet; names get a prefix, so that two figures of a page
do not share them; the font is the page's. Colours are those of `INK` and of the palette, which the sheet maps to its own for dark pages.
"""

from __future__ import annotations

import importlib
import io
import re
import warnings
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from suture_training.report.text import shown, visible

Axes = Any
"""matplotlib's; its annotations are too partial for a strict checker."""

INK, MUTED, GRID, PAPER = "#1d2430", "#667085", "#e4e7ec", "#ffffff"
BLUE, GREEN, RED, AMBER, VIOLET = "#2f6fde", "#1f9d69", "#d1495b", "#c97a16", "#7a5af8"
PALETTE = (BLUE, GREEN, AMBER, VIOLET, RED)

_XLINK = "{http://www.w3.org/1999/xlink}href"
_NAMED = re.compile(r"url\(#([^)]+)\)")
_DROPPED = ("metadata", "style", "title")
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "suture",
    "font.size": 9.5,
    "font.family": "sans-serif",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.major.size": 0,
    "text.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def figure(draw: Callable[[Axes], None], label: str, *, name: str, size: tuple[float, float] = (5.2, 2.9)) -> str:
    """A figure of one pair of axes; `label` says in words what it shows, `name` is unique in the page."""
    mpl: Any = importlib.import_module("matplotlib")
    canvas: Any = importlib.import_module("matplotlib.backends.backend_svg").FigureCanvasSVG

    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # text stays text: the reader's fonts show it
        made: Any = importlib.import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")
        canvas(made)
        made.patch.set_alpha(0)
        axes = made.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        held = io.StringIO()
        made.savefig(held, format="svg", metadata={"Date": None}, transparent=True)
    return inline(held.getvalue(), label, name)


def inline(document: str, label: str, name: str) -> str:
    """A document of matplotlib's as an element of a page."""
    root = ET.fromstring(document)  # noqa: S314  # matplotlib wrote it; text that others wrote is escaped in it
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        _restyle(element)
        _rename(element, name)
    _drop(root)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib.update({"class": "plot", "role": "img", "aria-label": visible(label), "stroke-linejoin": "round", "stroke-linecap": "butt"})
    ET.indent(root, "")
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _restyle(element: ET.Element) -> None:
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key and key != "font-family":
            element.attrib[key] = value


def _rename(element: ET.Element, name: str) -> None:
    if "id" in element.attrib:
        element.attrib["id"] = f"{name}-{element.attrib['id']}"
    if _XLINK in element.attrib:
        element.attrib["href"] = f"#{name}-{element.attrib.pop(_XLINK).removeprefix('#')}"
    for key, value in element.attrib.items():
        if "url(#" in value:
            element.attrib[key] = _NAMED.sub(lambda found: f"url(#{name}-{found[1]})", value)


def _drop(parent: ET.Element) -> None:
    for child in list(parent):
        if child.tag in _DROPPED:
            parent.remove(child)
        else:
            _drop(child)


def caption(title: str, drawing: str, note: str = "", *, wide: bool = False) -> str:
    """A figure with its caption as a card; a wide one takes the whole row."""
    below = f'<p class="note">{shown(note)}</p>' if note else ""
    return f'<figure class="card{" wide" if wide else ""}"><figcaption>{shown(title)}</figcaption>{drawing}{below}</figure>'
