"""Folders to report on, and a page as a browser would take it apart."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

from suture_training.ledger import Ledger
from suture_training.metrics import MetricsLog

VOID = {"meta", "br", "img", "input", "link", "hr"}
ALLOWED = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "footer",
        "section",
        "figure",
        "figcaption",
        "details",
        "summary",
    ),
    *("div", "span", "p", "h1", "h2", "h3", "b", "small", "pre", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "path", "text", "tspan", "use", "defs", "clippath", "rect"),
}


class Page(HTMLParser):
    """A page's elements, texts and attributes; it has to be well formed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self._open and self._open[-1] in ("h1", "h2"):
            self.headings.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def check(self) -> Page:
        """Nothing runs, nothing is fetched, nothing but the one sheet styles it."""
        assert {tag for tag, _ in self.elements} <= ALLOWED
        names = {name for _, attributes in self.elements for name in attributes}
        assert not [name for name in names if name.startswith("on")]
        fetching = {"style", "src", "srcset", "action", "formaction", "xlink:href", "background", "poster", "ping", "data"}
        assert not names & fetching
        links = [value for _, attributes in self.elements for name, value in attributes.items() if name == "href"]
        assert all(link and link.startswith("#") for link in links)
        assert not re.search(r"https?://|url\((?!#)|@import", self.source)
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {link[1:] for link in links if link} <= set(ids)
        assert set(re.findall(r"url\(#([^)]+)\)", self.source)) <= set(ids)
        (policy,) = [each["content"] for tag, each in self.elements if each.get("http-equiv") == "Content-Security-Policy"]
        sheets = re.findall(r"<style>(.*?)</style>", self.source, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(sheets[0].encode()).digest()).decode()
        assert len(sheets) == 1
        assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f]", self.source)
        return self


@pytest.fixture
def page_of():
    return lambda path: Page(Path(path).read_text(encoding="utf-8")).check()


@pytest.fixture
def training_run(tmp_path):
    """A run's folder with metrics, episodes, settings and identity."""

    def make(*, steps=30, episodes=(), **values):
        folder = tmp_path / "rl-1"
        with MetricsLog(folder / "metrics.jsonl") as log:
            for step in range(1, steps + 1):
                share = min(1.0, 0.1 + step / 50)
                log.add(
                    step,
                    loss=1 / step,
                    solve_rate=share,
                    rollouts=32,
                    reward=share,
                    hack_rate=0.01,
                    tokens=20 + step,
                    seconds_policy=2,
                    seconds_sandbox=3,
                    grad_norm=1.5,
                    **{"tools/run_check": step, "tools/edit_file": 2},
                    **values,
                )
                if step % 10 == 0:
                    log.add(step, validation_rate=share)
        with Ledger(folder / "episodes.jsonl") as ledger:
            ledger.add(*episodes)
        (folder / "run.toml").write_text('method = "rl"\n[rl]\nseed = 3\nsteps = 30\n')
        (folder / "identity.json").write_text('{"harness": {"preset": "line"}, "environments": ["abc"]}')
        return folder

    return make
