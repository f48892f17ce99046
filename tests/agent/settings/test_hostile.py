"""A workspace's configuration is untrusted: of any kind, size and content, it costs a message and never a traceback or a hang."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_agent.errors import SettingsError
from suture_agent.settings import Settings
from suture_agent.settings.sources import LARGEST_FILE

NAMES = ["suture.toml", "pyproject.toml"]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(path.parent)  # the address of a socket holds 108 bytes
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def long_loop(path: Path) -> None:
    path.with_name("other").symlink_to(path.name)
    path.symlink_to("other")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def outside(path: Path) -> None:
    target = path.parent.parent / "outside.toml"
    target.write_text("[harness]\nsteps = 1")
    path.symlink_to(target)


def outside_by_folder(path: Path) -> None:
    folder = path.parent.parent / "elsewhere"
    folder.mkdir()
    (folder / "x.toml").write_text("[harness]\nsteps = 1")
    (path.parent / "folder").symlink_to(folder)
    path.symlink_to("folder/x.toml")


KINDS: dict[str, Callable[[Path], None]] = {
    "a folder": Path.mkdir,
    "a pipe": fifo,
    "a socket": unix_socket,
    "a loop of links": loop,
    "a longer loop": long_loop,
    "a device": device,
    "a link out": outside,
    "a link out by a folder": outside_by_folder,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_of_the_workspace_is_refused(place, name, kind):
    KINDS[kind](place.root / name)
    assert place.refused().startswith(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_inside_the_workspace_is_read(place, name):
    inside = place.root / "configuration" / "real.toml"
    inside.parent.mkdir()
    inside.write_text("harness.steps = 4" if name == "suture.toml" else "tool.suture.harness.steps = 4")
    (place.root / name).symlink_to("configuration/real.toml")
    assert place.load().settings.harness.steps == 4


def test_a_link_to_nothing_is_no_configuration(place):
    (place.root / "suture.toml").symlink_to("missing.toml")
    assert place.load().settings == Settings()


def test_a_users_own_file_may_be_a_link_as_dotfiles_are(place, tmp_path):
    (tmp_path / "dotfile").write_text("harness.steps = 4")
    place.user_file.symlink_to(tmp_path / "dotfile")
    assert place.load().settings.harness.steps == 4


def test_a_workspace_reached_by_a_link_is_a_workspace(place, tmp_path):
    place.says("harness.steps = 4")
    place.root.rename(tmp_path / "real")
    place.root.symlink_to(tmp_path / "real")
    (tmp_path / "real" / "pyproject.toml").symlink_to("suture.toml")
    assert place.load().settings.harness.steps == 4


UNREADABLE = """
import os, sys
from pathlib import Path
from suture_agent.errors import SettingsError
from suture_agent.settings import load
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)
try:
    load(Path(), user_file=None, environ={})
except SettingsError as error:
    print(error)
"""


def test_a_file_that_may_not_be_read_is_told(place):
    place.says("harness.steps = 4")
    (place.root / "suture.toml").chmod(0)
    place.root.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", UNREADABLE, str(place.root)], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("suture.toml cannot be read: Permission denied"), done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_size_is_read_no_further_than_the_bound(place, name):
    with (place.root / name).open("wb") as file:
        file.truncate(1 << 40)
    assert f"larger than {LARGEST_FILE // 1024} KiB" in place.refused()


def test_the_bound_itself_is_allowed(place):
    text = "harness.steps = 4\n"
    place.says(text + "#" * (LARGEST_FILE - len(text)))
    assert place.load().settings.harness.steps == 4
    place.says(text + "#" * (LARGEST_FILE - len(text) + 1))
    place.refused()


@pytest.mark.parametrize(("content", "line"), [(b"\xff\xfe", 1), (b"a = 1\n\n# \xe9\n", 3), ("harness.steps = 1".encode("utf-16"), 1)])
def test_what_is_not_utf8_is_told_with_its_line(place, content, line):
    (place.root / "suture.toml").write_bytes(content)
    assert place.refused().startswith(f"suture.toml:{line}: not UTF-8")


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(place):
    (place.root / "suture.toml").write_bytes(b"\xef\xbb\xbf# x\r\n[harness]\r\nsteps = 4\r\n")
    loaded = place.load()
    assert (loaded.settings.harness.steps, loaded.origins["harness.steps"]) == (4, "suture.toml:3")


N = 120_000
COSTLY = {
    "deep dotted key": ".".join("a" * N) + " = 1",
    "deep quoted key": ".".join(["'a'"] * N) + " = 1",
    "deep header": f"[{'.'.join('a' * N)}]\n" + "k = 1\n" * 100,
    "deep headers": "".join(f"[{'.'.join('a' * 30)}.b{number}]\n" for number in range(4_000)),
    "deep arrays": "a = " + "[" * N + "]" * N,
    "deep tables": "a = " + "{a = " * 50_000,
    "open arrays": "a = [" * 50_000,
    "many keys": "".join(f"k{number} = 1\n" for number in range(40_000)),
    "many keys in a header": "[a.b.c.d]\n" + "".join(f"k{number} = 1\n" for number in range(40_000)),
    "many tables": "".join(f"[k{number}]\n" for number in range(40_000)),
    "tables in an array": "a = [" + "{b = 1}," * 50_000 + "]",
    "arrays of tables": "[[a]]\n" * 30_000,
    "a long word": "a" * 500_000 + " = 1",
    "a long value": "policy.spec = '" + "x" * 500_000 + "'",
    "a long number": "harness.steps = " + "1" * 100_000,
    "a long hexadecimal number": "harness.steps = 0x" + "f" * 100_000,
    "open strings": '"""\n\\' * 100_000,
    "escapes": 'a = "' + '\\"' * 200_000,
    "quotes": "'" * 500_000,
    "quotes in a string": "a = '''" + "''x" * 150_000 + "'''",
    "double quotes in a string": 'a = """' + '""x' * 150_000 + '"""',
    "quotes without an end": 'a = """' + '""x' * 150_000,
    "backslashes": "a = '''" + "\\" * 400_000,
    "dots": "." * 500_000,
    "spaces": "a" + " " * 500_000,
    "brackets": "[" * 500_000,
    "closing brackets": "]" * 500_000,
    "commas": "a = [1" + "," * 500_000,
    "control characters": "\x1b[31m = 1",
    "a key of control characters": '"\\u001b[31m\\u0000\\n" = 1',
    "a value of control characters": 'policy.spec = "\\u001b[31m\\u0000\\n"',
    "a section of control characters": '["\\u001b[2J"]\na = 1',
    "a check of control characters": '[checks."\\u001b[2J"]\ncommand = ["x"]',
    "directions": '"\\u202e" = 1',
}


