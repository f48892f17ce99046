"""The tree as it is published: links that lead somewhere, one version, nothing of the machine it was written on, nothing large."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

REGISTRIES = ("pypi.org", "pythonhosted.org", "npmjs.org", "yarnpkg.com", "debian.org/debian", "proxy.golang.org", "crates.io", "hf.co/")
DATA = ("tests/bench/repairs/", "tests/sandbox/reports/samples/", "tests/sandbox/guard/corpus/")
TEXT_KINDS = {".py", ".md", ".toml", ".txt", ".sh", ".yml", ".yaml", ".json", ".cfg", ".ini", ".svg", ""}


@pytest.fixture(scope="module")
def texts(root, tracked):
    """Path -> content, of everything tracked that is text."""
    found = {}
    for name in tracked:
        if Path(name).suffix in TEXT_KINDS:
            try:
                found[name] = (root / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                assert name.startswith(DATA), f"{name} is not UTF-8"
    return found


def links(text):
    """Targets of Markdown's links and pictures, outside of code."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    return [target.strip("<>") for target in re.findall(r"\]\(\s*([^)\s]+)[^)]*\)", prose)]


def anchors(text):
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+\s+(.*?)\s*#*$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_between_documents_lead_somewhere(root, texts):
    broken = []
    for name, text in texts.items():
        if not name.endswith(".md") or name.startswith(DATA):
            continue
        for target in links(text):
            if re.match(r"[a-z+]+:", target):
                continue
            path, _, anchor = unquote(target).partition("#")
            place = (root / name).parent / path if path else root / name
            if not place.exists() or (anchor and anchor not in anchors(place.read_text())):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_links_are_found():
    assert links("[a](b.md) ![c](d.svg 'title') `[no](code)`\n```\n[no](block)\n```\n[e](<f.md#g>)") == ["b.md", "d.svg", "f.md#g"]
    assert anchors("# One `two`, three!\n```\n# no\n```\n") == {"one-two-three"}


def test_the_server_knows_its_version(pyproject):
    from suture_server import __version__

    assert __version__ == pyproject["project"]["version"]


def test_changelog_speaks_of_this_version(root, pyproject):
    first = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert first
    assert first[1] == pyproject["project"]["version"]


def test_licence_is_the_whole_apache_licence(root):
    text = (root / "LICENSE").read_text()
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "END OF TERMS AND CONDITIONS" in text
    assert all(f"\n   {number}. " in text for number in range(1, 10))


def test_every_python_version_that_is_promised_is_named(pyproject):
    named = [line.rpartition(" :: ")[2] for line in pyproject["project"]["classifiers"] if "Python :: 3." in line]
    assert named == ["3.11", "3.12", "3.13"]
    assert pyproject["project"]["requires-python"] == ">=3.11"


def test_nothing_names_the_machine_it_was_written_on(root, texts):
    home = f"{Path.home()}/" if len(Path.home().parts) > 2 else f"{Path.home()}/."
    places = [str(root), home, sys.base_prefix if sys.base_prefix not in ("/usr", "/usr/local") else str(root)]
    own = Path(__file__).name
    others = {name: text for name, text in texts.items() if not name.endswith(own)}
    assert [(name, place) for name, text in others.items() for place in places if re.search(re.escape(place) + r"(?![\w-])", text)] == []


def test_nothing_names_a_registry(texts):
    own = Path(__file__).name
    assert [(name, host) for name, text in texts.items() if not name.endswith(own) for host in REGISTRIES if host in text] == []


def test_nothing_names_the_index_that_pip_uses_here(texts):
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True).stdout
    hosts = {host for host in re.findall(r"https?://(?:[^@/\s']*@)?([\w.-]+)", listed) if host not in ("localhost", "127.0.0.1")}
    assert [(name, host) for name, text in texts.items() for host in hosts if host in text] == []


def test_no_file_is_large(root, tracked):
    assert [name for name in tracked if (root / name).stat().st_size > 1 << 20] == []


def test_scripts_start_with_what_runs_them(root, tracked):
    scripts = [name for name in tracked if name.startswith("scripts/") or name == ".ci/run"]
    assert scripts
    for name in scripts:
        first = (root / name).read_text().partition("\n")[0]
        assert first.startswith(("#!/", '"""')), name
        if first.startswith("#!") and "sh" in first:
            shell = ["bash", "-n"] if "bash" in first else ["sh", "-n"]
            assert subprocess.run([*shell, root / name], check=False).returncode == 0, name


def test_nothing_is_used_that_the_oldest_python_does_wrongly(texts):
    """Python 3.11.2 is Debian 12's: possessive groups match wrongly there, and what an `except*` raises comes out wrapped in a group."""
    sources = {
        name: text
        for name, text in texts.items()
        if name.startswith(("sandbox/", "agent/", "server/", "training/")) and name.endswith(".py")
    }
    assert sources
    wrong = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>|except\*")
    assert [(name, found[0]) for name, text in sources.items() for found in wrong.finditer(text)] == []
