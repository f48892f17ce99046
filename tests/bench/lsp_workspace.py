"""Workspaces for the benches of the language server: small functions with words that a cheap check finds, and a policy that plays a script.

A word such as `BAD0_12_3` is a finding of the check `words0`; a function without it is repaired. The function's name says what the
policy does: `quick_7` is repaired at once, `wrong_7` wrongly, `slow_7` never (it is thought about for an hour), and `sleep_7` so that the
check, which runs it, sleeps. The check `texts` prints the hash of every file as it was in the attempt, unsaved buffers included: what the
server takes the texts to be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

WORDS = '''"""words.py NUMBER: a finding for each word BAD<NUMBER>_..., after running what wants to be run."""

import re
import sys
from pathlib import Path

WORD = re.compile(rf"\\bBAD{sys.argv[1]}_\\w+")
found = 0
for path in sorted(Path().glob("*_m.py")):
    text = path.read_bytes().decode()
    if text.startswith("# run"):
        exec(compile(text, path, "exec"), {"__name__": "ran"})
    for number, line in enumerate(text.split("\\n"), 1):
        for word in WORD.finditer(line):
            found = 1
            print(f"./{path}:{number}:{word.start() + 1}: error: W{sys.argv[1]} the word {word[0]}")
sys.exit(found)
'''
TEXTS = '''"""texts.py: the hash of each file, as a remark."""

import hashlib
from pathlib import Path

for path in sorted(Path().glob("*_m.py")):
    print(f"./{path}:1:1: warning: T1 text {hashlib.sha256(path.read_bytes()).hexdigest()}")
'''
SLEEP_SECONDS = 3417
"""How long the check of a repaired `SLEEPER` takes."""
SLEEPER = "# run it\nimport time\n\n\ndef sleep_{0}(value):\n    return time.sleep(value) or 'BAD0_sleep{0}'\n\n\nsleep_{0}(0)\n"
"""The text of a file whose repair makes the check sleep; to be formatted with a number."""
TURNS = (
    {"pattern": r"\bslow_\d", "text": "return value\n", "delay": 3600, "repeat": 0},
    {"pattern": r"\bsleep_\d", "text": f"return time.sleep(value + {SLEEP_SECONDS})\n", "repeat": 0},
    {"pattern": r"\bwrong_\d", "text": "return value + 'BAD0_worse'\n", "delay": 0.01, "repeat": 0},
    {"text": "return value\n", "delay": 0.01, "repeat": 0},
)


def function(name: str, words: Iterable[str]) -> str:
    """A function whose one line after its head holds the words."""
    return f"def {name}(value):\n    return value + '{' '.join(words)}'\n\n\n"


def make(root: Path, files: Mapping[str, str], *, checks: int = 1, texts: bool = False) -> Path:
    """A workspace of these files, which has so many checks for words, and perhaps the one for texts."""
    root.mkdir(parents=True)
    for name, text in files.items():
        (root / name).write_bytes(text.encode())
    (root / "words.py").write_text(WORDS)
    (root / "texts.py").write_text(TEXTS)
    lines = ["[checks.build]", "enabled = false"]
    commands = {f"words{number}": ["python", "words.py", str(number)] for number in range(checks)}
    commands |= {"texts": ["python", "texts.py"]} if texts else {}
    for name, command in commands.items():
        lines += ["", f"[checks.{name}]", f"command = {command}".replace("'", '"'), 'kind = "lint"', 'report = "generic"']
    (root / "suture.toml").write_text("\n".join([*lines, ""]))
    return root


def many(files: int, checks: int) -> dict[str, str]:
    """So many files with two findings of each check, which the policy thinks about for an hour."""
    return {
        f"f{file}_m.py": "".join(
            function(f"slow_{file}_{check}", (f"BAD{check}_{file}_a", f"BAD{check}_{file}_b")) for check in range(checks)
        )
        for file in range(files)
    }


def environment(home: Path, settings: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Variables of a user with these settings besides the script as policy, with nothing recorded or set elsewhere."""
    script = home / "script.jsonl"
    home.mkdir(parents=True, exist_ok=True)
    header = {"name": "script", "tools": False, "prefill": True, "context": 8192}
    script.write_bytes(b"\n".join(msgspec.json.encode(line) for line in (header, *TURNS)) + b"\n")
    all_settings = {"policy": {"spec": f"scripted:{script}"}, "harness": {"edits_by_rule": "off"}, **settings}
    (home / "config" / "suture").mkdir(parents=True, exist_ok=True)
    tables = [
        "\n".join([f"[{section}]", *(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in table.items()), ""])
        for section, table in all_settings.items()
    ]
    (home / "config" / "suture" / "config.toml").write_text("\n".join(tables))
    programs = str(Path(sys.executable).parent)
    unwanted = ("SUTURE_", "XDG_", "PYTEST", "PYTHONDONTWRITEBYTECODE")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(unwanted)},
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "VIRTUAL_ENV": sys.prefix,
        "PATH": os.pathsep.join((programs, os.environ.get("PATH", os.defpath))),
    }