@pytest.mark.parametrize("name", COSTLY)
def test_costly_and_confusing_files_come_to_an_end_with_a_message(place, name):
    """Where the time were quadratic, a test of these would take minutes; messages stay short and printable."""
    place.says(COSTLY[name])
    assert place.refused().startswith("suture.toml")


@pytest.mark.parametrize("name", [name for name in COSTLY if name.startswith(("many", "tables", "arrays"))])
def test_a_large_pyproject_of_other_tools_is_read_past(place, name):
    place.says(
        f"[tool.suture.harness]\nsteps = 4\n[tool.other]\n{COSTLY[name].replace('[[a]]', '[[tool.other.a]]')}", file="pyproject.toml"
    )
    loaded = place.load()
    assert (loaded.settings.harness.steps, loaded.origins["harness.steps"]) == (4, "pyproject.toml:2")


def test_many_checks_are_taken(place):
    place.says("".join(f"[checks.c{number}]\ncommand = ['x']\n" for number in range(8_000)))
    loaded = place.load()
    assert len(loaded.settings.checks) == 8_000
    assert loaded.origins["checks.c7999.command"] == "suture.toml:16000"


def message_of(place, **sources) -> str | None:
    """What a refusal says; None where the settings are taken."""
    try:
        assert isinstance(place.load(**sources).settings, Settings)
    except SettingsError as error:
        return f"{error} | {error.remedy or chr(0)}"
    return None


def is_clear(message: str | None) -> bool:
    return message is None or (message.isprintable() and len(message) < 1000)


WORDS = [
    "sandbox",
    "harness",
    "checks",
    "guard",
    "policy",
    "journal",
    "steps",
    "seconds",
    "protected",
    "tests",
    "command",
    "level",
    "spec",
    "tool",
    "suture",
]
WORDS += [
    "=",
    "=",
    "[",
    "]",
    "[",
    "]",
    "\n",
    "\n",
    ".",
    ".",
    "{",
    "}",
    ",",
    '"',
    "'",
    '"""',
    "'''",
    "1",
    "true",
    "0x1",
    "nan",
    "x",
    "\\u0000",
    "#",
    " ",
    "\t",
    "\r\n",
]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    text=st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.text(st.characters(codec="utf-8"), max_size=60),
)
def test_any_text_is_taken_or_refused(new_place, name, text):
    assert is_clear(message_of(new_place().says(text, file=name)))


VALID = """
[sandbox]
memory_mib = 512 # less
seconds = 60
[checks.tests]
command = ["python", "-m", "pytest", "{report}"]
timeout = 30
[harness]
preset = "direct"
steps = 4
[guard]
protected = ['a/*', '''b''']
"""


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, len(VALID)), st.integers(0, 6), st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=3)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_change_to_a_valid_file_is_taken_or_refused(new_place, changes):
    text = VALID
    for start, length, new in changes:
        text = text[:start] + new + text[start + length :]
    assert is_clear(message_of(new_place().says(text)))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80))
def test_any_bytes_are_taken_or_refused(new_place, content):
    place = new_place()
    (place.root / "suture.toml").write_bytes(content)
    assert is_clear(message_of(place))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        ["SUTURE_POLICY", "SUTURE_JOURNAL", "SUTURE_GUARD__PROTECTED", "SUTURE_HARNESS__STEPS", "SUTURE_CHECKS__TESTS__COMMAND"]
    )
    | st.from_regex(r"SUTURE_[A-Z_]{1,20}", fullmatch=True),
    text=st.text(max_size=30),
)
def test_any_variable_is_taken_or_refused(place, name, text):
    assert is_clear(message_of(place, environ={name: text}))
